//! Mending a malformed row, when somebody asked for it: the least that makes it a row again.

use super::cell::Cell;
use super::edit::{Change, Edited};
use super::finding::{Malformed, Refusal};
use super::grid::{Row, Table};
use super::rewrite;

impl Table<'_> {
    /// Mends a malformed row: a lone bracket goes, missing cells come as empty ones, a missing leading pipe comes. What else
    /// is wrong only a person can know. A row that is well comes back as it is.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRow`]; [`Refusal::MalformedRow`] when there is no certain mend.
    pub fn repair(&self, index: usize) -> Result<Edited, Refusal> {
        let row = self.row(index).ok_or(Refusal::NoSuchRow {
            row: index,
            rows: self.row_count(),
        })?;
        let lead = row.line.split(self.page.text).lead;
        match row.malformed() {
            None => self.edit(&Change::Set {
                row: index,
                cells: vec![None; self.columns()],
            }),
            Some(Malformed::Short { .. }) => self.replaced(&row, &rewrite::completed(self, &row)),
            Some(Malformed::OuterPipes) if !lead => self.replaced(&row, &rewrite::with_leading_pipe(&row)),
            Some(Malformed::BrokenLink(column)) if row.lone_brackets(column).len() == 1 => {
                let mut cells = vec![None; self.columns()];
                cells[column] = without_lone_bracket(self, &row, column);
                self.edit(&Change::Set { row: index, cells })
            }
            Some(reason) => Err(Refusal::MalformedRow {
                row: index,
                line: row.line(),
                reason,
            }),
        }
    }
}

fn without_lone_bracket(table: &Table<'_>, row: &Row<'_>, column: usize) -> Option<Cell> {
    let at = *row.lone_brackets(column).first()?;
    let span = table.spans(row.line).get(column)?;
    let text = table.page.text;
    Cell::from_gfm(&format!(
        "{}{}",
        &text[span.raw.0 as usize..at],
        &text[at + 1..span.raw.1 as usize]
    ))
    .ok()
}
