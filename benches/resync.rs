//! How long it takes to read what a program's known communities are like, and how many calls.
//!
//! `cargo bench --bench resync -- --help`. The real client and reader run against a GitLab inside this process that knows every
//! project and answers after a fixed time; `--url` takes another one. Compare with the ideal: as many rounds of the time as pages
//! of 100 projects, 8 at a time, need.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where it fails, and prints its figures"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use convenor::gitlab::{Broken, Client, ClientSettings, GlanceOf, LimitSettings, Transport};
use convenor_core::ids::ProjectId;
use http::{Request, Response};
use serde_json::{Value, json};

#[derive(Parser)]
struct Args {
    /// Known communities, one measurement each
    #[arg(long, value_delimiter = ',', default_value = "1000,10000")]
    communities: Vec<u64>,
    /// People that their charters name
    #[arg(long, default_value_t = 2000)]
    people: u64,
    /// Time of a call
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
    /// Pages of more projects than this are too complex
    #[arg(long, default_value_t = 100)]
    largest_page: usize,
    /// Measurements of each
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Reads projects 1 to N of a GitLab at this address instead, without people, and prints one line of JSON
    #[arg(long)]
    url: Option<url::Url>,
    /// Cargo says this
    #[arg(long, hide = true)]
    bench: bool,
}

const PAGE: usize = 100;
const AT_ONCE: usize = 8;

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if args.url.is_none() {
        println!("communities  calls  most in flight  wall s  ideal s  wall / ideal");
    }
    for &communities in &args.communities {
        for _ in 0..args.runs {
            runtime.block_on(measure(&args, communities));
        }
    }
}

async fn measure(args: &Args, communities: u64) {
    let gitlab = Arc::new(Knowing {
        latency: Duration::from_millis(args.latency_ms),
        largest: args.largest_page,
        ..Knowing::default()
    });
    let client = client(args, gitlab.clone());
    let people = if args.url.is_some() { 0 } else { args.people };
    let of = GlanceOf {
        projects: (1..=communities).map(ProjectId).collect(),
        usernames: (0..people).map(|number| format!("user{number}")).collect(),
        file: ".gitlab/community.yml",
        group: "platform",
    };
    let began = Instant::now();
    let found = client.reader().glances(&of).await.unwrap().unwrap();
    let wall = began.elapsed().as_secs_f64();
    let read = found.projects.len();
    assert_eq!(read as u64, communities, "GitLab left projects out");
    if args.url.is_some() {
        println!("{}", json!({ "projects": read, "wall_s": wall }));
        return;
    }
    let (calls, most) = (gitlab.calls.load(Ordering::SeqCst), gitlab.most.load(Ordering::SeqCst));
    let pages = read.div_ceil(PAGE);
    let ideal = pages.div_ceil(AT_ONCE) as f64 * gitlab.latency.as_secs_f64();
    println!(
        "{communities:>11}  {calls:>5}  {most:>14}  {wall:>6.3}  {ideal:>7.3}  {:>12.2}",
        wall / ideal
    );
}

fn client(args: &Args, gitlab: Arc<Knowing>) -> Client {
    let address = args.url.clone();
    let address = address.unwrap_or_else(|| "http://127.0.0.1:9".parse().unwrap());
    let settings = ClientSettings {
        limits: LimitSettings::unlimited(),
        ..ClientSettings::new(address, "a-token-of-the-bench".into())
    };
    match &args.url {
        Some(_) => Client::new(&settings).unwrap(),
        None => Client::over(gitlab, &settings).unwrap(),
    }
}

/// A GitLab that knows every project and everybody, takes its time, and counts.
#[derive(Default)]
struct Knowing {
    latency: Duration,
    largest: usize,
    calls: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Transport for Knowing {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.latency).await;
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let answer = self.answer(&asked["variables"]).to_string();
        self.running.fetch_sub(1, Ordering::SeqCst);
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(answer.into()).unwrap())
    }
}

impl Knowing {
    fn answer(&self, asked: &Value) -> Value {
        let list = |name: &str| asked[name].as_array().cloned().unwrap_or_default();
        let (ids, names) = (list("ids"), list("usernames"));
        if ids.len() > self.largest {
            let words = "Query has complexity of 346, which exceeds max complexity of 250";
            return json!({ "errors": [{ "message": words }] });
        }
        let project = |gid: &Value| {
            json!({
                "id": gid, "name": "Service", "fullPath": "platform/service", "visibility": "internal", "archived": false,
                "webUrl": "https://gitlab.example.com/platform/service",
                "repository": { "blobs": { "nodes": [{ "path": ".gitlab/community.yml", "oid": "0".repeat(40) }] } },
            })
        };
        let person =
            |name: &Value| json!({ "id": "gid://gitlab/User/5", "username": name, "name": "Name", "state": "active" });
        json!({ "data": {
            "projects": { "nodes": ids.iter().map(project).collect::<Vec<_>>() },
            "users": { "nodes": names.iter().map(person).collect::<Vec<_>>() },
            "group": { "projects": { "count": 10_000 } },
        } })
    }
}
