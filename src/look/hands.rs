//! What looks hand to each other, in memory.
//!
//! Only a saving: it is lost with the process, counts for some seconds, and whoever finds nothing here looks for themselves. Nothing
//! that is written depends on it being true: GitLab refuses a file that has moved on, a branch that is there and a second merge
//! request, and after any refusal the look observes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convenor_core::plan::handover::{self, Opened};
use convenor_core::plan::seen::{CommunitySeen, ProposalSeen};
use convenor_core::thing::Thing;
use jiff::{SignedDuration, Timestamp};

use super::sight::Seen;
use crate::store::Claim;

/// What was handed over counts so long.
pub(super) const COUNTS_FOR: SignedDuration = SignedDuration::from_secs(10);

/// Shared by all looks of a process.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    communities: BTreeMap<Thing, Aged<Box<CommunitySeen>>>,
    /// What was known of proposals when their looks ended, and how often they had been knocked at when those began.
    left: BTreeMap<Thing, Aged<(Box<ProposalSeen>, i64)>>,
    /// What was opened for proposals, and the cause that they are knocked at with because of that.
    opened: BTreeMap<Thing, Aged<(Opened, String)>>,
}

struct Aged<T> {
    what: T,
    since: Timestamp,
}

impl<T> Aged<T> {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.since);
        !age.is_negative() && age < COUNTS_FOR
    }
}

impl Hands {
    /// For the community's next look.
    pub(super) fn give(&self, community: &Thing, seen: CommunitySeen, since: Timestamp) {
        let what = Box::new(seen);
        self.held(since)
            .communities
            .insert(community.clone(), Aged { what, since });
    }

    /// The look at a proposal ends, and its community's is to follow.
    pub(super) fn leave(&self, claim: &Claim, seen: Box<ProposalSeen>, since: Timestamp) {
        let what = (seen, claim.knocks);
        self.held(since).left.insert(claim.thing.clone(), Aged { what, since });
    }

    /// A community's look has opened merge requests, and will knock at its proposal for this cause.
    pub(super) fn opened(&self, proposal: &Thing, opened: Opened, cause: &str, since: Timestamp) {
        let what = (opened, cause.to_owned());
        self.held(since).opened.insert(proposal.clone(), Aged { what, since });
    }

    /// What a look may begin with. That of a proposal only when nobody else has knocked at it since it was left, so that nothing is
    /// overlooked that anybody did meanwhile.
    pub(super) fn take(&self, claim: &Claim, now: Timestamp) -> Option<Seen> {
        let mut held = self.held(now);
        if let Some(community) = held.communities.remove(&claim.thing) {
            return Some(Seen::Community(community.what));
        }
        let (left, opened) = (held.left.remove(&claim.thing), held.opened.remove(&claim.thing));
        let ((seen, knocks), (opened, cause)) = (left?.what, opened?.what);
        if claim.knocks != knocks + 1 || claim.cause != cause {
            return None;
        }
        let seen = handover::proposal(*seen, opened)?;
        Some(Seen::Proposal(Box::new(seen)))
    }

    /// The same with what was opened since it was read that nothing was.
    pub(super) fn with_opened(&self, thing: &Thing, seen: Seen, now: Timestamp) -> Seen {
        let Seen::Proposal(known) = &seen else { return seen };
        let opened = self.held(now).opened.get(thing).map(|opened| opened.what.0.clone());
        let with = opened.and_then(|opened| handover::proposal((**known).clone(), opened));
        with.map_or(seen, |with| Seen::Proposal(Box::new(with)))
    }

    /// What is not fresh any more is forgotten whenever somebody comes by.
    fn held(&self, now: Timestamp) -> MutexGuard<'_, Held> {
        // Maps whose entries are replaced as a whole: right even after a panic elsewhere.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.communities.retain(|_, aged| aged.is_fresh(now));
        held.left.retain(|_, aged| aged.is_fresh(now));
        held.opened.retain(|_, aged| aged.is_fresh(now));
        held
    }
}
