//! A GitLab with people and a handbook, and a Convenor that looks after it, for one story.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use convenor::apply::Applier;
use convenor::assemble;
use convenor::cli::init;
use convenor::clock::Clock;
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::intake::{self, Budget, Intake, Secrets};
use convenor::look::GitLabLooker;
use convenor::observe::{Asked, Observer};
use convenor::server::{self, Limits};
use convenor::settings::Settings;
use convenor::store::{Store, WorkState};
use convenor::worker::{Look, Worker};
use convenor_core::plan::init::Wishes;
use convenor_core::thing::{ProgramName, Thing};
use gitlab_sandbox::{Config, IssueView, MergeRequestView, Role, Sandbox};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::canary;

pub(super) const GROUP: &str = "acme/cops";
pub(super) const INTAKE: &str = "acme/cops/intake";
pub(super) const HANDBOOK: &str = "acme/handbook";
pub(super) const PAGE_PATH: &str = "content/cop.md";
pub(super) const SECRET: &str = "a-secret-of-at-least-24-characters";

/// A page like the one of the specification: sorted, with a malformed row, `(inactive)`, `TBD` and a cell in prose.
pub(super) const PAGE: &str = "\
---
title: Communities of Practice
---

## Current communities

| Subject | Facilitator |
| ------- | ----------- |
| [Agile](https://gitlab.example.com/acme/agile) | Lead: [Bart Zhang (@bzhang7)](https://gitlab.example.com/bzhang7), Co-Leads: @brian |
| Defending against GitHub]| @darwinjs |
| Kubernetes | TBD |
| Security | @sam (inactive) |
| Value Streams | [Vera](https://gitlab.example.com/vera) |

## Past communities

Nothing yet — and “mojibake” like Ã© stays.
";

pub(super) const FORM: &str = "\
### Focus topic

Rust at Work

### Purpose and scope

Share what we learn while we use Rust in production. Everybody who writes Rust, or would like to, is welcome.

### Facilitators

@darwinjs, @brianwald

### Members

@alice @bob

### Cadence

Monthly, first Tuesday, 16:00 UTC, 50 minutes
";

pub(super) struct Town {
    pub(super) gitlab: Sandbox,
    pub(super) store: Store,
    settings: Settings,
    worker: Worker<GitLabLooker>,
    hands: Arc<AtomicI64>,
    pub(super) door: String,
    http: reqwest::Client,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
        if !std::thread::panicking() {
            canary::nothing_told(self.folder.path(), &self.gitlab);
        }
    }
}

impl Town {
    /// The usual town: a public group, a public handbook, `init` done, webhooks working.
    pub(super) async fn new() -> Self {
        Self::with(Config::default(), &[]).await
    }

    /// A town with other settings of the first program, as pairs of key and TOML value.
    pub(super) async fn with(config: Config, program: &[(&str, &str)]) -> Self {
        Self::with_pages(config, program, &one_page("")).await
    }

    /// A town with more settings of its handbook page, as TOML.
    pub(super) async fn with_manners(manners: &str) -> Self {
        Self::with_pages(Config::default(), &[], &one_page(manners)).await
    }

    /// A town with these handbook pages, as TOML.
    pub(super) async fn with_pages(config: Config, program: &[(&str, &str)], pages: &str) -> Self {
        let config = Config {
            send_hooks: false,
            ..config
        };
        let gitlab = Sandbox::start(config).unwrap();
        let token = people(&gitlab);
        canary::watch(&token);
        canary::watch(SECRET);
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = format!("http://{}", listener.local_addr().unwrap());
        let settings = settings(&gitlab, &folder, &door, &token, (program, pages));
        let store = Store::open(&settings.database.url).await.unwrap();
        let hands = Arc::new(AtomicI64::new(0));
        let worker = worker(&settings, &store, &hands);
        let stop = CancellationToken::new();
        open_door(listener, &settings, &store, &hands, &stop);
        let town = Self {
            gitlab,
            store,
            settings,
            worker,
            hands,
            door,
            // As GitLab: a connection for each delivery.
            http: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            stop,
            folder,
        };
        town.init().await;
        town.gitlab.forget_calls();
        town
    }

    /// `convenor init`.
    pub(super) async fn init(&self) {
        let client = assemble::client(&self.settings).unwrap();
        let secrets = HookSecrets::new(&self.settings.webhook);
        let applier = Applier::new(client.writer(), self.store.clone(), clock(&self.hands), secrets);
        let own = OwnHooks::new(&self.settings);
        for program in &self.settings.programs {
            let observer = Observer::new(client.reader(), program.program.clone());
            init::set_up(&observer, &own, Some(&applier), Wishes::default(), &mut |_| {})
                .await
                .unwrap();
        }
    }

    /// A member of the group opens a proposal; gives its number.
    pub(super) fn opens(&self, who: &str, description: &str) -> u64 {
        let person = self.gitlab.person(who).unwrap();
        person
            .open_issue(INTAKE, "New community", description, &["cop::proposed"])
            .unwrap()
    }

    /// Delivers webhooks and looks at whatever is due, moving the clock over retries, until nothing is left.
    pub(super) async fn settle(&self) {
        for _ in 0..200 {
            self.deliver().await;
            while self.worker.run_due_once().await.unwrap().is_some() {
                self.deliver().await;
            }
            if self.gitlab.waiting_hooks() == 0 && !self.wait_for_retries().await {
                return canary::shows_nothing(&self.http, &self.door).await;
            }
        }
        panic!("does not settle: {:?}", self.store.list_work().await.unwrap());
    }

    /// Settles with four workers side by side.
    pub(super) async fn settle_side_by_side(&self) {
        for _ in 0..100 {
            self.deliver().await;
            let one = || self.worker.run_due_once();
            let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
            let idle = [a, b, c, d].into_iter().all(|looked| looked.unwrap().is_none());
            if idle && self.gitlab.waiting_hooks() == 0 && !self.wait_for_retries().await {
                return;
            }
        }
        panic!("does not settle: {:?}", self.store.list_work().await.unwrap());
    }

    /// `convenor apply` with what an operator asks for, for one thing.
    pub(super) async fn applies(&self, thing: &Thing, asked: Asked) {
        let client = assemble::client(&self.settings).unwrap();
        let planner = assemble::planner(&self.settings, &client, self.store.clone(), clock(&self.hands)).unwrap();
        let looker = assemble::looker(
            &self.settings,
            &client,
            planner.asked(asked),
            self.store.clone(),
            clock(&self.hands),
        );
        let worker = Worker::new(
            self.store.clone(),
            Arc::new(looker),
            clock(&self.hands),
            self.settings.worker,
        );
        let looked = worker.look_now(thing, "convenor apply").await.unwrap().unwrap();
        assert!(matches!(looked.look, Some(Look::Done { .. })), "{:?}", looked.look);
    }

    /// Delivers and looks until a look fails, and leaves it at that.
    pub(super) async fn look_until_something_fails(&self) {
        for _ in 0..50 {
            self.deliver().await;
            match self.worker.run_due_once().await.unwrap() {
                Some(looked) if matches!(looked.look, Some(Look::Done { .. })) => {}
                None if self.gitlab.waiting_hooks() > 0 => {}
                _ => return,
            }
        }
    }

    /// The process starts again on the same database.
    pub(super) async fn restart(&mut self) {
        self.store.close().await;
        self.start().await;
    }

    /// The process starts again on an empty database.
    pub(super) async fn loses_its_database(&mut self) {
        self.store.close().await;
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        self.start().await;
    }

    async fn start(&mut self) {
        self.store = Store::open(&self.settings.database.url).await.unwrap();
        self.worker = worker(&self.settings, &self.store, &self.hands);
        self.stop.cancel();
        self.stop = CancellationToken::new();
        let address = self.door.trim_start_matches("http://").to_owned();
        let listener = loop {
            match tokio::net::TcpListener::bind(&address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        open_door(listener, &self.settings, &self.store, &self.hands, &self.stop);
    }

    /// Looks without any webhook: only the scheduled resync.
    pub(super) async fn resync(&self) {
        let program = Thing::Program(ProgramName::new("cop").unwrap());
        self.store.knock(&[program], "schedule", self.now()).await.unwrap();
        self.settle().await;
    }

    /// Looks for some minutes: longer than removals wait for each other, shorter than they count.
    pub(super) async fn some_minutes(&self) {
        for _ in 0..12 {
            self.deliver().await;
            while self.worker.run_due_once().await.unwrap().is_some() {
                self.deliver().await;
            }
            self.forward(Duration::from_secs(31));
        }
    }

    /// Hands what GitLab wants to send to our door, over HTTP.
    async fn deliver(&self) {
        for delivery in self.gitlab.take_deliveries() {
            assert!(delivery.url.starts_with(&self.door), "{}", delivery.url);
            let mut request = self.http.post(&delivery.url).body(delivery.body);
            for (name, value) in &delivery.headers {
                request = request.header(name, value);
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert!((200..300).contains(&status), "{status}");
            self.gitlab.answer_delivery(delivery.id, Some(status));
        }
    }

    /// Moves the clock to the next retry of a failed look, if there is one.
    async fn wait_for_retries(&self) -> bool {
        let work = self.store.list_work().await.unwrap();
        let held: Vec<_> = work.iter().filter(|work| work.state != WorkState::Ready).collect();
        assert!(held.is_empty(), "held: {held:?}");
        let failed = work.into_iter().filter(|work| work.last_error.is_some());
        let Some(due) = failed.filter_map(|work| work.due_at).min() else {
            return false;
        };
        let wait = due.duration_since(self.now()).max(SignedDuration::ZERO);
        self.forward(Duration::try_from(wait).unwrap() + Duration::from_millis(1));
        true
    }

    pub(super) fn forward(&self, time: Duration) {
        self.hands
            .fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn now(&self) -> Timestamp {
        clock(&self.hands).now()
    }

    pub(super) fn issue(&self, iid: u64) -> IssueView {
        self.gitlab.issue(INTAKE, iid).unwrap()
    }

    /// State labels of a proposal.
    pub(super) fn state(&self, iid: u64) -> Vec<String> {
        let labels = self.issue(iid).labels.into_iter();
        labels.filter(|label| label.starts_with("cop::")).collect()
    }

    /// The bot's one comment on a proposal.
    pub(super) fn comment(&self, iid: u64) -> String {
        let notes = self.gitlab.notes(INTAKE, iid).unwrap();
        let mut ours = notes.into_iter().filter(|note| note.author.username == "convenor-bot");
        let comment = ours.next().expect("a comment of the bot").body;
        assert!(ours.next().is_none(), "never a second comment");
        comment
    }

    pub(super) fn merge_requests(&self) -> Vec<MergeRequestView> {
        self.gitlab.merge_requests(HANDBOOK).unwrap()
    }

    /// The open merge requests, oldest first.
    pub(super) fn open(&self) -> Vec<MergeRequestView> {
        let all = self.merge_requests().into_iter();
        all.filter(|mr| mr.state == "opened").collect()
    }

    /// The one open merge request.
    pub(super) fn merge_request(&self) -> MergeRequestView {
        let mut open = self.open();
        assert_eq!(open.len(), 1, "{open:?}");
        open.remove(0)
    }

    pub(super) fn page(&self, branch: &str) -> String {
        self.gitlab.text(HANDBOOK, branch, PAGE_PATH).unwrap()
    }

    /// Exactly one of everything for the community at this path, and nothing that GitLab found odd.
    pub(super) fn has_exactly_one_of_everything(&self, path: &str) {
        let project = format!("{GROUP}/{path}");
        let projects: Vec<_> = self
            .gitlab
            .projects(GROUP)
            .unwrap()
            .into_iter()
            .filter(|project| project.path.starts_with(path))
            .collect();
        assert_eq!(projects.len(), 1, "{projects:?}");
        assert_eq!(self.gitlab.boards(&project).unwrap().len(), 1);
        assert_eq!(self.gitlab.boards(&project).unwrap()[0].lists.len(), 4);
        assert_eq!(self.gitlab.commits(&project, "main").unwrap().len(), 1);
        let titles: Vec<_> = self
            .gitlab
            .issues(&project)
            .unwrap()
            .into_iter()
            .map(|issue| issue.title)
            .collect();
        assert_eq!(
            titles.iter().filter(|title| title.starts_with("Kick-off")).count(),
            1,
            "{titles:?}"
        );
        let branch = format!("convenor/{path}");
        let of_branch = self
            .merge_requests()
            .into_iter()
            .filter(|mr| mr.source_branch == branch)
            .count();
        assert_eq!(of_branch, 1);
        assert_eq!(self.gitlab.violations(), Vec::<String>::new());
    }

    /// The page differs from `PAGE` by exactly one added line.
    pub(super) fn added_line(&self, branch: &str) -> String {
        one_more_line(PAGE.as_bytes(), &self.page_bytes(branch))
    }

    pub(super) fn page_bytes(&self, branch: &str) -> Vec<u8> {
        self.gitlab.file(HANDBOOK, branch, PAGE_PATH).unwrap()
    }

    /// A maintainer changes the page on its branch.
    pub(super) fn page_becomes(&self, page: impl AsRef<[u8]>) {
        let maintainer = self.gitlab.person("maintainer").unwrap();
        maintainer.push_file(HANDBOOK, "main", PAGE_PATH, page).unwrap();
    }

    /// A maintainer merges the one open merge request.
    pub(super) fn merges(&self) {
        let maintainer = self.gitlab.person("maintainer").unwrap();
        maintainer.merge(HANDBOOK, self.merge_request().iid).unwrap();
    }

    /// The lines that a merge request takes away and adds, as its page shows them to a maintainer.
    pub(super) fn shown_diff(&self, iid: u64) -> Vec<String> {
        let files = self.gitlab.merge_request_diff(HANDBOOK, iid).unwrap();
        assert!(files.iter().all(|file| file.new_path == PAGE_PATH), "{files:?}");
        let lines = files.iter().flat_map(|file| file.diff.lines());
        lines
            .filter(|line| line.starts_with(['+', '-']))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// A community's charter becomes this, by a facilitator's push.
    pub(super) fn charter_becomes(&self, path: &str, charter: &str) {
        let facilitator = self.gitlab.person("darwinjs").unwrap();
        let project = format!("{GROUP}/{path}");
        facilitator
            .push_file(&project, "main", convenor_core::charter::PATH, charter)
            .unwrap();
    }

    pub(super) fn charter(&self, path: &str) -> String {
        let project = format!("{GROUP}/{path}");
        self.gitlab
            .text(&project, "main", convenor_core::charter::PATH)
            .unwrap()
    }

    /// What an operator reads about a thing (`convenor plan`): nothing due, and why.
    pub(super) async fn report(&self, thing: &Thing) -> String {
        let client = assemble::client(&self.settings).unwrap();
        let planner = assemble::planner(&self.settings, &client, self.store.clone(), clock(&self.hands)).unwrap();
        let plan = planner.plan(thing).await.unwrap();
        assert!(plan.is_empty(), "{plan:?}");
        plan.report
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// The usual page's settings, with more keys.
pub(super) fn one_page(more: &str) -> String {
    format!(
        "[program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n{more}"
    )
}

/// The line that `after` has more than `before`; every other byte has to be the same.
pub(super) fn one_more_line(before: &[u8], after: &[u8]) -> String {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let start = before[..same]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let added = after.len().checked_sub(before.len()).expect("the page became shorter");
    assert!(
        after[start + added..] == before[start..],
        "more than one line changed:\n{}",
        String::from_utf8_lossy(after)
    );
    let line = String::from_utf8(after[start..start + added].to_vec()).unwrap();
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    line.trim_end().to_owned()
}

/// The webhook door, over real HTTP.
fn open_door(
    listener: tokio::net::TcpListener,
    settings: &Settings,
    store: &Store,
    hands: &Arc<AtomicI64>,
    stop: &CancellationToken,
) {
    let routes = intake::routes(Arc::new(Intake {
        secrets: Secrets::new(&settings.webhook).unwrap(),
        store: store.clone(),
        clock: clock(hands),
        programs: settings
            .programs
            .iter()
            .map(|program| program.program.clone())
            .collect(),
        budget: Budget::new(settings.server.body_memory),
        body_timeout: settings.server.body_timeout,
        keep_all_bodies: false,
    }));
    let limits = Limits {
        connections: 100,
        header_timeout: Duration::from_secs(5),
        drain: Duration::from_secs(1),
    };
    tokio::spawn(server::serve(listener, routes, limits, stop.clone()));
}

pub(super) fn people(gitlab: &Sandbox) -> String {
    gitlab.add_group_with("acme", "public").unwrap();
    gitlab.add_group_with(GROUP, "public").unwrap();
    gitlab
        .add_project_with(INTAKE, "public", &[("README.md", "# Intake\n")])
        .unwrap();
    gitlab
        .add_project_with(HANDBOOK, "public", &[(PAGE_PATH, PAGE)])
        .unwrap();
    for name in ["darwinjs", "brianwald", "alice", "bob", "outsider"] {
        gitlab.add_user(name);
    }
    gitlab.add_member(GROUP, "proposer", Role::Reporter).unwrap();
    gitlab.add_member("acme", "maintainer", Role::Maintainer).unwrap();
    gitlab.add_member(GROUP, "guest", Role::Guest).unwrap();
    gitlab.add_bot("convenor-bot");
    gitlab.add_member("acme", "convenor-bot", Role::Owner).unwrap();
    gitlab.add_token("convenor-bot")
}

fn settings(
    gitlab: &Sandbox,
    folder: &tempfile::TempDir,
    door: &str,
    token: &str,
    (program, pages): (&[(&str, &str)], &str),
) -> Settings {
    let more: String = program
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    let text = format!(
        "[server]\npublic_url = \"{door}\"\n[gitlab]\nurl = \"{}\"\nrate_share = \"100%\"\n\
         [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\n{more}\
         {pages}",
        gitlab.url()
    );
    let database = format!("sqlite://{}", folder.path().join("convenor.db").display());
    let environment: BTreeMap<String, String> = [
        ("CONVENOR_GITLAB__TOKEN", token),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET),
        ("CONVENOR_DATABASE__URL", &database),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    Settings::parse(&text, &environment).unwrap()
}

pub(super) fn worker(settings: &Settings, store: &Store, hands: &Arc<AtomicI64>) -> Worker<GitLabLooker> {
    let client = assemble::client(settings).unwrap();
    let planner = assemble::planner(settings, &client, store.clone(), clock(hands)).unwrap();
    let looker = assemble::looker(settings, &client, planner, store.clone(), clock(hands)).with_pause(Duration::ZERO);
    Worker::new(store.clone(), Arc::new(looker), clock(hands), settings.worker)
}

/// The machine's clock, moved forward by a story.
pub(super) fn clock(hands: &Arc<AtomicI64>) -> Clock {
    let hands = hands.clone();
    let system = Clock::system();
    Clock::from_fn(move || system.now() + SignedDuration::from_millis(hands.load(Ordering::SeqCst)))
}
