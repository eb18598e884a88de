//! Projects and groups.

use convenor_core::ids::{GroupId, ProjectId, UserId};
use convenor_core::program::Visibility;
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::tolerant::{or_default, time, time_or_none};

/// A group (`GET /groups/:id`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Global id.
    pub id: GroupId,
    /// Display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Untrusted,
    /// Path with all parents.
    pub full_path: String,
    /// Its page.
    pub web_url: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who may make projects in it: `developer`, `maintainer`, `owner`, `noone` …
    #[serde(default)]
    pub project_creation_level: Option<String>,
}

/// A project (`GET /projects/:id`, `GET /groups/:id/projects`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Global id.
    pub id: ProjectId,
    /// Display name.
    pub name: Untrusted,
    /// Last segment of the path.
    pub path: String,
    /// Path with all groups.
    pub path_with_namespace: String,
    /// The description; empty when there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub description: Untrusted,
    /// The topics; people write them.
    #[serde(default, deserialize_with = "or_default")]
    pub topics: Vec<Untrusted>,
    /// Read-only, itself or through a group.
    #[serde(default, deserialize_with = "or_default")]
    pub archived: bool,
    /// Who may see it; `None` when not told to us.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// Its page.
    pub web_url: String,
    /// The default branch; told for an empty repository too (the name it would get), missing without the right to
    /// read code.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Whether the repository has no commit; missing without the right to read code.
    #[serde(default)]
    pub empty_repo: Option<bool>,
    /// Who made it.
    #[serde(default)]
    pub creator_id: Option<UserId>,
    /// When it was made.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// Last activity, moved at most about once an hour; bots count too.
    #[serde(default, deserialize_with = "time_or_none")]
    pub last_activity_at: Option<Timestamp>,
    /// The day on which it was marked for deletion; until the real deletion it lives on under another name.
    #[serde(default)]
    pub marked_for_deletion_on: Option<Date>,
    /// The older name of the same.
    #[serde(default)]
    pub marked_for_deletion_at: Option<Date>,
    /// The group that it is in.
    pub namespace: Namespace,
}

impl Project {
    /// Whether somebody has deleted it and GitLab has not carried it out yet.
    #[must_use]
    pub fn is_marked_for_deletion(&self) -> bool {
        self.marked_for_deletion_on.is_some() || self.marked_for_deletion_at.is_some()
    }
}

/// Where a project is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Namespace {
    /// The group's id (or the user's namespace's).
    pub id: GroupId,
    /// Path with all parents.
    pub full_path: String,
    /// `group` or `user`.
    #[serde(default, deserialize_with = "or_default")]
    pub kind: String,
}
