//! Whether a table is sorted as people sort, and where a new row belongs.

use std::borrow::Cow;

use deunicode::deunicode;

use super::cell::{Cell, Said};
use super::grid::{Row, Table};
use super::page::Page;
use super::wanted::is_broken;

/// The place of a new row in a table that is sorted by the column; `None` when it is not sorted.
pub(super) fn sorted_place(table: &Table<'_>, key: usize, cell: &Cell) -> Option<usize> {
    let text = say(cell).text;
    [Key::folded, Key::without_article, Key::plain]
        .into_iter()
        .find_map(|make| {
            let keys = keys(table, key, make);
            let sorted = keys.iter().flatten().is_sorted();
            let told = keys.iter().flatten().any(|key| !key.is_empty());
            (sorted && told).then(|| least_disorder(table, &keys, &make(&text)))
        })
}

/// The place that puts the fewest pairs of rows out of order.
pub(super) fn best_place(table: &Table<'_>, key: usize, cell: &Cell) -> usize {
    sorted_place(table, key, cell).unwrap_or_else(|| {
        let keys = keys(table, key, Key::without_article);
        least_disorder(table, &keys, &Key::without_article(&say(cell).text))
    })
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
    Key::without_article(name)
}

/// Ways in which people sort.
struct Key;

impl Key {
    /// Without regard to case, diacritics and punctuation.
    fn folded(text: &str) -> String {
        let plain = if text.is_ascii() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(deunicode(text))
        };
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
        let folded = Self::folded(text);
        folded.strip_prefix("the ").map(str::to_owned).unwrap_or(folded)
    }

    /// By code point, as `sort` does.
    fn plain(text: &str) -> String {
        text.to_owned()
    }
}

/// The sort key of each row; `None` for broken rows, which say nothing about the order.
fn keys(table: &Table<'_>, column: usize, make: fn(&str) -> String) -> Vec<Option<String>> {
    let key = |row: Row<'_>| {
        let broken = row.malformed().is_some_and(|reason| is_broken(&reason));
        (!broken).then(|| make(&row.text(column)))
    };
    table.rows().map(key).collect()
}

/// Among the places with the fewest rows on the wrong side the first; a row with an equal key stays before the new one.
fn least_disorder(table: &Table<'_>, keys: &[Option<String>], new: &String) -> usize {
    let end = table.end();
    let keys = &keys[..end];
    let mut wrong = keys.iter().flatten().filter(|key| *key <= new).count();
    let mut best = (wrong, 0);
    for (index, key) in keys.iter().enumerate() {
        match key {
            Some(key) if key <= new => wrong -= 1,
            Some(_) => wrong += 1,
            None => {}
        }
        if wrong < best.0 {
            best = (wrong, index + 1);
        }
    }
    best.1
}
