//! What the service lives on: webhooks that arrive, a token that is valid, facilitators who can be reached.
//!
//! What can be mended is mended: a webhook that GitLab disabled is renewed, a new community without one gets its own, and
//! what was missed is looked at. Where a person has to act, one issue for each cause says so in the intake project, is kept
//! true and closes by itself ([`notice`]).

mod hooks;
mod people;
mod token;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::doctor::TokenSeen;
use crate::ids::{ProjectId, UserId};
use crate::plan::init::InitSeen;
use crate::plan::seen::OwnIssueSeen;
use crate::plan::step::HookScope;
use crate::plan::{Plan, Remark, notice};
use crate::program::{Program, Visibility};
use crate::thing::Thing;

pub use hooks::{Health, HookHealth};
pub use people::{Account, FacilitatorSeen};

/// All that the care of a program depends on.
#[derive(Clone, Debug)]
pub struct LifelineSeen {
    /// Who we are.
    pub bot: UserId,
    /// The intake project, where notices go.
    pub intake: ProjectId,
    /// Our issues there, closed ones too.
    pub issues: Vec<OwnIssueSeen>,
    /// The program's webhooks.
    pub setup: InitSeen,
    /// How the webhooks of ours fared lately.
    pub health: Vec<HookHealth>,
    /// Webhooks of ours that were renewed a short while ago: GitLab shows what came of it only later.
    pub renewed_lately: usize,
    /// What GitLab says of the token; `None`: it does not tell.
    pub token: Option<TokenSeen>,
    /// Today, UTC.
    pub today: Date,
    /// The facilitators of all communities.
    pub facilitators: Vec<FacilitatorSeen>,
    /// Who sees what.
    pub readers: Readers,
}

/// Who may see the places that notices are about. A notice stands in the intake project, and whoever reads there must not learn
/// of a project that they cannot see. That its issue is confidential does not count: one click of a person makes it public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// Who sees the intake project.
    pub intake: Visibility,
    /// Who sees the program's group.
    pub group: Visibility,
    /// Who sees the projects: communities, handbooks, the intake. One that is missing is taken for the narrowest.
    pub projects: BTreeMap<ProjectId, Visibility>,
}

impl Readers {
    /// Whether everybody who sees the intake project sees this place too.
    #[must_use]
    pub fn may_read_of(&self, place: HookScope) -> bool {
        let readers = match place {
            HookScope::Group(_) => Some(self.group),
            HookScope::Project(project) => self.projects.get(&project).copied(),
        };
        readers.unwrap_or_default() >= self.intake
    }
}

/// What is due for a program's lifeline.
#[must_use]
pub fn plan(program: &Program, seen: &LifelineSeen) -> Plan {
    let care = hooks::care(seen);
    let mut plan = Plan {
        steps: care.steps,
        ..Plan::default()
    };
    plan.steps.extend(people::remember(&seen.facilitators));
    for (cause, found) in [
        ("token", token::notice(seen.token.as_ref(), seen.today)),
        ("webhook", care.notice),
        ("facilitators", people::notice(&seen.facilitators, &seen.readers)),
    ] {
        plan.steps
            .extend(notice::plan(seen.bot, seen.intake, &seen.issues, cause, found.as_ref()));
        if found.is_some() {
            plan.report.push(Remark::Noticed(cause));
        }
    }
    if care.missed > 0 {
        plan.report.push(Remark::MissedDeliveries(care.missed));
        plan.knocks.push(Thing::Program(program.name.clone()));
    }
    if plan.report.is_empty() {
        plan.report.push(Remark::UpToDate);
    }
    plan
}

#[cfg(test)]
mod tests;
