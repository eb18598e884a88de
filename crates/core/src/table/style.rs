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
    /// Whether there is a blank beside pipes.
    spaced: bool,
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

impl Style {
    /// Looks at the rows around `at`; `skip` is a row that does not count (the one that is being rewritten).
    pub(super) fn around(table: &Table<'_>, at: usize, skip: Option<usize>) -> Self {
        let header = sample(table, &table.grid.header);
        let delimiter = sample(table, &table.grid.delimiter);
        let near = neighbours(table, at, skip);
        let measure = measure(&header, &delimiter, &near);
        let columns = (0..table.columns())
            .map(|column| ColumnStyle {
                width: width(column, measure, &header, &delimiter, &near),
                align: alignment(table.grid.aligns[column], column, &near),
            })
            .collect();
        let (lead, trail) = outer_pipes(&header, &near);
        let spaced = is_spaced(&header, &near);
        Self {
            lead,
            trail,
            columns,
            measure,
            spaced,
            empty: empty_width(spaced, &near),
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
            row.push_str(&self.slot(column, cell));
        }
        self.close(row, cells.last().is_some_and(|cell| cell.is_empty()))
    }

    /// The same row with both outer pipes, for content that would mean something else without them.
    pub(super) fn with_outer_pipes(&self) -> Self {
        Self {
            lead: true,
            trail: true,
            ..self.clone()
        }
    }

    fn close(&self, mut row: String, last_is_empty: bool) -> String {
        // Without a trailing pipe an empty last cell would not be there at all.
        if self.trail || last_is_empty {
            row.push('|');
        } else {
            row.truncate(row.trim_end_matches(' ').len());
        }
        if !self.lead {
            row.drain(..row.len() - row.trim_start_matches(' ').len());
        }
        row
    }

    /// The content with its padding.
    pub(super) fn slot(&self, column: usize, content: &str) -> String {
        let style = self.columns[column];
        let blank = usize::from(self.spaced || content.ends_with('\\'));
        let Some(width) = style.width else {
            return if content.is_empty() {
                " ".repeat(self.empty)
            } else {
                spaced(content, blank, blank)
            };
        };
        let spare = width.saturating_sub(self.measure.of(content));
        match style.align {
            _ if spare < 2 * blank => spaced(content, blank, blank),
            Align::None | Align::Left => spaced(content, blank, spare - blank),
            Align::Right => spaced(content, spare - blank, blank),
            Align::Center => spaced(content, spare / 2, spare - spare / 2),
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
fn width(
    column: usize,
    measure: Measure,
    header: &Sample<'_>,
    delimiter: &Sample<'_>,
    near: &[Sample<'_>],
) -> Option<usize> {
    let slots: Vec<&str> = near.iter().filter_map(|row| row.slots.get(column).copied()).collect();
    let head = header.slots.get(column).copied();
    let dashes = delimiter.slots.get(column).map(|slot| measure.of(slot));
    let shared = shared_width(&slots, measure);
    [dashes, shared].into_iter().flatten().find(|&width| {
        let (mut with, mut against) = (0, 0);
        for slot in slots.iter().copied().chain(head) {
            let fits = measure.of(slot.trim()) + 2 < width;
            let reaches = measure.of(slot) == width;
            with += usize::from(reaches && fits);
            against += usize::from(!reaches && fits);
        }
        with > against
    })
}

/// The width that most of the neighbours have, when at least two do.
fn shared_width(slots: &[&str], measure: Measure) -> Option<usize> {
    let widths: Vec<usize> = slots.iter().map(|slot| measure.of(slot)).collect();
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

fn is_spaced(header: &Sample<'_>, near: &[Sample<'_>]) -> bool {
    let inner = |row: &Sample<'_>| {
        // Outer slots of a row without outer pipes have no blank at the line's ends.
        let slots = row.slots.iter().filter(|slot| !slot.trim().is_empty());
        let blanks = slots
            .clone()
            .filter(|slot| slot.starts_with(' ') || slot.ends_with(' '))
            .count();
        (blanks, slots.count())
    };
    let (blanks, all) = near
        .iter()
        .chain(std::iter::once(header))
        .map(inner)
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    2 * blanks >= all
}

/// Slot width of empty cells: what the nearest row with a short empty cell has.
fn empty_width(spaced: bool, near: &[Sample<'_>]) -> usize {
    let empty = near
        .iter()
        .flat_map(|row| &row.slots)
        .find(|slot| slot.len() <= 2 && slot.trim().is_empty());
    empty.map_or(usize::from(spaced), |slot| slot.len())
}
