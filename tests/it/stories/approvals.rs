//! Who may say yes, until when a yes counts, and what never leaves a confidential issue.

use gitlab_sandbox::{Act, Config, Effect, Fault, Role};
use serde_json::json;

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, Town};

const PROJECT: &str = "acme/cops/rust-at-work";
const CANARY: &str = "Canarybird";

/// A town in which an approver is always asked, and its one proposal.
async fn asked() -> (Town, u64) {
    let town = Town::with(Config::default(), &[("approval", "\"always\"")]).await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    (town, iid)
}

fn says(town: &Town, who: &str, iid: u64, text: &str) {
    town.gitlab.person(who).unwrap().comment(INTAKE, iid, text).unwrap();
}

fn rewrites(town: &Town, iid: u64, text: &str) {
    let proposer = town.gitlab.person("proposer").unwrap();
    proposer.describe_issue(INTAKE, iid, text).unwrap();
}

#[tokio::test]
async fn an_approval_is_for_the_text_that_was_shown() {
    let (town, iid) = asked().await;
    says(&town, "maintainer", iid, "@convenor-bot approve");
    rewrites(&town, iid, &FORM.replace("Rust at Work", "Rust at Play"));
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    assert!(
        town.comment(iid).contains("Please approve again"),
        "{}",
        town.comment(iid)
    );
    // Back to the very text that was approved: it was changed in between all the same.
    rewrites(&town, iid, FORM);
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    says(&town, "maintainer", iid, "@convenor-bot approve");
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn what_was_accepted_is_made_whatever_the_text_becomes() {
    let (town, iid) = asked().await;
    says(&town, "maintainer", iid, "@convenor-bot approve");
    let edits = Act::new(move |world| {
        let text = FORM
            .replace("Share what", "Never mind what")
            .replace("@alice", "@outsider");
        let proposer = world.person("proposer").unwrap();
        proposer.describe_issue(INTAKE, iid, &text).unwrap();
        proposer
            .edit_issue(INTAKE, iid, json!({ "title": "Something else" }))
            .unwrap();
    });
    let making = Fault::new(Effect::After(edits))
        .method("POST")
        .path("/projects$")
        .unwrap();
    town.gitlab.add_fault(making.once());
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let readme = town.gitlab.text(PROJECT, "main", "README.md").unwrap();
    assert!(
        readme.contains("Share what we learn") && !readme.contains("Never mind"),
        "{readme}"
    );
    let members = town.gitlab.members(PROJECT).unwrap();
    assert!(
        members.iter().all(|member| member.username != "outsider"),
        "{members:?}"
    );
}

#[tokio::test]
async fn an_approvers_right_is_asked_when_the_approval_is_read() {
    let (town, iid) = asked().await;
    town.gitlab.add_member(GROUP, "lead", Role::Maintainer).unwrap();
    says(&town, "lead", iid, "@convenor-bot approve");
    town.gitlab.admin().remove_member(GROUP, "lead").unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    // Whoever loses the role after the acceptance has still given it.
    town.gitlab.add_member(GROUP, "lead", Role::Maintainer).unwrap();
    town.resync().await;
    town.gitlab.admin().remove_member(GROUP, "lead").unwrap();
    town.resync().await;
    assert_eq!(town.state(iid), ["cop::approved"]);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn nobody_approves_by_a_label_without_the_right_or_for_themselves() {
    let town = Town::with(Config::default(), &[("approval", "\"always\"")]).await;
    let guest = town.gitlab.person("guest").unwrap();
    let spoofed = guest
        .open_issue(INTAKE, "New community", FORM, &["cop::approved"])
        .unwrap();
    let other = FORM.replace("Rust at Work", "Rust at Play");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let own = maintainer
        .open_issue(INTAKE, "New community", &other, &["cop::proposed"])
        .unwrap();
    town.settle().await;
    maintainer.add_labels(INTAKE, own, &["cop::approved"]).unwrap();
    says(&town, "maintainer", own, "@convenor-bot approve");
    // Reporters of the group may set labels, but not approve.
    town.gitlab
        .person("proposer")
        .unwrap()
        .add_labels(INTAKE, spoofed, &["cop::approved"])
        .unwrap();
    town.settle().await;
    for iid in [spoofed, own] {
        assert_eq!(town.state(iid), ["cop::ready"]);
    }
    assert!(
        town.comment(own).contains("cannot approve their own"),
        "{}",
        town.comment(own)
    );
    maintainer.add_labels(INTAKE, spoofed, &["cop::approved"]).unwrap();
    town.settle().await;
    assert_eq!(town.state(spoofed), ["cop::approved"]);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn a_declined_proposal_is_closed_and_may_be_proposed_again() {
    let (town, iid) = asked().await;
    says(
        &town,
        "maintainer",
        iid,
        "@convenor-bot decline join the systems people instead",
    );
    town.settle().await;
    assert_eq!(
        (town.state(iid), town.issue(iid).state),
        (vec!["cop::declined".to_owned()], "closed".to_owned())
    );
    assert!(
        town.comment(iid).contains("join the systems people instead"),
        "{}",
        town.comment(iid)
    );
    town.resync().await;
    rewrites(
        &town,
        iid,
        &format!("{FORM}\n### Similar communities\n\nSystems: they do C.\n"),
    );
    town.gitlab
        .person("proposer")
        .unwrap()
        .reopen_issue(INTAKE, iid)
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    says(&town, "maintainer", iid, "@convenor-bot approve");
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn a_confidential_proposal_leads_to_nothing_that_others_see() {
    let town = Town::new().await;
    let proposer = town.gitlab.person("proposer").unwrap();
    let secret = FORM.replace("Rust at Work", &format!("Rust at Work {CANARY}"));
    let hidden = proposer
        .open_confidential_issue(INTAKE, "New community", &secret)
        .unwrap();
    proposer.add_labels(INTAKE, hidden, &["cop::proposed"]).unwrap();
    // Another project of the group that not everybody sees.
    let private = format!("{GROUP}/rust-{}", CANARY.to_lowercase());
    town.gitlab.add_project_with(&private, "private", &[]).unwrap();
    town.settle().await;
    assert!(
        town.comment(hidden).contains("is confidential"),
        "{}",
        town.comment(hidden)
    );
    assert_eq!(
        town.gitlab.projects(GROUP).unwrap().len(),
        2,
        "the intake and the private one"
    );
    let open = town.opens("guest", FORM);
    town.settle().await;
    let comment = town.comment(open).to_lowercase();
    assert!(!comment.contains(&CANARY.to_lowercase()), "{comment}");
    let public = town.gitlab.merge_requests(HANDBOOK).unwrap();
    assert_eq!(public, []);
    // Made public by its author, it is a proposal like any other.
    proposer
        .edit_issue(INTAKE, hidden, json!({ "confidential": false }))
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(hidden), ["cop::approved"]);
}
