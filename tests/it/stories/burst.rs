//! Very many proposals at once, on GitLab.com's limits and in virtual time: GitLab never has to send us away, and whoever comes
//! afterwards does not stand behind all the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use convenor::apply::Applier;
use convenor::assemble;
use convenor::cli::init;
use convenor::clock::Clock;
use convenor::gitlab::{Broken, Client, Transport, Words};
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::intake::{self, Budget, Intake, Secrets};
use convenor::observe::Observer;
use convenor::settings::Settings;
use convenor::store::{Memory, Store};
use convenor::worker::Worker;
use convenor_core::plan::init::Wishes;
use gitlab_sandbox::{Config, Effect, Fault, Role, World};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE, PAGE_PATH, SECRET};

const URL: &str = "https://gitlab.com";
/// What a call to GitLab.com takes.
const LATENCY: Duration = Duration::from_millis(150);
const BOT: &str = "convenor-bot";

/// GitLab in virtual time, and every answer that it gave.
struct Wire {
    world: World,
    base: Timestamp,
    began: Instant,
    answers: Mutex<Vec<Answered>>,
}

struct Answered {
    asked: String,
    sent: Duration,
    at: Duration,
    status: u16,
    retry_after: Option<Duration>,
}

impl Wire {
    fn now(&self) -> Timestamp {
        self.base + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    /// Brings GitLab's clock up to date.
    fn sync(&self) {
        let behind = self.now().duration_since(self.world.now());
        if behind.is_positive() {
            self.world.advance(behind);
        }
    }

    /// Pages of all open proposals that were read.
    fn pages_of_proposals(&self) -> usize {
        let answers = self.answers.lock().unwrap();
        let pages = answers
            .iter()
            .filter(|answer| answer.asked.contains("/issues?state=opened"));
        pages.count()
    }

    /// How often GitLab said 429, and calls that were sent while it had asked for none.
    fn refusals(&self) -> (usize, usize) {
        let answers = self.answers.lock().unwrap();
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
        let asked_for_none = |answer: &&Answered| {
            refused.iter().any(|refused| {
                let quiet = refused.retry_after.unwrap_or_default();
                answer.sent > refused.at && answer.sent < refused.at + quiet
            })
        };
        (refused.len(), answers.iter().filter(asked_for_none).count())
    }
}

#[async_trait]
impl Transport for Wire {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let (sent, asked) = (self.began.elapsed(), request.uri().to_string());
        tokio::time::sleep(LATENCY).await;
        self.sync();
        let answer = self.world.exchange(request).received.whole();
        let answer = answer.ok_or_else(|| Broken::Lost(Words::new("no answer")))?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        self.answers.lock().unwrap().push(Answered {
            asked,
            sent,
            at: self.began.elapsed(),
            status: answer.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
        });
        Ok(answer)
    }
}

/// GitLab.com and a Convenor with the settings that come with it.
struct Metropolis {
    wire: Arc<Wire>,
    stop: CancellationToken,
}

impl Drop for Metropolis {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Metropolis {
    async fn new() -> Self {
        let base: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let config = Config {
            rate_limits: true,
            ..Config::still(base)
        };
        let world = World::in_process(config, URL);
        let settings = settings(&people(&world));
        let wire = Arc::new(Wire {
            world,
            base,
            began: Instant::now(),
            answers: Mutex::default(),
        });
        let clock = {
            let wire = wire.clone();
            Clock::from_fn(move || wire.now())
        };
        let client = assemble::client_over(wire.clone(), &settings).unwrap().patient();
        let store = Store::in_memory(&Memory::default());
        set_up(&settings, &client, &store, &clock).await;
        let stop = CancellationToken::new();
        let planner = assemble::planner(&settings, &client, store.clone(), clock.clone()).unwrap();
        let looker = assemble::looker(&settings, &client, planner, store.clone(), clock.clone());
        let worker = Worker::new(store.clone(), Arc::new(looker), clock.clone(), settings.worker);
        let stopping = stop.clone();
        tokio::spawn(async move { worker.run(stopping).await });
        tokio::spawn(deliver(wire.clone(), settings, store, clock));
        Self { wire, stop }
    }

    /// Somebody opens a proposal; gives its number.
    fn opens(&self, who: &str, name: &str) -> u64 {
        self.wire.sync();
        let person = self.wire.world.person(who).unwrap();
        let form = FORM.replace("Rust at Work", name);
        person
            .open_issue(INTAKE, "New community", &form, &["cop::proposed"])
            .unwrap()
    }

    /// The bot's comments on a proposal.
    fn comments(&self, proposal: u64) -> usize {
        let notes = self.wire.world.notes(INTAKE, proposal).unwrap();
        notes.iter().filter(|note| note.author.username == BOT).count()
    }

    /// What the bot says on a proposal, once it says something.
    async fn comment(&self, proposal: u64) -> String {
        self.answered(proposal).await;
        let notes = self.wire.world.notes(INTAKE, proposal).unwrap().into_iter();
        notes
            .filter(|note| note.author.username == BOT)
            .map(|note| note.body)
            .collect()
    }

    /// How long it takes until the proposal has its comment.
    async fn answered(&self, proposal: u64) -> Duration {
        let began = Instant::now();
        while self.comments(proposal) == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(began.elapsed() < Duration::from_secs(24 * 3600), "never answered");
        }
        began.elapsed()
    }
}

/// Webhooks, as they come: a moment after what they are about.
async fn deliver(wire: Arc<Wire>, settings: Settings, store: Store, clock: Clock) {
    let routes = intake::routes(Arc::new(Intake {
        secrets: Secrets::new(&settings.webhook).unwrap(),
        store,
        clock,
        programs: settings
            .programs
            .iter()
            .map(|program| program.program.clone())
            .collect(),
        budget: Budget::new(settings.server.body_memory),
        body_timeout: settings.server.body_timeout,
        keep_all_bodies: false,
    }));
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for delivery in wire.world.take_deliveries() {
            let mut request = warp::test::request().method("POST").path("/webhooks/gitlab");
            for (name, value) in &delivery.headers {
                request = request.header(name, value);
            }
            let status = request.body(delivery.body).reply(&routes).await.status().as_u16();
            assert_eq!(status, 200);
            wire.world.answer_delivery(delivery.id, Some(status));
        }
    }
}

async fn set_up(settings: &Settings, client: &Client, store: &Store, clock: &Clock) {
    let secrets = HookSecrets::new(&settings.webhook);
    let applier = Applier::new(client.writer(), store.clone(), clock.clone(), secrets);
    let observer = Observer::new(client.reader(), settings.programs[0].program.clone());
    let own = OwnHooks::new(settings);
    init::set_up(&observer, &own, Some(&applier), Wishes::default(), &mut |_| {})
        .await
        .unwrap();
}

fn people(gitlab: &World) -> String {
    gitlab.add_group_with("acme", "public").unwrap();
    gitlab.add_group_with(GROUP, "public").unwrap();
    gitlab
        .add_project_with(INTAKE, "public", &[("README.md", "# Intake\n")])
        .unwrap();
    gitlab
        .add_project_with(HANDBOOK, "public", &[(PAGE_PATH, PAGE)])
        .unwrap();
    for name in ["darwinjs", "brianwald", "alice", "bob"] {
        gitlab.add_user(name);
    }
    for name in ["importer", "proposer"] {
        gitlab.add_member(GROUP, name, Role::Reporter).unwrap();
    }
    gitlab.add_bot(BOT);
    gitlab.add_member("acme", BOT, Role::Owner).unwrap();
    gitlab.add_token(BOT)
}

fn settings(token: &str) -> Settings {
    let text = format!(
        "[server]\npublic_url = \"https://convenor.example.com\"\n[gitlab]\nurl = \"{URL}\"\n\
         [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\napproval = \"always\"\n\
         [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n",
    );
    let environment = [
        ("CONVENOR_GITLAB__TOKEN", token),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET),
    ];
    let environment: BTreeMap<String, String> = environment
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    Settings::parse(&text, &environment).unwrap()
}

/// For so long it is watched what becomes of them.
const WATCHED: Duration = Duration::from_secs(8 * 60);

/// How many proposals come at once: `BURST`, and 150 where it says nothing, because each is compared with all others, which takes
/// an unoptimised build its time.
#[expect(clippy::disallowed_methods, reason = "how large a test is, is no setting")]
fn burst() -> u64 {
    std::env::var("BURST").map_or(150, |text| text.parse().expect("BURST is a number"))
}

#[tokio::test(start_paused = true)]
async fn many_proposals_at_once_ban_nobody_and_starve_nobody() {
    let town = Metropolis::new().await;
    let began = Instant::now();
    let burst: Vec<u64> = (0..burst())
        .map(|number| town.opens("importer", &format!("Topic {number}")))
        .collect();
    // Long enough for all of them to stand in front.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ordinary = town.opens("proposer", "Gardening");
    let waited = town.answered(ordinary).await;
    tokio::time::sleep(WATCHED.saturating_sub(began.elapsed())).await;
    let done: usize = burst.iter().map(|proposal| town.comments(*proposal)).sum();
    let (refused, against) = town.wire.refusals();
    let calls = town.wire.answers.lock().unwrap().len();
    println!(
        "answered after {waited:?}; {done} of the burst within {WATCHED:?}; {calls} calls, {refused} of them refused"
    );
    assert!(
        waited < Duration::from_secs(180),
        "whoever came next waited for {waited:?}"
    );
    assert_eq!((refused, against), (0, 0), "GitLab had to send us away");
    assert!(done >= 10, "those who wait were forgotten: {done}");
    assert!(
        burst.iter().all(|proposal| town.comments(*proposal) <= 1),
        "nobody is answered twice"
    );
}

#[tokio::test(start_paused = true)]
async fn when_gitlab_sends_us_away_nothing_is_sent_until_it_said() {
    let town = Metropolis::new().await;
    let burst: Vec<u64> = (0..4)
        .map(|number| town.opens("importer", &format!("Topic {number}")))
        .collect();
    for skip in [20, 40] {
        town.wire
            .world
            .add_fault(Fault::new(Effect::RetryLater(90)).skip(skip).once());
    }
    for proposal in &burst {
        town.answered(*proposal).await;
    }
    let (refused, against) = town.wire.refusals();
    // Calls that were on their way already may be refused, too, but in this world only the two are.
    assert_eq!((refused, against), (2, 0));
    assert!(
        burst.iter().all(|proposal| town.comments(*proposal) == 1),
        "each is answered once"
    );
}

#[tokio::test(start_paused = true)]
async fn many_open_proposals_are_read_once_and_then_only_what_changed() {
    let town = Metropolis::new().await;
    let burst: Vec<u64> = (0..120)
        .map(|number| town.opens("importer", &format!("Topic {number}")))
        .collect();
    for proposal in &burst {
        town.answered(*proposal).await;
    }
    let read = town.wire.pages_of_proposals();
    // Two pages for each of the looks that begin at the same time, and for the look at everything.
    assert!(read < 30, "{read} pages of open proposals for 120 looks");
    let earlier = "an earlier proposal asks for the same name";
    assert!(town.comment(town.opens("proposer", "Topic 6")).await.contains(earlier));
    // What is seen by fewer people from now on is named to nobody any more.
    let importer = town.wire.world.person("importer").unwrap();
    importer
        .edit_issue(INTAKE, burst[5], serde_json::json!({ "confidential": true }))
        .unwrap();
    importer.close_issue(INTAKE, burst[7]).unwrap();
    for number in [5, 7] {
        let again = town.opens("proposer", &format!("Topic {number}"));
        assert!(!town.comment(again).await.contains(earlier), "Topic {number}");
    }
}
