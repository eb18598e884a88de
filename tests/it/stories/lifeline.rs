//! What the service lives on: webhooks, the token, the facilitators.

use convenor_core::thing::{ProgramName, Thing};
use gitlab_sandbox::{Act, Config, Effect, Fault, IssueView};
use serde_json::{Value, json};

use super::town::{FORM, GROUP, INTAKE, Town};

fn lifeline() -> Thing {
    Thing::Lifeline(ProgramName::new("cop").unwrap())
}

async fn care(town: &Town) {
    town.store.knock(&[lifeline()], "test", town.now()).await.unwrap();
    town.settle().await;
}

fn hooks(town: &Town, place: &str) -> Vec<Value> {
    let (kind, path) = place.split_once(' ').unwrap();
    let address = format!("/{kind}/{}/hooks", path.replace('/', "%2F"));
    let bot = town.gitlab.as_user("convenor-bot");
    bot.api("GET", &address, Value::Null)
        .unwrap()
        .as_array()
        .unwrap()
        .clone()
}

/// The bot's issues in the intake project.
fn notices(town: &Town) -> Vec<IssueView> {
    let issues = town.gitlab.issues(INTAKE).unwrap().into_iter();
    issues.filter(|issue| issue.author.username == "convenor-bot").collect()
}

async fn town_with_a_community(config: Config) -> Town {
    let town = Town::with(config, &[]).await;
    town.opens("proposer", FORM);
    town.settle().await;
    town
}

#[tokio::test]
async fn on_free_the_project_of_a_new_community_gets_a_webhook_by_itself() {
    let town = town_with_a_community(Config::free()).await;
    let project = format!("projects {GROUP}/rust-at-work");
    assert_eq!(hooks(&town, &project).len(), 1);
    care(&town).await;
    assert_eq!(hooks(&town, &project).len(), 1, "and only one");
    assert_eq!(notices(&town).len(), 0);

    let id = hooks(&town, &project)[0]["id"].clone();
    let path = format!(
        "/projects/{}/hooks/{id}",
        format!("{GROUP}/rust-at-work").replace('/', "%2F")
    );
    town.gitlab
        .person("maintainer")
        .unwrap()
        .api("DELETE", &path, Value::Null)
        .unwrap();
    care(&town).await;
    assert_eq!(hooks(&town, &project).len(), 0, "what a person removed stays removed");
    let told = notices(&town);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].confidential && told[0].description.as_deref().unwrap().contains("rust-at-work"),
        "{told:?}"
    );
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_disabled_webhook_is_enabled_again_and_what_was_missed_is_caught_up() {
    let town = Town::new().await;
    let issue = town.opens("proposer", FORM);
    for round in 0..4 {
        let maintainer = town.gitlab.person("maintainer").unwrap();
        maintainer.comment(INTAKE, issue, &format!("round {round}")).unwrap();
        for delivery in town.gitlab.take_deliveries() {
            town.gitlab.answer_delivery(delivery.id, Some(503));
        }
    }
    let group = format!("groups {GROUP}");
    assert_eq!(hooks(&town, &group)[0]["alert_status"], "temporarily_disabled");
    assert!(town.state(issue) == ["cop::proposed"], "nothing came in");
    care(&town).await;
    assert_eq!(hooks(&town, &group)[0]["alert_status"], "executable");
    assert_eq!(town.state(issue), ["cop::approved"], "looked at without its delivery");
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn facilitators_who_cannot_be_reached_are_told_of_once_and_the_issue_closes_by_itself() {
    let town = town_with_a_community(Config::default()).await;
    care(&town).await;
    assert_eq!(notices(&town).len(), 0);
    town.gitlab.set_user_state("brianwald", "blocked");
    town.gitlab.rename_user("darwinjs", "darwin");
    care(&town).await;
    care(&town).await;
    let told = notices(&town);
    assert_eq!(told.len(), 1, "{told:?}");
    let text = told[0].description.clone().unwrap();
    assert!(told[0].confidential && told[0].state == "opened", "{told:?}");
    assert!(
        text.contains("`@brianwald`: the account is blocked") && text.contains("is called `@darwin` now"),
        "{text}"
    );
    town.gitlab.set_user_state("brianwald", "active");
    care(&town).await;
    assert!(
        !notices(&town)[0].description.clone().unwrap().contains("brianwald"),
        "kept true"
    );
    town.gitlab.rename_user("darwin", "darwinjs");
    care(&town).await;
    let told = notices(&town);
    assert_eq!((told.len(), told[0].state.as_str()), (1, "closed"));
}

#[tokio::test]
async fn a_facilitators_name_that_somebody_else_took_is_told_of() {
    let town = town_with_a_community(Config::default()).await;
    care(&town).await;
    town.gitlab.rename_user("darwinjs", "darwin");
    town.gitlab.add_user("mallory");
    town.gitlab.rename_user("mallory", "darwinjs");
    for _ in 0..2 {
        care(&town).await;
        let told = notices(&town);
        assert_eq!((told.len(), told[0].state.as_str()), (1, "opened"), "{told:?}");
        let text = told[0].description.clone().unwrap();
        assert!(
            text.contains("`@darwinjs`: the name belongs to another account"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_community_that_was_made_private_is_not_named_in_a_more_public_intake() {
    let town = town_with_a_community(Config::default()).await;
    care(&town).await;
    town.gitlab.set_user_state("brianwald", "blocked");
    let hide = Act::new(|world| {
        let project = format!("{GROUP}/rust-at-work");
        world
            .admin()
            .edit_project(&project, json!({ "visibility": "private" }))
            .unwrap();
    });
    // All of it was seen as public by then; only the last word with GitLab before the telling says otherwise.
    let lookup = Fault::new(Effect::After(hide)).user("convenor-bot").path("/users$");
    town.gitlab.add_fault(lookup.unwrap().once());
    care(&town).await;
    let told = notices(&town);
    assert_eq!(told.len(), 1, "{told:?}");
    let text = told[0].description.clone().unwrap();
    let id = town.gitlab.project(&format!("{GROUP}/rust-at-work")).unwrap().id;
    assert!(text.contains(&format!("`project {id}`")), "{text}");
    for name in ["rust", "Rust", "brianwald"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_webhook_that_renewing_does_not_help_is_told_of() {
    let town = Town::new().await;
    let fail = async |town: &Town| {
        for round in 0..4 {
            let maintainer = town.gitlab.person("maintainer").unwrap();
            maintainer
                .push_file(INTAKE, "main", "README.md", format!("{round} {}", town.now()))
                .unwrap();
            for delivery in town.gitlab.take_deliveries() {
                town.gitlab.answer_delivery(delivery.id, Some(401));
            }
        }
    };
    fail(&town).await;
    care(&town).await;
    fail(&town).await;
    care(&town).await;
    let told = notices(&town);
    assert_eq!(told.len(), 1, "{told:?}");
    let renewals = convenor::store::JournalFilter {
        kind: Some("update_hook".to_owned()),
        ..Default::default()
    };
    let renewals = town.store.find_journal(&renewals, 10).await.unwrap();
    assert_eq!(renewals.len(), 1, "not again and again");
    assert_eq!(json!(told[0].state), json!("opened"));
}
