//! Canary words in every place that not everybody may read, and a flip before each write: they are found nowhere else.

use gitlab_sandbox::{Act, CallRecord, Config, Effect, Fault, Role, World};
use serde_json::json;

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE, PAGE_PATH, Town};

const CANARY: &str = "Canarybird";
const SLUG: &str = "rust-at-work";

/// All that people without any role can read, and what we keep and show about it.
async fn everything_public(town: &Town) -> String {
    let mut text = String::new();
    for project in town.gitlab.projects("acme").unwrap() {
        if project.visibility != "public" {
            continue;
        }
        text.push_str(&format!("{project:?}"));
        let path = &project.path_with_namespace;
        for branch in town.gitlab.branches(path) {
            text.push_str(&format!("{branch} {:?}", town.gitlab.commits(path, &branch).unwrap()));
            for file in town.gitlab.paths(path, &branch) {
                text.push_str(&file);
                text.extend(town.gitlab.text(path, &branch, &file));
            }
        }
        for issue in town.gitlab.issues(path).unwrap() {
            // The bot's own comment there is read by whoever may read the issue.
            if !issue.confidential {
                text.push_str(&format!("{issue:?}"));
                for note in town.gitlab.notes(path, issue.iid).unwrap() {
                    if !note.internal {
                        text.push_str(&format!("{note:?}"));
                    }
                }
            }
        }
        text.push_str(&format!("{:?}", town.gitlab.merge_requests(path).unwrap()));
        for label in town.gitlab.labels(path).unwrap() {
            text.push_str(&format!("{label:?}"));
        }
    }
    for route in [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/communities.json",
        "/feed.atom",
        "/calendar.ics",
    ] {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = answer.get(format!("{}{route}", town.door)).send().await.unwrap();
        text.push_str(&format!(
            "{:?} {}",
            answer.headers().clone(),
            answer.text().await.unwrap()
        ));
    }
    text
}

/// Writes that carry text to others than the readers of the intake's issue.
fn tells(call: &&CallRecord) -> bool {
    let is = |end: &str| call.path.ends_with(end);
    let to_intake = call.path.contains("/issues/") || call.path.contains("/notes");
    call.is_write()
        && !to_intake
        && (is("/projects") || is("/repository/commits") || is("/issues") || call.path.contains("/merge_requests"))
}

/// Whether a call was sent side by side with the one of this number: both fill the new project, and nothing lies between them but others
/// that do.
fn is_under_way(calls: &[CallRecord], hidden_at: u64, call: &CallRecord) -> bool {
    let fills = |call: &CallRecord| {
        let inside = [
            "/repository/commits",
            "/labels",
            "/boards",
            "/members",
            "/issues",
            "/graphql",
        ];
        call.is_write() && inside.iter().any(|end| call.path.ends_with(end))
    };
    let mut between = calls
        .iter()
        .filter(|other| (hidden_at..=call.number).contains(&other.number));
    between.all(fills)
}

/// Everything about the proposal becomes secret, and says so.
fn hide(world: &World, iid: u64) {
    let proposer = world.person("proposer").unwrap();
    let text = FORM
        .replace("Share what we learn", &format!("The {CANARY} merger"))
        .replace("@alice", "@outsider");
    let fields = json!({ "confidential": true, "description": text, "title": format!("{CANARY} title") });
    proposer.edit_issue(INTAKE, iid, fields).unwrap();
    proposer.comment(INTAKE, iid, &format!("{CANARY} comment")).unwrap();
}

fn at_write(write: usize, act: Act) -> Fault {
    Fault::new(Effect::Before(act))
        .user("convenor-bot")
        .writes()
        .skip(write)
        .once()
}

/// How many writes the story has when nobody interferes.
async fn writes_of_the_story() -> usize {
    let town = Town::new().await;
    town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.gitlab.writes().len()
}

/// The proposer makes the issue confidential and writes a secret into it just before a write of ours.
async fn turns_confidential_at(write: usize) {
    let town = Town::new().await;
    town.gitlab.add_fault(at_write(write, Act::new(|world| hide(world, 1))));
    assert_eq!(town.opens("proposer", FORM), 1);
    town.settle().await;
    town.resync().await;
    let calls = town.gitlab.calls();
    let hidden_at = town.gitlab.writes().get(write).map_or(0, |call| call.number);
    let later = calls
        .iter()
        .filter(|call| call.number > hidden_at && !is_under_way(&calls, hidden_at, call));
    let later: Vec<_> = later
        .filter(tells)
        .filter(|call| !call.path.contains(HANDBOOK))
        .collect();
    // The row of a public project is the charter's matter, not the proposal's: those go to the handbook's project.
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let later: Vec<_> = later
        .into_iter()
        .filter(|call| !call.path.contains(&format!("/projects/{handbook}/")))
        .collect();
    assert!(later.is_empty(), "at write {write}, told afterwards: {later:?}");
    assert!(!everything_public(&town).await.contains(CANARY), "at write {write}");
    assert!(
        town.comment(1).contains("is confidential"),
        "at write {write}: {}",
        town.comment(1)
    );
    town.gitlab.forget_calls();
    town.resync().await;
    assert!(
        town.gitlab.writes().is_empty(),
        "at write {write}: {:?}",
        town.gitlab.writes()
    );
}

#[tokio::test]
async fn nothing_is_told_of_an_issue_that_becomes_confidential_before_any_write() {
    let writes = writes_of_the_story().await;
    assert!(writes > 12, "{writes} writes: is this the whole story?");
    for write in 0..writes {
        turns_confidential_at(write).await;
    }
}

/// GitLab says 429 to the write before which the issue becomes confidential: when it would be sent again, nothing is told any more.
#[tokio::test]
async fn what_had_to_wait_is_told_only_if_it_still_may_be() {
    for path in ["/projects$", "/repository/commits$"] {
        let town = Town::new().await;
        let at_it = |effect| {
            let fault = Fault::new(effect).user("convenor-bot").method("POST");
            fault.path(path).unwrap().once()
        };
        town.gitlab
            .add_fault(at_it(Effect::Before(Act::new(|world| hide(world, 1)))));
        town.gitlab.add_fault(at_it(Effect::RetryLater(4)));
        town.opens("proposer", FORM);
        town.settle().await;
        let tried: Vec<_> = town.gitlab.writes().into_iter().filter(|call| tells(&call)).collect();
        let refused = tried.iter().position(|call| call.status == Some(429)).unwrap();
        let again = tried[refused + 1..].iter();
        let again: Vec<_> = again.filter(|call| call.path == tried[refused].path).collect();
        assert!(again.is_empty(), "{path}: {again:?}");
        assert!(!everything_public(&town).await.contains(CANARY), "{path}");
    }
}

/// Before a write that puts the community's row on the public page, its project is hidden, and says secrets from then on.
async fn project_is_hidden_at(path: &'static str) {
    let town = Town::new().await;
    let hides = Act::new(|world| {
        let project = format!("{GROUP}/{SLUG}");
        let fields = json!({ "visibility": "private", "name": format!("{CANARY} name"), "description": CANARY });
        world.admin().edit_project(&project, fields).unwrap();
        let charter = world.text(&project, "main", convenor_core::charter::PATH).unwrap();
        let secret = charter.replace("Rust at Work", CANARY).replace("darwinjs", "outsider");
        world
            .person("darwinjs")
            .unwrap()
            .push_file(&project, "main", convenor_core::charter::PATH, secret)
            .unwrap();
    });
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let fault = Fault::new(Effect::Before(hides)).user("convenor-bot").writes();
    town.gitlab
        .add_fault(fault.path(&format!("/projects/{handbook}/{path}")).unwrap().once());
    town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    let public = everything_public(&town).await;
    let around = public
        .find(CANARY)
        .map(|at| public[at.saturating_sub(600)..].chars().take(900).collect::<String>());
    assert_eq!(around, None, "{path}");
    let open = town
        .merge_requests()
        .into_iter()
        .filter(|mr| mr.state == "opened")
        .count();
    assert!(open <= 1, "{path}");
    if path == "repository/commits" {
        assert_eq!(
            open, 0,
            "the branch was made, and then it was looked again before anything was said"
        );
    }
}

#[tokio::test]
async fn a_project_that_is_hidden_on_the_way_is_not_named_on_the_page() {
    project_is_hidden_at("repository/commits").await;
    project_is_hidden_at("merge_requests").await;
}

/// The handbook opens up after this call of the founding.
async fn handbook_opens_after(method: &'static str, path: &str) {
    let town = Town::with(Config::default(), &[("visibility", "\"private\"")]).await;
    let handbook = json!({ "visibility": "private" });
    town.gitlab.admin().edit_project(HANDBOOK, handbook).unwrap();
    let charter = FORM.replace("Rust at Work", CANARY);
    town.gitlab
        .admin()
        .edit_project(INTAKE, json!({ "visibility": "private" }))
        .unwrap();
    town.opens("proposer", &charter);
    let opens = Act::new(|world| {
        world
            .admin()
            .edit_project(HANDBOOK, json!({ "visibility": "public" }))
            .unwrap();
    });
    let id = town.gitlab.project(HANDBOOK).unwrap().id;
    let path = path.replace("HANDBOOK", &id.to_string());
    let fault = Fault::new(Effect::After(opens)).user("convenor-bot").method(method);
    town.gitlab.add_fault(fault.path(&path).unwrap().once());
    town.settle().await;
    town.resync().await;
    assert_eq!(town.gitlab.project(HANDBOOK).unwrap().visibility, "public", "{path}");
    let public = everything_public(&town).await;
    assert!(!public.contains(CANARY), "{path}: {public}");
}

#[tokio::test]
async fn a_handbook_that_opens_up_names_no_private_community() {
    for (method, path) in [
        ("GET", "/projects/HANDBOOK/repository/files"),
        ("POST", "/projects$"),
        ("GET", "/members/all"),
        ("POST", "/repository/commits"),
        ("POST", "/graphql$"),
    ] {
        handbook_opens_after(method, path).await;
    }
}

#[tokio::test]
async fn private_neighbours_notes_and_pages_are_told_to_nobody() {
    let town = Town::new().await;
    // A private project of the group with canaries in all that a project says.
    let private = format!("{GROUP}/rust-{}", CANARY.to_lowercase());
    let charter = format!("name: Rust {CANARY}\nsummary: {CANARY}.\nstatus: active\nfacilitators: [darwinjs]\n");
    let files = [(convenor_core::charter::PATH, charter.as_str()), ("README.md", CANARY)];
    town.gitlab.add_project_with(&private, "private", &files).unwrap();
    let fields =
        json!({ "name": format!("Rust at {CANARY} Work"), "description": format!("Share what we learn {CANARY}") });
    town.gitlab.admin().edit_project(&private, fields).unwrap();
    // A confidential proposal for nearly the same.
    let proposer = town.gitlab.person("proposer").unwrap();
    let secret = FORM.replace("Rust at Work", &format!("Rust at {CANARY}"));
    let hidden = proposer.open_confidential_issue(INTAKE, CANARY, &secret).unwrap();
    proposer.add_labels(INTAKE, hidden, &["cop::proposed"]).unwrap();
    proposer
        .comment(INTAKE, hidden, &format!("{CANARY} @convenor-bot"))
        .unwrap();
    let iid = town.opens("guest", FORM);
    town.settle().await;
    // An approver says no, and why, where only members read it.
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let words = json!({ "body": format!("@convenor-bot decline because of {CANARY}"), "internal": true });
    maintainer
        .api(
            "POST",
            &format!("/projects/acme%2Fcops%2Fintake/issues/{iid}/notes"),
            words,
        )
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::declined"]);
    town.resync().await;
    let public = everything_public(&town).await;
    assert!(
        !public.contains(CANARY) && !public.contains(&CANARY.to_lowercase()),
        "{public}"
    );
    // Nobody outside reads the private page in the comment on a public issue.
    let page = PAGE.replace(
        "| Kubernetes | TBD |",
        &format!("| Kubernetes | TBD |\n| Rust at Worke {CANARY} | TBD |"),
    );
    let lead = town.gitlab.admin();
    lead.push_file(HANDBOOK, "main", PAGE_PATH, page).unwrap();
    lead.edit_project(HANDBOOK, json!({ "visibility": "private" })).unwrap();
    town.gitlab
        .add_member(HANDBOOK, "maintainer", Role::Maintainer)
        .unwrap();
    let other = town.opens("guest", &FORM.replace("Rust at Work", "Rust at Works"));
    town.settle().await;
    assert!(!town.comment(other).contains(CANARY), "{}", town.comment(other));
}
