//! Access tokens: one's own, and those of groups and projects, which bring a bot user along.

use super::members::source;
use super::users::date;
use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::Place;
use crate::state::rights::{GUEST, LEVELS, MAINTAINER, OWNER, PLANNER, REPORTER};
use crate::state::tokens::{NewToken, Token};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/personal_access_tokens", list),
    ("GET", "/personal_access_tokens/self", own),
    ("DELETE", "/personal_access_tokens/self", revoke_own),
    ("POST", "/personal_access_tokens/self/rotate", rotate_own),
    ("GET", "/personal_access_tokens/:id", get),
    ("DELETE", "/personal_access_tokens/:id", revoke),
    ("POST", "/personal_access_tokens/:id/rotate", rotate),
    ("GET", "/projects/:id/access_tokens", list_of),
    ("POST", "/projects/:id/access_tokens", create_of),
    ("POST", "/projects/:id/access_tokens/self/rotate", rotate_own),
    ("GET", "/projects/:id/access_tokens/:token", get_of),
    ("DELETE", "/projects/:id/access_tokens/:token", revoke_of),
    ("POST", "/projects/:id/access_tokens/:token/rotate", rotate_of),
    ("GET", "/groups/:id/access_tokens", list_of),
    ("POST", "/groups/:id/access_tokens", create_of),
    ("POST", "/groups/:id/access_tokens/self/rotate", rotate_own),
    ("GET", "/groups/:id/access_tokens/:token", get_of),
    ("DELETE", "/groups/:id/access_tokens/:token", revoke_of),
    ("POST", "/groups/:id/access_tokens/:token/rotate", rotate_of),
];

const SCOPES: &[&str] = &[
    "api",
    "read_api",
    "read_user",
    "create_runner",
    "manage_runner",
    "k8s_proxy",
    "self_rotate",
    "read_repository",
    "write_repository",
    "read_registry",
    "write_registry",
    "ai_features",
    "sudo",
    "admin_mode",
];
const LONGEST_LIFE: i64 = 365;

fn day_after(now: Timestamp, days: i64) -> Date {
    let later = now.saturating_add(SignedDuration::from_hours(24 * days));
    later.unwrap_or(now).to_zoned(TimeZone::UTC).date()
}

/// `expires_at`, or so many days from now; not further away than GitLab allows.
fn end(call: &Call<'_>, days: i64) -> Result<Date> {
    let now = call.state.today();
    let end = date(call.params.filled("expires_at").as_deref(), "expires_at")?.unwrap_or_else(|| day_after(now, days));
    if end > day_after(now, LONGEST_LIFE) {
        let last = day_after(now, LONGEST_LIFE);
        return Err(Refusal::bad_request(&format!("Expiration date must be before {last}")));
    }
    Ok(end)
}

fn own(call: &mut Call<'_>) -> Result {
    call.actor()?;
    let token = call.token.and_then(|secret| call.state.tokens.get(secret));
    let token = token.ok_or_else(Refusal::unauthorized)?;
    Ok(Answer::ok(show::token(token, call.state.today())))
}

fn revoke_own(call: &mut Call<'_>) -> Result {
    call.actor()?;
    let token = call.token.and_then(|secret| call.state.tokens.get_mut(secret));
    token.ok_or_else(Refusal::unauthorized)?.revoked = true;
    Ok(Answer::no_content())
}

fn rotate_own(call: &mut Call<'_>) -> Result {
    call.actor()?;
    let secret = call.token.ok_or_else(Refusal::unauthorized)?.to_owned();
    rotated(call, &secret)
}

/// Answers with the successor and its secret, which is shown only this once.
fn rotated(call: &mut Call<'_>, secret: &str) -> Result {
    let expires = end(call, 7)?;
    let successor = call.state.rotate_token(secret, Some(expires));
    let successor = successor.ok_or_else(|| Refusal::bad_request("Token already revoked"))?;
    show_with_secret(call, &successor, 200)
}

fn show_with_secret(call: &Call<'_>, secret: &str, status: u16) -> Result {
    let token = call.state.tokens.get(secret).ok_or_else(Refusal::nothing_here)?;
    let mut body = show::token(token, call.state.today());
    body["token"] = json!(secret);
    Ok(Answer::json(status, body))
}

fn wanted(call: &Call<'_>, token: &Token) -> Result<bool> {
    let params = call.params;
    let active = params.one_of("state", &["active", "inactive"])?;
    let revoked = params.flag("revoked")?;
    let search = params.filled("search").map(|s| s.to_lowercase());
    let now = call.state.today();
    Ok(active.is_none_or(|a| (a == "active") == token.is_active(now))
        && revoked.is_none_or(|r| r == token.revoked)
        && search.is_none_or(|s| token.name.to_lowercase().contains(&s)))
}

/// One's own tokens; an administrator sees those of everybody.
fn list(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let of = call.params.number("user_id")?;
    let admin = call.state.is_admin(Some(actor));
    if !admin && of.is_some_and(|user| user != actor) {
        return Err(Refusal::unauthorized());
    }
    let mut found = Vec::new();
    for token in call.state.sorted_tokens() {
        let theirs = of.map_or(admin || token.user == actor, |user| token.user == user);
        if theirs && wanted(call, token)? {
            found.push(token);
        }
    }
    call.page()?.of(&found, |t| show::token(t, call.state.today()))
}

/// A token of one's own by number; an administrator finds everybody's.
fn secret_of(call: &Call<'_>, at: usize) -> Result<String> {
    let (actor, id) = (call.actor()?, call.number(at)?);
    let secret = call.state.token_secret(id);
    let mine = |s: &String| {
        let user = call.state.tokens.get(s).map(|t| t.user);
        user == Some(actor) || call.state.is_admin(Some(actor))
    };
    // Whether a number that is not one's own exists stays unsaid.
    secret.filter(mine).ok_or_else(Refusal::nothing_here)
}

fn get(call: &mut Call<'_>) -> Result {
    let secret = secret_of(call, 0)?;
    let token = call.state.tokens.get(&secret).ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::token(token, call.state.today())))
}

fn revoke(call: &mut Call<'_>) -> Result {
    let secret = secret_of(call, 0)?;
    revoke_secret(call, &secret);
    Ok(Answer::no_content())
}

fn revoke_secret(call: &mut Call<'_>, secret: &str) {
    if let Some(token) = call.state.tokens.get_mut(secret) {
        token.revoked = true;
    }
}

fn rotate(call: &mut Call<'_>) -> Result {
    let secret = secret_of(call, 0)?;
    rotated(call, &secret)
}

/// The group or project, if the caller may manage its tokens.
fn managed(call: &Call<'_>) -> Result<(u64, Place)> {
    let (actor, place) = (call.actor()?, source(call)?);
    let least = if matches!(place, Place::Group(_)) {
        OWNER
    } else {
        MAINTAINER
    };
    if call.state.level_in(Some(actor), place) < least {
        return Err(Refusal::unauthorized());
    }
    Ok((actor, place))
}

fn list_of(call: &mut Call<'_>) -> Result {
    let (_, place) = managed(call)?;
    let mut found = Vec::new();
    for token in call.state.sorted_tokens() {
        if token.of.is_some_and(|(of, _)| of == place) && wanted(call, token)? {
            found.push(token);
        }
    }
    call.page()?.of(&found, |t| show::token(t, call.state.today()))
}

fn create_of(call: &mut Call<'_>) -> Result {
    let (actor, place) = managed(call)?;
    let params = call.params;
    params.accept(&["description"]);
    let name = params.required("name")?;
    params
        .required("scopes")
        .or_else(|missing| params.words("scopes").map(|_| String::new()).ok_or(missing))?;
    let scopes = params.words("scopes").unwrap_or_default();
    if scopes.is_empty() || scopes.iter().any(|s| !SCOPES.contains(&s.as_str())) {
        return Err(Refusal::error(400, "scopes does not have a valid value"));
    }
    let level = params.number("access_level")?.unwrap_or(MAINTAINER);
    if ![GUEST, PLANNER, REPORTER].contains(&level) && !LEVELS.contains(&level) {
        return Err(Refusal::error(400, "access_level does not have a valid value"));
    }
    let expires_at = Some(end(call, LONGEST_LIFE)?);
    let is_bot = call.state.users.get(&actor).is_some_and(|u| u.bot);
    let with_resource_token = call
        .token
        .and_then(|s| call.state.tokens.get(s))
        .is_some_and(|t| t.of.is_some());
    if is_bot && with_resource_token || level > call.state.level_in(Some(actor), place) {
        let word = if matches!(place, Place::Group(_)) {
            "group"
        } else {
            "project"
        };
        let text = format!("User does not have permission to create {word} access token");
        return Err(Refusal::bad_request(&text));
    }
    let new = NewToken {
        name,
        scopes,
        expires_at,
    };
    let secret = call.state.add_resource_token(actor, place, level, &new);
    show_with_secret(call, &secret, 201)
}

fn secret_in(call: &Call<'_>) -> Result<String> {
    let ((_, place), id) = (managed(call)?, call.number(1)?);
    let secret = call.state.token_secret(id);
    let here = |s: &String| {
        call.state
            .tokens
            .get(s)
            .is_some_and(|t| t.of.is_some_and(|(of, _)| of == place))
    };
    secret.filter(here).ok_or_else(|| {
        Refusal::message(
            404,
            format!("404 Could not find access token with token_id: {id} Not Found"),
        )
    })
}

fn get_of(call: &mut Call<'_>) -> Result {
    let secret = secret_in(call)?;
    let token = call.state.tokens.get(&secret).ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::token(token, call.state.today())))
}

/// The token ends, and its bot is no member any more.
fn revoke_of(call: &mut Call<'_>) -> Result {
    let (actor, place) = managed(call)?;
    let secret = secret_in(call)?;
    revoke_secret(call, &secret);
    if let Some(bot) = call.state.tokens.get(&secret).map(|t| t.user) {
        // It may have been removed by hand before.
        let _ = call.state.remove_member(actor, place, bot);
    }
    Ok(Answer::no_content())
}

fn rotate_of(call: &mut Call<'_>) -> Result {
    let secret = secret_in(call)?;
    rotated(call, &secret)
}
