//! What survives.

use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Delivery, Intent, Lease, StepState, Store, StoreError, WorkState};
use convenor_core::approval::Acceptance;
use convenor_core::approval::ApprovedBy;
use convenor_core::ids::{NoteId, ProjectId};
use convenor_core::plan::Rest;
use convenor_core::thing::{ProgramName, Thing};
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;

use super::database::{Database, and_in_memory, on_both_databases};
use super::house::{Hands, proposal};

on_both_databases! {
    many_knocks_are_one_row,
    a_knock_during_a_look_brings_another_look,
    what_has_been_due_longest_comes_first,
    a_lease_that_ended_goes_to_another_and_the_first_ones_answers_are_refused,
    a_knock_does_not_hurry_what_backs_off,
    what_was_given_up_waits_for_a_knock_and_what_is_held_for_an_operator,
    a_dropped_thing_is_forgotten_until_the_next_knock,
    what_a_community_was_like_is_known_until_a_look_finds_something_to_do_or_fails,
    the_journal_remembers_what_was_begun,
    the_journal_knows_the_comment_that_was_written_last,
    an_intent_is_refused_to_whom_the_lease_was_taken_from,
    an_intent_is_renewed_as_long_as_it_waits_and_the_lease_is_held,
    what_was_done_is_known_by_its_kind,
    a_release_is_in_the_journal,
    the_text_that_was_accepted_last_counts,
    the_first_project_of_a_proposal_is_remembered,
    old_deliveries_are_forgotten,
    the_oldest_deliveries_go_when_there_is_too_little_room,
    the_journal_is_kept_as_long_as_it_should_be,
    after_closing_nothing_is_accepted,
}

and_in_memory! {
    many_knocks_are_one_row,
    a_knock_during_a_look_brings_another_look,
    what_has_been_due_longest_comes_first,
    a_lease_that_ended_goes_to_another_and_the_first_ones_answers_are_refused,
    a_knock_does_not_hurry_what_backs_off,
    what_was_given_up_waits_for_a_knock_and_what_is_held_for_an_operator,
    a_dropped_thing_is_forgotten_until_the_next_knock,
    what_a_community_was_like_is_known_until_a_look_finds_something_to_do_or_fails,
    the_journal_remembers_what_was_begun,
    the_journal_knows_the_comment_that_was_written_last,
    an_intent_is_refused_to_whom_the_lease_was_taken_from,
    an_intent_is_renewed_as_long_as_it_waits_and_the_lease_is_held,
    what_was_done_is_known_by_its_kind,
    a_release_is_in_the_journal,
    the_text_that_was_accepted_last_counts,
    the_first_project_of_a_proposal_is_remembered,
    after_closing_nothing_is_accepted,
}

pub(super) const LEASE: Duration = Duration::from_secs(30);

pub(super) fn delivery(key: &str, at: Timestamp, things: &[Thing]) -> Delivery {
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

pub(super) fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

fn intent<'a>(thing: &'a Thing, step: &'a str, lease: Option<&'a Lease>) -> Intent<'a> {
    Intent {
        thing,
        cause: "delivery a",
        kind: "create",
        step,
        lease,
    }
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

async fn what_a_community_was_like_is_known_until_a_look_finds_something_to_do_or_fails(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let program = ProgramName::new("cop").unwrap();
    let community = |program: &str| -> Thing { format!("community {program}/7").parse().unwrap() };
    let things = [community("cop"), community("cops"), proposal(7)];
    store.knock(&things, "test", later(hands.now(), 9)).await.unwrap();
    let known = store.known_communities(&program).await.unwrap();
    assert_eq!(
        (known.len(), known[0].project),
        (1, ProjectId(7)),
        "only this program's"
    );
    assert_eq!((&known[0].rest, known[0].looked_at), (&None, None));

    let claim = async || {
        store.knock(&things[..1], "test", hands.now()).await.unwrap();
        store.claim(hands.now(), LEASE).await.unwrap().unwrap()
    };
    let rest = async || store.known_communities(&program).await.unwrap().remove(0).rest;
    let at_rest = async || {
        let claim = claim().await;
        let next = later(hands.now(), 600);
        assert!(
            store
                .finish_as(&claim, hands.now(), next, Some(&Rest::Over))
                .await
                .unwrap()
        );
        assert_eq!(rest().await, Some(Rest::Over));
    };
    at_rest().await;
    let known = store.known_communities(&program).await.unwrap();
    assert_eq!(known[0].looked_at, Some(hands.now()));
    store.knock(&things[..1], "test", hands.now()).await.unwrap();
    assert_eq!(rest().await, Some(Rest::Over), "a knock says nothing");

    let look = claim().await;
    assert!(store.finish(&look, hands.now(), hands.now()).await.unwrap());
    assert_eq!(rest().await, None);
    at_rest().await;
    let look = claim().await;
    assert!(store.retry(&look, hands.now(), "502", hands.now()).await.unwrap());
    assert_eq!(rest().await, None);
    at_rest().await;
    let look = claim().await;
    assert!(store.hold(&look, hands.now(), "why").await.unwrap());
    assert_eq!(rest().await, None);
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
            .journal_begin(&intent(&proposal(1), step, None), hands.now())
            .await
            .unwrap()
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

async fn the_journal_knows_the_comment_that_was_written_last(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let did = async |of: u64, kind, state, result: &str| {
        let thing = proposal(of);
        let step = Intent {
            kind,
            ..intent(&thing, "write", None)
        };
        let id = store.journal_begin(&step, hands.now()).await.unwrap().unwrap();
        store.journal_end(&id, state, Some(result), hands.now()).await.unwrap();
    };
    let known = async || store.written_comment(&proposal(1)).await.unwrap();
    assert_eq!(known().await, None);
    did(2, "create_note", StepState::Done, "7").await;
    did(1, "create_issue", StepState::Done, "8").await;
    did(1, "create_note", StepState::Unknown, "9").await;
    assert_eq!(
        known().await,
        None,
        "another's, another kind, and one that nobody knows"
    );
    did(1, "create_note", StepState::Done, "10").await;
    did(1, "set_issue_state", StepState::Done, "12").await;
    assert_eq!(known().await, Some(NoteId(10)));
}

async fn an_intent_is_refused_to_whom_the_lease_was_taken_from(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let thing = proposal(1);
    store
        .knock(std::slice::from_ref(&thing), "test", hands.now())
        .await
        .unwrap();
    let first = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    let begin = async |claim: &convenor::store::Claim| {
        let intent = intent(&thing, "make the board", Some(&claim.lease));
        store.journal_begin(&intent, hands.now()).await.unwrap()
    };
    assert!(begin(&first).await.is_some());
    let second = store.claim(later(hands.now(), 31), LEASE).await.unwrap().unwrap();
    assert_eq!(begin(&first).await, None);
    assert!(begin(&second).await.is_some());
    assert!(store.finish(&second, hands.now(), hands.now()).await.unwrap());
    assert_eq!(begin(&second).await, None, "a look that has ended writes nothing more");
    assert_eq!(store.journal_open(&thing).await.unwrap().len(), 2);
}

async fn an_intent_is_renewed_as_long_as_it_waits_and_the_lease_is_held(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    let thing = proposal(1);
    let knocked = std::slice::from_ref(&thing);
    store.knock(knocked, "test", hands.now()).await.unwrap();
    let first = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
    let mut ids = Vec::new();
    for step in ["make the board", "make a label"] {
        let intent = intent(&thing, step, Some(&first.lease));
        ids.push(store.journal_begin(&intent, hands.now()).await.unwrap().unwrap());
    }
    let renew = async |ids: &[convenor::store::JournalId], seconds| {
        let at = later(hands.now(), seconds);
        store.journal_renew(&thing, ids, Some(&first.lease), at).await.unwrap()
    };
    let times = async || {
        let entries = store.journal_open(&thing).await.unwrap();
        entries.iter().map(|entry| entry.at).collect::<Vec<_>>()
    };
    assert!(renew(&ids, 10).await);
    assert_eq!(times().await, [later(hands.now(), 10); 2]);
    assert!(
        store
            .journal_renew(&thing, &ids, None, later(hands.now(), 20))
            .await
            .unwrap()
    );
    store.claim(later(hands.now(), 31), LEASE).await.unwrap().unwrap();
    assert!(!renew(&ids, 32).await, "the lease is gone");
    assert_eq!(times().await, [later(hands.now(), 20); 2]);
    let done = StepState::Done;
    store.journal_end(&ids[0], done, None, hands.now()).await.unwrap();
    let of_nobody = store.journal_renew(&thing, &ids[..1], None, hands.now()).await;
    assert!(!of_nobody.unwrap(), "what has ended is not begun again");
}

async fn what_was_done_is_known_by_its_kind(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for (of, kind, words, state, result) in [
        (1, "create_board", "make the board", StepState::Done, Some("7")),
        (1, "create_label", "make a label", StepState::Failed, Some("refused")),
        (
            1,
            "create_board",
            "make a board that nobody wants",
            StepState::Done,
            Some(convenor::store::NOT_DUE),
        ),
        (1, "create_note", "comment", StepState::Done, Some("8")),
        (2, "create_board", "make another board", StepState::Done, None),
    ] {
        let thing = proposal(of);
        let step = Intent {
            kind,
            ..intent(&thing, words, None)
        };
        let id = store.journal_begin(&step, hands.now()).await.unwrap().unwrap();
        store.journal_end(&id, state, result, hands.now()).await.unwrap();
    }
    let done = store
        .done_steps(&proposal(1), &["create_board", "create_label"])
        .await
        .unwrap();
    assert_eq!(
        done.into_iter().collect::<Vec<_>>(),
        [("make the board".to_owned(), hands.now())]
    );
    let first = async |of, kind| store.first_begun(&proposal(of), kind).await.unwrap();
    assert_eq!(
        first(1, "create_board").await,
        Some(("make the board".to_owned(), hands.now()))
    );
    assert_eq!(first(1, "create_label").await, None, "it was refused");
    assert_eq!(first(2, "create_note").await, None);
}

async fn a_release_is_in_the_journal(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    assert!(!store.release(&proposal(1), hands.now()).await.unwrap());
    store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
    assert!(store.release(&proposal(1), hands.now()).await.unwrap());
    let since = later(hands.now(), -60);
    let entries = store.journal_since(&proposal(1), since).await.unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, [convenor_core::plan::brakes::RELEASE]);
    assert_eq!(
        store.journal_since(&proposal(1), later(hands.now(), 60)).await.unwrap(),
        []
    );
    assert_eq!(store.journal_open(&proposal(1)).await.unwrap(), []);
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
    assert_eq!(store.delivery_bytes().await.unwrap(), 30 * 612);
    let forgotten = store.forget_beyond(10 * 612 + 50).await.unwrap();
    assert_eq!((forgotten.rows, forgotten.more), (20, false));
    let left = store.list_deliveries(100).await.unwrap();
    assert_eq!((left.len(), left.last().unwrap().key.as_str()), (10, "d20"));
    assert_eq!(store.forget_beyond(10 * 612 + 50).await.unwrap().rows, 0);
}

async fn the_journal_is_kept_as_long_as_it_should_be(database: Database) {
    let (store, hands) = (database.open().await, Hands::new());
    for seconds in [-100, 0] {
        let at = later(hands.now(), seconds);
        store
            .journal_begin(&intent(&proposal(1), "commit", None), at)
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
