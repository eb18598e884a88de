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
fn dashes_drawn_for_the_cells_are_a_padding() {
    check_added("| Name | Role |\n| ---- | ---- |\n", &["Cy", "z"], "| Cy   | z    |");
    check_added(
        "| `a`  | b |\n| ---- | --- |\n| wide | c |\n",
        &["x", "y"],
        "| x    | y |",
    );
    check_added("| a | b |\n|---|---|\n", &["x", "y"], "| x | y |");
}

#[test]
fn rows_right_beside_are_followed_where_a_table_was_padded_twice() {
    let block = |width: usize| {
        let row = |name: &str| format!("| {name:width$} | x |\n");
        ["Anna", "Bert", "Cy"].map(row).concat()
    };
    let table = format!("| Name | Role |\n| --- | --- |\n{}{}", block(14), block(9));
    check_added(&table, &["Di", "y"], "| Di        | y |");
}

#[test]
fn a_blank_too_many_is_a_slip_but_a_column_of_them_is_a_manner() {
    let slips = "| Name | Role |\n| --- | --- |\n| [Anna](https://a.example)  | x |\n| [Bert](https://b.example)  | y |\n| Cy | z |\n";
    check_added(slips, &["Di", "y"], "| Di | y |");
    let manner =
        "| Name | Role |\n| --- | --- |\n| Anna  | x |\n| Bertram  | yes |\n| Cyril  | z |\n| Didier  | no |\n";
    check_added(manner, &["Emilia", "y"], "| Emilia  | y |");
}

#[test]
fn empty_cells_and_blanks_after_the_row_are_like_the_neighbours() {
    check_added(
        "| a | b |\n|---|---|\n| x |  |\n| y |  |\n| z | |\n",
        &["w", ""],
        "| w |  |",
    );
    check_added(
        "| a | b |\n|---|---|\n| x | 1 |  \n| y | 2 |  \n",
        &["z", "3"],
        "| z | 3 |  ",
    );
    check_added(
        "| a | b |\n|---|---|\n| x | 1 |  \n| y | 2 |\n",
        &["z", "3"],
        "| z | 3 |",
    );
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
fn every_kind_of_line_break_is_kept() {
    let change = Change::Add {
        cells: cells(&["x", "y"]),
        at: Place::Index(0),
        key: 0,
    };
    for end in ["\n", "\r\n", "\r"] {
        let page = "# H\n\n|a|b|\n|-|-|\n|1|2|\n".replace('\n', end);
        let parsed = Page::parse(page.as_bytes()).unwrap();
        let edited = parsed.table("H", None).unwrap().edit(&change).unwrap();
        let expected = "# H\n\n|a|b|\n|-|-|\n|x|y|\n|1|2|\n".replace('\n', end);
        assert_eq!((String::from_utf8(edited.page).unwrap(), edited.line), (expected, 5));
    }
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
fn emoji_numbers_case_and_scripts_are_sorted_as_people_sort_them() {
    check_place(
        &["\u{1f980} Agile", "\u{1f680} DevOps", "\u{2728} Zeta"],
        "\u{1f389} Kites",
        Place::Auto,
        2,
    );
    check_place(&["Team 1", "Team 2", "Team 10"], "Team 9", Place::Auto, 2);
    check_place(
        &["Agile", "C++", "devops", "\u{d8}ystein", "Zeta"],
        "Paint",
        Place::Auto,
        4,
    );
    check_place(&["Zeta", "agile", "devops"], "beta", Place::Auto, 2);
    check_place(
        &["\u{410}\u{431}", "\u{412}\u{433}", "\u{42f}"],
        "\u{411}",
        Place::Auto,
        1,
    );
    check_place(&["Zeta", "Kites", "Agile"], "DevOps", Place::Auto, 2);
    check_place(&["Zeta", "Agile"], "DevOps", Place::Auto, 2);
}

#[test]
fn inactive_rows_at_the_end_are_sorted_by_themselves() {
    let rows = ["Agile", "Zeta", "Beta (inactive)", "Kites (inactive)"];
    check_place(&rows, "DevOps", Place::Auto, 1);
    check_place(&rows, "Zoo", Place::Auto, 2);
    check_place(&rows, "DevOps (inactive)", Place::Auto, 3);
    check_place(&["Agile", "Beta (inactive)", "Zeta", "Mid"], "DevOps", Place::Auto, 4);
}

#[test]
fn a_group_of_rows_is_a_table_of_its_own_when_sorting_is_asked_for() {
    let rows = [
        "SIG Apps",
        "SIG Storage",
        "WG Batch",
        "WG Node",
        "Committee A",
        "Committee B",
    ];
    check_place(&rows, "WG Data", Place::Sorted, 3);
    check_place(&rows, "WG Zeta", Place::Sorted, 4);
    check_place(&rows, "SIG UI", Place::Sorted, 2);
    check_place(&rows, "WG Data", Place::Auto, 6);
}

#[test]
fn an_unsorted_table_gets_the_row_at_its_end_unless_told_otherwise() {
    check_place(&["Zeta", "Agile", "Mid"], "Beta", Place::Auto, 3);
    check_place(&["Agile", "Zeta", "Mid", "Next"], "Beta", Place::Sorted, 1);
    check_place(&["Agile", "Zeta", "Mid", "Next"], "Beta", Place::Auto, 4);
    check_place(
        &["Zeta", "Mid", "Kites", "Next", "Agile", "Delta"],
        "Beta",
        Place::Sorted,
        6,
    );
    check_place(&["Agile", "Zeta"], "Beta", Place::End, 2);
}

#[test]
fn a_long_table_with_a_stray_row_is_sorted_for_people() {
    let letters = "abcdefghijkl";
    let mut names: Vec<String> = letters.chars().map(|c| format!("{c}{c}")).collect();
    let stray = names.remove(2);
    names.push(stray);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check_place(&names, "fz", Place::Auto, 5);
    check_place(&names[..5], "fz", Place::Auto, 5);
    check_place(&["b", "a", "c", "d", "e"], "bz", Place::Auto, 5);
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
