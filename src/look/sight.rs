//! What a look knows: what was read, what follows from GitLab's answers since, and what is due because of both.

use std::collections::{BTreeMap, BTreeSet};

use convenor_core::ids::{AccessLevel, ProjectId, UserId};
use convenor_core::plan::foreseen::{self, Answer};
use convenor_core::plan::seen::{CommunitySeen, ProjectStanding, ProposalSeen};
use convenor_core::plan::{Plan, Premise, Remark, Step, status};
use jiff::Timestamp;

/// What is there and what is due.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) plan: Plan,
    pub(super) premise: Premise,
    pub(super) seen: Seen,
}

impl Sight {
    /// A plan whose next one needs a new observation.
    pub(super) fn of(plan: Plan, premise: Premise) -> Self {
        let seen = Seen::Other;
        Self { plan, premise, seen }
    }

    pub(super) fn over(why: Remark) -> Self {
        Self::of(Plan::over(why), Premise::None)
    }
}

/// What was seen of a thing, as far as it can be carried on.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Proposal(Box<ProposalSeen>),
    Community(Box<CommunitySeen>),
    /// Of which nothing is foreseen.
    Other,
}

/// What was read just before something is told.
#[derive(Debug)]
pub(super) struct Confirmed {
    pub(super) premise: Premise,
    /// Members of a project that is so new that nobody has asked for them.
    pub(super) members: Option<BTreeMap<UserId, AccessLevel>>,
}

impl Seen {
    /// What would be seen after these steps were answered so; `None`: that has to be looked at.
    pub(super) fn after(self, steps: &[Step], answers: &[(usize, Answer)], at: Timestamp) -> Option<Self> {
        let mut seen = self;
        for (index, answer) in answers {
            let step = steps.get(*index)?;
            seen = match seen {
                Self::Proposal(seen) => Self::Proposal(Box::new(foreseen::of_proposal(*seen, step, answer, at)?)),
                Self::Community(seen) => Self::Community(Box::new(foreseen::of_community(*seen, step, answer)?)),
                Self::Other => return None,
            };
        }
        (!matches!(seen, Self::Other)).then_some(seen)
    }

    /// GitLab refused to add them.
    pub(super) fn without(mut self, refused: &BTreeSet<UserId>) -> Self {
        if let Self::Proposal(seen) = &mut self {
            seen.refused_members.extend(refused);
        }
        self
    }

    /// What GitLab calls the result of a step of this kind, where it was seen: an answer that was lost told it too.
    pub(super) fn name_of(&self, kind: &str) -> Option<String> {
        match self {
            Self::Proposal(seen) if kind == "create_note" => {
                status::own_comment(&seen.notes, seen.bot.id).map(|note| note.to_string())
            }
            _ => None,
        }
    }

    /// A new project whose members nobody has asked for.
    pub(super) fn project_without_members(&self) -> Option<ProjectId> {
        match self {
            Self::Proposal(seen) => match (&seen.project, &seen.inside) {
                (ProjectStanding::Ours(project), Some(inside)) if inside.members.is_none() => Some(project.id),
                _ => None,
            },
            Self::Community(_) | Self::Other => None,
        }
    }

    pub(super) fn with_members(mut self, members: Option<BTreeMap<UserId, AccessLevel>>) -> Self {
        if let (Self::Proposal(seen), Some(members)) = (&mut self, members)
            && let Some(inside) = &mut seen.inside
        {
            inside.members = Some(members);
        }
        self
    }
}
