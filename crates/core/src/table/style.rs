//! How the rows of a table are written, so that a new row looks as if the people of the page had written it.

use unicode_width::UnicodeWidthStr;

use super::grid::Table;
use super::page::{Align, Line};
use super::wanted::is_broken;

/// As many rows on each side of the new one are looked at: a table may have been formatted once and grown since.
const NEIGHBOURS: usize = 6;

/// How a row at one place of the table is to be written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    lead: bool,
    trail: bool,
    columns: Vec<ColumnStyle>,
    measure: Measure,
    /// Blanks after a pipe.
    left: usize,
    /// Blanks before a pipe.
    right: usize,
    /// Width of the slot of an empty cell where the column is not padded.
    empty: usize,
}

/// How one column is padded.
#[derive(Clone, Copy, Debug)]
struct ColumnStyle {
    /// Width between the pipes, when the neighbours are padded to one.
    width: Option<usize>,
    align: Align,
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
    slots: Vec<&'p str>,
}

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

impl Style {
    /// Looks at the rows around `at`; `skip` is a row that does not count (the one that is being rewritten).
    pub(super) fn around(table: &Table<'_>, at: usize, skip: Option<usize>) -> Self {
        let header = sample(table, &table.grid.header);
        let delimiter = sample(table, &table.grid.delimiter);
        let near = neighbours(table, at, skip);
        let measure = measure(&header, &delimiter, &near);
        let rows: Vec<&Sample<'_>> = near.iter().chain(std::iter::once(&header)).collect();
        let columns = (0..table.columns())
            .map(|column| ColumnStyle {
                width: width(column, measure, &delimiter, &rows),
                align: alignment(table.grid.aligns[column], column, &near),
            })
            .collect();
        let (lead, trail) = outer_pipes(&header, &near);
        let mut style = Self {
            lead,
            trail,
            columns,
            measure,
            left: 1,
            right: 1,
            empty: 1,
        };
        style.learn_blanks(&near, &header);
        style
    }

    /// Blanks beside pipes as most cells have them, the header's among them.
    fn learn_blanks(&mut self, near: &[Sample<'_>], header: &Sample<'_>) {
        let columns = &self.columns;
        let padded = |column: usize| columns.get(column).is_some_and(|column| column.width.is_some());
        let pushed = |column: usize| columns.get(column).is_some_and(|column| column.align != Align::Left);
        let cells = || {
            near.iter()
                .chain(std::iter::once(header))
                .flat_map(Sample::cells)
                .filter(|cell| !cell.is_empty())
        };
        let left = usual(
            cells()
                .filter(|cell| !cell.ends.first && !pushed(cell.column))
                .map(|cell| blanks(cell.slot)),
        );
        let reversed = |slot: &str| slot.len() - slot.trim_end_matches(' ').len();
        let right = usual(
            cells()
                .filter(|cell| !cell.ends.last && !padded(cell.column))
                .map(|cell| reversed(cell.slot)),
        );
        self.left = left.or(right).unwrap_or(1);
        self.right = right.unwrap_or(self.left);
        let empty = near
            .iter()
            .flat_map(|row| &row.slots)
            .find(|slot| slot.len() <= 2 && slot.trim().is_empty());
        self.empty = empty.map_or(self.left.min(1), |slot| slot.len());
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
        let left = if ends.first { 0 } else { self.left };
        // A backslash right before a pipe would take its meaning away.
        let right = if ends.last {
            0
        } else {
            self.right.max(usize::from(content.ends_with('\\')))
        };
        let spare = style
            .width
            .map_or(0, |width| width.saturating_sub(self.measure.of(content)));
        match style.align {
            _ if style.width.is_none() && content.is_empty() && !ends.last => " ".repeat(self.empty),
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

impl<'p> Sample<'p> {
    fn cells(&self) -> impl Iterator<Item = SampleCell<'p>> {
        let ends = |column: usize| Ends {
            first: column == 0 && !self.lead,
            last: column + 1 == self.slots.len() && !self.trail,
        };
        self.slots.iter().enumerate().map(move |(column, slot)| SampleCell {
            column,
            slot,
            ends: ends(column),
        })
    }
}

impl SampleCell<'_> {
    fn is_empty(&self) -> bool {
        self.slot.trim().is_empty()
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
    Sample {
        lead: split.lead,
        trail: split.trail,
        slots: split.slots.into_iter().map(|slot| &text[slot]).collect(),
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
        rows.flat_map(|row| row.slots.iter().zip(&delimiter.slots))
            .filter(|(slot, dashes)| measure.of(slot) == measure.of(dashes))
            .count()
    };
    if hits(Measure::Chars) > hits(Measure::Display) {
        Measure::Chars
    } else {
        Measure::Display
    }
}

/// The width to which the column is padded: the one of the dashes, or else the one that the neighbours share.
///
/// A cell that could be shorter shows it: it has that width (it was padded), or it has not (nobody pads here).
fn width(column: usize, measure: Measure, delimiter: &Sample<'_>, rows: &[&Sample<'_>]) -> Option<usize> {
    let cells: Vec<SampleCell<'_>> = rows.iter().filter_map(|row| row.cells().nth(column)).collect();
    let dashes = delimiter.slots.get(column).map(|slot| measure.of(slot));
    let shared = shared_width(&cells, measure);
    let least = usual(
        cells
            .iter()
            .filter(|cell| !cell.ends.first && !cell.is_empty())
            .map(|cell| blanks(cell.slot)),
    );
    let needed = |cell: &SampleCell<'_>| {
        let sides = if cell.ends.first { 1 } else { 2 };
        measure.of(cell.slot.trim()) + sides * least.unwrap_or(1).min(1)
    };
    [dashes, shared].into_iter().flatten().find(|&width| {
        let reaches = |cell: &&SampleCell<'_>| measure.of(cell.slot) == width;
        let telling = cells.iter().filter(|cell| needed(cell) < width);
        let (with, all) = (telling.clone().filter(reaches).count(), telling.count());
        2 * with > all
    })
}

/// The width that most of the neighbours have, when at least two do.
fn shared_width(cells: &[SampleCell<'_>], measure: Measure) -> Option<usize> {
    let widths: Vec<usize> = cells.iter().map(|cell| measure.of(cell.slot)).collect();
    let count = |width: usize| widths.iter().filter(|&&other| other == width).count();
    let best = widths.iter().copied().max_by_key(|&width| count(width))?;
    (count(best) >= 2).then_some(best)
}

/// The column's alignment as the neighbours' padding follows it: people seldom pad on the left by hand.
fn alignment(align: Align, column: usize, near: &[Sample<'_>]) -> Align {
    if matches!(align, Align::None | Align::Left) {
        return Align::Left;
    }
    let padded = near
        .iter()
        .filter_map(|row| row.slots.get(column))
        .filter(|slot| !slot.trim().is_empty());
    let (mut left, mut right) = (0, 0);
    for slot in padded {
        let before = slot.len() - slot.trim_start().len();
        let after = slot.len() - slot.trim_end().len();
        left += usize::from(before > 1);
        right += usize::from(before <= 1 && after > 1);
    }
    if right > left { Align::Left } else { align }
}

/// The most frequent number, of several the first.
fn usual(counts: impl Iterator<Item = usize>) -> Option<usize> {
    let mut seen: Vec<(usize, usize)> = Vec::new();
    for count in counts {
        match seen.iter_mut().find(|(value, _)| *value == count) {
            Some((_, times)) => *times += 1,
            None => seen.push((count, 1)),
        }
    }
    seen.iter()
        .rev()
        .max_by_key(|(_, times)| *times)
        .map(|(value, _)| *value)
}

fn blanks(slot: &str) -> usize {
    slot.len() - slot.trim_start_matches(' ').len()
}
