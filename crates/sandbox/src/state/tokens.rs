//! Access tokens: who a caller is and what the token may do.

use super::{Kind, State};
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
        let token = Token {
            id: self.id(Kind::Token),
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

    /// Revokes a token and makes its successor, as `rotate` does; using a revoked one again revokes the whole family on
    /// GitLab, which tests can do with `revoke_token`.
    pub(crate) fn rotate_token(&mut self, secret: &str, expires_at: Option<Date>) -> Option<String> {
        let old = self.tokens.get_mut(secret)?;
        old.revoked = true;
        let (user, name, scopes) = (old.user, old.name.clone(), old.scopes.clone());
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        Some(self.add_token(user, &name, &scopes, expires_at))
    }
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
