//! People who ask to become members, and those who decide.

use super::members::source;
use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::State;
use crate::state::requests::AccessRequest;
use crate::state::rights::{DEVELOPER, LEVELS};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/access_requests", list),
    ("POST", "/projects/:id/access_requests", ask),
    ("PUT", "/projects/:id/access_requests/:user/approve", approve),
    ("DELETE", "/projects/:id/access_requests/:user", deny),
    ("GET", "/groups/:id/access_requests", list),
    ("POST", "/groups/:id/access_requests", ask),
    ("PUT", "/groups/:id/access_requests/:user/approve", approve),
    ("DELETE", "/groups/:id/access_requests/:user", deny),
];

fn shown(state: &State, request: &AccessRequest) -> Value {
    let mut body = show::user(state, request.user);
    body["requested_at"] = json!(show::time(request.at));
    body
}

fn list(call: &mut Call<'_>) -> Result {
    let (actor, source) = (call.actor()?, source(call)?);
    if call.state.level_in(Some(actor), source) < State::manager_level(source) {
        return Err(Refusal::forbidden());
    }
    let asked = &call.state.waiting.asked;
    let found: Vec<&AccessRequest> = asked.iter().filter(|r| r.source == source).collect();
    call.page()?.of(&found, |r| shown(call.state, r))
}

fn ask(call: &mut Call<'_>) -> Result {
    let (actor, source) = (call.actor()?, source(call)?);
    let request = call.state.ask_for_access(actor, source)?;
    Ok(Answer::created(shown(call.state, &request)))
}

fn approve(call: &mut Call<'_>) -> Result {
    let (actor, source, user) = (call.actor()?, source(call)?, call.number(1)?);
    let level = call.params.number("access_level")?.unwrap_or(DEVELOPER);
    if !LEVELS.contains(&level) {
        return Err(Refusal::error(400, "access_level does not have a valid value"));
    }
    call.state.approve_request(actor, source, user, level)?;
    let member = call.state.direct_members(source).and_then(|m| m.get(&user));
    let member = member.ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::created(show::member(call.state, member, source)))
}

fn deny(call: &mut Call<'_>) -> Result {
    let (actor, source, user) = (call.actor()?, source(call)?, call.number(1)?);
    call.state.deny_request(actor, source, user)?;
    Ok(Answer::no_content())
}
