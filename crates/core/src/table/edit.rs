//! Changing one row of a table by splicing bytes: whatever lies outside that line is not even looked at.

use super::cell::Cell;
use super::finding::{Malformed, Refusal};
use super::grid::{Row, Table};
use super::order;
use super::page::Line;
use super::read_back::read_back;
use super::rewrite::{self, Rewritten};
use super::style::Style;
use crate::program::RowOrder;

/// Where a new row goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// To its sorted place when the table is sorted by that column, else to the end.
    #[default]
    Auto,
    /// To its sorted place, also when a good part of the rows stray; to the end when the table has no order at all.
    Sorted,
    /// To the end: after the last line that people would call a row.
    End,
    /// Before the row that has this number now.
    Index(usize),
}

impl From<RowOrder> for Place {
    fn from(order: RowOrder) -> Self {
        match order {
            RowOrder::Auto => Self::Auto,
            RowOrder::Sorted => Self::Sorted,
            RowOrder::End => Self::End,
        }
    }
}

/// One change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new row with a cell for each column; `key` is the column by which the place is found.
    Add {
        /// Its cells.
        cells: Vec<Cell>,
        /// Where it goes.
        at: Place,
        /// The column to sort by.
        key: usize,
    },
    /// Other content for some cells of a row.
    Set {
        /// The row's number.
        row: usize,
        /// A cell for each column; `None` leaves it alone.
        cells: Vec<Option<Cell>>,
    },
    /// The row goes.
    Remove {
        /// The row's number.
        row: usize,
    },
}

/// A page with one line changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole page.
    pub page: Vec<u8>,
    /// Number of the row: the new one, the changed one, or the one that is gone.
    pub row: usize,
    /// The line's number, from 1.
    pub line: usize,
    /// The line before, without its break; `None` when it is new.
    pub before: Option<String>,
    /// The line after; `None` when it is gone.
    pub after: Option<String>,
}

impl Edited {
    /// Whether not a byte changed.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.before == self.after
    }
}

/// Bytes that replace a range of the page.
struct Splice {
    from: usize,
    to: usize,
    with: String,
}

impl Table<'_> {
    /// Makes the change, or says why not.
    ///
    /// # Errors
    /// [`Refusal`]: too few or too many cells, no such row or place, a row that only a person should touch, or a line that
    /// would not read back as it was meant.
    pub fn edit(&self, change: &Change) -> Result<Edited, Refusal> {
        match change {
            Change::Add { cells, at, key } => self.add(cells, *at, *key),
            Change::Set { row, cells } => self.set(*row, cells),
            Change::Remove { row } => self.remove(*row),
        }
    }

    fn add(&self, cells: &[Cell], at: Place, key: usize) -> Result<Edited, Refusal> {
        self.expect_columns(cells.len())?;
        let index = self.place(cells, at, key)?;
        let style = Style::around(self, index, None);
        let first = self.inserted(index, &style.row(&texts(cells)), cells);
        first.or_else(|_| self.inserted(index, &style.with_outer_pipes().row(&texts(cells)), cells))
    }

    fn inserted(&self, index: usize, row: &str, cells: &[Cell]) -> Result<Edited, Refusal> {
        let text = self.page.text;
        let above = self.line_above(index);
        let prefix = self.prefix(index);
        let line = format!("{prefix}{row}");
        // The last line of a page may lack its break: then the new line is the one that lacks it.
        let (from, with) = match above.line_break(text) {
            "" => (above.end, format!("{}{line}", self.grid.header.line_break(text))),
            line_break => (above.next, format!("{line}{line_break}")),
        };
        read_back(self, &line, &texts(cells), cells.len())?;
        let splice = Splice { from, to: from, with };
        Ok(self.edited(&splice, index, None, Some(line)))
    }

    fn set(&self, index: usize, cells: &[Option<Cell>]) -> Result<Edited, Refusal> {
        self.expect_columns(cells.len())?;
        let row = self.existing(index)?;
        self.refuse_text_rows(&row)?;
        if !row.agrees(&row.line.split(self.page.text)) {
            return Err(self.malformed(&row, Malformed::Unclear));
        }
        let plain = rewrite::rewritten(self, &row, cells, false);
        self.replaced(&row, &plain).or_else(|refusal| {
            // A first cell that means something else at the begin of a line needs a pipe before it.
            let guarded = rewrite::rewritten(self, &row, cells, true);
            if guarded.line == plain.line {
                Err(refusal)
            } else {
                self.replaced(&row, &guarded)
            }
        })
    }

    /// The page with another line in the row's place, when it reads back.
    pub(super) fn replaced(&self, row: &Row<'_>, new: &Rewritten<'_>) -> Result<Edited, Refusal> {
        if new.line != row.source() {
            read_back(self, &new.line, &new.cells, new.slots)?;
        }
        let splice = Splice {
            from: row.line.start,
            to: row.line.end,
            with: new.line.clone(),
        };
        Ok(self.edited(
            &splice,
            row.index,
            Some(row.source().to_owned()),
            Some(new.line.clone()),
        ))
    }

    fn remove(&self, index: usize) -> Result<Edited, Refusal> {
        let row = self.existing(index)?;
        self.refuse_text_rows(&row)?;
        let line = row.line;
        let splice = if line.line_break(self.page.text).is_empty() {
            // The page's last line without a break: the line above takes its place, and lacks one too.
            Splice {
                from: self.line_above(index).end,
                to: line.end,
                with: String::new(),
            }
        } else {
            Splice {
                from: line.start,
                to: line.next,
                with: String::new(),
            }
        };
        Ok(self.edited(&splice, index, Some(row.source().to_owned()), None))
    }

    fn edited(&self, splice: &Splice, row: usize, before: Option<String>, after: Option<String>) -> Edited {
        let text = self.page.text;
        let mut page = Vec::with_capacity(text.len() + splice.with.len());
        page.extend_from_slice(&text.as_bytes()[..splice.from]);
        page.extend_from_slice(splice.with.as_bytes());
        page.extend_from_slice(&text.as_bytes()[splice.to..]);
        Edited {
            page,
            row,
            line: self.line_of_row(row),
            before,
            after,
        }
    }

    fn place(&self, cells: &[Cell], at: Place, key: usize) -> Result<usize, Refusal> {
        let (rows, end) = (self.row_count(), self.end());
        match at {
            Place::End => Ok(end),
            Place::Auto => Ok(order::sorted_place(self, key, cells).unwrap_or(end)),
            Place::Sorted => Ok(order::best_place(self, key, cells).unwrap_or(end)),
            Place::Index(at) if at == rows => Ok(end),
            Place::Index(at) if at > rows => Err(Refusal::NoSuchPlace { at, rows }),
            Place::Index(at) if at > end => Err(Refusal::MalformedRow {
                row: at,
                line: self.line_of_row(at),
                reason: Malformed::Text,
            }),
            Place::Index(at) => Ok(at),
        }
    }

    fn expect_columns(&self, found: usize) -> Result<(), Refusal> {
        let expected = self.columns();
        if found == expected {
            return Ok(());
        }
        Err(Refusal::CellCount {
            found,
            expected,
            header: self.header(),
        })
    }

    fn existing(&self, index: usize) -> Result<Row<'_>, Refusal> {
        self.row(index).ok_or(Refusal::NoSuchRow {
            row: index,
            rows: self.row_count(),
        })
    }

    fn refuse_text_rows(&self, row: &Row<'_>) -> Result<(), Refusal> {
        match row.malformed() {
            Some(reason @ Malformed::Text) => Err(self.malformed(row, reason)),
            _ => Ok(()),
        }
    }

    fn malformed(&self, row: &Row<'_>, reason: Malformed) -> Refusal {
        Refusal::MalformedRow {
            row: row.index,
            line: row.line(),
            reason,
        }
    }

    fn line_above(&self, index: usize) -> &Line {
        index
            .checked_sub(1)
            .and_then(|above| self.grid.rows.get(above))
            .unwrap_or(&self.grid.delimiter)
    }

    /// Indentation and marks of a new line: what the neighbours have. The header's may hold a list's mark.
    fn prefix(&self, index: usize) -> &str {
        let text = self.page.text;
        let above = self.line_above(index).prefix(text);
        let below = self.grid.rows.get(index).map(|line| line.prefix(text));
        match below {
            // Between a crooked line and a straight one, the straight one is followed.
            Some(below) if below.len() < above.len() => below,
            _ => above,
        }
    }
}

fn texts(cells: &[Cell]) -> Vec<&str> {
    cells.iter().map(Cell::as_str).collect()
}
