//! Merge requests.

use convenor_core::ids::{MergeRequestIid, ProjectId};
use gitlab::api::projects::merge_requests;

use super::{MergeRequestChange, NewMergeRequest, Writer};
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::built;
use crate::gitlab::wire::MergeRequest;

impl Writer {
    /// Opens a merge request inside one project.
    ///
    /// # Errors
    /// `Conflict` with the other's number when one is open for the same two branches.
    pub async fn create_merge_request(
        &self,
        project: ProjectId,
        wanted: &NewMergeRequest,
    ) -> Result<MergeRequest, GitLabError> {
        let operation = Operation::writes("merge_requests.create");
        let mut builder = merge_requests::CreateMergeRequest::builder();
        builder
            .project(project.0)
            .source_branch(wanted.source_branch.as_str())
            .target_branch(wanted.target_branch.as_str())
            .title(wanted.title.as_str())
            .description(wanted.description.as_str());
        if !wanted.labels.is_empty() {
            builder.labels(wanted.labels.iter().map(String::as_str));
        }
        if !wanted.reviewers.is_empty() {
            builder.reviewers(wanted.reviewers.iter().map(|user| user.0));
        }
        if !wanted.assignees.is_empty() {
            builder.assignees(wanted.assignees.iter().map(|user| user.0));
        }
        if let Some(remove) = wanted.remove_source_branch {
            builder.remove_source_branch(remove);
        }
        if let Some(squash) = wanted.squash {
            builder.squash(squash);
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Changes a merge request.
    ///
    /// # Errors
    /// `Conflict` or `Invalid` when it cannot be reopened (branch gone, another one open).
    pub async fn update_merge_request(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
        change: &MergeRequestChange,
    ) -> Result<MergeRequest, GitLabError> {
        use merge_requests::MergeRequestStateEvent::{Close, Reopen};
        let operation = Operation::writes("merge_requests.update");
        let mut builder = merge_requests::EditMergeRequest::builder();
        builder.project(project.0).merge_request(merge_request.0);
        if let Some(title) = &change.title {
            builder.title(title.as_str());
        }
        if let Some(description) = &change.description {
            builder.description(description.as_str());
        }
        for label in &change.add_labels {
            builder.add_label(label);
        }
        for label in &change.remove_labels {
            builder.remove_label(label);
        }
        if let Some(open) = change.open {
            builder.state_event(if open { Reopen } else { Close });
        }
        match change.reviewers.as_deref() {
            None => {}
            Some([]) => {
                builder.without_reviewer();
            }
            Some(reviewers) => {
                builder.reviewers(reviewers.iter().map(|user| user.0));
            }
        }
        if let Some(branch) = &change.target_branch {
            builder.target_branch(branch.as_str());
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }
}
