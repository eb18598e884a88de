//! What people did: one's own events, somebody's, a project's.

use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::State;
use crate::state::events::{Happened, Target};
use crate::state::notes::Thing;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/events", mine),
    ("GET", "/users/:id/events", of_user),
    ("GET", "/projects/:id/events", of_project),
];

fn mine(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    call.params.accept(&["scope"]);
    list(call, |event| event.by == actor)
}

fn of_user(call: &mut Call<'_>) -> Result {
    let wanted = match call.arg(0).parse::<u64>() {
        Ok(id) => call.state.users.get(&id).map(|u| u.id),
        Err(_) => call.state.user_named(call.arg(0)).map(|u| u.id),
    };
    let user = wanted.ok_or_else(|| Refusal::not_found("User"))?;
    list(call, |event| event.by == user)
}

fn of_project(call: &mut Call<'_>) -> Result {
    let project = call.project()?;
    list(call, |event| event.project == project)
}

/// Newest first; only what the caller may see.
fn list(call: &Call<'_>, wanted: impl Fn(&Happened) -> bool) -> Result<Answer> {
    let params = call.params;
    let action = params.filled("action");
    let kind = params.filled("target_type");
    let day = |name: &str| super::users::date(params.filled(name).as_deref(), name);
    let (before, after) = (day("before")?, day("after")?);
    let ascending = params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc");
    let state = &*call.state;
    let mut found: Vec<&Happened> = state
        .events
        .iter()
        .filter(|e| wanted(e) && sees(state, call.user, e))
        .filter(|e| action.as_ref().is_none_or(|a| words(a).contains(&e.action)))
        .filter(|e| {
            kind.as_ref()
                .is_none_or(|k| type_of(e).to_lowercase() == k.replace('_', ""))
        })
        .filter(|e| {
            let at = e.at.to_zoned(TimeZone::UTC).date();
            before.is_none_or(|b| at < b) && after.is_none_or(|a| at > a)
        })
        .collect();
    if !ascending {
        found.reverse();
    }
    call.page()?.of(&found, |e| shown(state, e))
}

/// The parameter's words and those in the answers differ.
fn words(action: &str) -> &'static [&'static str] {
    match action {
        "created" => &["opened"],
        "updated" => &["updated"],
        "closed" => &["closed"],
        "reopened" => &["reopened"],
        "pushed" => &["pushed to", "pushed new", "deleted"],
        "commented" => &["commented on"],
        "merged" => &["accepted"],
        "approved" => &["approved"],
        _ => &[],
    }
}

fn sees(state: &State, user: Option<u64>, event: &Happened) -> bool {
    match &event.target {
        Target::Thing(thing) => state.need_to_see(user, *thing).is_ok(),
        Target::Note(thing, note) => state.find_note(user, *thing, *note).is_ok(),
        Target::Branch { .. } => state
            .projects
            .get(&event.project)
            .is_some_and(|p| state.sees_project(user, p) && state.sees_code(user, p)),
    }
}

fn type_of(event: &Happened) -> &'static str {
    match &event.target {
        Target::Thing(Thing::Issue { .. }) => "Issue",
        Target::Thing(Thing::MergeRequest { .. }) => "MergeRequest",
        Target::Note(..) => "Note",
        Target::Branch { .. } => "",
    }
}

fn shown(state: &State, event: &Happened) -> Value {
    let project = state.projects.get(&event.project);
    let of = |thing: &Thing| match thing {
        Thing::Issue { iid, .. } => project.and_then(|p| p.issues.get(iid)).map(|i| (i.id, &i.title)),
        Thing::MergeRequest { iid, .. } => project
            .and_then(|p| p.merge_requests.get(iid))
            .map(|m| (m.id, &m.title)),
    };
    let (id, iid, title) = match &event.target {
        Target::Thing(thing) => (of(thing).map(|t| t.0), Some(thing.iid()), of(thing).map(|t| t.1)),
        Target::Note(thing, note) => (Some(*note), Some(*note), of(thing).map(|t| t.1)),
        Target::Branch { .. } => (None, None, None),
    };
    let kind = Some(type_of(event)).filter(|k| !k.is_empty());
    let mut body = json!({
        "id": event.id,
        "project_id": event.project,
        "action_name": event.action,
        "target_id": id,
        "target_iid": iid,
        "target_type": kind,
        "author_id": event.by,
        "target_title": title,
        "created_at": show::time(event.at),
        "author": show::user(state, event.by),
        "author_username": state.username(event.by),
        "imported": false,
        "imported_from": "none",
    });
    match &event.target {
        Target::Note(thing, note) => {
            let note = state.notes(*thing).ok().and_then(|n| n.iter().find(|n| n.id == *note));
            body["note"] = note.map(|n| show::note(state, n, *thing)).into();
        }
        Target::Branch {
            name,
            from,
            to,
            commits,
            title,
        } => {
            let known = |sha: &String| Some(sha).filter(|s| !s.chars().all(|c| c == '0')).cloned();
            body["push_data"] = json!({
                "commit_count": commits,
                "action": match event.action { "pushed new" => "created", "deleted" => "removed", _ => "pushed" },
                "ref_type": "branch",
                "commit_from": known(from),
                "commit_to": known(to),
                "ref": name,
                "commit_title": title,
                "ref_count": null,
            });
        }
        Target::Thing(_) => {}
    }
    body
}
