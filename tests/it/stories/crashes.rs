//! The program dies at each write and starts again: the end is the same, and nothing is there twice.

use gitlab_sandbox::{Config, Effect, Fault};

use super::town::{FORM, HANDBOOK, Town};

/// Writes of the whole story; the test checks that there are not more, so that no step point is left out.
const WRITES: usize = 40;

/// From the given write on, every call fails until the service starts again: for GitLab that is what a crash looks like.
async fn dies_at(write: usize, effect: &Effect) -> bool {
    let mut town = Town::with(Config::default(), &[]).await;
    town.gitlab
        .add_fault(Fault::new(effect.clone()).writes().skip(write).once());
    town.gitlab
        .add_fault(Fault::new(Effect::Disconnect).writes().skip(write).times(1000));
    let iid = town.opens("proposer", FORM);
    town.look_until_something_fails().await;
    let died = town.gitlab.writes().len() > write;
    town.gitlab.clear_faults();
    town.restart().await;
    town.resync().await;
    town.has_exactly_one_of_everything("rust-at-work");
    town.added_line("convenor/rust-at-work");
    town.gitlab
        .person("maintainer")
        .unwrap()
        .merge(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::active"]);
    town.comment(iid);
    died
}

#[tokio::test]
async fn a_crash_after_any_write_leaves_nothing_undone_and_nothing_twice() {
    let mut points = 0;
    for write in 0..WRITES {
        if !dies_at(write, &Effect::LoseAnswer).await {
            break;
        }
        points += 1;
    }
    assert!((12..WRITES).contains(&points), "{points} step points");
}

/// Nothing of the write arrived, nor of those that were under way beside it.
#[tokio::test]
async fn a_crash_before_any_write_leaves_nothing_undone_and_nothing_twice() {
    let mut points = 0;
    for write in 0..WRITES {
        if !dies_at(write, &Effect::Disconnect).await {
            break;
        }
        points += 1;
    }
    assert!((12..WRITES).contains(&points), "{points} step points");
}

#[tokio::test]
async fn a_lost_database_makes_nothing_twice() {
    for write in [2, 4, 5, 9] {
        let mut town = Town::with(Config::default(), &[]).await;
        town.gitlab
            .add_fault(Fault::new(Effect::LoseAnswer).writes().skip(write).once());
        town.gitlab
            .add_fault(Fault::new(Effect::Disconnect).writes().skip(write).times(1000));
        town.opens("proposer", FORM);
        town.look_until_something_fails().await;
        town.gitlab.clear_faults();
        town.loses_its_database().await;
        town.resync().await;
        town.has_exactly_one_of_everything("rust-at-work");
    }
}
