//! The papers keep their word: links lead somewhere, and the commands, settings and rooms that they name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use convenor::cli::Cli;
use convenor::telemetry::metrics::CATALOGUE;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn markdown_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect()
}

/// Every paper with its name and text.
fn papers() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "crates/core", "crates/sandbox", "crates/simulation"];
    let papers: Vec<_> = folders.into_iter().flat_map(markdown_in).collect();
    assert!(papers.len() > 9, "{papers:?}");
    papers
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// What stands in backticks, and the lines of code blocks without their comments.
fn codes(text: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 0 {
            codes.extend(part.split('`').skip(1).step_by(2).map(str::to_owned));
        } else {
            codes.extend(
                part.lines()
                    .skip(1)
                    .map(|line| line.split(" #").next().unwrap_or_default().to_owned()),
            );
        }
    }
    codes
}

/// The address of a heading on its page, as GitLab makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_between_papers_lead_somewhere() {
    for (paper, text) in papers() {
        // A template shows where a link will be, and is none.
        for link in links(&text).filter(|link| !link.contains("://") && !link.contains("{{")) {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                paper.clone()
            } else {
                paper.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", paper.display());
            if !part.is_empty() {
                let page = fs::read_to_string(&target).unwrap();
                let found = page
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line.trim_start_matches(['#', ' '])) == part);
                assert!(found, "{}: {link}: no such heading", paper.display());
            }
        }
    }
}

#[test]
fn commands_that_the_papers_name_exist() {
    let mut checked = 0;
    for (paper, text) in papers() {
        for code in codes(&text) {
            let called = ["convenor ", "target/release/convenor ", "cargo run -- "];
            let Some(arguments) = called.iter().find_map(|called| code.trim().strip_prefix(called)) else {
                continue;
            };
            if let Err(what) = is_understood(arguments) {
                panic!("{}: `{code}`: {what}", paper.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked} commands were found");
}

/// Whether each command and option of this command line is one of ours.
fn is_understood(arguments: &str) -> Result<(), String> {
    let root = Cli::command();
    let mut command = &root;
    for word in arguments.split_whitespace() {
        let (name, _) = word.split_once('=').unwrap_or((word, ""));
        let is_option = |known: &clap::Arg| {
            known
                .get_long()
                .is_some_and(|long| name.strip_prefix("--") == Some(long))
        };
        if name.starts_with("--") {
            let known = command.get_arguments().chain(root.get_arguments()).any(is_option);
            if !known && !["--help", "--version"].contains(&name) {
                return Err(format!("no option {name}"));
            }
        } else if let Some(sub) = command.find_subcommand(word) {
            command = sub;
        } else if command.has_subcommands() && !word.starts_with('-') {
            return Err(format!("no command {word}"));
        }
    }
    Ok(())
}

#[test]
fn the_readme_names_every_command() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for command in Cli::command().get_subcommands() {
        let row = format!("| `convenor {}` |", command.get_name());
        assert!(readme.contains(&row), "README.md lacks {row}");
    }
}

#[test]
fn settings_that_the_papers_name_exist() {
    let known = settings();
    let sections: BTreeSet<_> = known.iter().filter_map(|key| key.split('.').next()).collect();
    let mut checked = 0;
    for (paper, text) in papers() {
        for code in codes(&text) {
            let code = code.trim().trim_start_matches("export ");
            let (name, _) = code.split_once('=').unwrap_or((code, ""));
            let Some(key) = setting(name).filter(|key| sections.contains(key.split('.').next().unwrap_or_default()))
            else {
                continue;
            };
            // A secret has a key for its file only.
            let exists = known.contains(&key) || known.contains(&format!("{key}_file"));
            assert!(
                exists,
                "{}: no setting {key} in config/convenor.example.toml",
                paper.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} settings were found");
}

/// `server.listen` of itself or of `CONVENOR_SERVER__LISTEN`; `None` when the text is neither.
fn setting(name: &str) -> Option<String> {
    let key = match name.strip_prefix("CONVENOR_") {
        Some(variable) => {
            let parts = variable.split("__").filter(|part| part.parse::<u32>().is_err());
            parts.map(str::to_lowercase).collect::<Vec<_>>().join(".")
        }
        None => name.to_owned(),
    };
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (key.contains('.') && key.split('.').all(is_word)).then_some(key)
}

/// The keys of the example, which another test holds equal to what the program reads.
fn settings() -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in fs::read_to_string(root().join("config/convenor.example.toml"))
        .unwrap()
        .lines()
    {
        if line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut section);
        }
        if let Some((key, _)) = line
            .trim_start_matches("# ")
            .split_once(" = ")
            .filter(|(key, _)| !key.contains(' '))
        {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn rooms_that_the_papers_name_exist() {
    let rooms = [
        "src",
        "crates",
        "tests",
        "docs",
        "templates",
        "migrations",
        "benches",
        ".ci",
    ];
    for (paper, text) in papers() {
        for code in codes(&text) {
            let path = code.split([' ', ':']).next().unwrap_or_default().trim_end_matches('/');
            let is_path = path.contains('/') && rooms.contains(&path.split('/').next().unwrap_or_default());
            let beside = paper.parent().is_some_and(|folder| folder.join(path).exists());
            let exists = beside || root().join(path).exists() || root().join(format!("{path}.rs")).exists();
            assert!(!is_path || exists, "{}: there is no {path}", paper.display());
        }
    }
}

/// Names that begin with `convenor_` in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("convenor_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_figures_are_in_the_papers_and_nobody_asks_for_others() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let known: BTreeSet<String> = CATALOGUE.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(metrics_in(&read("docs/monitoring.md")), known);
    for asking in [
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts_test.yml",
        "deploy/grafana/convenor.json",
    ] {
        for name in metrics_in(&read(asking)) {
            let endings = ["_bucket", "_sum", "_count"];
            let base = endings
                .iter()
                .find_map(|ending| name.strip_suffix(ending))
                .unwrap_or(&name);
            assert!(known.contains(base), "{asking}: there is no {name}");
        }
    }
}

#[test]
fn variables_that_what_is_deployed_sets_exist() {
    let known = settings();
    let mut checked = 0;
    for path in [
        "Dockerfile",
        "compose.yml",
        "deploy/systemd/convenor.service",
        "deploy/helm/convenor/templates/workload.yaml",
    ] {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for word in words.filter(|word| word.starts_with("CONVENOR_") && word.contains("__")) {
            let key = setting(word).unwrap();
            assert!(known.contains(&key), "{path}: there is no setting {key}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} variables were found");
}

#[test]
fn the_book_has_every_page_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed: Vec<&str> = links(&summary).collect();
    let pages: BTreeSet<String> = markdown_in("docs")
        .iter()
        .map(|page| page.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(listed.len(), pages.len(), "{listed:?}");
    assert_eq!(listed.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), pages);
}

#[test]
fn everything_that_is_released_has_one_number() {
    let chart = fs::read_to_string(root().join("deploy/helm/convenor/Chart.yaml")).unwrap();
    let number = env!("CARGO_PKG_VERSION");
    assert!(
        chart.contains(&format!("\nversion: {number}\n")) && chart.contains(&format!("\nappVersion: \"{number}\"\n"))
    );
}

/// What cannot be checked in a message: the values in it.
fn constant_parts(message: &str) -> impl Iterator<Item = &str> {
    message.split('…').map(str::trim).filter(|part| part.len() > 3)
}

#[test]
fn messages_that_troubleshooting_explains_are_said() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let mut code = String::new();
    for folder in ["src", "crates/core/src"] {
        read_all(&root().join(folder), &mut code);
    }
    // A message that is too long for one line of code is continued on the next.
    let code: Vec<&str> = code.split("\\\n").collect();
    let code = code.iter().map(|part| part.trim_start()).collect::<String>();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let messages: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(messages.len() > 20, "{messages:?}");
    for message in messages {
        for part in constant_parts(message) {
            assert!(code.contains(part), "nothing says `{part}` (of `{message}`)");
        }
    }
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
