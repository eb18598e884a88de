//! A service of its own for each test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use convenor::cli::serve::Service;
use convenor::clock::Clock;
use convenor::settings::{DatabaseUrl, Settings};
use convenor::store::{Claim, Store};
use convenor::worker::{Look, Looker};
use convenor_core::ids::IssueIid;
use convenor_core::thing::{ProgramName, Thing};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) const TOKEN: &str = "the-secret-token-of-the-tests";
/// The key is the bytes 0 to 31.
pub(super) const SIGNING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A clock that stands until a test moves it.
#[derive(Clone)]
pub(super) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_772_701_200_000)))
    }

    pub(super) fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::from_fn(move || hands.now())
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(super) fn forward(&self, duration: Duration) {
        self.0
            .fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

pub(super) fn program(name: &str) -> Thing {
    Thing::Program(ProgramName::new(name).unwrap())
}

pub(super) fn proposal(iid: u64) -> Thing {
    Thing::Proposal(ProgramName::new("cop").unwrap(), IssueIid(iid))
}

pub(super) fn settings(folder: &Path, more: &[(&str, &str)]) -> Settings {
    let mut environment: BTreeMap<String, String> = [
        ("CONVENOR_SERVER__LISTEN", "127.0.0.1:0"),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN),
        ("CONVENOR_GITLAB__TOKEN", "t"),
        ("CONVENOR_PROGRAM__0__NAME", "cop"),
        ("CONVENOR_PROGRAM__0__GROUP", "example/cop"),
        ("CONVENOR_PROGRAM__0__INTAKE", "example/cop/intake"),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let file = folder.join("convenor.db");
    environment.insert(
        "CONVENOR_DATABASE__URL".to_owned(),
        format!("sqlite://{}", file.display()),
    );
    Settings::parse("", &environment).unwrap()
}

pub(super) async fn open(folder: &Path) -> Store {
    Store::open(&DatabaseUrl::Sqlite(folder.join("convenor.db")))
        .await
        .unwrap()
}

/// A delivery about a proposal, as small as it can be.
pub(super) fn about_proposal(iid: u64) -> String {
    let project = r#"{"path_with_namespace":"example/cop/intake"}"#;
    format!(r#"{{"object_kind":"issue","project":{project},"object_attributes":{{"iid":{iid}}}}}"#)
}

/// An authentic delivery that changes nothing.
pub(super) const OF_NO_INTEREST: &str = r#"{"object_kind":"wiki_page","text":"words of the body"}"#;

/// Remembers at what it looked, and answers as it is told.
pub(super) struct Eyes {
    seen: Mutex<Vec<String>>,
    answer: Box<dyn Fn(&Thing) -> Look + Send + Sync>,
    /// How long a look takes.
    takes: Duration,
}

impl Eyes {
    pub(super) fn new(takes: Duration, answer: impl Fn(&Thing) -> Look + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            answer: Box::new(answer),
            takes,
        })
    }

    pub(super) fn content() -> Arc<Self> {
        Self::new(Duration::ZERO, |_| Look::Done {
            next: Duration::from_secs(3600),
            rest: None,
        })
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Looker for Eyes {
    async fn look(&self, claim: &Claim) -> Look {
        let thing = &claim.thing;
        self.seen.lock().unwrap().push(thing.to_string());
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        (self.answer)(thing)
    }
}

/// A running service.
pub(super) struct House {
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
    pub(super) running: JoinHandle<()>,
}

impl House {
    pub(super) async fn start(settings: &Settings, clock: Clock, eyes: Arc<Eyes>) -> Self {
        let store = Store::open(&settings.database.url).await.unwrap();
        let service = Service::start(settings, store, clock, eyes).await.unwrap();
        let address = service.address().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(service.run(stop.clone()));
        Self { address, stop, running }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .no_proxy()
        .build()
        .unwrap()
}

/// Waits until `found` gives something; a test that waits in vain says for what.
pub(super) async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..6000 {
        if let Some(value) = found().await {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain for {what}");
}
