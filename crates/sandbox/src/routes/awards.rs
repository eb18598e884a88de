//! Emoji on issues, merge requests and notes.

use super::notes::thing;
use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::State;
use crate::state::awards::{Award, Awarded};
use crate::state::notes::Thing;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/issues/:iid/award_emoji", list),
    ("POST", "/projects/:id/issues/:iid/award_emoji", create),
    ("GET", "/projects/:id/issues/:iid/award_emoji/:award", get),
    ("DELETE", "/projects/:id/issues/:iid/award_emoji/:award", delete),
    ("GET", "/projects/:id/merge_requests/:iid/award_emoji", list),
    ("POST", "/projects/:id/merge_requests/:iid/award_emoji", create),
    ("GET", "/projects/:id/merge_requests/:iid/award_emoji/:award", get),
    ("DELETE", "/projects/:id/merge_requests/:iid/award_emoji/:award", delete),
    ("GET", "/projects/:id/issues/:iid/notes/:note/award_emoji", list),
    ("POST", "/projects/:id/issues/:iid/notes/:note/award_emoji", create),
    ("GET", "/projects/:id/issues/:iid/notes/:note/award_emoji/:award", get),
    (
        "DELETE",
        "/projects/:id/issues/:iid/notes/:note/award_emoji/:award",
        delete,
    ),
    ("GET", "/projects/:id/merge_requests/:iid/notes/:note/award_emoji", list),
    (
        "POST",
        "/projects/:id/merge_requests/:iid/notes/:note/award_emoji",
        create,
    ),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/notes/:note/award_emoji/:award",
        get,
    ),
    (
        "DELETE",
        "/projects/:id/merge_requests/:iid/notes/:note/award_emoji/:award",
        delete,
    ),
];

/// What the address is about, and the place of the emoji's number among the colon parts.
fn awarded(call: &Call<'_>) -> Result<(Awarded, usize)> {
    let thing = thing(call)?;
    if call.path.split('/').nth(7) != Some("notes") {
        return Ok(((thing, None), 2));
    }
    let note = call.number(2)?;
    call.state.find_note(call.user, thing, note)?;
    Ok(((thing, Some(note)), 3))
}

fn shown(state: &State, award: &Award, on: Awarded) -> Value {
    let (kind, id) = match on {
        (_, Some(note)) => ("Note", Some(note)),
        (Thing::Issue { project, iid }, None) => {
            let issue = state.projects.get(&project).and_then(|p| p.issues.get(&iid));
            ("Issue", issue.map(|i| i.id))
        }
        (Thing::MergeRequest { project, iid }, None) => {
            let request = state.projects.get(&project).and_then(|p| p.merge_requests.get(&iid));
            ("MergeRequest", request.map(|m| m.id))
        }
    };
    json!({
        "id": award.id,
        "name": award.name,
        "user": show::user(state, award.user),
        "created_at": show::time(award.at),
        "updated_at": show::time(award.at),
        "awardable_id": id,
        "awardable_type": kind,
        "url": null,
    })
}

fn list(call: &mut Call<'_>) -> Result {
    let (on, _) = awarded(call)?;
    call.page()?.of(call.state.awards(on), |a| shown(call.state, a, on))
}

fn get(call: &mut Call<'_>) -> Result {
    let (on, at) = awarded(call)?;
    let id = call.number(at)?;
    let found = call.state.awards(on).iter().find(|a| a.id == id);
    let found = found.ok_or_else(|| Refusal::not_found("Award Emoji"))?;
    Ok(Answer::ok(shown(call.state, found, on)))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, (on, _)) = (call.actor()?, awarded(call)?);
    let name = call.params.required("name")?;
    let award = call.state.award(actor, on, &name)?;
    Ok(Answer::created(shown(call.state, &award, on)))
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, (on, at)) = (call.actor()?, awarded(call)?);
    let id = call.number(at)?;
    call.state.take_award(actor, on, id)?;
    Ok(Answer::no_content())
}
