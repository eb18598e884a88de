//! Access tokens: who a caller is and what the token may do.

use super::{Kind, Place, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;

/// A personal, group, project or service-account token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Date>,
    pub(crate) revoked: bool,
    /// The group or project it belongs to, with the bot's level; none for a person's token.
    pub(crate) of: Option<(Place, u64)>,
    /// The number of the first token in a row of rotations.
    family: u64,
    /// Whether its end was announced.
    announced: bool,
}

impl Token {
    /// Expired at midnight UTC of the date.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at
            .is_some_and(|date| now.to_zoned(TimeZone::UTC).date() >= date)
    }

    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        !self.revoked && !self.is_expired(now)
    }

    fn may(&self, write: bool) -> bool {
        self.scopes.iter().any(|s| s == "api" || (s == "read_api" && !write))
    }
}

impl State {
    /// Makes a token and gives its secret.
    pub(crate) fn add_token(&mut self, user: u64, name: &str, scopes: &[&str], expires_at: Option<Date>) -> String {
        let secret = format!("glpat-{}", self.random_hex(20));
        let id = self.id(Kind::Token);
        let token = Token {
            id,
            of: None,
            family: id,
            announced: false,
            user,
            name: name.to_owned(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            created_at: self.now(),
            last_used_at: None,
            expires_at,
            revoked: false,
        };
        self.tokens.insert(secret.clone(), token);
        secret
    }

    /// Whose token this is. `write` is whether the call needs more than `read_api`; `self_only` calls need no scope.
    pub(crate) fn authenticate(&mut self, secret: &str, write: bool, any_scope: bool) -> Result<u64> {
        let now = self.today();
        let token = self.tokens.get_mut(secret).ok_or_else(Refusal::unauthorized)?;
        if token.revoked {
            return Err(invalid_token(
                "Token was revoked. You have to re-authorize from the user.",
            ));
        }
        if token.is_expired(now) {
            return Err(invalid_token(
                "Token is expired. You can either do re-authorization or token refresh.",
            ));
        }
        if !any_scope && !token.may(write) {
            return Err(insufficient_scope());
        }
        token.last_used_at = Some(now);
        let user = token.user;
        match self.users.get(&user).map(|u| u.state.as_str()) {
            Some("active") => Ok(user),
            Some(_) => Err(Refusal::message(403, "403 Forbidden - Your account has been blocked.")),
            None => Err(Refusal::unauthorized()),
        }
    }

    /// Revokes a token and makes its successor. Whoever rotates a token that is revoked already holds a copy of an old one:
    /// the whole family is revoked then, and there is no successor.
    pub(crate) fn rotate_token(&mut self, secret: &str, expires_at: Option<Date>) -> Option<String> {
        self.suspect_reuse(secret);
        let old = self.tokens.get_mut(secret).filter(|t| !t.revoked)?;
        old.revoked = true;
        let old = old.clone();
        let scopes: Vec<&str> = old.scopes.iter().map(String::as_str).collect();
        let secret = self.add_token(old.user, &old.name, &scopes, expires_at);
        if let Some(new) = self.tokens.get_mut(&secret) {
            new.family = old.family;
            new.of = old.of;
        }
        Some(secret)
    }

    /// Revokes the family of a token that is revoked already, when somebody rotates it.
    pub(crate) fn suspect_reuse(&mut self, secret: &str) {
        let revoked = self.tokens.get(secret).filter(|t| t.revoked).map(|t| t.family);
        let family = |t: &&mut Token| Some(t.family) == revoked;
        self.tokens.values_mut().filter(family).for_each(|t| t.revoked = true);
    }

    /// The secret of a token's number.
    pub(crate) fn token_secret(&self, id: u64) -> Option<String> {
        self.tokens.iter().find(|(_, t)| t.id == id).map(|(s, _)| s.clone())
    }

    /// All tokens, oldest first.
    pub(crate) fn sorted_tokens(&self) -> Vec<&Token> {
        let mut all: Vec<&Token> = self.tokens.values().collect();
        all.sort_by_key(|t| t.id);
        all
    }

    /// Makes a bot user that is a member of a group or project, and a token for it; gives the secret.
    pub(crate) fn add_resource_token(&mut self, actor: u64, place: Place, level: u64, new: &NewToken) -> String {
        let (word, id) = match place {
            Place::Group(id) => ("group", id),
            Place::Project(id) | Place::User(id) => ("project", id),
        };
        let username = format!("{word}_{id}_bot_{}", self.random_hex(32));
        let user = self.add_user(&username, &new.name);
        if let Some(user) = self.users.get_mut(&user) {
            user.bot = true;
        }
        self.enter_member(actor, place, user, level, new.expires_at);
        let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
        let secret = self.add_token(user, &new.name, &scopes, new.expires_at);
        if let Some(token) = self.tokens.get_mut(&secret) {
            token.of = Some((place, level));
        }
        secret
    }

    /// Says once, when a week or less is left, that a group's or project's token ends.
    pub(crate) fn announce_ending_tokens(&mut self) {
        let now = self.today();
        let today = now.to_zoned(TimeZone::UTC).date();
        let soon = |t: &Token| {
            let days = t.expires_at.and_then(|end| today.until(end).ok());
            t.is_active(now) && !t.announced && days.is_some_and(|d| d.get_days() <= 7)
        };
        let due: Vec<(u64, Place)> = self
            .sorted_tokens()
            .into_iter()
            .filter(|t| soon(t))
            .filter_map(|t| t.of.map(|(place, _)| (t.id, place)))
            .collect();
        for (id, place) in due {
            let Some(token) = self.tokens.values_mut().find(|t| t.id == id) else {
                continue;
            };
            token.announced = true;
            let token = token.clone();
            happened::token_ends(self, place, &token);
        }
    }
}

/// What a group's or project's token is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewToken {
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<Date>,
}

fn invalid_token(description: &str) -> Refusal {
    Refusal {
        status: 401,
        body: json!({ "error": "invalid_token", "error_description": description }),
        headers: Vec::new(),
    }
}

fn insufficient_scope() -> Refusal {
    Refusal {
        status: 403,
        body: json!({
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": "api",
        }),
        headers: Vec::new(),
    }
}
