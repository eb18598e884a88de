//! Files, branches, commits, comparisons.

use convenor_core::ids::{CommitSha, ProjectId};
use gitlab::api::projects::repository::{branches, commits, files};

use super::Reader;
use crate::gitlab::error::{GitLabError, Words};
use crate::gitlab::operation::Operation;
use crate::gitlab::query::built;
use crate::gitlab::wire::{Branch, Commit, Comparison, RepositoryFile, WireFile};

impl Reader {
    /// A file as it is at a branch, tag or commit; `None` when the file or the ref does not exist (an empty repository
    /// has no refs).
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn file(&self, project: ProjectId, path: &str, at: &str) -> Result<Option<RepositoryFile>, GitLabError> {
        let operation = Operation::reads("files.get");
        let endpoint = files::File::builder()
            .project(project.0)
            .file_path(path)
            .ref_(at)
            .build();
        let endpoint = built(operation, endpoint)?;
        let found = self
            .present(project, self.client.ask::<WireFile>(operation, &endpoint).await)
            .await?;
        let undecodable = || GitLabError::Unreadable {
            call: operation.name,
            cause: Words::new("the content does not decode to the stated size"),
        };
        found.map(|file| file.decode().ok_or_else(undecodable)).transpose()
    }

    /// A branch; `None` when there is none of that name.
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn branch(&self, project: ProjectId, name: &str) -> Result<Option<Branch>, GitLabError> {
        let operation = Operation::reads("branches.get");
        let endpoint = branches::Branch::builder().project(project.0).branch(name).build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }

    /// What `to` has that `from` has not, from their merge base on.
    ///
    /// # Errors
    /// `NotFound` when one of the two does not exist.
    pub async fn compare(&self, project: ProjectId, from: &str, to: &str) -> Result<Comparison, GitLabError> {
        let operation = Operation::reads("compare.get");
        let endpoint = commits::CompareCommits::builder()
            .project(project.0)
            .from(from)
            .to(to)
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// A commit by its id, or the head of a branch.
    ///
    /// # Errors
    /// `NotFound` when the project itself, or its code, is not visible.
    pub async fn commit(&self, project: ProjectId, sha: &CommitSha) -> Result<Option<Commit>, GitLabError> {
        let operation = Operation::reads("commits.get");
        let endpoint = commits::Commit::builder()
            .project(project.0)
            .commit(sha.0.as_str())
            .stats(false)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.present(project, self.client.ask(operation, &endpoint).await).await
    }
}
