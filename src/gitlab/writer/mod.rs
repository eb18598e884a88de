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

use super::client::Client;
use super::stats::CallStats;

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

    /// The calls made so far, the readers' of the same client included.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        self.client.stats()
    }
}
