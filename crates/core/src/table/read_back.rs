//! No line is given out that was not read again in its place.

use super::finding::Refusal;
use super::grid::Table;
use super::page::Page;

/// Reads the new line in its place: the blocks around the table, header, dashes, the line, and one that is a row for
/// certain. Its cells have to be the wanted ones, in at least as many `slots` between pipes.
///
/// Markdown's blocks are read line by line, so what stands above the table's outermost block cannot matter, and what
/// stands below is read as before as long as the table is still open after the new line. The tests read the whole page
/// again, with two parsers.
pub(super) fn read_back(table: &Table<'_>, line: &str, wanted: &[&str], slots: usize) -> Result<(), Refusal> {
    match fault(table, line, wanted, slots) {
        Some(what) => Err(Refusal::NotReadBack { what }),
        None => Ok(()),
    }
}

fn fault(table: &Table<'_>, line: &str, wanted: &[&str], slots: usize) -> Option<&'static str> {
    let (text, grid) = (table.page.text, table.grid);
    let line_break = grid.header.line_break(text);
    let head = &text[grid.root..grid.delimiter.end];
    let row_for_certain = format!("{}| x |", grid.delimiter.prefix(text));
    let sample = format!("{head}{line_break}{line}{line_break}{row_for_certain}{line_break}");
    let page = Page::parse_fragment(&sample);
    let Some(grid) = page.grids.last() else {
        return Some("the table is gone");
    };
    let again = Table { page: &page, grid };
    let (Some(row), 2) = (again.row(0), again.row_count()) else {
        return Some("the line is no row, or ends the table");
    };
    let split = row.line.split(&sample);
    if !row.agrees(&split) || split.slots.len() < slots {
        return Some("its cells cannot be told apart for certain");
    }
    let same = row.cells().into_iter().eq(wanted.iter().map(|cell| cell.trim()));
    (!same).then_some("a cell has other content")
}
