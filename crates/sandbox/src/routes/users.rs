//! Users and namespaces.

use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use jiff::civil::Date;
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/user", myself),
    ("GET", "/users", list),
    ("GET", "/users/:id", get),
    ("POST", "/users/:id/block", set_state),
    ("POST", "/users/:id/unblock", set_state),
    ("POST", "/users/:id/deactivate", set_state),
    ("POST", "/users/:id/activate", set_state),
    ("POST", "/users/:id/ban", set_state),
    ("POST", "/users/:id/unban", set_state),
    ("GET", "/namespaces", namespaces),
    ("GET", "/namespaces/:id", namespace),
];

fn myself(call: &mut Call<'_>) -> Result {
    Ok(Answer::ok(show::current_user(call.state, call.actor()?)))
}

fn list(call: &mut Call<'_>) -> Result {
    let params = call.params;
    let username = params.filled("username").map(|u| u.to_lowercase());
    let search = params.filled("search").map(|s| s.to_lowercase());
    let (active, blocked) = (params.is_set("active")?, params.is_set("blocked")?);
    let (humans, no_bots) = (params.is_set("humans")?, params.is_set("exclude_internal")?);
    let ascending = params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc");
    params.accept(&["order_by", "without_project_bots", "with_custom_attributes"]);
    let page = call.page()?;
    let mut users: Vec<u64> = call
        .state
        .users
        .values()
        .filter(|u| username.as_ref().is_none_or(|name| u.username.to_lowercase() == *name))
        .filter(|u| {
            let hit = |s: &String| {
                u.username.to_lowercase().contains(s) || u.name.to_lowercase().contains(s) || u.email == *s
            };
            search.as_ref().is_none_or(hit)
        })
        .filter(|u| (!active || u.state == "active") && (!blocked || u.state == "blocked"))
        .filter(|u| !(humans || no_bots) || !u.bot)
        .map(|u| u.id)
        .collect();
    if !ascending {
        users.reverse();
    }
    let state = &*call.state;
    if page.is_keyset() {
        return page.keyset_of(&users, ToString::to_string, |id| show::user(state, *id));
    }
    page.of(&users, |id| show::user(state, *id))
}

fn get(call: &mut Call<'_>) -> Result {
    let id = call.number(0)?;
    call.params.accept(&["with_custom_attributes"]);
    if call.state.users.contains_key(&id) {
        Ok(Answer::ok(show::user_page(call.state, id)))
    } else {
        Err(Refusal::not_found("User"))
    }
}

/// An administrator blocks somebody, or takes that back.
fn set_state(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.number(0)?);
    if !call.state.is_admin(Some(actor)) {
        return Err(Refusal::forbidden());
    }
    let user = call
        .state
        .users
        .get_mut(&id)
        .ok_or_else(|| Refusal::not_found("User"))?;
    let (from, to): (&[&str], &str) = match call.path.rsplit('/').next().unwrap_or_default() {
        "block" => (&["active", "deactivated"], "blocked"),
        "unblock" => (&["blocked"], "active"),
        "deactivate" => (&["active"], "deactivated"),
        "activate" => (&["deactivated", "active"], "active"),
        "ban" => (&["active"], "banned"),
        _ => (&["banned"], "active"),
    };
    if !from.contains(&user.state.as_str()) {
        return Err(Refusal::forbidden());
    }
    user.state = to.to_owned();
    Ok(Answer::created(json!(true)))
}

/// Reads `2026-01-31`.
pub(super) fn date(text: Option<&str>, name: &str) -> Result<Option<Date>> {
    match text.filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => {
            let day = text.get(..10).unwrap_or(text);
            day.parse()
                .map(Some)
                .map_err(|_| Refusal::error(400, format!("{name} is invalid")))
        }
    }
}

fn namespaces(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let search = call.params.filled("search").map(|s| s.to_lowercase());
    let mut all: Vec<u64> = call
        .state
        .groups
        .keys()
        .copied()
        .filter(|g| call.state.group_level(Some(actor), *g) > 0)
        .collect();
    all.extend(call.state.users.get(&actor).map(|u| u.namespace));
    let shown: Vec<serde_json::Value> = all.iter().filter_map(|id| show_namespace(call, *id)).collect();
    let hit = |n: &serde_json::Value| {
        search
            .as_ref()
            .is_none_or(|s| n["full_path"].as_str().is_some_and(|p| p.to_lowercase().contains(s)))
    };
    let shown: Vec<_> = shown.into_iter().filter(hit).collect();
    call.page()?.of(&shown, Clone::clone)
}

fn namespace(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let id = match call.arg(0).parse::<u64>() {
        Ok(id) => Some(id),
        Err(_) => match call.state.place(call.arg(0)) {
            Some(crate::state::Place::Group(id)) => Some(id),
            Some(crate::state::Place::User(id)) => call.state.users.get(&id).map(|u| u.namespace),
            _ => None,
        },
    };
    let visible =
        |id: &u64| call.state.sees_group(Some(actor), *id) || call.state.users.values().any(|u| u.namespace == *id);
    let found = id.filter(visible).and_then(|id| show_namespace(call, id));
    found.map(Answer::ok).ok_or_else(|| Refusal::not_found("Namespace"))
}

fn show_namespace(call: &Call<'_>, id: u64) -> Option<serde_json::Value> {
    if let Some(group) = call.state.groups.get(&id) {
        return Some(json!({
            "id": id,
            "name": group.name,
            "path": group.path,
            "kind": "group",
            "full_path": group.full_path,
            "parent_id": group.parent,
            "avatar_url": null,
            "web_url": format!("{}/groups/{}", call.state.url, group.full_path),
            "members_count_with_descendants": group.members.iter().count(),
            "plan": if call.state.is_premium() { "premium" } else { "free" },
        }));
    }
    let user = call.state.users.values().find(|u| u.namespace == id)?;
    Some(json!({
        "id": id,
        "name": user.name,
        "path": user.username,
        "kind": "user",
        "full_path": user.username,
        "parent_id": null,
        "avatar_url": null,
        "web_url": format!("{}/{}", call.state.url, user.username),
    }))
}
