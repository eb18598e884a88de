//! The papers keep their word: links lead somewhere, commands exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn papers() -> Vec<PathBuf> {
    let mut papers: Vec<_> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md"]
        .map(|name| root().join(name))
        .into();
    let docs = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    papers.extend(docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    papers
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_between_papers_lead_somewhere() {
    for paper in papers() {
        let text = fs::read_to_string(&paper).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let target = paper.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.exists(), "{}: {link}", paper.display());
        }
    }
}

#[test]
fn commands_that_the_papers_name_exist() {
    let help = Command::new(env!("CARGO_BIN_EXE_convenor"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands: BTreeSet<_> = help.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for paper in papers() {
        let text = fs::read_to_string(&paper).unwrap();
        let named = text
            .split("`convenor ")
            .skip(1)
            .filter_map(|rest| rest.split(['`', ' ', '\n']).next());
        let built = text
            .split("target/release/convenor ")
            .skip(1)
            .filter_map(|rest| rest.split(['`', ' ', '\n']).next());
        for command in named.chain(built) {
            assert!(commands.contains(command), "{}: convenor {command}", paper.display());
        }
    }
}
