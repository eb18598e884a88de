//! Calls whose outcome is in doubt: the effect happened and the answer was lost, or nothing happened at all.

use convenor_core::escape::Marker;
use gitlab_sandbox::{Config, Effect, Fault};

use super::town::{FORM, HANDBOOK, Town};

/// Runs the main job up to the merge with these faults; everything has to be there exactly once.
async fn survives(faults: Vec<Fault>) {
    let town = Town::with(
        Config {
            seed: 7,
            ..Config::default()
        },
        &[],
    )
    .await;
    for fault in faults {
        town.gitlab.add_fault(fault);
    }
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.gitlab.clear_faults();
    town.has_exactly_one_of_everything("rust-at-work");
    town.added_line("convenor/rust-at-work");
    assert!(Marker::find(&town.comment(iid), "status").is_some());
    town.gitlab
        .person("maintainer")
        .unwrap()
        .merge(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    assert_eq!(town.issue(iid).state, "closed");
}

#[tokio::test]
async fn every_answer_to_a_write_is_lost_once_after_its_effect() {
    for effect in [Effect::LoseAnswer, Effect::CutAnswer, Effect::LoseAnswerWith(502)] {
        let writes = [
            "/projects$",
            "/notes",
            "/commits$",
            "/labels$",
            "/boards$",
            "/lists$",
            "/members",
            "/issues$",
            "/merge_requests$",
        ];
        let fault = |path: &&str| Fault::new(effect.clone()).method("POST").path(path).unwrap().once();
        survives(writes.iter().map(fault).collect()).await;
    }
}

#[tokio::test]
async fn every_second_write_fails_before_its_effect() {
    let fault = Fault::new(Effect::Status(502)).writes().chance(0.4).times(6);
    survives(vec![fault]).await;
}

#[tokio::test]
async fn connections_break_off_everywhere() {
    survives(vec![
        Fault::new(Effect::Disconnect).chance(0.1).times(15),
        Fault::new(Effect::LoseAnswer).writes().chance(0.3).times(8),
    ])
    .await;
}

#[tokio::test]
async fn gitlab_asks_for_patience() {
    survives(vec![Fault::new(Effect::RetryLater(1)).chance(0.1).times(5)]).await;
}

#[tokio::test]
async fn a_page_of_html_is_no_answer() {
    survives(vec![Fault::new(Effect::Html).chance(0.1).times(10)]).await;
}
