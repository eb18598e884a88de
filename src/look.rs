//! One look at one thing: observe, plan, apply, again until nothing is due; then name the next look.
//!
//! Holds no rule of its own: what is due is decided in [`convenor_core::plan`]. [`Planner`] can only read, so whoever is
//! given one can show what would be done and nothing more.

mod lifeline;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use convenor_core::ids::{ProjectId, UserId};
use convenor_core::plan::context::Context;
use convenor_core::plan::seen::{ProposalSeen, Removals, Traffic};
use convenor_core::plan::wanted::Blueprint;
use convenor_core::plan::{Plan, Remark, Step, Turn, community, handbook, proposal, step};
use convenor_core::thing::{ProgramName, Thing};
use jiff::{SignedDuration, Timestamp};

use crate::apply::{Applier, ApplyError, Progress};
use crate::clock::Clock;
use crate::gitlab::GitLabError;
use crate::hooks::OwnHooks;
use crate::observe::{Asked, ObserveError, Observer, Remembered, Repair};
use crate::store::{Store, StoreError};
use crate::telemetry::metrics;
use crate::worker::{Look, Looker};

/// A look that is not done after this many rounds is chasing something that changes under its hands, or its own tail.
const MOST_ROUNDS: usize = 60;

/// So many rounds in a row may end in doubt with nothing done; then time has to mend what is wrong.
const MOST_DOUBTS: u32 = 5;

/// How soon a look that got on, and then failed, is worth another.
const GO_ON_AFTER: Duration = Duration::from_secs(1);

/// So many of those who wait for a turn are told when there may be one.
const SO_MANY_AT_ONCE: usize = 5;

/// Removals of rows are counted over a rolling day.
const REMOVALS_COUNT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Says what is due for a thing. Reads GitLab and the store, writes nothing.
#[derive(Clone)]
pub struct Planner {
    programs: Arc<BTreeMap<ProgramName, Program>>,
    store: Store,
    clock: Clock,
    asked: Asked,
    webhooks: OwnHooks,
}

struct Program {
    observer: Observer,
    blueprint: Blueprint,
}

/// Why a plan could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The observation failed.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// Our own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thing belongs to a program that the settings do not name (any more).
    #[error("the settings have no program {0}")]
    NoProgram(ProgramName),
}

impl Planner {
    /// A planner for these programs.
    #[must_use]
    pub fn new(programs: Vec<(Observer, Blueprint)>, store: Store, clock: Clock) -> Self {
        let entry = |(observer, blueprint): (Observer, Blueprint)| {
            (observer.program().name.clone(), Program { observer, blueprint })
        };
        Self {
            programs: Arc::new(programs.into_iter().map(entry).collect()),
            store,
            clock,
            asked: Asked::default(),
            webhooks: OwnHooks::default(),
        }
    }

    /// The same, caring for webhooks as the settings have them.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: OwnHooks) -> Self {
        self.webhooks = webhooks;
        self
    }

    /// The same, with what an operator asked for beyond what is due by itself.
    #[must_use]
    pub fn asked(mut self, asked: Asked) -> Self {
        self.asked = asked;
        self
    }

    /// Which pages' malformed rows an operator asked to mend.
    #[must_use]
    pub fn repair(&self) -> Option<&Repair> {
        self.asked.repair.as_ref()
    }

    /// The programs' observers.
    pub fn observers(&self) -> impl Iterator<Item = &Observer> {
        self.programs.values().map(|program| &program.observer)
    }

    /// What is due for one thing.
    ///
    /// # Errors
    /// When it cannot be observed.
    pub async fn plan(&self, thing: &Thing) -> Result<Plan, PlanError> {
        self.plan_without(thing, &BTreeSet::new()).await
    }

    /// What is due, when GitLab has just refused to add these people.
    async fn plan_without(&self, thing: &Thing, refused: &BTreeSet<UserId>) -> Result<Plan, PlanError> {
        let name = thing.program();
        let program = self
            .programs
            .get(name)
            .ok_or_else(|| PlanError::NoProgram(name.clone()))?;
        match thing {
            Thing::Proposal(_, issue) => {
                let Some(issue) = program.observer.issue(*issue).await? else {
                    return Ok(Plan::nothing(Remark::NotAProposal));
                };
                if let Some(why) = proposal::is_over(&issue) {
                    return Ok(Plan::nothing(why));
                }
                let remembered = Remembered {
                    acceptance: self.store.acceptance(thing).await?,
                    project: self.store.made_project(thing).await?,
                };
                let files = program.blueprint.file_paths();
                let seen = program.observer.proposal(issue, remembered, &files).await?;
                let seen = ProposalSeen {
                    refused_members: refused.clone(),
                    ..seen
                };
                let context = Context {
                    program: program.observer.program(),
                    blueprint: &program.blueprint,
                    now: self.clock.now(),
                };
                Ok(proposal::plan(&context, &seen))
            }
            Thing::Community(_, project) => self.plan_community(thing, program, *project).await,
            Thing::Handbook(_) => self.plan_handbook(program).await,
            Thing::Lifeline(_) => self.lifeline(&program.observer).await,
            Thing::Program(_) => Ok(Plan {
                knocks: self.members(program).await?,
                ..Plan::nothing(Remark::UpToDate)
            }),
        }
    }

    async fn plan_community(&self, thing: &Thing, program: &Program, project: ProjectId) -> Result<Plan, PlanError> {
        let now = self.clock.now();
        let since = now.checked_sub(REMOVALS_COUNT_FOR).unwrap_or(Timestamp::MIN);
        let removals = Removals {
            lately: self.store.count_steps(thing.program(), step::REMOVAL, since).await?,
            allowed: self.asked.removals,
        };
        let Some(mut seen) = program.observer.community(project, removals).await? else {
            return Ok(Plan::nothing(Remark::NoCharter));
        };
        let rules = program.observer.program();
        let plan = community::plan(rules, &seen);
        let is_unknown = |name: &str| plan.turns.get(name) == Some(&Turn::Unknown);
        let pages = rules.handbooks.iter().zip(&mut seen.listings).enumerate();
        let mut counted = false;
        for (index, (handbook, listing)) in pages.filter(|(_, (handbook, _))| is_unknown(&handbook.name)) {
            // First the line, then what is open: who leaves the line has opened already, so nobody is missed.
            let ahead = self.store.ahead_in_line(thing, &handbook.name, now).await?;
            let traffic = program.observer.traffic(index, now).await?;
            listing.traffic = Some(Traffic { ahead, ..traffic });
            counted = true;
        }
        Ok(if counted { community::plan(rules, &seen) } else { plan })
    }

    async fn plan_handbook(&self, program: &Program) -> Result<Plan, PlanError> {
        let now = self.clock.now();
        let context = Context {
            program: program.observer.program(),
            blueprint: &program.blueprint,
            now,
        };
        let seen = program.observer.handbook(&self.asked).await?;
        let mut plan = handbook::plan(&context, &seen);
        plan.knocks.extend(program.observer.concerned_by_page(now).await?);
        plan.knocks.extend(self.next_in_line(&context.program.name, now).await?);
        Ok(plan)
    }

    /// Who waits for a turn and might have it now.
    async fn next_in_line(&self, program: &ProgramName, now: Timestamp) -> Result<Vec<Thing>, PlanError> {
        let line = self.store.line(program, now).await?;
        Ok(line.into_iter().map(|(thing, _)| thing).take(SO_MANY_AT_ONCE).collect())
    }

    /// Everything of a program that has a look of its own.
    async fn members(&self, program: &Program) -> Result<Vec<Thing>, PlanError> {
        let name = &program.observer.program().name;
        let proposals = program.observer.proposal_iids().await?;
        let communities = program.observer.community_ids().await?;
        let proposals = proposals.into_iter().map(|issue| Thing::Proposal(name.clone(), issue));
        let communities = communities.into_iter().map(|id| Thing::Community(name.clone(), id));
        let handbook = (!program.observer.program().handbooks.is_empty()).then(|| Thing::Handbook(name.clone()));
        Ok(proposals.chain(communities).chain(handbook).collect())
    }
}

/// Looks at things and does what is due.
#[derive(Clone)]
pub struct GitLabLooker {
    planner: Planner,
    applier: Applier,
    store: Store,
    clock: Clock,
    resync: Duration,
    lifeline: Duration,
    pause: Duration,
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
            lifeline: Duration::from_secs(3600),
            pause: Duration::from_millis(200),
        }
    }

    /// The same, telling about every step.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.applier = self.applier.with_progress(progress);
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

    async fn settle(&self, thing: &Thing, cause: &str) -> Result<Settled, Unsettled> {
        let mut got_on = false;
        let result = self.settle_in_rounds(thing, cause, &mut got_on).await;
        result.map_err(|error| Unsettled { error, got_on })
    }

    /// Whether the thing came into the line for a turn only now, and its turn has to be looked at again: two that are looked at
    /// at the same time must not both take the last one.
    async fn stood_in_line(&self, thing: &Thing, plan: &Plan) -> Result<bool, StoreError> {
        let mut again = false;
        for (page, turn) in &plan.turns {
            let came = self.store.stand_in_line(thing, page, self.clock.now()).await?;
            again |= came && *turn == Turn::Taken;
        }
        Ok(again)
    }

    async fn settle_in_rounds(&self, thing: &Thing, cause: &str, got_on: &mut bool) -> Result<Settled, LookError> {
        let only_knocks = matches!(thing, Thing::Handbook(_) | Thing::Program(_) | Thing::Lifeline(_));
        let mut made_project = false;
        let mut worked = only_knocks;
        let mut refused = BTreeSet::new();
        let mut doubts = 0;
        for _ in 0..MOST_ROUNDS {
            let plan = match self.planner.plan_without(thing, &refused).await {
                Err(PlanError::Observe(ObserveError::GitLab(source)))
                    if is_in_doubt(&source) && doubts < MOST_DOUBTS =>
                {
                    tracing::info!(%thing, %source, "could not see; looking again");
                    tokio::time::sleep(self.pause * 2_u32.pow(doubts)).await;
                    doubts += 1;
                    continue;
                }
                other => other?,
            };
            metrics::planned(thing, plan.steps.len());
            if self.stood_in_line(thing, &plan).await? {
                continue;
            }
            if plan.is_empty() {
                // Without a change of ours nobody else has a reason to look: two things would wake each other for ever.
                let mut knocks = if worked { plan.knocks } else { Vec::new() };
                // A new project may need a webhook of its own.
                knocks.extend(made_project.then(|| Thing::Lifeline(thing.program().clone())));
                let waits: Vec<&str> = plan.turns.keys().map(String::as_str).collect();
                if self.store.leave_line(thing, &waits, self.clock.now()).await? {
                    knocks.extend(self.planner.next_in_line(thing.program(), self.clock.now()).await?);
                }
                return Ok(Settled {
                    report: plan.report,
                    knocks,
                });
            }
            worked = true;
            made_project |= plan.steps.iter().any(|step| matches!(step, Step::CreateProject { .. }));
            let applied = self.applier.apply(thing, cause, &plan.steps).await;
            refused.extend(applied.refused);
            *got_on |= applied.done > 0;
            doubts = if applied.done > 0 { 0 } else { doubts };
            match applied.failed {
                None => {}
                // Somebody was faster, or an earlier attempt had been done after all: what is due now is to be seen again.
                Some(ApplyError::GitLab { source, .. }) if source.is_already_there() => {
                    tracing::info!(%thing, %source, "found it done already; looking again");
                }
                // Nobody knows whether it happened, or it surely did not: looking again tells, sending again would not.
                Some(ApplyError::GitLab { source, .. }) if is_in_doubt(&source) && doubts < MOST_DOUBTS => {
                    tracing::info!(%thing, %source, "in doubt; looking again");
                    tokio::time::sleep(self.pause * 2_u32.pow(doubts)).await;
                    doubts += 1;
                }
                Some(error) => return Err(error.into()),
            }
        }
        Err(LookError::Restless)
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
    report: Vec<Remark>,
    knocks: Vec<Thing>,
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("after {MOST_ROUNDS} rounds something was still due; it changes faster than it can be looked at")]
    Restless,
}

impl LookError {
    fn into_look(self) -> Look {
        Look::Retry {
            after: self.gitlab().and_then(GitLabError::retry_after),
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
    async fn look(&self, thing: &Thing, cause: &str) -> Look {
        let settled = match self.settle(thing, cause).await {
            Ok(settled) => settled,
            Err(unsettled) => return unsettled.into_look(),
        };
        let report: Vec<String> = settled.report.iter().map(ToString::to_string).collect();
        tracing::info!(%thing, report = report.join("; "), "looked");
        let cause = format!("look at {thing}");
        match self.store.knock(&settled.knocks, &cause, self.clock.now()).await {
            Ok(()) if matches!(thing, Thing::Lifeline(_)) => Look::Done { next: self.lifeline },
            Ok(()) => Look::Done { next: self.resync },
            Err(error) => LookError::from(error).into_look(),
        }
    }
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
