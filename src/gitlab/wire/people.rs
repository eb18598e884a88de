//! Users, members, and who we are ourselves.

use convenor_core::ids::{AccessLevel, UserId, Username};
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;

use super::tolerant::or_default;

/// The user that the token belongs to (`GET /user`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CurrentUser {
    /// Global id; what tells our own notes from other people's.
    pub id: UserId,
    /// Name to mention; may change.
    pub username: Username,
    /// Whether GitLab knows it as a bot (project and group tokens, service accounts).
    #[serde(default, deserialize_with = "or_default")]
    pub bot: bool,
    /// Whether it administers the instance; told to administrators only.
    #[serde(default, deserialize_with = "or_default")]
    pub is_admin: Option<bool>,
}

/// The token itself (`GET /personal_access_tokens/self`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenSelf {
    /// Such as `api`.
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    /// The day at whose beginning (UTC) it ends; `None`: never.
    #[serde(default)]
    pub expires_at: Option<Date>,
    /// Neither revoked nor expired.
    #[serde(default)]
    pub active: Option<bool>,
}

/// A token that was rotated (`POST /personal_access_tokens/self/rotate`): the only time that GitLab tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct RotatedToken {
    /// The new token.
    pub token: SecretString,
    /// The day at whose beginning (UTC) it ends.
    #[serde(default)]
    pub expires_at: Option<Date>,
}

/// GitLab's version (`GET /version`), with its clock at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// Such as `19.2.1-ee`.
    pub version: String,
    /// Commit of that version.
    #[serde(default, deserialize_with = "or_default")]
    pub revision: String,
    /// GitLab's clock, from the answer's `Date` header.
    #[serde(skip)]
    pub server_date: Option<Timestamp>,
}

/// A user where another thing names them: author, label event, member of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// Global id.
    pub id: UserId,
    /// Name to mention; may change.
    pub username: Username,
    /// Display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Untrusted,
    /// `active`, `blocked`, `deactivated` …; empty when not told.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
}

/// A user by name or id (`GET /users`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Global id.
    pub id: UserId,
    /// Name to mention; may change.
    pub username: Username,
    /// Display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Untrusted,
    /// `active`, `blocked`, `deactivated` …
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// Whether GitLab knows it as a bot; lists leave it out.
    #[serde(default, deserialize_with = "or_default")]
    pub bot: bool,
    /// The profile page.
    #[serde(default, deserialize_with = "or_default")]
    pub web_url: String,
}

impl User {
    /// Whether the account is in use (not blocked, banned, deactivated or waiting).
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

/// A member of a project or group, with the highest role where they are one in several ways.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The user's global id.
    pub id: UserId,
    /// Name to mention; may change.
    pub username: Username,
    /// Display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: Untrusted,
    /// State of the account: `active`, `blocked` …
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// The role's level.
    pub access_level: AccessLevel,
    /// Last day of the membership; `None`: no end.
    #[serde(default)]
    pub expires_at: Option<Date>,
    /// `active` or `awaiting`; not told by every version.
    #[serde(default)]
    pub membership_state: Option<String>,
}

impl Member {
    /// Whether account and membership are in use, so that the role counts.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == "active" && self.membership_state.as_deref().is_none_or(|state| state == "active")
    }
}
