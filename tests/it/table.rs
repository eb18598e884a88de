//! `convenor table` as people and scripts call it.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const PAGE: &str = "# CoPs\r\n\r\n## Current CoPs\r\n\r\n\
    | Subject Focus | Facilitator(s) |\r\n| --- | --- |\r\n\
    | [Agile](https://gitlab.example/cop/agile) | [Ann A (@ann)](https://gitlab.example/ann) |\r\n\
    | Containers | TBD |\r\n\
    | [Value Streams](https://gitlab.example/cop/value) | @bob (inactive) |\r\n\r\nEnd.";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(page: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.page(), page).unwrap();
        folder
    }

    fn page(&self) -> PathBuf {
        self.0.path().join("page.md")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.page()).unwrap()
    }

    fn table(&self, action: &str, more: &[&str]) -> Output {
        table(action, &self.page(), more)
    }
}

fn table(action: &str, page: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_convenor"))
        .args(["table", action])
        .arg(page)
        .args(["--heading", "Current CoPs"])
        .args(more)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complained(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn add_prints_the_page_with_one_more_line() {
    let folder = Folder::with(PAGE);
    let output = folder.table("add", &["--cells", r#"["DevOps | Ops", "TBD"]"#]);
    assert!(output.status.success());
    assert_eq!(
        said(&output),
        PAGE.replace("| [Value", "| DevOps \\| Ops | TBD |\r\n| [Value")
    );
    assert_eq!(folder.text(), PAGE, "nothing is written without --write");
}

#[test]
fn write_replaces_the_file_and_keeps_its_permissions() {
    let folder = Folder::with(PAGE);
    let mode = fs::metadata(folder.page()).unwrap().permissions();
    let output = folder.table("set", &["--row", "1", "--cells", r#"[null, "@zoe"]"#, "--write"]);
    assert!(output.status.success());
    assert_eq!(said(&output), "");
    assert_eq!(
        folder.text(),
        PAGE.replace("| Containers | TBD |", "| Containers | @zoe |")
    );
    assert_eq!(fs::metadata(folder.page()).unwrap().permissions(), mode);
    assert_eq!(
        fs::read_dir(folder.0.path()).unwrap().count(),
        1,
        "nothing is left beside the page"
    );
}

#[test]
fn the_difference_is_one_line_without_colours_when_piped() {
    let folder = Folder::with(PAGE);
    let output = folder.table("remove", &["--row", "1", "--diff"]);
    let changed: Vec<String> = said(&output)
        .lines()
        .skip(2)
        .filter(|line| line.starts_with(['+', '-']))
        .map(str::to_owned)
        .collect();
    assert_eq!(changed, ["-| Containers | TBD |"]);
    assert!(!said(&output).contains('\u{1b}'));
}

#[test]
fn too_few_cells_are_refused_with_the_number_that_is_needed() {
    let folder = Folder::with(PAGE);
    let output = folder.table("add", &["--cells", r#"["DevOps"]"#, "--write"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complained(&output).contains("2 columns"), "{}", complained(&output));
    assert_eq!(folder.text(), PAGE);
}

#[test]
fn cells_that_are_no_json_list_are_a_usage_error() {
    let output = Folder::with(PAGE).table("add", &["--cells", "DevOps"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_heading_that_is_not_there_is_said_with_those_that_are() {
    let folder = Folder::with(&PAGE.replace("Current CoPs", "Current COPs"));
    let output = folder.table("show", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complained(&output).contains("`Current COPs`"),
        "{}",
        complained(&output)
    );
    let output = folder.table("check", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("page.md:1: no heading `Current CoPs`"),
        "{}",
        said(&output)
    );
    let json: Value = serde_json::from_slice(&folder.table("show", &["--json"]).stdout).unwrap();
    assert!(json["error"].as_str().unwrap().contains("`Current COPs`"));
}

#[test]
fn show_as_json_says_what_was_understood() {
    let output = Folder::with(PAGE).table("show", &["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["header"], serde_json::json!(["Subject Focus", "Facilitator(s)"]));
    assert_eq!(json["sorted"], true);
    assert_eq!(
        json["rows"][2],
        serde_json::json!({
            "index": 2, "line": 9, "cells": ["[Value Streams](https://gitlab.example/cop/value)", "@bob (inactive)"],
            "name": "Value Streams", "link": "https://gitlab.example/cop/value",
            "people": [{ "username": "bob", "name": null, "link": null, "inactive": true }],
            "inactive": true, "tbd": false, "findings": [],
        })
    );
}

#[test]
fn check_fails_on_findings_only() {
    let good = Folder::with(PAGE).table("check", &[]);
    assert!(good.status.success(), "{}", said(&good));
    let folder = Folder::with(&PAGE.replace("| Containers |", "| Containers]|"));
    let output = folder.table("check", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("page.md:8: row 1: "), "{}", said(&output));
}

#[test]
fn check_is_a_lint_for_several_pages_with_codes_of_its_own() {
    let (good, bad) = (
        Folder::with(PAGE),
        Folder::with(&PAGE.replace("| Containers | TBD |", "| Containers | TBD | x |")),
    );
    let check = |pages: &[&Path], more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_convenor"))
            .args(["table", "check", "--heading", "Current CoPs"])
            .args(pages)
            .args(more)
            .output()
            .unwrap()
    };
    let output = check(&[&good.page(), &bad.page()], &[]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<String> = said(&output).lines().map(str::to_owned).collect();
    assert!(lines[0].ends_with("page.md:5: 3 rows, nothing to mend"), "{lines:?}");
    assert!(
        lines[1].contains("page.md:8: row 1: it has 3 cells for 2 columns"),
        "{lines:?}"
    );
    let missing = good.page().with_file_name("missing.md");
    let output = check(&[&missing, &bad.page()], &["--json"]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "a page that was not checked is no page without findings"
    );
    assert!(complained(&output).contains("missing.md"));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["kind"], "long");
    assert_eq!((finding["line"].as_u64(), finding["row"].as_u64()), (Some(8), Some(1)));
    assert_eq!(finding["page"], bad.page().to_str().unwrap());
}

#[test]
fn check_counts_what_is_wrong_with_the_whole_page_as_findings() {
    let kind = |page: &[u8]| {
        let folder = Folder::with("");
        fs::write(folder.page(), page).unwrap();
        let output = folder.table("check", &["--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let finding = &json["findings"][0];
        (
            output.status.code(),
            finding["kind"].as_str().map(str::to_owned),
            finding["line"].as_u64(),
        )
    };
    let found = |kind: &str, line: u64| (Some(1), Some(kind.to_owned()), Some(line));
    const TABLE: &str = "| a |\n|---|\n";
    assert_eq!(kind(b"\xff"), found("not-utf-8", 1));
    assert_eq!(kind(b"# Other\n"), found("no-heading", 1));
    assert_eq!(kind(b"\n# Current CoPs\n"), found("no-table", 2));
    let doubled = format!("# Current CoPs\n\n{TABLE}\n# Current CoPs\n");
    assert_eq!(kind(doubled.as_bytes()), found("doubled-heading", 6));
    let two = format!("# Current CoPs\n\n{TABLE}\nText.\n\n{TABLE}");
    assert_eq!(kind(two.as_bytes()), found("two-candidates", 8));
}

#[test]
fn nothing_on_a_page_reaches_the_terminal_as_an_order_to_it() {
    let page = PAGE.replace("Containers", "Con\u{1b}[31mtainers\u{1b}]8;;https://evil.example\u{7}]");
    let page = page.replace("Subject Focus", "Subject\u{1b}[2J Focus");
    let folder = Folder::with(&page);
    for (action, more) in [
        ("show", &[][..]),
        ("check", &[]),
        ("set", &["--row", "1", "--cells", r#"["a", "b", "c"]"#]),
    ] {
        let output = folder.table(action, more);
        let text = said(&output) + &complained(&output);
        assert!(
            !text.is_empty() && !text.contains(['\u{1b}', '\u{7}']),
            "{action}: {text:?}"
        );
    }
    let named = folder.0.path().join("a\u{1b}[31m\n.md");
    fs::write(&named, PAGE).unwrap();
    let output = table("check", &named, &[]);
    assert!(output.status.success());
    assert!(
        !said(&output).contains('\u{1b}') && said(&output).lines().count() == 1,
        "{}",
        said(&output)
    );
}

#[test]
#[cfg(unix)]
fn write_leaves_links_and_pages_of_others_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = Folder::with(PAGE);
    fs::set_permissions(folder.page(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.0.path().join("link.md");
    symlink(folder.page(), &link).unwrap();
    let change = ["--row", "1", "--cells", r#"[null, "@zoe"]"#, "--write"];
    let output = table("set", &link, &change);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complained(&output).contains("no ordinary file"),
        "{}",
        complained(&output)
    );
    assert_eq!(folder.text(), PAGE);
    assert!(folder.table("set", &change).status.success());
    assert_eq!(fs::metadata(folder.page()).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_row_that_stays_malformed_is_mentioned() {
    let folder = Folder::with(&PAGE.replace("| Containers | TBD |", "| Containers | TBD | x |"));
    let output = folder.table("set", &["--row", "1", "--cells", r#"[null, "@zoe"]"#]);
    assert!(output.status.success() && said(&output).contains("| Containers | @zoe | x |"));
    assert!(
        complained(&output).contains("3 cells for 2 columns"),
        "{}",
        complained(&output)
    );
}

#[test]
fn a_page_that_is_not_utf_8_is_not_touched() {
    let folder = Folder::with(PAGE);
    fs::write(folder.page(), b"# CoPs\n\n\xff\n").unwrap();
    let output = folder.table("remove", &["--row", "0", "--write"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complained(&output).contains("line 3"), "{}", complained(&output));
}

/// Cells may come from a page that a stranger wrote, by a script.
#[test]
fn what_is_wrong_with_an_argument_is_told_without_steering_the_terminal() {
    let folder = Folder::with(PAGE);
    let output = folder.table("add", &["--cells", "\u{202e}[\u{1b}[2J\u{9b}5m"]);
    assert_eq!(output.status.code(), Some(2));
    let said = complained(&output);
    assert!(said.contains("--cells") && said.contains(r"\u{202e}"), "{said}");
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.contains(steers), "{said:?}");
    assert_eq!(folder.text(), PAGE);
}
