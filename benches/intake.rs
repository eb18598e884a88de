//! How many durable deliveries a second `convenor serve` takes in, and what one costs.
//!
//! `cargo bench --bench intake -- --help`. The real binary runs on an empty store; deliveries of 5.8 KB, each with a key of its own, come
//! over loopback from this process. Compare CPU per delivery first: rates follow the machine's other load.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where it fails, and prints its figures"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Parser)]
struct Args {
    /// Connections at a time, one measurement each
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// Length of a measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// A new connection for each delivery, as GitLab makes
    #[arg(long)]
    close: bool,
    /// Every delivery is a repeat of one key
    #[arg(long)]
    repeat: bool,
    /// Every delivery has a wrong token
    #[arg(long)]
    forged: bool,
    /// Database address; default: a fresh SQLite file
    #[arg(long)]
    database: Option<String>,
    /// Cargo says this
    #[arg(long, hide = true)]
    bench: bool,
}

const TOKEN: &str = "the-secret-token-of-the-bench";

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("connections  deliveries/s  p50 ms  p99 ms  CPU µs each  peak MB");
    for &connections in &args.connections {
        runtime.block_on(measure(&args, connections));
    }
}

async fn measure(args: &Args, connections: usize) {
    let server = Server::start(args);
    load(&server, args, connections, Duration::from_millis(500)).await;
    let cpu = server.cpu();
    let began = Instant::now();
    let mut latencies = load(&server, args, connections, Duration::from_secs(args.seconds)).await;
    let (took, cpu) = (began.elapsed(), server.cpu() - cpu);
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{connections:>11}  {:>12.0}  {:>6.2}  {:>6.2}  {:>11.1}  {:>7.1}   (first 2xx after {:.0} ms)",
        latencies.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99),
        cpu.as_secs_f64() * 1e6 / latencies.len() as f64,
        server.peak_mb(),
        server.ready_after.as_secs_f64() * 1e3,
    );
}

/// Keeps so many connections busy; gives the time of each answer.
async fn load(server: &Server, args: &Args, connections: usize, length: Duration) -> Vec<Duration> {
    let until = Instant::now() + length;
    let tasks: Vec<_> = (0..connections)
        .map(|number| {
            let poster = Poster::new(server, args, number);
            tokio::spawn(poster.post_until(until))
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    latencies
}

/// One client: a closed loop.
struct Poster {
    address: String,
    close: bool,
    repeat: bool,
    expected: &'static [u8],
    head: String,
    key: String,
    body: String,
}

impl Poster {
    fn new(server: &Server, args: &Args, number: usize) -> Self {
        let body = payload();
        let token = if args.forged { "wrong" } else { TOKEN };
        let connection = if args.close { "connection: close\r\n" } else { "" };
        let head = format!(
            "POST /webhooks/gitlab HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{connection}\
             x-gitlab-event: Issue Hook\r\nx-gitlab-token: {token}\r\ncontent-length: {}\r\nidempotency-key: ",
            server.address,
            body.len()
        );
        Self {
            address: server.address.clone(),
            close: args.close,
            repeat: args.repeat,
            expected: if args.forged { b"HTTP/1.1 401" } else { b"HTTP/1.1 200" },
            head,
            key: format!("{number}-{}", fastrand::u64(..)),
            body,
        }
    }

    async fn post_until(self, until: Instant) -> Vec<Duration> {
        let mut latencies = Vec::new();
        let mut open = None;
        for count in 0_u64.. {
            let began = Instant::now();
            if began >= until {
                break;
            }
            let mut stream = match open.take() {
                Some(stream) => stream,
                None => TcpStream::connect(&self.address).await.unwrap(),
            };
            let key = if self.repeat {
                "the same for all".replace(' ', "-")
            } else {
                format!("{}-{count}", self.key)
            };
            let request = format!("{}{key}\r\n\r\n{}", self.head, self.body);
            stream.write_all(request.as_bytes()).await.unwrap();
            let answer = read_answer(&mut stream).await;
            assert!(
                answer.starts_with(self.expected),
                "{}",
                String::from_utf8_lossy(&answer)
            );
            latencies.push(began.elapsed());
            // A refused delivery's body is not read, so its connection ends.
            open = (!self.close
                && !answer
                    .to_ascii_lowercase()
                    .windows(17)
                    .any(|part| part == b"connection: close"))
            .then_some(stream);
        }
        latencies
    }
}

/// Answers have no body, so they end with their head.
async fn read_answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::with_capacity(256);
    while !answer.ends_with(b"\r\n\r\n") && stream.read_buf(&mut answer).await.unwrap() > 0 {}
    answer
}

/// The issue event of a project that no program knows, with a description of the usual length.
fn payload() -> String {
    let description = "Purpose and scope of a community of practice, as people write it. ".repeat(75);
    serde_json::json!({
        "object_kind": "issue",
        "event_type": "issue",
        "user": { "id": 1, "name": "Alice", "username": "alice" },
        "project": { "id": 7, "path_with_namespace": "example/cop/intake", "default_branch": "main" },
        "object_attributes": { "id": 301, "iid": 12, "title": "Rust at Work", "description": description, "state": "opened" },
        "labels": [{ "id": 206, "title": "cop::proposed", "type": "GroupLabel" }],
        "changes": { "updated_at": { "previous": "2026-01-01 00:00:00 UTC", "current": "2026-01-01 00:00:01 UTC" } },
    })
    .to_string()
}

struct Server {
    process: Child,
    address: String,
    ready_after: Duration,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(args: &Args) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = args
            .database
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}/c.db", folder.path().display()));
        let began = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_convenor"))
            .arg("serve")
            .current_dir(folder.path())
            .env("CONVENOR_DATABASE__URL", database)
            .env("CONVENOR_SERVER__LISTEN", "127.0.0.1:0")
            .env("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN)
            .env(
                "CONVENOR_LOG__FILTER",
                if args.forged {
                    "convenor=info,convenor::intake=error"
                } else {
                    "info"
                },
            )
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let address = lines
            .find_map(|line| Some(line.split_once("serving address=")?.1.split(' ').next()?.to_owned()))
            .unwrap();
        let ready_after = began.elapsed();
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address,
            ready_after,
            _folder: folder,
        }
    }

    /// User and system time so far (Linux counts it in hundredths of a second).
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn peak_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
