//! Several steps in one call, where GitLab has one for them.

use std::collections::BTreeMap;

use convenor_core::ids::{AccessLevel, BoardId, ProjectId, UserId};
use convenor_core::plan::Step;
use convenor_core::plan::foreseen::Answer;
use convenor_core::thing::Thing;

use super::writing::new_label;
use super::{Applier, ApplyError};
use crate::gitlab::{BoardListLabel, GitLabError, LabelsAndBoard, NewLabel, Words};

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
    /// Labels and the board of a project.
    Equip(ProjectId),
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
        (
            Step::CreateLabel {
                project,
                full_path: Some(_),
                ..
            }
            | Step::CreateBoard { project, .. },
            Packing::Shared,
        ) => Call::Equip(*project),
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

type Results = Vec<Result<Answer, ApplyError>>;

impl Applier {
    /// Carries out steps that share a call; one result for each.
    pub(super) async fn carry_out_call(&self, thing: &Thing, steps: &[&Step], packing: Packing) -> Results {
        match steps {
            [Step::CreateBoardList { project, board, .. }, _, ..] if packing == Packing::Shared => {
                self.add_lists(*project, *board, steps).await
            }
            [Step::AddMember { project, level, .. }, _, ..] => self.add_members(*project, *level, steps).await,
            [Step::CreateLabel { .. } | Step::CreateBoard { .. }, _, ..] => self.equip(steps).await,
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

    async fn equip(&self, steps: &[&Step]) -> Results {
        let (mut place, mut labels, mut board) = (None, Vec::<NewLabel>::new(), None);
        for step in steps {
            match step {
                Step::CreateLabel {
                    project,
                    full_path: Some(full_path),
                    name,
                    color,
                    description,
                } => {
                    place = Some((*project, full_path.as_str()));
                    labels.push(new_label(name, color, description));
                }
                Step::CreateBoard {
                    project,
                    full_path,
                    name,
                } => {
                    place = Some((*project, full_path.as_str()));
                    board = Some(name.as_str());
                }
                _ => {}
            }
        }
        let Some((project, full_path)) = place else {
            return Vec::new();
        };
        match self
            .writer
            .create_labels_and_board(project, full_path, &labels, board)
            .await
        {
            Ok(made) => by_step(steps, made),
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

/// The labels' results in their order, and the board's where its step stands.
fn by_step(steps: &[&Step], made: LabelsAndBoard) -> Results {
    let (mut labels, mut board) = (made.labels.into_iter(), made.board.into_iter());
    let results = steps.iter().filter_map(|step| match step {
        Step::CreateBoard { .. } => board
            .next()
            .map(|made| named(step, made.map(|id| Answer::Number(id.0)))),
        _ => labels
            .next()
            .map(|made| named(step, made.map(|id| Answer::Number(id.0)))),
    });
    results.collect()
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
