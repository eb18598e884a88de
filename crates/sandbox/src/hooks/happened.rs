//! The events that changes set off, one function a kind: which trigger, who hears of it, what it says.

use super::payload::{self, flat_time};
use super::{Event, Owner};
use crate::git::{Commit, ZERO};
use crate::state::events::Target;
use crate::state::issues::Issue;
use crate::state::merge_requests::MergeRequest;
use crate::state::notes::Thing;
use crate::state::rights::level_name;
use crate::state::tokens::Token;
use crate::state::{Place, State};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::Arc;

const MOST_BRANCH_COMMITS: usize = 20;

/// An issue was opened, changed, closed or reopened.
pub(crate) fn issue(state: &mut State, actor: u64, old: Option<&Issue>, thing: Thing, action: &str) {
    let Ok(new) = state
        .find_issue(Some(actor), thing.project(), thing.iid())
        .or_else(|_| state.find_issue(Some(1), thing.project(), thing.iid()))
    else {
        return;
    };
    if old.is_some_and(|o| o.updated_at == new.updated_at) {
        return;
    }
    let confidential = new.confidential;
    state.write_thing_event(actor, thing, action);
    let (trigger, name) = if confidential {
        ("confidential_issues_events", "Confidential Issue Hook")
    } else {
        ("issues_events", "Issue Hook")
    };
    let owners = state.listeners_of_project(thing.project());
    state.emit(
        &owners,
        &Event {
            trigger,
            name,
            branch: None,
        },
        |state| payload::issue(state, actor, old, thing, Some(action)),
    );
}

/// A comment was written or changed.
pub(crate) fn note(state: &mut State, actor: u64, thing: Thing, note: u64, action: &str) {
    let Ok(found) = state.notes(thing) else { return };
    let Some(found) = found.iter().find(|n| n.id == note && !n.system) else {
        return;
    };
    let internal = found.internal;
    if action == "create" {
        state.write_event(actor, thing.project(), "commented on", Target::Note(thing, note));
    }
    let on_confidential = match thing {
        Thing::Issue { project, iid } => state
            .projects
            .get(&project)
            .and_then(|p| p.issues.get(&iid))
            .is_some_and(|i| i.confidential),
        Thing::MergeRequest { .. } => false,
    };
    let (trigger, name) = if internal || on_confidential {
        ("confidential_note_events", "Confidential Note Hook")
    } else {
        ("note_events", "Note Hook")
    };
    let owners = state.listeners_of_project(thing.project());
    state.emit(
        &owners,
        &Event {
            trigger,
            name,
            branch: None,
        },
        |state| payload::note(state, actor, thing, note, action),
    );
}

/// A merge request was opened, changed, merged…; `oldrev` when its source branch got commits.
pub(crate) fn merge_request(
    state: &mut State,
    actor: u64,
    old: Option<&MergeRequest>,
    thing: Thing,
    action: &str,
    oldrev: Option<&str>,
) {
    state.write_thing_event(actor, thing, action);
    let mut owners = state.listeners_of_project(thing.project());
    owners.push(Owner::System);
    let event = Event {
        trigger: "merge_requests_events",
        name: "Merge Request Hook",
        branch: None,
    };
    state.emit(&owners, &event, |state| {
        payload::merge_request(state, actor, old, thing, Some(action), oldrev)
    });
}

/// A branch was moved, made or removed.
pub(crate) fn push(
    state: &mut State,
    actor: u64,
    project: u64,
    branch: &str,
    before: &str,
    after: &str,
    commits: &[Arc<Commit>],
) {
    state.write_push_event(actor, project, branch, (before, after), commits);
    let owners = state.listeners_of_project(project);
    let event = Event {
        trigger: "push_events",
        name: "Push Hook",
        branch: Some(branch),
    };
    let newest: Vec<Arc<Commit>> = commits.iter().take(MOST_BRANCH_COMMITS).rev().cloned().collect();
    state.emit(&owners, &event, |state| {
        payload::push(state, actor, project, branch, before, after, &newest, commits.len())
    });
    let event = Event {
        trigger: "push_events",
        name: "System Hook",
        branch: None,
    };
    state.emit(&[Owner::System], &event, |state| {
        let mut body = payload::push(state, actor, project, branch, before, after, &[], commits.len());
        if let Some(object) = body.as_object_mut() {
            object.remove("object_kind");
        }
        body
    });
    let event = Event {
        trigger: "repository_update_events",
        name: "System Hook",
        branch: None,
    };
    state.emit(&[Owner::System], &event, |state| {
        payload::repository_update(
            state,
            actor,
            project,
            branch,
            before,
            if after.is_empty() { ZERO } else { after },
        )
    });
}

/// Somebody became a member, changed level or left.
pub(crate) fn member(state: &mut State, source: Place, user: u64, level: u64, what: &str, expires_at: Option<Date>) {
    match source {
        Place::Group(group) => {
            let name = match what {
                "add" => "user_add_to_group",
                "update" => "user_update_for_group",
                "ask" => "user_access_request_to_group",
                "deny" => "user_access_request_denied_for_group",
                _ => "user_remove_from_group",
            };
            let mut owners = state.listeners_of_group(source);
            owners.push(Owner::System);
            let event = Event {
                trigger: "member_events",
                name: "Member Hook",
                branch: None,
            };
            state.emit(&owners, &event, |state| {
                group_member(state, group, user, level, name, expires_at)
            });
        }
        Place::Project(project) => {
            let name = match what {
                "add" => "user_add_to_team",
                "update" => "user_update_for_team",
                // System hooks tell of requests for groups only.
                "ask" | "deny" => return,
                _ => "user_remove_from_team",
            };
            let event = Event {
                trigger: "member_events",
                name: "System Hook",
                branch: None,
            };
            state.emit(&[Owner::System], &event, |state| {
                project_member(state, project, user, level, name)
            });
        }
        Place::User(_) => {}
    }
}

fn group_member(state: &State, group: u64, user: u64, level: u64, name: &str, expires_at: Option<Date>) -> Value {
    let now = flat_time(state.today());
    let (group, user) = (state.groups.get(&group), state.users.get(&user));
    json!({
        "created_at": now,
        "updated_at": now,
        "group_name": group.map(|g| &g.name),
        "group_path": group.map(|g| &g.path),
        "group_id": group.map(|g| g.id),
        "user_username": user.map(|u| &u.username),
        "user_name": user.map(|u| &u.name),
        "user_email": user.map(|u| &u.email),
        "user_id": user.map(|u| u.id),
        "group_access": level_name(level),
        "group_plan": null,
        "expires_at": expires_at.map(|d| format!("{d}T00:00:00Z")),
        "event_name": name,
    })
}

fn project_member(state: &State, project: u64, user: u64, level: u64, name: &str) -> Value {
    let now = flat_time(state.today());
    let (project, user) = (state.projects.get(&project), state.users.get(&user));
    json!({
        "created_at": now,
        "updated_at": now,
        "event_name": name,
        "access_level": level_name(level),
        "project_id": project.map(|p| p.id),
        "project_name": project.map(|p| &p.name),
        "project_path": project.map(|p| &p.path),
        "project_path_with_namespace": project.map(|p| &p.full_path),
        "user_email": user.map(|u| &u.email),
        "user_name": user.map(|u| &u.name),
        "user_username": user.map(|u| &u.username),
        "user_id": user.map(|u| u.id),
        "project_visibility": project.map(|p| &p.visibility),
    })
}

/// A project came, changed, moved or went. Group hooks hear only of the first and the last.
pub(crate) fn project(state: &mut State, project: u64, name: &str, old_path: Option<&str>) {
    let mut owners = vec![Owner::System];
    if matches!(name, "project_create" | "project_destroy")
        && let Some(found) = state.projects.get(&project)
    {
        owners.extend(state.listeners_of_group(found.owner));
    }
    let event = Event {
        trigger: "project_events",
        name: "Project Hook",
        branch: None,
    };
    state.emit(&owners, &event, |state| project_event(state, project, name, old_path));
}

fn project_event(state: &State, project: u64, name: &str, old_path: Option<&str>) -> Value {
    let Some(project) = state.projects.get(&project) else {
        return Value::Null;
    };
    let owners: Vec<Value> = match project.owner {
        Place::Group(id) => state
            .groups
            .get(&id)
            .into_iter()
            .flat_map(|g| g.members.iter())
            .filter(|m| m.level >= crate::state::rights::OWNER)
            .filter_map(|m| state.users.get(&m.user))
            .map(|u| json!({ "name": u.name, "email": "[REDACTED]" }))
            .collect(),
        _ => Vec::new(),
    };
    let owner_name = match project.owner {
        Place::Group(id) => state.groups.get(&id).map(|g| g.name.clone()),
        Place::User(id) => state.users.get(&id).map(|u| u.name.clone()),
        Place::Project(_) => None,
    };
    let mut body = json!({
        "event_name": name,
        "created_at": flat_time(project.created_at),
        "updated_at": flat_time(project.updated_at),
        "name": project.name,
        "path": project.path,
        "path_with_namespace": project.full_path,
        "project_id": project.id,
        "project_namespace_id": project.project_namespace,
        "owners": owners,
        "owner_name": owner_name,
        "owner_email": "",
        "project_visibility": project.visibility,
    });
    if let (Some(old), Some(body)) = (old_path, body.as_object_mut()) {
        body.insert("old_path_with_namespace".to_owned(), json!(old));
    }
    body
}

/// A group or subgroup came.
pub(crate) fn group_created(state: &mut State, group: u64) {
    group_event(state, group, "subgroup_create", "group_create");
}

/// A group or subgroup went.
pub(crate) fn group_destroyed(state: &mut State, group: u64) {
    group_event(state, group, "subgroup_destroy", "group_destroy");
}

fn group_event(state: &mut State, group: u64, subgroup_name: &str, system_name: &str) {
    let Some(found) = state.groups.get(&group) else { return };
    if let Some(parent) = found.parent {
        let owners = state.listeners_of_group(Place::Group(parent));
        let event = Event {
            trigger: "subgroup_events",
            name: "Subgroup Hook",
            branch: None,
        };
        state.emit(&owners, &event, |state| subgroup(state, group, parent, subgroup_name));
    }
    let event = Event {
        trigger: "group_events",
        name: "System Hook",
        branch: None,
    };
    state.emit(&[Owner::System], &event, |state| {
        system_group(state, group, system_name)
    });
}

fn subgroup(state: &State, group: u64, parent: u64, name: &str) -> Value {
    let now = flat_time(state.today());
    let (group, parent) = (state.groups.get(&group), state.groups.get(&parent));
    json!({
        "created_at": group.map(|g| flat_time(g.created_at)),
        "updated_at": now,
        "event_name": name,
        "name": group.map(|g| &g.name),
        "path": group.map(|g| &g.path),
        "full_path": group.map(|g| &g.full_path),
        "group_id": group.map(|g| g.id),
        "parent_group_id": parent.map(|g| g.id),
        "parent_name": parent.map(|g| &g.name),
        "parent_path": parent.map(|g| &g.path),
        "parent_full_path": parent.map(|g| &g.full_path),
    })
}

fn system_group(state: &State, group: u64, name: &str) -> Value {
    let group = state.groups.get(&group);
    json!({
        "created_at": group.map(|g| flat_time(g.created_at)),
        "updated_at": flat_time(state.today()),
        "event_name": name,
        "name": group.map(|g| &g.name),
        "owner_email": null,
        "owner_name": null,
        "path": group.map(|g| &g.path),
        "group_id": group.map(|g| g.id),
    })
}

/// A group's path changed; only system hooks hear of it.
pub(crate) fn group_renamed(state: &mut State, group: u64, old_full_path: &str) {
    let event = Event {
        trigger: "group_events",
        name: "System Hook",
        branch: None,
    };
    state.emit(&[Owner::System], &event, |state| {
        let mut body = system_group(state, group, "group_rename");
        let full_path = state.groups.get(&group).map(|g| g.full_path.clone());
        if let Some(body) = body.as_object_mut() {
            body.insert("full_path".to_owned(), json!(full_path));
            body.insert("old_full_path".to_owned(), json!(old_full_path));
            body.insert("old_path".to_owned(), json!(old_full_path.rsplit('/').next()));
        }
        body
    });
}

/// A group's or project's access token ends soon.
pub(crate) fn token_ends(state: &mut State, place: Place, token: &Token) {
    let owners = match place {
        Place::Project(id) => state.listeners_of_project(id),
        other => state.listeners_of_group(other),
    };
    let event = Event {
        trigger: "resource_access_token_events",
        name: "Resource Access Token Hook",
        branch: None,
    };
    state.emit(&owners, &event, |state| payload::token_ends(state, place, token));
}
