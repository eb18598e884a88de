//! Issues and notes.

use convenor_core::escape::Markdown;
use convenor_core::ids::{IssueIid, MergeRequestIid, NoteId, ProjectId};
use gitlab::api::Endpoint;
use gitlab::api::projects::{issues, merge_requests};
use http::StatusCode;

use super::{CreatedNote, IssueChange, NewIssue, Writer};
use crate::gitlab::answer;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::{Operation, Quota};
use crate::gitlab::query::built;
use crate::gitlab::wire::{Issue, Note};

impl Writer {
    /// Opens an issue.
    ///
    /// # Errors
    /// As every write.
    pub async fn create_issue(&self, project: ProjectId, issue: &NewIssue) -> Result<Issue, GitLabError> {
        let operation = Operation::writes("issues.create");
        let mut builder = issues::CreateIssue::builder();
        builder
            .project(project.0)
            .title(issue.title.as_str())
            .description(issue.description.as_str());
        if issue.confidential {
            builder.confidential(true);
        }
        if !issue.labels.is_empty() {
            builder.labels(issue.labels.iter().map(String::as_str));
        }
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Changes an issue.
    ///
    /// # Errors
    /// As every write.
    pub async fn update_issue(
        &self,
        project: ProjectId,
        issue: IssueIid,
        change: &IssueChange,
    ) -> Result<Issue, GitLabError> {
        use issues::IssueStateEvent::{Close, Reopen};
        let operation = Operation::writes("issues.update");
        let mut builder = issues::EditIssue::builder();
        builder.project(project.0).issue(issue.0);
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
        self.client.ask(operation, &built(operation, builder.build())?).await
    }

    /// Writes a note to an issue.
    ///
    /// # Errors
    /// `Forbidden` when the discussion is locked or the project archived.
    pub async fn create_note(
        &self,
        project: ProjectId,
        issue: IssueIid,
        body: &Markdown,
    ) -> Result<CreatedNote, GitLabError> {
        let operation = Operation::writes("notes.create").counted_as(Quota::Notes);
        let endpoint = issues::notes::CreateIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .body(body.as_str())
            .build();
        self.new_note(operation, built(operation, endpoint)?).await
    }

    /// Writes a note to a merge request.
    ///
    /// # Errors
    /// `Forbidden` when the discussion is locked or the project archived.
    pub async fn create_merge_request_note(
        &self,
        project: ProjectId,
        merge_request: MergeRequestIid,
        body: &Markdown,
    ) -> Result<CreatedNote, GitLabError> {
        let operation = Operation::writes("merge_request_notes.create").counted_as(Quota::Notes);
        let endpoint = merge_requests::notes::CreateMergeRequestNote::builder()
            .project(project.0)
            .merge_request(merge_request.0)
            .body(body.as_str())
            .build();
        self.new_note(operation, built(operation, endpoint)?).await
    }

    async fn new_note(&self, operation: Operation, endpoint: impl Endpoint + Sync) -> Result<CreatedNote, GitLabError> {
        let answer = self.client.raw(operation, &endpoint, &[]).await?;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(CreatedNote::OnlyCommands);
        }
        answer::read(operation, &answer).map(CreatedNote::Note)
    }

    /// Replaces the text of a note of ours.
    ///
    /// # Errors
    /// `NotFound` when it was deleted.
    pub async fn update_note(
        &self,
        project: ProjectId,
        issue: IssueIid,
        note: NoteId,
        body: &Markdown,
    ) -> Result<Note, GitLabError> {
        let operation = Operation::writes("notes.update");
        let endpoint = issues::notes::EditIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .note(note.0)
            .body(body.as_str())
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Removes a note of ours.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    pub async fn delete_note(&self, project: ProjectId, issue: IssueIid, note: NoteId) -> Result<(), GitLabError> {
        let operation = Operation::writes("notes.delete");
        let endpoint = issues::notes::DeleteIssueNote::builder()
            .project(project.0)
            .issue(issue.0)
            .note(note.0)
            .build();
        self.client.tell(operation, &built(operation, endpoint)?).await
    }
}
