//! `batch = true`: changes of several communities in one merge request, with the same manners.

use super::town::{FORM, GROUP, HANDBOOK, PAGE, PAGE_PATH, Town};

const BRANCH: &str = "convenor/_batch";

fn proposes(town: &Town, name: &str) -> u64 {
    town.opens("proposer", &FORM.replace("Rust at Work", name))
}

async fn with(names: &[&str]) -> (Town, Vec<u64>) {
    let town = Town::with_manners("batch = true\n").await;
    let issues = names.iter().map(|name| proposes(&town, name)).collect();
    town.settle().await;
    (town, issues)
}

fn added(town: &Town) -> Vec<String> {
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(shown.iter().all(|line| line.starts_with('+')), "{shown:?}");
    shown
        .iter()
        .filter_map(|line| Some(line.split(['[', ']']).nth(1)?.to_owned()))
        .collect()
}

#[tokio::test]
async fn changes_come_and_go_in_one_merge_request() {
    let (town, mut issues) = with(&["Zig", "Python"]).await;
    let first = town.merge_request();
    assert_eq!(first.source_branch, BRANCH);
    assert_eq!(first.title, "docs: update the communities of practice (2 changes)");
    assert_eq!(added(&town), ["Python", "Zig"]);
    // One more.
    issues.push(proposes(&town, "Rust at Work"));
    town.settle().await;
    assert_eq!(town.merge_request().iid, first.iid);
    assert_eq!(added(&town), ["Python", "Rust at Work", "Zig"]);
    let description = town.merge_request().description.unwrap();
    for name in ["[Zig](", "[Python](", "[Rust at Work]("] {
        assert!(description.contains(&format!("- {name}")), "{description}");
    }
    // One by hand.
    let python = town
        .page(BRANCH)
        .lines()
        .find(|line| line.contains("[Python]"))
        .unwrap()
        .to_owned();
    let page = PAGE.replace("| Security", &format!("{python}\n| Security"));
    town.page_becomes(&page);
    town.settle().await;
    assert_eq!(added(&town), ["Rust at Work", "Zig"]);
    assert_eq!(
        town.merge_request().title,
        "docs: update the communities of practice (2 changes)"
    );
    town.merges();
    town.settle().await;
    for iid in issues {
        assert_eq!(town.state(iid), ["cop::active"]);
    }
    assert_eq!(town.merge_requests().len(), 1);
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_line_that_is_there_is_kept_true_though_nobody_has_an_account_any_more() {
    let (town, _) = with(&["Zig"]).await;
    town.merges();
    town.settle().await;
    for name in ["darwinjs", "brianwald"] {
        town.gitlab.set_user_state(name, "blocked");
    }
    let charter = town.charter("zig").replace("status: active", "status: inactive");
    let project = format!("{GROUP}/zig");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer
        .push_file(&project, "main", convenor_core::charter::PATH, charter)
        .unwrap();
    town.settle().await;
    let shown = town.shown_diff(town.merge_request().iid);
    let [before, after] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert!(
        before.starts_with("-| [Zig]") && !before.contains("(inactive)"),
        "{before}"
    );
    assert!(after.starts_with("+| [Zig]") && after.contains("(inactive)"), "{after}");
}

#[tokio::test]
async fn it_follows_a_page_that_moves_on() {
    let (town, _) = with(&["Zig", "Python"]).await;
    town.page_becomes(PAGE.replace("| Security", "| Ruby | @sam |\n| Security"));
    town.settle().await;
    assert_eq!(added(&town), ["Python", "Zig"]);
    town.merges();
    assert!(town.page("main").contains("| Ruby |"));
}

#[tokio::test]
async fn closed_by_a_person_its_changes_are_not_proposed_again_until_the_facts_change() {
    let (town, issues) = with(&["Zig", "Python"]).await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer
        .close_merge_request(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.open(), []);
    assert!(
        town.comment(issues[0]).contains("closed by a person"),
        "{}",
        town.comment(issues[0])
    );
    // Others are not kept waiting by that no.
    proposes(&town, "Rust at Work");
    town.settle().await;
    assert_eq!(added(&town), ["Rust at Work"]);
    let charter = town.charter("zig");
    town.charter_becomes("zig", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    assert_eq!(added(&town), ["Rust at Work", "Zig"]);
    assert_eq!(town.merge_requests().len(), 2);
}

#[tokio::test]
async fn a_branch_that_a_person_pushed_to_is_theirs() {
    let (town, _) = with(&["Zig", "Python"]).await;
    let theirs = town.page(BRANCH).replace("[Zig]", "[Zig, of course]");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.push_file(HANDBOOK, BRANCH, PAGE_PATH, &theirs).unwrap();
    town.settle().await;
    proposes(&town, "Rust at Work");
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page(BRANCH), theirs);
    assert!(town.merge_request().description.unwrap().contains("it is theirs now"));
    town.merges();
    town.settle().await;
    assert_eq!(added(&town), ["Rust at Work"], "the next one has what was left");
}

#[tokio::test]
async fn a_retired_community_goes_in_a_merge_request_of_its_own() {
    let (town, _) = with(&["Zig", "Python"]).await;
    town.merges();
    town.settle().await;
    let charter = town.charter("zig");
    town.charter_becomes("zig", &charter.replace("status: active", "status: retired"));
    let charter = town.charter("python");
    town.charter_becomes("python", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    let open = town.open();
    let branches: Vec<_> = open.iter().map(|mr| mr.source_branch.as_str()).collect();
    assert_eq!(branches.len(), 2, "{branches:?}");
    assert!(
        branches.contains(&BRANCH) && branches.contains(&"convenor/zig"),
        "{branches:?}"
    );
    for merge_request in &open {
        let shown = town.shown_diff(merge_request.iid);
        let removal = merge_request.source_branch == "convenor/zig";
        assert_eq!(shown.len(), if removal { 1 } else { 2 }, "{shown:?}");
        assert!(!removal || shown[0].starts_with("-| [Zig]"), "{shown:?}");
    }
}
