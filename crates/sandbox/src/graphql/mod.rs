//! GraphQL: the reads that bots make in bulk and the mutations that provisioning can use, parsed and validated by a GraphQL
//! library. Refusals come with status 200 in `errors`, as on GitLab; size and complexity are limited before anything runs.

mod complexity;
mod give;
mod mutations;
mod objects;
mod schema;

use crate::http::{Answer, Refusal};
use crate::locked;
use crate::world::World;
use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use serde::Deserialize;
use serde_json::{Value, json};

const LONGEST_QUERY: usize = 10_000;
const MOST_COMPLEX: usize = 250;
const MOST_COMPLEX_FOR_STRANGERS: usize = 200;

/// What a client posts.
#[derive(Debug, Deserialize)]
struct Posted {
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default, rename = "operationName")]
    operation: Option<String>,
}

/// Who asks, and what the question weighs; every resolver can see it.
pub(crate) struct Asker {
    pub(crate) world: World,
    pub(crate) user: Option<u64>,
    pub(crate) score: usize,
    pub(crate) limit: usize,
}

/// Answers one document.
pub(crate) async fn answer(world: &World, token: Option<&str>, body: &[u8]) -> Answer {
    let Ok(posted) = serde_json::from_slice::<Posted>(body) else {
        return fault(400, "Unexpected end of document");
    };
    if posted.query.chars().count() > LONGEST_QUERY {
        return fault(200, "Query too large");
    }
    let document = match parse_query(&posted.query) {
        Ok(document) => document,
        Err(error) => return fault(200, &format!("Parse error: {error}")),
    };
    let writes = document
        .operations
        .iter()
        .any(|(_, op)| op.node.ty == OperationType::Mutation);
    let user = match token
        .map(|t| locked(&world.shared.state).authenticate(t, writes, false))
        .transpose()
    {
        Ok(user) => user,
        Err(refusal) => return refused(&refusal),
    };
    let variables = posted.variables.unwrap_or(Value::Null);
    let limit = if user.is_some() {
        MOST_COMPLEX
    } else {
        MOST_COMPLEX_FOR_STRANGERS
    };
    let score = complexity::score(&document, &variables);
    if score > limit {
        return fault(
            200,
            &format!("Query has complexity of {score}, which exceeds max complexity of {limit}"),
        );
    }
    let Some(schema) = schema::schema() else {
        return fault(500, "the sandbox's own schema is broken");
    };
    let asker = Asker {
        world: world.clone(),
        user,
        score,
        limit,
    };
    let mut request = async_graphql::Request::new(posted.query)
        .variables(Variables::from_json(variables))
        .data(asker);
    if let Some(operation) = posted.operation {
        request = request.operation_name(operation);
    }
    let response = schema.execute(request).await;
    world.notify();
    Answer::ok(in_gitlabs_words(serde_json::to_value(&response).unwrap_or_default()))
}

fn fault(status: u16, message: &str) -> Answer {
    Answer::json(status, json!({ "errors": [{ "message": message }] }))
}

fn refused(refusal: &Refusal) -> Answer {
    if refusal.status == 401 {
        fault(401, "Invalid token")
    } else {
        Answer::from(refusal.clone())
    }
}

/// The library words a few common mistakes differently.
fn in_gitlabs_words(mut response: Value) -> Value {
    for error in response
        .get_mut("errors")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(message) = error["message"].as_str() else {
            continue;
        };
        let unknown = message
            .strip_prefix("Unknown field \"")
            .and_then(|rest| rest.split_once("\" on type \""))
            .and_then(|(field, rest)| rest.split_once('"').map(|(on, _)| (field.to_owned(), on.to_owned())));
        if let Some((field, on)) = unknown {
            error["message"] = json!(format!("Field '{field}' doesn't exist on type '{on}'"));
        }
    }
    response
}
