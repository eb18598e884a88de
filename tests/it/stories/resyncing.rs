//! Every webhook is lost: the resync finds what changed, and looks at nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use convenor::store::Work;
use gitlab_sandbox::{Effect, Fault, HookWeather};
use jiff::SignedDuration;
use serde_json::json;

use super::town::{FORM, GROUP, HANDBOOK, Town};

const LISTED: &str = "acme/cops/rust-at-work";
const CHARTER: &str = ".gitlab/community.yml";

/// A town with one community that is listed and two that need no row; all are at rest, and from now on no webhook comes.
async fn at_rest() -> Town {
    let town = Town::new().await;
    for name in ["elm", "zig"] {
        founded(&town, name);
    }
    town.opens("proposer", FORM);
    town.settle().await;
    town.merges();
    town.settle().await;
    town.gitlab.set_hook_weather(HookWeather::lost());
    // A merge is news to the handbook for an hour.
    for _ in 0..2 {
        passes(&town, Duration::from_secs(3700));
        town.resync().await;
    }
    assert_eq!(
        looked_at_in_a_resync(&town).await,
        Vec::<String>::new(),
        "all is at rest"
    );
    town
}

/// Somebody makes a community by hand that needs no row.
fn founded(town: &Town, name: &str) {
    let charter = format!("name: {name}\nsummary: Share.\nstatus: proposed\nfacilitators: [alice]\n");
    let project = format!("{GROUP}/{name}");
    town.gitlab
        .add_project_with(&project, "public", &[(CHARTER, &charter)])
        .unwrap();
}

/// Time passes, here and at GitLab.
fn passes(town: &Town, time: Duration) {
    town.forward(time);
    town.gitlab.advance(SignedDuration::try_from(time).unwrap());
}

/// Paths of the communities that a resync looks at.
async fn looked_at_in_a_resync(town: &Town) -> Vec<String> {
    passes(town, Duration::from_secs(600));
    let before = looks(town).await;
    town.gitlab.forget_calls();
    town.resync().await;
    let after = looks(town).await;
    let paths: BTreeMap<String, String> = town
        .gitlab
        .projects(GROUP)
        .unwrap()
        .into_iter()
        .map(|project| (format!("community cop/{}", project.id), project.path))
        .collect();
    let looked = after.iter().filter(|(thing, at)| before.get(*thing) != Some(at));
    looked.filter_map(|(thing, _)| paths.get(thing).cloned()).collect()
}

async fn looks(town: &Town) -> BTreeMap<String, Option<jiff::Timestamp>> {
    let work: Vec<Work> = town.store.list_work().await.unwrap();
    work.into_iter().map(|work| (work.thing, work.last_look_at)).collect()
}

/// After this, a resync looks at these communities and no others, and then all is at rest again once what was proposed is merged.
async fn check(act: impl FnOnce(&Town), expected: &[&str]) -> Town {
    let town = at_rest().await;
    act(&town);
    assert_eq!(looked_at_in_a_resync(&town).await, expected);
    town
}

#[tokio::test]
async fn when_nothing_changed_a_few_calls_tell_and_nothing_is_looked_at() {
    let town = at_rest().await;
    let calls = town.gitlab.calls();
    let glances = calls.iter().filter(|call| call.path == "/api/graphql").count();
    assert_eq!(glances, 1);
    let of_communities = calls.iter().filter(|call| call.path.contains("community.yml"));
    assert_eq!(of_communities.count(), 0);
    assert!(calls.len() <= 20, "{} calls", calls.len());
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_edited_charter_is_found_and_its_row_follows() {
    let act = |town: &Town| {
        let charter = town.charter("rust-at-work");
        town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    };
    let town = check(act, &["rust-at-work"]).await;
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(shown[1].contains("@alice"), "{shown:?}");
    // While its merge request is open it is looked at each time; once that is merged, until nothing is found to do.
    assert_eq!(looked_at_in_a_resync(&town).await, ["rust-at-work"]);
    town.merges();
    for _ in 0..2 {
        passes(&town, Duration::from_secs(3700));
        town.resync().await;
    }
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_archived_community_is_found_and_its_row_goes() {
    let act = |town: &Town| town.gitlab.admin().archive_project(LISTED).unwrap();
    let town = check(act, &["rust-at-work"]).await;
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(
        shown.len() == 1 && shown[0].starts_with("-| [Rust at Work]("),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_community_whose_path_or_name_changed_is_found() {
    let path = |town: &Town| town.gitlab.admin().rename_project(LISTED, "rust-for-all").unwrap();
    check(path, &["rust-for-all"]).await;
    let name = |town: &Town| {
        town.gitlab
            .admin()
            .edit_project(LISTED, json!({ "name": "Rust" }))
            .unwrap();
    };
    check(name, &["rust-at-work"]).await;
}

#[tokio::test]
async fn a_community_that_is_about_to_be_deleted_is_found() {
    let town = at_rest().await;
    town.gitlab.admin().delete_project(LISTED).unwrap();
    let looked = looked_at_in_a_resync(&town).await;
    assert!(
        looked.len() == 1 && looked[0].starts_with("rust-at-work-"),
        "{looked:?}"
    );
    assert_eq!(town.open(), []);
}

#[tokio::test]
async fn a_row_that_a_person_took_away_or_edited_is_found_and_counts_as_meant_once_it_was_merged() {
    let without = |town: &Town| {
        let page = town.page("main");
        let lines = page.split_inclusive('\n').filter(|line| !line.contains("rust-at-work"));
        town.page_becomes(lines.collect::<String>());
    };
    let town = check(without, &["rust-at-work"]).await;
    assert_eq!(town.open(), []);
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
    let edited = |town: &Town| town.page_becomes(town.page("main").replace("[Rust at Work](", "[Rust, in earnest]("));
    check(edited, &["rust-at-work"]).await;
}

#[tokio::test]
async fn a_row_that_says_something_else_than_its_charter_is_found_and_mended() {
    let town = at_rest().await;
    let charter = "name: Gleam\nsummary: Share.\nstatus: active\nfacilitators: [alice]\n";
    town.gitlab
        .add_project_with("acme/cops/gleam", "public", &[(CHARTER, charter)])
        .unwrap();
    let row = format!(
        "| [Gleam]({}/acme/cops/gleam) | @alice |\n| Kubernetes |",
        town.gitlab.url()
    );
    town.page_becomes(town.page("main").replace("| Kubernetes |", &row));
    assert_eq!(looked_at_in_a_resync(&town).await, ["gleam"]);
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
    town.page_becomes(
        town.page("main")
            .replace("/acme/cops/gleam) | @alice |", "/acme/cops/gleam) | @bob |"),
    );
    assert_eq!(looked_at_in_a_resync(&town).await, ["gleam"]);
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(shown[0].contains("@bob") && shown[1].contains("@alice"), "{shown:?}");
}

#[tokio::test]
async fn a_facilitators_account_that_is_blocked_is_found() {
    check(
        |town| town.gitlab.set_user_state("darwinjs", "blocked"),
        &["rust-at-work"],
    )
    .await;
    check(|town| town.gitlab.set_user_state("alice", "blocked"), &["elm", "zig"]).await;
}

#[tokio::test]
async fn what_no_plan_depends_on_is_no_reason_to_look() {
    let town = at_rest().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    town.page_becomes(
        town.page("main")
            .replace("| Kubernetes | TBD |", "| Kubernetes | @kim |"),
    );
    maintainer
        .edit_project(LISTED, json!({ "description": "Other words." }))
        .unwrap();
    maintainer.remove_member(LISTED, "bob").unwrap();
    maintainer.push_file(LISTED, "main", "notes.md", "Notes.\n").unwrap();
    maintainer.open_issue(LISTED, "Agenda", "Next time", &[]).unwrap();
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_community_and_one_that_was_moved_in_are_found() {
    let town = at_rest().await;
    founded(&town, "gleam");
    assert_eq!(looked_at_in_a_resync(&town).await, ["gleam"]);
    let charter = "name: Older\nsummary: Share.\nstatus: proposed\nfacilitators: [alice]\n";
    town.gitlab
        .add_project_with("acme/older", "public", &[(CHARTER, charter)])
        .unwrap();
    looked_at_in_a_resync(&town).await;
    let maintainer = town.gitlab.admin();
    maintainer.transfer_project("acme/older", GROUP).unwrap();
    assert_eq!(looked_at_in_a_resync(&town).await, ["older"]);
}

#[tokio::test]
async fn one_that_was_moved_away_is_left_alone_and_found_when_it_is_back() {
    let town = at_rest().await;
    let admin = town.gitlab.admin();
    admin.transfer_project(LISTED, "acme").unwrap();
    let id = town.gitlab.project("acme/rust-at-work").unwrap().id;
    let key = format!("community cop/{id}");
    for expected in [true, false] {
        passes(&town, Duration::from_secs(600));
        let before = looks(&town).await;
        town.resync().await;
        assert_eq!(looks(&town).await.get(&key) != before.get(&key), expected);
    }
    assert_eq!(town.open(), []);
    admin.transfer_project("acme/rust-at-work", GROUP).unwrap();
    assert_eq!(looked_at_in_a_resync(&town).await, ["rust-at-work"]);
}

#[tokio::test]
async fn everything_is_looked_at_anyway_within_the_time_of_the_settings() {
    let town = at_rest().await;
    passes(&town, Duration::from_secs(7 * 24 * 3600));
    let before = looks(&town).await;
    town.settle().await;
    let after = looks(&town).await;
    let communities = after.iter().filter(|(thing, _)| thing.starts_with("community"));
    let looked = communities.filter(|(thing, at)| before.get(*thing) != Some(at));
    assert_eq!(looked.count(), 3);
}

#[tokio::test]
async fn a_look_that_failed_is_no_rest() {
    let town = at_rest().await;
    let id = town.gitlab.project(LISTED).unwrap().id;
    let path = format!("/projects/{id}/issues");
    town.gitlab
        .add_fault(Fault::new(Effect::Status(403)).path(&path).unwrap().times(1));
    let thing = format!("community cop/{id}").parse().unwrap();
    town.store.knock(&[thing], "test", town.now()).await.unwrap();
    town.look_until_something_fails().await;
    let known = town
        .store
        .known_communities(&convenor_core::thing::ProgramName::new("cop").unwrap())
        .await
        .unwrap();
    let resting = known.iter().filter(|known| known.rest.is_some()).count();
    assert_eq!((known.len(), resting), (3, 2));
    town.gitlab.clear_faults();
    passes(&town, Duration::from_secs(3600));
    town.settle().await;
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
}

#[tokio::test]
async fn while_gitlab_is_away_nothing_is_concluded() {
    let town = at_rest().await;
    town.gitlab
        .add_fault(Fault::new(Effect::Status(502)).path("graphql").unwrap().times(8));
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    assert_eq!(
        looked_at_in_a_resync(&town).await,
        ["rust-at-work"],
        "after its retries"
    );
    assert_eq!(town.open().len(), 1);
}

#[tokio::test]
async fn without_graphql_the_list_and_its_activity_tell() {
    let town = at_rest().await;
    town.gitlab
        .add_fault(Fault::new(Effect::NotFound).path("graphql").unwrap());
    // What may still hide a change is looked at until it cannot any more.
    for _ in 0..4 {
        passes(&town, Duration::from_secs(3600));
        looked_at_in_a_resync(&town).await;
    }
    assert_eq!(looked_at_in_a_resync(&town).await, Vec::<String>::new());
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    assert_eq!(looked_at_in_a_resync(&town).await, ["rust-at-work"]);
    assert_eq!(town.open().len(), 1);
    founded(&town, "gleam");
    assert!(looked_at_in_a_resync(&town).await.contains(&"gleam".to_owned()));
    assert!(town.gitlab.merge_requests(HANDBOOK).unwrap().len() >= 2);
}
