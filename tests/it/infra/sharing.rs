//! Several stores on one database, and databases that others have written.

use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Accepted, Order, Store, StoreError, WorkState};
use convenor_core::thing::Thing;

use super::database::{Database, SOON, and_in_memory, on_both_databases};
use super::house::{Hands, program, proposal};
use super::store::{LEASE, delivery, later};

on_both_databases! {
    a_key_from_another_version_is_held_and_stops_nobody,
    two_stores_share_the_work,
    who_came_first_stands_first_in_line,
    whoever_comes_next_does_not_stand_behind_a_crowd,
    another_stores_knock_wakes_a_waiting_worker,
}

and_in_memory! {
    two_stores_share_the_work,
    who_came_first_stands_first_in_line,
    whoever_comes_next_does_not_stand_behind_a_crowd,
    another_stores_knock_wakes_a_waiting_worker,
}

async fn a_key_from_another_version_is_held_and_stops_nobody(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    database
        .execute("insert into work (thing, due_at, knocks, attempts, state, cause) values ('galaxy far', 0, 1, 0, 'ready', 'x')")
        .await;
    store.knock(&[program("cop")], "test", hands.now()).await.unwrap();
    assert_eq!(
        store.claim(hands.now(), LEASE).await.unwrap().unwrap().thing,
        program("cop")
    );
    let held = store.list_work().await.unwrap();
    assert_eq!((held[0].thing.as_str(), held[0].state), ("galaxy far", WorkState::Held));
}

async fn two_stores_share_the_work(database: Database) {
    let (one, other, hands) = (database.open().await, database.open().await, Hands::new());
    let things: Vec<Thing> = (0..40).map(proposal).collect();
    one.knock(&things, "test", hands.now()).await.unwrap();
    let take_all = async |store: &Store| {
        let mut taken = Vec::new();
        while let Some(claim) = store.claim(hands.now(), LEASE).await.unwrap() {
            taken.push(claim.thing.to_string());
        }
        taken
    };
    let (mine, theirs, more) = tokio::join!(take_all(&one), take_all(&other), take_all(&one));
    let mut taken = [mine, theirs, more].concat();
    taken.sort();
    let mut expected: Vec<String> = things.iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(taken, expected, "each thing is taken once");
}

async fn whoever_comes_next_does_not_stand_behind_a_crowd(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let newest = async || {
        let claim = store.claim_first(Order::NewestFirst, hands.now(), LEASE).await.unwrap();
        claim.map(|claim| (claim.thing.clone(), claim))
    };
    let crowd: Vec<Thing> = (0..20).map(proposal).collect();
    store.knock(&crowd, "schedule", hands.now()).await.unwrap();
    assert!(newest().await.is_none(), "nobody has waited long");

    hands.forward(Duration::from_secs(60));
    store.knock(&[proposal(99)], "delivery", hands.now()).await.unwrap();
    let (thing, claim) = newest().await.unwrap();
    assert_eq!(thing, proposal(99));
    let longest = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    assert!(crowd.contains(&longest.thing), "and who waits is not forgotten");

    // The webhook about our own comment is no newcomer, and neither is a look that failed.
    assert!(
        store
            .finish(&claim, hands.now(), later(hands.now(), 3600))
            .await
            .unwrap()
    );
    assert!(store.retry(&longest, hands.now(), "502", hands.now()).await.unwrap());
    hands.forward(Duration::from_secs(1));
    store.knock(&[proposal(99)], "delivery", hands.now()).await.unwrap();
    let others = newest().await.unwrap();
    assert!(others.0 != proposal(99) && others.0 != longest.thing, "{others:?}");
    // A person's answer some time later is.
    let claim = loop {
        let claim = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
        if claim.thing == proposal(99) {
            break claim;
        }
    };
    store.knock(&[proposal(98)], "delivery", hands.now()).await.unwrap();
    assert!(
        store
            .finish(&claim, hands.now(), later(hands.now(), 3600))
            .await
            .unwrap()
    );
    hands.forward(Duration::from_secs(20));
    store.knock(&[proposal(99)], "delivery", hands.now()).await.unwrap();
    assert_eq!(newest().await.unwrap().0, proposal(99));
}

async fn another_stores_knock_wakes_a_waiting_worker(database: Database) {
    let (one, other, hands) = (database.open().await, database.open().await, Hands::new());
    if matches!(database, Database::Sqlite(_)) {
        // A file has no announcements; the poll finds the work.
        one.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
        assert!(other.claim(hands.now(), LEASE).await.unwrap().is_some());
        return;
    }
    // Listening begins beside the opening.
    tokio::time::sleep(SOON).await;
    let woken = tokio::spawn({
        let other = other.clone();
        async move { other.knocked().await }
    });
    one.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    tokio::time::timeout(SOON * 4, woken).await.unwrap().unwrap();
}

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once_and_nothing_else_is_lost() {
    let database = Database::sqlite();
    let (store, hands) = (database.open().await, Hands::new());
    // Another process holds the write lock, but not for longer than we wait.
    let holding = tokio::spawn({
        let url = database.url();
        async move {
            let DatabaseUrl::Sqlite(path) = url else {
                unreachable!("it is a file")
            };
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let pool = sqlx::sqlite::SqlitePoolOptions::new()
                .connect_with(options)
                .await
                .unwrap();
            let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
            tokio::time::sleep(SOON).await;
            lock.rollback().await.unwrap();
        }
    });
    tokio::time::sleep(SOON / 5).await;
    let deliveries =
        (0..2000).map(|number| store.accept_delivery(delivery(&format!("key-{number}"), hands.now(), &[])));
    let answers = futures_util::future::join_all(deliveries).await;
    holding.await.unwrap();
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Overloaded)))
        .count();
    let stored = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Accepted::New)))
        .count();
    assert!(refused > 0, "none of 2000 was refused");
    assert_eq!(refused + stored, 2000);
    assert_eq!(store.list_deliveries(3000).await.unwrap().len(), stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgresql_cuts_all_connections_the_store_makes_new_ones() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let (store, other, hands) = (database.open().await, database.open().await, Hands::new());
    tokio::time::sleep(SOON).await;
    for round in 0..3 {
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        database.execute(cut).await;
        let key = format!("key-{round}");
        let mut accepted = store
            .accept_delivery(delivery(&key, hands.now(), &[proposal(round)]))
            .await;
        if accepted.is_err() {
            // What could not be stored was said to be so; the next attempt finds a new connection.
            accepted = store
                .accept_delivery(delivery(&key, hands.now(), &[proposal(round)]))
                .await;
        }
        assert_eq!(accepted.unwrap(), Accepted::New);
        store.check().await.unwrap();
        assert!(store.claim(hands.now(), LEASE).await.unwrap().is_some());
    }
    let woken = async {
        other.knocked().await;
        // A permit may be left from before the cut; the next one is the announcement.
        other.knocked().await;
    };
    let knocking = async {
        loop {
            store.knock(&[proposal(9)], "test", hands.now()).await.unwrap();
            tokio::time::sleep(SOON).await;
        }
    };
    tokio::select! {
        () = woken => {}
        () = knocking => {}
        () = tokio::time::sleep(SOON * 40) => panic!("announcements are not heard any more"),
    }
}

async fn who_came_first_stands_first_in_line(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let (first, second, now) = (proposal(2), proposal(1), hands.now());
    assert!(store.stand_in_line(&first, "", now).await.unwrap());
    assert!(store.stand_in_line(&second, "", now).await.unwrap());
    assert!(
        !store.stand_in_line(&first, "", later(now, 5)).await.unwrap(),
        "it stands there"
    );
    let ahead = async |thing: &Thing, page| store.ahead_in_line(thing, page, later(now, 10)).await.unwrap();
    assert_eq!((ahead(&first, "").await, ahead(&second, "").await), (0, 1));
    assert_eq!(ahead(&proposal(3), "").await, 2, "whoever comes now comes last");
    assert_eq!(ahead(&second, "another page").await, 0);
    assert!(
        !store.leave_line(&first, &[""], later(now, 10)).await.unwrap(),
        "it goes on waiting there"
    );
    assert!(store.leave_line(&first, &[], later(now, 10)).await.unwrap());
    assert_eq!(ahead(&second, "").await, 0);
    let much_later = later(now, 25 * 3600);
    assert_eq!(
        store.line(second.program(), much_later).await.unwrap(),
        [],
        "who is gone holds nobody up"
    );
}
