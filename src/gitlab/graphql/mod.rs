//! GraphQL where it saves calls: many projects in one answer, many labels in one request.
//!
//! Everything here can be done by REST too, and is where GitLab has no GraphQL, knows a field not yet, or finds a
//! document too complex. Sources: GitLab's "GraphQL API" page and `app/graphql`. A refusal comes with status 200 in
//! `errors`; one that names no result did nothing.

mod glance;
mod overview;
mod provision;

use std::borrow::Cow;

use gitlab::api::{BodyError, Endpoint, UrlBase};
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::error::{GitLabError, Words};
use super::operation::Operation;

pub use glance::{Glance, GlanceOf, Glances, UserGlance};
pub use overview::{OverviewFile, ProjectOverview};
pub use provision::BoardListLabel;

/// A query or mutation with its variables; people's text stands only in variables, never in the document.
struct Document<'a> {
    text: Cow<'a, str>,
    variables: Value,
}

impl Endpoint for Document<'_> {
    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Cow<'static, str> {
        "api/graphql".into()
    }

    fn url_base(&self) -> UrlBase {
        UrlBase::Instance
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        let body = serde_json::to_vec(&json!({ "query": self.text, "variables": self.variables }))?;
        Ok(Some(("application/json", body)))
    }
}

/// Why a document brought no data; nothing was done.
enum Unserved {
    /// This GitLab does not have it (any more, or yet): use REST, now and later.
    NotToBeHad,
    /// Too much at once: ask for less.
    TooComplex,
    /// GitLab refuses this very request, or the call failed.
    Failed(GitLabError),
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message: String,
}

/// Sends a document and reads its data. Data beside errors counts as none: half an answer is no answer.
async fn send<T: DeserializeOwned>(
    client: &Client,
    operation: Operation,
    document: &Document<'_>,
) -> Result<T, Unserved> {
    let envelope: Envelope<T> = ask(client, operation, document).await?;
    match envelope.data {
        Some(data) if envelope.errors.is_empty() => Ok(data),
        _ => Err(refused(client, operation, &envelope.errors)),
    }
}

async fn ask<T: DeserializeOwned>(
    client: &Client,
    operation: Operation,
    document: &Document<'_>,
) -> Result<Envelope<T>, Unserved> {
    if !client.has_graphql() {
        return Err(Unserved::NotToBeHad);
    }
    match client.ask(operation, document).await {
        Ok(envelope) => Ok(envelope),
        Err(GitLabError::NotFound { .. }) => Err(not_to_be_had(client)),
        // Not a word of GitLab's GraphQL; REST gets the same refusal if it is one of rights.
        Err(
            GitLabError::Invalid { .. }
            | GitLabError::Forbidden { .. }
            | GitLabError::InsufficientScope { .. }
            | GitLabError::Unreadable { .. },
        ) => Err(Unserved::NotToBeHad),
        Err(other) => Err(Unserved::Failed(other)),
    }
}

/// Sends a mutation and reads what each of its fields answered. Fields run one after the other and each for itself: what one of them did
/// stays done when another failed, so half an answer is half of the truth here.
async fn send_mutation(
    client: &Client,
    operation: Operation,
    document: &Document<'_>,
) -> Result<Map<String, Value>, Unserved> {
    let envelope: Envelope<Map<String, Value>> = ask(client, operation, document).await?;
    let data = envelope.data.unwrap_or_default();
    if envelope.errors.is_empty() || data.values().any(|field| !field.is_null()) {
        return Ok(data);
    }
    match refused(client, operation, &envelope.errors) {
        Unserved::TooComplex if says_time_is_up(&envelope.errors) => {
            Err(Unserved::Failed(GitLabError::OutcomeUnknown {
                call: operation.name,
                cause: Words::new("GitLab's time for the document was up"),
            }))
        }
        other => Err(other),
    }
}

fn says_time_is_up(errors: &[Message]) -> bool {
    let mut said = errors.iter().map(|error| Words::new(error.message.as_str()));
    said.any(|words| words.contain("timeout") || words.contain("timed out"))
}

fn refused(client: &Client, operation: Operation, errors: &[Message]) -> Unserved {
    let said: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    let words = Words::new(said.join("; "));
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contain(needle));
    if says(&["complexity", "timeout", "timed out"]) {
        Unserved::TooComplex
    } else if says(&[
        "doesn't exist on type",
        "isn't a defined",
        "doesn't accept argument",
        "is not defined",
    ]) {
        not_to_be_had(client)
    } else {
        Unserved::Failed(GitLabError::Invalid {
            call: operation.name,
            message: words,
        })
    }
}

fn not_to_be_had(client: &Client) -> Unserved {
    if client.forget_graphql() {
        tracing::info!("this GitLab serves no GraphQL as we ask for it; the REST API is used instead");
    }
    Unserved::NotToBeHad
}

/// The number at the end of a global id such as `gid://gitlab/ProjectLabel/7`.
fn number_of(global_id: &str) -> Option<u64> {
    global_id.rsplit('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_global_id_is_its_last_part() {
        assert_eq!(number_of("gid://gitlab/ProjectLabel/7"), Some(7));
        assert_eq!(number_of("gid://gitlab/ProjectLabel/"), None);
        assert_eq!(number_of("7"), Some(7));
    }
}
