//! Pages as they really are: whatever stands around the table, it is found, read alike by two parsers, and nothing else moves.

use convenor_core::table::{Cell, Change, Finding, Page, Place, RowFinding};

use crate::second_parser::tables;

/// The table of these pages, in a page where it stands on its own.
const TABLE: &str = "| Name | Who |\n| --- | --- |\n| Agile | @ann |\n| Zeta | @bob |\n";

/// The line of the table's header, after an edit was made and taken back and a second parser has seen the same.
#[track_caller]
fn line_of_table(page: &str) -> Result<usize, Finding> {
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let table = parsed.table("H", None)?;
    let cells: Vec<Cell> = (0..table.columns()).map(|_| Cell::words("new")).collect();
    let change = Change::Add {
        cells,
        at: Place::Auto,
        key: 0,
    };
    let edited = table.edit(&change).unwrap();
    let text = String::from_utf8(edited.page.clone()).unwrap();
    let again = Page::parse(&edited.page).unwrap();
    let again = again.table("H", None).unwrap();
    assert_eq!(again.row_count(), table.row_count() + 1, "{text}");
    let back = again.edit(&Change::Remove { row: edited.row }).unwrap();
    assert_eq!(back.page, page.as_bytes(), "{text}");
    let (before, mut after) = (tables(page), tables(&text));
    let with_new = after
        .iter_mut()
        .find(|table| table.iter().any(|row| row.iter().all(|cell| cell.text == "new")));
    with_new
        .unwrap_or_else(|| panic!("the second parser sees no new row: {text}"))
        .retain(|row| row.iter().any(|cell| cell.text != "new"));
    assert_eq!(before, after, "{text}");
    Ok(table.line())
}

#[track_caller]
fn check(page: &str, line: usize) {
    assert_eq!(line_of_table(page), Ok(line), "{page}");
}

/// Under a line of this heading the table is found.
#[track_caller]
fn check_heading(heading: &str) {
    let page = format!("{heading}\n\n{TABLE}");
    let line = heading.lines().count() + 2;
    check(&page, line);
}

#[test]
fn a_heading_counts_by_what_its_reader_sees() {
    for heading in [
        "# H",
        "###### H",
        "   ## H",
        "## H ##",
        "##\tH\t#",
        "## H   ",
        "H\n===",
        "H  \n-",
        "## *H*",
        "## **H**",
        "## __H__",
        "## `H`",
        "## [H](https://example.org/a_(b))",
        "## [H][ref]\n\n[ref]: https://example.org",
        "## ![an icon](/i.png) H",
        "## <a name=\"h\"></a>H",
        "## <span id='h'>H</span>",
        "## H {#anchor}",
        "## H {#anchor .class}",
        "## &#72;",
        "## \\H",
        "## H\u{a0}",
        "## \u{200b}H\u{feff}",
    ] {
        let heading = heading.replace("\\H", "H");
        check_heading(&heading);
    }
    let composed = "## Caf\u{e9}\n\n| a |\n|---|\n";
    let page = Page::parse(composed.as_bytes()).unwrap();
    assert!(page.table("Cafe\u{301}", None).is_ok());
}

#[test]
fn what_only_looks_like_a_heading_is_none() {
    for decoy in [
        "```\n# H\n```",
        "~~~~md\n# H\n~~~\n# H\n~~~~",
        "    # H",
        "\t# H",
        "<!--\n# H\n-->",
        "<!-- a -->\n<!--\n\n# H\n\n-->",
        "<pre>\n# H\n</pre>",
        "<script>\n\n# H\n\n</script>",
        "<div>\n# H\n</div>",
        "{{< highlight md >}}\n# H\n{{< /highlight >}}",
        "{{% comment %}}\n# H\n{{% /comment %}}",
        "{{/* \n# H\n */}}",
        "\\# H",
        "#H",
        "####### H",
        "`# H`",
        "- ```\n  # H\n  ```",
        "> ```\n> # H\n> ```",
        "[H]: https://example.org",
        "text\n    # H",
    ] {
        let page = format!("{decoy}\n\n# H\n\n{TABLE}");
        check(&page, decoy.lines().count() + 4);
    }
    for matter in [
        "---\ntitle: \"# H\"\n# H\n---",
        "+++\ntitle = 1\n# H\n+++",
        ";;;\n# H\n;;;",
    ] {
        let page = format!("{matter}\n\n# H\n\n{TABLE}");
        let parsed = Page::parse(page.as_bytes()).unwrap();
        assert_eq!(
            parsed.table("H", None).unwrap().line(),
            matter.lines().count() + 4,
            "{page}"
        );
        assert_eq!(parsed.headings().len(), 1);
    }
}

#[test]
fn the_table_is_found_after_anything_that_is_no_table() {
    for between in [
        "Text.",
        "Text with | a pipe\nand | another",
        "{{< panel header=\"a | b\" >}}",
        "{{% alert title=\"| a | b |\" %}}\nText\n{{% /alert %}}",
        "<!-- | a | b |\n|---|---|\n| c | d | -->",
        "```\n| a | b |\n|---|---|\n```",
        "    | a | b |\n    |---|---|",
        "<details>\n<summary>More | less</summary>\n\nText\n\n</details>",
        "<table><tr><td>a | b</td></tr></table>",
        "- item | with\n- --- | ---",
        "1. a\n2. b",
        "> quote | with pipe",
        "![image](/a.png \"a | b\")",
        "[^1]: A | footnote.",
        "[ref]: https://example.org \"a | b\"",
        "| a | b |\n| --- |",
        "---",
        "***",
        "$$\na | b\n$$",
    ] {
        let page = format!("# H\n\n{between}\n\n{TABLE}\nAfter [ref][ref] and[^1] | pipes.\n");
        check(&page, between.lines().count() + 4);
    }
}

#[test]
fn the_table_is_found_in_what_contains_it() {
    let quoted = TABLE.replace('|', "> |").replace("> |\n", "|\n");
    let quote: String = TABLE.lines().map(|line| format!("> {line}\n")).collect();
    let lazy: String = TABLE.lines().map(|line| format!(">{line}\n")).collect();
    let item: String = TABLE.lines().map(|line| format!("  {line}\n")).collect();
    let ordered: String = TABLE.lines().map(|line| format!("   {line}\n")).collect();
    let nested: String = TABLE.lines().map(|line| format!(">   {line}\n")).collect();
    assert_ne!(quoted, quote);
    check(&format!("# H\n\n{quote}"), 3);
    check(&format!("# H\n\n{lazy}\nAfter\n"), 3);
    check(&format!("# H\n\n- Item:\n\n{item}- Next\n"), 5);
    check(&format!("# H\n\n1. Item:\n\n{ordered}\n2. Next\n"), 5);
    check(&format!("# H\n\n> - Item:\n>\n{nested}> - Next\n"), 5);
    check(
        &format!("# H\n\n<details>\n<summary>S</summary>\n\n{TABLE}\n</details>\n"),
        6,
    );
    check(&format!("# H\n\n<!-- prettier-ignore -->\n{TABLE}"), 4);
    check(&format!("# H\n\n{{{{< panel >}}}}\n\n{TABLE}\n{{{{< /panel >}}}}\n"), 5);
    check(&format!("# H\n{TABLE}"), 2);
}

#[test]
fn line_ends_and_marks_of_the_file_stay() {
    for (from, to) in [
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("|\n| Zeta", "|\r\n| Zeta"),
        ("| @ann |\n", "| @ann |  \n"),
    ] {
        check(&format!("# H\n\n{TABLE}\nAfter\n").replace(from, to), 3);
        check(&format!("\u{feff}# H\n\n{TABLE}").replace(from, to), 3);
        check(format!("# H\n\n{TABLE}").replace(from, to).trim_end(), 3);
    }
    check(&format!("# H\n\n{}", TABLE.replace(" |", "\t|")), 3);
    check(
        &format!(
            "# H\n\n{}",
            TABLE.replace("Agile", "\u{a0}A\u{200b}gi\u{301}le \u{1f980}")
        ),
        3,
    );
    check("# H\n\n| 名前 | 誰 |\n| ---- | --- |\n| ｱｼﾞｬｲﾙ  | e\u{301}  |\n", 3);
    check("# H\n\n| a |\n|---|", 3);
    check("# H\n\n| a | b |\n|:-:|--:|", 3);
    check("# H\n\na | b\n-|-\n1 | 2", 3);
}

#[test]
fn rows_of_any_shape_stay_as_they_are() {
    for rows in [
        "| a \\| b | c |",
        "| `a \\| b` | c |",
        "| a \\\\| b |",
        "| <a href=\"x\">y</a> | z |",
        "| a | b | c | d |",
        "| a |",
        "a | b",
        "a",
        "|",
        "| | |",
        "||",
        "| [a](b \"c\\|d\") | ![i](/i.png) |",
        "| [a][ref] | [^1] |",
        "| https://example.org | <https://example.org> |",
        "| {{< x \"a\" >}} | {{% y %}} |",
        "| Defending against GitHub]| x |",
        "| \u{a0} | \u{3000} |",
        "   | a | b |",
        "| &vert; | &#124; |",
        "| $a$ | ~~b~~ |",
        "| \\ | \\ |",
    ] {
        check(
            &format!("# H\n\n| Name | Who |\n| --- | --- |\n| 1 | 2 |\n{rows}\n| 3 | 4 |\n\nAfter.\n"),
            3,
        );
    }
}

#[test]
fn content_with_any_white_space_around_it_can_be_written() {
    let page = Page::parse(b"# H\n\n| a | b |\n|---|---|\n").unwrap();
    let table = page.table("H", None).unwrap();
    for content in ["\u{a0}x\u{a0}", "\u{3000}x", " x ", "\tx", "x\u{2003}", "\u{feff}x"] {
        let cells = vec![Cell::from_gfm(content).unwrap(), Cell::empty()];
        let at = Place::End;
        assert!(table.edit(&Change::Add { cells, at, key: 0 }).is_ok(), "{content:?}");
    }
}

#[test]
fn a_doubled_heading_is_a_finding_however_it_is_written() {
    for second in ["# H", "H\n=", "#### **H**", "> # H", "- # H", "## \u{200b}H"] {
        let page = format!("# H\n\n{TABLE}\n{second}\n");
        assert!(
            matches!(line_of_table(&page), Err(Finding::DoubledHeading { .. })),
            "{page}"
        );
    }
}

#[test]
fn a_heading_that_is_not_there_is_answered_with_those_that_may_be_meant() {
    let page = format!("# Current CoPs\n\n{TABLE}\n# Other\n");
    let parsed = Page::parse(page.as_bytes()).unwrap();
    for wanted in [
        "current cops",
        "Current Cops",
        "# Current CoPs",
        "CoPs",
        "Curent CoPs",
        "Something else",
    ] {
        let near = vec!["Current CoPs".to_owned()];
        let wanted = wanted.to_owned();
        assert_eq!(
            parsed.table(&wanted, None).unwrap_err(),
            Finding::NoHeading { wanted, near }
        );
    }
}

#[test]
fn every_malformed_row_is_reported_with_its_line() {
    let page = "# H\n\n| Subject | Facilitator |\n| --- | --- |\n| a |\n| b | c | d |\n| [e | f |\n| g](h) | i |\n| j | k\nl | m |\ntext\n";
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let reports = parsed.table("H", None).unwrap().report();
    let found: Vec<(usize, Option<&str>)> = reports
        .iter()
        .map(|report| (report.line, report.findings.first().map(RowFinding::kind)))
        .collect();
    let expected = [
        (5, Some("short")),
        (6, Some("long")),
        (7, Some("broken-link")),
        (8, Some("broken-link")),
        (9, None),
        (10, Some("outer-pipes")),
        (11, Some("text")),
    ];
    assert_eq!(found, expected);
}
