//! Which project, group, issues or merge requests are asked for.

use convenor_core::ids::{GroupId, IssueIid, ProjectId, UserId};
use gitlab::api::common::NameOrId;
use jiff::Timestamp;

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
    /// Only open ones.
    pub opened: bool,
    /// Only those of one author.
    pub author_id: Option<UserId>,
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
    /// Only open ones.
    pub opened: bool,
    /// Only those that have all of these labels.
    pub labels: Vec<String>,
    /// Only those of one author.
    pub author_id: Option<UserId>,
    /// Only those changed at or after this time.
    pub updated_after: Option<Timestamp>,
}

impl<'a> From<ProjectRef<'a>> for NameOrId<'a> {
    fn from(project: ProjectRef<'a>) -> Self {
        match project {
            ProjectRef::Id(id) => NameOrId::Id(id.0),
            ProjectRef::Path(path) => NameOrId::from(path),
        }
    }
}

impl<'a> From<GroupRef<'a>> for NameOrId<'a> {
    fn from(group: GroupRef<'a>) -> Self {
        match group {
            GroupRef::Id(id) => NameOrId::Id(id.0),
            GroupRef::Path(path) => NameOrId::from(path),
        }
    }
}
