//! Webhooks: which hooks exist, which of them an event concerns, what is waiting to be sent and what came of it.

pub(crate) mod happened;
pub(crate) mod payload;
pub(crate) mod sending;
mod weather;

pub use sending::{PendingDelivery, SentDelivery};
pub use weather::HookWeather;

use crate::record::Recorder;
use crate::state::{Kind, Place, State, branches};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// The events that a hook can be asked to send, and whether GitLab switches them on unasked.
pub(crate) const TRIGGERS: &[&str] = &[
    "push_events",
    "tag_push_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "merge_requests_events",
    "milestone_events",
    "emoji_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "releases_events",
    "deployment_events",
    "feature_flag_events",
    "resource_access_token_events",
    "vulnerability_events",
];

/// The ones that only group hooks have.
pub(crate) const GROUP_TRIGGERS: &[&str] = &["member_events", "subgroup_events", "project_events"];

const PAUSED_AFTER: u32 = 4;
const DISABLED_AFTER: u32 = 40;
const MOST_IN_CHAIN: usize = 100;
const CHAIN_MEMORY: SignedDuration = SignedDuration::from_mins(30);

/// A webhook of a project, a group or the instance.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) signing_key: Option<Vec<u8>>,
    pub(crate) events: BTreeSet<String>,
    pub(crate) enable_ssl_verification: bool,
    pub(crate) branch_filter: String,
    /// `wildcard`, `regex`, `all_branches`
    pub(crate) branch_filter_strategy: String,
    pub(crate) custom_headers: Vec<(String, String)>,
    pub(crate) template: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) failures: u32,
    pub(crate) disabled_until: Option<Timestamp>,
}

impl Hook {
    /// `executable`, `temporarily_disabled`, `disabled`
    pub(crate) fn alert_status(&self, now: Timestamp) -> &'static str {
        if self.failures >= DISABLED_AFTER {
            "disabled"
        } else if self.disabled_until.is_some_and(|until| until > now) {
            "temporarily_disabled"
        } else {
            "executable"
        }
    }

    fn takes_branch(&self, branch: &str) -> bool {
        if self.branch_filter.is_empty() || self.branch_filter_strategy == "all_branches" {
            return true;
        }
        if self.branch_filter_strategy == "regex" {
            return regex::Regex::new(&self.branch_filter).is_ok_and(|r| r.is_match(branch));
        }
        branches::matches_pattern(&self.branch_filter, branch)
    }

    /// 2xx and 3xx reset the counter; the fourth failure in a row pauses, the fortieth stops.
    fn count(&mut self, success: bool, now: Timestamp) {
        if success {
            self.failures = 0;
            self.disabled_until = None;
            return;
        }
        self.failures += 1;
        if self.failures >= PAUSED_AFTER {
            let doublings = (self.failures - PAUSED_AFTER).min(11);
            let minutes = (1_i64 << doublings).min(24 * 60);
            self.disabled_until = now.saturating_add(SignedDuration::from_mins(minutes)).ok();
        }
    }
}

/// Whose hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Project(u64),
    Group(u64),
    System,
}

/// One message to one hook.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) owner: Owner,
    pub(crate) hook: u64,
    pub(crate) trigger: String,
    /// The value of `X-Gitlab-Event`.
    pub(crate) event: String,
    pub(crate) body: String,
    pub(crate) idempotency_key: String,
    pub(crate) event_uuid: String,
}

/// A delivery that was tried.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) delivery: Delivery,
    pub(crate) url: String,
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
    pub(crate) response_body: String,
    pub(crate) error: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) duration: f64,
}

/// A delivery with the headers it was handed out with.
pub(crate) type HandedOut = (Delivery, Vec<(String, String)>);

/// What waits, what was sent, and the chains of calls and events.
#[derive(Debug, Default, Clone)]
pub(crate) struct HookLog {
    pub(crate) waiting: VecDeque<Delivery>,
    /// Tests and resends, which are sent inside the call that asked for them.
    pub(crate) forced: Vec<Delivery>,
    pub(crate) past: Vec<Past>,
    /// Deliveries that a test took to hand them over itself, until it says what came of them.
    pub(crate) handed_out: HashMap<u64, HandedOut>,
    pub(crate) weather: HookWeather,
    /// The recursion id of the call that is being handled.
    pub(crate) chain: Option<String>,
    /// Why events were dropped without a delivery.
    pub(crate) dropped: Vec<String>,
    pub(crate) recorder: Recorder,
    chains: HashMap<String, (Timestamp, Vec<u64>)>,
}

/// An event that hooks may want.
pub(crate) struct Event<'a> {
    pub(crate) trigger: &'a str,
    /// The value of `X-Gitlab-Event` for project and group hooks.
    pub(crate) name: &'a str,
    pub(crate) branch: Option<&'a str>,
}

impl State {
    pub(crate) fn hooks(&self, owner: Owner) -> &[Hook] {
        match owner {
            Owner::Project(id) => self.projects.get(&id).map_or(&[], |p| &p.hooks),
            Owner::Group(id) => self.groups.get(&id).map_or(&[], |g| &g.hooks),
            Owner::System => &self.system_hooks,
        }
    }

    pub(crate) fn hooks_mut(&mut self, owner: Owner) -> Option<&mut Vec<Hook>> {
        match owner {
            Owner::Project(id) => self.projects.get_mut(&id).map(|p| &mut p.hooks),
            Owner::Group(id) => self.groups.get_mut(&id).map(|g| &mut g.hooks),
            Owner::System => Some(&mut self.system_hooks),
        }
    }

    pub(crate) fn hook(&self, owner: Owner, id: u64) -> Option<&Hook> {
        self.hooks(owner).iter().find(|h| h.id == id)
    }

    pub(crate) fn hook_mut(&mut self, owner: Owner, id: u64) -> Option<&mut Hook> {
        self.hooks_mut(owner)?.iter_mut().find(|h| h.id == id)
    }

    /// The owners whose hooks hear of a project's events: itself, and on Premium the groups above it.
    fn listeners_of_project(&self, project: u64) -> Vec<Owner> {
        let above = self.projects.get(&project).map(|p| p.owner);
        let groups = above.into_iter().flat_map(|place| self.listeners_of_group(place));
        std::iter::once(Owner::Project(project)).chain(groups).collect()
    }

    fn listeners_of_group(&self, place: Place) -> Vec<Owner> {
        if !self.is_premium() {
            return Vec::new();
        }
        self.ancestors_of(place).map(|g| Owner::Group(g.id)).collect()
    }

    /// The hooks among these owners that want an event.
    fn wanting(&self, owners: &[Owner], event: &Event<'_>) -> Vec<(Owner, u64)> {
        owners
            .iter()
            .flat_map(|owner| self.hooks(*owner).iter().map(move |hook| (*owner, hook)))
            .filter(|(_, hook)| hook.events.contains(event.trigger))
            .filter(|(_, hook)| event.branch.is_none_or(|branch| hook.takes_branch(branch)))
            .map(|(owner, hook)| (owner, hook.id))
            .collect()
    }

    /// Queues one event for everybody who wants it; the body is only made when somebody does.
    fn emit(&mut self, owners: &[Owner], event: &Event<'_>, body: impl FnOnce(&Self) -> Value) {
        let wanting = self.wanting(owners, event);
        if wanting.is_empty() {
            return;
        }
        let body = body(self);
        for (owner, hook) in wanting {
            let name = if owner == Owner::System {
                "System Hook"
            } else {
                event.name
            };
            self.hook_log.recorder.webhook(name, &body);
            self.queue(owner, hook, event.trigger, name, &body);
        }
    }

    /// Queues one message, unless the hook is disabled or the chain of events went round.
    fn queue(&mut self, owner: Owner, hook: u64, trigger: &str, event: &str, body: &Value) {
        let now = self.today();
        let disabled = self.config.disable_failing_hooks
            && self
                .hook(owner, hook)
                .is_some_and(|h| h.alert_status(now) != "executable");
        if disabled {
            self.hook_log
                .dropped
                .push(format!("hook {hook} is disabled: {event} dropped"));
            return;
        }
        let chain = self.hook_log.chain.clone();
        if let Some(chain) = &chain {
            let (since, fired) = self.hook_log.chains.entry(chain.clone()).or_insert((now, Vec::new()));
            if now.duration_since(*since) > CHAIN_MEMORY {
                (*since, *fired) = (now, Vec::new());
            }
            if fired.contains(&hook) || fired.len() >= MOST_IN_CHAIN {
                self.hook_log
                    .dropped
                    .push(format!("Recursive webhook blocked: hook {hook}, {event}"));
                return;
            }
            fired.push(hook);
        }
        let delivery = Delivery {
            id: self.id(Kind::Delivery),
            owner,
            hook,
            trigger: trigger.to_owned(),
            event: event.to_owned(),
            body: self.templated(owner, hook, body),
            idempotency_key: self.uuid(),
            event_uuid: chain.unwrap_or_else(|| self.uuid()),
        };
        self.hook_log.waiting.push_back(delivery);
    }

    /// Queues a test of one hook, disabled or not.
    pub(crate) fn queue_test(&mut self, owner: Owner, hook: u64, trigger: &str, event: &str, body: &Value) {
        let delivery = Delivery {
            id: self.id(Kind::Delivery),
            owner,
            hook,
            trigger: trigger.to_owned(),
            event: if owner == Owner::System { "System Hook" } else { event }.to_owned(),
            body: self.templated(owner, hook, body),
            idempotency_key: self.uuid(),
            event_uuid: self.uuid(),
        };
        self.hook_log.forced.push(delivery);
    }

    /// A custom template replaces the whole body: `{{project.name}}` and the like are filled from the payload.
    fn templated(&self, owner: Owner, hook: u64, body: &Value) -> String {
        let template = self.hook(owner, hook).and_then(|h| h.template.clone());
        match template.filter(|t| !t.is_empty()) {
            Some(template) => fill(&template, body),
            None => body.to_string(),
        }
    }

    /// Writes down what came of a delivery and counts it for the hook.
    pub(crate) fn record_delivery(&mut self, past: Past) {
        let now = self.today();
        let success = past.status.is_some_and(|s| (200..400).contains(&s));
        let (owner, hook) = (past.delivery.owner, past.delivery.hook);
        if let Some(hook) = self.hook_mut(owner, hook) {
            hook.count(success, now);
        }
        self.hook_log.past.push(past);
    }
}

fn fill(template: &str, body: &Value) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        let pointer = format!("/{}", name.trim().replace('.', "/"));
        match body.pointer(&pointer) {
            Some(Value::String(text)) => out.push_str(text),
            Some(value) => out.push_str(&value.to_string()),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
