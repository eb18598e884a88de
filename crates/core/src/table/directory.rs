//! The whole directory on a handbook page, generated between two markers; what is outside them stays byte for byte.
//!
//! ```md
//! <!-- convenor directory begin -->
//! (generated from `templates/directory.md.hbs`)
//! <!-- convenor directory end -->
//! ```

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};
use serde_json::{Map, Value, json};

use super::cell::{Cell, escape_text};
use super::finding::Finding;
use super::hidden;
use super::order;
use super::page::{Page, line_end, line_of, line_start};
use super::wanted::{Person, WantedRow};
use crate::render::engine;
use crate::untrusted::Untrusted;

/// The line before the generated part.
pub const BEGIN: &str = "<!-- convenor directory begin -->";
/// The line after it.
pub const END: &str = "<!-- convenor directory end -->";

/// Fields that every community has in the template, if only empty ones.
const FIELDS: [&str; 5] = ["summary", "status", "cadence", "chat", "join"];

/// The page with the directory between its markers; `None` when it says that already.
///
/// Communities are sorted as people sort. For each the template has `name`, `url`, `link` (the name, linked), `people` and
/// `facilitators` (one text), `inactive`, and the wanted row's fields; all made fit for a table's cell.
///
/// # Errors
/// [`Finding::NoMarkers`] when the markers are not there once each, in their order and on lines of their own;
/// [`Finding::BadTemplate`]; the findings of [`Page::parse`].
pub fn directory(page: &[u8], template: &str, communities: &[WantedRow]) -> Result<Option<Vec<u8>>, Finding> {
    let page = Page::parse(page)?;
    let between = between_markers(page.text)?;
    let generated = generated(template, communities)?;
    let line_break = if page.text[..between.start].ends_with("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let generated = generated.replace("\r\n", "\n").replace('\n', line_break);
    if page.text[between.clone()] == generated {
        return Ok(None);
    }
    let new = [&page.text[..between.start], &generated, &page.text[between.end..]].concat();
    // Whatever the template gave, the page can be generated again.
    let again = between_markers(&new)?;
    if new[again.clone()] != generated {
        return Err(bad("it gives a marker".to_owned()));
    }
    Ok(Some(new.into_bytes()))
}

fn generated(template: &str, communities: &[WantedRow]) -> Result<String, Finding> {
    let mut sorted: Vec<&WantedRow> = communities.iter().collect();
    sorted.sort_by_cached_key(|wanted| order::sort_key(wanted.name.expose()));
    let entries: Vec<Value> = sorted.into_iter().map(entry).collect();
    let values = json!({ "communities": entries });
    let text = engine::render("directory.md.hbs", template, &values).map_err(|fault| bad(fault.what))?;
    let text = text.trim();
    // Blank lines keep the comments from taking the text into their block.
    Ok(if text.is_empty() {
        "\n".to_owned()
    } else {
        format!("\n{text}\n\n")
    })
}

fn bad(reason: String) -> Finding {
    Finding::BadTemplate {
        column: "directory.md.hbs".to_owned(),
        reason,
    }
}

fn entry(wanted: &WantedRow) -> Value {
    let mut entry: Map<String, Value> = FIELDS.iter().map(|&field| (field.to_owned(), json!(""))).collect();
    for (field, text) in &wanted.fields {
        entry.insert(field.clone(), json!(escape_text(text.expose())));
    }
    let link = wanted
        .project_url
        .as_ref()
        .map_or_else(|| Cell::text(&wanted.name), |url| Cell::link(&wanted.name, url));
    let people: Vec<Cell> = wanted.facilitators.iter().map(person).collect();
    let url = wanted
        .project_url
        .as_ref()
        .map(super::cell::escape_url)
        .unwrap_or_default();
    entry.insert("name".to_owned(), json!(Cell::text(&wanted.name).as_str()));
    entry.insert("url".to_owned(), json!(url));
    entry.insert("link".to_owned(), json!(link.as_str()));
    entry.insert(
        "people".to_owned(),
        json!(people.iter().map(Cell::as_str).collect::<Vec<_>>()),
    );
    entry.insert("facilitators".to_owned(), json!(Cell::join(&people, ", ").as_str()));
    entry.insert("inactive".to_owned(), json!(wanted.inactive));
    Value::Object(entry)
}

fn person(person: &Person) -> Cell {
    let handle = format!("@{}", person.username.as_str());
    let name = person.display_name.as_ref().filter(|name| !name.is_blank());
    let text = name.map_or_else(|| handle.clone(), |name| format!("{} ({handle})", name.expose()));
    Cell::link(&Untrusted::new(text), &person.profile_url)
}

/// What is between the lines of the markers.
fn between_markers(text: &str) -> Result<Range<usize>, Finding> {
    let (begins, ends) = (markers(text, BEGIN), markers(text, END));
    let lines = |found: &[usize]| found.iter().map(|&at| line_of(text.as_bytes(), at)).collect();
    match (&begins[..], &ends[..]) {
        (&[begin], &[end]) if begin < end => Ok(line_end(text, begin).1..line_start(text, end)),
        _ => Err(Finding::NoMarkers {
            begin: BEGIN,
            end: END,
            begins: lines(&begins),
            ends: lines(&ends),
        }),
    }
}

/// Where the marker is a comment of the page, on a line of its own; in code it is only shown.
fn markers(text: &str, marker: &str) -> Vec<usize> {
    let base = hidden::front_matter(text);
    let comments = Parser::new_ext(&text[base..], Options::ENABLE_TABLES)
        .into_offset_iter()
        .filter_map(|(event, range)| matches!(event, Event::Html(_)).then_some(range.start + base..range.end + base));
    comments
        .filter(|range| text[range.clone()].trim() == marker)
        .map(|range| range.start)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use super::*;
    use crate::ids::Username;

    const TEMPLATE: &str = include_str!("../../../../templates/directory.md.hbs");

    fn community(name: &str, summary: &str, inactive: bool) -> WantedRow {
        WantedRow {
            name: Untrusted::new(name),
            project_url: Some(Url::parse("https://gitlab.example/cop/x").unwrap()),
            facilitators: vec![Person {
                username: Username::new("ann").unwrap(),
                display_name: Some(Untrusted::new("Ann A")),
                profile_url: Url::parse("https://gitlab.example/ann").unwrap(),
                inactive: false,
            }],
            inactive,
            fields: BTreeMap::from([("summary".to_owned(), Untrusted::new(summary))]),
        }
    }

    fn page(between: &str) -> String {
        format!("# Page\r\n\r\n{BEGIN}\r\n{between}{END}\r\n\r\n`{BEGIN}` is a marker.\r\n")
    }

    fn made(page: &str, communities: &[WantedRow]) -> Option<String> {
        let bytes = directory(page.as_bytes(), TEMPLATE, communities).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_directory_is_generated_between_the_markers_and_only_there() {
        let communities = [
            community("The Zoo", "Animals | more", false),
            community("agile", "", true),
        ];
        let new = made(&page("old\r\n"), &communities).unwrap();
        let expected = "\r\n| Community | About | Facilitators | Meets | Chat |\r\n| --- | --- | --- | --- | --- |\r\n\
            | [agile](https://gitlab.example/cop/x) (inactive) |  | [Ann A (@ann)](https://gitlab.example/ann) |  |  |\r\n\
            | [The Zoo](https://gitlab.example/cop/x) | Animals \\| more | [Ann A (@ann)](https://gitlab.example/ann) |  |  |\r\n\r\n";
        assert_eq!(new, page(expected));
        assert_eq!(made(&new, &communities), None, "what is there already is no change");
    }

    #[test]
    fn without_communities_it_says_so() {
        assert_eq!(made(&page(""), &[]).unwrap(), page("\r\nNo communities yet.\r\n\r\n"));
    }

    #[track_caller]
    fn check_no_markers(page: &str) {
        let found = directory(page.as_bytes(), TEMPLATE, &[]).unwrap_err();
        assert!(matches!(found, Finding::NoMarkers { .. }), "{found}");
    }

    #[test]
    fn markers_have_to_be_there_once_in_their_order_and_not_in_code() {
        check_no_markers("# Page\n");
        check_no_markers(&format!("{END}\n\n{BEGIN}\n"));
        check_no_markers(&format!("{BEGIN}\n\n{BEGIN}\n\n{END}\n"));
        check_no_markers(&format!("```\n{BEGIN}\n{END}\n```\n"));
    }

    #[test]
    fn a_name_cannot_end_the_generated_part() {
        let new = made(&page(""), &[community(END, BEGIN, false)]).unwrap();
        assert_eq!(made(&new, &[]).unwrap(), made(&page(""), &[]).unwrap());
    }
}
