//! Answers and refusals, worded as GitLab words them.

use bytes::Bytes;
use serde_json::{Value, json};

/// What a route gives back.
pub(crate) type Result<T = Answer> = std::result::Result<T, Refusal>;

/// A successful answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Bytes(String, Bytes),
}

impl Answer {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(value),
        }
    }

    pub(crate) fn ok(value: Value) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn created(value: Value) -> Self {
        Self::json(201, value)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    pub(crate) fn bytes(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Body::Bytes(content_type.to_owned(), bytes.into()),
        }
    }

    pub(crate) fn html(status: u16, text: String) -> Self {
        Self {
            status,
            ..Self::bytes("text/html; charset=utf-8", text)
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refused call: the code and the body that GitLab sends with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// `{"message": …}`
    pub(crate) fn message(status: u16, message: impl Into<Value>) -> Self {
        Self {
            status,
            body: json!({ "message": message.into() }),
            headers: Vec::new(),
        }
    }

    /// `{"error": …}`, as the parameter check and the OAuth layer write it.
    pub(crate) fn error(status: u16, error: impl Into<Value>) -> Self {
        Self {
            status,
            body: json!({ "error": error.into() }),
            headers: Vec::new(),
        }
    }

    /// `{"message": {"field": ["text"]}}`, as model validations write it.
    pub(crate) fn invalid(field: &str, texts: &[&str]) -> Self {
        Self::message(400, json!({ field: texts }))
    }

    /// `{"message": "404 Project Not Found"}`
    pub(crate) fn not_found(what: &str) -> Self {
        Self::message(404, format!("404 {what} Not Found"))
    }

    /// The route does not exist: `{"error": "404 Not Found"}`.
    pub(crate) fn no_route() -> Self {
        Self::error(404, "404 Not Found")
    }

    /// A thing without a name of its own: `{"message": "404 Not found"}`.
    pub(crate) fn nothing_here() -> Self {
        Self::message(404, "404 Not found")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    pub(crate) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    pub(crate) fn forbidden_because(reason: &str) -> Self {
        Self::message(403, format!("403 Forbidden - {reason}"))
    }

    pub(crate) fn bad_request(reason: &str) -> Self {
        Self::message(400, format!("400 Bad request - {reason}"))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            headers: refusal.headers,
            body: Body::Json(refusal.body),
        }
    }
}
