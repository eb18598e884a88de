//! `convenor serve` as a process of its own: stopped, overheard.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::database::Database;
use super::house::{OF_NO_INTEREST, TOKEN, client};

/// A `convenor serve` of its own process; killed when it is dropped.
pub(super) struct Served {
    process: Child,
    pub(super) address: String,
    log: mpsc::Receiver<String>,
}

impl Served {
    pub(super) fn start(database: &Database) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_convenor"))
            .args(["serve", "-vv"])
            .env_clear()
            .env("CONVENOR_DATABASE__URL", database.address())
            .env("CONVENOR_SERVER__LISTEN", "127.0.0.1:0")
            .env("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN)
            .env("CONVENOR_LOG__FILTER", "trace")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let address = std::iter::from_fn(|| log.recv_timeout(Duration::from_secs(20)).ok())
            .find_map(|line| Some(line.split_once("serving address=")?.1.split(' ').next()?.to_owned()))
            .unwrap();
        Self { process, address, log }
    }
}

/// The status of the answer; `None` when there was none.
pub(super) async fn post(http: &reqwest::Client, address: &str, key: &str, token: &str) -> Option<u16> {
    let request = http.post(format!("http://{address}/webhooks/gitlab"));
    let request = request.header("x-gitlab-token", token).header("idempotency-key", key);
    Some(request.body(OF_NO_INTEREST).send().await.ok()?.status().as_u16())
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_term_signal_ends_it_well_and_no_secret_is_ever_logged() {
    let database = Database::sqlite();
    let mut served = Served::start(&database);
    let http = client();
    assert_eq!(post(&http, &served.address, "good", TOKEN).await, Some(200));
    assert_eq!(
        post(&http, &served.address, "bad", "a-strangers-token").await,
        Some(401)
    );
    let pid = served.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(served.process.wait().unwrap().code(), Some(0));
    let log: Vec<String> = served.log.iter().collect();
    let refused: Vec<_> = log.iter().filter(|line| line.contains("delivery refused")).collect();
    assert_eq!(refused.len(), 1, "{log:#?}");
    assert!(log.last().unwrap().contains("stopped"), "{log:#?}");
    for secret in [TOKEN, "a-strangers-token", "words of the body"] {
        assert!(
            !log.iter().any(|line| line.contains(secret)),
            "`{secret}` is in the log"
        );
    }
}
