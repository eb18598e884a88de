//! Webhooks and their deliveries.

use convenor_core::ids::{GroupId, HookId, ProjectId};

use super::Reader;
use crate::gitlab::endpoints::{self, hooks::HookOwner};
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::Total;
use crate::gitlab::wire::{Hook, HookEvent};

impl Reader {
    /// The webhooks of a group.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden` where the edition has no group hooks or the role does not suffice.
    pub async fn group_hooks(&self, group: GroupId) -> Result<Vec<Hook>, GitLabError> {
        self.hooks(Operation::reads("group_hooks.list"), HookOwner::Group(group))
            .await
    }

    /// The webhooks of a project.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden` when the role does not suffice.
    pub async fn project_hooks(&self, project: ProjectId) -> Result<Vec<Hook>, GitLabError> {
        self.hooks(Operation::reads("project_hooks.list"), HookOwner::Project(project))
            .await
    }

    async fn hooks(&self, operation: Operation, owner: HookOwner) -> Result<Vec<Hook>, GitLabError> {
        let endpoint = endpoints::hooks::list(owner);
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |hook: &Hook| hook.id.0)
            .await
    }

    /// The newest deliveries of a hook (at most 100).
    ///
    /// # Errors
    /// `NotFound` when the hook is gone.
    pub async fn hook_events(&self, owner: HookOwner, hook: HookId) -> Result<Vec<HookEvent>, GitLabError> {
        let operation = Operation::reads("hook_events.list");
        let endpoint = endpoints::hooks::events(owner, hook).with("per_page", "100");
        self.client.ask(operation, &endpoint).await
    }
}
