//! What a browser would make of Markdown, by two parsers that are not ours to trust alone.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// How many columns the sample table has: more than any row here, so that no surplus cell is dropped unseen.
const MANY: usize = 9;

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.footnotes = true;
    options.parse.relaxed_autolinks = true;
    options.render.r#unsafe = true;
    options
}

/// What may hurt in a text once it is shown: raw HTML but for comments and `<sub>`, images, links that lead neither to this
/// GitLab nor to the one other host of the tests' own pages.
pub(super) fn hurts(text: &str, gitlab: &str) -> Vec<String> {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let harmless = |target: &str| {
        let hosts = [
            &format!("{gitlab}/"),
            "https://docs.example/",
            "https://gitlab.example.com/",
        ];
        hosts.iter().any(|host| target.starts_with(*host))
    };
    let mut found = Vec::new();
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::HtmlBlock(block) if !is_comment(&block.literal) => found.push(block.literal.clone()),
            NodeValue::HtmlInline(tag) if !["<sub>", "</sub>"].contains(&tag.as_str()) && !is_comment(tag) => {
                found.push(tag.clone());
            }
            NodeValue::Image(image) => found.push(image.url.clone()),
            NodeValue::Link(link) if !harmless(&link.url) => found.push(link.url.clone()),
            _ => {}
        }
    }
    found
}

fn is_comment(html: &str) -> bool {
    let html = html.trim();
    html.starts_with("<!--") && html.find("-->") == Some(html.len() - 3)
}

/// The cells that a row has for comrak and for pulldown-cmark, counted in a table with room for more.
pub(super) fn cells_beside(row: &str) -> (usize, usize) {
    let table = format!("{}\n{}\n{row}\n", "|h".repeat(MANY), "|-".repeat(MANY));
    (by_comrak(&table), by_pulldown(&table))
}

fn by_comrak(table: &str) -> usize {
    let arena = Arena::new();
    let root = parse_document(&arena, table, &options());
    let rows: Vec<_> = root
        .descendants()
        .filter(|node| matches!(node.data.borrow().value, NodeValue::TableRow(false)))
        .collect();
    assert_eq!(rows.len(), 1, "one row: {table}");
    rows[0].children().filter(|cell| cell.first_child().is_some()).count()
}

fn by_pulldown(table: &str) -> usize {
    let parser = Parser::new_ext(table, pulldown_cmark::Options::ENABLE_TABLES);
    let (mut rows, mut cells, mut filled) = (0, 0, false);
    for event in parser {
        match event {
            Event::Start(Tag::TableRow) => (rows, cells) = (rows + 1, 0),
            Event::Start(Tag::TableCell) => filled = false,
            Event::End(TagEnd::TableCell) => cells += usize::from(filled),
            _ => filled = true,
        }
    }
    assert_eq!(rows, 1, "one row: {table}");
    cells
}
