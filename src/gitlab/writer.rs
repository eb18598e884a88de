//! What only changes. Nothing here decides, looks first, or tries a creation again.
//!
//! Text goes in only as the types of the place it is written to. A creation whose answer was lost is
//! [`GitLabError::OutcomeUnknown`]: whoever applies the plan looks for the thing before asking again.

use convenor_core::ids::{
    AccessLevel, BoardId, BoardListId, CommitSha, GroupId, HookId, IssueIid, LabelId, MergeRequestIid, NoteId,
    ProjectId, UserId,
};
use convenor_core::program::Visibility;
use gitlab::api::common::VisibilityLevel;
use gitlab::api::endpoint_prelude::Endpoint;
use gitlab::api::projects;
use http::StatusCode;
use secrecy::SecretString;
use url::Url;

use super::answer;
use super::client::Client;
use super::endpoints::{self, hooks::HookOwner};
use super::error::GitLabError;
use super::operation::{Operation, Quota};
use super::query::unbuildable;
use super::stats::CallStats;
use super::text::{CommitMessage, Markdown, PlainLine, ProjectName, Slug, Title};
use super::wire::{Board, BoardList, Branch, Commit, Hook, Issue, Label, Member, MergeRequest, Note, Project};

/// A project to be made, empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// Display name, unique in the group without regard to case.
    pub name: ProjectName,
    /// Last segment of the path.
    pub path: Slug,
    /// The group that it goes into.
    pub group: GroupId,
    /// One line.
    pub description: PlainLine,
    /// Who may see it.
    pub visibility: Visibility,
    /// Topics.
    pub topics: Vec<String>,
}

/// A commit to be made: all actions or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// The branch that gets it.
    pub branch: String,
    /// Where the branch starts when it is to be made (or, with `force`, made anew); `None`: the branch as it is.
    pub start: Option<Start>,
    /// Replaces the branch: whatever was pushed to it is gone.
    pub force: bool,
    /// The message.
    pub message: CommitMessage,
    /// What happens to the files; at least one.
    pub actions: Vec<FileAction>,
}

/// Where a new branch starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the head of another branch.
    Branch(String),
    /// At a commit.
    Commit(CommitSha),
}

/// What a commit does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAction {
    /// Adds a file; fails when there is one.
    Create {
        /// Path in the repository.
        path: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Replaces a file's content; fails when there is none.
    Update {
        /// Path in the repository.
        path: String,
        /// Its new content.
        bytes: Vec<u8>,
        /// Fails when this is no longer the last commit that touched the file (compare and swap).
        last_commit_id: Option<CommitSha>,
    },
    /// Removes a file; fails when there is none.
    Delete {
        /// Path in the repository.
        path: String,
        /// Fails when this is no longer the last commit that touched the file.
        last_commit_id: Option<CommitSha>,
    },
}

/// A label to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLabel {
    /// Its name; no commas.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// What it is for.
    pub description: PlainLine,
}

/// An issue to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssue {
    /// Title.
    pub title: Title,
    /// Description; lines that begin with `/` would be carried out as quick actions.
    pub description: Markdown,
    /// Names of existing labels; GitLab makes unknown ones without asking.
    pub labels: Vec<String>,
    /// Only for members and the author.
    pub confidential: bool,
}

/// What to change of an issue, all at once; what is `None` or empty stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueChange {
    /// Labels to put on.
    pub add_labels: Vec<String>,
    /// Labels to take off; wins over `add_labels`.
    pub remove_labels: Vec<String>,
    /// Open (`true`) or close (`false`).
    pub open: Option<bool>,
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Markdown>,
}

/// A merge request to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMergeRequest {
    /// Branch with the change; it must exist.
    pub source_branch: String,
    /// Branch that is to get it.
    pub target_branch: String,
    /// Title; `Draft:` in front makes it a draft.
    pub title: Title,
    /// Description; lines that begin with `/` would be carried out as quick actions.
    pub description: Markdown,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Who is asked to review; GitLab Free takes one.
    pub reviewers: Vec<UserId>,
    /// Who is assigned; GitLab Free takes one.
    pub assignees: Vec<UserId>,
    /// Whether the source branch goes with the merge; `None`: as the project says.
    pub remove_source_branch: Option<bool>,
    /// Whether the commits are squashed; `None`: as the project says.
    pub squash: Option<bool>,
}

/// What to change of a merge request, all at once; what is `None` or empty stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeRequestChange {
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Markdown>,
    /// Labels to put on.
    pub add_labels: Vec<String>,
    /// Labels to take off; wins over `add_labels`.
    pub remove_labels: Vec<String>,
    /// Reopen (`true`) or close (`false`).
    pub open: Option<bool>,
    /// The new set of reviewers.
    pub reviewers: Option<Vec<UserId>>,
    /// A new target.
    pub target_branch: Option<String>,
}

/// A webhook to be made, or what it is to become.
#[derive(Clone, Debug)]
pub struct NewHook {
    /// Where it sends to. Changing it makes GitLab forget the secret token, so send that along.
    pub url: Url,
    /// The secret for `X-Gitlab-Token`.
    pub token: Option<SecretString>,
    /// The key for signatures, `whsec_…`; GitLab before 19.0 ignores it: look at `signing_token_present` of the answer.
    pub signing_token: Option<SecretString>,
    /// Whether GitLab checks our TLS certificate.
    pub enable_ssl_verification: bool,
    /// Every trigger that is to be on or off, such as `("issues_events", true)`.
    pub triggers: Vec<(&'static str, bool)>,
}

/// What became of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreatedNote {
    /// It is there.
    Note(Note),
    /// Its text was nothing but quick actions; GitLab carried them out and kept no note (202).
    OnlyCommands,
}

/// The only thing that can change GitLab. It cannot be had from a [`Reader`](super::Reader).
#[derive(Clone, Debug)]
pub struct Writer {
    client: Client,
}

impl Writer {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The calls made so far, the readers' of the same client included.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        self.client.stats()
    }

    /// Makes an empty project in a group.
    ///
    /// # Errors
    /// `Taken` when the group has a project of that name or path.
    pub async fn create_project(&self, project: &NewProject) -> Result<Project, GitLabError> {
        let operation = Operation::writes("projects.create");
        let endpoint = projects::CreateProject::builder()
            .name(project.name.as_str())
            .path(project.path.as_str())
            .namespace_id(project.group.0)
            .description(project.description.as_str())
            .visibility(match project.visibility {
                Visibility::Private => VisibilityLevel::Private,
                Visibility::Internal => VisibilityLevel::Internal,
                Visibility::Public => VisibilityLevel::Public,
            })
            .topics(project.topics.iter().map(String::as_str))
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Makes a commit, and its branch where the commit says so.
    ///
    /// # Errors
    /// `Invalid` when a file is not as an action expects it (there, absent, changed since); `Forbidden` when the branch
    /// is protected.
    pub async fn commit(&self, project: ProjectId, commit: &NewCommit) -> Result<Commit, GitLabError> {
        self.client
            .ask(
                Operation::writes("commits.create"),
                &endpoints::commits::create(project, commit),
            )
            .await
    }

    /// Makes a branch at a ref.
    ///
    /// # Errors
    /// `Invalid` when it exists or the ref does not.
    pub async fn create_branch(&self, project: ProjectId, name: &str, at: &str) -> Result<Branch, GitLabError> {
        let operation = Operation::writes("branches.create");
        let endpoint = projects::repository::branches::CreateBranch::builder()
            .project(project.0)
            .branch(name)
            .ref_(at)
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Removes a branch.
    ///
    /// # Errors
    /// `NotFound` when it is gone already; `Forbidden` when it is protected.
    pub async fn delete_branch(&self, project: ProjectId, name: &str) -> Result<(), GitLabError> {
        self.client
            .tell(
                Operation::writes("branches.delete"),
                &endpoints::branches::delete(project, name),
            )
            .await
    }

    /// Makes a label of a project.
    ///
    /// # Errors
    /// `Conflict` when the project or a group above has one of that name.
    pub async fn create_project_label(&self, project: ProjectId, label: &NewLabel) -> Result<Label, GitLabError> {
        let operation = Operation::writes("project_labels.create");
        let endpoint = projects::labels::CreateLabel::builder()
            .project(project.0)
            .name(label.name.as_str())
            .color(label.color.as_str())
            .description(label.description.as_str())
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Makes a label of a group, for all its projects.
    ///
    /// # Errors
    /// `Conflict` when the group or one above has one of that name.
    pub async fn create_group_label(&self, group: GroupId, label: &NewLabel) -> Result<Label, GitLabError> {
        let endpoint = endpoints::groups::create_label(group, &label.name, &label.color, label.description.as_str());
        self.client
            .ask(Operation::writes("group_labels.create"), &endpoint)
            .await
    }

    /// Makes a board. GitLab makes a second one of the same name without a word.
    ///
    /// # Errors
    /// `Forbidden` without the role.
    pub async fn create_board(&self, project: ProjectId, name: &PlainLine) -> Result<Board, GitLabError> {
        let endpoint = endpoints::boards::create(project, name.as_str());
        self.client.ask(Operation::writes("boards.create"), &endpoint).await
    }

    /// Adds a list for a label at the right end of a board.
    ///
    /// # Errors
    /// `Taken` when the board has a list for that label.
    pub async fn create_board_list(
        &self,
        project: ProjectId,
        board: BoardId,
        label: LabelId,
    ) -> Result<BoardList, GitLabError> {
        let endpoint = endpoints::boards::create_list(project, board, label);
        self.client
            .ask(Operation::writes("board_lists.create"), &endpoint)
            .await
    }

    /// Moves a list of a board to a place from the left, from 0.
    ///
    /// # Errors
    /// `NotFound` when the list is gone.
    pub async fn update_board_list(
        &self,
        project: ProjectId,
        board: BoardId,
        list: BoardListId,
        position: u64,
    ) -> Result<(), GitLabError> {
        let endpoint = endpoints::boards::move_list(project, board, list, position);
        self.client
            .tell(Operation::writes("board_lists.update"), &endpoint)
            .await
    }

    /// Makes a user a direct member of a project.
    ///
    /// # Errors
    /// `Conflict` when they are one; `Invalid` when they inherit a higher role; `NotFound` when there is no such user.
    pub async fn add_member(
        &self,
        project: ProjectId,
        user: UserId,
        level: AccessLevel,
    ) -> Result<Member, GitLabError> {
        let operation = Operation::writes("project_members.create");
        self.client
            .ask(operation, &endpoints::members::add(project, user, level))
            .await
    }

    /// Opens an issue.
    ///
    /// # Errors
    /// As every write.
    pub async fn create_issue(&self, project: ProjectId, issue: &NewIssue) -> Result<Issue, GitLabError> {
        let operation = Operation::writes("issues.create");
        let mut builder = projects::issues::CreateIssue::builder();
        builder
            .project(project.0)
            .title(issue.title.as_str())
            .description(issue.description.as_str());
        if issue.confidential {
            builder.confidential(true);
        }
        if !issue.labels.is_empty() {
            builder.labels(issue.labels.iter().map(String::as_str));
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Changes an issue.
    ///
    /// # Errors
    /// As every write.
    pub async fn update_issue(
        &self,
        project: ProjectId,
        issue: IssueIid,
        change: &IssueChange,
    ) -> Result<Issue, GitLabError> {
        use projects::issues::IssueStateEvent::{Close, Reopen};
        let operation = Operation::writes("issues.update");
        let mut builder = projects::issues::EditIssue::builder();
        builder.project(project.0).issue(issue.0);
        if let Some(title) = &change.title {
            builder.title(title.as_str());
        }
        if let Some(description) = &change.description {
            builder.description(description.as_str());
        }
        for label in &change.add_labels {
            builder.add_label(label);
        }
        for label in &change.remove_labels {
            builder.remove_label(label);
        }
        if let Some(open) = change.open {
            builder.state_event(if open { Reopen } else { Close });
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Writes a note to an issue.
    ///
    /// # Errors
    /// `Forbidden` when the discussion is locked or the project archived.
    pub async fn create_note(
        &self,
        project: ProjectId,
        issue: IssueIid,
        body: &Markdown,
    ) -> Result<CreatedNote, GitLabError> {
        let operation = Operation::writes("notes.create").counted_as(Quota::Notes);
        let endpoint = projects::issues::notes::CreateIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .body(body.as_str())
            .build();
        self.new_note(operation, built(operation, endpoint)?).await
    }

    /// Writes a note to a merge request.
    ///
    /// # Errors
    /// `Forbidden` when the discussion is locked or the project archived.
    pub async fn create_merge_request_note(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
        body: &Markdown,
    ) -> Result<CreatedNote, GitLabError> {
        let operation = Operation::writes("merge_request_notes.create").counted_as(Quota::Notes);
        let endpoint = projects::merge_requests::notes::CreateMergeRequestNote::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .body(body.as_str())
            .build();
        self.new_note(operation, built(operation, endpoint)?).await
    }

    async fn new_note(&self, operation: Operation, endpoint: impl Endpoint + Sync) -> Result<CreatedNote, GitLabError> {
        let answer = self.client.raw(operation, &endpoint, &[]).await?;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(CreatedNote::OnlyCommands);
        }
        answer::read(operation, &answer).map(CreatedNote::Note)
    }

    /// Replaces the text of a note of ours.
    ///
    /// # Errors
    /// `NotFound` when it was deleted.
    pub async fn update_note(
        &self,
        project: ProjectId,
        issue: IssueIid,
        note: NoteId,
        body: &Markdown,
    ) -> Result<Note, GitLabError> {
        let operation = Operation::writes("notes.update");
        let endpoint = projects::issues::notes::EditIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .note(note.0)
            .body(body.as_str())
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Removes a note of ours.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    pub async fn delete_note(&self, project: ProjectId, issue: IssueIid, note: NoteId) -> Result<(), GitLabError> {
        let operation = Operation::writes("notes.delete");
        let endpoint = projects::issues::notes::DeleteIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .note(note.0)
            .build();
        self.client.tell(operation, &built(operation, endpoint)?).await
    }

    /// Opens a merge request inside one project.
    ///
    /// # Errors
    /// `Conflict` with the other's number when one is open for the same two branches.
    pub async fn create_merge_request(
        &self,
        project: ProjectId,
        wanted: &NewMergeRequest,
    ) -> Result<MergeRequest, GitLabError> {
        let operation = Operation::writes("merge_requests.create");
        let mut builder = projects::merge_requests::CreateMergeRequest::builder();
        builder
            .project(project.0)
            .source_branch(wanted.source_branch.as_str())
            .target_branch(wanted.target_branch.as_str())
            .title(wanted.title.as_str())
            .description(wanted.description.as_str());
        if !wanted.labels.is_empty() {
            builder.labels(wanted.labels.iter().map(String::as_str));
        }
        if !wanted.reviewers.is_empty() {
            builder.reviewers(wanted.reviewers.iter().map(|user| user.0));
        }
        if !wanted.assignees.is_empty() {
            builder.assignees(wanted.assignees.iter().map(|user| user.0));
        }
        if let Some(remove) = wanted.remove_source_branch {
            builder.remove_source_branch(remove);
        }
        if let Some(squash) = wanted.squash {
            builder.squash(squash);
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Changes a merge request.
    ///
    /// # Errors
    /// `Conflict` or `Invalid` when it cannot be reopened (branch gone, another one open).
    pub async fn update_merge_request(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
        change: &MergeRequestChange,
    ) -> Result<MergeRequest, GitLabError> {
        use projects::merge_requests::MergeRequestStateEvent::{Close, Reopen};
        let operation = Operation::writes("merge_requests.update");
        let mut builder = projects::merge_requests::EditMergeRequest::builder();
        builder.project(project.0).merge_request(merge_request.0);
        if let Some(title) = &change.title {
            builder.title(title.as_str());
        }
        if let Some(description) = &change.description {
            builder.description(description.as_str());
        }
        for label in &change.add_labels {
            builder.add_label(label);
        }
        for label in &change.remove_labels {
            builder.remove_label(label);
        }
        if let Some(open) = change.open {
            builder.state_event(if open { Reopen } else { Close });
        }
        match change.reviewers.as_deref() {
            None => {}
            Some([]) => {
                builder.without_reviewer();
            }
            Some(reviewers) => {
                builder.reviewers(reviewers.iter().map(|user| user.0));
            }
        }
        if let Some(branch) = &change.target_branch {
            builder.target_branch(branch.as_str());
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Makes a webhook. GitLab makes a second one for the same address without a word.
    ///
    /// # Errors
    /// `Invalid` when GitLab does not accept the address (local networks, unless an administrator allows them).
    pub async fn create_hook(&self, owner: HookOwner, hook: &NewHook) -> Result<Hook, GitLabError> {
        self.client
            .ask(
                Operation::writes("hooks.create"),
                &endpoints::hooks::create(owner, hook),
            )
            .await
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `NotFound` when it is gone.
    pub async fn update_hook(&self, owner: HookOwner, id: HookId, hook: &NewHook) -> Result<Hook, GitLabError> {
        self.client
            .ask(
                Operation::writes("hooks.update"),
                &endpoints::hooks::update(owner, id, hook),
            )
            .await
    }

    /// Removes a webhook.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    pub async fn delete_hook(&self, owner: HookOwner, id: HookId) -> Result<(), GitLabError> {
        self.client
            .tell(Operation::writes("hooks.delete"), &endpoints::hooks::delete(owner, id))
            .await
    }

    /// Makes GitLab send one delivery of a trigger such as `push_events`; a success also enables a disabled hook again.
    ///
    /// # Errors
    /// `Invalid` when the project has nothing to send, or our answer to the delivery was no success.
    pub async fn test_hook(&self, owner: HookOwner, id: HookId, trigger: &str) -> Result<(), GitLabError> {
        self.client
            .tell(
                Operation::writes("hooks.test"),
                &endpoints::hooks::test(owner, id, trigger),
            )
            .await
    }
}

fn built<E: Endpoint, B: std::fmt::Display>(operation: Operation, endpoint: Result<E, B>) -> Result<E, GitLabError> {
    endpoint.map_err(|error| unbuildable(operation)(error.to_string()))
}
