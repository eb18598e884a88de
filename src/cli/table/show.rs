//! What was understood of a table, for people and for scripts.

use std::fmt::Write as _;
use std::process::ExitCode;

use convenor_core::escape::{JsonText, TerminalText};
use convenor_core::ids::Username;
use convenor_core::table::{Page, RowReport, Someone, Table};
use convenor_core::untrusted::Untrusted;
use serde::Serialize;

use super::{Source, print, print_json};

/// `show --json`: names and shapes stay as they are, scripts depend on them. Lines count from 1, rows from 0.
#[derive(Serialize)]
struct TableJson {
    heading: String,
    /// Line of the header.
    line: usize,
    header: Vec<String>,
    /// Whether the rows are sorted by the column of names.
    sorted: bool,
    rows: Vec<RowJson>,
}

#[derive(Serialize)]
struct RowJson {
    index: usize,
    line: usize,
    /// GFM content, one for each column.
    cells: Vec<JsonText>,
    name: JsonText,
    link: Option<String>,
    people: Vec<PersonJson>,
    inactive: bool,
    tbd: bool,
    findings: Vec<FindingJson>,
}

#[derive(Serialize)]
struct PersonJson {
    username: Option<String>,
    name: Option<JsonText>,
    link: Option<String>,
    inactive: bool,
}

#[derive(Serialize)]
struct FindingJson {
    /// One word for scripts.
    kind: String,
    /// A sentence for people.
    message: String,
    line: usize,
    row: Option<usize>,
}

pub(super) fn show(source: &Source, table: &Table<'_>) -> anyhow::Result<ExitCode> {
    if source.json {
        print_json(&TableJson {
            heading: table.heading().unwrap_or_default().to_owned(),
            line: table.line(),
            header: table.header(),
            sorted: table.is_sorted_by(table.name_column()),
            rows: table.report().iter().map(row_json).collect(),
        })?;
    } else {
        print(&listing(table));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(source: &Source, table: &Table<'_>, page: &Page<'_>) -> anyhow::Result<ExitCode> {
    let mut findings: Vec<FindingJson> = table.report().iter().flat_map(findings_of).collect();
    if let (None, Err(doubled)) = (source.table, page.only_candidate(&source.heading)) {
        findings.push(FindingJson {
            kind: "two-candidates".into(),
            message: doubled.to_string(),
            line: table.line(),
            row: None,
        });
    }
    let code = if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    if source.json {
        print_json(&serde_json::json!({ "findings": findings }))?;
        return Ok(code);
    }
    for finding in &findings {
        print(&format!(
            "{}:{}: {}\n",
            source.page.display(),
            finding.line,
            shown(&finding.message)
        ));
    }
    if findings.is_empty() {
        let rows = table.row_count();
        print(&format!(
            "{}:{}: {rows} rows, nothing to mend\n",
            source.page.display(),
            table.line()
        ));
    }
    Ok(code)
}

/// Text of the page for a terminal.
pub(super) fn shown(text: &str) -> TerminalText {
    TerminalText::block(&Untrusted::new(text))
}

fn row_json(report: &RowReport) -> RowJson {
    RowJson {
        index: report.index,
        line: report.line,
        cells: report.cells.iter().map(JsonText::new).collect(),
        name: JsonText::new(&report.name),
        link: report.link.clone(),
        people: report.people.iter().map(person_json).collect(),
        inactive: report.inactive,
        tbd: report.tbd,
        findings: findings_of(report).collect(),
    }
}

fn person_json(someone: &Someone) -> PersonJson {
    PersonJson {
        username: someone.username.as_ref().map(|username| username.as_str().to_owned()),
        name: someone.name.as_ref().map(JsonText::new),
        link: someone.target.clone(),
        inactive: someone.inactive,
    }
}

fn findings_of(report: &RowReport) -> impl Iterator<Item = FindingJson> {
    let (row, line) = (report.index, report.line);
    report.findings.iter().map(move |finding| FindingJson {
        kind: finding.kind().to_owned(),
        message: format!("row {row}: {finding}"),
        line,
        row: Some(row),
    })
}

fn listing(table: &Table<'_>) -> String {
    let reports = table.report();
    let sorted = if table.is_sorted_by(table.name_column()) {
        "sorted"
    } else {
        "not sorted"
    };
    let mut out = format!(
        "{} rows, {sorted}: {}\n",
        reports.len(),
        shown(&table.header().join(" | "))
    );
    for report in &reports {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", line(report));
        for finding in &report.findings {
            let _ = writeln!(out, "      ! {finding}");
        }
    }
    out
}

fn line(report: &RowReport) -> String {
    let mut line = format!("{:>4}  {}", report.index, TerminalText::line(&report.name));
    if let Some(link) = &report.link {
        let _ = write!(line, "  <{}>", shown(link));
    }
    let people: Vec<String> = report.people.iter().map(person).collect();
    if report.tbd {
        line.push_str("  TBD");
    } else if !people.is_empty() {
        let _ = write!(line, "  {}", people.join(", "));
    }
    if report.inactive {
        line.push_str("  (inactive)");
    }
    line
}

fn person(someone: &Someone) -> String {
    let name = someone.name.as_ref().map(|name| TerminalText::line(name).to_string());
    let username = someone.username.as_ref().map(Username::as_str);
    match (name, username) {
        (Some(name), Some(username)) => format!("{name} (@{username})"),
        (Some(name), None) => name,
        (None, username) => format!("@{}", username.unwrap_or_default()),
    }
}
