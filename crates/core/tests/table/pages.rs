//! Pages as people write them, made up: containers, line ends, outer pipes, padding, crooked rows.

use proptest::collection::vec;
use proptest::prelude::*;

/// A made page and where its table is.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Tables before the one under [`HEADING`].
    pub(crate) tables_before: usize,
}

/// The heading of every made page.
pub(crate) const HEADING: &str = "Current CoPs";

#[derive(Clone, Debug)]
struct Look {
    before: &'static str,
    container: (&'static str, &'static str),
    line_break: &'static str,
    lead: bool,
    trail: bool,
    spaced: bool,
    padded: bool,
    after: &'static str,
    final_break: bool,
}

fn look() -> impl Strategy<Value = Look> {
    let before = prop::sample::select(vec![
        "",
        "\u{feff}",
        "---\ntitle: x\n---\n\n",
        "\u{feff}---\ntitle: x\n# Current CoPs\n---\n\nIntro.\n",
        "```md\n## Current CoPs\n\n| a | b |\n| - | - |\n| c | d |\n```\n\n",
        "<!--\n## Current CoPs\n| a | b |\n| - | - |\n-->\n\n",
        "# Title\n\n| x |\n| - |\n| y |\n\n",
        "{{< highlight md >}}\n## Current CoPs\n{{< /highlight >}}\n\n",
    ]);
    let container = prop::sample::select(vec![
        ("", ""),
        ("> ", "> "),
        (">", ">"),
        ("- ", "  "),
        ("1. ", "   "),
        ("> - ", ">   "),
        ("  ", "  "),
    ]);
    let after = prop::sample::select(vec![
        "",
        "\n",
        "\nMore.\n",
        "\n## Next\n\n| a |\n| - |\n",
        "\n<!-- end -->\n",
        "> quote\n",
    ]);
    let line_break = prop::sample::select(vec!["\n", "\r\n"]);
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (before, container, line_break, after, flags).prop_map(
        |(before, container, line_break, after, (lead, trail, spaced, padded, final_break))| Look {
            before,
            container,
            line_break,
            lead,
            trail,
            spaced,
            padded,
            after,
            final_break,
        },
    )
}

/// Cells that a row may have: plain, marked, escaped, wide.
pub(crate) fn content() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "Agile",
        "DevOps",
        "the",
        "Ünïcode",
        "日本語",
        "x",
        "`a`",
        "`a \\| b`",
        "\\|",
        "**b**",
        "[l](https://e.example/l)",
        "(inactive)",
        "TBD",
        "@bob",
        "<br>",
        "&amp;",
        "\\*",
        "{{< s \"x\" >}}",
        "![i](/i.png)",
        "- ",
        "#",
        "[x",
        "1.",
        "$x$",
        "~~s~~",
    ]);
    vec(parts, 0..4).prop_map(|parts| parts.join(" ").trim().to_owned())
}

/// A page with one table under [`HEADING`].
pub(crate) fn made() -> impl Strategy<Value = Made> {
    (look(), 1..5usize).prop_flat_map(|(look, columns)| {
        let row = vec(content(), columns);
        let crooked = prop::option::weighted(0.1, 0..columns + 2);
        (Just(look), Just(columns), vec((row, crooked), 0..6))
            .prop_map(|(look, columns, rows)| page(&look, columns, &rows))
    })
}

type MadeRow = (Vec<String>, Option<usize>);

fn page(look: &Look, columns: usize, rows: &[MadeRow]) -> Made {
    let header: Vec<String> = (0..columns).map(|n| format!("Column {n}")).collect();
    let widths: Vec<usize> = (0..columns)
        .map(|n| {
            rows.iter()
                .map(|(row, _)| row[n].chars().count())
                .max()
                .unwrap_or(0)
                .max(header[n].len())
        })
        .collect();
    let dashes: Vec<String> = widths
        .iter()
        .map(|&width| "-".repeat(if look.padded { width } else { 3 }))
        .collect();
    let mut lines = vec![line(look, &header, &widths), line(look, &dashes, &widths)];
    for (row, crooked) in rows {
        let mut cells = row.clone();
        if let Some(count) = crooked {
            cells.resize(*count, "more".to_owned());
        }
        // A row of nothing would end the table.
        if cells.iter().all(String::is_empty) {
            cells = vec!["x".to_owned(); columns];
        }
        lines.push(line(look, &cells, &widths));
    }
    let mut text = format!("{}## {HEADING}\n\n", look.before);
    for (n, line) in lines.iter().enumerate() {
        text.push_str(if n == 0 { look.container.0 } else { look.container.1 });
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(look.after);
    if !look.final_break {
        text.truncate(text.trim_end_matches('\n').len());
    }
    Made {
        tables_before: usize::from(look.before.contains("| x |")),
        text: text.replace('\n', look.line_break),
        rows: rows.len(),
        columns,
    }
}

/// A row needs its outer pipes when it has one column, or where its outer cells are empty.
fn line(look: &Look, cells: &[String], widths: &[usize]) -> String {
    let single = cells.len() == 1;
    let first_empty = cells.first().is_none_or(String::is_empty);
    let odd_begin = cells
        .first()
        .is_some_and(|cell| cell.starts_with(['-', '#', '1', '<', '[', '{', '!', '`', '~']));
    let lead = look.lead || single || first_empty || odd_begin;
    let trail = look.trail || single || cells.last().is_none_or(String::is_empty);
    let blank = if look.spaced { " " } else { "" };
    let slots: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(n, cell)| {
            let width = widths.get(n).copied().filter(|_| look.padded).unwrap_or(0);
            let spare = width.saturating_sub(cell.chars().count());
            format!("{blank}{cell}{}{blank}", " ".repeat(spare))
        })
        .collect();
    let row = format!(
        "{}{}{}",
        if lead { "|" } else { "" },
        slots.join("|"),
        if trail { "|" } else { "" }
    );
    if lead { row } else { row.trim_start().to_owned() }
}
