//! `convenor render` and `convenor similar`, as people call them: without settings, without GitLab.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROPOSAL: &str = "\
## Focus topic

Rust at Work

## Purpose and scope

Everything that helps teams to write services in Rust. /close @all {{slug}}

## Facilitators

@alice @bob

## Members

@carol

## Cadence

Monthly, first Tuesday, 16:00 UTC, 50 minutes
";

fn convenor(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_convenor"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn render_shows_and_writes_the_files_of_a_proposal() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proposal.md"), PROPOSAL).unwrap();
    let shown = printed(&convenor(folder.path(), &["render", "proposal.md"]));
    assert!(
        shown.contains("==> .gitlab/community.yml <==") && shown.contains("facilitators: [alice, bob]"),
        "{shown}"
    );

    let json = printed(&convenor(folder.path(), &["render", "proposal.md", "--json"]));
    let files: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(files.iter().any(|file| file["path"] == "README.md"));

    printed(&convenor(folder.path(), &["render", "proposal.md", "--out", "made"]));
    for file in files {
        let written = fs::read_to_string(folder.path().join("made").join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(written, file["content"].as_str().unwrap());
    }
    let again = convenor(folder.path(), &["render", "proposal.md", "--out", "made"]);
    assert_eq!(again.status.code(), Some(1), "what is there stays");
}

#[test]
fn render_says_all_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proposal.md"), "## Focus topic\n\nX\n").unwrap();
    let refused = convenor(folder.path(), &["render", "proposal.md"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    for heading in ["Focus topic", "Purpose and scope", "Facilitators", "Members"] {
        assert!(told.contains(heading), "{told}");
    }
}

#[test]
fn render_names_the_template_the_line_and_the_value_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proposal.md"), PROPOSAL).unwrap();
    fs::create_dir_all(folder.path().join("set/project")).unwrap();
    fs::write(
        folder.path().join("set/project/README.md.hbs"),
        "# {{name}}\n\n{{purpos}}\n",
    )
    .unwrap();
    let refused = convenor(folder.path(), &["render", "proposal.md", "--templates", "set"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("project/README.md.hbs:3") && told.contains("`purpos`"),
        "{told}"
    );
}

#[test]
fn similar_ranks_a_list_best_first() {
    let folder = tempfile::tempdir().unwrap();
    let list = r#"[{"name": "Gardening", "description": "Plants."}, {"name": "Google Cloud"},
        {"name": "AWS", "description": null, "url": "kept out"}]"#;
    fs::write(folder.path().join("list.json"), list).unwrap();
    let call = ["similar", "GCP", "--purpose", "Google's cloud.", "--among", "list.json"];
    let json = printed(&convenor(folder.path(), &[&call[..], &["--json"]].concat()));
    let matches: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let verdicts: Vec<_> = matches
        .iter()
        .map(|found| (found["name"].as_str().unwrap(), found["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("Google Cloud", "duplicate"),
            ("AWS", "related"),
            ("Gardening", "distinct")
        ]
    );
    let shown = printed(&convenor(folder.path(), &call));
    assert!(
        shown.starts_with("duplicate") && shown.contains("1 other is distinct"),
        "{shown}"
    );
}

#[test]
fn similar_says_what_is_wrong_with_a_list() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list.json"), "{}").unwrap();
    for list in ["list.json", "absent.json"] {
        let refused = convenor(folder.path(), &["similar", "X", "--among", list]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(list));
    }
    let refused = convenor(folder.path(), &["similar", "X"]);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("--among"),
        "no program, no list"
    );
}
