//! Webhooks: headers, signatures, who hears what, failures, weather, and fields as in real payloads.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlab_sandbox::{Config, HookWeather, PendingDelivery, Role, Sandbox};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const ALL: &[&str] = &[
    "push_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "merge_requests_events",
    "member_events",
    "subgroup_events",
    "project_events",
];

fn still() -> Sandbox {
    let gitlab = Sandbox::start(Config::still("2026-03-05T09:00:00Z".parse::<Timestamp>().unwrap())).unwrap();
    gitlab.add_group("communities").unwrap();
    gitlab.add_project("communities/intake").unwrap();
    gitlab.add_member("communities", "alice", Role::Developer).unwrap();
    gitlab
}

fn hook_on(gitlab: &Sandbox, place: &str, url: &str, more: &Value) -> u64 {
    let mut body = json!({ "url": url });
    body.as_object_mut()
        .unwrap()
        .extend(ALL.iter().map(|e| ((*e).to_owned(), json!(true))));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = gitlab.admin().api("POST", &format!("{place}/hooks"), body).unwrap();
    made["id"].as_u64().unwrap()
}

fn header<'a>(delivery: &'a PendingDelivery, name: &str) -> Option<&'a str> {
    delivery
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}

fn body(delivery: &PendingDelivery) -> Value {
    serde_json::from_str(&delivery.body).unwrap()
}

#[test]
fn a_delivery_proves_where_it_comes_from() {
    let gitlab = still();
    let key = [7_u8; 32];
    let secret = format!("whsec_{}", STANDARD.encode(key));
    let id = hook_on(
        &gitlab,
        "/groups/communities",
        "http://127.0.0.1:9/",
        &json!({"token": "secret", "signing_token": secret}),
    );
    let shown = gitlab.look(&format!("/groups/communities/hooks/{id}")).unwrap();
    assert_eq!(
        (&shown["token_present"], &shown["signing_token_present"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((shown.get("token"), shown.get("signing_token")), (None, None));
    gitlab
        .person("alice")
        .unwrap()
        .open_issue("communities/intake", "x", "", &[])
        .unwrap();
    let sent = gitlab.take_deliveries().remove(0);
    assert_eq!(header(&sent, "X-Gitlab-Event"), Some("Issue Hook"));
    assert_eq!(header(&sent, "X-Gitlab-Token"), Some("secret"));
    assert_eq!(header(&sent, "X-Gitlab-Instance"), Some(gitlab.url()));
    assert_eq!(header(&sent, "User-Agent"), Some("GitLab/19.2.1-ee"));
    assert_eq!(header(&sent, "webhook-id"), header(&sent, "Idempotency-Key"));
    let text = format!(
        "{}.{}.{}",
        header(&sent, "webhook-id").unwrap(),
        header(&sent, "webhook-timestamp").unwrap(),
        sent.body
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header(&sent, "webhook-signature"), Some(expected.as_str()));
}

#[test]
fn a_changed_address_forgets_the_secrets() {
    let gitlab = still();
    let id = hook_on(
        &gitlab,
        "/projects/communities%2Fintake",
        "http://127.0.0.1:9/a",
        &json!({"token": "secret"}),
    );
    let path = format!("/projects/communities%2Fintake/hooks/{id}");
    let shown = gitlab
        .admin()
        .api("PUT", &path, json!({"url": "http://127.0.0.1:9/b"}))
        .unwrap();
    assert_eq!(shown["token_present"], false);
    let refused = gitlab.admin().api("PUT", &path, json!({})).unwrap_err();
    assert_eq!(
        (refused.status, refused.body),
        (400, json!({"error": "No parameters provided"}))
    );
    let refused = gitlab
        .admin()
        .api("PUT", &path, json!({"signing_token": "whsec_short"}))
        .unwrap_err();
    assert_eq!(refused.status, 422);
}

#[test]
fn confidential_things_go_only_to_those_who_asked_for_them() {
    let gitlab = still();
    hook_on(
        &gitlab,
        "/projects/communities%2Fintake",
        "http://127.0.0.1:9/",
        &json!({"confidential_issues_events": false}),
    );
    let alice = gitlab.person("alice").unwrap();
    let iid = alice
        .open_confidential_issue("communities/intake", "secret", "")
        .unwrap();
    assert_eq!(gitlab.take_deliveries().len(), 0);
    alice.comment("communities/intake", iid, "psst").unwrap();
    let sent = gitlab.take_deliveries();
    assert_eq!(header(&sent[0], "X-Gitlab-Event"), Some("Confidential Note Hook"));
    assert_eq!(body(&sent[0])["event_type"], "confidential_note");
}

#[test]
fn a_group_hook_does_not_hear_of_renames_archives_and_project_members() {
    let gitlab = still();
    hook_on(&gitlab, "/groups/communities", "http://127.0.0.1:9/", &json!({}));
    gitlab.add_system_hook("http://127.0.0.1:9/system", None).unwrap();
    let admin = gitlab.admin();
    admin.rename_project("communities/intake", "desk").unwrap();
    admin.archive_project("communities/desk").unwrap();
    admin.unarchive_project("communities/desk").unwrap();
    gitlab.add_member("communities/desk", "bob", Role::Reporter).unwrap();
    admin.delete_project("communities/desk").unwrap();
    let sent = gitlab.take_deliveries();
    let names: Vec<String> = sent
        .iter()
        .map(|d| body(d)["event_name"].as_str().unwrap().to_owned())
        .collect();
    assert!(sent.iter().all(|d| header(d, "X-Gitlab-Event") == Some("System Hook")));
    assert_eq!(
        names,
        [
            "project_rename",
            "project_update",
            "project_update",
            "project_update",
            "user_add_to_team",
            "project_rename"
        ]
    );
}

#[test]
fn a_free_instance_has_no_group_hooks() {
    let gitlab = Sandbox::start(Config::free()).unwrap();
    gitlab.add_group("g").unwrap();
    let refused = gitlab.admin().api("GET", "/groups/g/hooks", Value::Null).unwrap_err();
    assert_eq!(
        (refused.status, refused.body),
        (404, json!({"message": "404 Not found"}))
    );
}

#[tokio::test]
async fn four_failures_in_a_row_pause_a_hook_and_time_mends_it() {
    let receiver = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(500))
        .mount(&receiver)
        .await;
    let gitlab = still();
    let id = hook_on(&gitlab, "/projects/communities%2Fintake", &receiver.uri(), &json!({}));
    let alice = gitlab.person("alice").unwrap();
    let status = || {
        gitlab
            .look(&format!("/projects/communities%2Fintake/hooks/{id}"))
            .unwrap()["alert_status"]
            .clone()
    };
    for n in 0..4 {
        assert_eq!(status(), "executable", "{n}");
        alice.open_issue("communities/intake", "x", "", &[]).unwrap();
        assert_eq!(gitlab.deliver_hooks().await[0].status, Some(500));
    }
    assert_eq!(status(), "temporarily_disabled");
    alice.open_issue("communities/intake", "x", "", &[]).unwrap();
    assert_eq!(gitlab.deliver_hooks().await, []);
    assert_eq!(gitlab.dropped_hooks().len(), 1);
    gitlab.advance(SignedDuration::from_secs(61));
    assert_eq!(status(), "executable");
}

#[tokio::test]
async fn a_resend_keeps_the_key_and_nothing_is_retried() {
    let receiver = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(1)
        .mount(&receiver)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&receiver)
        .await;
    let gitlab = still();
    let id = hook_on(&gitlab, "/projects/communities%2Fintake", &receiver.uri(), &json!({}));
    gitlab
        .person("alice")
        .unwrap()
        .open_issue("communities/intake", "x", "", &[])
        .unwrap();
    gitlab.deliver_hooks().await;
    gitlab.deliver_hooks().await;
    assert_eq!(receiver.received_requests().await.unwrap().len(), 1);
    let events = format!("/projects/communities%2Fintake/hooks/{id}/events");
    let past = gitlab.look(&format!("{events}?status=server_failure")).unwrap();
    let token = gitlab.add_token("root");
    let client = reqwest::Client::builder().build().unwrap();
    let url = format!("{}/api/v4{events}/{}/resend", gitlab.url(), past[0]["id"]);
    let answer = client.post(url).header("PRIVATE-TOKEN", &token).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"response_status": 200}));
    let got = receiver.received_requests().await.unwrap();
    assert_eq!(got[0].headers["idempotency-key"], got[1].headers["idempotency-key"]);
    assert_ne!(
        got[0].headers["x-gitlab-event-uuid"],
        got[1].headers["x-gitlab-event-uuid"]
    );
    let url = format!(
        "{}/api/v4/projects/communities%2Fintake/hooks/{id}/test/issues_events",
        gitlab.url()
    );
    let answer = client.post(url).header("PRIVATE-TOKEN", &token).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let got = receiver.received_requests().await.unwrap();
    let test: Value = serde_json::from_slice(&got[2].body).unwrap();
    assert_eq!(test["object_attributes"].get("action"), None);
}

#[test]
fn a_chain_of_events_does_not_fire_the_same_hook_twice() {
    let gitlab = Sandbox::start(Config::still(Timestamp::UNIX_EPOCH)).unwrap();
    gitlab.add_project("g/p").unwrap();
    hook_on(&gitlab, "/projects/g%2Fp", "http://127.0.0.1:9/", &json!({}));
    let token = gitlab.add_token("root");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let open = |chain: &str| {
        let client = reqwest::Client::builder().build().unwrap();
        let request = client.post(format!("{}/api/v4/projects/g%2Fp/issues", gitlab.url()));
        let request = request
            .header("PRIVATE-TOKEN", &token)
            .header("X-Gitlab-Event-UUID", chain);
        runtime.block_on(async {
            request
                .json(&json!({"title": "x"}))
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        })
    };
    assert_eq!((open("a"), open("a"), open("b")), (201, 201, 201));
    let chains: Vec<_> = gitlab
        .take_deliveries()
        .iter()
        .map(|d| header(d, "X-Gitlab-Event-UUID").unwrap().to_owned())
        .collect();
    assert_eq!(chains, ["a", "b"]);
}

#[test]
fn weather_loses_doubles_and_swaps() {
    let keys = |weather: HookWeather| {
        let gitlab = still();
        gitlab.set_hook_weather(weather);
        hook_on(
            &gitlab,
            "/projects/communities%2Fintake",
            "http://127.0.0.1:9/",
            &json!({}),
        );
        for n in 0..6 {
            gitlab
                .person("alice")
                .unwrap()
                .open_issue("communities/intake", &n.to_string(), "", &[])
                .unwrap();
        }
        let titles = gitlab.take_deliveries();
        titles
            .iter()
            .map(|d| body(d)["object_attributes"]["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(HookWeather::default()), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(keys(HookWeather::lost()), Vec::<String>::new());
    assert_eq!(keys(HookWeather::doubled()).len(), 12);
    let swapped = keys(HookWeather {
        swap: 0.5,
        ..HookWeather::default()
    });
    assert_ne!(swapped, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(swapped.iter().collect::<BTreeSet<_>>().len(), 6);
}

// ------------------------------------------------------------------ fields as in real payloads

/// Every path of an object's fields, such as `object_attributes.labels[].title`.
fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                into.insert(path.clone());
                paths(value, &path, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{at}[]"), into)),
        _ => {}
    }
}

/// Plays the events of which there are samples; gives the sample's file name and what was sent.
fn played() -> Vec<(&'static str, Value)> {
    let gitlab = still();
    hook_on(&gitlab, "/groups/communities", "http://127.0.0.1:9/", &json!({}));
    let mut all = Vec::new();
    let mut take = |names: &[&'static str]| {
        let sent = gitlab.take_deliveries();
        assert_eq!(
            sent.len(),
            names.len(),
            "{names:?} {:?}",
            sent.iter().map(|d| &d.body).collect::<Vec<_>>()
        );
        all.extend(names.iter().copied().zip(sent.iter().map(body)));
    };
    let alice = gitlab.person("alice").unwrap();
    let p = "communities/intake";
    for (name, color) in [("cop::proposed", "#6699cc"), ("cop::approved", "#009966")] {
        gitlab.admin().create_label("communities", name, color).unwrap();
    }
    let iid = alice.open_issue(p, "New", "text", &["cop::proposed"]).unwrap();
    take(&["made_issue_open.json"]);
    alice.describe_issue(p, iid, "other").unwrap();
    take(&["made_issue_update_description.json"]);
    alice.set_labels(p, iid, &["cop::approved"]).unwrap();
    take(&["made_issue_update_labels.json"]);
    alice.close_issue(p, iid).unwrap();
    alice.reopen_issue(p, iid).unwrap();
    take(&["made_issue_close.json", "made_issue_reopen.json"]);
    let note = alice.comment(p, iid, "hello").unwrap().unwrap();
    alice.edit_comment(p, iid, note, "hello again").unwrap();
    take(&["made_note_issue_create.json", "made_note_issue_update.json"]);
    alice.create_branch(p, "cop/rust", "main").unwrap();
    take(&["made_push_branch_created_no_commits.json"]);
    alice.push_file(p, "cop/rust", "new.md", "x\n").unwrap();
    take(&["made_push_default_branch.json"]);
    let request = alice.open_merge_request(p, "cop/rust", "Add", "text").unwrap();
    alice
        .edit_merge_request(p, request, json!({"title": "Draft: Add"}))
        .unwrap();
    let reviewers = json!({"title": "Add", "reviewer_ids": [gitlab.admin().id()]});
    alice.edit_merge_request(p, request, reviewers).unwrap();
    take(&[
        "made_merge_request_open.json",
        "made_merge_request_update_title.json",
        "made_merge_request_update_reviewers.json",
    ]);
    alice.push_file(p, "cop/rust", "new.md", "y\n").unwrap();
    take(&["made_push_default_branch.json", "made_merge_request_update_push.json"]);
    gitlab.admin().approve(p, request).unwrap();
    take(&["made_merge_request_approved.json"]);
    gitlab
        .admin()
        .edit_merge_request(p, request, json!({"remove_source_branch": false}))
        .unwrap();
    alice.close_merge_request(p, request).unwrap();
    alice.reopen_merge_request(p, request).unwrap();
    take(&[
        "made_merge_request_update_title.json",
        "made_merge_request_close.json",
        "made_merge_request_close.json",
    ]);
    gitlab.admin().merge(p, request).unwrap();
    take(&["made_push_default_branch.json", "made_merge_request_merge.json"]);
    gitlab.admin().delete_branch(p, "cop/rust").unwrap();
    take(&["made_push_branch_deleted.json"]);
    gitlab.admin().add_member("communities", "root", Role::Owner).unwrap();
    gitlab.add_user("bob");
    gitlab
        .admin()
        .add_member("communities", "bob", Role::Developer)
        .unwrap();
    gitlab
        .admin()
        .change_member("communities", "bob", Role::Maintainer)
        .unwrap();
    gitlab.admin().remove_member("communities", "bob").unwrap();
    take(&[
        "member_add.json",
        "member_add.json",
        "made_member_update.json",
        "made_member_remove.json",
    ]);
    gitlab.admin().create_project("communities/rust").unwrap();
    take(&["made_project_create_group_hook.json"]);
    gitlab.add_group("communities/platform").unwrap();
    take(&["subgroup_create.json"]);
    all
}

#[test]
fn payloads_have_the_fields_of_the_samples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/gitlab/webhooks");
    let played = played();
    assert!(played.len() >= 20);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no samples of real payloads beside this repository");
        return;
    }
    let mut compared = 0;
    for (name, sent) in played {
        let sample: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        let (mut wanted, mut got) = (BTreeSet::new(), BTreeSet::new());
        paths(&sample, "", &mut wanted);
        paths(&sent, "", &mut got);
        // What changed differs from event to event, and the samples' lists may be longer.
        let beside = |path: &&String| !path.starts_with("changes.") && !path.contains("[]");
        let missing: Vec<_> = wanted.difference(&got).filter(beside).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{name}");
        compared += wanted.len();
    }
    assert!(compared > 1000, "{compared}");
}
