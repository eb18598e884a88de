//! What is due for a thing: the reading half of a look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convenor_core::ids::UserId;
use convenor_core::plan::context::Context;
use convenor_core::plan::handover::{self, Opened};
use convenor_core::plan::seen::{CommunitySeen, ProjectStanding, ProposalSeen, Removals, Traffic};
use convenor_core::plan::standing::Life;
use convenor_core::plan::wanted::Blueprint;
use convenor_core::plan::{Plan, Premise, Remark, Turn, community, handbook, proposal, provision, step};
use convenor_core::thing::{ProgramName, Thing};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::sight::{Confirmed, Seen, Sight};
use crate::clock::Clock;
use crate::gitlab::GitLabError;
use crate::hooks::OwnHooks;
use crate::observe::{Asked, ObserveError, Observer, Remembered, Repair};
use crate::store::{Store, StoreError};

/// So many of those who wait for a turn are told when there may be one.
const SO_MANY_AT_ONCE: usize = 5;

/// Removals of rows are counted over a rolling day.
const REMOVALS_COUNT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Says what is due for a thing. Reads GitLab and the store, writes nothing.
#[derive(Clone)]
pub struct Planner {
    pub(super) programs: Arc<BTreeMap<ProgramName, Program>>,
    pub(super) store: Store,
    pub(super) clock: Clock,
    asked: Asked,
    pub(super) webhooks: OwnHooks,
}

pub(super) struct Program {
    pub(super) observer: Observer,
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

impl PlanError {
    pub(super) fn is_unauthorized(&self) -> bool {
        matches!(
            self,
            Self::Observe(ObserveError::GitLab(GitLabError::Unauthorized { .. }))
        )
    }
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
        let sight = self.see(thing, &BTreeSet::new()).await?;
        Ok(self
            .counted(thing, sight, false)
            .await?
            .map_or_else(Plan::default, |sight| sight.plan))
    }

    /// What a plan for this thing takes for granted, read now.
    pub(super) async fn premise(&self, thing: &Thing) -> Result<Premise, PlanError> {
        let program = self.program(thing)?;
        Ok(match thing {
            Thing::Proposal(_, issue) => {
                let issue = program.observer.issue(*issue).await?;
                issue.as_ref().map_or(Premise::None, Premise::of_proposal)
            }
            Thing::Community(_, project) => program.observer.premise_of_community(*project).await?,
            Thing::Handbook(_) => program.observer.premise_of_handbook().await?,
            Thing::Lifeline(_) => Premise::Lifeline(program.observer.readers().await?),
            Thing::Program(_) => Premise::None,
        })
    }

    fn program(&self, thing: &Thing) -> Result<&Program, PlanError> {
        let name = thing.program();
        let program = self.programs.get(name);
        program.ok_or_else(|| PlanError::NoProgram(name.clone()))
    }

    /// What is there and what is due, when GitLab has just refused to add these people. Whether it is the thing's turn, where there
    /// are limits, is not asked yet.
    pub(super) async fn see(&self, thing: &Thing, refused: &BTreeSet<UserId>) -> Result<Sight, PlanError> {
        let program = self.program(thing)?;
        match thing {
            Thing::Proposal(_, issue) => {
                let looked_at = self.clock.now();
                let Some(issue) = program.observer.issue(*issue).await? else {
                    return Ok(Sight::over(Remark::NotAProposal));
                };
                if let Some(why) = proposal::is_over(&issue) {
                    return Ok(Sight::over(why));
                }
                let remembered = Remembered {
                    acceptance: self.store.acceptance(thing).await?,
                    project: self.store.made_project(thing).await?,
                    of_others: self.store.projects_of_others(thing).await?,
                    comment: self.store.written_comment(thing).await?,
                    begun: self.store.first_begun(thing, "create_project").await?,
                    made_before: self.store.done_steps(thing, provision::FURNISHES).await?,
                };
                let files = program.blueprint.file_paths();
                let seen = program.observer.proposal(issue, looked_at, remembered, &files).await?;
                let refused_members = refused.clone();
                self.plan_of(
                    thing,
                    Seen::Proposal(Box::new(ProposalSeen {
                        refused_members,
                        ..seen
                    })),
                )
            }
            Thing::Community(_, project) => {
                let removals = self.removals(thing.program()).await?;
                match program.observer.community(*project, removals).await? {
                    Some(seen) => self.plan_of(thing, Seen::Community(Box::new(seen))),
                    None => Ok(Sight::over(Remark::NoCharter)),
                }
            }
            Thing::Handbook(_) => self.plan_handbook(program).await,
            Thing::Program(_) => {
                let knocks = self.resync(&program.observer).await?;
                let plan = Plan::nothing(Remark::UpToDate);
                Ok(Sight::of(Plan { knocks, ..plan }, Premise::None))
            }
            Thing::Lifeline(_) => {
                let (plan, premise) = self.lifeline(&program.observer).await?;
                Ok(Sight::of(plan, premise))
            }
        }
    }

    async fn removals(&self, program: &ProgramName) -> Result<Removals, StoreError> {
        let since = self.clock.now().checked_sub(REMOVALS_COUNT_FOR);
        let since = since.unwrap_or(Timestamp::MIN);
        Ok(Removals {
            since,
            lately: self.store.count_steps(program, step::REMOVAL, since).await?,
            allowed: self.asked.removals,
        })
    }

    /// What would be seen of the community that the look at this proposal has just made, but for what [`Planner::counted`] adds.
    pub(super) async fn of_new_community(
        &self,
        proposal: &Thing,
        seen: &Seen,
    ) -> Result<Option<CommunitySeen>, PlanError> {
        let Seen::Proposal(seen) = seen else { return Ok(None) };
        let ProjectStanding::Ours(project) = &seen.project else {
            return Ok(None);
        };
        let observer = &self.program(proposal)?.observer;
        let removals = self.removals(proposal.program()).await?;
        let branches = observer.new_row_branches(project);
        Ok(handover::community(observer.program(), seen, removals, &branches))
    }

    /// What a community's look opened for its proposal.
    pub(super) fn opened(&self, community: &Thing, seen: &CommunitySeen) -> Result<Option<Opened>, PlanError> {
        Ok(Opened::of(self.program(community)?.observer.program(), seen))
    }

    /// What is due when this is there. Asks nobody.
    pub(super) fn plan_of(&self, thing: &Thing, seen: Seen) -> Result<Sight, PlanError> {
        let program = self.program(thing)?;
        let rules = program.observer.program();
        let (plan, premise) = match &seen {
            Seen::Proposal(seen) => {
                let context = Context {
                    program: rules,
                    blueprint: &program.blueprint,
                    now: self.clock.now(),
                };
                let plan = beside_others(|| proposal::plan(&context, seen));
                (plan, Premise::of_proposal(&seen.issue))
            }
            Seen::Community(seen) => {
                let pages = seen.listings.iter().map(|listing| listing.page.visibility);
                let premise = Premise::of_community(Some(&seen.project), pages.collect());
                let plan = community::plan(rules, seen);
                (
                    Plan {
                        life: Life::of(seen),
                        ..plan
                    },
                    premise,
                )
            }
            Seen::Other => (Plan::default(), Premise::None),
        };
        Ok(Sight { plan, premise, seen })
    }

    /// The same after the others were counted, where a plan asks for that: first the line, then what is open. Who leaves the line has
    /// opened already, so nobody is missed. What `was_handed` over is completed; `None`: it is not as it was taken for.
    pub(super) async fn counted(
        &self,
        thing: &Thing,
        sight: Sight,
        was_handed: bool,
    ) -> Result<Option<Sight>, PlanError> {
        let Seen::Community(mut seen) = sight.seen else {
            return Ok(Some(sight));
        };
        let branches: Vec<String> = seen.listings.iter().map(|listing| listing.place.name.clone()).collect();
        let askees = async {
            match was_handed {
                true => Ok(Some(self.program(thing)?.observer.askees_of_new(&branches).await?)),
                false => Ok::<_, PlanError>(None),
            }
        };
        let (askees, traffic) = tokio::try_join!(askees, self.traffic(thing, &sight.plan))?;
        match askees {
            None => {}
            Some(None) => return Ok(None),
            Some(Some(askees)) => {
                for (listing, askees) in seen.listings.iter_mut().zip(askees) {
                    (listing.reviewers, listing.assignees) = (askees.reviewers, askees.assignees);
                }
            }
        }
        for (index, traffic) in traffic {
            if let Some(listing) = seen.listings.get_mut(index) {
                listing.traffic = Some(traffic);
            }
        }
        self.plan_of(thing, Seen::Community(seen)).map(Some)
    }

    /// How many merge requests others have, on the pages where a plan asks for that.
    async fn traffic(&self, thing: &Thing, plan: &Plan) -> Result<Vec<(usize, Traffic)>, PlanError> {
        let (observer, now) = (&self.program(thing)?.observer, self.clock.now());
        let mut found = Vec::new();
        for (index, handbook) in observer.program().handbooks.iter().enumerate() {
            if plan.turns.get(&handbook.name) == Some(&Turn::Unknown) {
                let ahead = self.store.ahead_in_line(thing, &handbook.name, now).await?;
                let traffic = observer.traffic(index, now).await?;
                found.push((index, Traffic { ahead, ..traffic }));
            }
        }
        Ok(found)
    }

    /// Reads just before something is told whether it may still be told, and with it what is not known yet of a new project.
    pub(super) async fn confirm(&self, thing: &Thing, seen: Option<&Seen>) -> Result<Confirmed, PlanError> {
        let observer = &self.program(thing)?.observer;
        let members = async {
            match seen.and_then(Seen::project_without_members) {
                Some(project) => Ok(Some(observer.members_of(project).await.map_err(ObserveError::from)?)),
                None => Ok(None),
            }
        };
        let (premise, members) = tokio::try_join!(self.premise(thing), members)?;
        Ok(Confirmed { premise, members })
    }

    async fn plan_handbook(&self, program: &Program) -> Result<Sight, PlanError> {
        let now = self.clock.now();
        let context = Context {
            program: program.observer.program(),
            blueprint: &program.blueprint,
            now,
        };
        let seen = program.observer.handbook(&self.asked).await?;
        let pages = seen.pages.iter().map(|look| look.page.visibility);
        let premise = Premise::of_handbook(seen.intake.visibility, pages.collect(), &seen.members);
        let mut plan = handbook::plan(&context, &seen);
        plan.knocks.extend(program.observer.concerned_by_page(now).await?);
        plan.knocks.extend(self.next_in_line(&context.program.name, now).await?);
        Ok(Sight::of(plan, premise))
    }

    /// Who waits for a turn and might have it now.
    pub(super) async fn next_in_line(&self, program: &ProgramName, now: Timestamp) -> Result<Vec<Thing>, PlanError> {
        let line = self.store.line(program, now).await?;
        Ok(line.into_iter().map(|(thing, _)| thing).take(SO_MANY_AT_ONCE).collect())
    }
}

/// Long texts beside many communities take a while to be compared: whoever else is at work meanwhile is so on another thread, where there are
/// several.
fn beside_others<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
