//! Deliveries that are authentic and poisonous: each is answered with 2xx, because GitLab pauses a hook after four other answers,
//! and none of them does anything.

use base64::Engine as _;
use serde_json::json;

use super::town::{FORM, GROUP, INTAKE, SECRET, Town};

/// 64 KiB of zeros, packed by gzip: nobody unpacks it.
pub(super) const GZIP: &str = "H4sIAAAAAAAC/+3BAQEAAACAkP6v7ggKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAauuOl9cAAAEA";

fn poison() -> Vec<(&'static str, Vec<u8>)> {
    let issue = |attributes: serde_json::Value| {
        json!({ "object_kind": "issue", "project": { "path_with_namespace": INTAKE }, "object_attributes": attributes })
            .to_string()
            .into_bytes()
    };
    let gzip = base64::engine::general_purpose::STANDARD.decode(GZIP).unwrap();
    vec![
        ("nothing", Vec::new()),
        ("no JSON", b"\xff\xfe\x00{".to_vec()),
        ("deep arrays", [b"[".repeat(400_000), b"]".repeat(400_000)].concat()),
        ("deep objects", b"{\"a\":".repeat(200_000)),
        ("deep in a field", [br#"{"object_kind":"issue","x":"#.to_vec(), b"[".repeat(300_000)].concat()),
        ("a huge number", [b"{\"object_attributes\":{\"iid\":".to_vec(), b"9".repeat(100_000), b"}}".to_vec()].concat()),
        ("a wrong kind", issue(json!({ "iid": "one" }))),
        ("a number that is none", issue(json!({ "iid": u64::MAX }))),
        ("half a surrogate", br#"{"object_kind":"\ud800","project":{"path_with_namespace":"\udfff"}}"#.to_vec()),
        ("gzip", gzip),
        ("a million keys", format!("{{{}\"z\":1}}", "\"k\":1,".repeat(1_000_000)).into_bytes()),
        ("longer than GitLab sends", vec![b' '; (25 << 20) + 1]),
        (
            "a path that climbs",
            json!({ "object_kind": "push", "project": { "path_with_namespace": format!("{GROUP}/../../etc"), "id": -1 } })
                .to_string()
                .into_bytes(),
        ),
    ]
}

#[tokio::test]
async fn poisonous_deliveries_do_not_get_the_hook_disabled_and_do_nothing() {
    let town = Town::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (what, body) in poison() {
        for encoding in ["identity", "gzip"] {
            let request = http.post(format!("{}/webhooks/gitlab", town.door)).body(body.clone());
            let request = request
                .header("x-gitlab-token", SECRET)
                .header("content-encoding", encoding);
            let request = request.header("idempotency-key", format!("{what} {encoding}"));
            let answer = request.header("x-gitlab-event", "Issue Hook").send().await.unwrap();
            assert_eq!(answer.status(), 200, "{what}");
        }
    }
    town.settle().await;
    assert!(town.gitlab.writes().is_empty(), "{:?}", town.gitlab.writes());
    // And the next good one is as good as ever.
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}
