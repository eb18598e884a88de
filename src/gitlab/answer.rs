//! What an answer of GitLab means: status, headers and body become a value or a [`GitLabError`].
//!
//! GitLab has many shapes for one refusal (`message` as text, list or map, `error`, plain text, HTML); they are told
//! apart here and nowhere else. Sources: GitLab's "REST API troubleshooting" and `lib/api/helpers.rb`.

use bytes::Bytes;
use convenor_core::ids::MergeRequestIid;
use http::{HeaderMap, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{FieldMessage, GitLabError, Words};
use super::limits;
use super::operation::{Effect, Operation};

/// More than this of what GitLab finds wrong helps nobody to mend it.
const MOST_FINDINGS: usize = 12;

/// Reads the JSON of a successful answer; everything else is an error.
pub(crate) fn read<T: DeserializeOwned>(operation: Operation, answer: &Response<Bytes>) -> Result<T, GitLabError> {
    check(operation, answer)?;
    serde_json::from_slice(answer.body()).map_err(|error| unreadable(operation, answer, &error))
}

/// Only whether the answer says that it was done (2xx); the body, often empty, is not looked at.
pub(crate) fn check(operation: Operation, answer: &Response<Bytes>) -> Result<(), GitLabError> {
    if !answer.status().is_success() {
        return Err(refusal(operation, answer));
    }
    if is_html(answer) {
        return Err(strange(operation, answer, "HTML instead of JSON"));
    }
    Ok(())
}

fn unreadable(operation: Operation, answer: &Response<Bytes>, error: &serde_json::Error) -> GitLabError {
    // serde's message may quote a value of the body, so only its place and kind are kept.
    let kind = match error.classify() {
        serde_json::error::Category::Data => "JSON of another shape",
        serde_json::error::Category::Eof => "cut JSON",
        _ => "no JSON",
    };
    strange(
        operation,
        answer,
        &format!("{kind} at line {} column {}", error.line(), error.column()),
    )
}

fn strange(operation: Operation, answer: &Response<Bytes>, what: &str) -> GitLabError {
    let call = operation.name;
    let cause = Words::new(format!("status {}, {what}", answer.status().as_u16()));
    match operation.effect {
        Effect::Reads => GitLabError::Unreadable { call, cause },
        Effect::Writes => GitLabError::OutcomeUnknown { call, cause },
    }
}

/// The error that an unsuccessful answer means.
pub(crate) fn refusal(operation: Operation, answer: &Response<Bytes>) -> GitLabError {
    let call = operation.name;
    let status = answer.status();
    if status.is_redirection() {
        let location = Words::new(header_text(answer.headers(), "location").unwrap_or("an unnamed place"));
        return GitLabError::Moved { call, location };
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return broken(operation, answer);
    }
    let said = Said::of(answer);
    match status.as_u16() {
        401 => GitLabError::Unauthorized {
            call,
            message: said.words(),
        },
        403 if said.insufficient_scope() => GitLabError::InsufficientScope {
            call,
            scope: said.scope(),
        },
        403 | 405 => GitLabError::Forbidden {
            call,
            message: said.words(),
        },
        // A proxy's page is no word of GitLab's that the thing is gone.
        404 if is_html(answer) && operation.effect == Effect::Reads => {
            strange(operation, answer, "HTML instead of JSON")
        }
        404 => GitLabError::NotFound {
            call,
            message: said.words(),
        },
        409 => GitLabError::Conflict {
            call,
            message: said.words(),
            iid: said.other_merge_request(),
        },
        429 => GitLabError::RateLimited {
            call,
            retry_after: limits::retry_after(answer.headers()),
        },
        _ if said.taken() => GitLabError::Taken {
            call,
            fields: said.fields(),
        },
        _ => GitLabError::Invalid {
            call,
            message: said.words(),
        },
    }
}

fn broken(operation: Operation, answer: &Response<Bytes>) -> GitLabError {
    let status = answer.status().as_u16();
    match operation.effect {
        Effect::Reads => GitLabError::Unavailable {
            call: operation.name,
            status,
            retry_after: limits::told_retry_after(answer.headers()),
        },
        Effect::Writes => GitLabError::OutcomeUnknown {
            call: operation.name,
            cause: Words::new(format!("status {status}")),
        },
    }
}

fn is_html(answer: &Response<Bytes>) -> bool {
    let declared = header_text(answer.headers(), "content-type").is_some_and(|kind| kind.starts_with("text/html"));
    declared || answer.body().trim_ascii_start().starts_with(b"<")
}

/// One header as text; `None` when it is missing or not ASCII.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The body of a refusal, taken apart.
struct Said {
    body: Value,
    plain: Option<String>,
}

impl Said {
    fn of(answer: &Response<Bytes>) -> Self {
        match serde_json::from_slice(answer.body()) {
            Ok(body) => Self { body, plain: None },
            Err(_) if is_html(answer) => Self {
                body: Value::Null,
                plain: None,
            },
            Err(_) => {
                let text: String = String::from_utf8_lossy(answer.body()).chars().take(1000).collect();
                Self {
                    body: Value::Null,
                    plain: Some(text),
                }
            }
        }
    }

    /// All that was said, field by field, in one line.
    fn words(&self) -> Words {
        if let Some(text) = &self.plain {
            return Words::new(text.as_str());
        }
        let said: Vec<String> = self
            .findings()
            .into_iter()
            .map(|(field, text)| joined(&field, &text))
            .collect();
        Words::new(said.join("; "))
    }

    /// Pairs of field (empty for none) and text.
    fn findings(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for key in ["message", "error", "errors", "error_description"] {
            if let Some(value) = self.body.get(key) {
                collect("", value, &mut found);
            }
        }
        found.truncate(MOST_FINDINGS);
        found
    }

    fn fields(&self) -> Vec<FieldMessage> {
        let pair = |(field, message): (String, String)| FieldMessage {
            field: Words::new(field),
            message: Words::new(message),
        };
        self.findings().into_iter().map(pair).collect()
    }

    fn taken(&self) -> bool {
        self.findings()
            .iter()
            .any(|(_, text)| text.to_ascii_lowercase().contains("already been taken"))
    }

    fn insufficient_scope(&self) -> bool {
        self.body.get("error").and_then(Value::as_str) == Some("insufficient_scope")
    }

    fn scope(&self) -> Words {
        Words::new(self.body.get("scope").and_then(Value::as_str).unwrap_or("api"))
    }

    /// `!7` at the end of GitLab's "Another open merge request already exists for this source branch: !7".
    fn other_merge_request(&self) -> Option<MergeRequestIid> {
        let findings = self.findings();
        let (_, text) = findings
            .iter()
            .find(|(_, text)| text.contains("merge request already exists"))?;
        let (_, digits) = text.rsplit_once('!')?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok().map(MergeRequestIid)
    }
}

fn joined(field: &str, text: &str) -> String {
    if field.is_empty() {
        text.to_owned()
    } else {
        format!("{field} {text}")
    }
}

fn collect(field: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((field.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(field, item, found)),
        // `{"message":{"error":"…"}}` and `{"message":{"base":[…]}}` name no field of the request.
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            let named = if key == "error" || key == "base" { "" } else { key };
            collect(named, item, found);
        }),
        Value::Null => {}
        other => found.push((field.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Operation = Operation::writes("things.create");
    const GET: Operation = Operation::reads("things.get");

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    fn check_refusal(operation: Operation, status: u16, body: &str, expected: &str) {
        assert_eq!(
            refusal(operation, &answer(status, body)).to_string(),
            expected,
            "{status} {body}"
        );
    }

    #[test]
    fn every_shape_of_refusal_is_understood() {
        let check = |status, body, expected| check_refusal(CREATE, status, body, expected);
        check(
            404,
            r#"{"message":"404 Project Not Found"}"#,
            "things.create: not found, or not visible to the bot: 404 Project Not Found",
        );
        check(
            400,
            r#"{"message":{"title":["can't be blank"]}}"#,
            "things.create: GitLab does not accept the request: title can't be blank",
        );
        check(
            400,
            r#"{"error":"title is missing"}"#,
            "things.create: GitLab does not accept the request: title is missing",
        );
        check(
            403,
            r#"{"error":"insufficient_scope","error_description":"x","scope":"api"}"#,
            "things.create: the token's scopes do not suffice; it needs `api`",
        );
        check(
            400,
            r#"{"message":{"path":["has already been taken"]}}"#,
            "things.create: already taken: path has already been taken",
        );
        check(
            400,
            r#"{"message":{"error":"Label has already been taken"}}"#,
            "things.create: already taken: Label has already been taken",
        );
        check(
            422,
            r#"{"error":"Invalid url given"}"#,
            "things.create: GitLab does not accept the request: Invalid url given",
        );
        check(
            403,
            "",
            "things.create: GitLab refuses it: no reason given; check the bot's role there",
        );
    }

    #[test]
    fn the_other_merge_request_is_read_from_the_conflict() {
        let body = r#"{"message":["Another open merge request already exists for this source branch: !17"]}"#;
        let error = refusal(CREATE, &answer(409, body));
        assert!(
            matches!(
                error,
                GitLabError::Conflict {
                    iid: Some(MergeRequestIid(17)),
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.is_already_there());
        let error = refusal(
            CREATE,
            &answer(409, r#"{"message":"SHA does not match HEAD of source branch: !x"}"#),
        );
        assert!(matches!(error, GitLabError::Conflict { iid: None, .. }), "{error:?}");
        assert!(!error.is_already_there());
    }

    #[test]
    fn a_page_of_a_proxy_is_no_evidence_of_absence() {
        let page = "<html><h1>404</h1></html>";
        assert!(matches!(
            refusal(GET, &answer(404, page)),
            GitLabError::Unreadable { .. }
        ));
        assert!(read::<Value>(GET, &answer(200, page)).is_err_and(|e| matches!(e, GitLabError::Unreadable { .. })));
    }

    #[test]
    fn a_write_without_a_readable_answer_has_an_unknown_outcome() {
        for (status, body) in [
            (502, "<html>"),
            (500, r#"{"message":"500 Internal Server Error"}"#),
            (503, ""),
        ] {
            assert!(refusal(CREATE, &answer(status, body)).is_outcome_unknown(), "{status}");
            assert!(
                matches!(refusal(GET, &answer(status, body)), GitLabError::Unavailable { .. }),
                "{status}"
            );
        }
        for body in ["<html>fine</html>", r#"{"id":1"#, "", "Created"] {
            let error = read::<Value>(CREATE, &answer(201, body)).unwrap_err();
            assert!(error.is_outcome_unknown(), "{body}: {error:?}");
        }
    }

    #[test]
    fn an_unreadable_answer_is_not_quoted() {
        #[derive(Debug, serde::Deserialize)]
        struct Thing {
            #[expect(dead_code, reason = "only its type matters")]
            id: u64,
        }
        let error = read::<Thing>(GET, &answer(200, r#"{"id":"secret-in-body"}"#)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret-in-body"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

        #[test]
        fn any_refusal_becomes_one_short_line(
            status in 300_u16..600,
            text in "\\PC{0,40}|[\\x00-\\x1f]{0,10}",
            shape in 0..6_usize,
            writes: bool,
        ) {
            let body = match shape {
                0 => serde_json::json!({ "message": text }).to_string(),
                1 => serde_json::json!({ "message": { &text: [&text, &text] } }).to_string(),
                2 => serde_json::json!({ "error": [[{ "base": &text }], 7, null] }).to_string(),
                3 => serde_json::json!([text]).to_string(),
                4 => format!("<html>{text}"),
                _ => text,
            };
            let operation = if writes { CREATE } else { GET };
            let error = refusal(operation, &answer(status, &body));
            let printed = format!("{error} {error:?}");
            proptest::prop_assert!(!printed.contains(char::is_control), "{:?}", printed);
            proptest::prop_assert!(printed.len() < 12_000, "{}", printed.len());
            proptest::prop_assert!(error.call() == operation.name);
        }
    }
}
