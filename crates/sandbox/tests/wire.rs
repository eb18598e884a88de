//! What stands on the wire: forms in every shape, methods, tags, pages, limits.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use bytes::Bytes;
use gitlab_sandbox::{Config, Role, World};
use http::{Request, Response};
use serde_json::{Value, json};

fn world(config: Config) -> (World, String) {
    let world = World::in_process(config, "http://gitlab.example");
    world.add_project("g/p").unwrap();
    world.add_member("g", "robot", Role::Owner).unwrap();
    let token = world.add_token("robot");
    (world, token)
}

fn still() -> Config {
    Config::still("2026-03-05T09:00:00Z".parse().unwrap())
}

fn send(world: &World, token: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("/api/v4{path}"));
    if !token.is_empty() {
        request = request.header("PRIVATE-TOKEN", token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    world.exchange(request).received.whole().unwrap()
}

fn json_of(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

const ISSUES: &str = "/projects/g%2Fp/issues";

#[test]
fn the_same_issue_comes_as_json_form_and_multipart() {
    let (world, token) = world(still());
    let multipart = "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nOne & two\r\n\
                     --B\r\nContent-Disposition: form-data; name=\"labels[]\"\r\n\r\na\r\n\
                     --B\r\nContent-Disposition: form-data; name=\"labels[]\"\r\n\r\nb\r\n--B--\r\n";
    for (kind, body) in [
        ("application/json", r#"{"title":"One & two","labels":["a","b"]}"#),
        (
            "application/x-www-form-urlencoded",
            "title=One+%26+two&labels[]=a&labels[]=b",
        ),
        ("multipart/form-data; boundary=B", multipart),
    ] {
        let made = send(&world, &token, "POST", ISSUES, &[("Content-Type", kind)], body);
        let made = json_of(&made);
        assert_eq!(
            (&made["title"], &made["labels"]),
            (&json!("One & two"), &json!(["a", "b"])),
            "{kind}"
        );
    }
    let cut = &multipart[..multipart.len() - 8];
    let kind = [("Content-Type", "multipart/form-data; boundary=B")];
    assert_eq!(send(&world, &token, "POST", ISSUES, &kind, cut).status(), 400);
    assert_eq!(world.violations(), Vec::<String>::new());
}

#[test]
fn what_gitlab_would_swallow_is_written_down() {
    let (world, token) = world(still());
    let kind = [("Content-Type", "application/json")];
    let commit = r#"{"branch":"main","commit_message":"m","actions":[
        {"action":"create","file_path":"a","content":"x"},
        {"action":"update","file_path":"README.md","content":"x","last_comit_id":"1"}]}"#;
    let commits = "/projects/g%2Fp/repository/commits";
    assert_eq!(send(&world, &token, "POST", commits, &kind, commit).status(), 201);
    send(&world, &token, "POST", ISSUES, &kind, r#"{"title":"x","lables":"a"}"#);
    send(&world, &token, "GET", "/projects/g%2Fp/isues", &[], "");
    send(&world, "", "GET", &format!("/user?private_token={token}"), &[], "");
    assert_eq!(
        world.violations(),
        [
            "POST /projects/:id/repository/commits: parameter `actions[1][last_comit_id]` has no effect",
            "POST /projects/:id/issues: parameter `lables` has no effect",
            "GET /api/v4/projects/g%2Fp/isues: no such route",
            "GET /api/v4/user: the token stands in the address",
        ]
    );
}

#[test]
fn a_known_address_with_another_method_is_405() {
    let (world, token) = world(still());
    let answer = send(&world, &token, "PATCH", "/projects/g%2Fp/issues/1", &[], "");
    assert_eq!(
        (answer.status().as_u16(), json_of(&answer)),
        (405, json!({"error": "405 Not Allowed"}))
    );
    assert_eq!(answer.headers()["allow"], "GET, PUT, DELETE");
    let answer = send(&world, &token, "GET", "/projects/g%2Fp/issues/x/notes/1", &[], "");
    assert_eq!(json_of(&answer), json!({"error": "issue_iid is invalid"}));
}

#[test]
fn a_tag_that_still_fits_saves_the_body() {
    let (world, token) = world(still());
    let first = send(&world, &token, "GET", "/projects/g%2Fp", &[], "");
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = send(&world, &token, "GET", "/projects/g%2Fp", &[("If-None-Match", &tag)], "");
    assert_eq!((again.status().as_u16(), again.body().len()), (304, 0));
    let change = [("Content-Type", "application/json")];
    send(
        &world,
        &token,
        "PUT",
        "/projects/g%2Fp",
        &change,
        r#"{"description":"new"}"#,
    );
    let changed = send(&world, &token, "GET", "/projects/g%2Fp", &[("If-None-Match", &tag)], "");
    assert_eq!(changed.status(), 200);
}

#[test]
fn above_ten_thousand_rows_nothing_is_counted() {
    let (world, token) = world(still());
    for n in 0..10_001 {
        world.add_user(&format!("user{n}"));
    }
    let page = send(&world, &token, "GET", "/users?per_page=100&page=2", &[], "");
    assert!(page.headers().get("x-total").is_none() && page.headers().get("x-total-pages").is_none());
    assert!(!page.headers()["link"].to_str().unwrap().contains("rel=\"last\""));
    assert_eq!(page.headers()["x-next-page"], "3");
    let far = send(&world, &token, "GET", "/users?per_page=100&page=502", &[], "");
    assert_eq!(far.status(), 405);
    let mut next = Some("/users?pagination=keyset&order_by=id&sort=asc&per_page=100".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next.take() {
        let page = send(&world, &token, "GET", &path, &[], "");
        seen.extend(
            json_of(&page)
                .as_array()
                .unwrap()
                .iter()
                .map(|u| u["id"].as_u64().unwrap()),
        );
        let link = page.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        next = link.map(|l| l.split_once("/api/v4").unwrap().1.split_once('>').unwrap().0.to_owned());
    }
    assert!(seen.len() > 10_001 && seen.is_sorted());
}

#[test]
fn limits_count_calls_and_say_when_to_come_back() {
    let (world, token) = world(Config {
        rate_limits: true,
        ..still()
    });
    let kind = [("Content-Type", "application/json")];
    send(&world, &token, "POST", ISSUES, &kind, r#"{"title":"x"}"#);
    let notes = format!("{ISSUES}/1/notes");
    let note = || send(&world, &token, "POST", &notes, &kind, r#"{"body":"x"}"#);
    assert!((0..60).all(|_| note().status() == 201));
    let refused = note();
    assert_eq!(refused.status(), 429);
    assert!(
        refused.headers().get("retry-after").is_none(),
        "the inner limiter gives no time"
    );
    assert_eq!(refused.headers()["ratelimit-limit"], "2000");
    let mut last = note();
    while last.headers().get("retry-after").is_none() {
        last = send(&world, &token, "GET", "/version", &[], "");
    }
    assert_eq!((last.status().as_u16(), &last.body()[..]), (429, &b"Retry later\n"[..]));
    world.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(note().status(), 201);
}
