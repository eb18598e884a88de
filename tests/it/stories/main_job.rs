//! The main job: from a "New community" issue to a merge request that a maintainer merges.

use gitlab_sandbox::{Config, HookWeather, Role};

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE, Town};

#[tokio::test]
async fn a_members_proposal_becomes_a_community() {
    let town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    assert_eq!(town.state(iid), ["cop::approved"]);

    let project = town.gitlab.project(&format!("{GROUP}/rust-at-work")).unwrap();
    assert_eq!(project.name, "Rust at Work");
    assert_eq!(project.visibility, "public");
    assert_eq!(project.topics, ["community-of-practice"]);
    let level = |name: &str| {
        let members = town.gitlab.members(&format!("{GROUP}/rust-at-work")).unwrap();
        members
            .into_iter()
            .find(|member| member.username == name)
            .map(|member| member.access_level)
    };
    assert_eq!(level("darwinjs"), Some(Role::Maintainer.level()));
    assert_eq!(level("alice"), Some(Role::Developer.level()));

    let merge_request = town.merge_request();
    assert_eq!(merge_request.source_branch, "convenor/rust-at-work");
    assert_eq!(merge_request.labels, ["communities-of-practice"]);
    let line = town.added_line("convenor/rust-at-work");
    assert!(
        line.starts_with("| [Rust at Work](") && line.contains("darwinjs"),
        "{line}"
    );
    let page = town.page("convenor/rust-at-work");
    assert!(page.find("| Kubernetes").unwrap() < page.find(&line).unwrap());
    assert!(page.find(&line).unwrap() < page.find("| Security").unwrap());

    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.merge(HANDBOOK, merge_request.iid).unwrap();
    town.settle().await;
    assert_eq!(town.issue(iid).state, "closed");
    assert_eq!(town.state(iid), ["cop::active"]);
    assert!(town.comment(iid).contains("Welcome"), "{}", town.comment(iid));
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn a_fault_is_explained_and_its_mending_is_seen() {
    let town = Town::new().await;
    let iid = town.opens(
        "proposer",
        &FORM.replace("@darwinjs, @brianwald", "@nobody-of-that-name"),
    );
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::needs-info"]);
    assert!(
        town.comment(iid).contains("nobody-of-that-name"),
        "{}",
        town.comment(iid)
    );
    town.gitlab
        .person("proposer")
        .unwrap()
        .describe_issue(INTAKE, iid, FORM)
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::approved"]);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn with_webhooks_off_everything_still_comes_true() {
    let town = Town::new().await;
    town.gitlab.set_hook_weather(HookWeather::lost());
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::proposed"], "nobody knocked");
    town.resync().await;
    town.has_exactly_one_of_everything("rust-at-work");
    town.gitlab
        .person("maintainer")
        .unwrap()
        .merge(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.resync().await;
    assert_eq!(town.issue(iid).state, "closed");
}

#[tokio::test]
async fn doubled_and_swapped_webhooks_make_nothing_twice() {
    let town = Town::new().await;
    town.gitlab.set_hook_weather(HookWeather {
        double: 1.0,
        swap: 0.5,
        ..HookWeather::default()
    });
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn on_a_free_gitlab_everything_works_with_project_hooks() {
    let town = Town::with(Config::free(), &[]).await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.has_exactly_one_of_everything("rust-at-work");
    assert_eq!(
        town.state(iid),
        ["cop::approved"],
        "one state label although GitLab excludes none"
    );
}

#[tokio::test]
async fn init_changes_nothing_the_second_time() {
    let town = Town::new().await;
    town.init().await;
    let writes = town.gitlab.writes();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn once_all_is_true_nothing_is_written() {
    let town = Town::new().await;
    town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.gitlab.forget_calls();
    town.resync().await;
    let writes = town.gitlab.writes();
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(town.page("main"), PAGE);
}

#[tokio::test]
async fn a_guests_proposal_waits_for_an_approver() {
    let town = Town::new().await;
    let guest = town.gitlab.person("guest").unwrap();
    // A guest may set labels while opening an issue, even this one.
    let iid = guest
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed", "cop::approved"])
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    assert!(town.gitlab.project(&format!("{GROUP}/rust-at-work")).is_err());
    town.gitlab
        .person("alice")
        .unwrap()
        .comment(INTAKE, iid, "@convenor-bot approve")
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"], "alice may not");
    assert!(
        town.comment(iid).contains("only those named above may approve"),
        "{}",
        town.comment(iid)
    );
    town.gitlab
        .person("maintainer")
        .unwrap()
        .comment(INTAKE, iid, "@convenor-bot approve")
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::approved"]);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn look_alikes_are_named() {
    let town = Town::new().await;
    let iid = town.opens("proposer", &FORM.replace("Rust at Work", "K8s"));
    town.settle().await;
    assert!(town.comment(iid).contains("Kubernetes"), "{}", town.comment(iid));
}
