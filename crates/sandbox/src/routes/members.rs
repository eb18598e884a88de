//! Members and invitations of groups and projects.

use super::users::date;
use super::{Call, Route};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::members::{Member, Source};
use crate::state::requests::Invitation;
use crate::state::rights::{LEVELS, MAINTAINER, OWNER};
use crate::state::{Place, State};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/members", list),
    ("GET", "/projects/:id/members/all", list_all),
    ("GET", "/projects/:id/members/all/:user", get_all),
    ("GET", "/projects/:id/members/:user", get),
    ("POST", "/projects/:id/members", add),
    ("PUT", "/projects/:id/members/:user", edit),
    ("DELETE", "/projects/:id/members/:user", remove),
    ("GET", "/groups/:id/members", list),
    ("GET", "/groups/:id/members/all", list_all),
    ("GET", "/groups/:id/members/all/:user", get_all),
    ("GET", "/groups/:id/members/:user", get),
    ("POST", "/groups/:id/members", add),
    ("PUT", "/groups/:id/members/:user", edit),
    ("DELETE", "/groups/:id/members/:user", remove),
    ("GET", "/projects/:id/users", users),
    ("GET", "/projects/:id/invitations", invitations),
    ("POST", "/projects/:id/invitations", invite),
    ("PUT", "/projects/:id/invitations/:email", edit_invitation),
    ("DELETE", "/projects/:id/invitations/:email", withdraw_invitation),
    ("GET", "/groups/:id/invitations", invitations),
    ("POST", "/groups/:id/invitations", invite),
    ("PUT", "/groups/:id/invitations/:email", edit_invitation),
    ("DELETE", "/groups/:id/invitations/:email", withdraw_invitation),
];

/// The group or project that the address is about.
pub(super) fn source(call: &Call<'_>) -> Result<Source> {
    if call.path.starts_with("/api/v4/groups/") {
        call.group().map(Place::Group)
    } else {
        call.project().map(Place::Project)
    }
}

fn list(call: &mut Call<'_>) -> Result {
    let source = source(call)?;
    let members: Vec<Member> = call
        .state
        .direct_members(source)
        .map(|m| m.iter().cloned().collect())
        .unwrap_or_default();
    show_members(call, source, members)
}

fn list_all(call: &mut Call<'_>) -> Result {
    let source = source(call)?;
    let members = call.state.all_members(source);
    show_members(call, source, members)
}

fn show_members(call: &Call<'_>, source: Source, mut members: Vec<Member>) -> Result {
    let params = call.params;
    params.accept(&["show_seat_info", "with_saml_identity"]);
    let state = &*call.state;
    let wanted = params.ids("user_ids")?;
    let query = params.filled("query").map(|q| q.to_lowercase());
    let state_wanted = params.one_of("state", &["awaiting", "active"])?;
    members.retain(|m| wanted.as_ref().is_none_or(|ids| ids.contains(&m.user)));
    members.retain(|_| state_wanted.as_deref() != Some("awaiting"));
    members.retain(|m| {
        query.as_ref().is_none_or(|q| {
            state
                .users
                .get(&m.user)
                .is_some_and(|u| u.name.to_lowercase().contains(q) || u.username.to_lowercase().contains(q))
        })
    });
    members.sort_by_key(|m| m.id);
    call.page()?.of(&members, |m| show::member(state, m, source))
}

fn get(call: &mut Call<'_>) -> Result {
    let (source, user) = (source(call)?, call.number(1)?);
    let member = call
        .state
        .direct_members(source)
        .and_then(|m| m.get(&user))
        .ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::member(call.state, member, source)))
}

fn get_all(call: &mut Call<'_>) -> Result {
    let (source, user) = (source(call)?, call.number(1)?);
    let member = call.state.all_members(source).into_iter().find(|m| m.user == user);
    let member = member.ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::member(call.state, &member, source)))
}

fn users(call: &mut Call<'_>) -> Result {
    let source = source(call)?;
    let search = call.params.filled("search").map(|s| s.to_lowercase());
    let state = &*call.state;
    let mut members = state.all_members(source);
    members.retain(|m| {
        search.as_ref().is_none_or(|q| {
            state
                .users
                .get(&m.user)
                .is_some_and(|u| u.username.to_lowercase().contains(q))
        })
    });
    call.page()?.of(&members, |m| show::user(state, m.user))
}

fn level(params: &Params) -> Result<u64> {
    let level = params.required_number("access_level")?;
    if LEVELS.contains(&level) {
        Ok(level)
    } else {
        Err(Refusal::error(400, "access_level does not have a valid value"))
    }
}

fn add(call: &mut Call<'_>) -> Result {
    let (actor, source) = (call.actor()?, source(call)?);
    let params = call.params;
    params.accept(&["invite_source", "member_role_id"]);
    let level = level(params)?;
    let expires_at = date(params.filled("expires_at").as_deref(), "expires_at")?;
    if !params.has("user_id") && !params.has("username") {
        return Err(Refusal::error(
            400,
            "user_id, username are missing, exactly one parameter must be provided",
        ));
    }
    let ids = params.words("user_id").unwrap_or_default();
    if ids.len() > 1 {
        return add_many(call, actor, source, &ids, level);
    }
    let unknown = || Refusal::not_found("User");
    let user = match ids.first() {
        Some(id) => id.parse().map_err(|_| Refusal::error(400, "user_id is invalid"))?,
        None => call
            .state
            .user_named(&params.required("username")?)
            .map(|u| u.id)
            .ok_or_else(unknown)?,
    };
    call.state.add_member(actor, source, user, level, expires_at)?;
    let member = call
        .state
        .direct_members(source)
        .and_then(|m| m.get(&user))
        .ok_or_else(unknown)?;
    Ok(Answer::created(show::member(call.state, member, source)))
}

/// A comma list always answers 201; what went wrong is in `message`.
fn add_many(call: &mut Call<'_>, actor: u64, source: Source, ids: &[String], level: u64) -> Result {
    let least = if matches!(source, Place::Group(_)) {
        OWNER
    } else {
        MAINTAINER
    };
    if call.state.level_in(Some(actor), source) < least {
        return Err(Refusal::forbidden());
    }
    let mut faults = Map::new();
    for id in ids {
        let user = id
            .parse::<u64>()
            .map_err(|_| Refusal::error(400, "user_id is invalid"))?;
        if let Err(refusal) = call.state.add_member(actor, source, user, level, None) {
            faults.insert(call.state.username(user), refusal.body["message"].clone());
        }
    }
    Ok(Answer::created(status_of(&faults)))
}

fn status_of(faults: &Map<String, Value>) -> Value {
    if faults.is_empty() {
        json!({ "status": "success" })
    } else {
        json!({ "status": "error", "message": faults })
    }
}

fn edit(call: &mut Call<'_>) -> Result {
    let (actor, source, user) = (call.actor()?, source(call)?, call.number(1)?);
    let level = level(call.params)?;
    let expires_at = match call.params.nullable("expires_at") {
        None => None,
        Some(text) => Some(date(text.as_deref(), "expires_at")?),
    };
    call.state.edit_member(actor, source, user, level, expires_at)?;
    let member = call
        .state
        .direct_members(source)
        .and_then(|m| m.get(&user))
        .ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::member(call.state, member, source)))
}

fn remove(call: &mut Call<'_>) -> Result {
    let (actor, source, user) = (call.actor()?, source(call)?, call.number(1)?);
    call.params.accept(&["skip_subresources", "unassign_issuables"]);
    call.state.remove_member(actor, source, user)?;
    Ok(Answer::no_content())
}

/// Those who manage the members of a place; gives the actor and the place.
fn manager(call: &Call<'_>) -> Result<(u64, Source)> {
    let (actor, source) = (call.actor()?, source(call)?);
    if call.state.level_in(Some(actor), source) < State::manager_level(source) {
        return Err(Refusal::forbidden());
    }
    Ok((actor, source))
}

fn show_invitation(state: &State, invitation: &Invitation) -> Value {
    json!({
        "access_level": invitation.level,
        "created_at": show::time(invitation.at),
        "expires_at": invitation.expires_at.map(|d| d.to_string()),
        "invite_email": invitation.email,
        "invite_token": invitation.token,
        "created_by_name": state.users.get(&invitation.by).map(|u| &u.name),
        "user_name": null,
    })
}

fn invitations(call: &mut Call<'_>) -> Result {
    let (_, source) = manager(call)?;
    let query = call.params.filled("query").map(|q| q.to_lowercase());
    let state = &*call.state;
    let invited = state.waiting.invited.iter().filter(|i| i.source == source);
    let found: Vec<&Invitation> = invited
        .filter(|i| query.as_ref().is_none_or(|q| i.email.to_lowercase().contains(q)))
        .collect();
    call.page()?.of(&found, |i| show_invitation(state, i))
}

/// Invitations answer 201 also when they fail.
fn invite(call: &mut Call<'_>) -> Result {
    let params = call.params;
    params.accept(&["invite_source"]);
    let level = level(params)?;
    let expires_at = date(params.filled("expires_at").as_deref(), "expires_at")?;
    let (actor, source) = manager(call)?;
    if level > call.state.level_in(Some(actor), source) {
        return Err(Refusal::forbidden());
    }
    if !params.has("email") && !params.has("user_id") {
        return Err(Refusal::error(
            400,
            "email, user_id are missing, at least one parameter must be provided",
        ));
    }
    let mut faults = Map::new();
    for email in params.words("email").unwrap_or_default() {
        if let Err(text) = invite_one(call, actor, source, level, expires_at, &email) {
            faults.insert(email, text);
        }
    }
    for user in params.ids("user_id")?.unwrap_or_default() {
        if let Err(refusal) = call.state.add_member(actor, source, user, level, expires_at) {
            faults.insert(call.state.username(user), refusal.body["message"].clone());
        }
    }
    Ok(Answer::created(status_of(&faults)))
}

/// Invites one address; the error is what `message` says of it.
fn invite_one(
    call: &mut Call<'_>,
    actor: u64,
    source: Source,
    level: u64,
    expires_at: Option<Date>,
    email: &str,
) -> std::result::Result<(), Value> {
    if !email.contains('@') {
        return Err(json!("Invite email is invalid"));
    }
    let mut users = call.state.users.values();
    let known = users.find(|u| u.email.eq_ignore_ascii_case(email)).map(|u| u.id);
    if let Some(user) = known {
        let added = call.state.add_member(actor, source, user, level, expires_at);
        return added.map_err(|refusal| match refusal.status {
            409 => json!("Already a member"),
            _ => refusal.body["message"].clone(),
        });
    }
    if call.state.invitation(source, email).is_some() {
        return Err(json!("Member already invited to this resource"));
    }
    call.state.invite(actor, source, email, level, expires_at);
    Ok(())
}

fn edit_invitation(call: &mut Call<'_>) -> Result {
    let (actor, source) = manager(call)?;
    let params = call.params;
    let email = call.arg(1).to_owned();
    let level = params.has("access_level").then(|| level(params)).transpose()?;
    let expires_at = match params.nullable("expires_at") {
        None => None,
        Some(text) => Some(date(text.as_deref(), "expires_at")?),
    };
    if level.is_some_and(|l| l > call.state.level_in(Some(actor), source)) {
        return Err(Refusal::forbidden());
    }
    let invitation = call
        .state
        .invitation(source, &email)
        .ok_or_else(Refusal::nothing_here)?;
    invitation.level = level.unwrap_or(invitation.level);
    invitation.expires_at = expires_at.unwrap_or(invitation.expires_at);
    let invitation = invitation.clone();
    Ok(Answer::ok(show_invitation(call.state, &invitation)))
}

fn withdraw_invitation(call: &mut Call<'_>) -> Result {
    let (_, source) = manager(call)?;
    let email = call.arg(1).to_owned();
    call.state
        .invitation(source, &email)
        .ok_or_else(Refusal::nothing_here)?;
    let invited = &mut call.state.waiting.invited;
    invited.retain(|i| i.source != source || !i.email.eq_ignore_ascii_case(&email));
    Ok(Answer::no_content())
}
