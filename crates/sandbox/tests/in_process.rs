//! Calls without a socket: the same answers, losses as data, no waiting, the same run every time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use gitlab_sandbox::{Config, Effect, Exchange, Fault, Received, Role, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const START: i64 = 1_772_701_200;

fn world() -> (World, String) {
    let start = jiff::Timestamp::from_second(START).unwrap();
    let world = World::in_process(Config::still(start), "http://gitlab.example");
    world.add_project("communities/intake").unwrap();
    world.add_member("communities", "robot", Role::Owner).unwrap();
    let token = world.add_token("robot");
    (world, token)
}

fn call(world: &World, token: &str, method: &str, path: &str, body: &Value) -> Exchange {
    let bytes = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("PRIVATE-TOKEN", token)
        .header("Content-Type", "application/json");
    world.exchange(request.body(bytes.into()).unwrap())
}

fn issue(title: &str) -> Value {
    json!({ "title": title })
}

const ISSUES: &str = "/api/v4/projects/communities%2Fintake/issues";

#[test]
fn a_call_is_answered_as_over_a_socket() {
    let (world, token) = world();
    let made = call(&world, &token, "POST", ISSUES, &issue("One"));
    assert_eq!(made.took, Duration::ZERO);
    let made = made.received.whole().unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = serde_json::from_slice(made.body()).unwrap();
    assert_eq!(made["web_url"], "http://gitlab.example/communities/intake/-/issues/1");
    let listed = call(&world, &token, "GET", &format!("{ISSUES}?per_page=1"), &Value::Null);
    assert_eq!(listed.received.whole().unwrap().headers()["x-total"], "1");
    let asked = json!({ "query": "{ currentUser { username } }" });
    let asked = call(&world, &token, "POST", "/api/graphql", &asked)
        .received
        .whole()
        .unwrap();
    let asked: Value = serde_json::from_slice(asked.body()).unwrap();
    assert_eq!(asked["data"]["currentUser"]["username"], "robot");
    assert_eq!(world.calls().len(), 3);
}

#[test]
fn losses_and_slowness_are_data() {
    let (world, token) = world();
    world.add_fault(Fault::new(Effect::SlowAfter(90_000)).writes().once());
    world.add_fault(Fault::new(Effect::LoseAnswer).writes().once());
    let began = Instant::now();
    let lost = call(&world, &token, "POST", ISSUES, &issue("One"));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(matches!(lost.received, Received::Nothing));
    assert_eq!(lost.took, Duration::from_secs(90));
    assert_eq!(world.issues("communities/intake").unwrap().len(), 1);

    world.add_fault(Fault::new(Effect::CutAnswer).once());
    let Received::Cut(cut) = call(&world, &token, "GET", ISSUES, &Value::Null).received else {
        panic!("the answer should be cut");
    };
    assert_eq!(cut.status(), 200);
    assert!(serde_json::from_slice::<Value>(cut.body()).is_err());
}

#[test]
fn tests_of_webhooks_wait_with_the_others() {
    let (world, token) = world();
    let hook = json!({ "url": "http://127.0.0.1:1/hook", "issues_events": true });
    let made = call(
        &world,
        &token,
        "POST",
        "/api/v4/projects/communities%2Fintake/hooks",
        &hook,
    );
    let made: Value = serde_json::from_slice(made.received.whole().unwrap().body()).unwrap();
    call(&world, &token, "POST", ISSUES, &issue("One"));
    let path = format!(
        "/api/v4/projects/communities%2Fintake/hooks/{}/test/push_events",
        made["id"]
    );
    assert_eq!(
        call(&world, &token, "POST", &path, &Value::Null)
            .received
            .whole()
            .unwrap()
            .status(),
        201
    );
    let taken = world.take_deliveries();
    let events: Vec<&str> = taken
        .iter()
        .map(|d| {
            d.headers
                .iter()
                .find(|(n, _)| n == "X-Gitlab-Event")
                .unwrap()
                .1
                .as_str()
        })
        .collect();
    assert_eq!(events, ["Issue Hook", "Push Hook"]);
}

/// One run with faults by chance, as text.
fn run(seed: u64) -> String {
    let start = jiff::Timestamp::from_second(START).unwrap();
    let config = Config {
        seed,
        ..Config::still(start)
    };
    let world = World::in_process(config, "http://gitlab.example");
    world.add_project("communities/intake").unwrap();
    world.add_member("communities", "robot", Role::Owner).unwrap();
    let token = world.add_token("robot");
    let hook = json!({ "url": "http://127.0.0.1:1/hook", "issues_events": true });
    call(
        &world,
        &token,
        "POST",
        "/api/v4/projects/communities%2Fintake/hooks",
        &hook,
    );
    for effect in [
        Effect::LoseAnswer,
        Effect::Status(502),
        Effect::ShortPage(1),
        Effect::Stale,
    ] {
        world.add_fault(Fault::new(effect).chance(0.2));
    }
    let weather = serde_json::from_value(json!({ "lose": 0.2, "double": 0.2, "swap": 0.2 })).unwrap();
    world.set_hook_weather(weather);
    let mut trail = String::new();
    for n in 0..40 {
        let (method, body) = if n % 2 == 0 {
            ("POST", issue(&format!("Issue {n}")))
        } else {
            ("GET", Value::Null)
        };
        trail += &format!("{:?}\n", call(&world, &token, method, ISSUES, &body));
    }
    trail + &format!("{:?}\n{:?}", world.take_deliveries(), world.calls())
}

#[test]
fn the_same_seed_and_calls_give_the_same_run_to_the_byte() {
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
