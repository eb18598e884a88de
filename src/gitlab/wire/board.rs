//! Labels and issue boards.

use convenor_core::ids::{BoardId, BoardListId, LabelId};
use convenor_core::untrusted::Untrusted;
use serde::Deserialize;

use super::tolerant::or_default;

/// A label of a project or group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Global id.
    pub id: LabelId,
    /// Its name; names are told apart by case.
    pub name: String,
    /// `#RRGGBB`.
    #[serde(default, deserialize_with = "or_default")]
    pub color: String,
    /// What it is for; empty when not said.
    #[serde(default, deserialize_with = "or_default")]
    pub description: Untrusted,
    /// Whether it belongs to the project itself and not to a group above; told in lists of a project.
    #[serde(default)]
    pub is_project_label: Option<bool>,
}

/// An issue board. The columns Open and Closed are not among the lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Board {
    /// Its id.
    pub id: BoardId,
    /// Its name; nothing keeps two boards from having the same.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Untrusted,
    /// Its lists from left to right.
    #[serde(default, deserialize_with = "or_default")]
    pub lists: Vec<BoardList>,
}

/// One list (column) of a board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BoardList {
    /// Its id.
    pub id: BoardListId,
    /// The label whose issues it shows; `None` for lists of milestones or assignees.
    #[serde(default)]
    pub label: Option<Label>,
    /// Place from the left, from 0.
    #[serde(default)]
    pub position: Option<u64>,
}
