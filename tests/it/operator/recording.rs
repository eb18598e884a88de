//! What an operator can see afterwards: journal, deliveries, queue.

use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Delivery, Store};
use convenor_core::thing::Thing;
use gitlab_sandbox::Config;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::office::{GROUP, HANDBOOK, Office};

const TABLE: &str = "## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n";
const CHARTER: &str = "name: Rust\nstatus: active\nfacilitators: [vera]\n";

fn office() -> Office {
    let office = Office::with_page(Config::default(), TABLE);
    office.gitlab.add_user("vera");
    office
}

fn in_store<T>(office: &Office, act: impl AsyncFnOnce(&Store) -> T) -> T {
    let url = DatabaseUrl::Sqlite(office.folder.path().join("convenor.db"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let value = act(&store).await;
        store.close().await;
        value
    })
}

fn ago(office: &Office, hours: i64) -> Timestamp {
    office
        .gitlab
        .now()
        .checked_sub(SignedDuration::from_hours(hours))
        .unwrap()
}

fn column(rows: &Value, key: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[key].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn what_to_release_has_to_be_said_and_all_is_one_way() {
    let office = office();
    let unsaid = office.run(&["queue", "release"]);
    assert!(unsaid.code == Some(2) && unsaid.err.contains("--all"), "{unsaid:?}");
    let both = office.run(&["queue", "retry", "handbook cop", "--all"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn looking_at_records_makes_no_database() {
    let office = office();
    for command in [
        &["journal"][..],
        &["deliveries"],
        &["queue"],
        &["deliveries", "show", "x"],
        &["queue", "drop", "x"],
    ] {
        let refused = office.run(command);
        assert_eq!(refused.code, Some(1), "{command:?}: {refused:?}");
        assert!(refused.err.contains("there is no database convenor.db"), "{refused:?}");
    }
    assert!(!office.folder.path().join("convenor.db").exists());
}

#[test]
fn the_journal_tells_what_was_written_why_and_what_came_of_it() {
    let office = office();
    let rust = office.community("rust", &[(convenor_core::charter::PATH, CHARTER)]);
    office.community("ux", &[]);
    office.run(&["adopt", "--write", "--yes"]).well();
    let all = office.run(&["journal", "--json"]).well().json();
    assert_eq!(
        column(&all, "kind"),
        ["create_merge_request", "commit", "create_merge_request", "commit"]
    );
    assert!(
        column(&all, "cause").iter().all(|cause| cause == "convenor adopt"),
        "{all:#}"
    );
    assert!(column(&all, "state").iter().all(|state| state == "done"), "{all:#}");
    assert_eq!(
        all[0]["result"],
        office
            .gitlab
            .merge_requests("acme/cops/ux")
            .map_or(Value::Null, |_| all[0]["result"].clone())
    );
    for community in ["rust", &format!("{GROUP}/rust"), &rust.to_string()] {
        let of = office
            .run(&["journal", "--community", community, "--json"])
            .well()
            .json();
        assert!(
            of.as_array().unwrap().len() == 2
                && column(&of, "thing")
                    .iter()
                    .all(|thing| thing.ends_with(&format!("/{rust}"))),
            "{of:#}"
        );
    }
    let commits = office
        .run(&["journal", "--kind", "commit", "--limit", "1", "--json"])
        .well()
        .json();
    assert_eq!(column(&commits, "kind"), ["commit"]);
    assert_eq!(
        office.run(&["journal", "--state", "failed"]).well().out,
        "nothing was written\n"
    );
    assert_eq!(
        office.run(&["journal", "--since", "2999-01-01"]).well().out,
        "nothing was written\n"
    );
    let words = office.run(&["journal"]).well().out;
    assert!(
        words.contains("open a merge request from convenor/charter into main \u{2192} !1"),
        "{words}"
    );
    assert!(words.contains("because of convenor adopt"), "{words}");
    let unknown = office.run(&["journal", "--community", "nowhere"]);
    assert!(
        unknown.code == Some(1) && unknown.err.contains("nowhere"),
        "{unknown:?}"
    );
    assert_eq!(office.gitlab.merge_requests(HANDBOOK).unwrap().len(), 1);
}

fn delivery(key: &str, event: &str, thing: Option<&str>, at: Timestamp) -> Delivery {
    Delivery {
        key: key.to_owned(),
        received_at: at,
        event: Some(event.to_owned()),
        instance: None,
        subject: None,
        reason: thing.is_none().then_some("nothing to look at"),
        things: thing.iter().map(|thing| thing.parse().unwrap()).collect(),
        body_bytes: 2,
        body: b"{}".to_vec(),
    }
}

#[test]
fn deliveries_are_found_by_age_event_thing_and_clarity_and_looked_at_again() {
    let office = office();
    in_store(&office, async |store| {
        for delivery in [
            delivery("old", "Issue Hook", Some("proposal cop#1"), ago(&office, 50)),
            delivery("new", "Issue Hook", Some("proposal cop#2"), ago(&office, 1)),
            delivery("push", "Push Hook", Some("community cop/7"), ago(&office, 1)),
            delivery("odd", "Wiki Page Hook", None, ago(&office, 1)),
        ] {
            store.accept_delivery(delivery).await.unwrap();
        }
        for row in store.list_work().await.unwrap() {
            store.drop_work(&row.thing).await.unwrap();
        }
    });
    let keys = |arguments: &[&str]| {
        let all = [&["deliveries", "list", "--json"], arguments].concat();
        let mut keys = column(&office.run(&all).well().json(), "key");
        keys.sort();
        keys
    };
    assert_eq!(keys(&[]), ["new", "odd", "old", "push"]);
    assert_eq!(keys(&["--since", "2h"]), ["new", "odd", "push"]);
    assert_eq!(keys(&["--event", "issue"]), ["new", "old"]);
    assert_eq!(keys(&["--thing", "community cop/7"]), ["push"]);
    assert_eq!(keys(&["--unclear"]), ["odd"]);
    let shown = office.run(&["deliveries", "show", "push", "--json"]).well().json();
    assert_eq!(
        (&shown["delivery"]["key"], &shown["body"]),
        (&"push".into(), &"{}".into())
    );
    in_store(&office, async |store| {
        let mut delivery = delivery("bare", "Wiki Page Hook", None, ago(&office, 50));
        delivery.body.clear();
        store.accept_delivery(delivery).await.unwrap();
    });
    let bare = office.run(&["deliveries", "show", "bare", "--json"]).well().json();
    assert_eq!(bare["body"], Value::Null);
    let bare = office.run(&["deliveries", "show", "bare"]).well().out;
    assert!(
        bare.contains("body  2 bytes, not kept (database.keep_bodies)"),
        "{bare}"
    );
    let things = office
        .run(&["deliveries", "replay", "--since", "2h", "--json"])
        .well()
        .json();
    assert_eq!(things, serde_json::json!(["proposal cop#2", "community cop/7"]));
    let queued = office.run(&["queue", "list", "--json"]).well().json();
    assert_eq!(queued.as_array().unwrap().len(), 2, "{queued:#}");
    assert_eq!(office.run(&["deliveries", "replay", "odd"]).code, Some(1));
    assert_eq!(
        office.run(&["deliveries", "list", "--since", "yesterday"]).code,
        Some(2)
    );
}

#[test]
fn the_queue_is_filtered_and_only_what_is_held_is_released() {
    let office = office();
    in_store(&office, async |store| {
        let now = ago(&office, 1);
        let things = ["proposal cop#1", "community cop/7", "proposal guilds#2"];
        let things: Vec<Thing> = things.iter().map(|thing| thing.parse().unwrap()).collect();
        for (thing, state) in things.iter().zip(["held", "failed", "held"]) {
            store.knock(std::slice::from_ref(thing), "test", now).await.unwrap();
            let claim = store.claim(now, Duration::from_secs(1)).await.unwrap().unwrap();
            match state {
                "held" => store.hold(&claim, now, "why").await.unwrap(),
                _ => store.give_up(&claim, now, "why").await.unwrap(),
            };
        }
    });
    let things = |arguments: &[&str]| {
        let all = [&["queue", "list", "--json"], arguments].concat();
        let mut things = column(&office.run(&all).well().json(), "thing");
        things.sort();
        things
    };
    assert_eq!(things(&["--state", "held"]), ["proposal cop#1", "proposal guilds#2"]);
    assert_eq!(things(&["--program", "cop"]), ["community cop/7", "proposal cop#1"]);
    assert_eq!(things(&["--kind", "community"]), ["community cop/7"]);
    let refused = office.run(&["queue", "release", "community cop/7"]);
    assert!(
        refused.code == Some(1) && refused.err.contains("is failed"),
        "{refused:?}"
    );
    let released = office
        .run(&["queue", "release", "--all", "--program", "cop", "--json"])
        .well()
        .json();
    assert_eq!(released, serde_json::json!(["proposal cop#1"]));
    assert_eq!(things(&["--state", "held"]), ["proposal guilds#2"]);
    let retried = office.run(&["queue", "retry", "--all"]).well().out;
    assert_eq!(retried.lines().count(), 2, "{retried}");
    assert_eq!(things(&["--state", "ready"]).len(), 3);
    assert_eq!(
        office.run(&["queue", "release", "--all"]).well().out,
        "nothing is held\n"
    );
    assert_eq!(office.run(&["queue", "retry", "community cop/99"]).code, Some(1));
}
