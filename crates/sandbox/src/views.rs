//! What a test reads back: the parts of GitLab's answers that tests ask about. Unknown fields are left out.

use serde::Deserialize;
use serde_json::Value;

/// A person as issues and notes show them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PersonView {
    /// The user's id.
    pub id: u64,
    /// The name after the `@`.
    pub username: String,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ProjectView {
    /// The project's id.
    pub id: u64,
    /// Display name.
    pub name: String,
    /// Last part of the full path.
    pub path: String,
    /// `group/project`
    pub path_with_namespace: String,
    /// The description, if any.
    pub description: Option<String>,
    /// `private`, `internal`, `public`
    pub visibility: String,
    /// Topics in their order.
    pub topics: Vec<String>,
    /// Read-only, by itself or through its group.
    pub archived: bool,
    /// No commit yet.
    pub empty_repo: bool,
    /// The default branch, or the name it would get.
    pub default_branch: Option<String>,
    /// Who created it.
    pub creator_id: u64,
    /// The day on which it was marked for deletion.
    pub marked_for_deletion_on: Option<String>,
    /// Where to look at it.
    pub web_url: String,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IssueView {
    /// Global id.
    pub id: u64,
    /// Number in the project.
    pub iid: u64,
    /// The project's id.
    pub project_id: u64,
    /// Title.
    pub title: String,
    /// The text without its quick actions.
    pub description: Option<String>,
    /// `opened` or `closed`
    pub state: String,
    /// Names, sorted.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: PersonView,
    /// Who is assigned.
    pub assignees: Vec<PersonView>,
    /// Only for its author, assignees and Planners and up.
    pub confidential: bool,
    /// Comments without the system's.
    pub user_notes_count: u64,
    /// Where to look at it.
    pub web_url: String,
}

/// A comment or a line of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NoteView {
    /// Global id.
    pub id: u64,
    /// The text without its quick actions.
    pub body: String,
    /// Who wrote it.
    pub author: PersonView,
    /// Written by GitLab itself.
    pub system: bool,
    /// Only for Planners and up.
    pub internal: bool,
    /// When, as GitLab writes it.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// A merge request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MergeRequestView {
    /// Global id.
    pub id: u64,
    /// Number in the project.
    pub iid: u64,
    /// Title.
    pub title: String,
    /// The text without its quick actions.
    pub description: Option<String>,
    /// `opened`, `closed`, `merged`
    pub state: String,
    /// Where the commits come from.
    pub source_branch: String,
    /// Where they go.
    pub target_branch: String,
    /// Head of the source branch.
    pub sha: String,
    /// Names, sorted.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: PersonView,
    /// Who is asked to look.
    pub reviewers: Vec<PersonView>,
    /// Begins with `Draft:`.
    pub draft: bool,
    /// Cannot be merged by itself.
    pub has_conflicts: bool,
    /// `mergeable`, `checking`, `conflict`…
    pub detailed_merge_status: String,
    /// Where to look at it.
    pub web_url: String,
}

/// One file's difference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DiffView {
    /// Path before.
    pub old_path: String,
    /// Path after.
    pub new_path: String,
    /// Unified difference with three lines of context.
    pub diff: String,
    /// The file is new.
    pub new_file: bool,
    /// The file is gone.
    pub deleted_file: bool,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LabelView {
    /// Global id.
    pub id: u64,
    /// Its text.
    pub name: String,
    /// `#RRGGBB`
    pub color: String,
    /// The description, if any.
    pub description: Option<String>,
}

/// A label that was put on or taken off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LabelEventView {
    /// Who did it.
    pub user: PersonView,
    /// `add` or `remove`
    pub action: String,
    /// Which one; none when the label was deleted since.
    pub label: Option<LabelView>,
    /// When.
    pub created_at: String,
}

/// A column of a board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BoardListView {
    /// Global id.
    pub id: u64,
    /// The label that it shows.
    pub label: LabelView,
    /// From 0.
    pub position: u64,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BoardView {
    /// Global id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub lists: Vec<BoardListView>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MemberView {
    /// The user's id.
    pub id: u64,
    /// The name after the `@`.
    pub username: String,
    /// 10 Guest … 50 Owner
    pub access_level: u64,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CommitView {
    /// The full id.
    pub id: String,
    /// First line of the message.
    pub title: String,
    /// The whole message.
    pub message: String,
    /// Who is said to have written it.
    pub author_name: String,
    /// The commits before it.
    pub parent_ids: Vec<String>,
}

/// Reads a view out of an answer.
pub(crate) fn view<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, crate::Refused> {
    serde_json::from_value(value).map_err(|error| crate::Refused {
        status: 500,
        body: serde_json::json!({ "message": format!("the sandbox's own answer is odd: {error}") }),
    })
}
