//! Brakes: what may have happened is not done again, what nobody knows waits for an operator, and without a token that counts
//! nothing is written.

use std::time::Duration;

use convenor::store::{Work, WorkState};
use convenor_core::thing::{ProgramName, Thing};
use gitlab_sandbox::{Effect, Fault};

use super::town::{FORM, Town};

fn lost_comments(times: usize) -> Fault {
    let fault = Fault::new(Effect::Status(502)).method("POST").path("/notes$").unwrap();
    fault.times(times)
}

fn comments_sent(town: &Town) -> usize {
    let writes = town.gitlab.writes();
    let is_comment = |path: &str| path.ends_with("/notes");
    writes
        .iter()
        .filter(|call| call.method == "POST" && is_comment(&call.path))
        .count()
}

async fn proposal(town: &Town) -> Work {
    let work = town.store.list_work().await.unwrap();
    work.into_iter().find(|row| row.thing == "proposal cop#1").unwrap()
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_not_sent_again_before_it_would_show() {
    let town = Town::new().await;
    town.gitlab.add_fault(lost_comments(1));
    let iid = town.opens("proposer", FORM);
    town.look_until_something_fails().await;
    assert_eq!(comments_sent(&town), 1);
    let why = proposal(&town).await.last_error.unwrap();
    assert!(why.contains("nobody knows yet whether this happened"), "{why}");
    town.settle().await;
    town.comment(iid);
    assert_eq!(comments_sent(&town), 2);
}

#[tokio::test]
async fn what_was_lost_three_times_is_held_until_an_operator_releases_it() {
    let town = Town::new().await;
    town.gitlab.add_fault(lost_comments(3));
    let iid = town.opens("proposer", FORM);
    for _ in 0..5 {
        town.look_until_something_fails().await;
        town.forward(Duration::from_secs(130));
    }
    let row = proposal(&town).await;
    assert_eq!((row.state, comments_sent(&town)), (WorkState::Held, 3), "{row:?}");
    assert!(
        row.reason.as_deref().is_some_and(|why| why.contains("3 times")),
        "{row:?}"
    );
    let thing: Thing = row.thing.parse().unwrap();
    assert!(town.store.release(&thing, town.now()).await.unwrap());
    town.settle().await;
    town.comment(iid);
    assert_eq!(comments_sent(&town), 4);
}

#[tokio::test]
async fn without_a_token_that_counts_nothing_is_written_and_deliveries_are_taken_in() {
    let town = Town::new().await;
    town.gitlab
        .add_fault(Fault::new(Effect::RevokedToken).user("convenor-bot"));
    let iid = town.opens("proposer", FORM);
    // Longer than it takes to give something up.
    for _ in 0..20 {
        town.look_until_something_fails().await;
        town.forward(Duration::from_secs(130));
    }
    let row = proposal(&town).await;
    assert_eq!(row.state, WorkState::Ready, "{row:?}");
    assert!(!town.store.list_deliveries(10).await.unwrap().is_empty());
    assert!(town.gitlab.writes().is_empty());
    town.gitlab.clear_faults();
    town.settle().await;
    town.comment(iid);
}

/// The count of the day is in the journal. Without it, the merge requests that are open tell.
#[tokio::test]
async fn not_more_removals_than_allowed_although_the_database_is_lost_in_between() {
    let mut town = Town::with_manners("batch = true\n").await;
    let names = ["Zig", "Python", "Ruby", "Haskell", "Erlang"];
    for name in names {
        town.opens("proposer", &FORM.replace("Rust at Work", name));
    }
    town.settle().await;
    town.merges();
    town.settle().await;
    for name in names {
        let slug = name.to_lowercase();
        let charter = town.charter(&slug).replace("status: active", "status: retired");
        town.charter_becomes(&slug, &charter);
    }
    town.some_minutes().await;
    let removals = |town: &Town| -> Vec<String> {
        let open = town.open().into_iter();
        open.map(|merge_request| merge_request.title).collect()
    };
    let before = removals(&town);
    assert_eq!(before.len(), 3, "{before:?}");
    assert!(
        before.iter().all(|title| title.starts_with("docs: remove ")),
        "{before:?}"
    );
    town.loses_its_database().await;
    let program = Thing::Program(ProgramName::new("cop").unwrap());
    town.store.knock(&[program], "resync", town.now()).await.unwrap();
    town.some_minutes().await;
    assert_eq!(removals(&town), before);
}
