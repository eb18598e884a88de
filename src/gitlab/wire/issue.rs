//! Issues, notes and label events.

use convenor_core::ids::{IssueIid, NoteId, ProjectId};
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use serde::Deserialize;

use super::people::Person;
use super::tolerant::{or_default, time, time_or_none};

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Global id.
    pub id: u64,
    /// Number inside the project.
    pub iid: IssueIid,
    /// The project that it is in.
    pub project_id: ProjectId,
    /// Title.
    pub title: Untrusted,
    /// Description as Markdown; empty when there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub description: Untrusted,
    /// Open or closed.
    pub state: IssueState,
    /// Names of its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Person,
    /// Only for members from Planner or Reporter on, and the author.
    #[serde(default, deserialize_with = "or_default")]
    pub confidential: bool,
    /// When it was opened.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// Last change of anything: text, labels, notes.
    #[serde(deserialize_with = "time")]
    pub updated_at: Timestamp,
    /// When it was closed.
    #[serde(default, deserialize_with = "time_or_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it, when it is closed; not told by every version.
    #[serde(default)]
    pub closed_by: Option<Person>,
    /// Its page; `…/-/issues/12` or `…/-/work_items/12`.
    pub web_url: String,
    /// `issue`, `task`, `incident` …
    #[serde(default)]
    pub issue_type: Option<String>,
    /// Whether only members may comment.
    #[serde(default, deserialize_with = "or_default")]
    pub discussion_locked: bool,
}

/// Whether an issue is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    /// Open.
    Opened,
    /// Closed.
    Closed,
    /// A word of a later GitLab.
    #[serde(other)]
    Other,
}

/// A comment, or a line that GitLab wrote itself (`system`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Note {
    /// Global id.
    pub id: NoteId,
    /// The text as Markdown.
    #[serde(default, deserialize_with = "or_default")]
    pub body: Untrusted,
    /// Who wrote it, or whose act GitLab notes.
    pub author: Person,
    /// Written by GitLab itself.
    #[serde(default, deserialize_with = "or_default")]
    pub system: bool,
    /// Visible only to members from Planner or Reporter on.
    #[serde(default, deserialize_with = "or_default")]
    pub internal: bool,
    /// When it was written.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// When its text was last changed.
    #[serde(deserialize_with = "time")]
    pub updated_at: Timestamp,
}

/// Somebody put a label on an issue or took it off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LabelEvent {
    /// Global id; later events have higher ones.
    pub id: u64,
    /// Who did it; `None` when the account is gone.
    #[serde(default)]
    pub user: Option<Person>,
    /// When.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// The label; `None` when it was deleted since.
    #[serde(default)]
    pub label: Option<LabelName>,
    /// Put on or taken off.
    pub action: LabelEventAction,
}

/// The label of a label event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LabelName {
    /// Its name now.
    pub name: String,
}

/// What happened to the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelEventAction {
    /// Put on.
    Add,
    /// Taken off.
    Remove,
    /// A word of a later GitLab.
    #[serde(other)]
    Other,
}
