//! Endpoints that the `gitlab` crate lacks, or has without a parameter that we need, or with a fault.
//!
//! Each function is one documented call; paths and parameter names are GitLab's. Bodies are JSON, so that numbers and
//! booleans arrive as such.

pub(crate) mod boards;
pub(crate) mod branches;
pub(crate) mod commits;
pub(crate) mod groups;
pub(crate) mod hooks;
pub(crate) mod members;

use std::borrow::Cow;
use std::fmt::Display;

use convenor_core::ids::{IssueIid, NoteId, ProjectId};
use gitlab::api::{BodyError, Endpoint, QueryParams};
use http::Method;
use serde_json::Value;

/// One call, put together as values.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    method: Method,
    path: String,
    query: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<Value>,
}

/// One note of an issue.
pub(crate) fn issue_note(project: ProjectId, issue: IssueIid, note: NoteId) -> Plain {
    Plain::get(format!("projects/{project}/issues/{}/notes/{note}", issue.0))
}

impl Plain {
    pub(crate) fn get(path: String) -> Self {
        Self::new(Method::GET, path, None)
    }

    pub(crate) fn post(path: String, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    pub(crate) fn put(path: String, body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body))
    }

    pub(crate) fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    fn new(method: Method, path: String, body: Option<Value>) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body,
        }
    }
}

impl Endpoint for Plain {
    fn method(&self) -> Method {
        self.method.clone()
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        for (name, value) in &self.query {
            parameters.push(*name, value.as_ref());
        }
        parameters
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        self.body
            .as_ref()
            .map(|body| Ok(("application/json", serde_json::to_vec(body)?)))
            .transpose()
    }
}

/// One segment of a path, percent-encoded: `/` in branch names and file paths becomes `%2F`.
pub(crate) fn segment(text: &str) -> impl Display + '_ {
    gitlab::api::common::path_escaped(text)
}

/// A JSON object of the pairs that have a value: a parameter that is not meant must not be sent.
pub(crate) fn object<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Value {
    Value::Object(
        pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect(),
    )
}
