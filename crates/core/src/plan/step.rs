//! One step: a whole sentence with all its ids and bytes, so that whoever carries it out has nothing to choose.

use std::fmt;

use url::Url;

use crate::approval::Acceptance;
use crate::escape::{CommitMessage, Markdown, PlainLine, ProjectName, Title};
use crate::ids::{
    AccessLevel, BoardId, CommitSha, GroupId, HookId, IssueIid, LabelId, MergeRequestIid, NoteId, ProjectId, UserId,
    Username,
};
use crate::program::Visibility;
use crate::slug::Slug;

/// Kind of the step that proposes to take a row out; the journal counts it.
pub const REMOVAL: &str = "propose_removal";

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Keep the accepted text (in our own store).
    RecordAcceptance(Acceptance),
    /// Comment on an issue.
    CreateNote {
        /// The issue's project.
        project: ProjectId,
        /// The issue.
        issue: IssueIid,
        /// The comment.
        body: Markdown,
    },
    /// Edit our comment in place.
    UpdateNote {
        /// The issue's project.
        project: ProjectId,
        /// The issue.
        issue: IssueIid,
        /// Our comment.
        note: NoteId,
        /// Its new text.
        body: Markdown,
    },
    /// Remove our own comment that an answer lost on the way made twice.
    DeleteOwnNote {
        /// The issue's project.
        project: ProjectId,
        /// The issue.
        issue: IssueIid,
        /// The superfluous comment, written by us.
        note: NoteId,
    },
    /// Set the state label, and close the issue.
    SetIssueState {
        /// The issue's project.
        project: ProjectId,
        /// The issue.
        issue: IssueIid,
        /// Label to add, if it is missing.
        add: Option<&'static str>,
        /// Labels to take away.
        remove: Vec<&'static str>,
        /// Close it.
        close: bool,
    },
    /// Make the community's project.
    CreateProject {
        /// The group.
        group: GroupId,
        /// The display name.
        name: ProjectName,
        /// The path.
        slug: Slug,
        /// The description.
        description: PlainLine,
        /// Who sees it.
        visibility: Visibility,
    },
    /// Commit files.
    Commit {
        /// The project.
        project: ProjectId,
        /// The branch.
        branch: String,
        /// Start the branch here; `None`: the branch exists, or the repository is empty.
        start: Option<String>,
        /// Make the branch anew, which is ours, as long as this is its newest commit.
        replaces: Option<CommitSha>,
        /// The message.
        message: CommitMessage,
        /// The files.
        files: Vec<FileChange>,
    },
    /// Make a label.
    CreateLabel {
        /// The project.
        project: ProjectId,
        /// Its name, from the templates.
        name: String,
        /// Its colour, `#RRGGBB`.
        color: String,
        /// Its description, from the templates.
        description: String,
    },
    /// Make a label that every project of the group has.
    CreateGroupLabel {
        /// The group.
        group: GroupId,
        /// Its name.
        name: String,
        /// Its colour, `#RRGGBB`.
        color: String,
        /// Its description.
        description: String,
    },
    /// Make a webhook; whoever carries this out adds the secret.
    CreateHook {
        /// Whose events it tells.
        scope: HookScope,
        /// Where it sends to.
        url: Url,
    },
    /// Renew a webhook of ours: it tells everything that we listen to, carries the secret of the settings, and is enabled.
    UpdateHook {
        /// Whose events it tells.
        scope: HookScope,
        /// The hook.
        hook: HookId,
        /// Where it sends to.
        url: Url,
    },
    /// Take back a webhook that we made.
    DeleteHook {
        /// Whose events it told.
        scope: HookScope,
        /// The hook.
        hook: HookId,
    },
    /// Take back a label that we made and nobody uses.
    DeleteLabel {
        /// Whose label it is.
        scope: HookScope,
        /// Its name.
        name: String,
    },
    /// Make GitLab send one delivery, to see whether it arrives.
    TestHook {
        /// Whose hook it is.
        scope: HookScope,
        /// The hook.
        hook: HookId,
    },
    /// Keep which accounts these names belong to (in our own store).
    RememberPeople(Vec<(Username, UserId)>),
    /// Make the issue board.
    CreateBoard {
        /// The project.
        project: ProjectId,
        /// Its name, from the templates.
        name: String,
    },
    /// Add a list to the board.
    CreateBoardList {
        /// The project.
        project: ProjectId,
        /// The board.
        board: BoardId,
        /// The label whose issues it shows.
        label: LabelId,
        /// Whether the label belongs to a group above the project.
        of_group: bool,
        /// The label's name, for the report.
        name: String,
    },
    /// Add a member.
    AddMember {
        /// The project.
        project: ProjectId,
        /// Who.
        user: UserId,
        /// Their name, for the report.
        username: Username,
        /// With which role.
        level: AccessLevel,
    },
    /// Open an issue in the community's project.
    CreateIssue {
        /// The project.
        project: ProjectId,
        /// Its title.
        title: Title,
        /// Its description, with our marker.
        description: Markdown,
        /// Only for members.
        confidential: bool,
    },
    /// Say in an issue of ours what is true now; open or close it.
    UpdateIssue {
        /// The project.
        project: ProjectId,
        /// The issue, opened by us.
        issue: IssueIid,
        /// Its new title; `None`: as it is.
        title: Option<Title>,
        /// Its new description, with our marker.
        description: Markdown,
        /// Reopen (`true`) or close (`false`) it.
        open: Option<bool>,
    },
    /// Open a merge request.
    CreateMergeRequest {
        /// The handbook's project.
        project: ProjectId,
        /// Our branch.
        source: String,
        /// The target branch.
        target: String,
        /// Its title.
        title: Title,
        /// Its description, with our marker.
        description: Markdown,
        /// What else it is opened with.
        opening: Opening,
        /// Whether it takes a row out: these are counted, and there is a limit.
        removes_row: bool,
    },
    /// Say in the merge request what is true now.
    UpdateMergeRequest {
        /// The handbook's project.
        project: ProjectId,
        /// The merge request, opened by us.
        merge_request: MergeRequestIid,
        /// Its new title; `None`: as it is.
        title: Option<Title>,
        /// Its new description.
        description: Markdown,
        /// Whether it takes a row out from now on, and did not before: counted by the brakes like a new one.
        removes_row: bool,
    },
    /// Comment on a merge request.
    CommentOnMergeRequest {
        /// The handbook's project.
        project: ProjectId,
        /// The merge request.
        merge_request: MergeRequestIid,
        /// The comment.
        body: Markdown,
    },
    /// Close the merge request: it is no longer needed.
    CloseMergeRequest {
        /// The handbook's project.
        project: ProjectId,
        /// The merge request, opened by us.
        merge_request: MergeRequestIid,
        /// Why, as its new description.
        description: Markdown,
    },
}

/// What a merge request is opened with, beside its words; people may change all of it afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Its labels, from the settings.
    pub labels: Vec<String>,
    /// Who is asked to review.
    pub reviewers: Vec<UserId>,
    /// Who is assigned.
    pub assignees: Vec<UserId>,
    /// Whether commits are squashed; `None`: as the project says.
    pub squash: Option<bool>,
    /// Whether the branch goes with the merge; `None`: as the project says.
    pub remove_source_branch: Option<bool>,
}

/// Whose events a webhook tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookScope {
    /// All projects of the group (Premium and above).
    Group(GroupId),
    /// One project.
    Project(ProjectId),
}

impl HookScope {
    /// The place of this text, as [`fmt::Display`] writes it; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(' ')?;
        let id = id.parse().ok()?;
        match kind {
            "group" => Some(Self::Group(GroupId(id))),
            "project" => Some(Self::Project(ProjectId(id))),
            _ => None,
        }
    }
}

impl fmt::Display for HookScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(id) => write!(f, "group {id}"),
            Self::Project(id) => write!(f, "project {id}"),
        }
    }
}

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// A file that is not there yet.
    Create {
        /// Its path.
        path: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// A file that is there.
    Update {
        /// Its path.
        path: String,
        /// Its new bytes.
        content: Vec<u8>,
        /// The last commit that touched it: if another has since, GitLab refuses.
        last_commit: Option<CommitSha>,
    },
    /// A file that goes.
    Delete {
        /// Its path.
        path: String,
        /// The last commit that touched it: if another has since, GitLab refuses.
        last_commit: Option<CommitSha>,
    },
}

impl Step {
    /// Whether nobody but the thing that it is for depends on it: what is said on a proposal, and what a project is furnished with.
    /// Others need not wait until it is done.
    #[must_use]
    pub fn concerns_nobody_else(&self) -> bool {
        let furnishes = matches!(
            self,
            Self::CreateLabel { .. } | Self::CreateBoard { .. } | Self::CreateBoardList { .. } | Self::AddMember { .. }
        );
        furnishes || self.is_talk()
    }

    /// Whether it carries people's text to a place that more people may see than where it was written. Just before such a
    /// step it is looked up once more whether the text may be told.
    #[must_use]
    pub fn tells(&self) -> bool {
        matches!(
            self,
            Self::CreateProject { .. }
                | Self::Commit { .. }
                | Self::CreateIssue { .. }
                | Self::UpdateIssue { .. }
                | Self::CreateMergeRequest { .. }
                | Self::UpdateMergeRequest { .. }
                | Self::CommentOnMergeRequest { .. }
                | Self::CloseMergeRequest { .. }
        )
    }

    /// Whether it only tells people in an issue how things stand, so that nobody else's look waits for it.
    #[must_use]
    pub fn is_talk(&self) -> bool {
        matches!(
            self,
            Self::CreateNote { .. }
                | Self::UpdateNote { .. }
                | Self::DeleteOwnNote { .. }
                | Self::SetIssueState { close: false, .. }
        )
    }

    /// The step's kind as a stable word, for the journal and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RecordAcceptance(_) => "record_acceptance",
            Self::CreateNote { .. } => "create_note",
            Self::UpdateNote { .. } => "update_note",
            Self::DeleteOwnNote { .. } => "delete_own_note",
            Self::SetIssueState { .. } => "set_issue_state",
            Self::CreateProject { .. } => "create_project",
            Self::Commit { .. } => "commit",
            Self::CreateLabel { .. } => "create_label",
            Self::CreateGroupLabel { .. } => "create_group_label",
            Self::CreateHook { .. } => "create_hook",
            Self::UpdateHook { .. } => "update_hook",
            Self::DeleteHook { .. } => "delete_hook",
            Self::DeleteLabel { .. } => "delete_label",
            Self::TestHook { .. } => "test_hook",
            Self::RememberPeople(_) => "remember_people",
            Self::CreateBoard { .. } => "create_board",
            Self::CreateBoardList { .. } => "create_board_list",
            Self::AddMember { .. } => "add_member",
            Self::CreateIssue { .. } => "create_issue",
            Self::UpdateIssue { .. } => "update_issue",
            Self::CreateMergeRequest { removes_row: true, .. } | Self::UpdateMergeRequest { removes_row: true, .. } => {
                REMOVAL
            }
            Self::CreateMergeRequest { .. } => "create_merge_request",
            Self::UpdateMergeRequest { .. } => "update_merge_request",
            Self::CommentOnMergeRequest { .. } => "comment_on_merge_request",
            Self::CloseMergeRequest { .. } => "close_merge_request",
        }
    }
}

impl fmt::Display for Step {
    /// The one wording of the step; the command line, the journal and the log build on it. Holds no text of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordAcceptance(_) => f.write_str("keep the accepted text of the proposal"),
            Self::CreateNote { issue, .. } => write!(f, "comment on issue {issue}"),
            Self::UpdateNote { issue, .. } => write!(f, "update the comment on issue {issue}"),
            Self::DeleteOwnNote { issue, .. } => write!(f, "remove our doubled comment on issue {issue}"),
            Self::SetIssueState {
                issue,
                add,
                remove,
                close,
                ..
            } => issue_state(f, *issue, *add, remove, *close),
            Self::CreateProject { slug, visibility, .. } => {
                write!(f, "create the {} project {slug}", visibility.as_str())
            }
            Self::Commit {
                project,
                branch,
                start,
                replaces,
                files,
                ..
            } => {
                let verb = if replaces.is_some() {
                    "rebuild branch"
                } else {
                    "commit to branch"
                };
                let plural = if files.len() == 1 { "file" } else { "files" };
                write!(f, "{verb} {branch} of project {project} ({} {plural})", files.len())?;
                start
                    .as_ref()
                    .map_or(Ok(()), |start| write!(f, ", starting from {start}"))
            }
            Self::CreateLabel { project, name, .. } => write!(f, "create label {name} in project {project}"),
            Self::CreateGroupLabel { group, name, .. } => write!(f, "create label {name} in group {group}"),
            Self::CreateHook { scope, url } => write!(f, "create a webhook of {scope} to {url}"),
            Self::UpdateHook { scope, hook, .. } => write!(f, "renew webhook {hook} of {scope}"),
            Self::DeleteHook { scope, hook } => write!(f, "remove webhook {hook} of {scope}"),
            Self::DeleteLabel { scope, name } => write!(f, "remove label {name} of {scope}"),
            Self::TestHook { scope, hook } => write!(f, "test webhook {hook} of {scope}"),
            Self::RememberPeople(people) => write!(f, "remember the accounts of {} facilitators", people.len()),
            Self::CreateBoard { project, name, .. } => write!(f, "create board {name} in project {project}"),
            Self::CreateBoardList { board, name, .. } => write!(f, "add list {name} to board {board}"),
            Self::AddMember {
                project,
                username,
                level,
                ..
            } => {
                write!(f, "add {} to project {project} as {level}", username.as_str())
            }
            Self::CreateIssue { project, title, .. } => {
                write!(f, "open issue \u{201c}{}\u{201d} in project {project}", title.as_str())
            }
            Self::UpdateIssue {
                project, issue, open, ..
            } => {
                let what = match open {
                    None => "update",
                    Some(true) => "reopen",
                    Some(false) => "close",
                };
                write!(f, "{what} issue {issue} in project {project}")
            }
            Self::CreateMergeRequest { source, target, .. } => {
                write!(f, "open a merge request from {source} into {target}")
            }
            Self::UpdateMergeRequest { merge_request, .. } => write!(f, "update merge request {merge_request}"),
            Self::CommentOnMergeRequest { merge_request, .. } => write!(f, "comment on merge request {merge_request}"),
            Self::CloseMergeRequest { merge_request, .. } => write!(f, "close merge request {merge_request}"),
        }
    }
}

fn issue_state(
    f: &mut fmt::Formatter<'_>,
    issue: IssueIid,
    add: Option<&str>,
    remove: &[&str],
    close: bool,
) -> fmt::Result {
    let mut parts = Vec::new();
    parts.extend(add.map(|label| format!("add label {label}")));
    parts.extend(remove.iter().map(|label| format!("remove label {label}")));
    parts.extend(close.then(|| "close it".to_owned()));
    write!(f, "issue {issue}: {}", parts.join(", "))
}
