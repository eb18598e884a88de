//! Manners of the handbook's merge requests: drafts, words, suggestions, endings.

use gitlab_sandbox::{Effect, Fault};

use super::town::{FORM, HANDBOOK, PAGE, PAGE_PATH, Town, one_more_line};

const BRANCH: &str = "convenor/rust-at-work";

async fn proposed_with(manners: &str) -> (Town, u64) {
    let town = Town::with_manners(manners).await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    (town, iid)
}

async fn proposed() -> (Town, u64) {
    proposed_with("").await
}

/// A field of the one open merge request, as the API shows it.
fn field(town: &Town, name: &str) -> serde_json::Value {
    let iid = town.merge_request().iid;
    let path = format!("/projects/{}/merge_requests/{iid}", HANDBOOK.replace('/', "%2F"));
    town.gitlab.look(&path).unwrap()[name].clone()
}

#[tokio::test]
async fn it_is_opened_with_what_the_settings_say() {
    let (town, _) = proposed_with(
        "labels = [\"docs\", \"cop\"]\nreviewers = [\"maintainer\"]\nassignees = [\"maintainer\"]\nsquash = true\n\
         remove_source_branch = false\n",
    )
    .await;
    let merge_request = town.merge_request();
    assert_eq!(merge_request.labels, ["cop", "docs"]);
    assert_eq!(merge_request.reviewers[0].username, "maintainer");
    assert_eq!(field(&town, "assignees")[0]["username"], "maintainer");
    assert_eq!(field(&town, "squash"), true);
    assert_ne!(field(&town, "force_remove_source_branch"), true);
    // People change all of it, and it stays as they want it.
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let theirs = serde_json::json!({ "labels": "docs", "squash": false, "reviewer_ids": [] });
    maintainer
        .edit_merge_request(HANDBOOK, merge_request.iid, theirs)
        .unwrap();
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    assert_eq!(town.merge_request().labels, ["docs"]);
    assert_eq!(field(&town, "squash"), false);
    assert!(town.merge_request().reviewers.is_empty());
}

#[tokio::test]
async fn the_description_says_why_who_where_and_what_changes() {
    let (town, iid) = proposed().await;
    let merge_request = town.merge_request();
    assert_eq!(
        merge_request.title,
        "docs: add rust-at-work to the communities of practice"
    );
    let description = merge_request.description.unwrap();
    for part in [
        "[Rust at Work](",
        "/acme/cops/rust-at-work)",
        "[charter](",
        "/-/blob/main/.gitlab/community.yml)",
        &format!("/acme/cops/intake/-/issues/{iid})"),
        "`@darwinjs`, `@brianwald`",
        "`content/cop.md` on `main`",
        "```diff\n+| [Rust at Work](",
    ] {
        assert!(description.contains(part), "{part} is not in:\n{description}");
    }
}

#[tokio::test]
async fn it_is_a_draft_while_the_community_is_not_ready() {
    let (town, _) = proposed().await;
    assert!(!town.merge_request().draft);
    let charter = town.charter("rust-at-work");
    town.gitlab.set_user_state("alice", "blocked");
    town.charter_becomes(
        "rust-at-work",
        &charter.replace("[darwinjs, brianwald]", "[alice, nobody]"),
    );
    town.settle().await;
    let draft = town.merge_request();
    assert!(draft.draft, "{}", draft.title);
    let description = draft.description.unwrap();
    assert!(
        description.contains("no facilitator in the charter has an active account"),
        "{description}"
    );
    assert!(!town.page(BRANCH).contains("nobody"), "no link to nobody");
    town.gitlab.set_user_state("alice", "active");
    town.resync().await;
    let ready = town.merge_request();
    assert_eq!((ready.iid, ready.draft), (draft.iid, false));
    assert_eq!(ready.title, "docs: add rust-at-work to the communities of practice");
}

/// The page is edited by hand so that nothing is left to merge, while something happens to our calls.
async fn edited_by_hand(fault: Option<Fault>) {
    let (town, iid) = proposed().await;
    let merge_request = town.merge_request();
    if let Some(fault) = fault {
        town.gitlab.add_fault(fault);
    }
    let by_hand = town.page(BRANCH);
    town.page_becomes(&by_hand);
    town.settle().await;
    town.resync().await;
    let closed = town.gitlab.merge_request(HANDBOOK, merge_request.iid).unwrap();
    assert_eq!(closed.state, "closed");
    let description = closed.description.unwrap();
    assert!(description.contains("Closed by Convenor"), "{description}");
    let notes = town.gitlab.merge_request_notes(HANDBOOK, merge_request.iid).unwrap();
    let reasons: Vec<_> = notes
        .iter()
        .filter(|note| note.body.contains("says this already"))
        .collect();
    assert!(reasons.len() <= 1, "{reasons:?}");
    assert_eq!(town.state(iid), ["cop::active"]);
    assert_eq!(town.merge_requests().len(), 1, "and nothing new");
}

#[tokio::test]
async fn it_is_closed_with_a_reason_when_nothing_is_left_to_merge() {
    edited_by_hand(None).await;
    let losing = |effect| {
        Fault::new(effect)
            .method("PUT")
            .path("/merge_requests/")
            .unwrap()
            .once()
    };
    edited_by_hand(Some(losing(Effect::LoseAnswer))).await;
    let note = Fault::new(Effect::LoseAnswer).method("POST").path("/notes$").unwrap();
    edited_by_hand(Some(note.once())).await;
}

#[tokio::test]
async fn an_applied_suggestion_makes_the_branch_theirs_and_counts_as_meant() {
    let (town, iid) = proposed().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let suggested = town.page(BRANCH).replace("| [Rust at Work]", "| [Rust in production]");
    maintainer.push_file(HANDBOOK, BRANCH, PAGE_PATH, &suggested).unwrap();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page(BRANCH), suggested);
    let description = town.merge_request().description.unwrap();
    assert!(
        description.contains("What is merged from it counts as meant"),
        "{description}"
    );
    town.merges();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page("main"), suggested);
    assert_eq!(town.open(), []);
    assert_eq!(town.state(iid), ["cop::active"]);
    // Other facts change: what they are about follows, the cell that a person worded stays.
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    let shown = town.shown_diff(town.merge_request().iid);
    let [_, after] = &shown[..] else { panic!("{shown:?}") };
    assert!(
        after.starts_with("+| [Rust in production](") && after.contains("@alice"),
        "{after}"
    );
}

#[tokio::test]
async fn a_branch_is_rebuilt_where_the_project_merges_by_fast_forward_only() {
    let (town, _) = proposed().await;
    let admin = town.gitlab.admin();
    let fast_forward = serde_json::json!({ "merge_method": "ff" });
    admin.edit_project(HANDBOOK, fast_forward).unwrap();
    let page = PAGE.replace("Nothing yet", "Nothing so far");
    town.page_becomes(&page);
    town.settle().await;
    // The first look makes GitLab check again, the second hears the result.
    town.resync().await;
    town.resync().await;
    town.merges();
    one_more_line(page.as_bytes(), &town.page_bytes("main"));
}

#[tokio::test]
async fn a_community_that_went_private_withdraws_its_merge_request() {
    let (town, _) = proposed().await;
    let admin = town.gitlab.admin();
    let private = serde_json::json!({ "visibility": "private" });
    admin.edit_project("acme/cops/rust-at-work", private).unwrap();
    town.resync().await;
    assert_eq!(town.open(), []);
    let closed = &town.merge_requests()[0];
    let description = closed.description.as_deref().unwrap();
    assert!(description.contains("fewer readers than the page"), "{description}");
}
