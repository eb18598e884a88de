//! Notes on issues and merge requests.

use super::{Call, Route};
use crate::http::{Answer, Result};
use crate::show;
use crate::state::notes::{Note, Posted, Thing};
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/issues/:iid/notes", list),
    ("POST", "/projects/:id/issues/:iid/notes", create),
    ("GET", "/projects/:id/issues/:iid/notes/:note", get),
    ("PUT", "/projects/:id/issues/:iid/notes/:note", update),
    ("DELETE", "/projects/:id/issues/:iid/notes/:note", delete),
    ("GET", "/projects/:id/merge_requests/:iid/notes", list),
    ("POST", "/projects/:id/merge_requests/:iid/notes", create),
    ("GET", "/projects/:id/merge_requests/:iid/notes/:note", get),
    ("PUT", "/projects/:id/merge_requests/:iid/notes/:note", update),
    ("DELETE", "/projects/:id/merge_requests/:iid/notes/:note", delete),
    ("GET", "/projects/:id/issues/:iid/discussions", discussions),
    ("GET", "/projects/:id/merge_requests/:iid/discussions", discussions),
];

/// The issue or merge request that the address is about, if the caller sees it.
fn thing(call: &Call<'_>) -> Result<Thing> {
    let (project, iid) = (call.project()?, call.number(1)?);
    let is_issue = call.path.split('/').nth(5) == Some("issues");
    let thing = if is_issue {
        Thing::issue(project, iid)
    } else {
        Thing::merge_request(project, iid)
    };
    call.state.need_to_see(call.user, thing)?;
    Ok(thing)
}

fn list(call: &mut Call<'_>) -> Result {
    let thing = thing(call)?;
    let params = call.params;
    let filter = params.one_of("activity_filter", &["all_notes", "only_comments", "only_activity"])?;
    let by_update = params.one_of("order_by", &["created_at", "updated_at"])?.as_deref() == Some("updated_at");
    let ascending = params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc");
    let page = call.page()?;
    let state = &*call.state;
    let mut notes: Vec<&Note> = state
        .notes(thing)?
        .iter()
        .filter(|n| state.sees_note(call.user, thing, n))
        .collect();
    match filter.as_deref() {
        Some("only_comments") => notes.retain(|n| !n.system),
        Some("only_activity") => notes.retain(|n| n.system),
        _ => {}
    }
    notes.sort_by_key(|n| (if by_update { n.updated_at } else { n.created_at }, n.id));
    if !ascending {
        notes.reverse();
    }
    page.of(&notes, |n| show::note(state, n, thing))
}

fn discussions(call: &mut Call<'_>) -> Result {
    let thing = thing(call)?;
    let state = &*call.state;
    let notes: Vec<&Note> = state
        .notes(thing)?
        .iter()
        .filter(|n| state.sees_note(call.user, thing, n))
        .collect();
    call.page()?.of(
        &notes,
        |n| json!({ "id": n.discussion_id, "individual_note": true, "notes": [show::note(state, n, thing)] }),
    )
}

fn get(call: &mut Call<'_>) -> Result {
    let (thing, id) = (thing(call)?, call.number(2)?);
    let note = call.state.find_note(call.user, thing, id)?;
    Ok(Answer::ok(show::note(call.state, note, thing)))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, thing) = (call.actor()?, thing(call)?);
    let params = call.params;
    params.accept(&["created_at", "merge_request_diff_head_sha"]);
    let body = params.required("body").or_else(|missing| {
        if params.has("body") {
            Ok(String::new())
        } else {
            Err(missing)
        }
    })?;
    let internal = params
        .flag("internal")?
        .or(params.flag("confidential")?)
        .unwrap_or(false);
    match call.state.create_note(actor, thing, &body, internal)? {
        Posted::Note(id) => {
            let note = call.state.find_note(call.user, thing, id)?;
            Ok(Answer::created(show::note(call.state, note, thing)))
        }
        Posted::OnlyCommands(wishes) => {
            let body = json!({ "commands_changes": wishes.changes, "summary": wishes.summary });
            Ok(Answer::json(202, body))
        }
    }
}

fn update(call: &mut Call<'_>) -> Result {
    let (actor, thing, id) = (call.actor()?, thing(call)?, call.number(2)?);
    call.params.accept(&["confidential"]);
    let body = call.params.required("body")?;
    call.state.update_note(actor, thing, id, &body)?;
    let note = call.state.find_note(call.user, thing, id)?;
    Ok(Answer::ok(show::note(call.state, note, thing)))
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, thing, id) = (call.actor()?, thing(call)?, call.number(2)?);
    call.state.delete_note(actor, thing, id)?;
    Ok(Answer::no_content())
}
