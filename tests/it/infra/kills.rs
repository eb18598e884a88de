//! `convenor serve` killed again and again, at any moment of its life, while deliveries come in; and PostgreSQL restarted under it.
//!
//! `KILLS` says how often, for each database: 20 where it says nothing.
#![expect(clippy::print_stdout, reason = "what was counted is worth reading")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::database::{Database, Server};
use super::house::{TOKEN, about_proposal, client, until};

/// Clients that deliver at the same time.
const POSTERS: usize = 6;
/// One restart of PostgreSQL for so many kills.
const KILLS_PER_RESTART: usize = 10;
/// Nothing of the service's start takes longer, however busy the machine is.
const LONGEST_START: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "how long a test is, is no setting")]
fn kills() -> usize {
    std::env::var("KILLS").map_or(20, |text| text.parse().expect("KILLS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_at_any_moment_on_sqlite() {
    let database = Database::sqlite();
    let town = Town::new(&database);
    town.kills_again_and_again(None).await;
    town.has_lost_nothing(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_and_restarts_of_postgresql() {
    let Some(mut server) = Server::start("-c fsync=on") else {
        let missing =
            "no PostgreSQL on this machine (initdb, postgres, pg_ctl; as root also setpriv and a user postgres)";
        return crate::skip::skip("a store on PostgreSQL", missing);
    };
    let database = Database::Postgres(server.url("postgres"));
    let town = Town::new(&database);
    town.kills_again_and_again(Some(&mut server)).await;
    town.has_lost_nothing(&database).await;
}

/// Where a service is killed and clients go on.
struct Town {
    address: String,
    environment: BTreeMap<&'static str, String>,
    /// Deliveries that were answered with 200 so far.
    count: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    posters: std::sync::Mutex<Vec<tokio::task::JoinHandle<Posted>>>,
}

/// What a client delivered.
#[derive(Default)]
struct Posted {
    /// Keys that were answered with 200.
    acknowledged: Vec<String>,
    /// How often a delivery was sent again, because no answer came or another.
    repeated: usize,
    /// Answers that were neither 200 nor 503.
    odd: Vec<u16>,
}

impl Town {
    fn new(database: &Database) -> Self {
        let address = format!("127.0.0.1:{}", quiet_port());
        let environment = BTreeMap::from([
            ("CONVENOR_DATABASE__URL", database.address()),
            ("CONVENOR_SERVER__LISTEN", address.clone()),
            ("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN.to_owned()),
            ("CONVENOR_LOG__FILTER", "off".to_owned()),
        ]);
        let town = Self {
            address,
            environment,
            count: Arc::default(),
            over: Arc::default(),
            posters: std::sync::Mutex::default(),
        };
        let posters = (0..POSTERS).map(|number| tokio::spawn(post(&town, number)));
        let posters: Vec<_> = posters.collect();
        *town.posters.lock().unwrap() = posters;
        town
    }

    fn serve(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convenor"));
        command.arg("serve").env_clear().envs(&self.environment);
        command.stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until `more` deliveries were acknowledged from now on.
    async fn takes_in(&self, more: usize) {
        let enough = self.count.load(Ordering::SeqCst) + more;
        until("acknowledged deliveries", async || {
            (self.count.load(Ordering::SeqCst) >= enough).then_some(())
        })
        .await;
    }

    async fn kills_again_and_again(&self, mut server: Option<&mut Server>) {
        let (kills, began) = (kills(), Instant::now());
        let mut lots = fastrand::Rng::with_seed(kills as u64);
        let mut start = LONGEST_START;
        let mut restarts = 0;
        for kill in 0..kills {
            let born = Instant::now();
            let mut process = self.serve();
            // Every other life is killed whenever, also before it serves; the others are seen to work before.
            if kill % 2 == 0 {
                self.takes_in(1).await;
                start = born.elapsed().min(start);
            }
            if let (Some(server), true) = (&mut server, kill % KILLS_PER_RESTART == 0) {
                server.restart(if restarts % 2 == 0 { "immediate" } else { "fast" });
                restarts += 1;
                // The same process goes on: nobody has to start it again.
                self.takes_in(POSTERS * 2).await;
            }
            tokio::time::sleep(start.mul_f64(lots.f64() * 1.5)).await;
            process.kill().unwrap();
            process.wait().unwrap();
        }
        let mut last = self.serve();
        self.takes_in(POSTERS * 2).await;
        self.over.store(true, Ordering::SeqCst);
        println!(
            "{kills} kills and {restarts} restarts of the database in {:?}",
            began.elapsed()
        );
        until("the clients", async || {
            self.posters
                .lock()
                .unwrap()
                .iter()
                .all(|poster| poster.is_finished())
                .then_some(())
        })
        .await;
        last.kill().unwrap();
        last.wait().unwrap();
    }

    /// Every delivery that was acknowledged is stored, once, and what it is about waits to be looked at.
    async fn has_lost_nothing(&self, database: &Database) {
        let posters = std::mem::take(&mut *self.posters.lock().unwrap());
        let mut posted = Posted::default();
        for poster in posters {
            let more = poster.await.unwrap();
            posted.acknowledged.extend(more.acknowledged);
            posted.repeated += more.repeated;
            posted.odd.extend(more.odd);
        }
        let store = database.open().await;
        let stored = store.list_deliveries(u32::MAX).await.unwrap();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for delivery in &stored {
            *times.entry(&delivery.key).or_default() += 1;
        }
        let lost: Vec<_> = posted
            .acknowledged
            .iter()
            .filter(|key| !times.contains_key(key.as_str()))
            .collect();
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        println!(
            "{} acknowledged, {} sent again, {} stored; lost {}, twice {}",
            posted.acknowledged.len(),
            posted.repeated,
            stored.len(),
            lost.len(),
            twice.len()
        );
        assert!(
            lost.is_empty() && twice.is_empty(),
            "lost {lost:?}, stored twice {twice:?}"
        );
        assert_eq!(posted.odd, Vec::<u16>::new(), "answers that are neither 200 nor 503");
        assert!(posted.repeated > 0, "nothing was in flight at any kill");
        store.close().await;
    }
}

/// Delivers one after the other; each again until it is acknowledged, as a proxy may do.
fn post(town: &Town, poster: usize) -> impl Future<Output = Posted> + use<> {
    let url = format!("http://{}/webhooks/gitlab", town.address);
    let (count, over) = (town.count.clone(), town.over.clone());
    async move {
        let http = client();
        let mut posted = Posted::default();
        for number in 0_u64.. {
            let key = format!("{poster}-{number}");
            while !over.load(Ordering::SeqCst) {
                let request = http.post(&url).header("x-gitlab-token", TOKEN);
                let request = request.header("idempotency-key", &key).body(about_proposal(number));
                let status = request.send().await.ok().map(|answer| answer.status().as_u16());
                match status {
                    Some(200) => {
                        count.fetch_add(1, Ordering::SeqCst);
                        posted.acknowledged.push(key);
                        break;
                    }
                    None | Some(503) => {}
                    Some(other) => posted.odd.push(other),
                }
                posted.repeated += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if over.load(Ordering::SeqCst) {
                break;
            }
        }
        posted
    }
}

/// A port that nobody is given while the service is down: none of those that systems hand out by themselves.
fn quiet_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}
