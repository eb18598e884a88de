//! Merge requests.

use convenor_core::ids::{CommitSha, MergeRequestIid, ProjectId};
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use serde::Deserialize;

use super::people::Person;
use super::tolerant::{or_default, time, time_or_none};

/// A merge request. Lists leave out `diff_refs` and do not compute `has_conflicts` anew.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MergeRequest {
    /// Global id.
    pub id: u64,
    /// Number inside the target project.
    pub iid: MergeRequestIid,
    /// The target project.
    pub project_id: ProjectId,
    /// Title.
    pub title: Untrusted,
    /// Description as Markdown; empty when there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub description: Untrusted,
    /// Open, closed, merged.
    pub state: MergeRequestState,
    /// Not to be merged yet.
    #[serde(default, deserialize_with = "or_default")]
    pub draft: bool,
    /// Branch with the change.
    pub source_branch: String,
    /// Branch that is to get it.
    pub target_branch: String,
    /// Project of the source branch; another one for forks.
    #[serde(default)]
    pub source_project_id: Option<ProjectId>,
    /// Head of the source branch; `None` when it is gone.
    #[serde(default)]
    pub sha: Option<CommitSha>,
    /// Names of its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Person,
    /// Who is assigned.
    #[serde(default, deserialize_with = "or_default")]
    pub assignees: Vec<Person>,
    /// Who is asked to review.
    #[serde(default, deserialize_with = "or_default")]
    pub reviewers: Vec<Person>,
    /// GitLab's word for whether it can be merged, computed some time after a change: `checking`, `mergeable`,
    /// `conflict`, `need_rebase` …; unknown words mean "not yet".
    #[serde(default, deserialize_with = "or_default")]
    pub detailed_merge_status: String,
    /// False until GitLab has looked.
    #[serde(default, deserialize_with = "or_default")]
    pub has_conflicts: bool,
    /// The commits that the difference was computed from.
    #[serde(default)]
    pub diff_refs: Option<DiffRefs>,
    /// When it was opened.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// Last change of anything.
    #[serde(deserialize_with = "time")]
    pub updated_at: Timestamp,
    /// When it was merged.
    #[serde(default, deserialize_with = "time_or_none")]
    pub merged_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, deserialize_with = "time_or_none")]
    pub closed_at: Option<Timestamp>,
    /// Who merged it.
    #[serde(default)]
    pub merge_user: Option<Person>,
    /// Who closed it.
    #[serde(default)]
    pub closed_by: Option<Person>,
    /// The merge's commit; `None` for a fast-forward.
    #[serde(default)]
    pub merge_commit_sha: Option<CommitSha>,
    /// The squashed commit.
    #[serde(default)]
    pub squash_commit_sha: Option<CommitSha>,
    /// Its page.
    pub web_url: String,
}

/// Where a merge request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeRequestState {
    /// Open.
    Opened,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
    /// Being merged right now.
    Locked,
    /// A word of a later GitLab.
    #[serde(other)]
    Other,
}

/// The three commits of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DiffRefs {
    /// Merge base.
    #[serde(default)]
    pub base_sha: Option<CommitSha>,
    /// Head of the source branch.
    #[serde(default)]
    pub head_sha: Option<CommitSha>,
    /// Head of the target branch when the source was pushed.
    #[serde(default)]
    pub start_sha: Option<CommitSha>,
}
