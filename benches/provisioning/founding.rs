//! A community from its approval to its merge request, on a GitLab in this process that is so far away: which calls that takes,
//! when each began and when it ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use convenor::apply::Applier;
use convenor::assemble;
use convenor::cli::init;
use convenor::clock::Clock;
use convenor::gitlab::{Broken, Transport, Words};
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::observe::Observer;
use convenor::settings::Settings;
use convenor::store::Store;
use convenor::worker::Worker;
use convenor_core::ids::IssueIid;
use convenor_core::plan::init::Wishes;
use convenor_core::thing::{ProgramName, Thing};
use gitlab_sandbox::{Config, Role, World};
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const URL: &str = "https://gitlab.example.com";
const GROUP: &str = "acme/cops";
const INTAKE: &str = "acme/cops/intake";
const HANDBOOK: &str = "acme/handbook";
const PAGE_PATH: &str = "content/cop.md";
const BOT: &str = "convenor-bot";

const PAGE: &str =
    "# Communities\n\n## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n| Agile | @bob |\n";

/// Two facilitators and the third person that a community needs at least.
const FORM: &str = "### Focus topic\n\nRust at Work\n\n### Purpose and scope\n\nShare what we learn while we use Rust in production. \
                    Everybody who writes Rust is welcome.\n\n### Facilitators\n\n@darwinjs, @brianwald\n\n### Members\n\n@alice\n\n\
                    ### Cadence\n\nMonthly, first Tuesday, 16:00 UTC, 50 minutes\n";

/// One call of the API, in latencies since the approval.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `GET`, `POST`…
    pub(crate) method: String,
    /// Path and query, below the API's root; of a GraphQL document its first words.
    pub(crate) what: String,
    /// Whether it may change something.
    pub(crate) writes: bool,
    /// The answer's status.
    pub(crate) status: u16,
    /// When it was sent.
    pub(crate) began: f64,
    /// When its answer was there.
    pub(crate) ended: f64,
}

/// How a founding went.
#[derive(Clone, Debug)]
pub(crate) struct Founding {
    /// All calls, in the order of their sending.
    pub(crate) calls: Vec<Call>,
    /// When everything was there, the link to the merge request in the comment included.
    pub(crate) done: f64,
    /// The sandbox's own objections.
    pub(crate) violations: Vec<String>,
}

impl Founding {
    /// Calls up to the moment when everything was there: reads, then writes.
    pub(crate) fn until_done(&self) -> (usize, usize) {
        let until = self.calls.iter().filter(|call| call.ended <= self.done + 0.001);
        let (writes, reads): (Vec<_>, Vec<_>) = until.partition(|call| call.writes);
        (reads.len(), writes.len())
    }

    /// When the making of the project was sent: from here on, something is made.
    pub(crate) fn project_began(&self) -> f64 {
        let made = self.calls.iter().find(|call| call.writes && call.what == "projects");
        made.map_or(0.0, |call| call.began)
    }

    /// How many calls had to wait for one another until everything was there: since the approval, and since the making of the project.
    pub(crate) fn depth(&self) -> (u32, u32) {
        let whole = |latencies: f64| latencies.round() as u32;
        (whole(self.done), whole(self.done - self.project_began()))
    }

    /// Calls after that, until nobody had anything to do any more.
    pub(crate) fn afterwards(&self) -> usize {
        self.calls.iter().filter(|call| call.ended > self.done + 0.001).count()
    }

    /// When the project had everything and the comment said so.
    pub(crate) fn filled(&self) -> f64 {
        let since = self.project_began();
        let told = self
            .calls
            .iter()
            .find(|call| call.writes && call.began > since && call.what.contains("/notes/"));
        told.map_or(f64::INFINITY, |call| call.ended)
    }

    /// Calls from the making of the project on: reads, then writes.
    pub(crate) fn since_project(&self) -> (usize, usize) {
        let since = self.project_began();
        let made = self
            .calls
            .iter()
            .filter(|call| call.began >= since && call.ended <= self.done + 0.001);
        let (writes, reads): (Vec<_>, Vec<_>) = made.partition(|call| call.writes);
        (reads.len(), writes.len())
    }
}

/// The way to a GitLab that is far away.
struct Wire {
    world: World,
    latency: Duration,
    began: Mutex<Instant>,
    base: Timestamp,
    start: Instant,
    calls: Mutex<Vec<Call>>,
    graphql: bool,
    store: Store,
    meanwhile: Meanwhile,
}

/// What somebody does with the proposal just after the merge request was opened, and a webhook tells of.
pub(crate) type Meanwhile = Option<fn(&World, u64)>;

impl Wire {
    fn at(&self) -> f64 {
        let since = self.began.lock().unwrap().elapsed();
        since.as_secs_f64() / self.latency.as_secs_f64()
    }

    fn now(&self) -> Timestamp {
        self.base + SignedDuration::try_from(self.start.elapsed()).unwrap()
    }

    fn forget(&self) {
        *self.began.lock().unwrap() = Instant::now();
        self.calls.lock().unwrap().clear();
    }

    fn effect(&self, request: Request<Bytes>) -> Response<Bytes> {
        let behind = self.now().duration_since(self.world.now());
        if behind.is_positive() {
            self.world.advance(behind);
        }
        if !self.graphql && request.uri().path().ends_with("/graphql") {
            let mut answer = Response::new(Bytes::from_static(b"{\"error\":\"404 Not Found\"}"));
            *answer.status_mut() = StatusCode::NOT_FOUND;
            return answer;
        }
        self.world.exchange(request).received.whole().unwrap()
    }
}

#[async_trait]
impl Transport for Wire {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let path = request.uri().path().trim_start_matches("/api/v4/").to_owned();
        let document = path
            .ends_with("/graphql")
            .then(|| String::from_utf8_lossy(request.body()).into_owned());
        let is_mutation = document.as_ref().is_some_and(|text| text.contains("mutation("));
        let what = match (document, request.uri().query()) {
            (Some(text), _) => text.chars().take(100).collect(),
            (None, Some(query)) => format!("{path}?{query}"),
            (None, None) => path,
        };
        let method = request.method().to_string();
        let writes = is_mutation || (method != "GET" && !what.starts_with('{'));
        let began = self.at();
        tokio::time::sleep(self.latency / 2).await;
        let answer = self.effect(request);
        tokio::time::sleep(self.latency / 2).await;
        self.calls.lock().unwrap().push(Call {
            method: method.clone(),
            what: what.clone(),
            writes,
            status: answer.status().as_u16(),
            began,
            ended: self.at(),
        });
        if let (Some(meanwhile), "POST", true) = (self.meanwhile, method.as_str(), what.ends_with("/merge_requests")) {
            meanwhile(&self.world, 1);
            let proposal = Thing::Proposal(ProgramName::new("cop").unwrap(), IssueIid(1));
            let proposal = std::slice::from_ref(&proposal);
            self.store.knock(proposal, "Note Hook", self.now()).await.unwrap();
        }
        if answer.status().is_server_error() {
            return Err(Broken::Lost(Words::new("the sandbox has a fault")));
        }
        Ok(answer)
    }
}

/// Founds a community; `graphql`: whether this GitLab serves it.
pub(crate) async fn found(latency: Duration, graphql: bool, store: Store, meanwhile: Meanwhile) -> Founding {
    let base: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let world = World::in_process(Config::still(base), URL);
    let token = people(&world);
    let settings = settings(&token);
    let now = Instant::now();
    let wire = Arc::new(Wire {
        world: world.clone(),
        latency,
        began: Mutex::new(now),
        base,
        start: now,
        calls: Mutex::default(),
        graphql,
        store: store.clone(),
        meanwhile,
    });
    let client = assemble::client_over(wire.clone(), &settings).unwrap();
    let at = wire.clone();
    let clock = Clock::from_fn(move || at.now());
    let applier = Applier::new(
        client.writer(),
        store.clone(),
        clock.clone(),
        HookSecrets::new(&settings.webhook),
    );
    let own = OwnHooks::new(&settings);
    for program in &settings.programs {
        let observer = Observer::new(client.reader(), program.program.clone());
        init::set_up(&observer, &own, Some(&applier), Wishes::default(), &mut |_| {})
            .await
            .unwrap();
    }
    let planner = assemble::planner(&settings, &client, store.clone(), clock.clone()).unwrap();
    let looker = assemble::looker(&settings, &client, planner, store.clone(), clock.clone());
    let worker = Worker::new(store.clone(), Arc::new(looker), clock, settings.worker);

    let issue = world
        .person("proposer")
        .unwrap()
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed"])
        .unwrap();
    let program = ProgramName::new("cop").unwrap();
    let proposal = Thing::Proposal(program.clone(), IssueIid(issue));
    store
        .knock(std::slice::from_ref(&proposal), "opened", wire.now())
        .await
        .unwrap();
    while worker.run_due_once().await.unwrap().is_some() {}
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.advance(wire.now().duration_since(world.now()));
    world
        .person("maintainer")
        .unwrap()
        .comment(INTAKE, issue, "@convenor-bot approve")
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // A new project has the service's own webhooks looked at, beside and once for all that are new: another process does that here.
    let lifeline = Thing::Lifeline(program);
    // So long ago that it comes first.
    let due = base - SignedDuration::from_hours(24);
    store
        .knock(std::slice::from_ref(&lifeline), "aside", due)
        .await
        .unwrap();
    let aside = store.claim(wire.now(), Duration::from_secs(24 * 3600)).await.unwrap();
    assert_eq!(aside.map(|claim| claim.thing), Some(lifeline.clone()));

    wire.forget();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (worker, stop) = (worker.clone(), stop.clone());
        async move { worker.run(stop).await }
    });
    store
        .knock(std::slice::from_ref(&proposal), "approved", wire.now())
        .await
        .unwrap();
    let mut done = None;
    for _ in 0..4_000 {
        tokio::time::sleep(latency / 10).await;
        if done.is_none() && is_done(&world, issue) {
            // The effect comes in the middle of a call.
            done = Some(wire.at() + 0.5);
        }
        let idle = store
            .list_work()
            .await
            .unwrap()
            .iter()
            .filter(|work| work.thing != lifeline.to_string())
            .all(|work| !work.looking && work.due_at.is_none_or(|due| due > wire.now()));
        if done.is_some() && idle {
            break;
        }
    }
    stop.cancel();
    let _ = running.await;
    let mut calls = wire.calls.lock().unwrap().clone();
    calls.sort_by(|a, b| a.began.total_cmp(&b.began));
    Founding {
        calls,
        done: done.unwrap_or(f64::INFINITY),
        violations: world.violations(),
    }
}

/// Everything is there, and the comment leads to the merge request.
fn is_done(world: &World, issue: u64) -> bool {
    let notes = world.notes(INTAKE, issue).unwrap_or_default();
    notes
        .iter()
        .any(|note| note.author.username == BOT && note.body.contains("/-/merge_requests/"))
}

fn people(world: &World) -> String {
    world.add_group_with("acme", "public").unwrap();
    world.add_group_with(GROUP, "public").unwrap();
    world
        .add_project_with(INTAKE, "public", &[("README.md", "# Intake\n")])
        .unwrap();
    world
        .add_project_with(HANDBOOK, "public", &[(PAGE_PATH, PAGE)])
        .unwrap();
    for name in ["darwinjs", "brianwald", "alice"] {
        world.add_user(name);
    }
    world.add_member(GROUP, "proposer", Role::Reporter).unwrap();
    world.add_member("acme", "maintainer", Role::Maintainer).unwrap();
    world.add_bot(BOT);
    world.add_member("acme", BOT, Role::Owner).unwrap();
    world.add_token(BOT)
}

fn settings(token: &str) -> Settings {
    let text = format!(
        "[server]\npublic_url = \"https://convenor.example.com\"\n[gitlab]\nurl = \"{URL}\"\nrate_share = \"100%\"\n\
         [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\napproval = \"always\"\n\
         [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n"
    );
    let environment: BTreeMap<String, String> = [
        ("CONVENOR_GITLAB__TOKEN", token),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", "a-secret-of-at-least-24-characters"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    Settings::parse(&text, &environment).unwrap()
}
