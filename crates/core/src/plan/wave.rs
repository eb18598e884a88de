//! Which steps of a plan may be carried out side by side.
//!
//! Steps that touch different objects, and of which none takes for granted that another was done, need not wait for each other. What
//! has to come before something else stands alone: the announcement is written before the project is made, the branch before its
//! merge request, and the last word before the proposal is closed, which nobody would look at again.

use super::Step;
use crate::ids::ProjectId;

/// What a step shares with those that it may be carried out with.
#[derive(PartialEq, Eq)]
enum Company {
    /// The comment and the labels of a proposal.
    Proposal,
    /// What a project is filled with.
    Inside(ProjectId),
}

fn company(step: &Step) -> Option<Company> {
    match step {
        Step::CreateNote { .. }
        | Step::UpdateNote { .. }
        | Step::DeleteOwnNote { .. }
        | Step::SetIssueState { close: false, .. } => Some(Company::Proposal),
        Step::Commit {
            project,
            start: None,
            replaces: None,
            ..
        }
        | Step::CreateLabel { project, .. }
        | Step::CreateBoard { project, .. }
        | Step::CreateBoardList { project, .. }
        | Step::AddMember { project, .. }
        | Step::CreateIssue { project, .. } => Some(Company::Inside(*project)),
        _ => None,
    }
}

/// How many of these steps, from the first, may be carried out side by side: one at least, when there is one.
#[must_use]
pub fn together(steps: &[Step]) -> usize {
    let Some(first) = steps.first() else { return 0 };
    match company(first) {
        None => 1,
        Some(shared) => {
            let alike = steps.iter().take_while(|step| company(step).as_ref() == Some(&shared));
            alike.count()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::{CommitMessage, Markdown, Title};
    use crate::ids::{BoardId, IssueIid, LabelId, MergeRequestIid, NoteId};

    fn note() -> Step {
        Step::UpdateNote {
            project: ProjectId(1),
            issue: IssueIid(12),
            note: NoteId(5),
            body: Markdown::new(),
        }
    }

    fn state(close: bool) -> Step {
        Step::SetIssueState {
            project: ProjectId(1),
            issue: IssueIid(12),
            add: None,
            remove: Vec::new(),
            close,
        }
    }

    fn commit(start: Option<&str>) -> Step {
        Step::Commit {
            project: ProjectId(77),
            branch: "main".to_owned(),
            start: start.map(str::to_owned),
            replaces: None,
            message: CommitMessage::new(),
            files: Vec::new(),
        }
    }

    fn board(project: u64) -> Step {
        Step::CreateBoard {
            project: ProjectId(project),
            name: "Board".to_owned(),
        }
    }

    fn list() -> Step {
        Step::CreateBoardList {
            project: ProjectId(77),
            board: BoardId(5),
            label: LabelId(7),
            of_group: false,
            name: "Doing".to_owned(),
        }
    }

    fn issue(project: u64) -> Step {
        Step::CreateIssue {
            project: ProjectId(project),
            title: Title::new(),
            description: Markdown::new(),
            confidential: false,
        }
    }

    #[test]
    fn only_what_needs_nothing_of_each_other_goes_together() {
        let update = Step::UpdateMergeRequest {
            project: ProjectId(1),
            merge_request: MergeRequestIid(7),
            title: None,
            description: Markdown::new(),
            removes_row: false,
        };
        for (steps, expected) in [
            (vec![], 0),
            (vec![note(), state(false), commit(None)], 2),
            (vec![commit(None), board(77), list(), issue(77)], 4),
            (vec![board(77), board(78)], 1),
            (vec![commit(Some("main")), update.clone()], 1),
            (vec![update.clone(), update], 1),
        ] {
            assert_eq!(together(&steps), expected, "{steps:?}");
        }
    }

    #[test]
    fn a_proposal_is_closed_after_the_last_word_and_never_beside_it() {
        assert_eq!(together(&[note(), state(true)]), 1);
        assert_eq!(together(&[state(true), note()]), 1);
    }
}
