//! One round of a look: the steps of a plan, as far as they go without a new plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use convenor_core::ids::UserId;
use convenor_core::plan::{Premise, Step, brakes, wave};
use convenor_core::thing::Thing;
use jiff::Timestamp;

use super::planner::{PlanError, Planner};
use super::sight::{Confirmed, Seen, Sight};
use super::{GitLabLooker, LookError};
use crate::apply::{Applied, ApplyError, Errand, MayTell, Packing, at_once};
use crate::gitlab::Words;
use crate::observe::ObserveError;
use crate::store::Claim;

/// What a look remembers from round to round.
pub(super) struct Way {
    /// Whether something was changed, or the thing is one that only knocks.
    pub(super) worked: bool,
    /// When the last observation began; what was handed over is older.
    pub(super) looked_at: Timestamp,
    /// Whom GitLab refused to add once: that may be a fault of the moment.
    pub(super) refused_once: BTreeSet<UserId>,
    /// Whom it refused again.
    pub(super) refused: BTreeSet<UserId>,
    /// So many rounds in a row ended in doubt with nothing done.
    pub(super) doubts: u32,
    /// Until when it has its turn to remove a row, if it wants to.
    pub(super) turn_to_remove: Option<Timestamp>,
    /// Who should be looked at.
    pub(super) knocks: BTreeSet<Thing>,
    /// Who was told already.
    pub(super) told: BTreeSet<Thing>,
    /// Whether steps may share calls.
    pub(super) packing: Packing,
    /// Whether what may be told was asked for after the last observation, and nothing was done since.
    pub(super) is_confirmed: bool,
    /// Whether the look begins with what another one handed over.
    pub(super) was_handed: bool,
}

impl Way {
    pub(super) fn new(thing: &Thing) -> Self {
        Self {
            worked: matches!(thing, Thing::Handbook(_) | Thing::Program(_) | Thing::Lifeline(_)),
            looked_at: Timestamp::MIN,
            refused_once: BTreeSet::new(),
            refused: BTreeSet::new(),
            doubts: 0,
            turn_to_remove: None,
            knocks: BTreeSet::new(),
            told: BTreeSet::new(),
            packing: Packing::Shared,
            is_confirmed: false,
            was_handed: false,
        }
    }
}

/// How a round ended.
#[derive(Default)]
pub(super) struct Round {
    /// How many steps were done.
    pub(super) done: usize,
    /// What would be seen now; `None`: that has to be looked at.
    pub(super) known: Option<Seen>,
    /// Why it ended before its end.
    pub(super) failed: Option<ApplyError>,
}

impl GitLabLooker {
    /// Carries out steps that need nothing of each other side by side. As soon as it is known what would be seen then, the round
    /// ends: the rest is planned anew, together with what has become possible. Just before people's text is told it is asked once more
    /// whether it may still be told; when not, the rest waits for the next observation.
    pub(super) async fn carry_out(
        &self,
        claim: &Claim,
        steps: &[Step],
        sight: Sight,
        way: &mut Way,
    ) -> Result<Round, LookError> {
        let mut round = Round::default();
        let (mut seen, premise) = (Some(sight.seen), sight.premise);
        let may_tell: Arc<dyn MayTell> = Arc::new(StillTrue {
            planner: self.planner.clone(),
            thing: claim.thing.clone(),
            premise: premise.clone(),
        });
        let mut rest = steps;
        while !rest.is_empty() {
            let alike = wave::together(rest);
            let (wave, later) = rest.split_at(at_once(rest.get(..alike).unwrap_or(rest), way.packing));
            rest = later;
            if wave.iter().any(Step::tells) && !std::mem::take(&mut way.is_confirmed) {
                let Some(confirmed) = self.confirm(&claim.thing, &premise, &seen, &mut round).await? else {
                    return Ok(round);
                };
                if confirmed.members.is_some() {
                    // More has become possible: it goes together.
                    way.is_confirmed = true;
                    round.known = seen.map(|seen| seen.with_members(confirmed.members));
                    return Ok(round);
                }
            }
            let errand = Errand {
                until: way.turn_to_remove,
                may_tell: Some(&may_tell),
                ..errand(claim)
            };
            let applied = self.applier.apply_together(errand, wave, way.packing).await;
            way.is_confirmed = false;
            self.take(applied, (claim, wave), &mut seen, way, &mut round).await?;
            if round.failed.is_some() {
                return Ok(round);
            }
            if seen.is_some() {
                round.known = seen;
                return Ok(round);
            }
        }
        Ok(round)
    }

    /// Asks whether what is to be told may still be told; `None`: it may not, or nobody knows.
    async fn confirm(
        &self,
        thing: &Thing,
        premise: &Premise,
        seen: &Option<Seen>,
        round: &mut Round,
    ) -> Result<Option<Confirmed>, LookError> {
        let confirmed = match self.planner.confirm(thing, seen.as_ref()).await {
            Err(PlanError::Observe(ObserveError::GitLab(source))) => {
                let step = format!("see what may be told of {thing}");
                round.failed = Some(ApplyError::GitLab { step, source });
                return Ok(None);
            }
            other => other?,
        };
        if confirmed.premise != *premise {
            tracing::info!(%thing, "it changed meanwhile; looking again before anything is told");
            return Ok(None);
        }
        Ok(Some(confirmed))
    }

    /// Keeps how steps ended.
    async fn take(
        &self,
        mut applied: Applied,
        (claim, steps): (&Claim, &[Step]),
        seen: &mut Option<Seen>,
        way: &mut Way,
        round: &mut Round,
    ) -> Result<(), LookError> {
        let known = seen
            .take()
            .and_then(|seen| seen.after(steps, &applied.answers, self.clock.now()));
        let refused = std::mem::take(&mut applied.refused);
        let (again, later) = self.believed(claim, steps, refused, way).await?;
        *seen = known.map(|seen| seen.without(&again));
        round.done += applied.done;
        way.refused.extend(again);
        if let Some(error) = applied.failed.or(later) {
            // What is wrong with which is found out one by one.
            way.packing = Packing::Single;
            *seen = None;
            round.failed = Some(error);
        }
        Ok(())
    }

    /// Whom GitLab has refused for good, and why a later look has to ask again, when it has. What it says of a person's values it
    /// would say again. "Not found" and "forbidden" it may as well say of the project, or of us, for a moment.
    async fn believed(
        &self,
        claim: &Claim,
        steps: &[Step],
        refused: BTreeMap<UserId, ApplyError>,
        way: &mut Way,
    ) -> Result<(BTreeSet<UserId>, Option<ApplyError>), LookError> {
        let (mut believed, mut later) = (BTreeSet::new(), None);
        if refused.is_empty() {
            return Ok((believed, later));
        }
        let begun = self.begun(&claim.thing).await?;
        for (user, error) in refused {
            let is_second = !way.refused_once.insert(user);
            if error.is_about_the_values() {
                believed.extend(is_second.then_some(user));
                continue;
            }
            // A refusal may be about another of those who share a call; the second is about this one.
            if !is_second {
                continue;
            }
            let adds = |step: &&Step| matches!(step, Step::AddMember { user: added, .. } if *added == user);
            let Some(step) = steps.iter().find(adds) else { continue };
            if brakes::is_refused_for_good(step, &begun, self.clock.now()) {
                believed.insert(user);
            } else {
                later = Some(error);
            }
        }
        Ok((believed, later))
    }
}

/// Whether a plan's premise still holds.
struct StillTrue {
    planner: Planner,
    thing: Thing,
    premise: Premise,
}

#[async_trait]
impl MayTell for StillTrue {
    async fn may_tell(&self) -> Result<bool, Words> {
        let confirmed = self.planner.confirm(&self.thing, None).await;
        let confirmed = confirmed.map_err(|error| Words::new(super::with_causes(&error)))?;
        Ok(confirmed.premise == self.premise)
    }
}

fn errand(claim: &Claim) -> Errand<'_> {
    Errand {
        thing: &claim.thing,
        cause: &claim.cause,
        lease: Some(&claim.lease),
        until: None,
        may_tell: None,
    }
}
