//! Whatever the page and whatever the cell: outside bytes stay, two parsers read back what was meant.

use convenor_core::table::{Cell, Change, Edited, Page, Place, Table};
use convenor_core::untrusted::Untrusted;
use proptest::collection::vec;
use proptest::prelude::*;
use url::Url;

use crate::pages::{HEADING, Made, content, made};
use crate::second_parser::{Seen, tables};

fn with_table<T>(page: &[u8], look: impl FnOnce(&Table<'_>) -> T) -> T {
    let page = Page::parse(page).unwrap();
    look(&page.table(HEADING, None).unwrap())
}

fn edit(page: &[u8], change: &Change) -> Option<Edited> {
    with_table(page, |table| table.edit(change).ok())
}

fn rows(page: &[u8]) -> Vec<Vec<String>> {
    with_table(page, |table| {
        table
            .rows()
            .map(|row| row.cells().into_iter().map(str::to_owned).collect())
            .collect()
    })
}

fn text(page: &[u8]) -> &str {
    std::str::from_utf8(page).unwrap()
}

/// The tables of the page as comrak reads them: as many as we see.
fn second_reading(page: &[u8]) -> Vec<Vec<Vec<Seen>>> {
    let all = tables(text(page));
    assert_eq!(
        all.len(),
        Page::parse(page).unwrap().table_count(),
        "the parsers see different tables"
    );
    all
}

/// Bytes before and after the edited line are the old ones.
fn assert_outside_unchanged(old: &[u8], edited: &Edited) {
    let (before, after) = (
        edited.before.as_deref().unwrap_or(""),
        edited.after.as_deref().unwrap_or(""),
    );
    let same_front = old.iter().zip(&edited.page).take_while(|(a, b)| a == b).count();
    let same_back = old
        .iter()
        .rev()
        .zip(edited.page.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let changed_old = old.len().saturating_sub(same_front + same_back);
    let changed_new = edited.page.len().saturating_sub(same_front + same_back);
    // A line and its break, at most.
    assert!(changed_old <= before.len() + 2 && changed_new <= after.len() + 2);
    let expected = old.len() as i64 - before.len() as i64 + after.len() as i64;
    let difference = (edited.page.len() as i64 - expected).abs();
    let breaks = if edited.before.is_some() && edited.after.is_some() {
        0..=0
    } else {
        1..=2
    };
    assert!(
        breaks.contains(&difference),
        "{difference} bytes more or less than the line"
    );
}

fn cells_of(contents: &[String], columns: usize) -> Vec<Cell> {
    contents
        .iter()
        .take(columns)
        .map(|gfm| Cell::from_gfm(gfm).unwrap())
        .collect()
}

fn add_then_remove(made: &Made, contents: &[String], at: usize) {
    let old = made.text.as_bytes();
    let cells = cells_of(contents, made.columns);
    let wanted: Vec<String> = cells.iter().map(|cell| cell.as_str().to_owned()).collect();
    let change = Change::Add {
        cells,
        at: Place::Index(at.min(made.rows)),
        key: 0,
    };
    let Some(edited) = edit(old, &change) else { return };
    assert_outside_unchanged(old, &edited);
    let mut expected = rows(old);
    expected.insert(edited.row, wanted);
    assert_eq!(rows(&edited.page), expected);
    assert_second_reading_agrees(old, &edited, made.tables_before);
    let removed = edit(&edited.page, &Change::Remove { row: edited.row }).unwrap();
    assert_eq!(removed.page, old, "adding and removing gives the same page");
}

/// comrak sees the same tables as before with one row more, and in it as many cells as there are columns.
fn assert_second_reading_agrees(old: &[u8], edited: &Edited, target: usize) {
    let before = second_reading(old);
    let mut after = second_reading(&edited.page);
    let row = after[target].remove(edited.row + 1);
    assert_eq!(row.len(), before[target][0].len());
    assert_eq!(after, before, "something else reads differently");
}

/// The properties would hold of an engine that refuses everything: so it is counted.
#[test]
fn hardly_any_change_is_refused() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = 400;
    let made = (0..cases).filter(|_| {
        let (page, contents) = (made(), vec(content(), 5)).new_tree(&mut runner).unwrap().current();
        let cells = cells_of(&contents, page.columns);
        edit(
            page.text.as_bytes(),
            &Change::Add {
                cells,
                at: Place::Auto,
                key: 0,
            },
        )
        .is_some()
    });
    let made = made.count();
    assert!(made * 100 >= cases * 99, "{made} of {cases}");
}

proptest! {
    // What failed once becomes a test with a name; `PROPTEST_CASES` makes a long run.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_added_and_removed_leaves_the_page_as_it_was(
        page in made(), contents in vec(content(), 5), at in 0..7usize,
    ) {
        add_then_remove(&page, &contents, at);
    }

    #[test]
    fn setting_a_row_changes_the_given_cells_of_that_line_only(
        page in made(), contents in vec(prop::option::of(content()), 5), at in 0..6usize,
    ) {
        let old = page.text.as_bytes();
        let cells: Vec<Option<Cell>> =
            contents.iter().take(page.columns).map(|cell| cell.as_ref().map(|gfm| Cell::from_gfm(gfm).unwrap())).collect();
        if let Some(edited) = edit(old, &Change::Set { row: at, cells: cells.clone() }) {
            assert_outside_unchanged(old, &edited);
            let mut expected = rows(old);
            for (column, cell) in cells.iter().enumerate() {
                if let Some(cell) = cell {
                    expected[at][column] = cell.as_str().to_owned();
                }
            }
            prop_assert_eq!(rows(&edited.page), expected);
            let (mut before, mut after) = (second_reading(old), second_reading(&edited.page));
            prop_assert_eq!(after[page.tables_before].remove(at + 1).len(), before[page.tables_before].remove(at + 1).len());
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn setting_what_is_there_changes_nothing(page in made(), at in 0..6usize) {
        let old = page.text.as_bytes();
        if let Some(row) = rows(old).get(at) {
            let cells = row.iter().map(|gfm| Cell::from_gfm(gfm).ok()).collect();
            if let Some(edited) = edit(old, &Change::Set { row: at, cells }) {
                prop_assert!(edited.is_unchanged());
                prop_assert_eq!(edited.page, old);
            }
        }
    }

    #[test]
    fn peoples_text_reads_back_as_that_text_in_two_parsers(raw in "\\PC{0,40}|([a-c0-9_.+@:/| `-]|mailto:|xmpp:|[a-c]@[a-c][.]de){0,12}|[ -~]{0,40}|[\\[\\]()!<>{}%*_`~|\\\\&;:/.@#$\"'a-c0-9 \t\n-]{0,40}") {
        let untrusted = Untrusted::new(raw);
        assert_reads_as_text(&Cell::text(&untrusted), &untrusted, None);
    }

    #[test]
    fn a_link_reads_back_as_one_link(raw in "\\PC{1,30}|[\\[\\]()!<>{}%*_`~|\\\\&;:/.@#$a-c ]{1,30}", path in "[ -~]{0,30}") {
        let untrusted = Untrusted::new(raw);
        if let Ok(url) = Url::parse("https://gitlab.example/").unwrap().join(&path)
            && url.scheme() == "https" {
            assert_reads_as_text(&Cell::link(&untrusted, &url), &untrusted, Some(&url));
        }
    }

    #[test]
    fn any_content_given_as_gfm_leaves_the_table_a_table(raw in "[ -~]{0,30}|\\PC{0,30}", beside in "[ -~]{0,20}") {
        let page = "## Current CoPs\n\n| a | b |\n| - | - |\n| c | d |\n\nEnd.\n";
        let given = [&raw, &beside].map(|gfm| Cell::from_gfm(gfm));
        if let [Ok(first), Ok(second)] = given
            && let Some(edited) = edit(page.as_bytes(), &Change::Add { cells: vec![first, second], at: Place::End, key: 0 }) {
            assert_second_reading_agrees(page.as_bytes(), &edited, 0);
        }
    }

    #[test]
    fn any_text_is_read_without_panic_and_edits_stay_inside_their_line(raw in "(\\PC|[|\\-:>#*` \t\r\n]){0,80}") {
        let text = format!("## Current CoPs\n\n| a | b |\n|---|---|\n{raw}");
        let old = text.as_bytes();
        if let Ok(page) = Page::parse(old)
            && let Ok(table) = page.table(HEADING, None) {
            for at in 0..=table.row_count() {
                let cells = vec![Cell::words("x"), Cell::words("y")];
                if let Ok(edited) = table.edit(&Change::Add { cells, at: Place::Index(at), key: 0 }) {
                    assert_outside_unchanged(old, &edited);
                    prop_assert_eq!(rows(&edited.page).len(), table.row_count() + 1);
                    prop_assert_eq!(&edit(&edited.page, &Change::Remove { row: edited.row }).unwrap().page, old);
                }
            }
        }
    }
}

/// In a cell between others, both parsers read the text and nothing else (a link, when there is one).
fn assert_reads_as_text(cell: &Cell, raw: &Untrusted, url: Option<&Url>) {
    let page = format!(
        "## Current CoPs\n\n| a | b | c |\n|---|---|---|\n| before | {} | after |\n",
        cell.as_str()
    );
    let expected = convenor_core::escape::TerminalText::line(raw).to_string();
    let (said, cells) = with_table(page.as_bytes(), |table| {
        let row = table.row(0).unwrap();
        (row.said(1), row.cells().len())
    });
    assert_eq!((said.text.as_str(), cells), (expected.as_str(), 3), "{page}");
    let links = usize::from(url.is_some() && !expected.is_empty());
    assert_eq!(said.links.len(), links, "{page}");
    let seen = &tables(&page)[0][1];
    assert_eq!(seen.len(), 3, "{page}");
    assert_eq!(seen[1].text, expected, "{page}");
    // A mail address is written as code, or it would be a link.
    let marked = seen[1].marked && !expected.contains('@');
    assert!(!seen[1].foreign && !marked, "{page}");
    assert_eq!(seen[1].links.len(), links, "{page} {:?}", seen[1].links);
    assert!(!cell.as_str().contains("{{") && !cell.as_str().contains('\n'), "{page}");
}
