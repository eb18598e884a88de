//! Groups and their projects.

use convenor_core::ids::GroupId;
use gitlab::api::common::SortOrder;
use gitlab::api::{groups, projects};

use super::{GroupRef, ProjectRef, Reader};
use crate::gitlab::endpoints;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::{Total, built};
use crate::gitlab::wire::{Group, Project};

impl Reader {
    /// A group.
    ///
    /// # Errors
    /// `NotFound` when it does not exist or the token may not see it.
    pub async fn group(&self, group: impl Into<GroupRef<'_>> + Send) -> Result<Group, GitLabError> {
        let operation = Operation::reads("groups.get");
        self.client
            .ask(operation, &endpoints::groups::get(&group.into().into()))
            .await
    }

    /// All projects of the group and its subgroups: archived ones and ones marked for deletion too, none that are only shared
    /// into it.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_projects(&self, group: GroupId) -> Result<Vec<Project>, GitLabError> {
        let operation = Operation::reads("groups.projects");
        let endpoint = groups::projects::GroupProjects::builder()
            .group(group.0)
            .with_shared(false)
            .include_subgroups(true)
            .order_by(groups::projects::GroupProjectsOrderBy::Id)
            .sort(SortOrder::Ascending)
            .build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |project: &Project| {
                project.id.0
            })
            .await
    }

    /// A project; `None` when there is none of that id or path, or the token may not see it (GitLab does not tell
    /// which).
    ///
    /// # Errors
    /// `Moved` when the path is an old one of a project that was renamed or moved since; all others but 404.
    pub async fn project(&self, project: impl Into<ProjectRef<'_>> + Send) -> Result<Option<Project>, GitLabError> {
        let operation = Operation::reads("projects.get");
        let endpoint = built(operation, projects::Project::builder().project(project.into()).build())?;
        match self.client.ask(operation, &endpoint).await {
            Err(GitLabError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }
}
