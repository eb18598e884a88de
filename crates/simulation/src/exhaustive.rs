//! Every fault at every step point of a story: nothing is left to chance.

use crate::faults::{CallFault, CommitFault, DeliveryFault, Point};
use crate::people::Interference;
use crate::run::{Report, Schedule};

/// One fault, or one act of a person, at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Single {
    /// What to run.
    pub schedule: Schedule,
    /// What it is about, in words.
    pub words: String,
}

/// Where faults strike and people act.
#[derive(Clone, Copy, Debug)]
pub struct Strides {
    /// Of the reads each so-many-th is struck; writes, commits and deliveries all are.
    pub reads: u64,
    /// People act at each so-many-th call; 0: never.
    pub acts: u64,
    /// The first call at which they do.
    pub first_act: u64,
}

impl Strides {
    fn are_acted_at(self, call: u64) -> bool {
        self.acts > 0 && call % self.acts == self.first_act % self.acts
    }
}

/// All schedules with one fault, or what people do at one call, more than `base`, made from its run `calm`.
#[must_use]
pub fn singles(base: &Schedule, calm: &Report, strides: Strides) -> Vec<Single> {
    let mut points = Vec::new();
    for call in 0..calm.told.calls {
        let is_write = calm.write_calls.contains(&call);
        if !is_write && call % strides.reads.max(1) != 0 {
            continue;
        }
        let faults = CallFault::ALL.into_iter().filter(|fault| fault.can_happen(is_write));
        points.extend(faults.map(|fault| Point::Call(call, fault)));
    }
    for commit in 0..calm.told.commits {
        points.extend(CommitFault::ALL.map(|fault| Point::Commit(commit, fault)));
    }
    for delivery in 0..calm.told.deliveries {
        points.extend(DeliveryFault::ALL.map(|fault| Point::Delivery(delivery, fault)));
    }
    let struck = points.into_iter().map(|point| base.clone().and(point));
    let acted_at = (0..calm.told.calls).filter(|call| strides.are_acted_at(*call));
    let acts = acted_at.flat_map(|call| {
        let one = (0..Interference::KINDS).map(move |kind| Interference::one(call, kind));
        let two = Interference::PAIRS.into_iter();
        one.chain(two.map(move |pair| Interference::pair(call, pair)))
    });
    let disturbed = acts.map(|acts| Schedule {
        interference: base.interference.clone().with(acts),
        ..base.clone()
    });
    let all = struck.chain(disturbed);
    all.map(|schedule| Single {
        words: schedule.to_string(),
        schedule,
    })
    .collect()
}
