//! Whether a table is sorted as people sort, and where a new row belongs.

use std::borrow::Cow;

use super::cell::{Cell, Said};
use super::fold::unaccented;
use super::grid::{Row, Table};
use super::page::Page;
use super::people::is_inactive;
use super::wanted::is_broken;

/// Ways in which people sort, the commonest first.
const WAYS: [fn(&str) -> String; 4] = [folded, without_article, by_numbers, by_code_point];

/// A long table counts as sorted although one row in so many strays.
const STRAY_OF_SORTED: usize = 10;

/// Where sorting is asked for, one row in so many may stray.
const STRAY_OF_ANY: usize = 4;

/// The place of a new row in a table that is sorted by the column, a few strays in a long one aside; `None` when it is not.
pub(super) fn sorted_place(table: &Table<'_>, column: usize, cells: &[Cell]) -> Option<usize> {
    let name = cells.get(column).map(say).unwrap_or_default().text;
    let Some(sorting) = Sorting::of(table, column) else {
        let keys = keys(table, column);
        return among_strays(&keys, &without_article(&name), STRAY_OF_SORTED);
    };
    let inactive = cells.iter().any(|cell| is_inactive(cell.as_str()));
    Some(sorting.place(table.end(), &name, inactive))
}

/// The place where somebody who sorts would put the row although the table is not sorted: among the rows that begin with
/// the same word, when they stand together in their order (`SIG …`, `WG …`), or where the fewest rows are on the wrong side.
/// `None` when the table has no order to follow.
pub(super) fn best_place(table: &Table<'_>, column: usize, cells: &[Cell]) -> Option<usize> {
    sorted_place(table, column, cells).or_else(|| {
        let new = without_article(&cells.get(column).map(say).unwrap_or_default().text);
        let keys = keys(table, column);
        in_its_group(&keys, &new).or_else(|| among_strays(&keys, &new, STRAY_OF_ANY))
    })
}

/// Whether the rows are sorted by the column.
pub(super) fn is_sorted(table: &Table<'_>, column: usize) -> bool {
    Sorting::of(table, column).is_some()
}

/// What a cell says, read on its own.
pub(super) fn say(cell: &Cell) -> Said {
    let sample = format!("|.|\n|-|\n|{}|\n", cell.as_str());
    let page = Page::parse_fragment(&sample);
    let row = page.grids.first().and_then(|grid| Table { page: &page, grid }.row(0));
    row.map(|row| row.said(0)).unwrap_or_default()
}

/// What people sort a name by.
pub(super) fn sort_key(name: &str) -> String {
    without_article(name)
}

/// How a table is sorted.
struct Sorting<'p> {
    /// What its rows are sorted by; `None` for broken rows, which say nothing about the order.
    names: Vec<Option<Cow<'p, str>>>,
    way: fn(&str) -> String,
    /// From the last to the first.
    descending: bool,
    /// The inactive ones from this row on are sorted by themselves.
    inactive_from: Option<usize>,
}

impl<'p> Sorting<'p> {
    fn of(table: &Table<'p>, column: usize) -> Option<Self> {
        let names = names(table, column);
        let told = names.iter().flatten().filter(|name| !name.is_empty()).count();
        // Two rows the wrong way round are no order yet.
        let directions: &[bool] = match told {
            0 => &[],
            1 | 2 => &[false],
            _ => &[false, true],
        };
        let splits = || std::iter::once(None).chain(inactive_from(table).map(Some));
        for &descending in directions {
            for inactive_from in splits() {
                let (active, inactive) = names.split_at(inactive_from.unwrap_or(names.len()));
                let in_order = |way: &fn(&str) -> String| {
                    is_in_order(active, *way, descending) && is_in_order(inactive, *way, descending)
                };
                if let Some(way) = WAYS.into_iter().find(in_order) {
                    return Some(Self {
                        names,
                        way,
                        descending,
                        inactive_from,
                    });
                }
            }
        }
        None
    }

    /// After the rows that come before the new one, and after those with the same key.
    fn place(&self, end: usize, name: &str, inactive: bool) -> usize {
        let new = (self.way)(name);
        let rows = match self.inactive_from.map(|from| from.min(end)) {
            Some(from) if inactive => from..end,
            Some(from) => 0..from,
            None => 0..end,
        };
        let begin = rows.start;
        let named: Vec<(usize, &str)> = rows
            .filter_map(|row| self.names[row].as_deref().map(|name| (row, name)))
            .collect();
        let before = named.partition_point(|(_, name)| {
            let key = (self.way)(name);
            if self.descending { key >= new } else { key <= new }
        });
        before.checked_sub(1).map_or(begin, |last| named[last].0 + 1)
    }
}

/// What the rows are sorted by; `None` for broken rows.
fn names<'p>(table: &Table<'p>, column: usize) -> Vec<Option<Cow<'p, str>>> {
    let name = |row: Row<'p>| {
        let broken = row.malformed().is_some_and(|reason| is_broken(&reason));
        (!broken).then(|| row.text(column))
    };
    table.rows().map(name).collect()
}

/// Keys of the rows before the table's end for people.
fn keys(table: &Table<'_>, column: usize) -> Vec<Option<String>> {
    let names = names(table, column);
    let keys = names[..table.end()].iter();
    keys.map(|name| name.as_deref().map(without_article)).collect()
}

/// Looks no further than the first row that is out of order.
fn is_in_order(names: &[Option<Cow<'_, str>>], way: fn(&str) -> String, descending: bool) -> bool {
    let keys = names.iter().flatten().map(|name| way(name));
    if descending {
        keys.is_sorted_by(|one, two| one >= two)
    } else {
        keys.is_sorted()
    }
}

/// The first of the inactive rows, when they stand at the end and all others before them.
fn inactive_from(table: &Table<'_>) -> Option<usize> {
    let is_marked = |row: &Row<'_>| is_inactive(row.source());
    let from = table.row_count() - table.rows().rev().take_while(is_marked).count();
    let others = table.rows().take(from).any(|row| is_marked(&row));
    (from < table.row_count() && !others).then_some(from)
}

/// Among the rows with the same first word, when there are several and they stand together, sorted.
fn in_its_group(keys: &[Option<String>], new: &str) -> Option<usize> {
    let first_word = |key: &str| key.split(' ').next().unwrap_or_default().to_owned();
    let word = first_word(new);
    let akin = |key: &Option<String>| key.as_ref().is_some_and(|key| first_word(key) == word);
    let (from, to) = (keys.iter().position(akin)?, keys.iter().rposition(akin)? + 1);
    let group = &keys[from..to];
    let is_group = group.len() > 1 && group.iter().all(akin) && group.is_sorted();
    is_group.then(|| from + least_disorder(group, new))
}

/// The place with the least disorder, when no more than one row in `stray` would have to move for the table to be sorted.
fn among_strays(keys: &[Option<String>], new: &str, stray: usize) -> Option<usize> {
    // The last keys of the longest sorted choices of rows, by their length.
    let mut last: Vec<&str> = Vec::new();
    let known: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
    for &key in &known {
        let longer = last.partition_point(|&end| end <= key);
        match last.get_mut(longer) {
            Some(end) => *end = key,
            None => last.push(key),
        }
    }
    let strays = known.len() - last.len();
    (strays * stray <= known.len()).then(|| least_disorder(keys, new))
}

/// Among the places with the fewest rows on the wrong side the first; a row with an equal key stays before the new one.
fn least_disorder(keys: &[Option<String>], new: &str) -> usize {
    let mut wrong = keys.iter().flatten().filter(|key| key.as_str() <= new).count();
    let mut best = (wrong, 0);
    for (index, key) in keys.iter().enumerate() {
        match key {
            Some(key) if key.as_str() <= new => wrong -= 1,
            Some(_) => wrong += 1,
            None => {}
        }
        if wrong < best.0 {
            best = (wrong, index + 1);
        }
    }
    best.1
}

/// Without regard to case, accents and punctuation.
fn folded(text: &str) -> String {
    let plain = unaccented(text);
    let mut key = String::with_capacity(plain.len());
    for c in plain.chars() {
        if c.is_alphanumeric() {
            key.extend(c.to_lowercase());
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// As above, and without a leading article.
fn without_article(text: &str) -> String {
    let folded = folded(text);
    folded.strip_prefix("the ").map(str::to_owned).unwrap_or(folded)
}

/// As above, and numbers by their value: `Team 9` before `Team 10`.
fn by_numbers(text: &str) -> String {
    let text = without_article(text);
    let mut key = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[at..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |end| at + end);
        key.push_str(&rest[..at]);
        key.push_str(&format!("{:0>12}", &rest[at..digits]));
        rest = &rest[digits..];
    }
    key.push_str(rest);
    key
}

/// As `sort` does.
fn by_code_point(text: &str) -> String {
    text.to_owned()
}
