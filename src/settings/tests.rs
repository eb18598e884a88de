use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::*;

const PROGRAM: &str = r#"
[[program]]
name = "cop"
group = "example/cop"
intake = "example/cop/intake"
"#;

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn faults_of(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    match Settings::parse(text, &variables(environment)) {
        Ok(_) => Vec::new(),
        Err(SettingsFaults(faults)) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// Each expected piece has to be in some fault, and there are as many faults as pieces.
fn check_faults(text: &str, environment: &[(&str, &str)], expected: &[&str]) {
    let faults = faults_of(text, environment);
    for piece in expected {
        assert!(
            faults.iter().any(|fault| fault.contains(piece)),
            "no fault has `{piece}`: {faults:#?}"
        );
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}

#[test]
fn nothing_configured_is_a_service_that_only_listens() {
    let settings = Settings::parse("", &BTreeMap::new()).unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.server.public_url, "http://127.0.0.1:8080");
    assert_eq!(settings.gitlab.url.as_str(), "https://gitlab.com/");
    assert!(settings.programs.is_empty());
}

#[test]
fn all_faults_are_listed_at_once_with_key_and_mend() {
    let text = r#"
[server]
listen = "localhost"
body_timeout = "10"
max_connections = 0
[gitlab]
url = "http://gitlab.example.com"
rate_share = 25
[log]
format = "xml"
[database]
keep_bodies = "some"
[[program]]
name = "CoP"
group = "example/cop"
approval = "sometimes"
approvers = ["alice", "no one"]
[program.handbook]
project = "handbook"
page = "/content/cop.md"
"#;
    check_faults(
        text,
        &[("CONVENOR_GITLAB__TOKEN", "t")],
        &[
            "server.listen: `localhost` is not understood; write an address and a port",
            "server.body_timeout: `10` is not understood; write a number with its unit",
            "server.max_connections: 0 is out of range; choose from 16 to 65536",
            "database.keep_bodies: `some` is not understood; choose \"unreadable\" or \"all\"",
            "gitlab.url: `http://gitlab.example.com` is not understood; use https",
            "gitlab.rate_share: is a number; write a text in quotes",
            "log.format: `xml` is not understood; choose \"text\" or \"json\"",
            "program.0.name: `CoP` cannot be a program's name",
            "program.0.intake: is not set; name the project whose issues are proposals",
            "program.0.approval: `sometimes` is not understood; choose",
            "program.0.approvers: `no one` is no GitLab username",
            "program.0.handbook.project: `handbook` is no project's full path",
            "program.0.handbook.page: `/content/cop.md` is no path inside a repository",
            "program.0.handbook.heading: is not set",
        ],
    );
}

/// The pages of a program with these sections behind the usual ones.
fn pages(text: &str) -> Vec<convenor_core::program::Handbook> {
    let environment = variables(&[("CONVENOR_GITLAB__TOKEN", "t")]);
    let settings = Settings::parse(text, &environment).unwrap();
    let programs = settings.programs.into_iter();
    programs.flat_map(|settings| settings.program.handbooks).collect()
}

const TWO_PROGRAMS: &str = r###"
[[program]]
name = "cop"
group = "example/cop"
intake = "example/cop/intake"
[[program.handbook]]
project = "example/handbook"
page = "content/cop.md"
heading = "## Current communities"
[[program.handbook]]
project = "example/handbook"
page = "content/EMEA groups.md"
heading = "Groups"
columns = { Group = "**{{name}}** ({{cadence}})" }
[[program]]
name = "guilds"
group = "/example/guilds/"
intake = "example/guilds/intake"
[program.handbook]
type = "directory"
project = "Example/Handbook"
page = "content/guilds.md"
squash = false
max_open = 0
"###;

#[test]
fn several_pages_of_one_project_never_share_a_branch() {
    let pages = pages(TWO_PROGRAMS);
    let branches: Vec<_> = pages.iter().map(|page| page.row_branch("rust")).collect();
    assert_eq!(
        branches,
        ["convenor/rust", "convenor/rust_emea-groups", "convenor/rust_guilds"]
    );
    assert_eq!(pages[2].joint_branch("directory"), "convenor/_directory_guilds");
    assert_eq!(pages[0].heading, "Current communities");
    assert_eq!((pages[2].manners.squash, pages[2].manners.max_open), (Some(false), 0));
    assert_eq!((pages[1].manners.squash, pages[1].manners.max_open), (None, 30));
}

#[test]
fn slashes_around_a_path_mean_nothing() {
    let environment = variables(&[("CONVENOR_GITLAB__TOKEN", "t")]);
    let settings = Settings::parse(TWO_PROGRAMS, &environment).unwrap();
    assert_eq!(settings.programs[1].program.group, "example/guilds");
}

#[test]
fn a_page_is_checked_whole() {
    let text = TWO_PROGRAMS
        .replace("{{cadence}}", "{{rhythm}}")
        .replace(
            "type = \"directory\"",
            "type = \"list\"\nname = \"Guilds\"\nheading = \"x\"",
        )
        .replace(
            "squash = false",
            "squash = \"no\"\ndraft = \"sometimes\"\nlabels = [\"a,b\"]\nbatch = 1",
        );
    check_faults(
        &text,
        &[("CONVENOR_GITLAB__TOKEN", "t")],
        &[
            "program.0.handbook.1.columns: the template of `Group` cannot be filled: there is no value `rhythm`",
            "program.1.handbook.type: `list` is not understood; choose \"table\"",
            "program.1.handbook.name: `Guilds` is not understood; use lower-case letters",
            "program.1.handbook.labels: holds an empty name or one with a comma",
            "program.1.handbook.batch: is neither true nor false",
            "program.1.handbook.squash: is neither true nor false",
            "program.1.handbook.draft: `sometimes` is not understood; choose \"unready\"",
        ],
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    check_faults(
        "[server]\nlisen = \"x\"",
        &[],
        &["server.lisen: is no known key; did you mean `listen`?"],
    );
    check_faults(
        "[sever]\nlisten = \"x\"",
        &[],
        &["sever: is no known key; did you mean `server`?"],
    );
    check_faults(
        "[schedule]\ncolour = 1",
        &[],
        &["schedule.colour: is no known key; known here: lifeline, look_anyway, resync"],
    );
    check_faults(
        "",
        &[("CONVENOR_SERVER__LISTE", "x")],
        &["CONVENOR_SERVER__LISTE: is no known key; did you mean"],
    );
}

#[test]
fn an_empty_section_sets_nothing_and_is_no_fault() {
    assert_eq!(faults_of("[web]\n[log]", &[]), Vec::<String>::new());
}

#[test]
fn a_variable_wins_over_the_file_and_is_named_in_its_fault() {
    let environment = variables(&[
        ("CONVENOR_SERVER__LISTEN", "0.0.0.0:9000"),
        ("CONVENOR_WORKER__WORKERS", "2"),
        ("CONVENOR_SERVICE_HOST", "10.0.0.1"),
        ("CONVENOR_PROGRAM__0__APPROVERS", "alice, @bob"),
        ("CONVENOR_GITLAB__TOKEN", "t"),
    ]);
    let settings = Settings::parse(&format!("[server]\nlisten = \"127.0.0.1:1\"{PROGRAM}"), &environment).unwrap();
    assert_eq!(settings.server.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(settings.worker.workers, 2);
    let approvers: Vec<_> = settings.programs[0]
        .program
        .approvers
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(approvers, ["alice", "bob"]);
    check_faults(
        "",
        &[("CONVENOR_WORKER__WORKERS", "many")],
        &["CONVENOR_WORKER__WORKERS: is no whole number"],
    );
}

#[test]
fn a_program_can_come_from_variables_alone() {
    let environment = variables(&[
        ("CONVENOR_PROGRAM__0__NAME", "cop"),
        ("CONVENOR_PROGRAM__0__GROUP", "example/cop"),
        ("CONVENOR_PROGRAM__0__INTAKE", "example/cop/intake"),
        ("CONVENOR_PROGRAM__0__HANDBOOK__PROJECT", "example/handbook"),
        ("CONVENOR_PROGRAM__0__HANDBOOK__PAGE", "content/cop.md"),
        ("CONVENOR_PROGRAM__0__HANDBOOK__HEADING", "## Current communities"),
        ("CONVENOR_PROGRAM__0__HANDBOOK__LIST_PRIVATE", "true"),
        ("CONVENOR_GITLAB__TOKEN", "t"),
    ]);
    let settings = Settings::parse("", &environment).unwrap();
    let handbook = &settings.programs[0].program.handbooks[0];
    assert_eq!(handbook.heading, "Current communities");
    assert!(handbook.list_private);
    check_faults(
        "",
        &[("CONVENOR_PROGRAM__3__NAME", "cop")],
        &["CONVENOR_PROGRAM__3__NAME: fits nowhere"],
    );
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for url in [
        "http://127.0.0.1:4000",
        "http://localhost:4000/",
        "http://[::1]:80",
        "https://gitlab.example.com/gitlab",
    ] {
        assert_eq!(
            faults_of(&format!("[gitlab]\nurl = \"{url}\""), &[]),
            Vec::<String>::new(),
            "{url}"
        );
    }
    for url in [
        "http://10.0.0.1",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "https://u:p@example.com",
        "x",
    ] {
        assert_eq!(faults_of(&format!("[gitlab]\nurl = \"{url}\""), &[]).len(), 1, "{url}");
    }
}

#[test]
fn programs_do_not_share_names_groups_or_intakes() {
    let text = format!("{PROGRAM}{PROGRAM}");
    let expected = [
        "`cop` belongs to another",
        "`example/cop` belongs to another",
        "`example/cop/intake` belongs",
    ];
    check_faults(&text, &[("CONVENOR_GITLAB__TOKEN", "t")], &expected);
}

#[test]
fn a_program_needs_a_token() {
    check_faults(
        PROGRAM,
        &[],
        &["gitlab.token: is not set, and programs are configured; set CONVENOR_GITLAB__TOKEN"],
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_never_shown() {
    let canary = "glpat-canary-in-the-file";
    let text = format!("[gitlab]\ntoken = \"{canary}\"\n[webhook]\nsecret_token = \"{canary}\"");
    let faults = faults_of(&text, &[]);
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults[0].contains("set CONVENOR_GITLAB__TOKEN, or `token_file`"),
        "{faults:#?}"
    );
    assert!(!faults.join("\n").contains("canary"));
}

#[test]
fn a_broken_line_is_named_and_never_shown() {
    let faults = faults_of("[gitlab]\ntoken = glpat-canary\n", &[]);
    assert!(faults[0].starts_with("line 2: is no TOML"), "{faults:#?}");
    assert!(!faults.join("\n").contains("canary"));
}

#[test]
fn secrets_come_from_variables_and_files_and_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "old-canary\n\n  new-canary \n").unwrap();
    let text = format!("[webhook]\nsecret_token_file = \"{}\"", file.display());
    let settings = Settings::parse(
        &text,
        &variables(&[
            ("CONVENOR_WEBHOOK__SECRET_TOKEN", "now-canary"),
            ("CONVENOR_GITLAB__TOKEN", "canary"),
        ]),
    )
    .unwrap();
    let secrets: Vec<_> = settings
        .webhook
        .secret_tokens
        .iter()
        .map(|secret| secret.expose_secret().to_owned())
        .collect();
    assert_eq!(secrets, ["now-canary", "old-canary", "new-canary"]);
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn an_empty_secret_is_a_fault() {
    check_faults(
        "",
        &[("CONVENOR_WEBHOOK__SECRET_TOKEN", " ")],
        &["CONVENOR_WEBHOOK__SECRET_TOKEN: is empty"],
    );
    check_faults(
        "",
        &[("CONVENOR_WEBHOOK__SIGNING_TOKEN", "abc")],
        &["CONVENOR_WEBHOOK__SIGNING_TOKEN: is no signing token"],
    );
    check_faults(
        "[gitlab]\ntoken_file = \"/nowhere/token\"",
        &[],
        &["gitlab.token_file: `/nowhere/token` cannot be read"],
    );
}

#[test]
fn a_named_file_that_is_not_there_is_a_fault() {
    let error = Settings::load(Some(Path::new("nowhere.toml")), &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().contains("nowhere.toml: cannot be read"), "{error}");
}

/// The example with every commented key in force.
fn example_in_force() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/convenor.example.toml")).unwrap();
    let uncomment = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if is_assignment(rest) => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

fn is_assignment(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

fn keys_of(prefix: &str, table: &Table, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            toml::Value::Table(inner) if name != "columns" => keys_of(&key, inner, keys),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                for item in items {
                    keys_of(&format!("{key}.[]"), item.as_table().unwrap(), keys);
                }
            }
            _ => {
                keys.insert(key);
            }
        }
    }
}

#[test]
fn the_example_names_exactly_the_keys_that_exist() {
    let text = example_in_force();
    let shared = Shared::default();
    let table = source::parse(&text, &shared);
    let mut in_example = BTreeSet::new();
    keys_of("", &table, &mut in_example);
    read(table, &shared);
    let sections = [
        "server", "database", "gitlab", "webhook", "program", "schedule", "worker", "log",
    ];
    let secrets = ["gitlab.token", "webhook.secret_token", "webhook.signing_token"];
    let not_in_a_file = |key: &String| {
        sections.contains(&key.as_str())
            || secrets.contains(&key.as_str())
            || matches!(key.as_str(), "program.[].chat" | "program.[].handbook")
    };
    let known: BTreeSet<_> = shared
        .borrow()
        .asked
        .iter()
        .filter(|key| !not_in_a_file(key))
        .cloned()
        .collect();
    assert_eq!(in_example, known);
    for secret in secrets {
        let variable = format!("CONVENOR_{}", secret.replace('.', "__").to_uppercase());
        assert!(text.contains(&variable), "{variable} is not in the example");
    }
}

#[test]
fn the_examples_only_faults_are_files_that_are_not_there() {
    let faults = faults_of(&example_in_force(), &[]);
    assert!(
        faults
            .iter()
            .all(|fault| fault.contains("cannot be read") || fault.contains("is no folder")),
        "{faults:#?}"
    );
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/convenor.example.toml")).unwrap();
    assert_eq!(
        faults_of(&text, &[("CONVENOR_GITLAB__TOKEN", "t")]),
        Vec::<String>::new()
    );
}

#[test]
fn the_examples_commented_defaults_are_the_defaults() {
    let example = example_in_force();
    let with_examples = [
        "url_file",
        "token_file",
        "secret_token_file",
        "signing_token_file",
        "templates",
        "public_url",
        "otlp_endpoint",
    ];
    let text: Vec<_> = example
        .lines()
        .filter(|line| !with_examples.iter().any(|key| line.starts_with(&format!("{key} = "))))
        .filter(|line| {
            ![
                "approvers",
                "branch",
                "columns",
                "reviewers",
                "assignees",
                "squash",
                "name = \"emea\"",
            ]
            .iter()
            .any(|key| line.starts_with(key))
        })
        .collect();
    let plain = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/convenor.example.toml")).unwrap();
    let environment = variables(&[("CONVENOR_GITLAB__TOKEN", "t")]);
    let in_force = Settings::parse(&text.join("\n"), &environment).unwrap();
    let defaults = Settings::parse(&plain, &environment).unwrap();
    assert_eq!(format!("{in_force:?}"), format!("{defaults:?}"));
}

#[test]
fn a_database_address_with_a_password_is_a_secret() {
    let canary = "postgres://convenor:canary@db.example.com/convenor";
    let faults = faults_of(&format!("[database]\nurl = \"{canary}\""), &[]);
    assert!(
        faults[0].contains("database.url: holds a secret") && faults[0].contains("CONVENOR_DATABASE__URL"),
        "{faults:?}"
    );
    let broken = faults_of(
        "",
        &[("CONVENOR_DATABASE__URL", "mysql://convenor:canary@db.example.com")],
    );
    assert!(
        broken[0].contains("CONVENOR_DATABASE__URL: is not understood; write \"sqlite://\""),
        "{broken:?}"
    );
    assert!(!(faults.join("\n") + &broken.join("\n")).contains("canary"));
    let settings = Settings::parse("", &variables(&[("CONVENOR_DATABASE__URL", canary)])).unwrap();
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn libpqs_addresses_of_sockets_are_understood() {
    for url in [
        "postgresql://postgres@/postgres?host=/run/postgresql",
        "postgres://a@b/c",
        "postgres:///c?host=/run",
    ] {
        let settings = Settings::parse("", &variables(&[("CONVENOR_DATABASE__URL", url)])).unwrap();
        assert!(matches!(settings.database.url, DatabaseUrl::Postgres(_)), "{url}");
    }
}
