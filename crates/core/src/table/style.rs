//! How the rows of a table are written, so that a new row looks as if the people of the page had written it.

use unicode_width::UnicodeWidthStr;

use super::grid::Table;
use super::padding::{Measured, Padding, usual};
use super::page::{Align, Line, Split, trim_padding};
use super::wanted::is_broken;

/// As many rows on each side of the new one are looked at: a table may have been formatted once and grown since.
const NEIGHBOURS: usize = 6;

/// As many blanks beside a pipe are a manner of writing; more are padding.
const FEW: usize = 2;

/// How a row at one place of the table is to be written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    lead: bool,
    trail: bool,
    columns: Vec<ColumnStyle>,
    measure: Measure,
    /// Blanks after the last pipe.
    tail: usize,
}

/// How the cells of one column are written.
#[derive(Clone, Copy, Debug)]
struct ColumnStyle {
    /// Width between the pipes, when the neighbours are padded to one.
    width: Option<usize>,
    align: Align,
    /// Blanks after a pipe.
    left: usize,
    /// Blanks before a pipe.
    right: usize,
    /// Width of the slot of an empty cell where the column is not padded.
    empty: usize,
}

/// What people's editors count when they pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Display,
    Chars,
}

/// One line's cells, measured.
struct Sample<'p> {
    lead: bool,
    trail: bool,
    cells: Vec<SampleCell<'p>>,
    /// Blanks after the last pipe.
    tail: usize,
}

#[derive(Clone, Copy)]
struct SampleCell<'p> {
    column: usize,
    slot: &'p str,
    ends: Ends,
}

/// Which ends of a slot are ends of the line: no pipe is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Ends {
    pub(super) fn of(split: &Split, column: usize) -> Self {
        Self {
            first: column == 0 && !split.lead,
            last: column + 1 == split.slots.len() && !split.trail,
        }
    }
}

impl Style {
    /// Looks at the rows around `at`; `skip` is a row that does not count (the one that is being rewritten).
    pub(super) fn around(table: &Table<'_>, at: usize, skip: Option<usize>) -> Self {
        let header = sample(table, &table.grid.header);
        let delimiter = sample(table, &table.grid.delimiter);
        let near = neighbours(table, at, skip);
        let measure = measure(&header, &delimiter, &near);
        // The row that is being rewritten would be the only one to tell: it is asked itself.
        let alone = near.is_empty() && skip.is_some();
        let padding = |column| ColumnStyle {
            width: (!alone)
                .then(|| width(column, measure, &delimiter, &header, &near))
                .flatten(),
            align: alignment(table.grid.aligns[column], column, &near),
            left: 1,
            right: 1,
            empty: 1,
        };
        let mut columns: Vec<ColumnStyle> = (0..table.columns()).map(padding).collect();
        learn_blanks(&mut columns, &near, &header);
        let (lead, trail) = outer_pipes(&header, &near);
        let tails: Vec<usize> = near.iter().map(|row| row.tail).collect();
        Self {
            lead,
            trail,
            columns,
            measure,
            tail: prevailing(&tails).unwrap_or(0),
        }
    }

    /// The row, from its first pipe (or cell) to its last, without indentation and line break.
    pub(super) fn row(&self, cells: &[&str]) -> String {
        let mut row = String::new();
        if self.lead {
            row.push('|');
        }
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                row.push('|');
            }
            let ends = Ends {
                first: column == 0 && !self.lead,
                last: column + 1 == cells.len() && !self.trail,
            };
            row.push_str(&self.slot(column, cell, ends));
        }
        // Without a trailing pipe an empty last cell would not be there at all.
        if self.trail || cells.last().is_some_and(|cell| cell.is_empty()) {
            row.push('|');
            row.push_str(&" ".repeat(self.tail));
        }
        row
    }

    /// The same row with both outer pipes, for content that would mean something else without them.
    pub(super) fn with_outer_pipes(&self) -> Self {
        Self {
            lead: true,
            trail: true,
            ..self.clone()
        }
    }

    /// The content with its padding; none at the line's ends.
    pub(super) fn slot(&self, column: usize, content: &str, ends: Ends) -> String {
        let style = self.columns[column];
        let left = if ends.first { 0 } else { style.left };
        // A backslash right before a pipe would take its meaning away.
        let right = if ends.last {
            0
        } else {
            style.right.max(usize::from(content.ends_with('\\')))
        };
        let spare = style
            .width
            .map_or(0, |width| width.saturating_sub(self.measure.of(content)));
        match style.align {
            _ if style.width.is_none() && content.is_empty() && !ends.last => " ".repeat(style.empty),
            Align::Right if spare >= left + right => spaced(content, spare - right, right),
            Align::Center if spare >= left + right && !ends.last => spaced(content, spare / 2, spare - spare / 2),
            Align::None | Align::Left if spare >= left + right && !ends.last => spaced(content, left, spare - left),
            _ => spaced(content, left, right),
        }
    }

    /// Whether the column is padded to one width here.
    pub(super) fn pads(&self, column: usize) -> bool {
        self.columns[column].width.is_some()
    }

    pub(super) fn width_of(&self, text: &str) -> usize {
        self.measure.of(text)
    }
}

impl SampleCell<'_> {
    fn is_empty(&self) -> bool {
        trim_padding(self.slot).is_empty()
    }
}

impl Measure {
    fn of(self, text: &str) -> usize {
        match self {
            Self::Display => text.width(),
            Self::Chars => text.chars().count(),
        }
    }
}

fn spaced(content: &str, left: usize, right: usize) -> String {
    format!("{}{content}{}", " ".repeat(left), " ".repeat(right))
}

fn sample<'p>(table: &Table<'p>, line: &Line) -> Sample<'p> {
    let text = table.page.text;
    let split = line.split(text);
    let row = &text[line.content..line.end];
    let slots = split.slots.iter().enumerate();
    let cells = slots.map(|(column, slot)| SampleCell {
        column,
        slot: &text[slot.clone()],
        ends: Ends::of(&split, column),
    });
    Sample {
        cells: cells.collect(),
        lead: split.lead,
        trail: split.trail,
        tail: if split.trail { right_blanks(row) } else { 0 },
    }
}

/// The well-formed rows nearest to the place, the nearest first.
fn neighbours<'p>(table: &Table<'p>, at: usize, skip: Option<usize>) -> Vec<Sample<'p>> {
    let rows = &table.grid.rows;
    let good = |&index: &usize| {
        let broken = |reason| is_broken(&reason);
        Some(index) != skip && table.row(index).is_some_and(|row| !row.malformed().is_some_and(broken))
    };
    let above: Vec<usize> = (0..at.min(rows.len())).rev().filter(good).take(NEIGHBOURS).collect();
    let below: Vec<usize> = (at..rows.len()).filter(good).take(NEIGHBOURS).collect();
    let mut near: Vec<usize> = above.into_iter().chain(below).collect();
    near.sort_by_key(|&index| if index < at { at - index } else { index - at + 1 });
    near.into_iter().map(|index| sample(table, &rows[index])).collect()
}

/// Most neighbours decide; where they are in two minds, the header does.
fn outer_pipes(header: &Sample<'_>, near: &[Sample<'_>]) -> (bool, bool) {
    let side = |of: fn(&Sample<'_>) -> bool| {
        let with = near.iter().filter(|row| of(row)).count();
        match (2 * with).cmp(&near.len()) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => of(header),
        }
    };
    (side(|row| row.lead), side(|row| row.trail))
}

/// The measure under which more rows reach exactly the widths of the line of dashes; people pad wide scripts both ways.
fn measure(header: &Sample<'_>, delimiter: &Sample<'_>, near: &[Sample<'_>]) -> Measure {
    let hits = |measure: Measure| {
        let rows = near.iter().chain(std::iter::once(header));
        rows.flat_map(|row| row.cells.iter().zip(&delimiter.cells))
            .filter(|(cell, dashes)| measure.of(cell.slot) == measure.of(dashes.slot))
            .count()
    };
    if hits(Measure::Chars) > hits(Measure::Display) {
        Measure::Chars
    } else {
        Measure::Display
    }
}

/// The width to which the column is padded.
fn width(
    column: usize,
    measure: Measure,
    delimiter: &Sample<'_>,
    header: &Sample<'_>,
    near: &[Sample<'_>],
) -> Option<usize> {
    let cells = || {
        near.iter()
            .chain(std::iter::once(header))
            .filter_map(|row| row.cells.get(column))
    };
    let said = cells().filter(|cell| !cell.ends.first && !cell.is_empty());
    let blank = usual(said.map(|cell| left_blanks(cell.slot))).unwrap_or(1).min(1);
    let measured = |cell: &SampleCell<'_>| Measured {
        width: measure.of(cell.slot),
        least: measure.of(trim_padding(cell.slot)) + if cell.ends.first { blank } else { 2 * blank },
    };
    let padding = Padding {
        rows: near
            .iter()
            .filter_map(|row| row.cells.get(column))
            .map(measured)
            .collect(),
        header: header.cells.get(column).map(measured),
        dashes: delimiter.cells.get(column).map(|cell| measure.of(cell.slot)),
    };
    padding.width()
}

/// Blanks beside pipes as the cells of the column have them, or else as most of the table have, the header's among them.
fn learn_blanks(columns: &mut [ColumnStyle], near: &[Sample<'_>], header: &Sample<'_>) {
    let rows = near.iter().chain(std::iter::once(header));
    let cells = || {
        rows.clone()
            .flat_map(|row| &row.cells)
            .filter(|cell| cell.column < columns.len())
    };
    let said = || cells().filter(|cell| !cell.is_empty());
    let lefts = said().filter(|cell| !cell.ends.first && columns[cell.column].align == Align::Left);
    let lefts = lefts.map(|cell| (cell.column, left_blanks(cell.slot)));
    let rights = said().filter(|cell| !cell.ends.last && columns[cell.column].width.is_none());
    let rights = rights.map(|cell| (cell.column, right_blanks(cell.slot)));
    let empties = cells().filter(|cell| cell.is_empty());
    let empties = empties.map(|cell| (cell.column, cell.slot.len()));
    let (lefts, rights, empties) = (Blanks::new(lefts), Blanks::new(rights), Blanks::new(empties));
    let left = lefts.of_table().or(rights.of_table()).unwrap_or(1);
    let right = rights.of_table().unwrap_or(left);
    let empty = empties.of_table().unwrap_or(left.min(1));
    for (column, style) in columns.iter_mut().enumerate() {
        style.left = lefts.of(column).unwrap_or(left);
        style.right = rights.of(column).unwrap_or(right);
        style.empty = empties.of(column).unwrap_or(empty);
    }
}

/// Columns and numbers of blanks that were seen there, the nearest row's first.
struct Blanks(Vec<(usize, usize)>);

impl Blanks {
    /// More than [`FEW`] are somebody's padding.
    fn new(seen: impl Iterator<Item = (usize, usize)>) -> Self {
        Self(seen.filter(|(_, blanks)| *blanks <= FEW).collect())
    }

    /// What all cells of the column have, or all but one; a single blank where people were in two minds.
    fn of(&self, column: usize) -> Option<usize> {
        let here = self.0.iter().filter(|(other, _)| *other == column);
        let here: Vec<usize> = here.map(|(_, blanks)| *blanks).collect();
        let times = |blanks: usize| here.iter().filter(|&&other| other == blanks).count();
        let all_but_one = |&blanks: &usize| times(blanks) + usize::from(here.len() > 3) >= here.len();
        let first = usual(here.iter().copied()).filter(all_but_one);
        first.or_else(|| (times(1) > 1).then_some(1))
    }

    fn of_table(&self) -> Option<usize> {
        usual(self.0.iter().map(|(_, blanks)| *blanks))
    }
}

/// The column's alignment as the neighbours' padding follows it: people seldom pad on the left by hand.
fn alignment(align: Align, column: usize, near: &[Sample<'_>]) -> Align {
    if matches!(align, Align::None | Align::Left) {
        return Align::Left;
    }
    let padded = near
        .iter()
        .filter_map(|row| row.cells.get(column))
        .filter(|cell| !cell.is_empty());
    let (mut left, mut right) = (0, 0);
    for cell in padded {
        let (before, after) = (left_blanks(cell.slot), right_blanks(cell.slot));
        left += usize::from(before > 1);
        right += usize::from(before <= 1 && after > 1);
    }
    if right > left { Align::Left } else { align }
}

/// The number that more than half of them are.
fn prevailing(numbers: &[usize]) -> Option<usize> {
    let times = |number: usize| numbers.iter().filter(|&&other| other == number).count();
    usual(numbers.iter().copied()).filter(|&number| 2 * times(number) > numbers.len())
}

fn left_blanks(slot: &str) -> usize {
    slot.len() - slot.trim_start_matches(' ').len()
}

fn right_blanks(slot: &str) -> usize {
    slot.len() - slot.trim_end_matches(' ').len()
}
