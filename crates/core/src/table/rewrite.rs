//! Other content for some cells of a row, in the row's own manner: bytes of the other cells stay.

use super::cell::Cell;
use super::grid::{Row, Table};
use super::page::trim_padding;
use super::style::{Ends, Style};

/// A row with other content.
pub(super) struct Rewritten<'c> {
    /// The whole line.
    pub(super) line: String,
    /// What its cells have to be when it is read again, one for each column.
    pub(super) cells: Vec<&'c str>,
    /// How many cells it has to have.
    pub(super) slots: usize,
}

/// The row with the given cells in the place of its own; `None` keeps one. With `guard` the line begins with a pipe.
pub(super) fn rewritten<'c>(table: &Table<'c>, row: &Row<'c>, cells: &'c [Option<Cell>], guard: bool) -> Rewritten<'c> {
    let text = table.page.text;
    let split = row.line.split(text);
    let style = Style::around(table, row.index, Some(row.index));
    let mut new = Rewritten {
        line: row.source().to_owned(),
        cells: row.cells(),
        slots: split.slots.len(),
    };
    // From the right, so that the ranges on the left stay true.
    for column in (0..split.slots.len().min(cells.len())).rev() {
        let Some(cell) = cells[column].as_ref().filter(|cell| cell.as_str() != new.cells[column]) else {
            continue;
        };
        new.cells[column] = cell.as_str();
        let slot = &split.slots[column];
        let ends = Ends::of(&split, column);
        let content = respaced(&text[slot.clone()], cell.as_str(), &style, column, ends, guard);
        new.line
            .replace_range(slot.start - row.line.start..slot.end - row.line.start, &content);
    }
    append_missing(&mut new, cells, split.trail, &style);
    new
}

/// A short row with empty cells for those that it lacks.
pub(super) fn completed<'c>(table: &Table<'c>, row: &Row<'c>) -> Rewritten<'c> {
    let split = row.line.split(table.page.text);
    let style = Style::around(table, row.index, Some(row.index));
    let mut new = Rewritten {
        line: row.source().to_owned(),
        cells: row.cells(),
        slots: split.slots.len(),
    };
    append(
        &mut new,
        &vec![""; table.columns() - split.slots.len()],
        split.trail,
        &style,
    );
    new
}

/// The row with a pipe before its first cell.
pub(super) fn with_leading_pipe<'c>(row: &Row<'c>) -> Rewritten<'c> {
    let marks = row.line.content - row.line.start;
    let (prefix, content) = row.source().split_at(marks);
    let cells = row.cells();
    Rewritten {
        line: format!("{prefix}| {content}"),
        slots: cells.len(),
        cells,
    }
}

/// Cells that a short row lacks are written behind it, as many as are needed.
fn append_missing<'c>(new: &mut Rewritten<'c>, cells: &'c [Option<Cell>], trail: bool, style: &Style) {
    let missing = cells
        .iter()
        .skip(new.slots)
        .map(|cell| cell.as_ref().map_or("", Cell::as_str));
    let mut missing: Vec<&str> = missing.collect();
    while missing.last().is_some_and(|cell| cell.is_empty()) {
        missing.pop();
    }
    append(new, &missing, trail, style);
}

fn append<'c>(new: &mut Rewritten<'c>, cells: &[&'c str], trail: bool, style: &Style) {
    if cells.is_empty() {
        return;
    }
    new.line.truncate(new.line.trim_end_matches([' ', '\t']).len());
    if !trail {
        new.line.push_str(" |");
    }
    for &cell in cells {
        new.cells[new.slots] = cell;
        new.line.push_str(&style.slot(new.slots, cell, Ends::default()));
        new.line.push('|');
        new.slots += 1;
    }
}

/// New content in an old slot: padded like the neighbours where they are padded, else with the blanks it had.
fn respaced(old: &str, content: &str, style: &Style, column: usize, ends: Ends, guard: bool) -> String {
    let kept = trim_padding(old);
    let guarded = ends.first && (guard || content.is_empty());
    if style.pads(column) || kept.is_empty() || content.is_empty() || guarded {
        let slot = style.slot(
            column,
            content,
            Ends {
                first: ends.first && !guarded,
                ..ends
            },
        );
        // Without a pipe an empty cell at the line's end would not be there.
        let after = if ends.last && content.is_empty() { " |" } else { "" };
        return format!("{}{slot}{after}", if guarded { "|" } else { "" });
    }
    let (before, after) = old.split_once(kept).unwrap_or_default();
    let mut blanks = after.to_owned();
    // More than one blank was somebody's padding: the pipe stays where it is if it can.
    if after.len() > 1 && after.bytes().all(|b| b == b' ') && !ends.last {
        let filled = style.width_of(before) + style.width_of(content);
        blanks = " ".repeat(style.width_of(old).saturating_sub(filled).max(1));
    }
    if content.ends_with('\\') && blanks.is_empty() && !ends.last {
        blanks.push(' ');
    }
    format!("{before}{content}{blanks}")
}
