//! Labels and issue boards.

use convenor_core::ids::{BoardId, GroupId, ProjectId};
use gitlab::api::projects;

use super::Reader;
use crate::gitlab::endpoints;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::{Total, built};
use crate::gitlab::wire::{Board, BoardList, Label};

impl Reader {
    /// All labels of a project, those of its groups too.
    ///
    /// # Errors
    /// As every list.
    pub async fn project_labels(&self, project: ProjectId) -> Result<Vec<Label>, GitLabError> {
        let operation = Operation::reads("project_labels.list");
        let endpoint = projects::labels::Labels::builder()
            .project(project.0)
            .include_ancestor_groups(true)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |label: &Label| label.id.0)
            .await
    }

    /// All labels of a group, those of the groups above too.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_labels(&self, group: GroupId) -> Result<Vec<Label>, GitLabError> {
        let operation = Operation::reads("group_labels.list");
        let endpoint = endpoints::groups::labels(group);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |label: &Label| label.id.0)
            .await
    }

    /// All boards of a project with their lists.
    ///
    /// # Errors
    /// As every list.
    pub async fn boards(&self, project: ProjectId) -> Result<Vec<Board>, GitLabError> {
        let operation = Operation::reads("boards.list");
        let endpoint = endpoints::boards::list(project);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |board: &Board| board.id.0)
            .await
    }

    /// The lists of one board from left to right.
    ///
    /// # Errors
    /// `NotFound` when the board is gone.
    pub async fn board_lists(&self, project: ProjectId, board: BoardId) -> Result<Vec<BoardList>, GitLabError> {
        let operation = Operation::reads("board_lists.list");
        let endpoint = endpoints::boards::lists(project, board);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |list: &BoardList| list.id.0)
            .await
    }
}
