//! What our webhooks listen to, and the secrets that they carry.

use std::collections::BTreeMap;

use convenor_core::ids::HookId;
use convenor_core::plan::init;
use convenor_core::plan::step::HookScope;
use secrecy::SecretString;
use url::Url;

use crate::gitlab::NewHook;
use crate::gitlab::wire::Hook;
use crate::settings::{Settings, WebhookSettings};
use crate::store::MadeSetup;

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

/// Where GitLab delivers to, below the public address.
const INTAKE_PATH: &str = "webhooks/gitlab";

/// Where deliveries should go. GitLab refuses addresses of one's own machine unless its administrator allows them, so such
/// an address is only used when GitLab itself is on this machine.
#[must_use]
pub fn address(public_url: &str) -> Option<Url> {
    let base = if public_url.ends_with('/') {
        public_url.to_owned()
    } else {
        format!("{public_url}/")
    };
    Url::parse(&base).ok()?.join(INTAKE_PATH).ok()
}

/// What our own side knows of the webhooks.
#[derive(Clone, Debug, Default)]
pub struct OwnHooks {
    /// Where deliveries should go.
    pub address: Option<Url>,
    /// Whether there is a secret that a hook could carry.
    pub has_secret: bool,
    /// Hooks that we made.
    pub made: BTreeMap<HookScope, HookId>,
}

impl OwnHooks {
    /// As the settings say; what was made is in the store ([`OwnHooks::with_made`]).
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            address: address(&settings.server.public_url),
            has_secret: HookSecrets::new(&settings.webhook).are_there(),
            made: BTreeMap::new(),
        }
    }

    /// The same, with what the store remembers.
    #[must_use]
    pub fn with_made(mut self, made: &[MadeSetup]) -> Self {
        let hooks = made.iter().filter(|made| made.kind == MADE_HOOK);
        self.made = hooks
            .filter_map(|made| Some((HookScope::parse(&made.place)?, HookId(made.object.parse().ok()?))))
            .collect();
        self
    }
}

/// How the store calls a webhook that was made.
pub const MADE_HOOK: &str = "hook";
/// How the store calls a label that was made.
pub const MADE_LABEL: &str = "label";
/// How the store calls the issue template that was made.
pub const MADE_TEMPLATE: &str = "template";

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

    /// Whether there is a secret that a hook could carry.
    #[must_use]
    pub fn are_there(&self) -> bool {
        self.token.is_some() || self.signing_token.is_some()
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
            name: "Convenor",
            description: init::HOOK_DESCRIPTION,
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
