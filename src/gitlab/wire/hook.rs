//! Webhooks of projects and groups.

use std::collections::BTreeMap;

use convenor_core::ids::HookId;
use jiff::Timestamp;
use serde::Deserialize;

use super::tolerant::{or_default, time_or_none};

/// A webhook. GitLab never tells its secrets, only (from 19.0 on) whether there are any.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hook {
    /// Its id.
    pub id: HookId,
    /// Where it sends to.
    pub url: String,
    /// `executable`, `temporarily_disabled` or `disabled`.
    #[serde(default)]
    pub alert_status: Option<String>,
    /// When a temporary stop ends.
    #[serde(default, deserialize_with = "time_or_none")]
    pub disabled_until: Option<Timestamp>,
    /// Whether TLS certificates are checked.
    #[serde(default)]
    pub enable_ssl_verification: Option<bool>,
    /// Whether a secret token is set; `None`: this version does not tell.
    #[serde(default)]
    pub token_present: Option<bool>,
    /// Whether a signing token is set; `None`: this version does not know signing tokens.
    #[serde(default)]
    pub signing_token_present: Option<bool>,
    /// What people read beside it; `None`: none, or this version has none.
    #[serde(default)]
    pub description: Option<String>,
    /// All other fields; the triggers (`push_events`, `issues_events` …) are read by [`Hook::sends`].
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

impl Hook {
    /// Whether a trigger such as `issues_events` is switched on; `false` when GitLab does not know it.
    #[must_use]
    pub fn sends(&self, trigger: &str) -> bool {
        self.rest
            .get(trigger)
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false)
    }
}

/// One past delivery of a hook (kept for some days by GitLab).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct HookEvent {
    /// Its id.
    pub id: u64,
    /// What caused it, such as `push_hooks`.
    #[serde(default, deserialize_with = "or_default")]
    pub trigger: String,
    /// Status of our answer, or `internal error`.
    #[serde(default, deserialize_with = "text_or_number")]
    pub response_status: String,
    /// When it was sent.
    #[serde(default, deserialize_with = "time_or_none")]
    pub created_at: Option<Timestamp>,
    /// How long our answer took, in seconds.
    #[serde(default)]
    pub execution_duration: Option<f64>,
}

fn text_or_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Option::<serde_json::Value>::deserialize(deserializer)? {
        None => String::new(),
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
    })
}
