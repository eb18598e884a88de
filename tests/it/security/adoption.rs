//! Whose project it is: never that of somebody who was faster, moved something into place, or wrote into a charter what suits them.

use gitlab_sandbox::{Act, Effect, Fault, Role};

use super::town::{FORM, GROUP, INTAKE, Town};

const PROJECT: &str = "acme/cops/rust-at-work";

fn writes_to(town: &Town, id: u64) -> Vec<String> {
    let path = format!("/projects/{id}");
    let writes = town.gitlab.writes().into_iter();
    writes
        .filter(|call| call.path == path || call.path.starts_with(&format!("{path}/")))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect()
}

#[tokio::test]
async fn a_project_that_appears_between_check_and_creation_is_not_adopted() {
    let town = Town::new().await;
    town.gitlab.add_member(GROUP, "alice", Role::Owner).unwrap();
    let creates = Act::new(|world| {
        world.person("alice").unwrap().create_project(PROJECT).unwrap();
    });
    let creation = Fault::new(Effect::Before(creates)).user("convenor-bot").method("POST");
    town.gitlab.add_fault(creation.path("/projects$").unwrap().once());
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    let id = town.gitlab.project(PROJECT).unwrap().id;
    assert_eq!(town.state(iid), ["cop::needs-info"]);
    assert!(
        town.comment(iid).contains("choose another name"),
        "{}",
        town.comment(iid)
    );
    assert_eq!(writes_to(&town, id), Vec::<String>::new());
    let members = town.gitlab.members(PROJECT).unwrap();
    assert!(
        members.iter().all(|member| member.username != "darwinjs"),
        "{members:?}"
    );
}

/// Somebody deletes what was just made, and has one of their own at its path before the next call comes.
#[tokio::test]
async fn whoever_takes_the_path_of_the_new_project_gets_nothing_of_it() {
    for (method, path) in [
        ("POST", "/repository/commits$"),
        ("POST", "/labels$"),
        ("POST", "/boards$"),
        ("POST", "/members$"),
        ("POST", "/graphql$"),
    ] {
        let town = Town::new().await;
        town.gitlab.add_member(GROUP, "alice", Role::Owner).unwrap();
        let takes = Act::new(|world| {
            let alice = world.person("alice").unwrap();
            if world.project(PROJECT).is_err() || world.project("acme/cops/out-of-the-way").is_ok() {
                return;
            }
            world.admin().rename_project(PROJECT, "out-of-the-way").unwrap();
            alice.create_project(PROJECT).unwrap();
        });
        let next = Fault::new(Effect::Before(takes)).user("convenor-bot").method(method);
        town.gitlab.add_fault(next.path(path).unwrap());
        town.opens("proposer", FORM);
        town.settle().await;
        town.resync().await;
        let id = town.gitlab.project(PROJECT).unwrap().id;
        assert_eq!(writes_to(&town, id), Vec::<String>::new(), "{path}");
        assert_eq!(town.gitlab.boards(PROJECT).unwrap(), [], "{path}");
        let labels = town.gitlab.labels(PROJECT).unwrap().into_iter();
        // Those of the group show everywhere.
        let own: Vec<_> = labels.filter(|label| !label.name.starts_with("cop::")).collect();
        assert_eq!(own, [], "{path}");
        // It happened: what was made lives on under its other path.
        assert_ne!(town.gitlab.project("acme/cops/out-of-the-way").unwrap().id, id);
    }
}

/// `old` gives the name up, and somebody else takes it.
fn another_takes(town: &Town, old: &str) -> u64 {
    town.gitlab.rename_user(old, &format!("{old}-as-it-is-now"));
    let another = town.gitlab.add_user("mallory");
    town.gitlab.rename_user("mallory", old);
    another
}

fn has_a_role(town: &Town, account: u64) -> bool {
    let members = town.gitlab.members(PROJECT).unwrap_or_default();
    members.iter().any(|member| member.id == account)
}

#[tokio::test]
async fn who_takes_a_name_before_the_approval_is_not_who_was_meant() {
    for name in ["alice", "darwinjs"] {
        let town = Town::with(gitlab_sandbox::Config::default(), &[("approval", "\"always\"")]).await;
        let iid = town.opens("proposer", FORM);
        town.settle().await;
        assert_eq!(town.state(iid), ["cop::ready"]);
        let another = another_takes(&town, name);
        let maintainer = town.gitlab.person("maintainer").unwrap();
        maintainer.comment(INTAKE, iid, "@convenor-bot approve").unwrap();
        town.settle().await;
        town.resync().await;
        assert_eq!(town.state(iid), ["cop::needs-info"], "{}", town.comment(iid));
        assert!(town.comment(iid).contains("another account"), "{}", town.comment(iid));
        assert!(town.gitlab.project(PROJECT).is_err());
        // Whoever edits the text says that it is them who are meant, and an approver sees it.
        let proposer = town.gitlab.person("proposer").unwrap();
        let edited = FORM.replace("Everybody who", "Everybody in the house who");
        proposer.describe_issue(INTAKE, iid, &edited).unwrap();
        town.settle().await;
        assert_eq!(town.state(iid), ["cop::ready"], "{}", town.comment(iid));
        maintainer.comment(INTAKE, iid, "@convenor-bot approve").unwrap();
        town.settle().await;
        assert!(has_a_role(&town, another));
    }
}

#[tokio::test]
async fn who_takes_a_name_while_the_project_is_made_gets_no_role_in_it() {
    for name in ["bob", "darwinjs"] {
        let town = Town::new().await;
        let fails = Fault::new(Effect::Status(502))
            .method("POST")
            .path("/members$")
            .unwrap();
        town.gitlab.add_fault(fails);
        let iid = town.opens("proposer", FORM);
        town.look_until_something_fails().await;
        assert!(town.gitlab.project(PROJECT).is_ok());
        let another = another_takes(&town, name);
        town.gitlab.clear_faults();
        town.settle().await;
        town.resync().await;
        assert!(!has_a_role(&town, another), "{name}");
        assert!(
            has_a_role(&town, town.gitlab.add_user("brianwald")),
            "the others have theirs"
        );
        assert!(town.comment(iid).contains("another account"), "{}", town.comment(iid));
    }
}

#[tokio::test]
async fn a_path_that_a_group_has_is_refused_like_that_of_a_project() {
    let town = Town::new().await;
    // Private: the bot may see it, the proposer may not, and learns no more than that the name is taken.
    town.gitlab.add_group_with("acme/cops/rust-at-work", "private").unwrap();
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    assert_eq!(town.state(iid), ["cop::needs-info"], "{}", town.comment(iid));
    let comment = town.comment(iid);
    assert!(comment.contains("choose another name"), "{comment}");
    assert!(comment.contains("this name or path is taken"), "{comment}");
}

/// A facilitator moves their community to the path of a proposal that waits, and claims it in their charter.
async fn moved_into_place(forget: bool) {
    let mut town = Town::with(gitlab_sandbox::Config::default(), &[("approval", "\"always\"")]).await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let theirs = town.opens("proposer", &FORM.replace("Rust at Work", "Trojan Horses"));
    maintainer.comment(INTAKE, theirs, "@convenor-bot approve").unwrap();
    town.settle().await;
    let id = town.gitlab.project("acme/cops/trojan-horses").unwrap().id;
    let victim = town.opens("guest", FORM);
    town.settle().await;
    let forged = town
        .charter("trojan-horses")
        .replace(&format!("{INTAKE}#{theirs}"), &format!("{INTAKE}#{victim}"));
    assert!(forged.contains(&format!("{INTAKE}#{victim}")), "{forged}");
    town.charter_becomes("trojan-horses", &forged);
    town.gitlab
        .admin()
        .rename_project("acme/cops/trojan-horses", "rust-at-work")
        .unwrap();
    if forget {
        town.loses_its_database().await;
    }
    town.settle().await;
    let before = town.gitlab.members(PROJECT).unwrap();
    maintainer.comment(INTAKE, victim, "@convenor-bot approve").unwrap();
    town.gitlab.forget_calls();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.state(victim), ["cop::needs-info"], "{}", town.comment(victim));
    assert_eq!(town.gitlab.project(PROJECT).unwrap().id, id);
    assert_eq!(town.gitlab.members(PROJECT).unwrap(), before);
    assert_eq!(
        writes_to(&town, id),
        Vec::<String>::new(),
        "with its database lost: {forget}"
    );
}

#[tokio::test]
async fn a_community_that_was_moved_to_a_waiting_proposals_path_is_not_handed_over() {
    moved_into_place(false).await;
    moved_into_place(true).await;
}

#[tokio::test]
async fn a_charter_that_names_another_proposal_changes_nothing_for_it() {
    let town = Town::new().await;
    let first = town.opens("proposer", FORM);
    let second = town.opens("proposer", &FORM.replace("Rust at Work", "Trojan Horses"));
    town.settle().await;
    let before = (town.comment(first), town.state(first));
    let forged = town
        .charter("trojan-horses")
        .replace(&format!("{INTAKE}#{second}"), &format!("{INTAKE}#{first}"));
    town.charter_becomes("trojan-horses", &forged);
    town.settle().await;
    town.resync().await;
    assert_eq!((town.comment(first), town.state(first)), before);
    // One that names an issue elsewhere leaves no reference there.
    let target = town.gitlab.person("maintainer").unwrap();
    let issue = target.open_issue("acme/handbook", "Private matters", "", &[]).unwrap();
    let named = forged.replace(&format!("{INTAKE}#{first}"), &format!("acme/handbook#{issue}"));
    town.charter_becomes("trojan-horses", &named.replace("Trojan Horses", "Trojan Ponies"));
    town.settle().await;
    town.resync().await;
    let foreign: Vec<_> = town
        .gitlab
        .references()
        .into_iter()
        .filter(|reference| reference.by == "convenor-bot" && reference.to.starts_with("acme/handbook#"))
        .collect();
    assert_eq!(foreign, []);
}

#[tokio::test]
async fn a_community_that_was_moved_to_another_group_is_left_alone() {
    let town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.merges();
    town.settle().await;
    let id = town.gitlab.project(PROJECT).unwrap().id;
    town.gitlab.add_group_with("elsewhere", "public").unwrap();
    town.gitlab
        .add_member("elsewhere", "convenor-bot", Role::Owner)
        .unwrap();
    town.gitlab.admin().transfer_project(PROJECT, "elsewhere").unwrap();
    town.gitlab.forget_calls();
    let again = town.opens("guest", FORM);
    town.settle().await;
    town.resync().await;
    assert_eq!(writes_to(&town, id), Vec::<String>::new());
    assert_eq!(town.state(iid), ["cop::active"]);
    assert_eq!(
        town.state(again),
        ["cop::ready"],
        "the redirect that it left holds no name: {}",
        town.comment(again)
    );
}

#[tokio::test]
async fn look_alike_letters_are_refused_and_reserved_paths_too() {
    let town = Town::new().await;
    for name in [
        "Rust аt Work",
        "Ruѕt at Work",
        "Wikis",
        "New",
        "-",
        "Ｂadges",
        "x deletion_scheduled 1",
    ] {
        let iid = town.opens("proposer", &FORM.replace("Rust at Work", name));
        town.settle().await;
        assert_eq!(town.state(iid), ["cop::needs-info"], "{name}");
    }
    assert_eq!(town.gitlab.projects(GROUP).unwrap().len(), 1);
}
