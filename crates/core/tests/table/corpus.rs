//! The table engine on real pages and real edits by people. They are not part of the project: without the folder
//! `../shared/corpus` beside the workspace these tests say so and pass.

use std::path::{Path, PathBuf};

use convenor_core::table::{Cell, Change, Edited, Finding, Page, Place, Table};
use serde_json::Value;

fn corpus(part: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(part);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there", folder.display());
    None
}

/// Every sample page with its entry in the index.
fn pages() -> Vec<(Value, Vec<u8>)> {
    let Some(folder) = corpus("tables") else {
        return Vec::new();
    };
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let read = |entry: &Value| {
        let name = entry["file"].as_str().unwrap().trim_start_matches("tables/");
        (entry.clone(), std::fs::read(folder.join(name)).unwrap())
    };
    index.as_array().unwrap().iter().map(read).collect()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// The target of an index entry; `None` when its heading is doubled, which is for a person to mend.
fn target<'p>(page: &'p Page<'p>, entry: &Value) -> Option<Table<'p>> {
    let target = &entry["target"];
    let heading = target["heading"].as_str().unwrap_or_default();
    match page.table(heading, Some(number(&target["nth_table_under_heading"]))) {
        Ok(table) => Some(table),
        Err(Finding::DoubledHeading { lines, .. }) => {
            assert!(lines.contains(&number(&target["heading_line"])));
            None
        }
        Err(other) => panic!("{}: {other}", entry["file"]),
    }
}

#[test]
fn the_target_is_found_where_the_index_says() {
    for (entry, bytes) in pages() {
        let page = Page::parse(&bytes).unwrap();
        if entry["target"].is_null() {
            assert_eq!(page.table_count(), 0, "{}", entry["file"]);
            continue;
        }
        assert_eq!(page.table_count(), number(&entry["tables_total"]), "{}", entry["file"]);
        let Some(table) = target(&page, &entry) else { continue };
        let expected = &entry["target"];
        assert_eq!(table.line(), number(&expected["first_line"]), "{}", entry["file"]);
        assert_eq!(table.row_count(), number(&entry["rows"]), "{}", entry["file"]);
        let header: Vec<String> = texts(&expected["header"]).into_iter().map(str::to_owned).collect();
        assert_eq!(table.header(), header, "{}", entry["file"]);
        let first: Vec<String> = table.rows().map(|row| row.cells()[0].replace("\\|", "|")).collect();
        assert_eq!(first, texts(&expected["first_cells"]), "{}", entry["file"]);
        let last = table.line() + 1 + table.row_count();
        assert_eq!(last, number(&expected["last_line"]), "{}", entry["file"]);
    }
}

fn cells(count: usize) -> Vec<Cell> {
    (0..count)
        .map(|n| Cell::from_gfm(&format!("new [cell](https://example.com/{n})")).unwrap())
        .collect()
}

/// The edited page differs from the old one in one line only, which stands before line `line` (from 1).
fn assert_only_line_added(before: &[u8], edited: &Edited, what: &str) {
    let common = before.iter().zip(&edited.page).take_while(|(a, b)| a == b).count();
    let added = edited.page.len() - before.len();
    let tail = &edited.page[edited.page.len() - (before.len() - common)..];
    assert_eq!(&before[common..], tail, "{what}");
    let line = edited.after.as_ref().unwrap();
    assert!((1..=2).contains(&(added - line.len())), "{what}");
}

#[test]
fn a_row_is_added_at_every_place_and_taken_away_again() {
    for (entry, bytes) in pages() {
        let page = Page::parse(&bytes).unwrap();
        if entry["target"].is_null() {
            continue;
        }
        let Some(table) = target(&page, &entry) else { continue };
        let places = (0..=table.row_count())
            .map(Place::Index)
            .chain([Place::End, Place::Auto, Place::Sorted]);
        for at in places {
            let what = format!("{} {at:?}", entry["file"]);
            let edited = match table.edit(&Change::Add {
                cells: cells(table.columns()),
                at,
                key: 0,
            }) {
                Ok(edited) => edited,
                Err(refusal) => {
                    eprintln!("{what}: {refusal}");
                    continue;
                }
            };
            assert_only_line_added(&bytes, &edited, &what);
            if at == Place::End {
                let last = entry["target"]
                    .get("last_pipe_line")
                    .unwrap_or(&entry["target"]["last_line"]);
                assert_eq!(edited.line, number(last) + 1, "{what}");
            }
            let page = Page::parse(&edited.page).unwrap();
            let again = target(&page, &entry).unwrap();
            assert_eq!(again.row_count(), table.row_count() + 1, "{what}");
            let removed = again.edit(&Change::Remove { row: edited.row }).unwrap();
            assert_eq!(removed.page, bytes, "{what}");
        }
    }
}

fn given(value: &Value) -> Vec<Cell> {
    texts(value)
        .into_iter()
        .map(|text| Cell::from_gfm(text).unwrap())
        .collect()
}

fn apply(page: &[u8], entry: &Value, change: impl Fn(&Table<'_>) -> Change) -> Vec<u8> {
    let parsed = Page::parse(page).unwrap();
    let nth = number(&entry["nth_table_under_heading"]);
    let table = parsed.table(entry["heading"].as_str().unwrap(), Some(nth)).unwrap();
    table.edit(&change(&table)).unwrap().page
}

fn add(page: &[u8], entry: &Value, at: usize, row: &Value) -> Vec<u8> {
    apply(page, entry, |_| Change::Add {
        cells: given(row),
        at: Place::Index(at),
        key: 0,
    })
}

/// Makes a person's change with our means.
fn replay(entry: &Value) -> Vec<u8> {
    let change = &entry["change"];
    let at = number(&change["at"]);
    let rows = change["cells"].as_array().unwrap();
    let before = entry["before"].as_str().unwrap().as_bytes().to_vec();
    match change["kind"].as_str().unwrap() {
        "add" => rows
            .iter()
            .enumerate()
            .fold(before, |page, (n, row)| add(&page, entry, at + n, row)),
        "change" => rows.iter().enumerate().fold(before, |page, (n, row)| {
            apply(&page, entry, |_| Change::Set {
                row: at + n,
                cells: given(row).into_iter().map(Some).collect(),
            })
        }),
        "remove" => rows
            .iter()
            .fold(before, |page, _| apply(&page, entry, |_| Change::Remove { row: at })),
        "move" => {
            let page = apply(&before, entry, |_| Change::Remove { row: at });
            add(&page, entry, number(&change["to"]), &rows[0])
        }
        other => panic!("an unknown kind of change: {other}"),
    }
}

#[test]
fn peoples_own_edits_come_out_byte_for_byte() {
    let Some(folder) = corpus("edits") else { return };
    let (mut same, mut all) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let entry: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let ours = replay(&entry);
        let equal = ours == entry["after"].as_str().unwrap().as_bytes();
        all += 1;
        same += usize::from(equal);
        let minimal = entry["human_diff"]["minimal"].as_bool().unwrap();
        if !equal {
            eprintln!(
                "{}: differs from the person's edit (minimal: {minimal})",
                path.display()
            );
        }
        assert!(
            equal || !minimal,
            "{}: a person's one-line edit is not reproduced",
            path.display()
        );
    }
    eprintln!("{same} of {all} edits by people are reproduced byte for byte");
}

/// A row taken out and written anew at its place, when it can be.
fn written_anew(table: &Table<'_>, entry: &Value, row: usize) -> Option<Vec<u8>> {
    let contents: Vec<String> = table.row(row)?.cells().into_iter().map(str::to_owned).collect();
    let cells: Vec<Cell> = contents
        .iter()
        .map(|gfm| Cell::from_gfm(gfm).ok())
        .collect::<Option<_>>()?;
    let without = table.edit(&Change::Remove { row }).ok()?.page;
    let page = Page::parse(&without).ok()?;
    let at = Place::Index(row);
    let edited = target(&page, entry)?.edit(&Change::Add { cells, at, key: 0 });
    Some(edited.ok()?.page)
}

/// How well the style of neighbours is followed: more than this cannot be had, for many rows are like none of their neighbours.
#[test]
fn most_rows_of_real_pages_are_written_as_people_wrote_them() {
    let (mut same, mut all) = (0, 0);
    for (entry, bytes) in pages() {
        let page = Page::parse(&bytes).unwrap();
        let Some(table) = (!entry["target"].is_null()).then(|| target(&page, &entry)).flatten() else {
            continue;
        };
        for row in 0..table.row_count() {
            let anew = written_anew(&table, &entry, row);
            all += 1;
            same += usize::from(anew.as_deref() == Some(&bytes[..]));
        }
    }
    eprintln!("{same} of {all} rows of real pages come back byte for byte");
    assert!(same * 100 >= all * 80);
}
