//! The program as it is installed: a settings file, commands, a service that is killed in the middle, and what it says of itself.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use gitlab_sandbox::{Config, Sandbox};
use serde_json::{Value, json};

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE_PATH, SECRET, people};

/// A sandbox, and a folder with settings for it.
pub(super) struct Installation {
    pub(super) gitlab: Sandbox,
    token: String,
    folder: tempfile::TempDir,
    address: String,
}

impl Installation {
    pub(super) fn new() -> Self {
        let gitlab = Sandbox::start(Config::default()).unwrap();
        let token = people(&gitlab);
        let folder = tempfile::tempdir().unwrap();
        // The webhook has to name the port before the service listens on it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        fs::create_dir(folder.path().join("config")).unwrap();
        let settings = format!(
            "[server]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\n\
             [worker]\nlease = \"3s\"\n[gitlab]\nurl = \"{}\"\nrate_share = \"100%\"\n\
             [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\n\
             [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n",
            gitlab.url()
        );
        fs::write(folder.path().join("config/convenor.toml"), settings).unwrap();
        Self {
            gitlab,
            token,
            folder,
            address,
        }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convenor"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("CONVENOR_GITLAB__TOKEN", &self.token)
            .env("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code(), said)
    }

    pub(super) fn serve(&self) -> Service {
        self.serve_with(&[])
    }

    /// `serve` with more settings, by environment.
    pub(super) fn serve_with(&self, more: &[(&str, &str)]) -> Service {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = self.command(&["serve"]);
        command.envs(more.iter().copied()).stderr(Stdio::from(log));
        Service(command.spawn().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(super) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(format!("http://{}{path}", self.address)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Waits until the service takes in deliveries.
    pub(super) async fn is_ready(&self) {
        self.until("the service", async || {
            self.get("/readyz").await.filter(|(code, _)| *code == 200)
        })
        .await;
    }

    pub(super) async fn until<T>(&self, what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..6000 {
            if let Some(value) = found().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("waited in vain for {what}; the log: {}", self.log());
    }
}

/// `convenor serve`; killed, not stopped, when it is dropped.
pub(super) struct Service(pub(super) Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The sum of all series of a metric whose labels hold `labels`.
pub(super) fn figure(metrics: &str, name: &str, labels: &str) -> f64 {
    let series = metrics.lines().filter(|line| {
        let (series, _) = line.rsplit_once(' ').unwrap_or_default();
        series.split('{').next() == Some(name) && series.contains(labels)
    });
    series
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_installed_program_does_the_main_job_though_it_is_killed_in_the_middle() {
    let installed = Installation::new();
    let (code, said) = installed.run(&["doctor"]);
    assert!(
        code == Some(0) && said.contains("run `convenor init`"),
        "{code:?} {said}"
    );
    let (code, said) = installed.run(&["init"]);
    assert_eq!(code, Some(0), "{said}");

    let service = installed.serve();
    installed.is_ready().await;
    let (code, said) = installed.run(&["doctor"]);
    assert_eq!(code, Some(0), "{said}");
    let proposer = installed.gitlab.person("proposer").unwrap();
    let issue = proposer
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed"])
        .unwrap();
    let project = format!("{GROUP}/rust-at-work");
    installed
        .until("the project", async || {
            installed.gitlab.project(&project).ok().map(drop)
        })
        .await;
    drop(service);

    let _service = installed.serve();
    let merge_request = installed
        .until("the merge request", async || {
            let all = installed.gitlab.merge_requests(HANDBOOK).unwrap();
            all.into_iter().find(|merge_request| merge_request.state == "opened")
        })
        .await;
    let maintainer = installed.gitlab.person("maintainer").unwrap();
    maintainer.merge(HANDBOOK, merge_request.iid).unwrap();
    installed
        .until("the end of the proposal", async || {
            let issue = installed.gitlab.issue(INTAKE, issue).unwrap();
            (issue.state == "closed").then_some(())
        })
        .await;
    assert_eq!(
        installed.gitlab.projects(GROUP).unwrap().len(),
        2,
        "the intake and one community"
    );
    assert_eq!(installed.gitlab.merge_requests(HANDBOOK).unwrap().len(), 1);
    assert_eq!(installed.gitlab.violations(), Vec::<String>::new());
    let (code, said) = installed.run(&["plan"]);
    assert_eq!(code, Some(0), "{said}");
    what_it_did_is_in_the_figures(&installed).await;
}

async fn what_it_did_is_in_the_figures(installed: &Installation) {
    // The looks that follow the merge may still be on their way.
    let figures = installed
        .until("the community among the figures", async || {
            let (status, figures) = installed.get("/metrics").await?;
            let of = |name, labels| figure(&figures, name, labels);
            let listed = of("convenor_communities", r#"program="cop",state="active",line="listed""#) == 1.0;
            let done = of("convenor_proposals", r#"program="cop",state="active""#) == 1.0;
            (status == 200 && listed && done).then_some(figures)
        })
        .await;
    for (name, all) in [("convenor_communities", 1.0), ("convenor_proposals", 1.0)] {
        assert!((figure(&figures, name, "") - all).abs() < f64::EPSILON, "{figures}");
    }
    for (name, labels) in [
        ("convenor_deliveries_total", r#"outcome="new""#),
        ("convenor_delivery_seconds_count", ""),
        ("convenor_looks_total", r#"kind="proposal""#),
        ("convenor_looks_total", r#"outcome="done""#),
        ("convenor_look_seconds_count", r#"kind="community""#),
        ("convenor_plans_total", r#"due="steps""#),
        ("convenor_steps_total", r#"step="create_merge_request""#),
        ("convenor_gitlab_calls_total", r#"status="200""#),
        ("convenor_gitlab_call_seconds_count", ""),
        ("convenor_queue_things", r#"state="ready""#),
        ("convenor_database_up", ""),
        ("convenor_build_info", ""),
        ("process_resident_memory_bytes", ""),
    ] {
        assert!(figure(&figures, name, labels) > 0.0, "{name} {labels}:\n{figures}");
    }
    for (name, labels) in [
        ("convenor_queue_things", r#"state="held""#),
        ("convenor_deliveries_total", r#"outcome="not_stored""#),
    ] {
        assert!(figure(&figures, name, labels) == 0.0, "{name} {labels}:\n{figures}");
    }
    assert_eq!(
        figure(&figures, "convenor_steps_total", r#"step="create_merge_request""#),
        1.0
    );
    for secret in [SECRET, &installed.token] {
        assert!(!figures.contains(secret) && !installed.log().contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_service_takes_a_rotated_token_and_neither_is_in_its_log() {
    let installed = Installation::new();
    let file = installed.folder.path().join("token");
    fs::write(&file, &installed.token).unwrap();
    let by_file = [
        ("CONVENOR_GITLAB__TOKEN", ""),
        ("CONVENOR_GITLAB__TOKEN_FILE", file.to_str().unwrap()),
        ("CONVENOR_LOG__FILTER", "trace"),
    ];
    assert_eq!(installed.run(&["init"]).0, Some(0));
    let _service = installed.serve_with(&by_file);
    installed.is_ready().await;

    let rotated = installed.command(&["rotate"]).envs(by_file).output().unwrap();
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let new = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_ne!(new, installed.token);
    installed
        .until("the new token", async || {
            installed.log().contains("the token was rotated").then_some(())
        })
        .await;
    // The old one has ended, so whatever is done from here on is done with the new one.
    let proposer = installed.gitlab.person("proposer").unwrap();
    proposer
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed"])
        .unwrap();
    installed
        .until("the merge request", async || {
            let all = installed.gitlab.merge_requests(HANDBOOK).unwrap();
            all.first().map(drop)
        })
        .await;
    let log = installed.log();
    for token in [&installed.token, &new] {
        assert!(!log.contains(token.as_str()), "a token is in the log");
    }
    assert_eq!(installed.run(&["doctor"]).0, Some(1), "the old one has ended");
}

#[test]
fn what_is_due_is_planned_by_one_command_and_done_by_another() {
    let installed = Installation::new();
    assert_eq!(installed.run(&["init"]).0, Some(0));
    let proposer = installed.gitlab.person("proposer").unwrap();
    proposer
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed"])
        .unwrap();
    let (code, said) = installed.run(&["plan"]);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = installed.run(&["apply"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(installed.gitlab.merge_requests(HANDBOOK).unwrap().len(), 1);
    let (code, said) = installed.run(&["plan"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        !Path::new(&installed.folder.path().join("log")).exists(),
        "nothing served"
    );
}

#[test]
fn the_lifeline_is_part_of_the_plan() {
    let installed = Installation::new();
    assert_eq!(installed.run(&["init"]).0, Some(0));
    let (code, said) = installed.run(&["plan"]);
    assert!(code == Some(0) && said.contains("lifeline cop\n"), "{said}");
    let admin = installed.gitlab.admin();
    let hooks = format!("/groups/{}/hooks", GROUP.replace('/', "%2F"));
    let made = admin.api("GET", &hooks, Value::Null).unwrap();
    let hook = format!("{hooks}/{}", made[0]["id"]);
    admin.api("PUT", &hook, json!({ "issues_events": false })).unwrap();
    let (code, said) = installed.run(&["plan", "--json"]);
    let planned: Value = serde_json::from_str(&said).unwrap();
    let lifeline = planned.as_array().unwrap().last().unwrap();
    assert_eq!(
        (code, &lifeline["thing"], &lifeline["steps"][0]["kind"]),
        (Some(2), &json!("lifeline cop"), &json!("update_hook")),
        "{said}"
    );
    let (code, said) = installed.run(&["apply"]);
    assert_eq!(code, Some(0), "{said}");
    let made = admin.api("GET", &hooks, Value::Null).unwrap();
    assert_eq!(made[0]["issues_events"], true);
    assert_eq!(installed.run(&["plan"]).0, Some(0));
}
