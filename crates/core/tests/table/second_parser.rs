//! What comrak, the parser of GitLab, reads on a page.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// A cell as comrak reads it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Its text, white space folded.
    pub(crate) text: String,
    /// Targets of its links.
    pub(crate) links: Vec<String>,
    /// Whether there is anything in it that people's text must never become: HTML, images, maths, footnotes, boxes.
    pub(crate) foreign: bool,
    /// Whether there is emphasis, code or strikethrough.
    pub(crate) marked: bool,
}

/// Every table as a list of rows (the header first), every row as a list of cells.
pub(crate) fn tables(page: &str) -> Vec<Vec<Vec<Seen>>> {
    let arena = Arena::new();
    let root = parse_document(&arena, page.trim_start_matches('\u{feff}'), &options());
    let is_table = |node: &&AstNode<'_>| matches!(node.data.borrow().value, NodeValue::Table(_));
    root.descendants()
        .filter(is_table)
        .map(|table| table.children().map(row).collect())
        .collect()
}

/// As GitLab has them, as far as they concern a table's cells.
fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.extension.wikilinks_title_before_pipe = true;
    options.extension.alerts = true;
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options
}

fn row<'a>(row: &'a AstNode<'a>) -> Vec<Seen> {
    row.children().map(cell).collect()
}

fn cell<'a>(cell: &'a AstNode<'a>) -> Seen {
    let mut seen = Seen::default();
    for node in cell.descendants().skip(1) {
        look(&node.data.borrow().value, &mut seen);
    }
    seen.text = seen.text.split_whitespace().collect::<Vec<_>>().join(" ");
    seen
}

fn look(value: &NodeValue, seen: &mut Seen) {
    match value {
        NodeValue::Text(text) => seen.text.push_str(text),
        NodeValue::Code(code) => {
            seen.marked = true;
            seen.text.push_str(&code.literal);
        }
        NodeValue::Link(link) => seen.links.push(link.url.clone()),
        NodeValue::SoftBreak | NodeValue::LineBreak => seen.text.push(' '),
        NodeValue::Emph | NodeValue::Strong | NodeValue::Strikethrough => seen.marked = true,
        _ => seen.foreign = true,
    }
}
