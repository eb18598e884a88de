//! What the comment on a proposal remembers, invisibly.

use std::collections::BTreeMap;

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
    /// The accounts that the names in that text belonged to when it was read first, by [`crate::ids::Username::key`]. A name can be
    /// given up and taken by somebody else.
    pub people: BTreeMap<String, UserId>,
    /// Digest of what the comment says: equal digests need no edit.
    pub digest: Digest,
}

/// What our comment on a proposal remembers.
#[must_use]
pub fn recorded_status(notes: &[NoteSeen], bot: UserId) -> Option<Status> {
    own_statuses(notes, bot).into_iter().next().map(|(_, status)| status)
}

/// Kinds of steps whose end says something about our comment.
pub const TALK: [&str; 3] = ["create_note", "update_note", "delete_own_note"];

/// The comment that we wrote last, given the steps of [`TALK`] that were done for a proposal, newest first, each with what came of
/// it; `None`: nothing is known of one.
#[must_use]
pub fn written<'a>(done: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<NoteId> {
    let mut deleted = Vec::new();
    for (kind, result) in done {
        let Ok(note) = result.parse().map(NoteId) else {
            continue;
        };
        if kind == "delete_own_note" {
            deleted.push(note);
        } else if !deleted.contains(&note) {
            return Some(note);
        }
    }
    None
}

/// The comment that we wrote and that the list of notes lacks: it counts as gone only when GitLab says so of its number. What GitLab
/// tells of the length of such a list counts notes that are hidden from us, so a part cannot be told from the whole.
#[must_use]
pub fn unlisted(notes: &[NoteSeen], bot: UserId, written: Option<NoteId>) -> Option<NoteId> {
    let is_listed = |id: NoteId| notes.iter().any(|note| note.id == id);
    written.filter(|id| !is_listed(*id) && recorded_status(notes, bot).is_none())
}

/// Our comment on a proposal.
#[must_use]
pub fn own_comment(notes: &[NoteSeen], bot: UserId) -> Option<NoteId> {
    own_statuses(notes, bot).into_iter().next().map(|(id, _)| id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Username;
    use crate::plan::seen::UserSeen;
    use crate::untrusted::Untrusted;

    const BOT: UserId = UserId(1);

    fn note(id: u64, author: UserId, body: &str) -> NoteSeen {
        NoteSeen {
            id: NoteId(id),
            author: UserSeen {
                id: author,
                username: Username::new("somebody").unwrap(),
            },
            body: Untrusted::new(body),
            system: false,
            internal: false,
            created_at: Timestamp::UNIX_EPOCH,
            edited: false,
        }
    }

    #[test]
    fn the_newest_comment_that_was_not_deleted_is_the_written_one() {
        let update = ("update_note", "5");
        let create = ("create_note", "5");
        let doubled = [("delete_own_note", "9"), ("create_note", "9"), update, create];
        for (done, expected) in [
            (&[][..], None),
            (&[create][..], Some(5)),
            (&[("update_note", "found by a later look"), create][..], Some(5)),
            (&[("create_note", "9"), update, create][..], Some(9)),
            (&doubled[..], Some(5)),
            (&doubled[..2], None),
        ] {
            assert_eq!(written(done.iter().copied()), expected.map(NoteId), "{done:?}");
        }
    }

    #[test]
    fn a_comment_that_the_list_lacks_is_asked_for_and_no_other() {
        let ours = note(5, BOT, "<!-- convenor:status {} -->\nText.");
        assert_eq!(
            own_comment(std::slice::from_ref(&ours), BOT),
            Some(NoteId(5)),
            "the marker is one"
        );
        let theirs = note(6, UserId(2), ours.body.expose());
        let unmarked = note(5, BOT, "somebody took the marker away");
        let five = Some(NoteId(5));
        for (notes, written, expected) in [
            (vec![], None, None),
            (vec![], five, five),
            (vec![theirs.clone()], five, five),
            (vec![ours.clone()], five, None),
            (vec![ours, theirs], Some(NoteId(9)), None),
            (vec![unmarked], five, None),
        ] {
            assert_eq!(unlisted(&notes, BOT, written), expected, "{notes:?}");
        }
    }
}
