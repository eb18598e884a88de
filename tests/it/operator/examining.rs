//! `convenor doctor`: every check, and what makes it fail.

use std::process::{Child, Command, Stdio};

use convenor::settings::DatabaseUrl;
use convenor::store::Store;
use convenor_core::thing::Thing;
use gitlab_sandbox::{Config, Role};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::office::{BOT, GROUP, HANDBOOK, INTAKE, Office, PAGE, SECRET};

const TABLE: &str = "## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n| Kubernetes | TBD |\n";

/// An installation that is as it should be.
fn sound(config: Config) -> Office {
    let office = Office::with_page(config, TABLE);
    office.gitlab.add_member("acme", "boss", Role::Owner).unwrap();
    office.run(&["init"]).well();
    office
}

fn checks(office: &Office) -> Vec<Value> {
    office.run(&["doctor", "--json"]).json().as_array().unwrap().clone()
}

/// Everything that is not as it should be: name and level.
fn bad(office: &Office) -> Vec<(String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = checks(office);
    for check in &checks {
        let is_ok = check["level"] == "ok";
        assert_eq!(check["mend"] == "", is_ok, "what is wrong has a mend: {check}");
        assert_ne!(check["evidence"], "", "{check}");
    }
    let bad = checks.iter().filter(|check| check["level"] != "ok");
    bad.map(|check| (text(check, "name"), text(check, "level"))).collect()
}

#[track_caller]
fn finds(office: &Office, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, level)| ((*name).to_owned(), (*level).to_owned()))
        .collect();
    assert_eq!(bad(office), expected, "{:#?}", checks(office));
    let code = office.run(&["doctor"]).code;
    assert_eq!(
        code,
        Some(i32::from(expected.iter().any(|(_, level)| level == "error")))
    );
}

/// The bot's webhook of the group, changed by an Owner.
fn change_hook(office: &Office, change: Value) {
    let hooks = format!("/groups/{}/hooks", GROUP.replace('/', "%2F"));
    let boss = office.gitlab.person("boss").unwrap();
    let id = boss.api("GET", &hooks, Value::Null).unwrap()[0]["id"].clone();
    boss.api("PUT", &format!("{hooks}/{id}"), change).unwrap();
}

fn bot_becomes(office: &Office, place: &str, role: Role) {
    office
        .gitlab
        .person("boss")
        .unwrap()
        .change_member(place, BOT, role)
        .unwrap();
}

#[test]
fn a_sound_installation_passes_more_than_twenty_checks() {
    let office = sound(Config::default());
    finds(&office, &[]);
    let names: std::collections::BTreeSet<String> = checks(&office)
        .iter()
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 30, "{}: {names:?}", names.len());
    assert_eq!(office.gitlab.violations(), Vec::<String>::new());
}

#[test]
fn looking_makes_and_writes_nothing() {
    let office = Office::with_page(Config::default(), TABLE);
    finds(
        &office,
        &[
            ("database", "warning"),
            ("webhook.present", "warning"),
            ("labels", "warning"),
            ("template", "warning"),
        ],
    );
    assert_eq!(office.writes(), 0);
    assert!(!office.folder.path().join("convenor.db").exists());
}

#[test]
fn faulty_settings_are_each_a_finding() {
    let mut office = sound(Config::default());
    office.set("CONVENOR_SERVER__LISTEN", "nowhere");
    office.set("CONVENOR_WORKER__WORKERS", "0");
    finds(&office, &[("settings", "error"), ("settings", "error")]);
}

#[test]
fn the_token_has_to_be_valid_wide_enough_and_no_wider_and_last() {
    let mut office = sound(Config::default());
    office.set("CONVENOR_GITLAB__TOKEN", "glpat-unknown");
    finds(&office, &[("gitlab", "error")]);
    let admin = office.gitlab.add_token_with(BOT, &["api", "sudo"], None);
    office.set("CONVENOR_GITLAB__TOKEN", &admin);
    finds(&office, &[("token.scopes", "warning")]);
    let soon = office
        .gitlab
        .now()
        .checked_add(SignedDuration::from_hours(24 * 5))
        .unwrap();
    let day = soon.to_string()[..10].to_owned();
    let ending = office.gitlab.add_token_with(BOT, &["api"], Some(&day));
    office.set("CONVENOR_GITLAB__TOKEN", &ending);
    finds(&office, &[("token.expiry", "warning")]);
    let expiry = checks(&office)
        .into_iter()
        .find(|check| check["name"] == "token.expiry")
        .unwrap();
    assert!(expiry["evidence"].as_str().unwrap().contains("in 5 days"), "{expiry}");
    let reading = office.gitlab.add_token_with(BOT, &["read_api"], None);
    office.set("CONVENOR_GITLAB__TOKEN", &reading);
    assert!(bad(&office).contains(&("token.scopes".to_owned(), "error".to_owned())));
}

#[test]
fn gitlab_has_to_answer_and_be_new_enough() {
    let office = sound(Config::default());
    let text = std::fs::read_to_string(office.folder.path().join("convenor.toml")).unwrap();
    let elsewhere = text.replace(office.gitlab.url(), "http://127.0.0.1:1");
    std::fs::write(office.folder.path().join("convenor.toml"), elsewhere).unwrap();
    finds(&office, &[("gitlab", "error")]);
    for (version, level) in [("15.11.0", "error"), ("17.0.0", "warning")] {
        let old = sound(Config {
            version: version.to_owned(),
            ..Config::default()
        });
        finds(&old, &[("gitlab.version", level)]);
    }
}

#[test]
fn the_clocks_have_to_agree_and_calls_to_be_left() {
    let office = sound(Config {
        rate_limits: true,
        ..Config::default()
    });
    let level = |name: &str| {
        let checks = checks(&office);
        let check = checks.iter().find(|check| check["name"] == name).unwrap().clone();
        (check["level"].as_str().unwrap().to_owned(), check)
    };
    // From here on GitLab's clock stands, so the minute of the calls does not end under the test's hands.
    office.gitlab.advance(SignedDuration::ZERO);
    let (found, check) = level("gitlab.rate_limit");
    assert!(
        found == "ok" && check["evidence"].as_str().unwrap().contains("of 2000"),
        "{check}"
    );
    assert_eq!(level("clock").0, "ok");
    office.gitlab.spend_calls(BOT, 1750);
    let (found, check) = level("gitlab.rate_limit");
    assert!(
        found == "warning" && check["mend"].as_str().unwrap().contains("rate_share"),
        "{check}"
    );
    office.gitlab.advance(SignedDuration::from_mins(7));
    let (found, check) = level("clock");
    assert_eq!(found, "error", "{check}");
    assert_eq!(office.run(&["doctor"]).code, Some(1));
}

#[test]
fn roles_and_the_right_to_make_projects() {
    let office = sound(Config::default());
    bot_becomes(&office, "acme", Role::Maintainer);
    finds(
        &office,
        &[
            ("role.group", "warning"),
            ("tier", "warning"),
            ("webhook.present", "warning"),
        ],
    );
    bot_becomes(&office, "acme", Role::Reporter);
    let found = bad(&office);
    for (name, level) in [
        ("role.group", "error"),
        ("group.projects", "error"),
        ("role.handbook", "error"),
    ] {
        assert!(
            found.contains(&(name.to_owned(), level.to_owned())),
            "{name}: {found:?}"
        );
    }
    bot_becomes(&office, "acme", Role::Guest);
    assert!(bad(&office).contains(&("role.intake".to_owned(), "error".to_owned())));

    let closed = sound(Config::default());
    let group = format!("/groups/{}", GROUP.replace('/', "%2F"));
    let boss = closed.gitlab.person("boss").unwrap();
    boss.api("PUT", &group, json!({ "project_creation_level": "noone" }))
        .unwrap();
    finds(&closed, &[("group.projects", "error")]);
}

#[test]
fn a_place_that_is_not_there_is_named() {
    let mut office = sound(Config::default());
    office.set("CONVENOR_PROGRAM__0__INTAKE", "acme/cops/inbox");
    finds(&office, &[("program", "error")]);
    let program = checks(&office)
        .into_iter()
        .find(|check| check["name"] == "program")
        .unwrap();
    assert!(
        program["evidence"].as_str().unwrap().contains("acme/cops/inbox"),
        "{program}"
    );
}

#[test]
fn webhooks_have_to_be_there_complete_believed_and_to_send_here() {
    let office = sound(Config::default());
    change_hook(&office, json!({ "issues_events": false }));
    finds(&office, &[("webhook.events", "warning")]);
    change_hook(
        &office,
        json!({ "issues_events": true, "enable_ssl_verification": false }),
    );
    finds(&office, &[("webhook.tls", "warning")]);
    change_hook(&office, json!({ "enable_ssl_verification": true, "token": "" }));
    finds(&office, &[("webhook.token", "error")]);
    office.run(&["init", "--renew-hooks"]).well();
    finds(&office, &[]);
    let mut office = office;
    office.set("CONVENOR_SERVER__PUBLIC_URL", "https://moved.example.com");
    finds(&office, &[("webhook.address", "error")]);
    office.run(&["init"]).well();
    finds(&office, &[]);
    office.set("CONVENOR_SERVER__PUBLIC_URL", "http://convenor.example.com");
    assert!(bad(&office).contains(&("server.public_url".to_owned(), "warning".to_owned())));
}

#[test]
fn webhooks_that_fail_are_told_before_and_after_gitlab_disables_them() {
    let office = sound(Config::default());
    let maintainer = office.gitlab.person("maintainer").unwrap();
    for round in 0..4 {
        let level = match round {
            0 => None,
            _ => Some(("webhook.deliveries".to_owned(), "warning".to_owned())),
        };
        assert_eq!(bad(&office), level.into_iter().collect::<Vec<_>>(), "after {round}");
        maintainer
            .push_file(INTAKE, "main", "README.md", format!("{round}\n"))
            .unwrap();
        for delivery in office.gitlab.take_deliveries() {
            office.gitlab.answer_delivery(delivery.id, Some(401));
        }
    }
    finds(
        &office,
        &[("webhook.enabled", "error"), ("webhook.deliveries", "error")],
    );
}

#[test]
fn secrets_have_to_be_there_and_long() {
    let mut office = sound(Config::default());
    office.set("CONVENOR_WEBHOOK__SECRET_TOKEN", "short");
    finds(&office, &[("webhook.secret", "warning")]);
    office.set("CONVENOR_WEBHOOK__SECRET_TOKEN", "");
    finds(&office, &[("webhook.secret", "error")]);
}

#[test]
fn an_administrator_is_too_much_and_no_program_too_little() {
    let office = sound(Config::default());
    office.gitlab.make_admin(BOT);
    let found = bad(&office);
    assert!(
        found.contains(&("account.rights".to_owned(), "warning".to_owned())),
        "{found:?}"
    );
    let settings = std::fs::read_to_string(office.folder.path().join("convenor.toml")).unwrap();
    let without = settings.split("[[program]]").next().unwrap();
    std::fs::write(office.folder.path().join("convenor.toml"), without).unwrap();
    let found = bad(&office);
    assert!(
        found.contains(&("programs".to_owned(), "error".to_owned())),
        "{found:?}"
    );
}

#[test]
fn a_directory_needs_its_markers() {
    let office = sound(Config::default());
    let page = "content/all.md";
    let file = office.folder.path().join("convenor.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let settings = settings.replace("[program.handbook]", "[[program.handbook]]");
    let directory =
        format!("[[program.handbook]]\ntype = \"directory\"\nproject = \"{HANDBOOK}\"\npage = \"{page}\"\n");
    std::fs::write(&file, format!("{settings}{directory}")).unwrap();
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer.push_file(HANDBOOK, "main", page, "# All\n").unwrap();
    finds(&office, &[("directory", "error")]);
    let markers = "<!-- convenor directory begin -->\n<!-- convenor directory end -->\n";
    maintainer.push_file(HANDBOOK, "main", page, markers).unwrap();
    finds(&office, &[]);
}

#[test]
fn labels_template_page_and_table() {
    let office = sound(Config::default());
    let maintainer = office.gitlab.person("maintainer").unwrap();
    let boss = office.gitlab.person("boss").unwrap();
    let label = format!("/groups/{}/labels/cop%3A%3Aready", GROUP.replace('/', "%2F"));
    boss.api("DELETE", &label, Value::Null).unwrap();
    finds(&office, &[("labels", "warning")]);
    office.run(&["init"]).well();
    let template = ".gitlab/issue_templates/New community.md";
    maintainer
        .push_file(INTAKE, "main", template, "## Focus topic\n")
        .unwrap();
    finds(&office, &[("template", "warning")]);
    maintainer
        .push_file(INTAKE, "main", template, convenor_core::proposal::template())
        .unwrap();
    maintainer
        .push_file(HANDBOOK, "main", PAGE, TABLE.replace("| TBD |", ""))
        .unwrap();
    finds(&office, &[("table", "warning")]);
    maintainer.push_file(HANDBOOK, "main", PAGE, "# Nothing\n").unwrap();
    finds(&office, &[("table", "error")]);
    let mut office = office;
    office.set("CONVENOR_PROGRAM__0__HANDBOOK__PAGE", "content/other.md");
    finds(&office, &[("page", "error")]);
}

#[test]
fn templates_have_to_be_read_and_to_render() {
    let office = sound(Config::default());
    let folder = office.folder.path().join("mine");
    std::fs::create_dir_all(folder.join("project")).unwrap();
    std::fs::write(folder.join("board.toml"), "nonsense").unwrap();
    let mut office = office;
    office.set("CONVENOR_PROGRAM__0__TEMPLATES", "mine");
    let found = bad(&office);
    assert!(
        found.contains(&("templates".to_owned(), "error".to_owned())),
        "{found:?}"
    );
    let set = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    std::fs::copy(set.join("board.toml"), folder.join("board.toml")).unwrap();
    std::fs::write(folder.join("project/README.md.hbs"), "{{#if}}\n").unwrap();
    let found = bad(&office);
    assert!(
        found.contains(&("templates.render".to_owned(), "error".to_owned())),
        "{found:?}"
    );
}

#[test]
fn people_of_the_settings_and_charters_of_the_communities() {
    let mut office = sound(Config::default());
    office.set("CONVENOR_PROGRAM__0__APPROVERS", "nobody-here");
    finds(&office, &[("approvers", "warning")]);
    office.set("CONVENOR_PROGRAM__0__APPROVERS", "");
    office.set("CONVENOR_PROGRAM__0__HANDBOOK__REVIEWERS", "nobody-here");
    finds(&office, &[("reviewers", "warning")]);
    office.set("CONVENOR_PROGRAM__0__HANDBOOK__REVIEWERS", "");
    office.community("docs", &[(convenor_core::charter::PATH, "name: [\n")]);
    finds(&office, &[("charters", "warning")]);
}

fn url(office: &Office) -> DatabaseUrl {
    DatabaseUrl::Sqlite(office.folder.path().join("convenor.db"))
}

#[test]
fn the_database_has_to_be_whole_and_writable_and_the_queue_empty_of_trouble() {
    let office = sound(Config::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url(&office)).await.unwrap();
        let thing: Thing = "proposal cop#1".parse().unwrap();
        let now = office.gitlab.now();
        store.knock(&[thing], "test", now).await.unwrap();
        let claim = store
            .claim(now, std::time::Duration::from_secs(1))
            .await
            .unwrap()
            .unwrap();
        store.hold(&claim, now, "two boards").await.unwrap();
        store.close().await;
    });
    finds(&office, &[("queue", "warning")]);
    std::fs::write(office.folder.path().join("convenor.db"), vec![7; 8192]).unwrap();
    finds(&office, &[("database", "error")]);
}

/// `convenor serve` in the office's folder.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(office: &Office, port: u16, secret: &str) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convenor"));
    command
        .args(["--config", "convenor.toml", "serve"])
        .current_dir(office.folder.path())
        .env_clear();
    command
        .envs(office.environment())
        .env("CONVENOR_WEBHOOK__SECRET_TOKEN", secret);
    command.env("CONVENOR_SERVER__LISTEN", format!("127.0.0.1:{port}"));
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < deadline, "the service does not listen");
        std::thread::yield_now();
    }
    Serving(child)
}

fn round_trip(office: &Office) -> (String, String) {
    let ran = office.run(&["doctor", "--deliver", "--json"]).json();
    let check = ran
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "webhook.round_trip")
        .unwrap();
    (
        check["level"].as_str().unwrap().to_owned(),
        check["evidence"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_test_delivery_goes_all_the_way_or_says_where_it_ends() {
    let mut office = Office::with_page(Config::default(), TABLE);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    office.set("CONVENOR_SERVER__PUBLIC_URL", &format!("http://127.0.0.1:{port}"));
    office.run(&["init"]).well();
    assert_eq!(round_trip(&office).0, "error", "nobody serves");
    {
        let _serving = serve(&office, port, "another-secret-of-24-characters");
        assert_eq!(round_trip(&office).0, "error", "the service does not believe it");
    }
    let _serving = serve(&office, port, SECRET);
    office.run(&["init", "--renew-hooks"]).well();
    let (level, evidence) = round_trip(&office);
    assert_eq!(level, "ok", "{evidence}");
}
