//! `convenor table`: reads and edits the table of a local page, by the same code as the service.
//!
//! What is refused, or wrong with the page, ends in exit code 1; arguments that cannot be understood in clap's 2. `check`
//! says its findings on standard output, 1 means that there are some, and 2 that a page could not be read.

mod check;
mod diff;
mod file;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use convenor_core::table::{Cell, Change, Edited, Finding, Page, Place, Refusal, Table};
use serde::Serialize;

use super::{note, print, print_json};

/// Arguments of `convenor table`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What was understood of the table, row by row
    Show(Source),
    /// What is wrong with the table, one finding a line; exits 1 when there is any, 2 when a page cannot be read
    Check(check::Args),
    /// Adds a row
    Add {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        output: Output,
        /// The cells as GFM, one for each column: '["…","…"]'
        #[arg(long, value_name = "JSON", value_parser = parse_cells)]
        cells: Cells,
        /// Where the row goes: `sorted`, `end`, or before the row of this number, from 0 [default: sorted in a sorted table, else end]
        #[arg(long, value_name = "PLACE", value_parser = parse_place)]
        at: Option<Place>,
    },
    /// Gives a row other cells; cells that stay the same keep their bytes
    Set {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        output: Output,
        /// The row, from 0
        #[arg(long, value_name = "N")]
        row: usize,
        /// The cells as GFM, one for each column, `null` for one that stays: '["…",null]'
        #[arg(long, value_name = "JSON", value_parser = parse_cells)]
        cells: Cells,
    },
    /// Mends a malformed row where the mend is certain: a lone bracket, missing cells, a missing leading pipe
    Repair {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        output: Output,
        /// The row, from 0
        #[arg(long, value_name = "N")]
        row: usize,
    },
    /// Takes a row away
    Remove {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        output: Output,
        /// The row, from 0
        #[arg(long, value_name = "N")]
        row: usize,
    },
}

#[derive(Debug, clap::Args)]
struct Source {
    /// The page; `-` reads standard input
    page: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Which table of a page, and how to speak of it.
#[derive(Debug, clap::Args)]
struct Which {
    /// Text of the heading over the table; empty for the part before the first heading
    #[arg(long, value_name = "TEXT")]
    heading: String,
    /// Which of several tables under the heading, from 0 [default: the first]
    #[arg(long, value_name = "N")]
    table: Option<usize>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Output {
    /// Print the difference instead of the page
    #[arg(long)]
    diff: bool,
    /// Write the page back instead of printing it
    #[arg(long)]
    write: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Show(source) => with_table(source, |table, _| show::show(source.which.json, table)),
        Action::Check(args) => check::run(args),
        Action::Add {
            source,
            output,
            cells,
            at,
        } => edit(source, output, |table| {
            table.edit(&added(table, cells, at.unwrap_or_default())?)
        }),
        Action::Set {
            source,
            output,
            row,
            cells,
        } => edit(source, output, |table| table.edit(&changed(*row, cells)?)),
        Action::Repair { source, output, row } => edit(source, output, |table| table.repair(*row)),
        Action::Remove { source, output, row } => {
            edit(source, output, |table| table.edit(&Change::Remove { row: *row }))
        }
    }
}

/// Reads the page and finds the table; what stands against it is said, and the code is 1.
fn with_table(
    source: &Source,
    act: impl FnOnce(&Table<'_>, &[u8]) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let bytes = file::read(&source.page)?;
    let page = match Page::parse(&bytes) {
        Ok(page) => page,
        Err(finding) => return refuse(source, &finding),
    };
    match page.table(&source.which.heading, source.which.table) {
        Ok(table) => act(&table, &bytes),
        Err(finding) => refuse(source, &finding),
    }
}

fn edit(
    source: &Source,
    output: &Output,
    act: impl FnOnce(&Table<'_>) -> Result<Edited, Refusal>,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        !(output.write && file::is_stdin(&source.page)),
        "--write needs a file: what comes from standard input is printed"
    );
    with_table(source, |table, bytes| match act(table) {
        Ok(edited) => finish(source, output, bytes, &edited),
        Err(refusal) => refuse(source, &Finding::Refused(refusal)),
    })
}

fn added(table: &Table<'_>, cells: &Cells, at: Place) -> Result<Change, Refusal> {
    let given = cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
    let cells = given
        .enumerate()
        .map(|(column, gfm)| from_gfm(column, gfm))
        .collect::<Result<_, _>>()?;
    Ok(Change::Add {
        cells,
        at,
        key: table.name_column(),
    })
}

fn changed(row: usize, cells: &Cells) -> Result<Change, Refusal> {
    let cell = |(column, gfm): (usize, &Option<String>)| gfm.as_deref().map(|gfm| from_gfm(column, gfm)).transpose();
    Ok(Change::Set {
        row,
        cells: cells.iter().enumerate().map(cell).collect::<Result<_, _>>()?,
    })
}

fn from_gfm(column: usize, gfm: &str) -> Result<Cell, Refusal> {
    Cell::from_gfm(gfm).map_err(|reason| Refusal::BadCell { column, reason })
}

/// What `--json` says of an edit.
#[derive(Serialize)]
struct EditedJson<'e> {
    row: usize,
    line: usize,
    before: Option<&'e str>,
    after: Option<&'e str>,
    changed: bool,
    written: bool,
}

fn finish(source: &Source, output: &Output, before: &[u8], edited: &Edited) -> anyhow::Result<ExitCode> {
    note_what_stays(source, edited);
    let written = output.write && !edited.is_unchanged();
    if written {
        file::replace(&source.page, before, &edited.page)?;
    }
    if source.which.json {
        let (before, after) = (edited.before.as_deref(), edited.after.as_deref());
        let changed = !edited.is_unchanged();
        print_json(&EditedJson {
            row: edited.row,
            line: edited.line,
            before,
            after,
            changed,
            written,
        })?;
    } else if output.diff {
        diff::print(&source.page, before, &edited.page);
    } else if !output.write {
        file::print(&edited.page);
    }
    Ok(ExitCode::SUCCESS)
}

/// A row that is still not what a row should be was not mended by being changed.
fn note_what_stays(source: &Source, edited: &Edited) {
    let Ok(page) = Page::parse(&edited.page) else { return };
    let table = page.table(&source.which.heading, source.which.table);
    let row = table
        .ok()
        .filter(|_| edited.after.is_some())
        .and_then(|table| table.row(edited.row));
    if let Some(reason) = row.and_then(|row| row.malformed()) {
        note(&format!(
            "{}:{}: row {}: {reason}",
            source.page.display(),
            edited.line,
            edited.row
        ));
    }
}

/// Fails with what was found; with `--json` it is an object with `error`.
fn refuse(source: &Source, finding: &Finding) -> anyhow::Result<ExitCode> {
    if source.which.json {
        print_json(&serde_json::json!({ "error": finding.to_string() }))?;
        return Ok(ExitCode::FAILURE);
    }
    anyhow::bail!("{}: {finding}", source.page.display());
}

/// A list of cells as `--cells` takes it.
#[derive(Clone, Debug)]
struct Cells(Vec<Option<String>>);

impl Cells {
    fn iter(&self) -> impl Iterator<Item = &Option<String>> {
        self.0.iter()
    }
}

fn parse_cells(json: &str) -> Result<Cells, String> {
    serde_json::from_str(json)
        .map(Cells)
        .map_err(|error| format!("expected a JSON list of texts such as '[\"a\", \"b\"]' ({error})"))
}

fn parse_place(text: &str) -> Result<Place, String> {
    match text {
        "sorted" => Ok(Place::Sorted),
        "end" => Ok(Place::End),
        _ => text
            .parse()
            .map(Place::Index)
            .map_err(|_| "expected `sorted`, `end` or a row's number from 0".to_owned()),
    }
}
