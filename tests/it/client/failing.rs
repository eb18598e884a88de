//! What GitLab and the network do wrong, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use convenor::gitlab::GitLabError;
use convenor_core::escape::Markdown;
use convenor_core::ids::{IssueIid, ProjectId};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, answer, answer_json, client, note, reader, received, writer};

const PROJECT: ProjectId = ProjectId(7);
const ISSUE: IssueIid = IssueIid(12);

fn html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(
        "<html><h1>Whoops, GitLab is taking too much time</h1></html>",
        "text/html",
    )
}

/// A server that answers the `n`-th connection with `answers[n]` (the last for all further ones) and closes it.
async fn raw_server(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let turn = counted.fetch_add(1, Ordering::SeqCst);
            let answer = answers[turn.min(answers.len() - 1)];
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (url, connections)
}

#[tokio::test]
async fn a_read_is_repeated_after_a_502_page_and_a_creation_is_not() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(html(502))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    answer_json(
        &server,
        "GET",
        "user",
        200,
        json!({ "id": 9, "username": "bot", "bot": true }),
    )
    .await;
    answer(&server, "POST", "projects/7/issues/12/notes", html(502)).await;

    assert_eq!(reader(&server).current_user().await.unwrap().id.0, 9);
    let error = writer(&server)
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown() && error.is_passing(), "{error:?}");
    assert_eq!(
        received(&server)
            .await
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
    assert_eq!(
        received(&server)
            .await
            .iter()
            .filter(|line| line.starts_with("GET"))
            .count(),
        3
    );
}

#[tokio::test]
async fn a_read_that_never_succeeds_ends_as_unavailable() {
    let server = MockServer::start().await;
    answer(&server, "GET", "user", html(503)).await;
    let error = reader(&server).current_user().await.unwrap_err();
    assert!(
        matches!(error, GitLabError::Unavailable { status: 503, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_is_an_unknown_outcome_for_a_write_and_repeated_for_a_read() {
    const CUT: &str = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n{\"id\":1";
    const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 28\r\nconnection: close\r\n\r\n{\"id\":9,\"username\":\"botbot\"}";
    let (url, connections) = raw_server(&[CUT]).await;
    let error = client(&url)
        .writer()
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);

    let (url, connections) = raw_server(&[CUT, WHOLE]).await;
    assert_eq!(client(&url).reader().current_user().await.unwrap().id.0, 9);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_an_unknown_outcome_for_a_write() {
    let (url, connections) = raw_server(&[""]).await;
    let error = client(&url)
        .writer()
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "a creation went out twice");
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_for_a_write_too() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client(&format!("http://{free}"))
        .writer()
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(matches!(error, GitLabError::Unreachable { .. }), "{error:?}");
    assert!(!error.is_outcome_unknown());
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_write_without_an_answer_in_time_has_an_unknown_outcome() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(201)
        .set_body_json(note(1, "x"))
        .set_delay(Duration::from_secs(5));
    answer(&server, "POST", "projects/7/issues/12/notes", late).await;
    let start = Instant::now();
    let error = writer(&server)
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn a_429_pauses_all_callers_for_as_long_as_it_says() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(
            ResponseTemplate::new(429)
                .insert_header("retry-after", "1")
                .set_body_string("Retry later"),
        )
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answer_json(&server, "POST", "projects/7/issues/12/notes", 201, note(1, "x")).await;
    answer_json(&server, "GET", "user", 200, json!({ "id": 9, "username": "bot" })).await;
    let client = client(&server.uri());
    let (writer, reader, body) = (client.writer(), client.reader(), Markdown::new().words("hello"));
    let start = Instant::now();
    let writing = writer.create_note(PROJECT, ISSUE, &body);
    let reading = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        reader.current_user().await.unwrap();
        start.elapsed()
    };
    let (written, read_after) = tokio::join!(writing, reading);
    written.unwrap();
    assert!(read_after >= Duration::from_secs(1), "{read_after:?}");
    assert_eq!(
        received(&server)
            .await
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        2
    );
}

#[tokio::test]
async fn a_429_that_asks_for_too_long_a_wait_is_handed_to_the_caller() {
    let server = MockServer::start().await;
    let limited = json!({ "message": { "error": "This endpoint has been requested too many times." } });
    answer_json(&server, "GET", "user", 429, limited).await;
    let reader = reader(&server);
    for _ in 0..2 {
        let error = reader.current_user().await.unwrap_err();
        assert!(matches!(error, GitLabError::RateLimited { .. }), "{error:?}");
        let wait = error.retry_after().unwrap();
        assert!(
            (Duration::from_secs(55)..Duration::from_secs(80)).contains(&wait),
            "{wait:?}"
        );
    }
    assert_eq!(
        received(&server).await.len(),
        1,
        "the second call went out in spite of the pause"
    );
}

#[tokio::test]
async fn refusals_become_types() {
    let server = MockServer::start().await;
    let revoked = json!({ "error": "invalid_token", "error_description": "Token was revoked." });
    answer_json(&server, "GET", "user", 401, revoked).await;
    answer_json(&server, "GET", "groups/3", 403, json!({ "message": "403 Forbidden" })).await;
    let scope = json!({ "error": "insufficient_scope", "error_description": "…", "scope": "api" });
    answer_json(&server, "POST", "projects/7/issues/12/notes", 403, scope).await;

    let reader = reader(&server);
    assert!(matches!(
        reader.current_user().await,
        Err(GitLabError::Unauthorized { .. })
    ));
    let group = reader.group(convenor_core::ids::GroupId(3)).await;
    assert!(matches!(group, Err(GitLabError::Forbidden { .. })));
    let error = writer(&server)
        .create_note(PROJECT, ISSUE, &Markdown::new().words("hello"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, GitLabError::InsufficientScope { scope, .. } if scope.contain("api")),
        "{error:?}"
    );
    assert!(!error.to_string().contains(TOKEN));
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    /// `{"id":9,"username":"bot"}` through gzip.
    const PACKED: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 76, 81, 178, 178, 212, 81, 42, 45, 78, 45, 202, 75, 204, 77, 85,
        178, 82, 74, 202, 47, 81, 170, 5, 0, 177, 129, 178, 45, 25, 0, 0, 0,
    ];
    let server = MockServer::start().await;
    let packed = ResponseTemplate::new(200)
        .set_body_raw(PACKED, "application/json")
        .insert_header("content-encoding", "gzip");
    answer(&server, "GET", "user", packed).await;
    assert_eq!(reader(&server).current_user().await.unwrap().id.0, 9);
}

#[tokio::test]
async fn calls_that_wait_for_a_slot_do_not_go_out_into_a_429() {
    let server = MockServer::start().await;
    let limited = ResponseTemplate::new(429)
        .insert_header("retry-after", "60")
        .set_delay(Duration::from_millis(150));
    answer(&server, "GET", "user", limited).await;
    let reader = reader(&server);
    let calls = (0..40).map(|_| {
        let reader = reader.clone();
        tokio::spawn(async move { reader.current_user().await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(matches!(call.await.unwrap(), Err(GitLabError::RateLimited { .. })));
    }
    assert_eq!(
        received(&server).await.len(),
        8,
        "more calls went out than were in flight"
    );
}
