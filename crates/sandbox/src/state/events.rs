//! The list of what people did, as `GET /events` shows it.

use super::notes::Thing;
use super::{Kind, State};
use crate::git::{Commit, ZERO};
use jiff::Timestamp;
use std::sync::Arc;

/// Something that somebody did.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) id: u64,
    pub(crate) by: u64,
    pub(crate) project: u64,
    pub(crate) at: Timestamp,
    /// `opened`, `closed`, `commented on`, `pushed to`…
    pub(crate) action: &'static str,
    pub(crate) target: Target,
}

/// What it was done to.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Thing(Thing),
    Note(Thing, u64),
    Branch {
        name: String,
        from: String,
        to: String,
        commits: usize,
        title: Option<String>,
    },
}

impl State {
    pub(crate) fn write_event(&mut self, by: u64, project: u64, action: &'static str, target: Target) {
        let event = Happened {
            id: self.id(Kind::UserEvent),
            by,
            project,
            at: self.today(),
            action,
            target,
        };
        self.events.push(event);
    }

    /// An issue or merge request was opened, closed, merged…; changes of text are no event on GitLab.
    pub(crate) fn write_thing_event(&mut self, by: u64, thing: Thing, action: &str) {
        let action = match action {
            "open" => "opened",
            "close" => "closed",
            "reopen" => "reopened",
            "merge" => "accepted",
            "approved" => "approved",
            _ => return,
        };
        self.write_event(by, thing.project(), action, Target::Thing(thing));
    }

    pub(crate) fn write_push_event(
        &mut self,
        by: u64,
        project: u64,
        branch: &str,
        (from, to): (&str, &str),
        commits: &[Arc<Commit>],
    ) {
        let action = if to.is_empty() || to == ZERO {
            "deleted"
        } else if from.is_empty() || from == ZERO {
            "pushed new"
        } else {
            "pushed to"
        };
        let target = Target::Branch {
            name: branch.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            commits: commits.len(),
            title: commits
                .first()
                .and_then(|c| c.message.lines().next())
                .map(str::to_owned),
        };
        self.write_event(by, project, action, target);
    }
}
