//! Merge requests and their notes.

use convenor_core::ids::{MergeRequestIid, ProjectId};
use gitlab::api::common::SortOrder;
use gitlab::api::projects::merge_requests;

use super::{MergeRequestFilter, Reader, updated_after};
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::{Total, built};
use crate::gitlab::wire::{MergeRequest, Note};

impl Reader {
    /// The merge requests that the filter lets through, oldest first. Their merge status may be stale.
    ///
    /// # Errors
    /// As every list.
    pub async fn merge_requests(
        &self,
        project: ProjectId,
        filter: &MergeRequestFilter,
    ) -> Result<Vec<MergeRequest>, GitLabError> {
        use merge_requests::{MergeRequestOrderBy, MergeRequestState, MergeRequests};
        let operation = Operation::reads("merge_requests.list");
        let mut builder = MergeRequests::builder();
        builder
            .project(project.0)
            .order_by(MergeRequestOrderBy::CreatedAt)
            .sort(SortOrder::Ascending);
        if let Some(branch) = &filter.source_branch {
            builder.source_branch(branch);
        }
        if let Some(branch) = &filter.target_branch {
            builder.target_branch(branch);
        }
        if filter.opened {
            builder.state(MergeRequestState::Opened);
        }
        if !filter.labels.is_empty() {
            builder.labels(filter.labels.iter().map(String::as_str));
        }
        if let Some(author) = filter.author_id {
            builder.author(author.0);
        }
        let endpoint = built(operation, builder.build())?;
        let since = updated_after(filter.updated_after);
        self.client
            .list(operation, &endpoint, &since, Total::Exact, |found: &MergeRequest| {
                found.id
            })
            .await
    }

    /// A merge request with its merge status, which GitLab starts to compute anew when this is called.
    ///
    /// # Errors
    /// `NotFound` when the project itself is not visible.
    pub async fn merge_request(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
    ) -> Result<Option<MergeRequest>, GitLabError> {
        let operation = Operation::reads("merge_requests.get");
        let endpoint = merge_requests::MergeRequest::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// All notes of a merge request, GitLab's own among them, oldest first.
    ///
    /// # Errors
    /// `NotFound` when the merge request or its project is not visible.
    pub async fn merge_request_notes(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
    ) -> Result<Vec<Note>, GitLabError> {
        let operation = Operation::reads("merge_request_notes.list");
        let endpoint = merge_requests::notes::MergeRequestNotes::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .order_by(merge_requests::notes::NoteOrderBy::CreatedAt)
            .sort(SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::CountsHidden, |note: &Note| note.id.0)
            .await
    }
}
