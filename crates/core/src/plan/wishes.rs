//! What people asked for in comments and by labels, and when the text that they mean last changed.

use super::labels::State;
use super::seen::{NoteSeen, ProposalSeen};
use super::status::Status;
use crate::approval::{self, Facts, NotCounted, Signal, TextSince, Wish};
use crate::command::{self, Command};
use crate::ids::{UserId, Username};

/// How GitLab's own notes about a change of the text begin. An edit that also ticks a task is only told as "marked the checklist
/// item … as completed", whatever else it changed (`Issuable::CommonSystemNotesService`).
const EDITS: [&str; 4] = [
    "changed the description",
    "changed title",
    "marked the ",
    "changed the title",
];

fn is_edit(note: &&NoteSeen) -> bool {
    let body = note.body.expose();
    note.system && EDITS.iter().any(|begin| body.starts_with(begin))
}

/// Who changed the text last, by GitLab's own notes.
#[must_use]
pub fn last_editor(notes: &[NoteSeen]) -> Option<UserId> {
    let edit = notes.iter().filter(is_edit).max_by_key(|note| note.id);
    edit.map(|note| note.author.id)
}

/// When the text last changed: by GitLab's own notes about edits, by what our comment recorded, by the issue's creation.
#[must_use]
pub fn text_since(seen: &ProposalSeen, status: &Status, current_hash: &str) -> TextSince {
    let edit = seen.notes.iter().filter(is_edit).max_by_key(|note| note.id);
    let edit = edit.map(|note| TextSince {
        at: note.created_at,
        note: Some(note.id),
        creation: false,
    });
    let created = TextSince {
        at: seen.issue.created_at,
        note: None,
        creation: true,
    };
    let recorded = status.since.map(|since| (status.text.as_str(), since));
    let known = match recorded {
        Some((hash, since)) if hash == current_hash => TextSince {
            at: since,
            note: None,
            creation: since <= created.at,
        },
        // The text is not the one that the comment shows. GitLab's note tells when it changed; without one, nothing that
        // happened up to now is surely later.
        Some((_, since)) if edit.is_none_or(|edit| edit.at <= since) => TextSince {
            at: seen.issue.updated_at,
            note: None,
            creation: false,
        },
        _ => created,
    };
    edit.into_iter()
        .chain([known])
        .max_by_key(|since| since.at)
        .unwrap_or(created)
}

/// Everything that people asked for.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Approvals and refusals, by label or command.
    pub signals: Vec<Signal>,
    /// Commands that ask for something else, with who asked.
    pub others: Vec<(Username, Command)>,
}

/// Reads label events and commands.
#[must_use]
pub fn read(seen: &ProposalSeen) -> Wishes {
    let mut signals: Vec<Signal> = label_signals(seen);
    let mut others = Vec::new();
    for note in seen
        .notes
        .iter()
        .filter(|note| !note.system && note.author.id != seen.bot.id)
    {
        let wish = match command::parse(&note.body, &seen.bot.username) {
            None | Some(Command::Recheck) => continue,
            Some(Command::Approve) => Wish::Approve,
            Some(Command::Decline { .. }) => Wish::Decline,
            Some(other) => {
                others.push((note.author.username.clone(), other));
                continue;
            }
        };
        let author = note.author.clone();
        signals.push(Signal {
            user: author.id,
            username: author.username,
            wish,
            at: note.created_at,
            note: Some(note.id),
            edited: note.edited,
        });
    }
    Wishes { signals, others }
}

/// A label event is a wish only while nobody took the label away again.
fn label_signals(seen: &ProposalSeen) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (state, wish) in [(State::Approved, Wish::Approve), (State::Declined, Wish::Decline)] {
        let events = seen.label_events.iter().filter(|event| event.label == state.label());
        let last = events.max_by_key(|event| event.at);
        if let Some(event) = last.filter(|event| event.added && event.user.id != seen.bot.id) {
            let user = event.user.clone();
            signals.push(Signal {
                user: user.id,
                username: user.username,
                wish,
                at: event.at,
                note: None,
                edited: false,
            });
        }
    }
    signals
}

/// Wishes that do not count, with the reason.
#[must_use]
pub fn refused(facts: &Facts<'_>) -> Vec<(Signal, NotCounted)> {
    let judged = facts
        .signals
        .iter()
        .map(|signal| (signal, approval::why_not(facts, signal)));
    judged
        .filter_map(|(signal, why)| Some((signal.clone(), why?)))
        .collect()
}
