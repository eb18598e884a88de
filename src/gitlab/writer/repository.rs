//! Commits and branches.

use convenor_core::ids::ProjectId;
use gitlab::api::projects::repository::branches;

use super::{NewCommit, Writer};
use crate::gitlab::endpoints;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::built;
use crate::gitlab::wire::{Branch, Commit};

impl Writer {
    /// Makes a commit, and its branch where the commit says so.
    ///
    /// # Errors
    /// `Invalid` when a file is not as an action expects it (there, absent, changed since); `Forbidden` when the branch
    /// is protected.
    pub async fn commit(&self, project: ProjectId, commit: &NewCommit) -> Result<Commit, GitLabError> {
        self.client
            .ask(
                Operation::writes("commits.create"),
                &endpoints::commits::create(project, commit),
            )
            .await
    }

    /// Makes a branch at a ref.
    ///
    /// # Errors
    /// `Invalid` when it exists or the ref does not.
    pub async fn create_branch(&self, project: ProjectId, name: &str, at: &str) -> Result<Branch, GitLabError> {
        let operation = Operation::writes("branches.create");
        let endpoint = branches::CreateBranch::builder()
            .project(project.0)
            .branch(name)
            .ref_(at)
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Removes a branch.
    ///
    /// # Errors
    /// `NotFound` when it is gone already; `Forbidden` when it is protected.
    pub async fn delete_branch(&self, project: ProjectId, name: &str) -> Result<(), GitLabError> {
        self.client
            .tell(
                Operation::writes("branches.delete"),
                &endpoints::branches::delete(project, name),
            )
            .await
    }
}
