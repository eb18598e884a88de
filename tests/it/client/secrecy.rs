//! The token goes to one place, in one header, and is printed nowhere.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use convenor::gitlab::{Client, GitLabError};
use convenor::settings::{LogFormat, Settings};
use convenor::telemetry::Lines;
use convenor_core::escape::Markdown;
use convenor_core::ids::{IssueIid, ProjectId};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, answer, answer_json, client, reader, writer};

const PROJECT: ProjectId = ProjectId(7);

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_token_travels_in_one_header_with_our_name() {
    let server = MockServer::start().await;
    Mock::given(header("private-token", TOKEN))
        .and(header("user-agent", concat!("convenor/", env!("CARGO_PKG_VERSION"))))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "id": 9, "username": "bot" })))
        .mount(&server)
        .await;
    reader(&server).current_user().await.unwrap();
    let request = &server.received_requests().await.unwrap()[0];
    assert!(!request.url.as_str().contains(TOKEN));
    let carriers = request
        .headers
        .iter()
        .filter(|(_, value)| value.to_str().is_ok_and(|text| text.contains(TOKEN)));
    assert_eq!(carriers.count(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_reported_and_not_followed() {
    let elsewhere = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let target = format!("{}/api/v4/projects/8", elsewhere.uri());
        let away = ResponseTemplate::new(status).insert_header("location", target.as_str());
        answer(&server, "GET", "projects/7", away.clone()).await;
        answer(&server, "POST", "projects/7/issues/12/notes", away).await;
        let found = reader(&server).project(PROJECT).await;
        assert!(matches!(found, Err(GitLabError::Moved { .. })), "{status}: {found:?}");
        let made = writer(&server)
            .create_note(PROJECT, IssueIid(12), &Markdown::new().words("x"))
            .await;
        assert!(matches!(made, Err(GitLabError::Moved { .. })), "{status}: {made:?}");
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_path_that_climbs_out_of_the_api_is_not_sent() {
    let server = MockServer::start().await;
    let reader = reader(&server);
    let found = reader.file(PROJECT, "..", "main").await;
    assert!(matches!(found, Err(GitLabError::Unsendable { .. })), "{found:?}");
    let found = reader.branch(PROJECT, "..").await;
    assert!(matches!(found, Err(GitLabError::Unsendable { .. })), "{found:?}");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn neither_token_nor_body_is_printed_whatever_goes_wrong() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // With one dispatcher alone, a callsite that another test's thread meets first would be switched off for good.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let echo = format!("you sent {TOKEN}, says the proxy");
    let refusal = format!("{{\"message\":\"{echo}\"}}");
    let mut printed = String::new();
    for (status, body) in [
        (200, "<html>body-canary</html>"),
        (200, "{\"body-canary\": 1}"),
        (500, "{\"message\":\"body-canary\"}"),
        (401, "{\"message\":\"401 Unauthorized\"}"),
        (404, "{\"message\":\"404 Project Not Found\"}"),
        (302, echo.as_str()),
        (400, refusal.as_str()),
        (422, refusal.as_str()),
        (502, echo.as_str()),
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "GET",
            "user",
            ResponseTemplate::new(status).set_body_string(body),
        )
        .await;
        answer(
            &server,
            "POST",
            "projects/7/issues/12/notes",
            ResponseTemplate::new(status).set_body_string(body),
        )
        .await;
        let client = client(&server.uri());
        let read = client.reader().current_user().await.unwrap_err();
        let note = Markdown::new().words("body-canary");
        let write = client
            .writer()
            .create_note(PROJECT, IssueIid(12), &note)
            .await
            .unwrap_err();
        printed += &format!("{read}\n{read:?}\n{write}\n{write:?}\n{client:?}\n");
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("user.get") && logged.contains("notes.create"),
        "nothing was logged:\n{logged}"
    );
    for (name, text) in [("errors", &printed), ("log", &logged)] {
        for canary in [TOKEN, "body-canary"] {
            assert!(!text.contains(canary), "{canary} in {name}:\n{text}");
        }
    }
}

#[tokio::test]
async fn a_token_that_came_later_is_taken_out_of_refusals_and_of_the_log_too() {
    let rotated = "glpat-rotated-9876543210";
    let settings = Settings::parse("", &BTreeMap::new()).unwrap();
    let log = Log::default();
    let lines = Lines {
        format: LogFormat::Text,
        redactor: settings.redactor.clone(),
        to: log.clone(),
    };
    let subscriber = tracing_subscriber::fmt().with_writer(lines).finish();
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = MockServer::start().await;
    let echo = json!({ "message": format!("you sent {rotated}") });
    answer_json(&server, "GET", "user", 400, echo).await;
    let mut for_client = super::settings(&server.uri());
    for_client.redactor = settings.redactor.clone();
    let client = Client::new(&for_client).unwrap();
    client.use_token(&rotated.into()).unwrap();
    let refused = client.reader().current_user().await.unwrap_err().to_string();
    tracing::warn!("careless: {rotated}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for text in [&refused, &logged] {
        assert!(text.contains("[secret]") && !text.contains(rotated), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_is_quoted_on_one_line() {
    let server = MockServer::start().await;
    let forged = "no\n2026-01-01 ERROR forged line";
    answer_json(&server, "GET", "user", 401, json!({ "message": forged })).await;
    let error = reader(&server).current_user().await.unwrap_err();
    assert!(!error.to_string().contains('\n'), "{error}");
}
