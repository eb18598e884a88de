//! What an observation found. Filled by the shell, judged by the plans.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use url::Url;

use super::FileVersion;
use crate::approval::Acceptance;
use crate::ids::{
    AccessLevel, BoardId, BoardListId, CommitSha, GroupId, IssueIid, LabelId, MergeRequestIid, NoteId, ProjectId,
    UserId, Username,
};
use crate::program::Visibility;
use crate::proposal::PersonState;
use crate::untrusted::Untrusted;

/// A user as notes, issues and events name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSeen {
    /// The account.
    pub id: UserId,
    /// Its name now.
    pub username: Username,
}

/// The program's group.
#[derive(Clone, Debug)]
pub struct GroupSeen {
    /// Its id, the `namespace_id` of new projects.
    pub id: GroupId,
    /// Its address.
    pub web_url: Url,
    /// New projects cannot be wider than this.
    pub visibility: Visibility,
}

/// A project of the program's group.
#[derive(Clone, Debug)]
pub struct ProjectSeen {
    /// Its id.
    pub id: ProjectId,
    /// Its display name.
    pub name: Untrusted,
    /// Last segment of its path.
    pub path: String,
    /// Full path.
    pub full_path: String,
    /// Its description.
    pub description: Untrusted,
    /// Its address.
    pub web_url: Url,
    /// Read-only by a person's decision.
    pub archived: bool,
    /// Somebody pressed delete; GitLab renamed it and removes it later.
    pub marked_for_deletion: bool,
    /// Who made it; not every GitLab tells.
    pub creator: Option<UserId>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether it has no commit yet; `None`: this GitLab does not tell.
    pub empty: Option<bool>,
    /// The branch that its first commit goes to.
    pub default_branch: Option<String>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its topics.
    pub topics: Vec<String>,
}

/// The issue of a proposal.
#[derive(Clone, Debug)]
pub struct IssueSeen {
    /// Its number in the intake project.
    pub iid: IssueIid,
    /// Its title.
    pub title: Untrusted,
    /// Its description.
    pub description: Untrusted,
    /// Not closed.
    pub open: bool,
    /// Only members see it.
    pub confidential: bool,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: UserSeen,
    /// When.
    pub created_at: Timestamp,
    /// The last change of anything about it.
    pub updated_at: Timestamp,
    /// Its address.
    pub web_url: Url,
}

/// One comment or system note.
#[derive(Clone, Debug)]
pub struct NoteSeen {
    /// Its id.
    pub id: NoteId,
    /// Who wrote it.
    pub author: UserSeen,
    /// Its text.
    pub body: Untrusted,
    /// GitLab wrote it ("changed the description").
    pub system: bool,
    /// Only members see it.
    pub internal: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One addition or removal of a label.
#[derive(Clone, Debug)]
pub struct LabelEventSeen {
    /// Who.
    pub user: UserSeen,
    /// The label's name.
    pub label: String,
    /// Added, not removed.
    pub added: bool,
    /// When.
    pub at: Timestamp,
}

/// Another open proposal of the program.
#[derive(Clone, Debug)]
pub struct RivalSeen {
    /// Its number.
    pub iid: IssueIid,
    /// The name it asks for.
    pub name: Untrusted,
    /// Its purpose, for the search of look-alikes.
    pub purpose: Untrusted,
    /// Its address.
    pub web_url: Url,
}

/// A user who is named in a proposal or charter.
pub type People = BTreeMap<Username, PersonState>;

/// All that a proposal's plan depends on.
#[derive(Clone, Debug)]
pub struct ProposalSeen {
    /// Who we are.
    pub bot: UserSeen,
    /// The program's group.
    pub group: GroupSeen,
    /// The intake project.
    pub intake: ProjectSeen,
    /// The issue.
    pub issue: IssueSeen,
    /// Its notes, oldest first.
    pub notes: Vec<NoteSeen>,
    /// Its label events.
    pub label_events: Vec<LabelEventSeen>,
    /// Roles in the program's group now; who is not a member, or no longer, is not in it.
    pub roles: BTreeMap<UserId, AccessLevel>,
    /// Everybody who is named in the proposal.
    pub people: People,
    /// The group's projects.
    pub projects: Vec<ProjectSeen>,
    /// Other open proposals.
    pub rivals: Vec<RivalSeen>,
    /// The accepted text, when there is one.
    pub acceptance: Option<Acceptance>,
    /// The project that belongs to this proposal or stands in its way.
    pub project: ProjectStanding,
    /// People whom GitLab refused to add during this look: whatever the reason, asking again would not help.
    pub refused_members: BTreeSet<UserId>,
    /// What is inside the project; only when it is ours.
    pub inside: Option<InsideSeen>,
    /// The handbook page, when the program has one.
    pub page: Option<PageSeen>,
    /// Merge requests of the community's row, newest first.
    pub merge_requests: Vec<MergeRequestSeen>,
}

/// What stands at the path that a proposal asks for.
#[derive(Clone, Debug)]
pub enum ProjectStanding {
    /// Nothing: the path is free.
    Free,
    /// The project that was made for this proposal.
    Ours(ProjectSeen),
    /// The project that was made for this proposal is gone, archived or marked for deletion.
    Gone,
    /// Somebody else's project.
    Foreign(ProjectSeen),
    /// Not asked: the proposal names no usable path.
    Unknown,
}

/// What is inside a community's project, as far as provisioning needs it.
#[derive(Clone, Debug)]
pub struct InsideSeen {
    /// Paths of the template's files that exist already.
    pub files: Vec<String>,
    /// Labels, those of the groups above included.
    pub labels: Vec<LabelSeen>,
    /// Issue boards with their lists.
    pub boards: Vec<BoardSeen>,
    /// Members, inherited ones included, with their highest role.
    pub members: BTreeMap<UserId, AccessLevel>,
    /// Issues that we opened.
    pub issues: Vec<OwnIssueSeen>,
}

/// A label.
#[derive(Clone, Debug)]
pub struct LabelSeen {
    /// Its id.
    pub id: LabelId,
    /// Its name.
    pub name: String,
}

/// An issue board.
#[derive(Clone, Debug)]
pub struct BoardSeen {
    /// Its id.
    pub id: BoardId,
    /// Its name.
    pub name: String,
    /// Label and position of its lists.
    pub lists: Vec<(BoardListId, Option<LabelId>)>,
}

/// An issue that we opened.
#[derive(Clone, Debug)]
pub struct OwnIssueSeen {
    /// Its number.
    pub iid: IssueIid,
    /// Not closed.
    pub open: bool,
    /// Who closed it, if it is closed and GitLab tells.
    pub closed_by: Option<UserId>,
    /// Its description, with our marker.
    pub description: Untrusted,
    /// Its address.
    pub web_url: Url,
}

/// The handbook page on its target branch.
#[derive(Clone, Debug)]
pub struct PageSeen {
    /// The handbook's project.
    pub project: ProjectId,
    /// The target branch.
    pub branch: String,
    /// Who sees the page.
    pub visibility: Visibility,
    /// The page, or `None` when there is no such file.
    pub file: Option<FileVersion>,
}

/// A merge request from one of our branches.
#[derive(Clone, Debug)]
pub struct MergeRequestSeen {
    /// Its number.
    pub iid: MergeRequestIid,
    /// Its state.
    pub state: MergeRequestState,
    /// Who opened it.
    pub author: UserId,
    /// Who closed it, if it is closed and GitLab tells.
    pub closed_by: Option<UserId>,
    /// Its title.
    pub title: Untrusted,
    /// Its description, with our marker.
    pub description: Untrusted,
    /// Its address.
    pub web_url: Url,
    /// GitLab's word that it conflicts; `None` while it has not checked.
    pub conflicts: Option<bool>,
}

/// A merge request's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRequestState {
    /// Open.
    Opened,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
    /// Being merged.
    Locked,
}

/// The branch `convenor/<slug>` of the handbook's project.
#[derive(Clone, Debug)]
pub struct BranchSeen {
    /// Its newest commit.
    pub head: CommitSha,
    /// That commit's message.
    pub message: Untrusted,
    /// The page at its head.
    pub page: Option<FileVersion>,
    /// The page at the parent of its head: what the branch was built on. `None` when it cannot be told.
    pub base_page: Option<Vec<u8>>,
}

/// All that the plan for a community's row depends on.
#[derive(Clone, Debug)]
pub struct CommunitySeen {
    /// Who we are.
    pub bot: UserSeen,
    /// The project, read by its id.
    pub project: ProjectSeen,
    /// The charter's file.
    pub charter: Option<FileVersion>,
    /// Everybody who is named in the charter.
    pub people: People,
    /// Our open issues in it.
    pub issues: Vec<OwnIssueSeen>,
    /// The handbook page.
    pub page: Option<PageSeen>,
    /// The name of our branch, whether or not it is there.
    pub branch_name: String,
    /// Our branch.
    pub branch: Option<BranchSeen>,
    /// Merge requests from it, newest first.
    pub merge_requests: Vec<MergeRequestSeen>,
    /// Users to ask for a review.
    pub reviewers: Vec<UserId>,
    /// Removals of rows that were proposed for the program within the last day.
    pub removals: Removals,
    /// Names and addresses of the group's other projects: a row that names one of them is not ours.
    pub others: Vec<(Untrusted, Url)>,
}

/// How many rows were proposed for removal, and whether an operator lifted the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Within the last day.
    pub lately: usize,
    /// `convenor apply --allow-removals`.
    pub allowed: bool,
}
