//! Who asked to become a member, and who was invited by mail.

use super::members::Source;
use super::rights::{DEVELOPER, MAINTAINER, OWNER};
use super::{Kind, Place, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::{Timestamp, civil::Date};

/// Somebody who asked.
#[derive(Debug, Clone)]
pub(crate) struct AccessRequest {
    pub(crate) source: Source,
    pub(crate) user: u64,
    pub(crate) at: Timestamp,
}

/// An address that was invited and belongs to nobody yet.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) source: Source,
    pub(crate) email: String,
    pub(crate) level: u64,
    pub(crate) expires_at: Option<Date>,
    pub(crate) at: Timestamp,
    pub(crate) by: u64,
    pub(crate) token: String,
}

/// Both, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    pub(crate) asked: Vec<AccessRequest>,
    pub(crate) invited: Vec<Invitation>,
}

impl State {
    /// The level from which on somebody manages the members of a place.
    pub(crate) fn manager_level(source: Source) -> u64 {
        if matches!(source, Place::Group(_)) {
            OWNER
        } else {
            MAINTAINER
        }
    }

    /// Asks for access; members and people who asked already cannot.
    pub(crate) fn ask_for_access(&mut self, actor: u64, source: Source) -> Result<AccessRequest> {
        if self.level_in(Some(actor), source) > 0 {
            return Err(Refusal::invalid("user_id", &["already exists in source"]));
        }
        if self.find_request(source, actor).is_ok() {
            return Err(Refusal::invalid("user_id", &["has already been taken"]));
        }
        let request = AccessRequest {
            source,
            user: actor,
            at: self.now(),
        };
        self.waiting.asked.push(request.clone());
        happened::member(self, source, actor, DEVELOPER, "ask", None);
        Ok(request)
    }

    pub(crate) fn find_request(&self, source: Source, user: u64) -> Result<&AccessRequest> {
        let mut asked = self.waiting.asked.iter();
        asked
            .find(|r| r.source == source && r.user == user)
            .ok_or_else(Refusal::nothing_here)
    }

    fn forget_request(&mut self, source: Source, user: u64) {
        self.waiting.asked.retain(|r| r.source != source || r.user != user);
    }

    /// Makes somebody who asked a member.
    pub(crate) fn approve_request(&mut self, actor: u64, source: Source, user: u64, level: u64) -> Result<()> {
        self.find_request(source, user)?;
        self.add_member(actor, source, user, level, None)?;
        self.forget_request(source, user);
        Ok(())
    }

    /// Refuses somebody who asked; people may also take back what they asked.
    pub(crate) fn deny_request(&mut self, actor: u64, source: Source, user: u64) -> Result<()> {
        self.find_request(source, user)?;
        if actor != user && self.level_in(Some(actor), source) < Self::manager_level(source) {
            return Err(Refusal::forbidden());
        }
        self.forget_request(source, user);
        happened::member(self, source, user, DEVELOPER, "deny", None);
        Ok(())
    }

    pub(crate) fn invitation(&mut self, source: Source, email: &str) -> Option<&mut Invitation> {
        let mut invited = self.waiting.invited.iter_mut();
        invited.find(|i| i.source == source && i.email.eq_ignore_ascii_case(email))
    }

    /// Remembers an address until somebody of that address comes.
    pub(crate) fn invite(&mut self, actor: u64, source: Source, email: &str, level: u64, expires_at: Option<Date>) {
        let invitation = Invitation {
            source,
            email: email.to_owned(),
            level,
            expires_at,
            at: self.now(),
            by: actor,
            token: self.random_hex(20),
        };
        // Invitations are members without a user on GitLab and take a number like them.
        let _ = self.id(Kind::Member);
        self.waiting.invited.push(invitation);
    }
}
