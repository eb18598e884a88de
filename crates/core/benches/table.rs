//! How long one edit of a very large page takes: 10,000 rows, parsed anew for each edit.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::fmt::Write as _;
use std::hint::black_box;

use convenor_core::table::{Cell, Change, Page, Place};
use criterion::{Criterion, criterion_group, criterion_main};

const ROWS: usize = 10_000;

fn page() -> String {
    let mut page = String::from("# Page\n\n## Current CoPs\n\n| Subject | Facilitator |\n| --- | --- |\n");
    for n in 0..ROWS {
        let _ = writeln!(
            page,
            "| [Community {n:05}](https://gitlab.example/cop/c{n}) | [Person {n} (@p{n})](https://gitlab.example/p{n}) |"
        );
    }
    page
}

fn cells() -> Vec<Cell> {
    ["[Community 05000 and a half](https://gitlab.example/cop/half)", "TBD"]
        .map(|gfm| Cell::from_gfm(gfm).unwrap())
        .to_vec()
}

fn edits(c: &mut Criterion) {
    let text = page();
    let changes = [
        (
            "add sorted",
            Change::Add {
                cells: cells(),
                at: Place::Auto,
                key: 0,
            },
        ),
        (
            "add at the end",
            Change::Add {
                cells: cells(),
                at: Place::End,
                key: 0,
            },
        ),
        (
            "set",
            Change::Set {
                row: ROWS / 2,
                cells: cells().into_iter().map(Some).collect(),
            },
        ),
        ("remove", Change::Remove { row: ROWS / 2 }),
    ];
    let mut group = c.benchmark_group("10,000 rows, parse and edit");
    for (name, change) in changes {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let parsed = Page::parse(black_box(text.as_bytes())).unwrap();
                parsed.table("Current CoPs", None).unwrap().edit(&change).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, edits);
criterion_main!(benches);
