//! One look at one thing: observe, plan, apply, again until nothing is due; then name the next look.
//!
//! After a definite answer of GitLab's the next round is planned on what follows from it, without an observation; whatever else
//! happens, the next round observes.
//!
//! Holds no rule of its own: what is due is decided in [`convenor_core::plan`]. [`Planner`] can only read, so whoever is
//! given one can show what would be done and nothing more.

mod hands;
mod lifeline;
mod planner;
mod resync;
mod round;
mod sight;

use std::collections::BTreeSet;
use std::time::Duration;

use convenor_core::ids::UserId;
use convenor_core::plan::brakes::{self, Begun, Leave};
use convenor_core::plan::seen::ProjectStanding;
use convenor_core::plan::standing::Standing;
use convenor_core::plan::{Plan, Remark, Rest, Step, Turn, step};
use convenor_core::thing::Thing;
use jiff::{SignedDuration, Timestamp};

use self::hands::Hands;
use self::round::Way;
use self::sight::{Seen, Sight};
use crate::apply::{Applier, ApplyError, Progress};
use crate::clock::Clock;
use crate::gitlab::GitLabError;
use crate::observe::ObserveError;
use crate::store::{Claim, JournalEntry, NOT_DUE, StepState, Store, StoreError};
use crate::telemetry::metrics;
use crate::worker::{Look, Looker};

pub use planner::{PlanError, Planner};

/// A look that is not done after this many rounds is chasing something that changes under its hands, or its own tail.
const MOST_ROUNDS: usize = 60;

/// So many rounds in a row may end in doubt with nothing done; then time has to mend what is wrong.
const MOST_DOUBTS: u32 = 5;

/// How soon a look that got on, and then failed, is worth another.
const GO_ON_AFTER: Duration = Duration::from_secs(1);

/// What follows from GitLab's answers is looked at with one's own eyes so much later, if no webhook brings that about before.
const MAKE_SURE_AFTER: Duration = Duration::from_secs(30);

/// How soon a look that may not write is worth another.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// When the limit on removals has stopped a look, the next one is due.
const CAPPED_FOR: Duration = Duration::from_secs(3600);

/// Writes that one thing may cause within an hour, where the settings say nothing.
const BUDGET: usize = 600;

/// Removals of rows are proposed one after the other, so far apart.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(30);

/// A turn to remove a row ends so long before somebody else may have the next.
const BEFORE_THE_NEXT: Duration = Duration::from_secs(5);

/// Looks at things and does what is due.
#[derive(Clone)]
pub struct GitLabLooker {
    planner: Planner,
    applier: Applier,
    store: Store,
    clock: Clock,
    resync: Duration,
    anyway: Duration,
    lifeline: Duration,
    pause: Duration,
    budget: usize,
    hands: Hands,
}

impl GitLabLooker {
    /// A looker; `resync` is when it looks again at what is as it should be.
    #[must_use]
    pub fn new(planner: Planner, applier: Applier, resync: Duration) -> Self {
        let (store, clock) = (planner.store.clone(), planner.clock.clone());
        Self {
            planner,
            applier,
            store,
            clock,
            resync,
            anyway: Duration::from_secs(7 * 24 * 3600),
            lifeline: Duration::from_secs(3600),
            pause: Duration::from_millis(200),
            budget: BUDGET,
            hands: Hands::default(),
        }
    }

    /// The same, with another number of writes that one thing may cause within an hour.
    #[must_use]
    pub fn with_budget(mut self, writes_per_hour: usize) -> Self {
        self.budget = writes_per_hour;
        self
    }

    /// The same, telling about every step.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.applier = self.applier.with_progress(progress);
        self
    }

    /// The same, with another time after which it looks at latest at what is at rest (a week).
    #[must_use]
    pub fn with_anyway(mut self, anyway: Duration) -> Self {
        self.anyway = anyway;
        self
    }

    /// The same, with another time from one look at a lifeline to the next (an hour).
    #[must_use]
    pub fn with_lifeline(mut self, lifeline: Duration) -> Self {
        self.lifeline = lifeline;
        self
    }

    /// The same, with another first pause before it looks again at what is in doubt (0.2 s, doubling).
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The reading half.
    #[must_use]
    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    async fn settle(&self, claim: &Claim) -> Result<Settled, Unsettled> {
        let mut got_on = false;
        let result = self.settle_in_rounds(claim, &mut got_on).await;
        result.map_err(|error| Unsettled { error, got_on })
    }

    /// When to look at what is at rest although nothing tells of a change. Spread, so that what was looked at together is not again.
    fn some_day(&self) -> Duration {
        self.anyway.mul_f64(1.0 - fastrand::f64() / 2.0).max(self.resync)
    }

    /// The same when it is known whether it is the thing's turn, and what a look did not know that handed it over; `None`: it was not as it was
    /// taken for. First it stands in line, then the others are counted: two that are looked at at the same time must not both take
    /// the last turn.
    async fn in_line(&self, thing: &Thing, sight: Sight, way: &mut Way) -> Result<Option<Sight>, LookError> {
        let mut is_unknown = false;
        for (page, turn) in &sight.plan.turns {
            let came = self.store.stand_in_line(thing, page, self.clock.now()).await?;
            is_unknown |= *turn == Turn::Unknown || (came && *turn == Turn::Taken);
        }
        let was_handed = std::mem::take(&mut way.was_handed);
        if !is_unknown && !was_handed {
            return Ok(Some(sight));
        }
        let premise = sight.premise.clone();
        let (sight, confirmed) = tokio::join!(
            self.planner.counted(thing, sight, was_handed),
            self.planner.confirm(thing, None),
        );
        let sight = sight?;
        way.is_confirmed = match confirmed {
            Ok(confirmed) => confirmed.premise == premise,
            // A token that does not count any more stops all writing; whatever else went wrong, it is asked again before anything is told.
            Err(error) if error.is_unauthorized() => return Err(error.into()),
            Err(_) => false,
        };
        Ok(sight)
    }

    async fn settle_in_rounds(&self, claim: &Claim, got_on: &mut bool) -> Result<Settled, LookError> {
        let thing = &claim.thing;
        let mut way = Way::new(thing);
        // What follows from GitLab's answers; without it, it is looked at.
        let mut known: Option<Seen> = self.hands.take(claim, self.clock.now());
        way.was_handed = matches!(known, Some(Seen::Community(_)));
        way.looked_at = self
            .clock
            .now()
            .saturating_sub(hands::COUNTS_FOR)
            .unwrap_or(Timestamp::MIN);
        for _ in 0..MOST_ROUNDS {
            let is_foreseen = known.is_some();
            let sight = match known.take() {
                Some(seen) => {
                    let seen = self.hands.with_opened(thing, seen, self.clock.now());
                    self.planner.plan_of(thing, seen)?
                }
                None => match self.see_anew(thing, &mut way).await {
                    Err(PlanError::Observe(ObserveError::GitLab(source)))
                        if is_in_doubt(&source) && way.doubts < MOST_DOUBTS =>
                    {
                        tracing::info!(%thing, %source, "could not see; looking again");
                        self.wait_in_doubt(&mut way).await;
                        continue;
                    }
                    other => other?,
                },
            };
            if !is_foreseen {
                way.is_confirmed = false;
                self.close_what_was_found(thing, &sight, way.looked_at).await?;
            }
            let Some(sight) = self.in_line(thing, sight, &mut way).await? else {
                continue;
            };
            let plan = &sight.plan;
            metrics::planned(thing, plan.steps.len());
            if plan.is_empty() {
                if sight.seen.project_without_members().is_some() {
                    continue;
                }
                return self.settled(claim, sight, way, is_foreseen).await;
            }
            let takes_a_row = plan.steps.iter().any(|step| step.kind() == step::REMOVAL);
            // A turn ends: whoever was held up meanwhile counts again.
            let has_turn = |until: &Timestamp| takes_a_row && *until > self.clock.now();
            way.turn_to_remove = way.turn_to_remove.filter(has_turn);
            if takes_a_row && way.turn_to_remove.is_none() {
                way.turn_to_remove = Some(self.take_turn_to_remove(thing).await?);
                continue;
            }
            let steps = self.allowed(thing, &plan.steps, way.looked_at).await?.to_vec();
            way.worked = true;
            self.knock_ahead(claim, &sight, is_foreseen, &mut way).await?;
            let round = self.carry_out(claim, &steps, sight, &mut way).await?;
            *got_on |= round.done > 0;
            way.doubts = if round.done > 0 { 0 } else { way.doubts };
            known = round.known;
            match round.failed {
                None => {}
                // Somebody was faster, or an earlier attempt had been done after all: what is due now is to be seen again.
                Some(ApplyError::GitLab { source, .. }) if source.is_already_there() => {
                    tracing::info!(%thing, %source, "found it done already; looking again");
                }
                // Nobody knows whether it happened, or it surely did not: looking again tells, sending again would not.
                Some(ApplyError::GitLab { source, .. }) if is_in_doubt(&source) && way.doubts < MOST_DOUBTS => {
                    tracing::info!(%thing, %source, "in doubt; looking again");
                    self.wait_in_doubt(&mut way).await;
                }
                Some(error) => return Err(error.into()),
            }
        }
        Err(LookError::Restless)
    }

    async fn wait_in_doubt(&self, way: &mut Way) {
        tokio::time::sleep(self.pause * 2_u32.pow(way.doubts)).await;
        way.doubts += 1;
    }

    /// Others whom a plan concerns are told at the end of the look, when it is true for them; those who need nothing of the steps that
    /// are left, now: they work meanwhile.
    async fn knock_ahead(
        &self,
        claim: &Claim,
        sight: &Sight,
        is_foreseen: bool,
        way: &mut Way,
    ) -> Result<(), LookError> {
        let plan = &sight.plan;
        // Some reasons to knock are gone once the steps are done.
        way.knocks.extend(plan.knocks.iter().cloned());
        if plan.steps.iter().any(|step| matches!(step, Step::CreateProject { .. })) {
            // A new project may need a webhook of its own.
            way.knocks.insert(Thing::Lifeline(claim.thing.program().clone()));
        }
        let is_ahead = is_foreseen && plan.steps.iter().all(Step::concerns_nobody_else);
        let untold = plan.knocks.iter().filter(|thing| is_ahead && !way.told.contains(thing));
        let untold: Vec<Thing> = untold.cloned().collect();
        if untold.is_empty() {
            return Ok(());
        }
        for community in untold.iter().filter(|thing| matches!(thing, Thing::Community(..))) {
            if let Some(seen) = self.planner.of_new_community(&claim.thing, &sight.seen).await? {
                self.hands.give(community, seen, self.clock.now());
            }
        }
        self.store
            .knock(&untold, &cause_for_others(claim), self.clock.now())
            .await?;
        way.told.extend(untold);
        Ok(())
    }

    /// What others need to know of the end of a look, before they are told to look themselves.
    fn hand_on(&self, claim: &Claim, plan: &Plan, seen: Seen, is_foreseen: bool) -> Result<(), LookError> {
        let now = self.clock.now();
        match seen {
            Seen::Proposal(seen) if matches!(seen.project, ProjectStanding::Ours(_)) => {
                self.hands.leave(claim, seen, now);
            }
            Seen::Community(seen) if is_foreseen => {
                let proposal = plan.knocks.iter().find(|thing| matches!(thing, Thing::Proposal(..)));
                let opened = self.planner.opened(&claim.thing, &seen)?;
                if let (Some(proposal), Some(opened)) = (proposal, opened) {
                    self.hands.opened(proposal, opened, &cause_for_others(claim), now);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing is due any more.
    async fn settled(
        &self,
        claim: &Claim,
        sight: Sight,
        mut way: Way,
        is_foreseen: bool,
    ) -> Result<Settled, LookError> {
        let (thing, plan) = (&claim.thing, sight.plan);
        self.hand_on(claim, &plan, sight.seen, is_foreseen)?;
        let standing = Standing::of(thing, &plan);
        // Without a change of ours nobody else has a reason to look: two things would wake each other for ever.
        way.knocks.extend(if way.worked { plan.knocks } else { Vec::new() });
        let waits: Vec<&str> = plan.turns.keys().map(String::as_str).collect();
        if self.store.leave_line(thing, &waits, self.clock.now()).await? {
            way.knocks
                .extend(self.planner.next_in_line(thing.program(), self.clock.now()).await?);
        }
        Ok(Settled {
            standing,
            report: plan.report,
            knocks: way.knocks.difference(&way.told).cloned().collect(),
            is_foreseen,
            // What was just written may be seen only later: the next resync looks once more.
            rest: plan.rest.filter(|rest| !way.worked || *rest == Rest::Over),
            look_by: plan.look_by,
        })
    }

    async fn see_anew(&self, thing: &Thing, way: &mut Way) -> Result<Sight, PlanError> {
        way.looked_at = self.clock.now();
        self.see(thing, &way.refused).await
    }

    /// What is there and due. After a stop, nothing is before the token works again and is still ours.
    async fn see(&self, thing: &Thing, refused: &BTreeSet<UserId>) -> Result<Sight, PlanError> {
        let stop = self.applier.stop();
        if let (Some(_), Some(program)) = (stop.reason(), self.planner.programs.get(thing.program())) {
            match program.observer.confirm_who_we_are().await {
                Ok(()) => stop.lift(),
                Err(error @ ObserveError::AnotherUser { .. }) => {
                    stop.set(error.to_string());
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.planner.see(thing, refused).await
    }

    /// Removals are counted before each: two looks at a time would both count before either wrote. So they take turns, and who
    /// has one looks again before it writes.
    async fn take_turn_to_remove(&self, thing: &Thing) -> Result<Timestamp, LookError> {
        let (name, now) = (format!("removal {}", thing.program()), self.clock.now());
        if !self.store.take_turn(&name, now, BETWEEN_REMOVALS).await? {
            return Err(LookError::TooSoon {
                step: "propose to remove a row, one after the other".to_owned(),
                wait: BETWEEN_REMOVALS,
            });
        }
        let length = SignedDuration::try_from(BETWEEN_REMOVALS - BEFORE_THE_NEXT).unwrap_or(SignedDuration::ZERO);
        Ok(now.saturating_add(length).unwrap_or(now))
    }

    /// Steps of earlier looks whose end was unknown, and which are not due any more: they are done, or not wanted.
    async fn close_what_was_found(&self, thing: &Thing, sight: &Sight, looked_at: Timestamp) -> Result<(), StoreError> {
        for entry in self.store.journal_open(thing).await? {
            let is_due = |step: &Step| step.kind() == entry.kind && step.to_string() == entry.step;
            let is_settled = !sight.plan.steps.iter().any(is_due);
            if is_settled && brakes::is_over(&as_begun(entry.clone()), looked_at) {
                let found = sight.seen.name_of(&entry.kind);
                let found = found.as_deref().unwrap_or(NOT_DUE);
                let now = self.clock.now();
                self.store
                    .journal_end(&entry.id, StepState::Done, Some(found), now)
                    .await?;
            }
        }
        Ok(())
    }

    /// What was begun for a thing as long as it counts.
    async fn begun(&self, thing: &Thing) -> Result<Vec<Begun>, StoreError> {
        let since = self.clock.now().checked_sub(brakes::REMEMBERED);
        let entries = self.store.journal_since(thing, since.unwrap_or(Timestamp::MIN)).await?;
        Ok(entries.into_iter().map(as_begun).collect())
    }

    /// The steps that the brakes let through now.
    async fn allowed<'a>(
        &self,
        thing: &Thing,
        steps: &'a [Step],
        looked_at: Timestamp,
    ) -> Result<&'a [Step], LookError> {
        let now = self.clock.now();
        let begun = self.begun(thing).await?;
        match brakes::check(steps, &begun, self.budget, looked_at, now) {
            Leave::Steps(count) => Ok(steps.get(..count).unwrap_or(steps)),
            Leave::NotBefore(until) => Err(LookError::TooSoon {
                step: format!(
                    "nobody knows yet whether this happened: {}",
                    steps.first().map(ToString::to_string).unwrap_or_default()
                ),
                wait: Duration::try_from(until.duration_since(now)).unwrap_or(ASK_AGAIN_AFTER),
            }),
            Leave::Hold(why) => Err(LookError::Held(why)),
        }
    }
}

fn as_begun(entry: JournalEntry) -> Begun {
    Begun {
        is_open: matches!(entry.state, StepState::Pending | StepState::Unknown),
        failed: entry.state == StepState::Failed,
        kind: entry.kind,
        words: entry.step,
        at: entry.at,
        ended_at: entry.ended_at,
    }
}

/// Whether looking again in a moment can tell more: what became of a write, or what a proxy's page stood in front of.
fn is_in_doubt(error: &GitLabError) -> bool {
    let garbled = matches!(error, GitLabError::Unreadable { .. } | GitLabError::Incomplete { .. });
    error.is_outcome_unknown() || garbled || (error.is_passing() && error.retry_after().is_none())
}

struct Unsettled {
    error: LookError,
    got_on: bool,
}

impl Unsettled {
    /// A look that got on is not one of those that fail again and again.
    fn into_look(self) -> Look {
        match self.error.into_look() {
            Look::Retry { after: None, error } if self.got_on => Look::Retry {
                after: Some(GO_ON_AFTER),
                error,
            },
            other => other,
        }
    }
}

struct Settled {
    standing: Option<Standing>,
    report: Vec<Remark>,
    knocks: Vec<Thing>,
    rest: Option<Rest>,
    look_by: Option<Timestamp>,
    /// Whether the last of it follows from GitLab's answers and was not read.
    is_foreseen: bool,
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("has to wait a little: {step}")]
    TooSoon { step: String, wait: Duration },
    #[error("{0}")]
    Held(String),
    #[error("after {MOST_ROUNDS} rounds something was still due; it changes faster than it can be looked at")]
    Restless,
}

impl LookError {
    fn into_look(self) -> Look {
        if let Self::Held(reason) = self {
            return Look::Hold { reason };
        }
        let after = match &self {
            Self::TooSoon { wait, .. } => Some(*wait),
            Self::Apply(ApplyError::Stopped(_)) | Self::Plan(PlanError::Observe(ObserveError::AnotherUser { .. })) => {
                Some(ASK_AGAIN_AFTER)
            }
            other => other.gitlab().and_then(|error| match error {
                // Nothing is wrong with the thing: it must not be given up because of the token.
                GitLabError::Unauthorized { .. } => Some(ASK_AGAIN_AFTER),
                other => other.retry_after(),
            }),
        };
        Look::Retry {
            after,
            error: with_causes(&self),
        }
    }

    fn gitlab(&self) -> Option<&GitLabError> {
        match self {
            Self::Plan(PlanError::Observe(ObserveError::GitLab(error))) => Some(error),
            Self::Apply(ApplyError::GitLab { source, .. }) => Some(source),
            _ => None,
        }
    }
}

impl Looker for GitLabLooker {
    async fn look(&self, claim: &Claim) -> Look {
        let thing = &claim.thing;
        let settled = match self.settle(claim).await {
            Ok(settled) => settled,
            Err(unsettled) => return unsettled.into_look(),
        };
        let report: Vec<String> = settled.report.iter().map(ToString::to_string).collect();
        tracing::info!(%thing, report = report.join("; "), "looked");
        if let Err(error) = self.store.note_standing(thing, settled.standing).await {
            // A figure is not worth a failed look.
            tracing::warn!(%thing, %error, "how it stands could not be kept");
        }
        let cause = cause_for_others(claim);
        if let Err(error) = self.store.knock(&settled.knocks, &cause, self.clock.now()).await {
            return LookError::from(error).into_look();
        }
        if settled.report.contains(&Remark::RemovalsCapped) {
            // Not held: the limit is of a day, and a charter that is mended meanwhile has to be seen.
            tracing::error!(%thing, "{}", Remark::RemovalsCapped);
            return Look::Retry {
                after: Some(CAPPED_FOR),
                error: Remark::RemovalsCapped.to_string(),
            };
        }
        let next = match (thing, &settled.rest) {
            _ if settled.is_foreseen => MAKE_SURE_AFTER.min(self.resync),
            (Thing::Lifeline(_), _) => self.lifeline,
            (_, Some(_)) => self.some_day(),
            (_, None) => self.resync,
        };
        let is_due_in = |by: Timestamp| Duration::try_from(by.duration_since(self.clock.now())).unwrap_or_default();
        Look::Done {
            next: settled
                .look_by
                .map_or(next, |by| next.min(is_due_in(by).max(GO_ON_AFTER))),
            rest: settled.rest,
        }
    }
}

/// How it began stays, so that whatever comes of it can be traced back; the way in between does not grow.
fn cause_for_others(claim: &Claim) -> String {
    let began = claim.cause.split("; ").next().unwrap_or(&claim.cause);
    format!("{began}; look at {}", claim.thing)
}

/// An error with all its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Transparent errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
