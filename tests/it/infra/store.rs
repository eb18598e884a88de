//! What survives.

use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Accepted, Delivery, StepState, Store, StoreError, WorkState};
use convenor_core::approval::Acceptance;
use convenor_core::approval::ApprovedBy;
use convenor_core::ids::ProjectId;
use convenor_core::thing::Thing;
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;

use super::database::{Database, SOON, on_both_databases};
use super::house::{Hands, program, proposal};

on_both_databases! {
    what_was_accepted_is_there_after_reopening,
    a_key_is_stored_once,
    among_many_at_once_each_is_told_whether_it_is_new,
    many_knocks_are_one_row,
    a_knock_during_a_look_brings_another_look,
    what_has_been_due_longest_comes_first,
    a_lease_that_ended_goes_to_another_and_the_first_ones_answers_are_refused,
    a_knock_does_not_hurry_what_backs_off,
    what_was_given_up_waits_for_a_knock_and_what_is_held_for_an_operator,
    a_dropped_thing_is_forgotten_until_the_next_knock,
    the_journal_remembers_what_was_begun,
    the_text_that_was_accepted_last_counts,
    the_first_project_of_a_proposal_is_remembered,
    old_deliveries_are_forgotten,
    the_oldest_deliveries_go_when_there_is_too_little_room,
    the_journal_is_kept_as_long_as_it_should_be,
    after_closing_nothing_is_accepted,
    a_key_from_another_version_is_held_and_stops_nobody,
    two_stores_share_the_work,
    a_database_of_each_earlier_version_is_brought_up_to_date_with_its_rows,
    another_stores_knock_wakes_a_waiting_worker,
}

const LEASE: Duration = Duration::from_secs(30);

fn delivery(key: &str, at: Timestamp, things: &[Thing]) -> Delivery {
    Delivery {
        key: key.to_owned(),
        received_at: at,
        event: Some("Issue Hook".to_owned()),
        instance: None,
        subject: None,
        reason: None,
        things: things.to_vec(),
        body_bytes: 2,
        body: b"{}".to_vec(),
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

async fn what_was_accepted_is_there_after_reopening(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let accepted = store
        .accept_delivery(delivery("a", hands.now(), &[proposal(1)]))
        .await
        .unwrap();
    assert_eq!(accepted, Accepted::New);
    // Not closed: the handle is gone as with a killed process.
    std::mem::forget(store);
    let store = database.open().await;
    assert_eq!(store.list_deliveries(10).await.unwrap().len(), 1);
    assert_eq!(
        store.claim(hands.now(), LEASE).await.unwrap().unwrap().thing,
        proposal(1)
    );
}

async fn a_key_is_stored_once(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let at_once = (0..20).map(|_| store.accept_delivery(delivery("same", hands.now(), &[proposal(1)])));
    let accepted = futures_util::future::join_all(at_once).await;
    let new = accepted
        .into_iter()
        .filter(|accepted| *accepted.as_ref().unwrap() == Accepted::New)
        .count();
    assert_eq!((new, store.list_deliveries(10).await.unwrap().len()), (1, 1));
}

async fn among_many_at_once_each_is_told_whether_it_is_new(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let accept_all = async |numbers: std::ops::Range<u64>, step: usize| {
        let deliveries = numbers.step_by(step).map(|number| {
            let delivery = delivery(&format!("key-{number}"), hands.now(), &[proposal(number)]);
            let store = &store;
            async move { store.accept_delivery(delivery).await.unwrap() }
        });
        futures_util::future::join_all(deliveries).await
    };
    accept_all(0..200, 3).await;
    let accepted = accept_all(0..200, 1).await;
    for (number, accepted) in accepted.into_iter().enumerate() {
        let expected = if number % 3 == 0 {
            Accepted::Repeat
        } else {
            Accepted::New
        };
        assert_eq!(accepted, expected, "key-{number}");
    }
    assert_eq!(store.list_work().await.unwrap().len(), 200);
}

async fn many_knocks_are_one_row(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for number in 0..10 {
        let key = format!("key-{number}");
        store
            .accept_delivery(delivery(&key, hands.now(), &[proposal(1)]))
            .await
            .unwrap();
    }
    let work = store.list_work().await.unwrap();
    assert_eq!((work.len(), work[0].knocks), (1, 10));
    let claim = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    assert_eq!(
        (claim.thing.clone(), claim.knocks, claim.cause.as_str()),
        (proposal(1), 10, "delivery key-9")
    );
    assert!(store.claim(hands.now(), LEASE).await.unwrap().is_none());
    assert!(store.finish(&claim, hands.now(), later(hands.now(), 60)).await.unwrap());
    assert!(store.claim(later(hands.now(), 59), LEASE).await.unwrap().is_none());
    assert!(store.claim(later(hands.now(), 60), LEASE).await.unwrap().is_some());
}

async fn a_knock_during_a_look_brings_another_look(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    let claim = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    store.knock(&[proposal(1)], "again", hands.now()).await.unwrap();
    assert!(
        store.claim(hands.now(), LEASE).await.unwrap().is_none(),
        "one thing is looked at by one"
    );
    store
        .finish(&claim, hands.now(), later(hands.now(), 600))
        .await
        .unwrap();
    assert_eq!(store.claim(hands.now(), LEASE).await.unwrap().unwrap().cause, "again");
}

async fn what_has_been_due_longest_comes_first(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for (iid, seconds) in [(1, -10), (2, -30), (3, -20), (4, 10)] {
        store
            .knock(&[proposal(iid)], "test", later(hands.now(), seconds))
            .await
            .unwrap();
    }
    let mut order = Vec::new();
    while let Some(claim) = store.claim(hands.now(), LEASE).await.unwrap() {
        order.push(claim.thing);
    }
    assert_eq!(order, [proposal(2), proposal(3), proposal(1)]);
    assert_eq!(store.next_due().await.unwrap(), Some(later(hands.now(), 10)));
}

async fn a_lease_that_ended_goes_to_another_and_the_first_ones_answers_are_refused(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    let first = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    assert!(store.claim(later(hands.now(), 29), LEASE).await.unwrap().is_none());
    assert!(store.renew(&first, later(hands.now(), 20), LEASE).await.unwrap());
    assert!(store.claim(later(hands.now(), 49), LEASE).await.unwrap().is_none());
    let now = later(hands.now(), 50);
    let second = store.claim(now, LEASE).await.unwrap().unwrap();
    assert!(!store.renew(&first, now, LEASE).await.unwrap());
    assert!(!store.finish(&first, now, now).await.unwrap());
    assert!(!store.retry(&first, now, "late", now).await.unwrap());
    assert!(!store.hold(&first, now, "late").await.unwrap());
    assert!(store.finish(&second, now, later(now, 60)).await.unwrap());
}

async fn a_knock_does_not_hurry_what_backs_off(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    let claim = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    store
        .retry(&claim, hands.now(), "429", later(hands.now(), 60))
        .await
        .unwrap();
    store.knock(&[proposal(1)], "impatient", hands.now()).await.unwrap();
    assert!(store.claim(later(hands.now(), 59), LEASE).await.unwrap().is_none());
    let claim = store.claim(later(hands.now(), 60), LEASE).await.unwrap().unwrap();
    assert_eq!(claim.attempts, 1);
    let work = store.list_work().await.unwrap();
    assert_eq!(work[0].last_error.as_deref(), Some("429"));
}

async fn what_was_given_up_waits_for_a_knock_and_what_is_held_for_an_operator(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store
        .knock(&[proposal(1), proposal(2)], "test", hands.now())
        .await
        .unwrap();
    let first = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    let second = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    store.give_up(&first, hands.now(), "503").await.unwrap();
    store
        .hold(&second, hands.now(), "two projects of one name")
        .await
        .unwrap();
    let much_later = later(hands.now(), 1_000_000);
    assert!(store.claim(much_later, LEASE).await.unwrap().is_none());
    let states: Vec<_> = store
        .list_work()
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.state, row.thing))
        .collect();
    assert_eq!(
        states,
        [
            (WorkState::Held, second.thing.to_string()),
            (WorkState::Failed, first.thing.to_string())
        ]
    );

    store
        .knock(&[first.thing.clone(), second.thing.clone()], "news", much_later)
        .await
        .unwrap();
    assert_eq!(
        store.claim(much_later, LEASE).await.unwrap().unwrap().thing,
        first.thing
    );
    assert!(store.claim(much_later, LEASE).await.unwrap().is_none());
    assert!(store.release(&second.thing, much_later).await.unwrap());
    let released = store.claim(much_later, LEASE).await.unwrap().unwrap();
    assert_eq!((released.thing, released.attempts), (second.thing, 0));
    assert!(!store.release(&proposal(99), much_later).await.unwrap());
}

async fn a_dropped_thing_is_forgotten_until_the_next_knock(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    assert!(store.drop_work("proposal cop#1").await.unwrap());
    assert!(!store.drop_work("proposal cop#1").await.unwrap());
    assert!(store.claim(hands.now(), LEASE).await.unwrap().is_none());
}

async fn the_journal_remembers_what_was_begun(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let mut ids = Vec::new();
    for step in ["make the project", "make the board", "open the merge request"] {
        let id = store
            .journal_begin(&proposal(1), "delivery a", "create", step, hands.now())
            .await
            .unwrap();
        ids.push(id);
    }
    store
        .journal_end(&ids[0], StepState::Done, Some("project 7"), hands.now())
        .await
        .unwrap();
    store
        .journal_end(&ids[1], StepState::Unknown, Some("the connection broke"), hands.now())
        .await
        .unwrap();
    let steps = |entries: Vec<convenor::store::JournalEntry>| {
        entries
            .into_iter()
            .map(|entry| (entry.step, entry.state))
            .collect::<Vec<_>>()
    };
    let open = steps(store.journal_open(&proposal(1)).await.unwrap());
    let expected = [
        ("make the board", StepState::Unknown),
        ("open the merge request", StepState::Pending),
    ];
    assert_eq!(open, expected.map(|(step, state)| (step.to_owned(), state)));
    let newest = steps(store.journal_of(&proposal(1), 1).await.unwrap());
    assert_eq!(newest, [("open the merge request".to_owned(), StepState::Pending)]);
    assert_eq!(store.journal_open(&proposal(2)).await.unwrap(), []);
}

async fn the_text_that_was_accepted_last_counts(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let acceptance = |title: &str, by| Acceptance {
        text_hash: title.to_owned(),
        title: Untrusted::new(title),
        description: Untrusted::new("text"),
        by,
        at: hands.now(),
    };
    assert_eq!(store.acceptance(&proposal(1)).await.unwrap(), None);
    let alice = convenor_core::ids::Username::new("alice").unwrap();
    for accepted in [
        acceptance("first", ApprovedBy::Membership),
        acceptance("second", ApprovedBy::Approver(alice)),
    ] {
        store.record_acceptance(&proposal(1), &accepted).await.unwrap();
        assert_eq!(store.acceptance(&proposal(1)).await.unwrap(), Some(accepted));
    }
    assert_eq!(store.acceptance(&proposal(2)).await.unwrap(), None);
}

async fn the_first_project_of_a_proposal_is_remembered(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    assert_eq!(store.made_project(&proposal(1)).await.unwrap(), None);
    for id in [7, 8] {
        store
            .remember_project(&proposal(1), ProjectId(id), hands.now())
            .await
            .unwrap();
        assert_eq!(store.made_project(&proposal(1)).await.unwrap(), Some(ProjectId(7)));
    }
}

async fn old_deliveries_are_forgotten(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for (key, seconds) in [("old", -100), ("new", 0)] {
        store
            .accept_delivery(delivery(key, later(hands.now(), seconds), &[]))
            .await
            .unwrap();
    }
    assert_eq!(store.forget_deliveries(later(hands.now(), -50)).await.unwrap().rows, 1);
    assert_eq!(store.list_deliveries(10).await.unwrap()[0].key, "new");
}

async fn the_oldest_deliveries_go_when_there_is_too_little_room(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for number in 0..30 {
        let mut big = delivery(&format!("d{number:02}"), later(hands.now(), number), &[]);
        big.body = vec![b'x'; 100];
        store.accept_delivery(big).await.unwrap();
    }
    assert_eq!(store.delivery_bytes().await.unwrap(), 3000);
    let forgotten = store.forget_beyond(1050).await.unwrap();
    assert_eq!((forgotten.rows, forgotten.more), (20, false));
    let left = store.list_deliveries(100).await.unwrap();
    assert_eq!((left.len(), left.last().unwrap().key.as_str()), (10, "d20"));
    assert_eq!(store.forget_beyond(1050).await.unwrap().rows, 0);
}

async fn the_journal_is_kept_as_long_as_it_should_be(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for seconds in [-100, 0] {
        let at = later(hands.now(), seconds);
        store
            .journal_begin(&proposal(1), "test", "commit", "commit", at)
            .await
            .unwrap();
    }
    assert_eq!(store.forget_journal(later(hands.now(), -50)).await.unwrap().rows, 1);
    assert_eq!(store.journal_of(&proposal(1), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("convenor.db");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let error = Store::open(&DatabaseUrl::Sqlite(path)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

async fn after_closing_nothing_is_accepted(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    store.close().await;
    let refused = store
        .accept_delivery(delivery("a", hands.now(), &[]))
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Closed), "{refused}");
    assert!(matches!(store.check().await.unwrap_err(), StoreError::Closed));
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
