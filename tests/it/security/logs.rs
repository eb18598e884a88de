//! Hostile text in everything that is ever logged: each event stays one line that steers nothing.

use std::io::Write;
use std::sync::{Arc, Mutex};

use convenor::redact::Redactor;
use convenor::settings::LogFormat;
use convenor::telemetry::Lines;
use gitlab_sandbox::{Act, Config, Effect, Fault};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::town::{FORM, GROUP, INTAKE, SECRET, Town};

/// Ends lines, clears screens, turns the reading around, forges an entry.
const HOSTILE: &str = "x\n2026-01-01T00:00:00Z ERROR forged: all is lost\r\u{1b}[2J\u{1b}]8;;https://evil.example\u{7}\u{9b}31m\u{202e}\u{2028}\u{85}\u{0}y";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everybody says hostile things everywhere: in forms, names, comments, charters, labels, payloads, headers, errors.
async fn everybody_is_hostile() {
    let town = Town::with(Config::default(), &[("approval", "\"always\"")]).await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let proposer = town.gitlab.person("proposer").unwrap();
    town.opens("proposer", &FORM.replace("Rust at Work", &HOSTILE.replace('\n', " ")));
    town.opens("proposer", &FORM.replace("Share what", HOSTILE));
    let iid = town.opens("proposer", FORM);
    proposer.edit_issue(INTAKE, iid, json!({ "title": HOSTILE })).unwrap();
    proposer
        .comment(INTAKE, iid, &format!("@convenor-bot {HOSTILE}"))
        .unwrap();
    maintainer
        .comment(INTAKE, iid, &format!("@convenor-bot decline {HOSTILE}"))
        .unwrap();
    town.settle().await;
    proposer.describe_issue(INTAKE, iid, &format!("{FORM}\n")).unwrap();
    maintainer.comment(INTAKE, iid, "@convenor-bot approve").unwrap();
    let _ = proposer.reopen_issue(INTAKE, iid);
    let breaks = Act::new(|world| {
        let project = format!("{GROUP}/rust-at-work");
        let charter = format!("name: {HOSTILE:?}\nfacilitators: [{HOSTILE:?}]\n{HOSTILE}: 1\n");
        let lead = world.admin();
        let _ = lead.push_file(&project, "main", convenor_core::charter::PATH, charter);
        let _ = lead.edit_project(&project, json!({ "description": HOSTILE, "topics": [HOSTILE] }));
    });
    let made = Fault::new(Effect::After(breaks)).user("convenor-bot").method("POST");
    town.gitlab.add_fault(made.path("/boards$").unwrap().once());
    town.gitlab.add_fault(
        Fault::new(Effect::Forbidden)
            .method("POST")
            .path("/labels$")
            .unwrap()
            .times(2),
    );
    town.settle().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for body in [
        json!({ "object_kind": HOSTILE, "project": { "path_with_namespace": HOSTILE }, "object_attributes": { "iid": 1 } }),
        json!({ "object_kind": "issue", "project": { "path_with_namespace": INTAKE }, "object_attributes": { "iid": HOSTILE } }),
        json!({ "object_kind": "push", "ref": HOSTILE, "project": { "path_with_namespace": format!("{GROUP}/{HOSTILE}") } }),
        json!(HOSTILE),
    ] {
        for token in [SECRET, "a-strangers\u{1b}[2Jtoken"] {
            let request = http
                .post(format!("{}/webhooks/gitlab", town.door))
                .body(body.to_string());
            let token = http::HeaderValue::from_bytes(token.replace('\u{1b}', "\u{80}").as_bytes()).unwrap();
            let request = request
                .header("x-gitlab-token", token)
                .header("x-gitlab-event", "Issue Hook\t\t forged");
            let key = http::HeaderValue::from_bytes("key\u{9b}31m\u{202e}".as_bytes()).unwrap();
            let status = request.header("idempotency-key", key).send().await.unwrap().status();
            assert!(status == 200 || status == 401, "{status}");
        }
    }
    town.settle().await;
}

/// What GitLab says in an error is text of others, too.
async fn gitlab_says_hostile_things() {
    let gitlab = wiremock::MockServer::start().await;
    for (status, body) in [
        (400, json!({ "message": { HOSTILE: [HOSTILE] } })),
        (401, json!({ "message": HOSTILE })),
        (403, json!({ "error": "insufficient_scope", "scope": HOSTILE })),
        (404, json!({ "message": HOSTILE })),
        (409, json!({ "message": [HOSTILE] })),
        (422, json!({ "error": HOSTILE })),
    ] {
        gitlab.reset().await;
        let answer = wiremock::ResponseTemplate::new(status).set_body_json(body);
        wiremock::Mock::given(wiremock::matchers::any())
            .respond_with(answer)
            .mount(&gitlab)
            .await;
        let settings =
            convenor::gitlab::ClientSettings::new(gitlab.uri().parse().unwrap(), "token-of-this-test".into());
        let client = convenor::gitlab::Client::new(&settings).unwrap();
        let error = client.reader().current_user().await.unwrap_err();
        // As `worker` logs a look's failure, and as careless code would.
        let text = error.to_string();
        tracing::warn!(error = text.as_str(), "a look failed");
        tracing::error!(%error, "{error} {error:?}");
    }
    // Nobody logs raw text of people. If somebody did, the last line would hold.
    tracing::error!(raw = %HOSTILE, quoted = ?HOSTILE, text = HOSTILE, "{HOSTILE}");
}

#[tokio::test]
async fn whatever_people_write_a_log_line_is_one_line() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let log = Log::default();
        let lines = Lines {
            format,
            redactor: Redactor::default(),
            to: log.clone(),
        };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(lines);
        let subscriber: tracing::Dispatch = match format {
            LogFormat::Text => subscriber.with_ansi(false).finish().into(),
            LogFormat::Json => subscriber.json().finish().into(),
        };
        // With one dispatcher alone, a callsite that another test's thread meets first would be switched off for good.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        let guard = tracing::dispatcher::set_default(&subscriber);
        everybody_is_hostile().await;
        gitlab_says_hostile_things().await;
        drop(guard);
        let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            logged.lines().count() > 100 && logged.contains("a look failed"),
            "little was logged"
        );
        for line in logged.split_terminator('\n') {
            let steers = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{85}');
            assert!(!line.contains(steers), "{line:?}");
            match format {
                LogFormat::Text => assert!(
                    line.get(4..5) == Some("-") && line.get(10..11) == Some("T"),
                    "forged: {line:?}"
                ),
                LogFormat::Json => drop(serde_json::from_str::<serde_json::Value>(line).expect(line)),
            }
        }
    }
}
