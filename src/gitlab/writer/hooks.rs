//! Webhooks.

use convenor_core::ids::HookId;

use super::{NewHook, Writer};
use crate::gitlab::endpoints::{self, hooks::HookOwner};
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::wire::Hook;

impl Writer {
    /// Makes a webhook. GitLab makes a second one for the same address without a word.
    ///
    /// # Errors
    /// `Invalid` when GitLab does not accept the address (local networks, unless an administrator allows them).
    pub async fn create_hook(&self, owner: HookOwner, hook: &NewHook) -> Result<Hook, GitLabError> {
        self.client
            .ask(
                Operation::writes("hooks.create"),
                &endpoints::hooks::create(owner, hook),
            )
            .await
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `NotFound` when it is gone.
    pub async fn update_hook(&self, owner: HookOwner, id: HookId, hook: &NewHook) -> Result<Hook, GitLabError> {
        self.client
            .ask(
                Operation::writes("hooks.update"),
                &endpoints::hooks::update(owner, id, hook),
            )
            .await
    }

    /// Removes a webhook.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    pub async fn delete_hook(&self, owner: HookOwner, id: HookId) -> Result<(), GitLabError> {
        self.client
            .tell(Operation::writes("hooks.delete"), &endpoints::hooks::delete(owner, id))
            .await
    }

    /// Makes GitLab send one delivery of a trigger such as `push_events`; a success also enables a disabled hook again.
    ///
    /// # Errors
    /// `Invalid` when the project has nothing to send, or our answer to the delivery was no success.
    pub async fn test_hook(&self, owner: HookOwner, id: HookId, trigger: &str) -> Result<(), GitLabError> {
        self.client
            .tell(
                Operation::writes("hooks.test"),
                &endpoints::hooks::test(owner, id, trigger),
            )
            .await
    }
}
