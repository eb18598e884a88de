//! What only looks: everything that the service observes comes through here.
//!
//! A `None` means that GitLab says the thing is not there for us, while the project or group around it is; when that
//! cannot be told from "you may not see it", the answer is an error. Lists are whole or an error.

use std::borrow::Cow;

use convenor_core::ids::{BoardId, CommitSha, GroupId, IssueIid, MergeRequestIid, ProjectId, UserId, Username};
use gitlab::api::common::NameOrId;
use gitlab::api::endpoint_prelude::Endpoint;
use gitlab::api::{groups, personal_access_tokens, projects, users};
use jiff::Timestamp;

use super::answer;
use super::client::{Client, server_date};
use super::endpoints::{self, hooks::HookOwner};
use super::error::GitLabError;
use super::operation::Operation;
use super::query::{Total, unbuildable};
use super::stats::CallStats;
use super::wire::{
    Board, BoardList, Branch, Commit, Comparison, CurrentUser, Group, Hook, HookEvent, Issue, Label, LabelEvent,
    Member, MergeRequest, Note, Project, RepositoryFile, TokenSelf, User, Version, WireFile,
};

/// Names a project: by its id, which never changes, or by its full path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectRef<'a> {
    /// Global id.
    Id(ProjectId),
    /// Full path, such as `group/subgroup/project`.
    Path(&'a str),
}

impl From<ProjectId> for ProjectRef<'_> {
    fn from(id: ProjectId) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a str> for ProjectRef<'a> {
    fn from(path: &'a str) -> Self {
        Self::Path(path)
    }
}

impl<'a> From<&'a String> for ProjectRef<'a> {
    fn from(path: &'a String) -> Self {
        Self::Path(path)
    }
}

/// Names a group: by its id, which never changes, or by its full path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRef<'a> {
    /// Global id.
    Id(GroupId),
    /// Full path.
    Path(&'a str),
}

impl From<GroupId> for GroupRef<'_> {
    fn from(id: GroupId) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a str> for GroupRef<'a> {
    fn from(path: &'a str) -> Self {
        Self::Path(path)
    }
}

impl<'a> From<&'a String> for GroupRef<'a> {
    fn from(path: &'a String) -> Self {
        Self::Path(path)
    }
}

/// Which issues of a project; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// Only issues that have all of these labels.
    pub labels: Vec<String>,
    /// Only open or only closed ones; `None`: both.
    pub open: Option<bool>,
    /// Only those of one author.
    pub author: Option<UserId>,
    /// Only those changed at or after this time.
    pub updated_after: Option<Timestamp>,
    /// Only these.
    pub iids: Vec<IssueIid>,
}

/// Which merge requests of a project; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeRequestFilter {
    /// Only those of this branch.
    pub source_branch: Option<String>,
    /// Only those into this branch.
    pub target_branch: Option<String>,
    /// Only those in this state; `None`: all.
    pub state: Option<MergeRequestStateFilter>,
    /// Only those that have all of these labels.
    pub labels: Vec<String>,
    /// Only those of one author.
    pub author: Option<UserId>,
}

/// A state to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRequestStateFilter {
    /// Open.
    Opened,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

/// A cheap clone that can look at everything the token may see, and change nothing.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The calls made so far, the writer's of the same client included.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        self.client.stats()
    }

    /// The user that the token belongs to.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not valid.
    pub async fn current_user(&self) -> Result<CurrentUser, GitLabError> {
        let operation = Operation::reads("user.get");
        let endpoint = built(operation, users::CurrentUser::builder().build())?;
        self.client.ask(operation, &endpoint).await
    }

    /// The token's scopes and end; `None` for tokens that may not read themselves (GitLab answers 403 or 404).
    ///
    /// # Errors
    /// All but 403 and 404.
    pub async fn token_self(&self) -> Result<Option<TokenSelf>, GitLabError> {
        let operation = Operation::reads("token.get");
        let endpoint = built(
            operation,
            personal_access_tokens::PersonalAccessTokenSelf::builder().build(),
        )?;
        match self.client.ask(operation, &endpoint).await {
            Err(
                GitLabError::NotFound { .. } | GitLabError::Forbidden { .. } | GitLabError::InsufficientScope { .. },
            ) => Ok(None),
            other => other.map(Some),
        }
    }

    /// GitLab's version and clock.
    ///
    /// # Errors
    /// As every call.
    pub async fn version(&self) -> Result<Version, GitLabError> {
        let operation = Operation::reads("version.get");
        let answer = self
            .client
            .raw(operation, &endpoints::Plain::get("version".to_owned()), &[])
            .await?;
        let version: Version = answer::read(operation, &answer)?;
        Ok(Version {
            server_date: server_date(&answer),
            ..version
        })
    }

    /// A group.
    ///
    /// # Errors
    /// `NotFound` when it does not exist or the token may not see it.
    pub async fn group(&self, group: impl Into<GroupRef<'_>> + Send) -> Result<Group, GitLabError> {
        let operation = Operation::reads("groups.get");
        let group = match group.into() {
            GroupRef::Id(id) => NameOrId::Id(id.0),
            GroupRef::Path(path) => NameOrId::from(path),
        };
        match self.client.ask(operation, &endpoints::groups::get(&group)).await {
            Err(moved @ GitLabError::Moved { .. }) => {
                let id = self.moved_to(&moved, "groups/").ok_or(moved)?;
                self.client
                    .ask(operation, &endpoints::groups::get(&NameOrId::Id(id)))
                    .await
            }
            other => other,
        }
    }

    /// All projects that are in the group itself: archived ones and ones marked for deletion too, none of subgroups
    /// and none that are only shared into it.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_projects(&self, group: GroupId) -> Result<Vec<Project>, GitLabError> {
        let operation = Operation::reads("groups.projects");
        let endpoint = groups::projects::GroupProjects::builder()
            .group(group.0)
            .with_shared(false)
            .include_subgroups(false)
            .order_by(groups::projects::GroupProjectsOrderBy::Id)
            .sort(gitlab::api::common::SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |project: &Project| {
                project.id.0
            })
            .await
    }

    /// A project; `None` when there is none of that id or path, or the token may not see it (GitLab does not tell
    /// which). A renamed project is found by its old path, under its new one.
    ///
    /// # Errors
    /// All but 404.
    pub async fn project(&self, project: impl Into<ProjectRef<'_>> + Send) -> Result<Option<Project>, GitLabError> {
        let operation = Operation::reads("projects.get");
        let project = match project.into() {
            ProjectRef::Id(id) => NameOrId::Id(id.0),
            ProjectRef::Path(path) => NameOrId::from(path),
        };
        let found = match self.project_once(operation, project).await {
            Err(moved @ GitLabError::Moved { .. }) => {
                let id = self.moved_to(&moved, "projects/").ok_or(moved)?;
                self.project_once(operation, NameOrId::Id(id)).await
            }
            other => other,
        };
        match found {
            Err(GitLabError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    async fn project_once(&self, operation: Operation, project: NameOrId<'_>) -> Result<Project, GitLabError> {
        let endpoint = built(operation, projects::Project::builder().project(project).build())?;
        self.client.ask(operation, &endpoint).await
    }

    /// An issue; `None` when it was deleted, moved away or is confidential and not for us.
    ///
    /// # Errors
    /// `NotFound` when the project itself is not visible.
    pub async fn issue(&self, project: ProjectId, issue: IssueIid) -> Result<Option<Issue>, GitLabError> {
        let operation = Operation::reads("issues.get");
        let endpoint = projects::issues::Issue::builder()
            .project(project.0)
            .issue(issue.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// The issues that the filter lets through, oldest first.
    ///
    /// # Errors
    /// As every list.
    pub async fn issues(&self, project: ProjectId, filter: &IssueFilter) -> Result<Vec<Issue>, GitLabError> {
        let operation = Operation::reads("issues.list");
        let mut builder = projects::issues::Issues::builder();
        builder
            .project(project.0)
            .order_by(projects::issues::IssueOrderBy::CreatedAt)
            .sort(gitlab::api::common::SortOrder::Ascending);
        if !filter.labels.is_empty() {
            builder.labels(filter.labels.iter().map(String::as_str));
        }
        if let Some(open) = filter.open {
            let state = if open {
                projects::issues::IssueState::Opened
            } else {
                projects::issues::IssueState::Closed
            };
            builder.state(state);
        }
        if let Some(author) = filter.author {
            builder.author(author.0);
        }
        builder.iids(filter.iids.iter().map(|iid| iid.0));
        let endpoint = built(operation, builder.build())?;
        let since = filter
            .updated_after
            .map(|time| ("updated_after", Cow::Owned(time.to_string())));
        let extra: Vec<(&str, Cow<'_, str>)> = since.into_iter().collect();
        self.client
            .list(operation, &endpoint, &extra, Total::Exact, |issue: &Issue| issue.id)
            .await
    }

    /// All notes of an issue, GitLab's own among them, oldest first.
    ///
    /// # Errors
    /// `NotFound` when the issue or its project is not visible.
    pub async fn notes(&self, project: ProjectId, issue: IssueIid) -> Result<Vec<Note>, GitLabError> {
        let operation = Operation::reads("notes.list");
        let endpoint = projects::issues::notes::IssueNotes::builder()
            .project(project.0)
            .issue(issue.0)
            .order_by(projects::issues::notes::NoteOrderBy::CreatedAt)
            .sort(gitlab::api::common::SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::CountsHidden, |note: &Note| note.id.0)
            .await
    }

    /// All notes of a merge request, GitLab's own among them, oldest first.
    ///
    /// # Errors
    /// `NotFound` when the merge request or its project is not visible.
    pub async fn merge_request_notes(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
    ) -> Result<Vec<Note>, GitLabError> {
        let operation = Operation::reads("merge_request_notes.list");
        let endpoint = projects::merge_requests::notes::MergeRequestNotes::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .order_by(projects::merge_requests::notes::NoteOrderBy::CreatedAt)
            .sort(gitlab::api::common::SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::CountsHidden, |note: &Note| note.id.0)
            .await
    }

    /// Who put labels on an issue and took them off, in the order of their ids; empty when GitLab shows none (404).
    ///
    /// # Errors
    /// All but 404: an absent event never counts for anything, so an unseen one does no harm.
    pub async fn label_events(&self, project: ProjectId, issue: IssueIid) -> Result<Vec<LabelEvent>, GitLabError> {
        let operation = Operation::reads("label_events.list");
        let endpoint = projects::issues::IssueResourceLabelEvents::builder()
            .project(project.0)
            .issue(issue.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        let key = |event: &LabelEvent| event.id;
        match self
            .client
            .list(operation, &endpoint, &[], Total::CountsHidden, key)
            .await
        {
            Err(GitLabError::NotFound { .. }) => Ok(Vec::new()),
            Ok(mut events) => {
                events.sort_by_key(key);
                Ok(events)
            }
            Err(other) => Err(other),
        }
    }

    /// The user of that name, blocked ones too; `None` when there is none.
    ///
    /// # Errors
    /// As every call.
    pub async fn user_by_username(&self, username: &Username) -> Result<Option<User>, GitLabError> {
        let operation = Operation::reads("users.by_name");
        let endpoint = built(operation, users::Users::builder().username(username.as_str()).build())?;
        let found: Vec<User> = self.client.ask(operation, &endpoint).await?;
        Ok(found.into_iter().find(|user| user.username == *username))
    }

    /// The user of that id; `None` when the account is gone.
    ///
    /// # Errors
    /// All but 404.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, GitLabError> {
        let operation = Operation::reads("users.get");
        let endpoint = built(operation, users::User::builder().user(user.0).build())?;
        match self.client.ask(operation, &endpoint).await {
            Err(GitLabError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What a user is in a group, directly or through a group above; `None`: no member.
    ///
    /// # Errors
    /// `NotFound` when the group itself is not visible.
    pub async fn group_member(&self, group: GroupId, user: UserId) -> Result<Option<Member>, GitLabError> {
        let operation = Operation::reads("group_members.get");
        match self
            .client
            .ask(operation, &endpoints::groups::member(group, user))
            .await
        {
            Err(GitLabError::NotFound { message, .. }) if message.contain("404 Group Not Found") => {
                Err(GitLabError::NotFound {
                    call: operation.name,
                    message,
                })
            }
            // `{"error":"404 Not Found"}` is also what a GitLab without this route says; the list tells for certain.
            Err(GitLabError::NotFound { .. }) => self.group_member_from_list(group, user).await,
            other => other.map(Some),
        }
    }

    async fn group_member_from_list(&self, group: GroupId, user: UserId) -> Result<Option<Member>, GitLabError> {
        let operation = Operation::reads("group_members.list");
        let endpoint = groups::members::AllGroupMembers::builder()
            .group(group.0)
            .user_id(user.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        let key = |member: &Member| member.id.0;
        let members = self.client.list(operation, &endpoint, &[], Total::Exact, key).await?;
        Ok(members.into_iter().find(|member| member.id == user))
    }

    /// All members of a project, inherited ones too, each with the highest role.
    ///
    /// # Errors
    /// As every list.
    pub async fn project_members_all(&self, project: ProjectId) -> Result<Vec<Member>, GitLabError> {
        let operation = Operation::reads("project_members.list");
        let endpoint = built(
            operation,
            projects::members::AllProjectMembers::builder()
                .project(project.0)
                .build(),
        )?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |member: &Member| member.id.0)
            .await
    }

    /// All labels of a project, those of its groups too.
    ///
    /// # Errors
    /// As every list.
    pub async fn project_labels(&self, project: ProjectId) -> Result<Vec<Label>, GitLabError> {
        let operation = Operation::reads("project_labels.list");
        let endpoint = projects::labels::Labels::builder()
            .project(project.0)
            .include_ancestor_groups(true)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |label: &Label| label.id.0)
            .await
    }

    /// All labels of a group, those of the groups above too.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_labels(&self, group: GroupId) -> Result<Vec<Label>, GitLabError> {
        let operation = Operation::reads("group_labels.list");
        let endpoint = endpoints::groups::labels(group);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |label: &Label| label.id.0)
            .await
    }

    /// All boards of a project with their lists.
    ///
    /// # Errors
    /// As every list.
    pub async fn boards(&self, project: ProjectId) -> Result<Vec<Board>, GitLabError> {
        let operation = Operation::reads("boards.list");
        let endpoint = endpoints::boards::list(project);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |board: &Board| board.id.0)
            .await
    }

    /// The lists of one board from left to right.
    ///
    /// # Errors
    /// `NotFound` when the board is gone.
    pub async fn board_lists(&self, project: ProjectId, board: BoardId) -> Result<Vec<BoardList>, GitLabError> {
        let operation = Operation::reads("board_lists.list");
        let endpoint = endpoints::boards::lists(project, board);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |list: &BoardList| list.id.0)
            .await
    }

    /// A file as it is at a branch, tag or commit; `None` when the file or the ref does not exist (an empty repository
    /// has no refs).
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn file(&self, project: ProjectId, path: &str, at: &str) -> Result<Option<RepositoryFile>, GitLabError> {
        let operation = Operation::reads("files.get");
        let endpoint = projects::repository::files::File::builder()
            .project(project.0)
            .file_path(path)
            .ref_(at)
            .build();
        let endpoint = built(operation, endpoint)?;
        let found = self
            .present(project, self.client.ask::<WireFile>(operation, &endpoint).await)
            .await?;
        let undecodable = || GitLabError::Unreadable {
            call: operation.name,
            cause: super::error::Words::new("the content does not decode to the stated size"),
        };
        found.map(|file| file.decode().ok_or_else(undecodable)).transpose()
    }

    /// A branch; `None` when there is none of that name.
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn branch(&self, project: ProjectId, name: &str) -> Result<Option<Branch>, GitLabError> {
        let operation = Operation::reads("branches.get");
        let endpoint = projects::repository::branches::Branch::builder()
            .project(project.0)
            .branch(name)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// What `to` has that `from` has not, from their merge base on.
    ///
    /// # Errors
    /// `NotFound` when one of the two does not exist.
    pub async fn compare(&self, project: ProjectId, from: &str, to: &str) -> Result<Comparison, GitLabError> {
        let operation = Operation::reads("compare.get");
        let endpoint = projects::repository::commits::CompareCommits::builder()
            .project(project.0)
            .from(from)
            .to(to)
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// A commit by its id, or the head of a branch.
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn commit(&self, project: ProjectId, sha: &CommitSha) -> Result<Option<Commit>, GitLabError> {
        let operation = Operation::reads("commits.get");
        let endpoint = projects::repository::commits::Commit::builder()
            .project(project.0)
            .commit(sha.0.as_str())
            .stats(false)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// The merge requests that the filter lets through, oldest first. Their merge status may be stale.
    ///
    /// # Errors
    /// As every list.
    pub async fn merge_requests(
        &self,
        project: ProjectId,
        filter: &MergeRequestFilter,
    ) -> Result<Vec<MergeRequest>, GitLabError> {
        use projects::merge_requests::{MergeRequestOrderBy, MergeRequestState, MergeRequests};
        let operation = Operation::reads("merge_requests.list");
        let mut builder = MergeRequests::builder();
        builder
            .project(project.0)
            .order_by(MergeRequestOrderBy::CreatedAt)
            .sort(gitlab::api::common::SortOrder::Ascending);
        if let Some(branch) = &filter.source_branch {
            builder.source_branch(branch);
        }
        if let Some(branch) = &filter.target_branch {
            builder.target_branch(branch);
        }
        if let Some(state) = filter.state {
            builder.state(match state {
                MergeRequestStateFilter::Opened => MergeRequestState::Opened,
                MergeRequestStateFilter::Closed => MergeRequestState::Closed,
                MergeRequestStateFilter::Merged => MergeRequestState::Merged,
            });
        }
        if !filter.labels.is_empty() {
            builder.labels(filter.labels.iter().map(String::as_str));
        }
        if let Some(author) = filter.author {
            builder.author(author.0);
        }
        let endpoint = built(operation, builder.build())?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |found: &MergeRequest| found.id)
            .await
    }

    /// A merge request with its merge status, which GitLab starts to compute anew when this is called.
    ///
    /// # Errors
    /// `NotFound` when the project itself is not visible.
    pub async fn merge_request(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
    ) -> Result<Option<MergeRequest>, GitLabError> {
        let operation = Operation::reads("merge_requests.get");
        let endpoint = projects::merge_requests::MergeRequest::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// The webhooks of a group.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden` where the edition has no group hooks or the role does not suffice.
    pub async fn group_hooks(&self, group: GroupId) -> Result<Vec<Hook>, GitLabError> {
        self.hooks(Operation::reads("group_hooks.list"), HookOwner::Group(group))
            .await
    }

    /// The webhooks of a project.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden` when the role does not suffice.
    pub async fn project_hooks(&self, project: ProjectId) -> Result<Vec<Hook>, GitLabError> {
        self.hooks(Operation::reads("project_hooks.list"), HookOwner::Project(project))
            .await
    }

    async fn hooks(&self, operation: Operation, owner: HookOwner) -> Result<Vec<Hook>, GitLabError> {
        let endpoint = endpoints::hooks::list(owner);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |hook: &Hook| hook.id.0)
            .await
    }

    /// The newest deliveries of a hook (at most 100).
    ///
    /// # Errors
    /// `NotFound` when the hook is gone.
    pub async fn hook_events(
        &self,
        owner: HookOwner,
        hook: convenor_core::ids::HookId,
    ) -> Result<Vec<HookEvent>, GitLabError> {
        let operation = Operation::reads("hook_events.list");
        let endpoint = endpoints::hooks::events(owner, hook).with("per_page", "100");
        self.client.ask(operation, &endpoint).await
    }

    /// Turns "404" into `None` when the thing is absent, and keeps it an error when the project around it is.
    ///
    /// GitLab's words tell which in most cases; where they do not, the project is asked for.
    async fn present<T: Send>(
        &self,
        project: ProjectId,
        found: Result<T, GitLabError>,
    ) -> Result<Option<T>, GitLabError> {
        let absent = match found {
            Ok(thing) => return Ok(Some(thing)),
            Err(absent @ GitLabError::NotFound { .. }) => absent,
            Err(other) => return Err(other),
        };
        match tells(&absent) {
            Tells::ThingAbsent => Ok(None),
            Tells::ProjectAbsent => Err(absent),
            Tells::Nothing => match self.project(project).await? {
                Some(_) => Ok(None),
                None => Err(absent),
            },
        }
    }

    /// The id that a redirect of GitLab's own points to.
    fn moved_to(&self, moved: &GitLabError, kind: &str) -> Option<u64> {
        let GitLabError::Moved {
            location: Some(location),
            ..
        } = moved
        else {
            return None;
        };
        let path = self.client.origin().own_api_path(location.text().expose())?;
        path.strip_prefix(kind)?.parse().ok()
    }
}

/// What the words of a 404 say is missing.
enum Tells {
    ThingAbsent,
    ProjectAbsent,
    Nothing,
}

fn tells(absent: &GitLabError) -> Tells {
    let GitLabError::NotFound { message, .. } = absent else {
        return Tells::Nothing;
    };
    let things = [
        "File Not Found",
        "Commit Not Found",
        "Branch Not Found",
        "Issue Not Found",
        "Merge Request Not Found",
    ];
    if message.contain("Project Not Found") || message.contain("Repository Not Found") {
        Tells::ProjectAbsent
    } else if things.iter().any(|thing| message.contain(thing)) {
        Tells::ThingAbsent
    } else {
        Tells::Nothing
    }
}

fn built<E: Endpoint, B: std::fmt::Display>(operation: Operation, endpoint: Result<E, B>) -> Result<E, GitLabError> {
    endpoint.map_err(|error| unbuildable(operation)(error.to_string()))
}
