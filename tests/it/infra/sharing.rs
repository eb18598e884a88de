//! Several stores on one database, and databases that others have written.

use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Accepted, StepState, Store, StoreError, WorkState};
use convenor_core::thing::Thing;

use super::database::{Database, SOON, and_in_memory, on_both_databases};
use super::house::{Hands, program, proposal};
use super::store::{LEASE, delivery};

on_both_databases! {
    a_key_from_another_version_is_held_and_stops_nobody,
    two_stores_share_the_work,
    a_database_of_each_earlier_version_is_brought_up_to_date_with_its_rows,
    another_stores_knock_wakes_a_waiting_worker,
}

and_in_memory! {
    two_stores_share_the_work,
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

async fn a_database_of_each_earlier_version_is_brought_up_to_date_with_its_rows(database: Database) {
    // One row of each table of the first version, every column filled.
    const ROWS: &str = "
        insert into delivery values ('key', 1, 'Issue Hook', 'https://gitlab.example.com', 'issue', 'why', 'proposal cop#1', 2, '{}');
        insert into work values ('proposal cop#1', 5, 4, 3, 2, 'failed', 'delivery key', null, 'gave up', '502', 1);
        insert into journal values ('id', 'proposal cop#1', 'delivery key', 'create', 'make', 'done', 'project 7', 1, 2);
        insert into acceptance values ('proposal cop#1', 'hash', 'title', 'text', '{}', 1);
        insert into made_project values ('proposal cop#1', 7, 1);
        insert into probe values (1, 1);";
    let first = include_str!("../../../migrations/0001_intake_and_work.sql");
    database.migrate(1, "intake and work", first).await;
    database.execute(ROWS).await;

    let store = database.open().await;
    let (delivery, body) = store.delivery("key").await.unwrap().unwrap();
    assert_eq!(
        (delivery.things, body),
        (vec!["proposal cop#1".to_owned()], b"{}".to_vec())
    );
    let work = store.list_work().await.unwrap();
    assert_eq!(
        (work[0].knocks, work[0].attempts, work[0].state),
        (3, 2, WorkState::Failed)
    );
    let journal = store.journal_of(&proposal(1), 10).await.unwrap();
    assert_eq!((journal[0].step.as_str(), journal[0].state), ("make", StepState::Done));
    assert!(
        store
            .take_turn("resync", Hands::new().now(), Duration::ZERO)
            .await
            .unwrap()
    );
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
