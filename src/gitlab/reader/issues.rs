//! Issues, their notes and their label events.

use convenor_core::ids::{GroupId, IssueIid, NoteId, ProjectId};
use gitlab::api::common::SortOrder;
use gitlab::api::projects::issues;

use super::{IssueFilter, Reader, updated_after};
use crate::gitlab::endpoints;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::{Total, built};
use crate::gitlab::wire::{Issue, LabelEvent, Note};

impl Reader {
    /// An issue; `None` when it was deleted, moved away or is confidential and not for us.
    ///
    /// # Errors
    /// `NotFound` when the project itself is not visible.
    pub async fn issue(&self, project: ProjectId, issue: IssueIid) -> Result<Option<Issue>, GitLabError> {
        let operation = Operation::reads("issues.get");
        let endpoint = issues::Issue::builder().project(project.0).issue(issue.0).build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// The issues that the filter lets through, oldest first.
    ///
    /// # Errors
    /// As every list.
    pub async fn issues(&self, project: ProjectId, filter: &IssueFilter) -> Result<Vec<Issue>, GitLabError> {
        let operation = Operation::reads("issues.list");
        let mut builder = issues::Issues::builder();
        builder
            .project(project.0)
            .order_by(issues::IssueOrderBy::CreatedAt)
            .sort(SortOrder::Ascending);
        if !filter.labels.is_empty() {
            builder.labels(filter.labels.iter().map(String::as_str));
        }
        if filter.opened {
            builder.state(issues::IssueState::Opened);
        }
        if let Some(author) = filter.author_id {
            builder.author(author.0);
        }
        builder.iids(filter.iids.iter().map(|iid| iid.0));
        let endpoint = built(operation, builder.build())?;
        let since = updated_after(filter.updated_after);
        self.client
            .list(operation, &endpoint, &since, Total::Exact, |issue: &Issue| issue.id)
            .await
    }

    /// The issues of all the group's projects that carry a label, open or closed.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_issues_with(&self, group: GroupId, label: &str) -> Result<Vec<Issue>, GitLabError> {
        let operation = Operation::reads("group_issues.list");
        let endpoint = endpoints::groups::issues_with_label(group, label);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |issue: &Issue| issue.id)
            .await
    }

    /// All notes of an issue, GitLab's own among them, oldest first.
    ///
    /// # Errors
    /// `NotFound` when the issue or its project is not visible.
    pub async fn notes(&self, project: ProjectId, issue: IssueIid) -> Result<Vec<Note>, GitLabError> {
        let operation = Operation::reads("notes.list");
        let endpoint = issues::notes::IssueNotes::builder()
            .project(project.0)
            .issue(issue.0)
            .order_by(issues::notes::NoteOrderBy::CreatedAt)
            .sort(SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::CountsHidden, |note: &Note| note.id.0)
            .await
    }

    /// One note of an issue; `None` when it was deleted.
    ///
    /// # Errors
    /// `NotFound` when the project itself is not visible.
    pub async fn note(&self, project: ProjectId, issue: IssueIid, note: NoteId) -> Result<Option<Note>, GitLabError> {
        let operation = Operation::reads("notes.get");
        let endpoint = endpoints::issue_note(project, issue, note);
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// Who put labels on an issue and took them off, in the order of their ids; empty when GitLab shows none (404).
    ///
    /// # Errors
    /// All but 404: an absent event never counts for anything, so an unseen one does no harm.
    pub async fn label_events(&self, project: ProjectId, issue: IssueIid) -> Result<Vec<LabelEvent>, GitLabError> {
        let operation = Operation::reads("label_events.list");
        let endpoint = issues::IssueResourceLabelEvents::builder()
            .project(project.0)
            .issue(issue.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        let key = |event: &LabelEvent| event.id;
        match self
            .client
            .list(operation, &endpoint, &[], Total::CountsHidden, key)
            .await
        {
            Err(GitLabError::NotFound { .. }) => Ok(Vec::new()),
            Ok(mut events) => {
                events.sort_by_key(key);
                Ok(events)
            }
            Err(other) => Err(other),
        }
    }
}
