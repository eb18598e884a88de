//! Names and paths that are taken, projects that are gone: nothing of others is ever touched, nothing is made twice.

use gitlab_sandbox::Role;

use super::town::{FORM, GROUP, INTAKE, Town};

const PROJECT: &str = "acme/cops/rust-at-work";

/// Asserts that no write of ours went to this project.
fn untouched(town: &Town, id: u64) {
    let path = format!("/projects/{id}");
    let writes: Vec<_> = town
        .gitlab
        .writes()
        .into_iter()
        .filter(|call| call.path.contains(&path))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// A project of somebody else stands at this path: another name is asked for, and nothing happens to the project.
async fn taken_by(path: &str, name: &str) {
    let town = Town::new().await;
    town.gitlab.add_member(GROUP, "alice", Role::Owner).unwrap();
    let alice = town.gitlab.person("alice").unwrap();
    let id = alice.create_project(&format!("{GROUP}/{path}")).unwrap();
    alice
        .edit_project(
            &format!("{GROUP}/{path}"),
            serde_json::json!({ "name": name, "visibility": "public" }),
        )
        .unwrap();
    let members = town.gitlab.members(&format!("{GROUP}/{path}")).unwrap();
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::needs-info"], "{path}");
    assert!(
        town.comment(iid).contains("choose another name"),
        "{}",
        town.comment(iid)
    );
    assert_eq!(town.gitlab.members(&format!("{GROUP}/{path}")).unwrap(), members);
    assert_eq!(town.gitlab.projects(GROUP).unwrap().len(), 2);
    untouched(&town, id);
    let proposer = town.gitlab.person("proposer").unwrap();
    proposer
        .describe_issue(INTAKE, iid, &FORM.replace("Rust at Work", "Rust Here"))
        .unwrap();
    town.settle().await;
    town.has_exactly_one_of_everything("rust-here");
    untouched(&town, id);
}

#[tokio::test]
async fn a_project_that_is_not_ours_is_never_adopted() {
    taken_by("rust-at-work", "Rust at Work").await;
    taken_by("Rust-At-Work", "Something else").await;
    taken_by("another-path", "RUST AT WORK").await;
}

#[tokio::test]
async fn a_community_of_another_proposal_is_not_taken_over() {
    let town = Town::new().await;
    town.opens("proposer", FORM);
    town.settle().await;
    town.merges();
    town.settle().await;
    let members = town.gitlab.members(PROJECT).unwrap();
    let again = town.opens("proposer", &FORM.replace("@darwinjs, @brianwald", "@outsider, @alice"));
    town.settle().await;
    town.resync().await;
    assert_eq!(town.state(again), ["cop::needs-info"]);
    assert_eq!(town.gitlab.members(PROJECT).unwrap(), members);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn of_two_proposals_for_one_name_the_earlier_gets_it() {
    let town = Town::new().await;
    let first = town.opens("proposer", FORM);
    let second = town.opens("proposer", &FORM.replace("Rust at Work", "rust  AT work"));
    town.settle().await;
    town.resync().await;
    town.has_exactly_one_of_everything("rust-at-work");
    assert_eq!(town.state(first), ["cop::approved"]);
    assert_eq!(town.state(second), ["cop::needs-info"]);
}

#[tokio::test]
async fn a_name_is_free_again_when_the_earlier_proposal_is_closed() {
    let town = Town::new().await;
    let first = town.opens("guest", FORM);
    let second = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(first), ["cop::ready"]);
    assert!(
        town.comment(second).contains("earlier proposal"),
        "{}",
        town.comment(second)
    );
    town.gitlab.person("guest").unwrap().close_issue(INTAKE, first).unwrap();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.state(second), ["cop::approved"]);
    town.has_exactly_one_of_everything("rust-at-work");
}

/// What a person does to the project that was made; it is not undone and nothing is made in its place.
async fn gone_by(act: impl Fn(&gitlab_sandbox::Person)) {
    let mut town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let id = town.gitlab.project(PROJECT).unwrap().id;
    act(&town.gitlab.admin());
    town.gitlab.forget_calls();
    town.settle().await;
    town.resync().await;
    // Even when all that is left is what GitLab remembers.
    town.loses_its_database().await;
    town.resync().await;
    assert!(town.comment(iid).contains("is gone"), "{}", town.comment(iid));
    let ours: Vec<_> = town
        .gitlab
        .projects(GROUP)
        .unwrap()
        .into_iter()
        .filter(|project| project.id > id)
        .collect();
    assert_eq!(ours, []);
    untouched(&town, id);
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_project_that_a_person_deleted_or_archived_is_not_made_again() {
    gone_by(|admin| admin.delete_project(PROJECT).unwrap()).await;
    gone_by(|admin| admin.archive_project(PROJECT).unwrap()).await;
}

#[tokio::test]
async fn a_deleted_project_of_others_does_not_hold_its_name() {
    let town = Town::new().await;
    town.gitlab
        .add_project_with(PROJECT, "public", &[("README.md", "# Old\n")])
        .unwrap();
    town.gitlab.admin().delete_project(PROJECT).unwrap();
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::approved"]);
    assert_eq!(town.gitlab.project(PROJECT).unwrap().name, "Rust at Work");
}

#[tokio::test]
async fn a_renamed_community_keeps_its_row_and_is_not_made_again() {
    let town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.gitlab.admin().rename_project(PROJECT, "rust-everywhere").unwrap();
    town.settle().await;
    town.resync().await;
    assert!(
        town.gitlab
            .projects(GROUP)
            .unwrap()
            .iter()
            .all(|project| project.path != "rust-at-work")
    );
    assert_eq!(town.gitlab.projects(GROUP).unwrap().len(), 2);
    let row = town.added_line(&town.merge_request().source_branch);
    assert!(row.contains("/rust-everywhere)"), "{row}");
    town.merges();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page("main").matches("[Rust at Work]").count(), 1);
    assert_eq!(town.merge_requests().len(), 1);
    assert_eq!(town.state(iid), ["cop::active"]);
}
