//! Webhooks: missing ones, disabled ones, failing ones.

use jiff::Timestamp;

use super::LifelineSeen;
use crate::escape::{Markdown, Title};
use crate::ids::HookId;
use crate::plan::Step;
use crate::plan::init::{self, InitSeen};
use crate::plan::notice::Notice;
use crate::plan::step::HookScope;
use crate::untrusted::Untrusted;

/// How one webhook of ours fared within the last hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookHealth {
    /// Whose it is.
    pub scope: HookScope,
    /// The hook.
    pub hook: HookId,
    /// Its deliveries.
    pub deliveries: Health,
}

/// Deliveries of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Those that were answered well.
    pub arrived: usize,
    /// Those that were not.
    pub failed: usize,
    /// Failed ones since the last that arrived.
    pub failed_since: usize,
    /// How the newest failed one was answered, such as `401` or `internal error`.
    pub last_failure: Option<String>,
    /// When the newest one was sent.
    pub last_at: Option<Timestamp>,
}

/// So many failures in a row are no accident.
const FAILING: usize = 4;

/// What is due for the webhooks.
#[derive(Default)]
pub(super) struct Care {
    pub(super) steps: Vec<Step>,
    pub(super) notice: Option<Notice>,
    /// Deliveries that did not arrive.
    pub(super) missed: usize,
}

pub(super) fn care(seen: &LifelineSeen) -> Care {
    let setup = &seen.setup;
    let mut care = Care {
        missed: seen.health.iter().map(|hook| hook.deliveries.failed).sum(),
        ..Care::default()
    };
    let mut faults = Vec::new();
    if is_set_up(setup) {
        // After a renewal GitLab's own word counts only later: without this, a hook that stays disabled would be renewed
        // for ever.
        let may_act = seen.renewed_lately == 0;
        for (scope, hooks) in init::hook_places(setup) {
            match hooks {
                None => faults.push(Fault::Unseen(scope)),
                Some(hooks) => of_place(seen, (scope, hooks), may_act, &mut care.steps, &mut faults),
            }
        }
    }
    for hook in &seen.health {
        if hook.deliveries.failed_since >= FAILING && !faults.iter().any(|fault| fault.scope() == hook.scope) {
            faults.push(Fault::Failing(hook.scope, hook.deliveries.clone()));
        }
    }
    care.notice = (!faults.is_empty()).then(|| notice(seen, &faults));
    care
}

/// Whether `init` made webhooks at all: where it did not, the operator lives without.
fn is_set_up(setup: &InitSeen) -> bool {
    let has_one = |scope, hooks: Option<&[_]>| hooks.is_some_and(|hooks| init::our_hook(setup, scope, hooks).is_some());
    setup.has_secret && init::hook_places(setup).any(|(scope, hooks)| has_one(scope, hooks))
}

fn of_place(
    seen: &LifelineSeen,
    (scope, hooks): (HookScope, &[init::HookSeen]),
    may_act: bool,
    steps: &mut Vec<Step>,
    faults: &mut Vec<Fault>,
) {
    let setup = &seen.setup;
    let Some(url) = setup.address.clone() else { return };
    match init::our_hook(setup, scope, hooks) {
        // Made once and gone: a person took it away.
        None if setup.made_hooks.contains_key(&scope) => faults.push(Fault::Removed(scope)),
        None => steps.push(Step::CreateHook { scope, url }),
        Some(hook) if hook.enabled && hook.events_are_complete && hook.url == url.as_str() => {}
        Some(hook) if may_act => steps.push(Step::UpdateHook {
            scope,
            hook: hook.id,
            url,
        }),
        Some(hook) if !hook.enabled => faults.push(Fault::Disabled(scope)),
        Some(_) => {}
    }
}

enum Fault {
    /// GitLab does not let us see the hooks there.
    Unseen(HookScope),
    /// A person took the hook away.
    Removed(HookScope),
    /// Disabled, and a renewal did not help.
    Disabled(HookScope),
    /// It fails again and again.
    Failing(HookScope, Health),
}

impl Fault {
    fn scope(&self) -> HookScope {
        match self {
            Self::Unseen(scope) | Self::Removed(scope) | Self::Disabled(scope) | Self::Failing(scope, _) => *scope,
        }
    }
}

fn notice(seen: &LifelineSeen, faults: &[Fault]) -> Notice {
    let mut text = Markdown::new().words(
        "GitLab's webhooks do not all reach Convenor. Nothing is lost: every change is found by the scheduled look at \
         everything, only later.\n\n",
    );
    for fault in faults {
        let scope = fault.scope();
        let path = seen.setup.paths.get(&scope).filter(|_| seen.readers.may_read_of(scope));
        let place = path.cloned().unwrap_or_else(|| scope.to_string());
        text = text.words("- ").code(&Untrusted::new(place)).words(": ");
        text = match fault {
            Fault::Unseen(_) => text.words(
                "its webhooks cannot be managed with the bot's role. Make it Maintainer there, or add the webhook by hand.",
            ),
            Fault::Removed(_) => text.words(
                "the webhook that Convenor made is gone. If that was a mistake, `convenor init` makes it again; if it was \
                 meant, close this issue.",
            ),
            Fault::Disabled(_) => text.words(
                "GitLab has disabled the webhook after failed deliveries, and renewing it did not help. See \u{201c}Recent \
                 events\u{201d} in its settings.",
            ),
            Fault::Failing(_, health) => failing(text, health),
        };
        text = text.words("\n");
    }
    Notice {
        title: Title::new().words("Webhooks do not reach Convenor"),
        text: text.words("\n`convenor doctor` shows what it sees now.\n"),
        confidential: true,
    }
}

fn failing(text: Markdown, health: &Health) -> Markdown {
    let answer = health.last_failure.clone().unwrap_or_default();
    let mend = match answer.as_str() {
        "401" | "403" => {
            "Convenor does not accept its secret: `convenor init --renew-hooks` gives it the one of the settings."
        }
        "404" => "nothing answers at that address: check `server.public_url` and the proxy before it.",
        "413" => "something before Convenor refuses large bodies: raise the proxy's limit to 25 MB.",
        "429" | "502" | "503" | "504" => "the service or the proxy before it was not available.",
        _ => "GitLab cannot reach `server.public_url`, or its certificate is not accepted.",
    };
    text.words("its deliveries fail; the last answer was ")
        .code(&Untrusted::new(answer))
        .words(". ")
        .words(mend)
}
