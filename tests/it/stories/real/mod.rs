//! The main story on a GitLab that is no sandbox, where somebody names one:
//!
//!     GITLAB_TEST_URL=https://gitlab.example.com GITLAB_TEST_TOKEN=… GITLAB_TEST_PEOPLE=second,third \
//!         cargo test --test it -- stories::real --nocapture
//!
//! It is written against a sandbox and has never been run against GitLab. docs/development.md says what it makes there.

mod place;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use convenor::apply::Applier;
use convenor::assemble;
use convenor::cli::init;
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::look::GitLabLooker;
use convenor::observe::Observer;
use convenor::settings::Settings;
use convenor::store::Store;
use convenor::worker::{Look, Worker};
use convenor_core::plan::init::Wishes;
use convenor_core::thing::{ProgramName, Thing};
use futures_util::FutureExt as _;
use gitlab_sandbox::{Config, Sandbox};
use serde_json::{Value, json};

use super::town::{FORM, PAGE_PATH, SECRET, clock, worker};
use place::{Place, Target};

/// A Convenor that looks after a throw-away group. GitLab cannot reach it: everything is found by looking.
struct Convenor {
    settings: Settings,
    store: Store,
    worker: Worker<GitLabLooker>,
    hands: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Convenor {
    async fn new(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[gitlab]\nurl = \"{}\"\n[[program]]\nname = \"cop\"\ngroup = \"{path}\"\nintake = \"{path}/intake\"\n\
             [program.handbook]\nproject = \"{path}/handbook\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n",
            place.target.url,
            path = place.path,
        );
        let database = format!("sqlite://{}", folder.path().join("convenor.db").display());
        let environment: BTreeMap<String, String> = [
            ("CONVENOR_GITLAB__TOKEN", place.bot_token.as_str()),
            ("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET),
            ("CONVENOR_DATABASE__URL", &database),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
        let settings = Settings::parse(&text, &environment).unwrap();
        let store = Store::open(&settings.database.url).await.unwrap();
        let hands = Arc::new(AtomicI64::new(0));
        let worker = worker(&settings, &store, &hands);
        Self {
            settings,
            store,
            worker,
            hands,
            _folder: folder,
        }
    }

    /// `convenor init`, or with `dry` only what it says.
    async fn init(&self, dry: bool) -> String {
        let client = assemble::client(&self.settings).unwrap();
        let secrets = HookSecrets::new(&self.settings.webhook);
        let applier = Applier::new(client.writer(), self.store.clone(), clock(&self.hands), secrets);
        let observer = Observer::new(client.reader(), self.settings.programs[0].program.clone());
        let (mut said, applier) = (String::new(), (!dry).then_some(&applier));
        let own = OwnHooks::new(&self.settings);
        init::set_up(&observer, &own, applier, Wishes::default(), &mut |line| {
            said.push_str(line);
        })
        .await
        .unwrap();
        said
    }

    /// One full round of looks; what failed is looked at again after a pause, a few times.
    async fn looks(&self, pause: Duration) {
        for _ in 0..10 {
            let program = Thing::Program(ProgramName::new("cop").unwrap());
            let now = clock(&self.hands).now();
            self.store.knock(&[program], "story", now).await.unwrap();
            let mut failed = false;
            while let Some(looked) = self.worker.run_due_once().await.unwrap() {
                failed |= !matches!(looked.look, Some(Look::Done { .. }));
            }
            if !failed {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        panic!("looks go on failing: {:?}", self.store.list_work().await.unwrap());
    }
}

/// From a faulty proposal to a community that is listed, told by what is in GitLab.
async fn the_main_story(place: &Place) {
    let convenor = Convenor::new(place).await;
    convenor.init(false).await;
    let again = convenor.init(true).await;
    assert!(!again.contains("would "), "init is done: {again}");

    let form = FORM
        .replace("@darwinjs, @brianwald", &format!("@{}", place.me))
        .replace(
            "@alice @bob",
            &format!("@{} @{}", place.target.people[0], place.target.people[1]),
        );
    let faulty = form.replace(&format!("@{}", place.me), "@nobody-of-that-name-at-all");
    let new = json!({ "title": "New community", "description": faulty, "labels": "cop::proposed" });
    let issue = place
        .call("POST", &place.project("intake", "/issues"), new)
        .await
        .unwrap();
    let issue = place.project("intake", &format!("/issues/{}", issue["iid"]));
    convenor.looks(place.target.pause).await;
    assert_eq!(states(&place.get(&issue).await), ["cop::needs-info"]);

    place.call("PUT", &issue, json!({ "description": form })).await.unwrap();
    convenor.looks(place.target.pause).await;
    let said = place.get(&format!("{issue}/notes")).await;
    assert_eq!(states(&place.get(&issue).await), ["cop::approved"], "{said}");
    let made = Made::read(place, &issue).await;
    assert_eq!((made.comments, made.boards, made.commits), (1, 1, 1));
    convenor.looks(place.target.pause).await;
    assert_eq!(Made::read(place, &issue).await, made, "a second look makes nothing");

    let open = place
        .get(&place.project("handbook", "/merge_requests?state=opened"))
        .await;
    assert_eq!(open.as_array().unwrap().len(), 1, "{open}");
    let request = place.project("handbook", &format!("/merge_requests/{}", open[0]["iid"]));
    let diffs = place
        .until(&format!("{request}/diffs"), |diffs| diffs[0].is_object())
        .await;
    let diff = diffs[0]["diff"].as_str().unwrap();
    let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(
        changed.len() == 1 && changed[0].starts_with("+| [Rust at Work]("),
        "{diff}"
    );

    let ready = place
        .until(&request, |r| r["detailed_merge_status"] == "mergeable")
        .await;
    let sha = json!({ "sha": ready["sha"] });
    place.call("PUT", &format!("{request}/merge"), sha).await.unwrap();
    convenor.looks(place.target.pause).await;
    let issue = place.get(&issue).await;
    assert_eq!(
        (issue["state"].as_str(), states(&issue)),
        (Some("closed"), vec!["cop::active".to_owned()])
    );
}

fn states(issue: &Value) -> Vec<String> {
    let labels = issue["labels"].as_array().unwrap().iter();
    let labels = labels.filter_map(|label| label.as_str().map(str::to_owned));
    labels.filter(|label| label.starts_with("cop::")).collect()
}

/// How much of everything there is.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    comments: usize,
    boards: usize,
    commits: usize,
    issues: usize,
    labels: usize,
    merge_requests: usize,
}

impl Made {
    async fn read(place: &Place, issue: &str) -> Self {
        let count = async |path: String| place.get(&path).await.as_array().unwrap().len();
        let own = |rest: &str| place.project("rust-at-work", rest);
        let comments = place.get(&format!("{issue}/notes?per_page=100")).await;
        let by_bot = |note: &&Value| note["author"]["id"] == place.bot_id && note["system"] == false;
        Self {
            comments: comments.as_array().unwrap().iter().filter(by_bot).count(),
            boards: count(own("/boards")).await,
            commits: count(own("/repository/commits")).await,
            issues: count(own("/issues?per_page=100")).await,
            labels: count(own("/labels?per_page=100")).await,
            merge_requests: count(place.project("handbook", "/merge_requests?state=all")).await,
        }
    }
}

/// Tells the story in a group of its own, and removes the group however the story ends.
async fn tell(target: Target) {
    let place = Place::make(target).await;
    let told = AssertUnwindSafe(the_main_story(&place)).catch_unwind().await;
    place.remove().await;
    if let Err(why) = told {
        std::panic::resume_unwind(why);
    }
}

#[tokio::test]
async fn the_main_story_on_the_gitlab_that_was_named() {
    let variable = |name: &str| {
        std::env::var_os(name)
            .and_then(|v| v.into_string().ok())
            .filter(|v| !v.is_empty())
    };
    let named = (
        variable("GITLAB_TEST_URL"),
        variable("GITLAB_TEST_TOKEN"),
        variable("GITLAB_TEST_PEOPLE"),
    );
    let (Some(url), Some(token), Some(people)) = named else {
        eprintln!("no GitLab is named with GITLAB_TEST_URL, GITLAB_TEST_TOKEN and GITLAB_TEST_PEOPLE");
        return;
    };
    let people: Vec<String> = people.split(',').map(|name| name.trim().to_owned()).collect();
    let people = people
        .try_into()
        .expect("GITLAB_TEST_PEOPLE is two usernames with a comma between");
    let parent = variable("GITLAB_TEST_PARENT").map(|p| p.parse().expect("GITLAB_TEST_PARENT is a group's number"));
    let (bot_token, pause) = (variable("GITLAB_TEST_BOT_TOKEN"), Duration::from_secs(2));
    tell(Target {
        url,
        token,
        people,
        parent,
        bot_token,
        pause,
    })
    .await;
}

/// The way of a real one, tried on a sandbox: nothing but its address and a token, and only the group it made is touched.
async fn told_on_a_sandbox(config: Config, with_parent: bool, with_second_account: bool) {
    let gitlab = Sandbox::start(config).unwrap();
    gitlab.add_project("elsewhere/theirs").unwrap();
    let token = gitlab.add_token("person");
    for name in ["second", "third"] {
        gitlab.add_user(name);
    }
    let mut parent = None;
    if with_parent {
        parent = Some(gitlab.add_group("house").unwrap());
        gitlab
            .add_member("house", "person", gitlab_sandbox::Role::Owner)
            .unwrap();
    }
    tell(Target {
        url: gitlab.url().to_owned(),
        token,
        people: ["second", "third"].map(str::to_owned),
        parent,
        bot_token: with_second_account.then(|| gitlab.add_token("bot")),
        pause: Duration::ZERO,
    })
    .await;
    assert_eq!(gitlab.violations(), Vec::<String>::new());
    let groups = gitlab.look("/groups?per_page=100").unwrap();
    assert!(!groups.to_string().contains("convenor-test-"), "{groups}");
    assert_eq!(gitlab.commits("elsewhere/theirs", "main").unwrap().len(), 1);
}

#[tokio::test]
async fn a_sandbox_that_is_taken_for_a_real_gitlab_is_left_as_it_was() {
    told_on_a_sandbox(Config::default(), false, false).await;
}

#[tokio::test]
async fn a_parent_and_a_second_account_do_as_well() {
    told_on_a_sandbox(Config::free(), true, true).await;
}
