//! Deliveries and what they knock at, stored together or not at all.

use convenor::store::{Accepted, StoreError};
use convenor_core::thing::Thing;
use futures_util::FutureExt as _;

use super::database::{Database, and_in_memory, on_both_databases};
use super::house::{Hands, proposal, until};
use super::store::{LEASE, delivery};

on_both_databases! {
    what_was_accepted_is_there_after_reopening,
    a_key_is_stored_once,
    among_many_at_once_each_is_told_whether_it_is_new,
    a_delivery_knocks_once_at_each_of_its_things_and_a_repeat_at_no_others,
    a_delivery_that_is_about_nothing_wakes_no_worker,
    what_comes_again_is_known_by_its_key_as_long_as_it_is_stored,
}

and_in_memory! {
    what_was_accepted_is_there_after_reopening,
    a_key_is_stored_once,
    among_many_at_once_each_is_told_whether_it_is_new,
    a_delivery_knocks_once_at_each_of_its_things_and_a_repeat_at_no_others,
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
    let again = store.accept_delivery(delivery("a", hands.now(), &[proposal(1)])).await;
    assert_eq!(again.unwrap(), Accepted::Repeat);
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
    // In one batch, where the delivery that was stored last is repeated beside new ones; and in several.
    for numbers in [0..30, 300..500] {
        accept_all(numbers.clone(), 3).await;
        let accepted = accept_all(numbers.clone(), 1).await;
        for (number, accepted) in numbers.zip(accepted) {
            let expected = if number % 3 == 0 {
                Accepted::Repeat
            } else {
                Accepted::New
            };
            assert_eq!(accepted, expected, "key-{number}");
        }
    }
    assert_eq!(store.list_work().await.unwrap().len(), 230);
}

async fn a_delivery_knocks_once_at_each_of_its_things_and_a_repeat_at_no_others(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let knocks = async || {
        let work = store.list_work().await.unwrap();
        work.into_iter().map(|row| (row.thing, row.knocks)).collect::<Vec<_>>()
    };
    let [one, two, three] = [1, 2, 3].map(proposal);
    let of = |key: &str, things: &[Thing]| delivery(key, hands.now(), things);
    for (key, things) in [
        ("a", &[one.clone(), two.clone()][..]),
        ("b", &[two.clone(), three.clone()]),
        ("c", &[]),
    ] {
        assert_eq!(store.accept_delivery(of(key, things)).await.unwrap(), Accepted::New);
    }
    let expected = [(&one, 1), (&two, 2), (&three, 1)].map(|(thing, knocks)| (thing.to_string(), knocks));
    let mut found = knocks().await;
    found.sort();
    assert_eq!(found, expected);
    // More deliveries than things, and what is inserted last is no delivery.
    for key in ["d", "e", "f", "g"] {
        store
            .accept_delivery(of(key, std::slice::from_ref(&two)))
            .await
            .unwrap();
    }
    store.knock(&[proposal(4)], "test", hands.now()).await.unwrap();
    let repeated = store
        .accept_delivery(of("b", std::slice::from_ref(&three)))
        .await
        .unwrap();
    assert_eq!(repeated, Accepted::Repeat);
    // The repeat's own knock is written when the store closes, at the latest.
    store.close().await;
    let store = database.open().await;
    let mut found: Vec<_> = store
        .list_work()
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.thing, row.knocks))
        .collect();
    found.sort();
    let expected = [(&one, 1), (&two, 6), (&three, 2), (&proposal(4), 1)];
    assert_eq!(found, expected.map(|(thing, knocks)| (thing.to_string(), knocks)));
}

async fn what_comes_again_is_known_by_its_key_as_long_as_it_is_stored(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let knocks = async || {
        store
            .list_work()
            .await
            .unwrap()
            .iter()
            .map(|row| row.knocks)
            .sum::<i64>()
    };
    let keys = ["a", "b'\"\\", "c"];
    for key in keys {
        assert!(!store.is_repeat(key, hands.now()).await.unwrap(), "{key}: never seen");
        let things = if key == "c" {
            &[][..]
        } else {
            &[proposal(1), proposal(2)]
        };
        store.accept_delivery(delivery(key, hands.now(), things)).await.unwrap();
    }
    assert_eq!(knocks().await, 4);
    // In one batch, and each twice.
    let again = keys.iter().chain(&keys).map(|key| store.is_repeat(key, hands.now()));
    for is_repeat in futures_util::future::join_all(again).await {
        assert!(is_repeat.unwrap());
    }
    until("the knocks of the repeats", async || {
        (knocks().await == 12).then_some(())
    })
    .await;
    // Whoever forgets it in the database forgets it here.
    database.execute("delete from delivery where key = 'a'").await;
    assert!(!store.is_repeat("a", hands.now()).await.unwrap());
    assert!(store.is_repeat("c", hands.now()).await.unwrap());
    // Another process has to understand the body, with settings of its own.
    store.close().await;
    assert!(matches!(
        store.is_repeat("c", hands.now()).await,
        Err(StoreError::Closed)
    ));
    assert!(!database.open().await.is_repeat("c", hands.now()).await.unwrap());
}

async fn a_delivery_that_is_about_nothing_wakes_no_worker(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for (key, things) in [("a", &[][..]), ("b", &[proposal(1)])] {
        store.accept_delivery(delivery(key, hands.now(), things)).await.unwrap();
        // The worker is told before the answer is given.
        assert_eq!(store.knocked().now_or_never().is_some(), !things.is_empty(), "{key}");
    }
}

#[tokio::test]
async fn a_delivery_that_cannot_be_stored_leaves_nothing_and_keeps_no_other_out() {
    let (database, hands) = (Database::sqlite(), Hands::new());
    let store = database.open().await;
    let refused = format!(
        "create trigger refuse before insert on work when new.thing = '{}' begin select raise(fail, 'refused'); end",
        proposal(9)
    );
    database.execute(&refused).await;
    for number in [1, 9, 2] {
        let stored = store
            .accept_delivery(delivery(&format!("key-{number}"), hands.now(), &[proposal(number)]))
            .await;
        assert_eq!(stored.is_ok(), number != 9, "{number}: {stored:?}");
        // What comes again is taken in as what is new, until the database is known to take writes.
        let is_known = store.is_repeat("key-1", hands.now()).await.unwrap();
        assert_eq!(is_known, number != 9, "after {number}");
    }
    let mut keys: Vec<_> = store
        .list_deliveries(10)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.key)
        .collect();
    keys.sort();
    assert_eq!(
        (keys, store.list_work().await.unwrap().len()),
        (vec!["key-1".to_owned(), "key-2".to_owned()], 2)
    );
}
