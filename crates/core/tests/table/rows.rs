//! How a new or changed line looks, place by place and style by style.

use convenor_core::table::{Cell, Change, Finding, Malformed, Page, Place, Refusal};

fn cells(contents: &[&str]) -> Vec<Cell> {
    contents.iter().map(|gfm| Cell::from_gfm(gfm).unwrap()).collect()
}

fn edited(table: &str, change: &Change) -> Result<String, Refusal> {
    let page = format!("## H\n\n{table}");
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let edited = parsed.table("H", None).unwrap().edit(change)?;
    let text = String::from_utf8(edited.page).unwrap();
    Ok(text.strip_prefix("## H\n\n").unwrap().to_owned())
}

/// The row added at the end looks like this.
#[track_caller]
fn check_added(table: &str, contents: &[&str], expected: &str) {
    let change = Change::Add {
        cells: cells(contents),
        at: Place::End,
        key: 0,
    };
    let after = edited(table, &change).unwrap();
    let new = after
        .lines()
        .filter(|line| !table.lines().any(|old| old == *line))
        .collect::<Vec<_>>();
    assert_eq!(new, [expected]);
}

#[track_caller]
fn check_set(table: &str, row: usize, contents: &[Option<&str>], expected: &str) {
    let cells = contents
        .iter()
        .map(|gfm| gfm.map(|gfm| Cell::from_gfm(gfm).unwrap()))
        .collect();
    assert_eq!(edited(table, &Change::Set { row, cells }).unwrap(), expected);
}

/// The row is put before the row of this number.
#[track_caller]
fn check_place(names: &[&str], new: &str, at: Place, expected: usize) {
    let rows: String = names.iter().map(|name| format!("| {name} | x |\n")).collect();
    let page = format!("## H\n\n| a | b |\n|---|---|\n{rows}");
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let change = Change::Add {
        cells: cells(&[new, "y"]),
        at,
        key: 0,
    };
    assert_eq!(parsed.table("H", None).unwrap().edit(&change).unwrap().row, expected);
}

#[test]
fn a_spaced_row_follows_spaced_rows() {
    check_added("| a | b |\n| --- | --- |\n| 1 | 2 |\n", &["x", "y"], "| x | y |");
    check_added("|a|b|\n|---|---|\n|1|2|\n", &["x", "y"], "|x|y|");
    check_added(
        "|  a  |  b  |\n|---|---|\n|  1  |  2  |\n",
        &["x", "y"],
        "|  x  |  y  |",
    );
    check_added("a|b\n-|-\n1|2\n", &["x", "y"], "x|y");
    check_added("a | b\n- | -\n1 | 2\n", &["x", "y"], "x | y");
    check_added("| a | b\n| - | -\n| 1 | 2\n", &["x", "y"], "| x | y");
}

#[test]
fn a_padded_column_is_padded_and_an_overlong_cell_has_its_blanks() {
    let table = "| Name  | Role |\n| ----- | ---- |\n| Anna  | x    |\n| Bert  | y    |\n";
    check_added(table, &["Cy", "z"], "| Cy    | z    |");
    check_added(table, &["Ümi", ""], "| Ümi   |      |");
    check_added(table, &["Christopher", "z"], "| Christopher | z    |");
    check_added(
        "Name  | Role\n------|-----\nAnna  | x\nBert  | y\n",
        &["Cy", "z"],
        "Cy    | z",
    );
}

#[test]
fn padding_follows_the_alignment_and_the_width_on_the_screen() {
    let table =
        "| Name  | Count |  Mid  |\n| ----- | ----: | :---: |\n| Anna  |    12 |   a   |\n| Bert  |     3 |   b   |\n";
    check_added(table, &["Cy", "7", "cc"], "| Cy    |     7 |  cc   |");
    let wide = "| 名前     | x   |\n| -------- | --- |\n| 佐藤花子 | a   |\n| 鈴木     | b   |\n";
    check_added(wide, &["李", "c"], "| 李       | c   |");
}

#[test]
fn rows_that_outgrew_an_old_padding_are_followed_not_the_header() {
    let table = "| Name | Role |\n| ---- | ---- |\n| a | b |\n| c | d |\n";
    check_added(table, &["x", "y"], "| x | y |");
}

#[test]
fn quotes_and_lists_keep_their_marks() {
    check_added("> | a | b |\n> | - | - |\n> | 1 | 2 |\n", &["x", "y"], "> | x | y |");
    check_added("- | a | b |\n  | - | - |\n", &["x", "y"], "  | x | y |");
}

#[test]
fn a_page_without_last_line_break_stays_without() {
    let change = Change::Add {
        cells: cells(&["x", "y"]),
        at: Place::End,
        key: 0,
    };
    assert_eq!(
        edited("|a|b|\r\n|-|-|\r\n|1|2|", &change).unwrap(),
        "|a|b|\r\n|-|-|\r\n|1|2|\r\n|x|y|"
    );
    let change = Change::Remove { row: 0 };
    assert_eq!(edited("|a|b|\r\n|-|-|\r\n|1|2|", &change).unwrap(), "|a|b|\r\n|-|-|");
}

#[test]
fn text_right_under_the_table_stays_last() {
    check_added("| a | b |\n| - | - |\n| 1 | 2 |\n:::\n", &["x", "y"], "| x | y |");
    let change = Change::Add {
        cells: cells(&["x", "y"]),
        at: Place::End,
        key: 0,
    };
    let after = edited("| a | b |\n| - | - |\n| 1 | 2 |\n:::\n", &change).unwrap();
    assert_eq!(after, "| a | b |\n| - | - |\n| 1 | 2 |\n| x | y |\n:::\n");
}

#[test]
fn content_that_means_something_at_the_begin_of_a_line_gets_its_pipes() {
    check_added("a | b\n--- | ---\n1 | 2\n", &["# x", "y"], "| # x | y |");
    check_added("a | b\n--- | ---\n1 | 2\n", &["", "y"], "| | y |");
    check_set(
        "a | b\n--- | ---\n1 | 2\n",
        0,
        &[Some("- x"), None],
        "a | b\n--- | ---\n| - x | 2\n",
    );
    check_set(
        "a | b\n--- | ---\n1 | 2\n",
        0,
        &[Some(""), None],
        "a | b\n--- | ---\n| | 2\n",
    );
}

#[test]
fn cells_that_stay_keep_their_bytes() {
    let table = "| a | b | c |\n|---|---|---|\n|one |  **two**|three   |\n";
    check_set(
        table,
        0,
        &[None, Some("2"), None],
        "| a | b | c |\n|---|---|---|\n|one |  2|three   |\n",
    );
    check_set(
        table,
        0,
        &[None, None, Some("3")],
        "| a | b | c |\n|---|---|---|\n|one |  **two**|3       |\n",
    );
}

#[test]
fn a_short_row_gets_the_cells_it_needs() {
    let table = "| a | b | c |\n|---|---|---|\n| 1 |\n";
    check_set(
        table,
        0,
        &[None, Some("2"), None],
        "| a | b | c |\n|---|---|---|\n| 1 | 2 |\n",
    );
    check_set(
        table,
        0,
        &[None, None, Some("3")],
        "| a | b | c |\n|---|---|---|\n| 1 | | 3 |\n",
    );
    check_set(table, 0, &[None, Some(""), Some("")], table);
}

#[test]
fn what_a_long_row_hides_stays_hidden() {
    let table = "| a | b |\n|---|---|\n| 1 | 2 | hidden |\n";
    check_set(
        table,
        0,
        &[Some("x"), None],
        "| a | b |\n|---|---|\n| x | 2 | hidden |\n",
    );
}

#[test]
fn sorting_is_what_people_call_sorting() {
    check_place(&["Agile", "containers", "DevOps"], "Cloud", Place::Auto, 1);
    check_place(&["Agile", "Élan", "The Factory", "Git"], "Ember", Place::Auto, 2);
    check_place(
        &["[Zeta](https://a.example)", "**[Eta](https://b.example)**"],
        "Theta",
        Place::Auto,
        2,
    );
    check_place(
        &["[Agile](https://z.example)", "[Zeta](https://a.example)"],
        "Eta",
        Place::Auto,
        1,
    );
    check_place(&["Agile", "Agile", "Zeta"], "Agile", Place::Auto, 2);
    check_place(&[], "Eta", Place::Auto, 0);
}

#[test]
fn an_unsorted_table_gets_the_row_at_its_end_unless_told_otherwise() {
    check_place(&["Zeta", "Agile", "Mid"], "Beta", Place::Auto, 3);
    check_place(&["Agile", "Zeta", "Mid", "Next"], "Beta", Place::Sorted, 1);
    check_place(&["Agile", "Zeta"], "Beta", Place::End, 2);
}

#[test]
fn malformed_rows_say_nothing_about_the_order() {
    check_place(&["Agile", "Zulu]", "Containers", "Zeta"], "Beta", Place::Auto, 1);
}

#[track_caller]
fn check_refused(table: &str, change: &Change, expected: &Refusal) {
    assert_eq!(edited(table, change).unwrap_err(), *expected);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let table = "| a | b |\n|---|---|\n| 1 | 2 |\n:::\n";
    let short = Change::Add {
        cells: cells(&["x"]),
        at: Place::End,
        key: 0,
    };
    let header = vec!["a".to_owned(), "b".to_owned()];
    check_refused(
        table,
        &short,
        &Refusal::CellCount {
            found: 1,
            expected: 2,
            header,
        },
    );
    check_refused(
        table,
        &Change::Remove { row: 2 },
        &Refusal::NoSuchRow { row: 2, rows: 2 },
    );
    let far = Change::Add {
        cells: cells(&["x", "y"]),
        at: Place::Index(3),
        key: 0,
    };
    check_refused(table, &far, &Refusal::NoSuchPlace { at: 3, rows: 2 });
    let text = Refusal::MalformedRow {
        row: 1,
        line: 6,
        reason: Malformed::Text,
    };
    check_refused(table, &Change::Remove { row: 1 }, &text);
}

#[track_caller]
fn check_found(page: &str, expected: &Result<usize, Finding>) {
    let parsed = Page::parse(page.as_bytes()).unwrap();
    assert_eq!(parsed.table("H", None).map(|table| table.line()), *expected);
}

#[test]
fn only_a_heading_of_that_text_counts() {
    const TABLE: &str = "| a |\n|---|\n";
    check_found(&format!("## H\n\n{TABLE}"), &Ok(3));
    check_found(&format!("H\n=\n\n{TABLE}"), &Ok(4));
    check_found(&format!("#### **H** {{#anchor}}\n\n{TABLE}"), &Ok(3));
    check_found(&format!("```\n# H\n```\n\n<!--\n# H\n-->\n\n# H\n\n{TABLE}"), &Ok(11));
    check_found(
        &format!("{{{{< comment >}}}}\n# H\n{{{{< /comment >}}}}\n\n# H\n\n{TABLE}"),
        &Ok(7),
    );
    check_found(&format!("> # H\n\n# H\n\n{TABLE}").replace("> # H", "> # G"), &Ok(5));
    check_found(
        &format!("# h\n\n{TABLE}"),
        &Err(Finding::NoHeading {
            wanted: "H".into(),
            near: vec!["h".into()],
        }),
    );
    check_found(
        &format!("# H\n\n{TABLE}\n## H\n\n{TABLE}"),
        &Err(Finding::DoubledHeading {
            heading: "H".into(),
            lines: vec![1, 6],
        }),
    );
}

#[test]
fn only_a_table_directly_under_the_heading_counts() {
    let elsewhere = vec!["Other".to_owned()];
    check_found(
        "# H\n\n## Other\n\n| a |\n|---|\n",
        &Err(Finding::NoTable {
            heading: "H".into(),
            line: 1,
            elsewhere,
        }),
    );
    check_found(
        "# H\n\n| a |\n|-*-|\n\n```\n| a |\n|---|\n```\n\n| b |\n|---|\n",
        &Ok(11),
    );
    check_found("# H\n\n> # Quoted\n\n| b |\n|---|\n", &Ok(5));
}

#[test]
fn two_tables_with_one_header_are_two_candidates() {
    let found = |page: &str| Page::parse(page.as_bytes()).unwrap().only_candidate("H");
    let doubled = found("# H\n\n| a |\n|---|\n\nText.\n\n| a |\n|---|\n");
    assert_eq!(
        doubled,
        Err(Finding::TwoCandidates {
            heading: "H".into(),
            lines: vec![3, 8]
        })
    );
    assert_eq!(found("# H\n\n| a |\n|---|\n\nText.\n\n| b |\n|---|\n"), Ok(()));
}

#[test]
fn a_page_that_is_not_utf_8_is_a_finding() {
    assert_eq!(Page::parse(b"# H\n\xff").unwrap_err(), Finding::NotUtf8 { line: 2 });
}

#[track_caller]
fn check_repaired(row: &str, expected: Option<&str>) {
    let page = format!("## H\n\n| a | b |\n|---|---|\n{row}\n");
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let mended = parsed.table("H", None).unwrap().repair(0);
    assert_eq!(mended.ok().and_then(|edited| edited.after).as_deref(), expected);
}

#[test]
fn a_malformed_row_is_mended_when_asked_and_only_where_the_mend_is_certain() {
    check_repaired(
        "| Defending against GitHub]| @x |",
        Some("| Defending against GitHub| @x |"),
    );
    check_repaired("| [Agile | @x |", Some("| Agile | @x |"));
    check_repaired("| Agile |", Some("| Agile | |"));
    check_repaired("Agile | @x |", Some("| Agile | @x |"));
    check_repaired("| Agile | @x |", Some("| Agile | @x |"));
    check_repaired("| a | b | c |", None);
    check_repaired("| [a](b c | d |", None);
    check_repaired("text", None);
}
