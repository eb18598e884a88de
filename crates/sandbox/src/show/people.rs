//! Users, members, tokens.

use super::time;
use crate::state::members::{Member, Source};
use crate::state::tokens::Token;
use crate::state::{Place, State};
use serde_json::{Value, json};

/// The short form that stands in issues, notes and lists.
pub(crate) fn user(state: &State, id: u64) -> Value {
    let Some(user) = state.users.get(&id) else {
        return Value::Null;
    };
    json!({
        "id": id,
        "username": user.username,
        "public_email": null,
        "name": user.name,
        "state": user.state,
        "locked": false,
        "avatar_url": null,
        "web_url": format!("{}/{}", state.url, user.username),
    })
}

/// `GET /users/:id`
pub(crate) fn user_page(state: &State, id: u64) -> Value {
    let mut body = user(state, id);
    let Some(user) = state.users.get(&id) else { return body };
    if let Some(body) = body.as_object_mut() {
        body.insert("created_at".to_owned(), json!(time(user.created_at)));
        body.insert("bot".to_owned(), json!(user.bot));
        for name in [
            "bio",
            "location",
            "linkedin",
            "twitter",
            "discord",
            "website_url",
            "job_title",
            "skype",
            "github",
        ] {
            body.insert(name.to_owned(), json!(""));
        }
        for name in ["organization", "pronouns", "work_information", "local_time"] {
            body.insert(name.to_owned(), Value::Null);
        }
        body.insert("followers".to_owned(), json!(0));
        body.insert("following".to_owned(), json!(0));
        body.insert("is_followed".to_owned(), json!(false));
    }
    body
}

/// `GET /user`
pub(crate) fn current_user(state: &State, id: u64) -> Value {
    let mut body = user_page(state, id);
    let Some(user) = state.users.get(&id) else { return body };
    let more = json!({
        "email": user.email,
        "commit_email": user.email,
        "last_sign_in_at": null,
        "confirmed_at": time(user.created_at),
        "last_activity_on": null,
        "theme_id": null,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "current_sign_in_at": null,
        "identities": [],
        "can_create_group": !user.external,
        "can_create_project": true,
        "two_factor_enabled": false,
        "external": user.external,
        "private_profile": false,
        "namespace_id": user.namespace,
        "created_by": null,
        "email_reset_offered_at": null,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
        if user.admin {
            body.insert("is_admin".to_owned(), json!(true));
        }
    }
    body
}

pub(crate) fn member(state: &State, member: &Member, _source: Source) -> Value {
    let mut body = user(state, member.user);
    let more = json!({
        "access_level": member.level,
        "created_at": time(member.created_at),
        "expires_at": member.expires_at.map(|d| d.to_string()),
        "created_by": user(state, member.created_by),
        "membership_state": "active",
        "member_role": null,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

pub(crate) fn token(token: &Token, now: jiff::Timestamp) -> Value {
    let mut body = json!({
        "id": token.id,
        "name": token.name,
        "revoked": token.revoked,
        "created_at": time(token.created_at),
        "description": null,
        "scopes": token.scopes,
        "user_id": token.user,
        "last_used_at": token.last_used_at.map(time),
        "active": token.is_active(now),
        "expires_at": token.expires_at.map(|d| d.to_string()),
    });
    if let Some((place, level)) = token.of {
        let (kind, id) = match place {
            Place::Group(id) => ("group", id),
            Place::Project(id) | Place::User(id) => ("project", id),
        };
        body["access_level"] = json!(level);
        body["resource_type"] = json!(kind);
        body["resource_id"] = json!(id);
    }
    body
}
