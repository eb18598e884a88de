//! What an observation found. Filled by the shell, judged by the plans.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use url::Url;

use super::FileVersion;
use super::resync::Marks;
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
    pub topics: Vec<Untrusted>,
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
    /// Whether that account is in use: not blocked, banned or deactivated, as far as GitLab tells.
    pub author_in_use: bool,
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
    /// Somebody changed its text later: its author, or a Maintainer.
    pub edited: bool,
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

/// Somebody's role in the program's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its level.
    pub level: AccessLevel,
    /// The day at whose beginning (UTC) it ends. GitLab lists a membership that has ended until a nightly job removes it.
    pub until: Option<Date>,
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
    pub roles: BTreeMap<UserId, Role>,
    /// People in question whose accounts are not in use (blocked, banned, deactivated).
    pub blocked: BTreeSet<UserId>,
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
    /// What was made for it, in the sentences of the steps ([`super::provision::FURNISHES`]), and when that was begun: what a person took
    /// away since stays away.
    pub made_before: BTreeMap<String, Timestamp>,
    /// When reading it began: what follows from GitLab's answers since is no newer look at the rest.
    pub looked_at: Timestamp,
    /// Whether some of it was not read but follows from GitLab's answers to what we did ([`super::foreseen`]).
    pub is_foreseen: bool,
    /// What is inside the project; only when it is ours.
    pub inside: Option<InsideSeen>,
    /// The program's pages with a table, in the order of the settings, each with the merge requests of the community's row, newest
    /// first.
    pub pages: Vec<(PageSeen, Vec<MergeRequestSeen>)>,
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
    /// A group: projects and groups share their paths.
    Group,
    /// Not asked: the proposal names no usable path.
    Unknown,
}

/// What is inside a community's project, as far as provisioning needs it.
#[derive(Clone, Debug, Default)]
pub struct InsideSeen {
    /// Paths of the template's files that exist already.
    pub files: Vec<String>,
    /// The charter, where this look has just written it.
    pub charter: Option<FileVersion>,
    /// Labels, those of the groups above included.
    pub labels: Vec<LabelSeen>,
    /// Issue boards with their lists.
    pub boards: Vec<BoardSeen>,
    /// Members, inherited ones included, with their highest role; `None`: not asked for yet.
    pub members: Option<BTreeMap<UserId, AccessLevel>>,
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
    /// Whether it belongs to a group above the project.
    pub of_group: bool,
}

/// An issue board.
#[derive(Clone, Debug)]
pub struct BoardSeen {
    /// Its id.
    pub id: BoardId,
    /// Its name.
    pub name: Untrusted,
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
    /// GitLab's word that it has to be rebased before it can be merged (projects that merge by fast-forward only).
    pub needs_rebase: bool,
    /// The newest commit of its branch; of a merged one, the commit that was merged.
    pub head: Option<CommitSha>,
    /// When it was opened.
    pub created_at: Timestamp,
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
    /// The parent of its head.
    pub parent: Option<CommitSha>,
    /// The page at the parent of its head: what the branch was built on. `None` when it cannot be told.
    pub base_page: Option<Vec<u8>>,
}

/// One of our branches, whether or not it is there, and what came from it.
#[derive(Clone, Debug, Default)]
pub struct PlaceSeen {
    /// Its name.
    pub name: String,
    /// The branch.
    pub branch: Option<BranchSeen>,
    /// Merge requests from it, newest first.
    pub merge_requests: Vec<MergeRequestSeen>,
    /// The newest commit of the target branch; only asked for when a merge request has to be rebased.
    pub target_head: Option<CommitSha>,
}

impl PlaceSeen {
    /// Whether the branch begins at the target's newest commit, as far as that is known.
    #[must_use]
    pub fn is_on_target_head(&self) -> bool {
        let parent = self.branch.as_ref().and_then(|branch| branch.parent.as_ref());
        self.target_head.is_none() || self.target_head.as_ref() == parent
    }
}

/// How many merge requests of ours a page has, beside the one that is to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Open now.
    pub open: usize,
    /// Opened within the last hour.
    pub lately: usize,
    /// Others that wait to be opened and came before.
    pub ahead: usize,
}

/// A page of the program and a community's change of it.
#[derive(Clone, Debug)]
pub struct ListingSeen {
    /// The page.
    pub page: PageSeen,
    /// The community's branch.
    pub place: PlaceSeen,
    /// Users to ask for a review.
    pub reviewers: Vec<UserId>,
    /// Users to assign.
    pub assignees: Vec<UserId>,
    /// Other merge requests of the page; `None`: not asked for.
    pub traffic: Option<Traffic>,
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
    /// What a later bulk read is compared with.
    pub marks: Marks,
    /// Everybody who is named in the charter.
    pub people: People,
    /// The issue of the proposal that the charter names, when it is one of this program's intake.
    pub proposal: Option<IssueSeen>,
    /// Our issues in it, closed ones too.
    pub issues: Vec<OwnIssueSeen>,
    /// The program's pages, in the order of the settings.
    pub listings: Vec<ListingSeen>,
    /// Removals of rows that were proposed for the program within the last day.
    pub removals: Removals,
    /// Names and addresses of the group's other projects: a row that names one of them is not ours.
    pub others: Vec<(Untrusted, Url)>,
}

/// How many rows were proposed for removal, and whether an operator lifted the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// When the last day began.
    pub since: Timestamp,
    /// Since then.
    pub lately: usize,
    /// `convenor apply --allow-removals`.
    pub allowed: bool,
}

impl Removals {
    /// The same when GitLab shows open merge requests of ours that remove a line, opened at these times: our own count is lost with the
    /// database.
    #[must_use]
    pub fn with_open(self, opened: impl IntoIterator<Item = Timestamp>) -> Self {
        let open = opened.into_iter().filter(|at| *at >= self.since).count();
        Self {
            lately: self.lately.max(open),
            ..self
        }
    }
}

/// A community in a look at all of them.
#[derive(Clone, Debug)]
pub struct MemberSeen {
    /// Its project.
    pub project: ProjectId,
    /// Its name in GitLab.
    pub name: Untrusted,
    /// Full path.
    pub full_path: String,
    /// Its address.
    pub web_url: Url,
    /// Who sees it.
    pub visibility: Visibility,
    /// Read-only by a person's decision.
    pub archived: bool,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Its charter; `None`: it has none, so it is no community.
    pub charter: Option<Vec<u8>>,
}

/// One page in a look at the handbook.
#[derive(Clone, Debug)]
pub struct PageLookSeen {
    /// The page.
    pub page: PageSeen,
    /// The branch of a merge request for several rows.
    pub batch: PlaceSeen,
    /// The branch of a merge request that mends malformed rows.
    pub repair: PlaceSeen,
    /// The branch of a merge request for the generated directory.
    pub directory: PlaceSeen,
    /// Everything that we opened for the page, newest first.
    pub merge_requests: Vec<MergeRequestSeen>,
    /// Users to ask for a review.
    pub reviewers: Vec<UserId>,
    /// Users to assign.
    pub assignees: Vec<UserId>,
    /// Whether somebody asked for a repair of malformed rows.
    pub repair_is_asked: bool,
}

/// All that the plan for a program's pages depends on.
#[derive(Clone, Debug)]
pub struct HandbookSeen {
    /// Who we are.
    pub bot: UserSeen,
    /// The program's group.
    pub group: GroupSeen,
    /// The intake project.
    pub intake: ProjectSeen,
    /// Our issues in it, closed ones too.
    pub issues: Vec<OwnIssueSeen>,
    /// The pages, in the order of the settings.
    pub pages: Vec<PageLookSeen>,
    /// All projects of the group; only when a page is made from all communities together.
    pub members: Vec<MemberSeen>,
    /// Everybody who is named in their charters.
    pub people: People,
    /// Whether an operator lifted the limit on removals.
    pub allow_removals: bool,
}
