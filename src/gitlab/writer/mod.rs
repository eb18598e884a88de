//! What only changes. Nothing here decides, looks first, or tries a creation again.
//!
//! Text goes in only as the types of the place it is written to. A creation whose answer was lost is
//! [`GitLabError::OutcomeUnknown`](super::GitLabError::OutcomeUnknown): whoever applies the plan looks for the thing
//! before asking again.

mod hooks;
mod issues;
mod merge_requests;
mod projects;
mod repository;
mod token;
mod wanted;

use std::sync::Arc;

use super::client::{Client, Permit};
use super::reader::Reader;
use super::stats::CallStats;
use super::stop::WriteStop;

pub use wanted::{
    CreatedNote, FileAction, IssueChange, MergeRequestChange, NewCommit, NewHook, NewIssue, NewLabel, NewMergeRequest,
    NewProject, Start,
};

/// The only thing that can change GitLab. It cannot be had from a [`Reader`](super::Reader).
#[derive(Clone, Debug)]
pub struct Writer {
    pub(in crate::gitlab) client: Client,
}

impl Writer {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The same, asking before each call.
    #[must_use]
    pub fn with_permit(&self, permit: Arc<dyn Permit>) -> Self {
        Self::new(self.client.with_permit(permit))
    }

    /// What stops all writing with this token.
    #[must_use]
    pub fn stop(&self) -> &WriteStop {
        self.client.stop()
    }

    /// Looks at what this one changes.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.client.reader()
    }

    /// The calls made so far, the readers' of the same client included.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        self.client.stats()
    }
}
