//! One API call from start to end: who calls, which faults strike, the effect, the webhooks it must wait for, the log.

use super::Incomings;
use super::reply::Reply;
use crate::calls::{CallRecord, is_write};
use crate::faults::{Candidate, Effect};
use crate::graphql;
use crate::hooks::Delivery;
use crate::http::{Answer, Body, Params, Refusal, decode};
use crate::limits;
use crate::locked;
use crate::routes::{self, Outcome, Request};
use crate::state::State;
use crate::world::World;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a call does with time and with the network: both are for real over a socket, and only data in process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace<'a> {
    /// Waits, and sends tests of webhooks at once.
    Real,
    /// Adds up milliseconds and leaves tests of webhooks with the others that wait. Nothing is ever pending.
    Counted(&'a AtomicU64),
}

impl Pace<'_> {
    async fn wait(self, milliseconds: u64) {
        match self {
            Self::Real => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Self::Counted(sum) => {
                sum.fetch_add(milliseconds, Ordering::Relaxed);
            }
        }
    }
}

/// Answers one API call.
pub(super) async fn answer(world: &World, call: &Incomings, pace: Pace<'_>) -> Reply {
    let number = locked(&world.shared.log).number();
    let token = secret(call);
    let username = token.as_deref().and_then(|t| username_of(world, t));
    let effects = strike(world, call, username.as_deref());
    for effect in &effects {
        match effect {
            Effect::SlowBefore(ms) => pace.wait(*ms).await,
            Effect::Before(act) => act.run(world),
            _ => {}
        }
    }
    let mut record = new_record(number, call, username, &effects);
    if let Some(reply) = refuse(&effects, token.as_deref().unwrap_or_default()) {
        record.refused = true;
        finish(world, record, &reply, None, None);
        return reply;
    }
    let (outcome, params) = if call.path == "/api/graphql" && call.method == "POST" {
        ask(world, call, token.as_deref()).await
    } else {
        take_effect(world, call, token.as_deref())
    };
    record.params = params.as_value();
    let mut outcome = outcome;
    if in_address(&call.query).is_some() {
        let text = format!("{} {}: the token stands in the address", call.method, call.path);
        outcome.violations.push(text);
    }
    record.route = outcome.route.map(Cow::Borrowed);
    locked(&world.shared.log)
        .violations
        .extend(outcome.violations.iter().cloned());
    record.violations = outcome.violations;
    let answer = dated(world, outcome.answer);
    let answer = send_forced(world, answer, pace).await;
    world.notify();
    let kept = world.shared.recorder.keep(&answer);
    let status = answer.status;
    let answer = remembered(world, call, answer, &effects);
    for effect in &effects {
        match effect {
            Effect::SlowAfter(ms) => pace.wait(*ms).await,
            Effect::After(act) => act.run(world),
            _ => {}
        }
    }
    let reply = spoil(answer, &effects);
    finish(world, record, &reply, Some(status), kept.as_ref());
    reply
}

/// With the instance's time, which is not always the machine's.
fn dated(world: &World, answer: Answer) -> Answer {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&world.now());
    match date {
        Ok(date) => answer.header("date", date),
        Err(_) => answer,
    }
}

/// The token of `PRIVATE-TOKEN`, of `Authorization: Bearer`, or in the address.
fn secret(call: &Incomings) -> Option<String> {
    let bearer = || call.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
    call.header("private-token")
        .or_else(bearer)
        .map(|s| s.trim().to_owned())
        .or_else(|| in_address(&call.query))
}

/// A token in the address works on GitLab, and stands in every log on the way; the log of violations says so.
fn in_address(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(name, _)| name == "private_token" || name == "access_token");
    found.map(|(_, secret)| secret.into_owned())
}

fn username_of(world: &World, token: &str) -> Option<String> {
    let state = locked(&world.shared.state);
    state.tokens.get(token).map(|t| state.username(t.user))
}

fn strike(world: &World, call: &Incomings, user: Option<&str>) -> Vec<Effect> {
    let raw_path = call.path.strip_prefix("/api/v4").unwrap_or(&call.path);
    let path = decode(raw_path);
    locked(&world.shared.faults).strike(Candidate {
        method: &call.method,
        path: &path,
        raw_path,
        user,
        writes: is_write(&call.method, &call.path, document(call).as_deref().unwrap_or_default()),
    })
}

/// The GraphQL document that a call carries.
fn document(call: &Incomings) -> Option<String> {
    let is_graphql = call.path == "/api/graphql";
    let body: Value = is_graphql.then(|| serde_json::from_slice(&call.body).ok())??;
    body["query"].as_str().map(str::to_owned)
}

fn new_record(number: u64, call: &Incomings, user: Option<String>, effects: &[Effect]) -> CallRecord {
    CallRecord {
        number,
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        route: None,
        user,
        params: Value::Null,
        status: None,
        effect_status: None,
        refused: false,
        faults: effects.iter().map(|e| format!("{e:?}")).collect(),
        violations: Vec::new(),
    }
}

/// What keeps the call from having its effect. Pages that stand in GitLab's place repeat the call's token, as chatty proxies do.
fn refuse(effects: &[Effect], token: &str) -> Option<Reply> {
    effects.iter().find_map(|effect| match effect {
        Effect::Disconnect => Some(Reply::Nothing),
        Effect::Status(status) => Some(Reply::Answer(broken(*status, token))),
        Effect::RetryLater(seconds) => Some(Reply::Answer(retry_later(*seconds))),
        Effect::TooManyRequests => Some(Reply::Answer(limits::too_many().into())),
        Effect::Html => Some(Reply::Answer(Answer::html(200, sign_in(token)))),
        Effect::NotFound => Some(Reply::Answer(Refusal::not_found("Project").into())),
        Effect::Forbidden => Some(Reply::Answer(Refusal::forbidden().into())),
        Effect::RevokedToken => Some(Reply::Answer(Answer::json(
            401,
            json!({
                "error": "invalid_token",
                "error_description": "Token was revoked. You have to re-authorize from the user.",
            }),
        ))),
        _ => None,
    })
}

fn sign_in(token: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>Sign in · GitLab</title></head><body><h1>Sign in</h1>{}</body></html>\n",
        repeated(token)
    )
}

fn repeated(token: &str) -> String {
    format!("<!-- PRIVATE-TOKEN: {token} -->")
}

fn broken(status: u16, token: &str) -> Answer {
    if status < 500 {
        return Answer::json(status, json!({ "message": format!("{status} Error") }));
    }
    if status == 500 {
        return Answer::json(500, json!({ "message": "500 Internal Server Error" }));
    }
    let text = format!(
        "<!DOCTYPE html><html><head><title>GitLab is not responding ({status})</title></head>\
         <body><h1>{status}</h1><p>Whoops, GitLab is taking too much time to respond.</p>{}</body></html>\n",
        repeated(token)
    );
    Answer::html(status, text)
}

fn retry_later(seconds: u64) -> Answer {
    let answer = Answer::bytes("text/plain", "Retry later\n");
    Answer { status: 429, ..answer }
        .header("retry-after", seconds.to_string())
        .header("ratelimit-limit", "2000")
        .header("ratelimit-remaining", "0")
        .header("ratelimit-name", "throttle_authenticated_api")
}

/// Finds out who calls and runs the route, all in one go: nobody acts in between.
fn take_effect(world: &World, call: &Incomings, token: Option<&str>) -> (Outcome, Params) {
    let refused = |refusal: Refusal| Outcome {
        answer: refusal.into(),
        route: None,
        violations: Vec::new(),
    };
    let params = match call.params() {
        Ok(params) => params,
        Err(refusal) => return (refused(refusal), Params::default()),
    };
    let mut state = locked(&world.shared.state);
    let write = !matches!(call.method.as_str(), "GET" | "HEAD");
    let about_token = call.path.starts_with("/api/v4/personal_access_tokens/self");
    if let Some(secret) = token.filter(|_| call.method == "POST" && call.path.ends_with("/self/rotate")) {
        state.suspect_reuse(secret);
    }
    let user = match token
        .map(|secret| state.authenticate(secret, write, about_token))
        .transpose()
    {
        Ok(user) => user,
        Err(refusal) => return (refused(refusal), params),
    };
    let headers = match limited(&mut state, call, user) {
        Ok(headers) => headers,
        Err(answer) => {
            return (
                Outcome {
                    answer,
                    route: None,
                    violations: Vec::new(),
                },
                params,
            );
        }
    };
    state.hook_log.chain = call.header("x-gitlab-event-uuid").map(str::to_owned);
    let request = Request {
        method: &call.method,
        path: &call.path,
        query: &call.query,
        token,
    };
    let mut outcome = routes::dispatch(&mut state, user, request, &params);
    state.hook_log.chain = None;
    outcome.answer.headers.extend(headers);
    (outcome, params)
}

/// Counts the call against GitLab's rate limits, when they are on.
fn limited(state: &mut State, call: &Incomings, user: Option<u64>) -> Result<limits::Headers, Answer> {
    let Some(user) = user.filter(|_| state.config.rate_limits) else {
        return Ok(Vec::new());
    };
    let now = state.today();
    let headers = state.limits.outer(user, now)?;
    let route = routes::pattern(&call.method, &call.path).unwrap_or_default();
    match state.limits.application(&call.method, route, user, now) {
        Ok(()) => Ok(headers),
        Err(refusal) => {
            let mut answer = Answer::from(refusal);
            answer.headers = headers;
            Err(answer)
        }
    }
}

/// Runs a GraphQL document.
async fn ask(world: &World, call: &Incomings, token: Option<&str>) -> (Outcome, Params) {
    let answer = graphql::answer(world, token, &call.body).await;
    let params = call.params().unwrap_or_default();
    let violations = misspelt(&answer);
    (
        Outcome {
            answer,
            route: Some("/api/graphql"),
            violations,
        },
        params,
    )
}

/// What a document asked for that does not exist.
fn misspelt(answer: &Answer) -> Vec<String> {
    let Body::Json(body) = &answer.body else {
        return Vec::new();
    };
    let errors = body["errors"].as_array().into_iter().flatten();
    let messages = errors.filter_map(|error| error["message"].as_str());
    messages
        .filter(|message| message.contains("doesn't exist on type"))
        .map(|message| format!("POST /api/graphql: {message}"))
        .collect()
}

/// Tests and resends of webhooks are sent inside the call.
async fn send_forced(world: &World, mut answer: Answer, pace: Pace<'_>) -> Answer {
    let forced: Vec<Delivery> = std::mem::take(&mut locked(&world.shared.state).hook_log.forced);
    if forced.is_empty() {
        return answer;
    }
    if matches!(pace, Pace::Counted(_)) {
        locked(&world.shared.state).hook_log.waiting.extend(forced);
        return answer;
    }
    let Some(sender) = world.sender() else { return answer };
    for delivery in forced {
        let sent = sender.send(&world.shared.state, delivery).await;
        let status = sent.and_then(|s| s.status);
        if let Body::Json(body) = &mut answer.body
            && body.get("response_status").is_some()
        {
            body["response_status"] = json!(status.unwrap_or(500));
        }
        if status.is_none() && answer.status == 201 {
            answer = Refusal::message(422, "Hook execution failed: no answer").into();
        }
    }
    answer
}

/// Gives an old answer when a fault wants that, and remembers the new one while such a fault is in force.
fn remembered(world: &World, call: &Incomings, answer: Answer, effects: &[Effect]) -> Answer {
    if call.method != "GET" || !locked(&world.shared.faults).want_memory() {
        return answer;
    }
    let key = format!("{}?{}", call.path, call.query);
    let mut memory = locked(&world.shared.memory);
    let stale = effects.contains(&Effect::Stale);
    let old = if stale { memory.get(&key).cloned() } else { None };
    if !stale {
        memory.insert(key, answer.clone());
    }
    old.unwrap_or(answer)
}

/// What hides the effect from the caller.
fn spoil(answer: Answer, effects: &[Effect]) -> Reply {
    let mut answer = answer;
    for effect in effects {
        match effect {
            Effect::LoseAnswer => return Reply::Nothing,
            Effect::LoseAnswerWith(status) => return Reply::Answer(broken(*status, "")),
            Effect::CutAnswer => return Reply::Cut(answer),
            Effect::ShortPage(keep) => {
                if let Body::Json(Value::Array(rows)) = &mut answer.body {
                    rows.truncate(*keep);
                }
            }
            _ => {}
        }
    }
    Reply::Answer(answer)
}

fn finish(world: &World, mut record: CallRecord, reply: &Reply, effect: Option<u16>, kept: Option<&Value>) {
    record.status = match reply {
        Reply::Answer(answer) => Some(answer.status),
        _ => None,
    };
    record.effect_status = effect.filter(|_| record.status != effect);
    world.shared.recorder.call(&record, kept);
    locked(&world.shared.log).calls.push(record);
}
