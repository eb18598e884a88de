//! The log of calls: what was asked, by whom, what came of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// One call of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallRecord {
    /// Counted from 1; 0 for what a person did without the network.
    pub number: u64,
    /// `GET`, `POST`…
    pub method: String,
    /// The path below the address, still encoded.
    pub path: String,
    /// What followed the question mark.
    pub query: String,
    /// The route that answered, such as `/projects/:id/issues`; none when there is none.
    pub route: Option<Cow<'static, str>>,
    /// Who called.
    pub user: Option<String>,
    /// All parameters, from query and body.
    pub params: Value,
    /// The answer's status; none when the connection was closed without one.
    pub status: Option<u16>,
    /// The status of the effect, when a fault hid it from the caller.
    pub effect_status: Option<u16>,
    /// Whether a fault kept it from having any effect.
    pub refused: bool,
    /// Which faults struck.
    pub faults: Vec<String>,
    /// What GitLab would have swallowed: an unknown route, parameters without effect.
    pub violations: Vec<String>,
}

impl CallRecord {
    /// Whether the call may have changed something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let document = self.params["query"].as_str().unwrap_or_default();
        is_write(&self.method, &self.path, document)
    }

    /// Whether GitLab did what was asked, whatever the caller saw of it.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        !self.refused
            && self
                .effect_status
                .or(self.status)
                .is_some_and(|s| (200..300).contains(&s))
    }

    /// Whether it changed something: a write whose effect succeeded, seen by the caller or not.
    #[must_use]
    pub fn had_effect(&self) -> bool {
        self.is_write() && self.succeeded()
    }
}

/// Whether a call may change something. What a GraphQL document does, its first word says.
pub(crate) fn is_write(method: &str, path: &str, document: &str) -> bool {
    let is_query = path == "/api/graphql" && !document.trim_start().starts_with("mutation");
    !is_query && !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// The calls so far, and what GitLab would have swallowed.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) violations: Vec<String>,
    next: u64,
}

impl CallLog {
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
