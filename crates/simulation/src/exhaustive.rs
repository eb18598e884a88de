//! Every fault at every step point of a story: nothing is left to chance.

use crate::faults::{CallFault, CommitFault, DeliveryFault, Point};
use crate::people::Interference;
use crate::run::{Report, Schedule};
use crate::stories::Story;

/// One fault, or one act of a person, at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Single {
    /// What to run.
    pub schedule: Schedule,
    /// What it is about, in words.
    pub words: String,
}

impl Single {
    /// Whether it is about what a person does in between.
    #[must_use]
    pub fn is_about_people(&self) -> bool {
        !self.schedule.interference.is_empty()
    }
}

/// All schedules with one fault in them, made from a run without. `every`: of the reads only each so-many-th is struck;
/// writes, commits and deliveries all are.
#[must_use]
pub fn singles(story: Story, calm: &Report, every: usize) -> Vec<Single> {
    let mut points = Vec::new();
    for call in 0..calm.calls {
        let is_write = calm.write_calls.contains(&call);
        if !is_write && call % every.max(1) as u64 != 0 {
            continue;
        }
        let faults = CallFault::ALL.into_iter().filter(|fault| fault.can_happen(is_write));
        points.extend(faults.map(|fault| Point::Call(call, fault)));
    }
    for commit in 0..calm.commits {
        points.extend(CommitFault::ALL.map(|fault| Point::Commit(commit, fault)));
    }
    for delivery in 0..calm.deliveries {
        points.extend(DeliveryFault::ALL.map(|fault| Point::Delivery(delivery, fault)));
    }
    let struck = points.into_iter().map(|point| Single {
        words: format!("{story:?}, {point}"),
        schedule: Schedule::struck(story, point),
    });
    let acts = (0..calm.calls).step_by(every.max(1)).flat_map(|call| {
        (0..Interference::KINDS).map(move |kind| Single {
            words: format!("{story:?}, call {call}, {:?}", Interference::one(call, kind)),
            schedule: Schedule {
                interference: Interference::one(call, kind),
                ..Schedule::calm(story)
            },
        })
    });
    let pairs = (0..calm.calls).step_by(every.max(1)).flat_map(|call| {
        Interference::PAIRS.into_iter().map(move |pair| Single {
            words: format!("{story:?}, call {call}, {:?}", Interference::pair(call, pair)),
            schedule: Schedule {
                interference: Interference::pair(call, pair),
                ..Schedule::calm(story)
            },
        })
    });
    struck.chain(acts).chain(pairs).collect()
}
