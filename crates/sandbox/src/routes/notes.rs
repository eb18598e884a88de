//! Notes on issues and merge requests.

use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::notes::{Note, Posted, Thing};
use crate::state::quick_actions::Wishes;
use serde_json::{Value, json};

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
    ("POST", "/projects/:id/issues/:iid/discussions", start_discussion),
    (
        "POST",
        "/projects/:id/merge_requests/:iid/discussions",
        start_discussion,
    ),
    ("GET", "/projects/:id/issues/:iid/discussions/:discussion", discussion),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/discussions/:discussion",
        discussion,
    ),
    ("POST", "/projects/:id/issues/:iid/discussions/:discussion/notes", reply),
    (
        "POST",
        "/projects/:id/merge_requests/:iid/discussions/:discussion/notes",
        reply,
    ),
];

/// The issue or merge request that the address is about, if the caller sees it.
pub(super) fn thing(call: &Call<'_>) -> Result<Thing> {
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

/// Notes of one thread each, in the order in which the threads began.
fn threads<'a>(call: &'a Call<'_>, thing: Thing) -> Result<Vec<(String, Vec<&'a Note>)>> {
    let mut threads: Vec<(String, Vec<&Note>)> = Vec::new();
    let notes = call.state.notes(thing)?.iter();
    for note in notes.filter(|n| call.state.sees_note(call.user, thing, n)) {
        match threads.iter_mut().find(|(id, _)| *id == note.discussion_id) {
            Some((_, notes)) => notes.push(note),
            None => threads.push((note.discussion_id.clone(), vec![note])),
        }
    }
    Ok(threads)
}

fn show_thread(call: &Call<'_>, thing: Thing, (id, notes): &(String, Vec<&Note>)) -> Value {
    let shown: Vec<Value> = notes.iter().map(|n| show::note(call.state, n, thing)).collect();
    json!({ "id": id, "individual_note": notes.iter().all(|n| !n.threaded), "notes": shown })
}

fn discussions(call: &mut Call<'_>) -> Result {
    let thing = thing(call)?;
    let threads = threads(call, thing)?;
    call.page()?.of(&threads, |thread| show_thread(call, thing, thread))
}

fn find_thread(call: &Call<'_>, thing: Thing, id: &str) -> Result {
    let threads = threads(call, thing)?;
    let thread = threads.iter().find(|(known, _)| known == id);
    let thread = thread.ok_or_else(|| Refusal::not_found("Discussion"))?;
    Ok(Answer::ok(show_thread(call, thing, thread)))
}

fn discussion(call: &mut Call<'_>) -> Result {
    find_thread(call, thing(call)?, call.arg(2))
}

fn start_discussion(call: &mut Call<'_>) -> Result {
    let (actor, thing) = (call.actor()?, thing(call)?);
    call.params.accept(&["created_at", "position", "commit_id"]);
    let body = call.params.required("body")?;
    match call.state.create_note(actor, thing, &body, false)? {
        Posted::Note(id) => {
            call.state.put_in_thread(thing, id, None);
            let id = call.state.find_note(call.user, thing, id)?.discussion_id.clone();
            let answer = find_thread(call, thing, &id)?;
            Ok(Answer { status: 201, ..answer })
        }
        Posted::OnlyCommands(wishes) => Ok(only_commands(&wishes)),
    }
}

fn reply(call: &mut Call<'_>) -> Result {
    let (actor, thing, thread) = (call.actor()?, thing(call)?, call.arg(2).to_owned());
    call.params.accept(&["created_at"]);
    let body = call.params.required("body")?;
    find_thread(call, thing, &thread)?;
    match call.state.create_note(actor, thing, &body, false)? {
        Posted::Note(id) => {
            call.state.put_in_thread(thing, id, Some(&thread));
            let note = call.state.find_note(call.user, thing, id)?;
            Ok(Answer::created(show::note(call.state, note, thing)))
        }
        Posted::OnlyCommands(wishes) => Ok(only_commands(&wishes)),
    }
}

fn only_commands(wishes: &Wishes) -> Answer {
    let body = json!({ "commands_changes": wishes.changes, "summary": wishes.summary });
    Answer::json(202, body)
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
        Posted::OnlyCommands(wishes) => Ok(only_commands(&wishes)),
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
