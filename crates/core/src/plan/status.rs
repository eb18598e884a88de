//! What the comment on a proposal remembers, invisibly.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seen::NoteSeen;
use crate::digest::Digest;
use crate::escape::Marker;
use crate::ids::{NoteId, ProjectId, UserId};

/// Kind of the marker in the comment's first line.
pub const MARKER: &str = "status";

/// What the comment remembers, invisibly, so that even a lost database forgets nothing that matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Hash of the text that the comment is about.
    pub text: String,
    /// When that text was last changed.
    pub since: Option<Timestamp>,
    /// The path that is announced for the project, before the project is made.
    pub path: Option<String>,
    /// When it was announced first.
    pub announced_at: Option<Timestamp>,
    /// The project that was made.
    pub project: Option<ProjectId>,
    /// Everything in the project was made once; what people change there afterwards is theirs.
    pub made: bool,
    /// Digest of what the comment says: equal digests need no edit.
    pub digest: Digest,
}

/// What our comment on a proposal remembers.
#[must_use]
pub fn recorded_status(notes: &[NoteSeen], bot: UserId) -> Option<Status> {
    own_statuses(notes, bot).into_iter().next().map(|(_, status)| status)
}

/// The comment is ours when we wrote it and its first line is our marker; the oldest one counts.
pub(super) fn own_statuses(notes: &[NoteSeen], bot: UserId) -> Vec<(NoteId, Status)> {
    let ours = notes.iter().filter(|note| note.author.id == bot && !note.system);
    let status = |note: &NoteSeen| {
        let value = Marker::find(note.body.expose(), MARKER)?;
        Some((note.id, serde_json::from_value(value).unwrap_or_default()))
    };
    let mut all: Vec<(NoteId, Status)> = ours.filter_map(status).collect();
    all.sort_by_key(|(id, _)| *id);
    all
}
