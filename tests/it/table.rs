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
    for action in ["show", "check"] {
        let output = folder.table(action, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            complained(&output).contains("`Current COPs`"),
            "{}",
            complained(&output)
        );
    }
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
fn a_page_that_is_not_utf_8_is_not_touched() {
    let folder = Folder::with(PAGE);
    fs::write(folder.page(), b"# CoPs\n\n\xff\n").unwrap();
    let output = folder.table("remove", &["--row", "0", "--write"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complained(&output).contains("line 3"), "{}", complained(&output));
}
