//! Facilitators edit `.gitlab/community.yml`; the row follows, by merge request.

use gitlab_sandbox::MergeRequestView;

use super::town::{FORM, GROUP, PAGE, Town};

const PROJECT: &str = "acme/cops/rust-at-work";

/// A town with a community that is listed.
async fn listed() -> Town {
    let town = Town::new().await;
    town.opens("proposer", FORM);
    town.settle().await;
    town.merges();
    town.settle().await;
    town
}

/// The lines of the open merge request's diff: one taken away, one added.
fn changed_line(town: &Town) -> (String, String) {
    let shown = town.shown_diff(town.merge_request().iid);
    let [before, after] = &shown[..] else {
        panic!("one line changes: {shown:?}")
    };
    (before.clone(), after.clone())
}

fn open(town: &Town) -> Vec<MergeRequestView> {
    let all = town.merge_requests().into_iter();
    all.filter(|merge_request| merge_request.state == "opened").collect()
}

fn issues_about_the_charter(town: &Town) -> Vec<gitlab_sandbox::IssueView> {
    let issues = town.gitlab.issues(PROJECT).unwrap().into_iter();
    issues.filter(|issue| issue.title.contains("charter")).collect()
}

#[tokio::test]
async fn other_facilitators_change_one_line() {
    let town = listed().await;
    let charter = town.charter("rust-at-work");
    town.charter_becomes(
        "rust-at-work",
        &charter.replace("[darwinjs, brianwald]", "[brianwald, alice]"),
    );
    town.settle().await;
    let (before, after) = changed_line(&town);
    assert!(
        before.contains("darwinjs") && !after.contains("darwinjs") && after.contains("@alice"),
        "{after}"
    );
    // The facts change back before anybody merged: nothing is left to merge.
    town.charter_becomes("rust-at-work", &charter);
    town.settle().await;
    assert_eq!(open(&town), []);
}

#[tokio::test]
async fn the_same_facilitators_in_another_order_change_nothing() {
    let town = listed().await;
    let charter = town.charter("rust-at-work");
    town.charter_becomes(
        "rust-at-work",
        &charter.replace("[darwinjs, brianwald]", "[BrianWald, darwinjs]"),
    );
    town.settle().await;
    assert_eq!(open(&town), []);
}

#[tokio::test]
async fn an_inactive_community_is_marked_and_a_revived_one_is_not() {
    let town = listed().await;
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("status: active", "status: inactive"));
    town.settle().await;
    let (_, after) = changed_line(&town);
    assert!(after.contains("(inactive)"), "{after}");
    town.merges();
    town.settle().await;
    assert_eq!(open(&town), []);
    town.charter_becomes("rust-at-work", &charter);
    town.settle().await;
    let (before, after) = changed_line(&town);
    assert!(
        before.contains("(inactive)") && !after.contains("(inactive)"),
        "{after}"
    );
}

#[tokio::test]
async fn a_retired_community_loses_its_row_by_a_merge_request_of_its_own() {
    let town = listed().await;
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("status: active", "status: retired"));
    town.settle().await;
    town.resync().await;
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(
        shown.len() == 1 && shown[0].starts_with("-| [Rust at Work]("),
        "{shown:?}"
    );
    town.merges();
    town.settle().await;
    assert_eq!(town.page("main"), PAGE);
    assert_eq!(open(&town), []);
}

#[tokio::test]
async fn a_broken_charter_changes_nothing_and_opens_one_issue_until_it_is_mended() {
    let town = listed().await;
    let page = town.page("main");
    let charter = town.charter("rust-at-work");
    let broken = charter.replace("status: active", "status: [active");
    town.charter_becomes("rust-at-work", &broken);
    town.settle().await;
    town.resync().await;
    let found = issues_about_the_charter(&town);
    assert_eq!(found.len(), 1, "{found:?}");
    let text = found[0].description.clone().unwrap();
    assert!(text.contains("line ") && found[0].state == "opened", "{text}");
    assert_eq!((town.page("main"), open(&town)), (page, vec![]));
    town.charter_becomes("rust-at-work", &charter);
    town.settle().await;
    assert_eq!(issues_about_the_charter(&town)[0].state, "closed");
    // Broken again: a new issue, because the old one is done with.
    town.charter_becomes("rust-at-work", &broken);
    town.settle().await;
    let states: Vec<String> = issues_about_the_charter(&town)
        .into_iter()
        .map(|issue| issue.state)
        .collect();
    assert_eq!(states, ["closed", "opened"]);
}

#[tokio::test]
async fn a_charter_that_is_gone_takes_no_row_with_it() {
    let town = listed().await;
    let page = town.page("main");
    let facilitator = town.gitlab.person("darwinjs").unwrap();
    let delete = gitlab_sandbox::Change::Delete(convenor_core::charter::PATH.to_owned());
    facilitator
        .push(&format!("{GROUP}/rust-at-work"), "main", &[delete], "Tidy up")
        .unwrap();
    town.settle().await;
    town.resync().await;
    assert_eq!(
        (town.page("main"), open(&town)),
        (page, vec![]),
        "absence is no evidence"
    );
}
