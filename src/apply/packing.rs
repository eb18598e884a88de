//! Several steps in one call, where GitLab has one for them.

use std::collections::{BTreeMap, BTreeSet};

use convenor_core::ids::{AccessLevel, BoardId, ProjectId, UserId};
use convenor_core::plan::Step;
use convenor_core::plan::foreseen::Answer;
use convenor_core::thing::Thing;

use super::{Applier, ApplyError, MOST_AT_ONCE};
use crate::gitlab::{BoardListLabel, GitLabError, Words};

/// Whether steps may share a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Those that can.
    Shared,
    /// Each has its own: when a shared call was not done wholly, it is the way to find out what is wrong with which.
    Single,
}

/// What steps share a call.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    /// Lists of a board, which stand in the order in which they are made: one call or one after the other, never side by side.
    Lists(BoardId),
    /// People who get the same role.
    Members(ProjectId, AccessLevel),
    /// No other step.
    Own(usize),
}

fn call(index: usize, step: &Step, packing: Packing) -> Call {
    match (step, packing) {
        (Step::CreateBoardList { board, .. }, _) => Call::Lists(*board),
        (_, Packing::Single) => Call::Own(index),
        (Step::AddMember { project, level, .. }, Packing::Shared) => Call::Members(*project, *level),
        _ => Call::Own(index),
    }
}

/// The calls that carry these steps, as places among the steps: what begins first is first.
pub(super) fn calls(steps: &[Step], packing: Packing) -> Vec<Vec<usize>> {
    let mut shared: BTreeMap<Call, Vec<usize>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        shared.entry(call(index, step, packing)).or_default().push(index);
    }
    let mut calls: Vec<Vec<usize>> = shared.into_values().collect();
    calls.sort();
    calls
}

/// How many of these steps, from the first, can be under way at a time: one at least, when there is one. What is planned anew after
/// them may go beside the rest.
#[must_use]
pub fn at_once(steps: &[Step], packing: Packing) -> usize {
    let mut calls = BTreeSet::new();
    let fit = steps.iter().enumerate().take_while(|(index, step)| {
        calls.insert(call(*index, step, packing));
        calls.len() <= MOST_AT_ONCE
    });
    fit.count()
}

type Results = Vec<Result<Answer, ApplyError>>;

impl Applier {
    /// Carries out steps that share a call; one result for each.
    pub(super) async fn carry_out_call(&self, thing: &Thing, steps: &[&Step], packing: Packing) -> Results {
        match steps {
            [Step::CreateBoardList { project, board, .. }, _, ..] if packing == Packing::Shared => {
                self.add_lists(*project, *board, steps).await
            }
            [Step::AddMember { project, level, .. }, _, ..] => self.add_members(*project, *level, steps).await,
            _ => self.one_after_the_other(thing, steps).await,
        }
    }

    /// What follows a failure is not sent: its place would be another.
    async fn one_after_the_other(&self, thing: &Thing, steps: &[&Step]) -> Results {
        let mut results = Results::with_capacity(steps.len());
        for step in steps {
            results.push(match results.last() {
                Some(Err(_)) => Err(ApplyError::NotSent { step: step.to_string() }),
                _ => self.carry_out(thing, step).await,
            });
        }
        results
    }

    async fn add_lists(&self, project: ProjectId, board: BoardId, steps: &[&Step]) -> Results {
        let labels = steps.iter().filter_map(|step| match step {
            Step::CreateBoardList { label, of_group, .. } => Some(match of_group {
                true => BoardListLabel::OfGroup(*label),
                false => BoardListLabel::OfProject(*label),
            }),
            _ => None,
        });
        let labels: Vec<BoardListLabel> = labels.collect();
        match self.writer.create_board_lists(project, board, &labels).await {
            Ok(made) => steps
                .iter()
                .zip(made)
                .map(|(step, list)| named(step, list.map(|list| Answer::Number(list.0))))
                .collect(),
            Err(error) => all_failed(steps, &error),
        }
    }

    /// GitLab adds those whom it can and says of the others why not, in words that name nobody for certain; and a refusal of all says
    /// nothing about each. Who is in is seen by looking, and whom it refuses by asking for each alone.
    async fn add_members(&self, project: ProjectId, level: AccessLevel, steps: &[&Step]) -> Results {
        let users = steps.iter().filter_map(|step| match step {
            Step::AddMember { user, .. } => Some(*user),
            _ => None,
        });
        let users: Vec<UserId> = users.collect();
        match self.writer.add_members(project, &users, level).await {
            Ok(()) => users.iter().map(|user| Ok(Answer::Name(user.to_string()))).collect(),
            Err(
                GitLabError::Invalid { call, message }
                | GitLabError::Forbidden { call, message }
                | GitLabError::NotFound { call, message },
            ) => {
                let cause = Words::new(format!("not all were added: {message}"));
                all_failed(steps, &GitLabError::OutcomeUnknown { call, cause })
            }
            Err(error) => all_failed(steps, &error),
        }
    }
}

fn named(step: &Step, result: Result<Answer, GitLabError>) -> Result<Answer, ApplyError> {
    result.map_err(|source| ApplyError::GitLab {
        step: step.to_string(),
        source,
    })
}

fn all_failed(steps: &[&Step], error: &GitLabError) -> Results {
    steps.iter().map(|step| named(step, Err(error.clone()))).collect()
}
