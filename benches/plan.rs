//! How long it takes from a webhook to the plan that comes of it: until GitLab is asked the first question, and until the first step
//! of the plan, the comment, arrives there.
//!
//! `cargo bench --bench plan -- --help`. The real binary looks after proposals on a GitLab inside this process, whose answers take as
//! long as `--latency` says. Beside the clock: how many calls came before the comment, which times the latency is the least possible.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark ends where it fails, prints its figures, and waits in its own thread"
)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use gitlab_sandbox::{Config, Role, Sandbox};

#[derive(Parser)]
struct Args {
    /// Milliseconds that each of GitLab's answers takes, one measurement each
    #[arg(long, value_delimiter = ',', default_value = "0,50")]
    latency: Vec<u64>,
    /// Proposals, one after the other
    #[arg(long, default_value_t = 9)]
    proposals: usize,
    /// Cargo says this
    #[arg(long, hide = true)]
    bench: bool,
}

const SECRET: &str = "a-secret-of-at-least-24-characters";
const INTAKE: &str = "acme/cops/intake";
const PAGE: &str =
    "# Communities\n\n## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n| Agile | TBD |\n";
const BOT: &str = "convenor-bot";

fn main() {
    let args = Args::parse();
    println!(
        "latency ms  first question ms  comment ms  calls before it  (medians of {})",
        args.proposals
    );
    for &latency in &args.latency {
        let town = Town::start(Duration::from_millis(latency));
        let mut runs: Vec<Run> = (0..args.proposals).map(|number| town.propose(number)).collect();
        let median = |runs: &mut Vec<Run>, of: fn(&Run) -> f64| {
            runs.sort_by(|one, other| of(one).total_cmp(&of(other)));
            of(&runs[runs.len() / 2])
        };
        println!(
            "{latency:>10}  {:>17.1}  {:>10.1}  {:>15}",
            median(&mut runs, |run| run.question),
            median(&mut runs, |run| run.comment),
            median(&mut runs, |run| run.calls),
        );
    }
}

/// Milliseconds after the issue was opened, and calls.
struct Run {
    question: f64,
    comment: f64,
    calls: f64,
}

/// A GitLab, and a service that looks after it.
struct Town {
    gitlab: Sandbox,
    service: Child,
    _folder: tempfile::TempDir,
}

impl Town {
    fn start(latency: Duration) -> Self {
        let config = Config {
            latency,
            ..Config::default()
        };
        let gitlab = Sandbox::start(config).unwrap();
        let token = people(&gitlab);
        let folder = tempfile::tempdir().unwrap();
        // The webhook has to name the port before the service listens on it.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
             [gitlab]\nurl = \"{}\"\nrate_share = \"100%\"\n[log]\nfilter = \"error\"\n\
             [[program]]\nname = \"cop\"\ngroup = \"acme/cops\"\nintake = \"{INTAKE}\"\napproval = \"always\"\n\
             [program.handbook]\nproject = \"acme/handbook\"\npage = \"cop.md\"\nheading = \"Current communities\"\n",
            gitlab.url()
        );
        std::fs::create_dir(folder.path().join("config")).unwrap();
        std::fs::write(folder.path().join("config/convenor.toml"), settings).unwrap();
        let convenor = |command: &str| {
            let mut program = Command::new(env!("CARGO_BIN_EXE_convenor"));
            program
                .arg(command)
                .current_dir(folder.path())
                .env("CONVENOR_GITLAB__TOKEN", &token)
                .env("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET)
                .stdout(Stdio::null());
            program
        };
        assert!(convenor("init").status().unwrap().success());
        let service = convenor("serve").spawn().unwrap();
        let town = Self {
            gitlab,
            service,
            _folder: folder,
        };
        town.rests();
        town
    }

    /// Waits until nothing has been asked for a while.
    fn rests(&self) {
        let mut last = (self.gitlab.calls().len(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(700) {
            std::thread::sleep(Duration::from_millis(20));
            let calls = self.gitlab.calls().len();
            if calls != last.0 {
                last = (calls, Instant::now());
            }
        }
        self.gitlab.forget_calls();
    }

    fn propose(&self, number: usize) -> Run {
        let form = format!(
            "### Focus topic\n\nTopic {number}\n\n### Purpose and scope\n\nShare what we learn about this at work, in the open.\n\n\
             ### Facilitators\n\n@alice, @bob\n\n### Cadence\n\nMonthly, first Tuesday, 16:00 UTC, 50 minutes\n"
        );
        let proposer = self.gitlab.person("proposer").unwrap();
        let began = Instant::now();
        let issue = proposer
            .open_issue(INTAKE, "New community", &form, &["cop::proposed"])
            .unwrap();
        let path = format!("/issues/{issue}/notes");
        let (mut question, mut answer) = (None, None);
        while answer.is_none() {
            let calls = self.gitlab.calls();
            let ours: Vec<_> = calls.iter().filter(|call| call.user.as_deref() == Some(BOT)).collect();
            let elapsed = began.elapsed().as_secs_f64() * 1e3;
            if !ours.is_empty() {
                question.get_or_insert(elapsed);
            }
            let comment = ours
                .iter()
                .position(|call| call.method == "POST" && call.path.ends_with(&path));
            answer = comment.map(|before| (elapsed, before));
            assert!(elapsed < 60_000.0, "no comment came");
            std::thread::sleep(Duration::from_micros(300));
        }
        let (comment, calls) = answer.unwrap();
        self.rests();
        Run {
            question: question.unwrap_or(comment),
            comment,
            calls: calls as f64,
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

fn people(gitlab: &Sandbox) -> String {
    gitlab.add_group_with("acme", "public").unwrap();
    gitlab.add_group_with("acme/cops", "public").unwrap();
    gitlab
        .add_project_with(INTAKE, "public", &[("README.md", "# Intake\n")])
        .unwrap();
    gitlab
        .add_project_with("acme/handbook", "public", &[("cop.md", PAGE)])
        .unwrap();
    for name in ["alice", "bob"] {
        gitlab.add_user(name);
    }
    gitlab.add_member("acme/cops", "proposer", Role::Reporter).unwrap();
    gitlab.add_bot(BOT);
    gitlab.add_member("acme", BOT, Role::Owner).unwrap();
    gitlab.add_token(BOT)
}
