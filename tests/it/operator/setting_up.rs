//! `convenor init`, its repetition, and its way back.

use std::os::unix::fs::PermissionsExt as _;

use gitlab_sandbox::{Config, Role};
use serde_json::Value;

use super::office::{BOT, GROUP, HANDBOOK, INTAKE, Office, SECRET};

const ADDRESS: &str = "https://convenor.example.com/webhooks/gitlab";
const CHARTER: &str = "name: Rust\nstatus: active\nfacilitators: [vera]\n";

fn office(config: Config) -> Office {
    let office = Office::with_page(
        config,
        "## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n",
    );
    office.gitlab.add_user("vera");
    office.community("rust", &[(convenor_core::charter::PATH, CHARTER)]);
    office.community("website", &[]);
    office.gitlab.forget_calls();
    office
}

fn hooks(office: &Office, place: &str) -> Vec<Value> {
    let (kind, path) = place.split_once(' ').unwrap();
    let address = format!("/{kind}/{}/hooks", path.replace('/', "%2F"));
    let found = office.gitlab.as_user(BOT).api("GET", &address, Value::Null);
    found.map(|hooks| hooks.as_array().unwrap().clone()).unwrap_or_default()
}

fn projects_with_hook(office: &Office) -> Vec<&'static str> {
    let all = [INTAKE, HANDBOOK, "acme/cops/rust", "acme/cops/website"];
    all.into_iter()
        .filter(|path| hooks(office, &format!("projects {path}")).len() == 1)
        .collect()
}

fn has_template(office: &Office) -> bool {
    office
        .gitlab
        .text(INTAKE, "main", ".gitlab/issue_templates/New community.md")
        .is_some()
}

#[test]
fn a_dry_run_shows_everything_and_does_nothing() {
    let office = office(Config::default());
    let shown = office.run(&["init", "--dry-run"]).well().out;
    for part in [
        "would create label cop::proposed",
        "(acme/cops)",
        "would commit to branch main",
        ": .gitlab/issue_templates/New community.md",
        "would create a webhook of group",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(office.writes(), 0);
    assert!(!office.folder.path().join("convenor.db").exists());
}

#[test]
fn a_command_says_what_it_does_once_unless_asked_for_more() {
    let mut office = office(Config::default());
    office.set("CONVENOR_LOG__FILTER", "");
    let quiet = office.run(&["init"]).well();
    assert!(
        quiet.out.contains("done: create label") && quiet.err.is_empty(),
        "{quiet:?}"
    );
    office.run(&["init", "--remove"]).well();
    let loud = office.run(&["init", "-v"]).well();
    assert!(loud.err.contains("INFO"), "{loud:?}");
}

#[test]
fn on_premium_one_hook_of_the_group_and_one_of_the_handbook_and_a_repeat_changes_nothing() {
    let office = office(Config::default());
    office.run(&["init"]).well();
    assert_eq!(hooks(&office, &format!("groups {GROUP}")).len(), 1);
    assert_eq!(projects_with_hook(&office), [HANDBOOK], "outside the group");
    assert!(has_template(&office));
    office.gitlab.forget_calls();
    let again = office.run(&["init"]).well().out;
    assert_eq!(
        (again.as_str(), office.writes()),
        ("program cop\n  everything is set up already\n", 0)
    );
}

#[test]
fn on_free_every_community_has_a_hook_of_its_own() {
    let office = office(Config::free());
    office.run(&["init"]).well();
    assert_eq!(
        projects_with_hook(&office),
        [INTAKE, HANDBOOK, "acme/cops/rust"],
        "a website is no community"
    );
    assert_eq!(office.gitlab.violations(), Vec::<String>::new());
}

#[test]
fn what_init_made_is_taken_back_and_nothing_else() {
    let office = office(Config::free());
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer.create_label(INTAKE, "cop::ready", "#112233").unwrap();
    let theirs = serde_json::json!({ "url": "https://others.example.com/", "push_events": true });
    let path = format!("/projects/{}/hooks", INTAKE.replace('/', "%2F"));
    maintainer.api("POST", &path, theirs).unwrap();
    office.run(&["init"]).well();
    maintainer
        .open_issue(INTAKE, "A proposal", "", &["cop::proposed"])
        .unwrap();

    let shown = office.run(&["init", "--remove", "--dry-run"]).well().out;
    assert!(
        shown.contains("would remove webhook") && shown.contains("stays: label cop::proposed"),
        "{shown}"
    );
    let removed = office.run(&["init", "--remove"]).well().out;
    assert_eq!(removed.matches("done: remove webhook").count(), 3, "{removed}");
    assert_eq!(removed.matches("done: remove label").count(), 4, "{removed}");
    assert!(!has_template(&office));
    assert_eq!(
        hooks(&office, &format!("projects {INTAKE}")).len(),
        1,
        "the other one stays"
    );
    let mut labels: Vec<String> = office
        .gitlab
        .labels(INTAKE)
        .unwrap()
        .into_iter()
        .map(|label| label.name)
        .collect();
    labels.sort();
    assert_eq!(
        labels,
        ["cop::proposed", "cop::ready"],
        "one is used, one is a person's"
    );

    office.gitlab.forget_calls();
    let again = office.run(&["init", "--remove"]).well().out;
    assert!(again.contains("nothing of it is left"), "{again}");
    assert_eq!(office.writes(), 0);
}

#[test]
fn without_its_database_only_what_is_marked_is_taken_back() {
    let office = office(Config::default());
    office.run(&["init"]).well();
    for file in ["convenor.db", "convenor.db-wal", "convenor.db-shm"] {
        let _ = std::fs::remove_file(office.folder.path().join(file));
    }
    let removed = office.run(&["init", "--remove"]).well().out;
    assert_eq!(removed.matches("done: remove webhook").count(), 2, "{removed}");
    assert!(removed.contains("stays: the issue template"), "{removed}");
    assert!(has_template(&office));
}

#[test]
fn a_template_that_somebody_changed_stays() {
    let office = office(Config::default());
    office.run(&["init"]).well();
    let maintainer = office.gitlab.person("maintainer").unwrap();
    let path = ".gitlab/issue_templates/New community.md";
    maintainer.push_file(INTAKE, "main", path, "### Our own\n").unwrap();
    let removed = office.run(&["init", "--remove"]).well().out;
    assert!(removed.contains("stays: the issue template"), "{removed}");
    assert!(has_template(&office));
}

#[test]
fn a_secret_is_made_and_kept_where_told_and_never_printed() {
    let mut office = office(Config::default());
    office.set("CONVENOR_WEBHOOK__SECRET_TOKEN", "");
    let without = office.run(&["init"]).well().out;
    assert!(without.contains("--new-secret"), "{without}");
    assert_eq!(
        hooks(&office, &format!("groups {GROUP}")).len(),
        0,
        "no hook without a secret"
    );

    let made = office
        .run(&[
            "init",
            "--new-secret",
            "hook.secret",
            "--new-signing-token",
            "hook.signing",
        ])
        .well();
    let read = |name: &str| std::fs::read_to_string(office.folder.path().join(name)).unwrap();
    let (secret, signing) = (read("hook.secret"), read("hook.signing"));
    assert!(secret.trim().len() >= 40 && signing.starts_with("whsec_"));
    for said in [&made.out, &made.err] {
        assert!(
            !said.contains(secret.trim()) && !said.contains(signing.trim()),
            "{made:?}"
        );
    }
    assert!(made.out.contains("secret_token_file = \"hook.secret\""), "{made:?}");
    let mode = std::fs::metadata(office.folder.path().join("hook.secret"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let hook = &hooks(&office, &format!("groups {GROUP}"))[0];
    assert_eq!(
        (&hook["token_present"], &hook["signing_token_present"]),
        (&true.into(), &true.into())
    );

    office.gitlab.forget_calls();
    office.settings("[webhook]\nsecret_token_file = \"hook.secret\"\nsigning_token_file = \"hook.signing\"\n");
    office.run(&["init", "--new-secret", "hook.secret"]).well();
    assert_eq!(
        (read("hook.secret"), office.writes()),
        (secret, 0),
        "a repeat makes no second one"
    );
}

#[test]
fn hooks_that_are_there_get_a_secret_that_is_new() {
    let office = office(Config::default());
    office.run(&["init"]).well();
    let made = office.run(&["init", "--new-secret", "hook.secret"]).well().out;
    assert_eq!(made.matches("done: renew webhook").count(), 2, "{made}");
    assert!(made.contains("restart"), "{made}");
}

#[test]
fn hooks_get_a_changed_secret_when_told() {
    let office = office(Config::default());
    office.run(&["init"]).well();
    office.gitlab.forget_calls();
    let renewed = office.run(&["init", "--renew-hooks"]).well().out;
    assert_eq!(renewed.matches("done: renew webhook").count(), 2, "{renewed}");
}

#[test]
fn what_an_administrator_needs_for_a_system_hook_is_written_for_them() {
    let office = office(Config::free());
    let told = office.run(&["init", "--system-hook", "hook.json"]).well();
    assert!(
        told.out.contains("/api/v4/hooks") && !told.out.contains(SECRET),
        "{told:?}"
    );
    let fields: Value =
        serde_json::from_str(&std::fs::read_to_string(office.folder.path().join("hook.json")).unwrap()).unwrap();
    assert_eq!((&fields["url"], &fields["token"]), (&ADDRESS.into(), &SECRET.into()));
    office.gitlab.admin().api("POST", "/hooks", fields).unwrap();
    assert_eq!(
        office.run(&["init", "--system-hook", "hook.json"]).code,
        Some(1),
        "nothing is overwritten"
    );
}

#[test]
fn a_bot_whose_role_does_not_suffice_begins_nothing() {
    let office = office(Config::default());
    office.gitlab.add_member("acme", "boss", Role::Owner).unwrap();
    office
        .gitlab
        .person("boss")
        .unwrap()
        .change_member("acme", BOT, Role::Developer)
        .unwrap();
    let refused = office.run(&["init"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("is Developer of acme/cops/intake") && refused.err.contains("nothing was begun"),
        "{refused:?}"
    );
    assert_eq!(office.writes(), 0);
}

#[test]
fn an_unknown_program_is_named() {
    let office = office(Config::default());
    let refused = office.run(&["init", "--program", "cops"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("no program \"cops\""), "{refused:?}");
}
