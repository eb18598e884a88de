//! `gitlab` over real HTTP, against answers that are written down here.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod failing;
mod glancing;
mod graphql;
mod lists;
mod looking;
mod sandbox;
mod secrecy;
mod spec;
mod writing;

use std::time::Duration;

use convenor::gitlab::{Client, ClientSettings, LimitSettings, Reader, Writer};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "glpat-canary-0123456789";

fn settings(url: &str) -> ClientSettings {
    let mut settings = ClientSettings::new(url.parse().unwrap(), TOKEN.into());
    settings.timeout = Duration::from_millis(400);
    settings.first_pause = Duration::from_millis(10);
    settings.limits = LimitSettings {
        longest_wait: Duration::from_secs(3),
        ..LimitSettings::unlimited()
    };
    settings
}

fn client(url: &str) -> Client {
    Client::new(&settings(url)).unwrap()
}

fn reader(server: &MockServer) -> Reader {
    client(&server.uri()).reader()
}

fn writer(server: &MockServer) -> Writer {
    client(&server.uri()).writer()
}

/// Answers a method and path below `api/v4`.
async fn answer(server: &MockServer, verb: &str, below: &str, template: ResponseTemplate) {
    Mock::given(method(verb))
        .and(path(format!("/api/v4/{below}")))
        .respond_with(template)
        .mount(server)
        .await;
}

async fn answer_json(server: &MockServer, verb: &str, below: &str, status: u16, body: Value) {
    answer(server, verb, below, ResponseTemplate::new(status).set_body_json(body)).await;
}

/// Method, address and body of what came in, in order.
async fn received(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let line = |request: &wiremock::Request| {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        format!("{} {}{query} {body}", request.method, request.url.path())
            .trim_end()
            .to_owned()
    };
    requests.iter().map(line).collect()
}

fn person(id: u64, username: &str) -> Value {
    json!({ "id": id, "username": username, "name": username, "state": "active" })
}

fn issue(iid: u64) -> Value {
    json!({
        "id": 1000 + iid, "iid": iid, "project_id": 7, "title": "Rust at Work", "description": null,
        "state": "opened", "labels": ["cop::proposed"], "author": person(5, "alice"), "confidential": false,
        "created_at": "2026-01-16T05:56:22.123Z", "updated_at": "2026-01-16 05:56:22 UTC",
        "web_url": "https://gitlab.example.com/g/intake/-/work_items/12", "issue_type": "issue",
    })
}

fn note(id: u64, body: &str) -> Value {
    json!({
        "id": id, "body": body, "author": person(5, "alice"), "system": false, "internal": false,
        "created_at": "2026-01-16T05:56:22.123Z", "updated_at": "2026-01-16T05:56:22.123Z",
    })
}

fn project(id: u64, path: &str) -> Value {
    json!({
        "id": id, "name": path, "path": path, "path_with_namespace": format!("g/{path}"), "description": null,
        "topics": ["community-of-practice"], "archived": false, "visibility": "private",
        "web_url": format!("https://gitlab.example.com/g/{path}"), "default_branch": "main", "empty_repo": true,
        "creator_id": 9, "created_at": "2026-01-16T05:56:22.123Z", "last_activity_at": null,
        "marked_for_deletion_on": null, "namespace": { "id": 3, "full_path": "g", "kind": "group" },
    })
}

fn merge_request(iid: u64) -> Value {
    json!({
        "id": 500 + iid, "iid": iid, "project_id": 7, "title": "Add Rust", "description": "why", "state": "opened",
        "draft": false, "source_branch": "convenor/rust", "target_branch": "main", "sha": "abc", "labels": [],
        "author": person(9, "bot"), "assignees": [], "reviewers": [person(4, "bob")],
        "detailed_merge_status": "checking", "has_conflicts": false,
        "diff_refs": { "base_sha": "a", "head_sha": "b", "start_sha": "c" },
        "created_at": "2026-01-16T05:56:22.123Z", "updated_at": "2026-01-16T05:56:22.123Z", "merged_at": null,
        "merge_user": null, "web_url": "https://gitlab.example.com/g/h/-/merge_requests/7",
    })
}
