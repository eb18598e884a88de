//! A schedule in words: what is printed when it fails can be run again, and searched around.

use std::fmt::{self, Debug};
use std::str::FromStr;

use anyhow::{Context as _, bail};

use crate::faults::{CallFault, CommitFault, DeliveryFault, Faults, Point};
use crate::people::{Act, Interference};
use crate::run::Schedule;
use crate::stories::Story;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.story)?;
        match &self.faults {
            Faults::None => {}
            Faults::At(points) => points.iter().try_for_each(|point| write!(f, ", {point}"))?,
            Faults::Weather(_) => write!(f, ", the weather of seed {}", self.seed)?,
        }
        for (call, act) in self.interference.all() {
            write!(f, ", call {call}: {act:?}")?;
        }
        if self.replicas != self.usual_replicas() {
            write!(f, ", {} replicas", self.replicas)?;
        }
        Ok(())
    }
}

/// A story, then what happens when: `Found, call 33: Short, commit 40: Freeze, commits: 750 ms, call 50: DeleteBoard, 2 replicas`.
impl FromStr for Schedule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split(',').map(str::trim);
        let story = named(&Story::ALL, parts.next().unwrap_or_default()).context("there is no such story")?;
        let (mut points, mut acts, mut replicas) = (Vec::new(), Vec::new(), None);
        for part in parts {
            if let Some(count) = part.strip_suffix(" replicas") {
                replicas = Some(count.parse()?);
                continue;
            }
            let (at, what) = part
                .split_once(": ")
                .with_context(|| format!("{part:?} has no colon"))?;
            if let ("commits", Some(time)) = (at, what.strip_suffix(" ms")) {
                points.push(Point::SlowCommits(time.parse()?));
                continue;
            }
            let (kind, number) = at.split_once(' ').with_context(|| format!("{part:?} has no number"))?;
            let number: u64 = number.parse().with_context(|| format!("{part:?} has no number"))?;
            match (kind, named(&CallFault::ALL, what), named(&Act::ALL, what)) {
                ("call", Some(fault), _) => points.push(Point::Call(number, fault)),
                ("call", None, Some(act)) => acts.push((number, act)),
                ("commit", ..) => {
                    let fault = named(&CommitFault::ALL, what).with_context(|| format!("{what:?}: no such fault"))?;
                    points.push(Point::Commit(number, fault));
                }
                ("delivery", ..) => {
                    let fault = named(&DeliveryFault::ALL, what).with_context(|| format!("{what:?}: no such fault"))?;
                    points.push(Point::Delivery(number, fault));
                }
                _ => bail!("{part:?} is neither a fault nor an act"),
            }
        }
        let schedule = Self {
            faults: if points.is_empty() {
                Faults::None
            } else {
                Faults::At(points)
            },
            interference: Interference::these(acts),
            ..Self::calm(story)
        };
        let usual = schedule.usual_replicas();
        Ok(Self {
            replicas: replicas.unwrap_or(usual),
            ..schedule
        })
    }
}

fn named<T: Copy + Debug>(all: &[T], name: &str) -> Option<T> {
    all.iter().copied().find(|one| format!("{one:?}") == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_back_from_its_words() {
        for words in [
            "Found",
            "Found, call 33: Short",
            "Retire, commits: 750 ms, commit 4: Freeze",
            "Found, call 3: CrashAfter, call 9: Short, delivery 2: Lost, call 7: EditProposal, call 19: Approve, 3 replicas",
        ] {
            let schedule: Schedule = words.parse().unwrap_or_else(|error| panic!("{words}: {error:#}"));
            assert_eq!(schedule.to_string(), words);
        }
        for wrong in [
            "",
            "Nothing",
            "Found, call 3",
            "Found, call x: Short",
            "Found, commit 3: Short",
            "Found, 3: Lost",
        ] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }
}
