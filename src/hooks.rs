//! What our webhooks listen to, and the secrets that they carry.

use secrecy::SecretString;
use url::Url;

use crate::gitlab::NewHook;
use crate::gitlab::wire::Hook;
use crate::settings::WebhookSettings;

/// Triggers that we listen to. Those that a project's hook lacks are ignored by GitLab, as every unknown parameter is.
const TRIGGERS: [&str; 6] = [
    "push_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "merge_requests_events",
];

/// Triggers that only a group's hook has.
const GROUP_TRIGGERS: [&str; 3] = ["member_events", "project_events", "subgroup_events"];

/// The secrets of the webhooks that we make: the newest of each kind in the settings.
#[derive(Clone, Debug, Default)]
pub struct HookSecrets {
    token: Option<SecretString>,
    signing_token: Option<SecretString>,
}

impl HookSecrets {
    /// The first secret of each kind: it is the one that new hooks get, the others are still accepted.
    #[must_use]
    pub fn new(settings: &WebhookSettings) -> Self {
        Self {
            token: settings.secret_tokens.first().cloned(),
            signing_token: settings.signing_tokens.first().cloned(),
        }
    }

    /// The hook that sends to this address.
    #[must_use]
    pub fn hook(&self, url: &Url, for_group: bool) -> NewHook {
        let group = GROUP_TRIGGERS.iter().filter(|_| for_group);
        NewHook {
            url: url.clone(),
            token: self.token.clone(),
            signing_token: self.signing_token.clone(),
            enable_ssl_verification: true,
            triggers: TRIGGERS.iter().chain(group).map(|trigger| (*trigger, true)).collect(),
        }
    }
}

/// Whether a hook tells everything that we listen to.
#[must_use]
pub fn is_complete(hook: &Hook, for_group: bool) -> bool {
    let mut group = GROUP_TRIGGERS.iter().filter(|_| for_group);
    TRIGGERS.iter().all(|trigger| hook.sends(trigger)) && group.all(|trigger| hook.sends(trigger))
}
