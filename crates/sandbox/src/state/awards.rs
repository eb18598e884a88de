//! Emoji that people put on issues, merge requests and notes.

use super::notes::Thing;
use super::rights::GUEST;
use super::{Kind, State};
use crate::http::{Refusal, Result};
use jiff::Timestamp;

/// One emoji of one person.
#[derive(Debug, Clone)]
pub(crate) struct Award {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) user: u64,
    pub(crate) at: Timestamp,
}

/// What an emoji is put on: a thing, or a note on it.
pub(crate) type Awarded = (Thing, Option<u64>);

impl State {
    pub(crate) fn awards(&self, on: Awarded) -> &[Award] {
        self.awards.get(&on).map_or(&[], Vec::as_slice)
    }

    /// How often an emoji stands on a thing.
    pub(crate) fn votes(&self, thing: Thing, name: &str) -> usize {
        self.awards((thing, None)).iter().filter(|a| a.name == name).count()
    }

    /// Puts an emoji on something that the actor sees; each person has each emoji once.
    pub(crate) fn award(&mut self, actor: u64, on: Awarded, name: &str) -> Result<Award> {
        self.need_writable(on.0.project())?;
        let name = name.trim_matches(':').to_owned();
        let known = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
        if !known {
            return Err(Refusal::not_found("Award Emoji Name is not a valid emoji name"));
        }
        if self.awards(on).iter().any(|a| a.user == actor && a.name == name) {
            return Err(Refusal::not_found("Award Emoji Name has already been taken"));
        }
        let award = Award {
            id: self.id(Kind::Award),
            name,
            user: actor,
            at: self.now(),
        };
        self.awards.entry(on).or_default().push(award.clone());
        Ok(award)
    }

    /// Takes an emoji away: its author, or an administrator.
    pub(crate) fn take_award(&mut self, actor: u64, on: Awarded, id: u64) -> Result<()> {
        let found = self.awards(on).iter().find(|a| a.id == id);
        let owner = found.map(|a| a.user).ok_or_else(|| Refusal::not_found("Award Emoji"))?;
        if owner != actor && !self.is_admin(Some(actor)) || self.project_level(Some(actor), on.0.project()) < GUEST {
            return Err(Refusal::unauthorized());
        }
        if let Some(awards) = self.awards.get_mut(&on) {
            awards.retain(|a| a.id != id);
        }
        Ok(())
    }
}
