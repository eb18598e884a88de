//! What is wrong with the tables of pages: a lint for other people's CI.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use convenor_core::table::{Finding, Page, RowReport};
use serde::Serialize;

use super::{Which, file, print, print_json, show};
use crate::cli::complain;

/// Arguments of `convenor table check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pages; `-` reads standard input
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// A finding as scripts read it: names and shapes stay as they are. Lines count from 1, rows from 0.
#[derive(Serialize)]
pub(super) struct FindingJson {
    /// One word for scripts.
    kind: &'static str,
    /// A sentence for people.
    message: String,
    line: usize,
    row: Option<usize>,
}

/// A finding and its page.
#[derive(Serialize)]
struct OfPage<'p> {
    page: &'p Path,
    #[serde(flatten)]
    finding: FindingJson,
}

/// A page cannot be read: exit code of linters for "nothing was checked".
const UNREADABLE: u8 = 2;

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    let mut unreadable = false;
    for page in &args.pages {
        match file::read(page) {
            Ok(bytes) => {
                let found = of_page(page, &bytes, &args.which);
                findings.extend(found.into_iter().map(|finding| OfPage { page, finding }));
            }
            Err(error) => {
                complain(&error);
                unreadable = true;
            }
        }
    }
    if args.which.json {
        print_json(&serde_json::json!({ "findings": findings }))?;
    }
    Ok(match (unreadable, findings.is_empty()) {
        (true, _) => UNREADABLE.into(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

/// All findings of a page; without `--json` they are said at once.
fn of_page(path: &Path, bytes: &[u8], which: &Which) -> Vec<FindingJson> {
    let (line, rows, findings) = match looked_at(bytes, which) {
        Ok(found) => found,
        Err(finding) => (finding.line(), 0, vec![of_whole(&finding)]),
    };
    if which.json {
        return findings;
    }
    let say = |line: usize, text: &str| {
        let text = format!("{}:{line}: {text}", path.display());
        print(&format!("{}\n", show::line_of(&text)));
    };
    for finding in &findings {
        say(finding.line, &finding.message);
    }
    if findings.is_empty() {
        say(line, &format!("{}, nothing to mend", show::rows(rows)));
    }
    findings
}

/// The header's line, how many rows there are, and what is wrong with them.
fn looked_at(bytes: &[u8], which: &Which) -> Result<(usize, usize, Vec<FindingJson>), Finding> {
    let page = Page::parse(bytes)?;
    let table = page.table(&which.heading, which.table)?;
    let mut findings: Vec<FindingJson> = table.report().iter().flat_map(of_row).collect();
    if let (None, Err(doubled)) = (which.table, page.only_candidate(&which.heading)) {
        findings.push(of_whole(&doubled));
    }
    Ok((table.line(), table.row_count(), findings))
}

fn of_whole(finding: &Finding) -> FindingJson {
    FindingJson {
        kind: finding.kind(),
        message: finding.to_string(),
        line: finding.line(),
        row: None,
    }
}

/// What is wrong with a row.
pub(super) fn of_row(report: &RowReport) -> impl Iterator<Item = FindingJson> {
    let (row, line) = (report.index, report.line);
    report.findings.iter().map(move |finding| FindingJson {
        kind: finding.kind(),
        message: format!("row {row}: {finding}"),
        line,
        row: Some(row),
    })
}
