//! Webhooks of projects, groups (Premium) and the instance: manage, test, look at past deliveries, resend.

use super::{Call, Route};
use crate::hooks::{GROUP_TRIGGERS, Hook, Owner, Past, TRIGGERS, payload};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::Kind;
use crate::state::notes::Thing;
use crate::state::rights::{MAINTAINER, OWNER};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/hooks", list),
    ("POST", "/projects/:id/hooks", create),
    ("GET", "/projects/:id/hooks/:hook", get),
    ("PUT", "/projects/:id/hooks/:hook", update),
    ("DELETE", "/projects/:id/hooks/:hook", delete),
    ("POST", "/projects/:id/hooks/:hook/test/:trigger", test),
    ("GET", "/projects/:id/hooks/:hook/events", events),
    ("POST", "/projects/:id/hooks/:hook/events/:event/resend", resend),
    ("GET", "/groups/:id/hooks", list),
    ("POST", "/groups/:id/hooks", create),
    ("GET", "/groups/:id/hooks/:hook", get),
    ("PUT", "/groups/:id/hooks/:hook", update),
    ("DELETE", "/groups/:id/hooks/:hook", delete),
    ("POST", "/groups/:id/hooks/:hook/test/:trigger", test),
    ("GET", "/groups/:id/hooks/:hook/events", events),
    ("POST", "/groups/:id/hooks/:hook/events/:event/resend", resend),
    ("GET", "/hooks", list),
    ("POST", "/hooks", create),
    ("GET", "/hooks/:hook", get),
    ("POST", "/hooks/:hook", test_system),
    ("PUT", "/hooks/:hook", update),
    ("DELETE", "/hooks/:hook", delete),
];

/// Triggers that a test request cannot be made for.
const NOT_TESTABLE: &[&str] = &[
    "confidential_note_events",
    "deployment_events",
    "feature_flag_events",
    "vulnerability_events",
];

/// How long the API shows a past delivery.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whose hooks the address is about, after the checks that come before everything else.
fn owner(call: &Call<'_>) -> Result<Owner> {
    let actor = call.actor()?;
    if call.path.starts_with("/api/v4/hooks") {
        return if call.state.is_admin(Some(actor)) {
            Ok(Owner::System)
        } else {
            Err(Refusal::forbidden())
        };
    }
    if call.path.starts_with("/api/v4/groups/") {
        let group = call.group()?;
        if !call.state.is_premium() {
            return Err(Refusal::nothing_here());
        }
        call.state.need_in_group(actor, group, OWNER)?;
        return Ok(Owner::Group(group));
    }
    let project = call.project()?;
    call.state.need(actor, project, MAINTAINER)?;
    Ok(Owner::Project(project))
}

/// The place of the hook's number among the colon parts.
fn hook_arg(owner: Owner) -> usize {
    usize::from(owner != Owner::System)
}

fn found(call: &Call<'_>) -> Result<(Owner, u64)> {
    let owner = owner(call)?;
    let id = call.number(hook_arg(owner))?;
    call.state.hook(owner, id).ok_or_else(Refusal::nothing_here)?;
    Ok((owner, id))
}

fn list(call: &mut Call<'_>) -> Result {
    let owner = owner(call)?;
    let now = call.state.today();
    call.page()?.of(call.state.hooks(owner), |h| show::hook(h, owner, now))
}

fn get(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    show_hook(call, owner, id, 200)
}

fn show_hook(call: &Call<'_>, owner: Owner, id: u64, status: u16) -> Result {
    let hook = call.state.hook(owner, id).ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::json(status, show::hook(hook, owner, call.state.today())))
}

fn create(call: &mut Call<'_>) -> Result {
    let owner = owner(call)?;
    let params = call.params;
    let url = params.required("url")?;
    let mut hook = Hook {
        id: 0,
        url: String::new(),
        name: None,
        description: None,
        token: None,
        signing_key: None,
        events: BTreeSet::from(["push_events".to_owned()]),
        enable_ssl_verification: true,
        branch_filter: String::new(),
        branch_filter_strategy: "wildcard".to_owned(),
        custom_headers: Vec::new(),
        template: None,
        created_at: call.state.now(),
        failures: 0,
        disabled_until: None,
    };
    set_url(&mut hook, &url)?;
    apply(&mut hook, owner, params)?;
    hook.id = call.state.id(Kind::Hook);
    let id = hook.id;
    if let Some(hooks) = call.state.hooks_mut(owner) {
        hooks.push(hook);
    }
    show_hook(call, owner, id, 201)
}

fn set_url(hook: &mut Hook, text: &str) -> Result<()> {
    let valid = url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    if !valid {
        return Err(Refusal::error(422, "Invalid url given"));
    }
    if hook.url != text {
        // A changed address clears the secrets, so that nobody can send them elsewhere.
        hook.token = None;
        hook.signing_key = None;
        hook.url = text.to_owned();
    }
    Ok(())
}

fn apply(hook: &mut Hook, owner: Owner, params: &Params) -> Result<()> {
    let extra: &[&str] = match owner {
        Owner::Group(_) => GROUP_TRIGGERS,
        Owner::Project(_) => &[],
        // System hooks always hear of members, projects and groups; only these can be switched.
        Owner::System => &["repository_update_events"],
    };
    for trigger in TRIGGERS.iter().chain(extra) {
        match params.flag(trigger)? {
            Some(true) => {
                hook.events.insert((*trigger).to_owned());
            }
            Some(false) => {
                hook.events.remove(*trigger);
            }
            None => {}
        }
    }
    if owner == Owner::System {
        hook.events
            .extend(["member_events", "project_events", "group_events"].map(str::to_owned));
    }
    if let Some(token) = params.nullable("token") {
        hook.token = token.filter(|t| !t.is_empty());
    }
    if let Some(secret) = params.nullable("signing_token") {
        hook.signing_key = secret.filter(|s| !s.is_empty()).map(|s| signing_key(&s)).transpose()?;
    }
    hook.name = params.text("name").or(hook.name.take());
    hook.description = params.text("description").or(hook.description.take());
    hook.template = params.text("custom_webhook_template").or(hook.template.take());
    hook.enable_ssl_verification = params
        .flag("enable_ssl_verification")?
        .unwrap_or(hook.enable_ssl_verification);
    if let Some(filter) = params.text("push_events_branch_filter") {
        if filter.contains([' ', '~', '^', ':', '?', '[']) {
            return Err(Refusal::error(422, "Invalid branch filter given"));
        }
        hook.branch_filter = filter;
    }
    if let Some(strategy) = params.one_of("branch_filter_strategy", &["wildcard", "regex", "all_branches"])? {
        hook.branch_filter_strategy = strategy;
    }
    if let Some(headers) = params.objects("custom_headers")? {
        hook.custom_headers = headers.iter().map(custom_header).collect::<Result<_>>()?;
    }
    Ok(())
}

/// `whsec_` and the base64 of exactly 32 bytes.
fn signing_key(text: &str) -> Result<Vec<u8>> {
    let key = text
        .strip_prefix("whsec_")
        .and_then(|t| STANDARD.decode(t).ok())
        .filter(|k| k.len() == 32);
    key.ok_or_else(|| {
        Refusal::message(
            422,
            json!({ "signing_token": ["must be whsec_ followed by 32 base64-encoded bytes"] }),
        )
    })
}

fn custom_header(header: &Params) -> Result<(String, String)> {
    let invalid = || Refusal::error(422, "Custom headers validation failed");
    let key = header.filled("key").ok_or_else(invalid)?;
    if !key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        return Err(invalid());
    }
    Ok((key, header.text("value").unwrap_or_default()))
}

fn update(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    let params = call.params;
    if params.as_value().as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(Refusal::error(400, "No parameters provided"));
    }
    let mut hook = call.state.hook(owner, id).cloned().ok_or_else(Refusal::nothing_here)?;
    if let Some(url) = params.text("url") {
        set_url(&mut hook, &url)?;
    }
    apply(&mut hook, owner, params)?;
    // An edited hook starts anew.
    hook.failures = 0;
    hook.disabled_until = None;
    if let Some(slot) = call.state.hook_mut(owner, id) {
        *slot = hook;
    }
    show_hook(call, owner, id, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    if let Some(hooks) = call.state.hooks_mut(owner) {
        hooks.retain(|h| h.id != id);
    }
    Ok(Answer::no_content())
}

/// Queues a test made from what exists; the server sends it before it answers.
fn test(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    let trigger = call.arg(2).to_owned();
    if !TRIGGERS.contains(&trigger.as_str()) || NOT_TESTABLE.contains(&trigger.as_str()) {
        return Err(Refusal::error(400, "trigger does not have a valid value"));
    }
    let actor = call.actor()?;
    let (name, body) = test_body(call, owner, actor, &trigger)
        .ok_or_else(|| Refusal::message(422, format!("Ensure the project has {}.", wanted_for(&trigger))))?;
    call.state.queue_test(owner, id, &trigger, name, &body);
    Ok(Answer::created(json!({ "message": "201 Created" })))
}

/// An instance's hook is tested with an event that every instance can have.
fn test_system(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    let body = json!({
        "event_name": "project_create",
        "name": "Ruby",
        "path": "ruby",
        "project_id": 1,
        "owner_name": "Someone",
        "owner_email": "example@gitlabhq.com",
    });
    call.state.queue_test(owner, id, "project_events", "System Hook", &body);
    Ok(Answer::created(body))
}

fn wanted_for(trigger: &str) -> &'static str {
    match trigger {
        "issues_events" | "confidential_issues_events" => "issues",
        "note_events" => "notes",
        "merge_requests_events" => "merge requests",
        "push_events" | "tag_push_events" => "at least one commit",
        _ => "something of that kind",
    }
}

fn test_body(call: &Call<'_>, owner: Owner, actor: u64, trigger: &str) -> Option<(&'static str, Value)> {
    let state = &*call.state;
    let projects: Vec<u64> = match owner {
        Owner::Project(id) => vec![id],
        Owner::Group(id) => super::groups::projects_below(state, id, true)
            .iter()
            .map(|p| p.id)
            .collect(),
        Owner::System => Vec::new(),
    };
    let projects = projects.iter().filter_map(|id| state.projects.get(id));
    projects.into_iter().find_map(|project| match trigger {
        "issues_events" | "confidential_issues_events" => {
            let issue = project.issues.values().next()?;
            let body = payload::issue(state, actor, None, Thing::issue(project.id, issue.iid), None);
            Some(("Issue Hook", body))
        }
        "note_events" => project.issues.values().find_map(|issue| {
            let note = issue.notes.iter().find(|n| !n.system)?;
            let thing = Thing::issue(project.id, issue.iid);
            Some(("Note Hook", payload::note(state, actor, thing, note.id, "create")))
        }),
        "merge_requests_events" => {
            let request = project.merge_requests.values().next()?;
            let thing = Thing::merge_request(project.id, request.iid);
            Some((
                "Merge Request Hook",
                payload::merge_request(state, actor, None, thing, None, None),
            ))
        }
        "push_events" => {
            let branch = project.default_branch.as_deref()?;
            let commits: Vec<_> = project
                .repo
                .log(&project.repo.branch(branch)?.id)
                .into_iter()
                .take(3)
                .collect();
            let (after, before) = (commits.first()?.id.clone(), commits.last()?.id.clone());
            let body = payload::push(
                state,
                actor,
                project.id,
                branch,
                &before,
                &after,
                &commits,
                commits.len(),
            );
            Some(("Push Hook", body))
        }
        _ => None,
    })
}

fn events(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    let status = call.params.filled("status");
    let wanted = |past: &Past| {
        let code = past.status.unwrap_or(0);
        status.as_deref().is_none_or(|s| match s {
            "successful" => (200..400).contains(&code),
            "client_failure" => (400..500).contains(&code),
            "server_failure" => code == 0 || code >= 500,
            other => other == code.to_string(),
        })
    };
    let now = call.state.today();
    let past: Vec<&Past> = call
        .state
        .hook_log
        .past
        .iter()
        .rev()
        .filter(|p| p.delivery.owner == owner && p.delivery.hook == id && wanted(p))
        .filter(|p| now.duration_since(p.at) <= KEPT)
        .collect();
    call.page()?.of(&past, |p| show::past_delivery(p))
}

/// Queues a past delivery again, with its idempotency key.
fn resend(call: &mut Call<'_>) -> Result {
    let (owner, id) = found(call)?;
    let event = call.number(hook_arg(owner) + 1)?;
    let past = call
        .state
        .hook_log
        .past
        .iter()
        .find(|p| p.delivery.id == event && p.delivery.owner == owner && p.delivery.hook == id);
    let mut delivery = past.map(|p| p.delivery.clone()).ok_or_else(Refusal::nothing_here)?;
    delivery.id = call.state.id(Kind::Delivery);
    delivery.event_uuid = call.state.uuid();
    call.state.hook_log.forced.push(delivery);
    Ok(Answer::created(json!({ "response_status": 200 })))
}
