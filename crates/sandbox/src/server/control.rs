//! The control door of a sandbox that runs by itself: what tests do from Rust, for those who are not in the process.
//! Everything lives under `/sandbox/`, speaks JSON, and is for the machine it runs on.

use super::Incomings;
use crate::faults::Fault;
use crate::hooks::HookWeather;
use crate::http::{Answer, Refusal, Result};
use crate::seed::Seed;
use crate::world::World;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Answers one call of the control door.
pub(super) async fn answer(world: &World, call: &Incomings) -> Answer {
    // A page in somebody's browser must not move the world.
    if call.header("origin").is_some() {
        return Refusal::forbidden_because("the control door takes no calls from web pages").into();
    }
    let path = call.path.trim_start_matches("/sandbox/").trim_end_matches('/');
    if (call.method.as_str(), path) == ("POST", "hooks/deliver") {
        let sent = world.deliver_hooks().await;
        let shown: Vec<Value> = sent
            .iter()
            .map(|s| json!({ "id": s.id, "event": s.event, "status": s.status }))
            .collect();
        return Answer::ok(json!(shown));
    }
    route(world, call, path).unwrap_or_else(Answer::from)
}

fn route(world: &World, call: &Incomings, path: &str) -> Result {
    let done = || Ok(Answer::ok(json!({ "done": true })));
    match (call.method.as_str(), path.split_once('/').unwrap_or((path, ""))) {
        ("GET", ("calls", "")) => Ok(Answer::ok(json!(world.calls()))),
        ("DELETE", ("calls", "")) => {
            world.forget_calls();
            done()
        }
        ("GET", ("violations", "")) => Ok(Answer::ok(json!(world.violations()))),
        ("GET", ("routes", "")) => Ok(Answer::ok(json!(world.routes()))),
        ("GET", ("happenings", "")) => Ok(Answer::ok(json!({
            "commands": world.commands(),
            "notified": world.notified(),
            "references": world.references(),
            "closed": world.auto_closed(),
        }))),
        ("GET", ("hooks", "")) => Ok(Answer::ok(json!({
            "waiting": world.waiting_hooks(),
            "sent": world.sent_hooks().iter().map(|s| json!({ "event": s.event, "status": s.status })).collect::<Vec<_>>(),
            "dropped": world.dropped_hooks(),
        }))),
        ("PUT", ("hooks", "weather")) => {
            world.set_hook_weather(body::<HookWeather>(call)?);
            done()
        }
        ("POST", ("faults", "")) => {
            world.add_fault(body::<Fault>(call)?);
            done()
        }
        ("DELETE", ("faults", "")) => {
            world.clear_faults();
            done()
        }
        ("POST", ("clock", "")) => {
            world.advance(SignedDuration::from_secs(body::<Advance>(call)?.advance_seconds));
            Ok(Answer::ok(json!({ "now": world.now().to_string() })))
        }
        ("POST", ("tokens", "")) => new_token(world, &body(call)?),
        ("DELETE", ("tokens", "")) => {
            world.revoke_token(&body::<Secret>(call)?.token);
            done()
        }
        ("POST", ("seed", "")) => sow(world, &call.body),
        ("POST", ("as", username)) => act(world, username, body(call)?),
        ("GET", ("", "")) => Ok(Answer::ok(json!(CALLS))),
        _ => Err(Refusal::error(404, "there is no such call; GET /sandbox/ lists all")),
    }
}

/// What the control door understands.
const CALLS: &[&str] = &[
    "POST /sandbox/as/USER {method, path, body}",
    "POST /sandbox/tokens {user, scopes, expires_at}",
    "DELETE /sandbox/tokens {token}",
    "POST /sandbox/faults {effect, method, writes, path, user, skip, times, chance}",
    "DELETE /sandbox/faults",
    "PUT /sandbox/hooks/weather {lose, double, swap, delay_ms}",
    "POST /sandbox/hooks/deliver",
    "GET /sandbox/hooks",
    "POST /sandbox/clock {advance_seconds}",
    "POST /sandbox/seed (YAML)",
    "GET /sandbox/calls",
    "DELETE /sandbox/calls",
    "GET /sandbox/violations",
    "GET /sandbox/happenings",
    "GET /sandbox/routes",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    user: String,
    #[serde(default)]
    scopes: Vec<String>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActBody {
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
}

fn body<T: DeserializeOwned>(call: &Incomings) -> Result<T> {
    serde_json::from_slice(&call.body).map_err(|error| Refusal::error(400, error.to_string()))
}

fn new_token(world: &World, new: &NewToken) -> Result {
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    let scopes = if scopes.is_empty() { vec!["api"] } else { scopes };
    let token = world.add_token_with(&new.user, &scopes, new.expires_at.as_deref());
    Ok(Answer::created(json!({ "token": token })))
}

fn sow(world: &World, text: &[u8]) -> Result {
    let text = String::from_utf8_lossy(text);
    let sown = Seed::from_yaml(&text).and_then(|seed| world.sow(&seed));
    sown.map_err(|error| Refusal::error(422, error.to_string()))?;
    Ok(Answer::created(json!({ "done": true })))
}

fn act(world: &World, username: &str, act: ActBody) -> Result {
    let outcome = world
        .person(username)
        .and_then(|person| person.api(&act.method, &act.path, act.body));
    match outcome {
        Ok(value) => Ok(Answer::ok(value)),
        Err(refused) => Err(Refusal {
            status: refused.status,
            body: refused.body,
            headers: Vec::new(),
        }),
    }
}
