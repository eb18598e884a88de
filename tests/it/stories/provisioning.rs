//! How many calls a community takes, and how many of them one after the other.

use std::time::Duration;

use convenor::store::{Memory, Store};
use gitlab_sandbox::{Config, Effect, Fault};

use super::town::{FORM, GROUP, Town};
use founding::{Founding, found};

#[path = "../../../benches/provisioning/founding.rs"]
mod founding;

const LATENCY: Duration = Duration::from_millis(100);

/// In virtual time, which stands still but for the calls.
fn founded(graphql: bool) -> Founding {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
    let founding = runtime.block_on(async { found(LATENCY, graphql, Store::in_memory(&Memory::default())).await });
    assert_eq!(founding.violations, Vec::<String>::new());
    founding
}

#[test]
fn a_community_takes_few_calls_and_fewer_one_after_the_other() {
    let founding = founded(true);
    let shown = format!("{:#?}", founding.calls);
    for call in founding.calls.iter().filter(|call| call.writes) {
        assert!(call.status < 300, "{} {}: {}", call.method, call.what, call.status);
    }
    let (reads, writes) = founding.until_done();
    assert!(reads <= 60 && writes == 14, "{reads} reads, {writes} writes: {shown}");
    let (reads, writes) = founding.since_project();
    // Project; labels and board; lists; commit; members of two roles; two issues; comment; branch, merge request, comment again.
    assert_eq!(writes, 12, "{shown}");
    assert!(reads <= 45, "{reads} reads: {shown}");
    assert!(
        founding.done - founding.project_began() < 17.5,
        "{}: {shown}",
        founding.done
    );
    assert!(founding.done < 22.5, "{}: {shown}", founding.done);
    // The project with everything in it, and the comment that says so.
    assert!(
        founding.filled() - founding.project_began() < 5.5,
        "{}: {shown}",
        founding.filled()
    );
}

#[test]
fn without_graphql_the_same_comes_to_be() {
    let founding = founded(false);
    let shown = format!("{:#?}", founding.calls);
    let (_, writes) = founding.since_project();
    // One document is tried; four labels, a board and four lists have calls of their own then.
    assert_eq!(writes, 20, "{shown}");
    assert!(founding.done < 27.5, "{}: {shown}", founding.done);
}

/// A label of the group has the name of a list: no project may have another of that name, and the list shows the group's.
#[tokio::test]
async fn a_document_that_was_done_in_part_is_finished_one_by_one() {
    let town = Town::new().await;
    town.gitlab
        .admin()
        .create_label(GROUP, "topic::decision", "#112233")
        .unwrap();
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let boards = town.gitlab.boards(&format!("{GROUP}/rust-at-work")).unwrap();
    let names: Vec<_> = boards[0].lists.iter().map(|list| list.label.name.as_str()).collect();
    assert!(names.contains(&"topic::decision"), "{names:?}");
}

#[tokio::test]
async fn a_document_whose_answer_is_lost_makes_nothing_twice() {
    for skip in 0..2 {
        let town = Town::with(Config::default(), &[]).await;
        let lost = Fault::new(Effect::LoseAnswer).method("POST").path("/graphql$").unwrap();
        town.gitlab.add_fault(lost.skip(skip).once());
        town.opens("proposer", FORM);
        town.settle().await;
        town.resync().await;
        town.has_exactly_one_of_everything("rust-at-work");
    }
}

#[tokio::test]
async fn lists_stand_in_the_order_of_the_template_with_and_without_graphql() {
    for graphql in [true, false] {
        let town = Town::new().await;
        if !graphql {
            let gone = Fault::new(Effect::Status(404))
                .method("POST")
                .path("/graphql$")
                .unwrap();
            town.gitlab.add_fault(gone);
        }
        town.opens("proposer", FORM);
        town.settle().await;
        let board = &town.gitlab.boards(&format!("{GROUP}/rust-at-work")).unwrap()[0];
        let names: Vec<_> = board.lists.iter().map(|list| list.label.name.clone()).collect();
        let template = std::fs::read_to_string("templates/board.toml").unwrap();
        let places: Vec<_> = names
            .iter()
            .map(|name| template.find(&format!("\"{name}\"")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{names:?}");
    }
}
