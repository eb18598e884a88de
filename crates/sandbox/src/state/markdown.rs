//! Reading people's text the way GitLab does: with the same Markdown parser. Finds mentions, references and closing words;
//! renders HTML.

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options, markdown_to_html, parse_document};
use regex::Regex;
use std::sync::LazyLock;

/// A name after an `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) quoted: bool,
}

/// `#12`, `!7`, `group/project#12`, or a full address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) project: Option<String>,
    pub(crate) merge_request: bool,
    pub(crate) iid: u64,
}

/// GitLab's Markdown: CommonMark with tables, task lists, strikethrough, autolinks, footnotes and alerts.
pub(crate) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.multiline_block_quotes = true;
    options.extension.description_lists = true;
    options.parse.relaxed_autolinks = true;
    options.render.escaped_char_spans = true;
    options
}

/// Renders text from people: raw HTML is left out.
pub(crate) fn render(text: &str) -> String {
    markdown_to_html(text, &options())
}

/// Everybody whom a text names outside code.
pub(crate) fn mentions(text: &str) -> Vec<Mention> {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:^|[^\w])@([A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)*)").ok());
    if !text.contains('@') && !text.contains("&#") && !text.contains("&commat") {
        return Vec::new();
    }
    let Some(pattern) = NAME.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for part in visible_text(text) {
        for name in pattern.captures_iter(&part.text).filter_map(|c| c.get(1)) {
            let name = name.as_str().trim_end_matches(['.', '-']).to_owned();
            found.push(Mention {
                name,
                quoted: part.quoted,
            });
        }
    }
    found
}

/// Every issue and merge request that a text points to outside code; `url` is the instance's address.
pub(crate) fn references(text: &str, url: &str) -> Vec<Reference> {
    static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:^|[^\w/&])((?:[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)*)?)([#!])(\d+)\b").ok()
    });
    let Some(pattern) = REFERENCE.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for part in visible_text(text) {
        // A separator is eaten by a match and may be the next one's beginning: look from each match's end anew.
        let mut at = 0;
        while let Some(one) = pattern.captures_at(&part.text, at) {
            let whole = one.get(0).map_or(part.text.len(), |m| m.end());
            at = whole.max(at + 1);
            let project = one.get(1).map(|p| p.as_str().to_owned()).filter(|p| !p.is_empty());
            let merge_request = one.get(2).is_some_and(|k| k.as_str() == "!");
            if let Some(iid) = one.get(3).and_then(|n| n.as_str().parse().ok()) {
                found.push(Reference {
                    project,
                    merge_request,
                    iid,
                });
            }
            if at > part.text.len() {
                break;
            }
        }
        found.extend(part.links.iter().filter_map(|link| address(link, url)));
    }
    found
}

/// The issues that closing words in a description or commit message name. GitLab looks at the raw text here.
pub(crate) fn closing(text: &str, url: &str) -> Vec<Reference> {
    static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?:\b[Cc]los(?:e[sd]?|ing)|\b[Ff]ix(?:e[sd]|ing)?|\b[Rr]esolv(?:e[sd]?|ing)|\b[Ii]mplement(?:s|ed|ing)?)",
            r":? +((?:(?:issues? +)?(?:https?://\S+/(?:issues|work_items)/\d+|[\w./-]*#\d+)(?: *,? +and +| *, *| +)?)+)"
        ))
        .ok()
    });
    static ONE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(https?://\S+/(?:issues|work_items)/\d+)|([\w./-]*)#(\d+)").ok());
    let (Some(words), Some(one)) = (WORDS.as_ref(), ONE.as_ref()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for statement in words.captures_iter(text).filter_map(|c| c.get(1)) {
        for reference in one.captures_iter(statement.as_str()) {
            if let Some(link) = reference.get(1) {
                found.extend(address(link.as_str(), url));
            } else if let Some(iid) = reference.get(3).and_then(|n| n.as_str().parse().ok()) {
                let project = reference
                    .get(2)
                    .map(|p| p.as_str().to_owned())
                    .filter(|p| !p.is_empty());
                found.push(Reference {
                    project,
                    merge_request: false,
                    iid,
                });
            }
        }
    }
    found
}

/// Reads `https://host/group/project/-/issues/12`.
fn address(link: &str, url: &str) -> Option<Reference> {
    let path = link.strip_prefix(url)?.trim_start_matches('/');
    let (project, rest) = path.split_once("/-/")?;
    let (kind, iid) = rest.split_once('/')?;
    let digits: String = iid.chars().take_while(char::is_ascii_digit).collect();
    let merge_request = match kind {
        "issues" | "work_items" => false,
        "merge_requests" => true,
        _ => return None,
    };
    Some(Reference {
        project: Some(project.to_owned()),
        merge_request,
        iid: digits.parse().ok()?,
    })
}

/// A block's words, without code, HTML and escaped characters.
struct Part {
    text: String,
    links: Vec<String>,
    quoted: bool,
}

fn visible_text(text: &str) -> Vec<Part> {
    let arena = Arena::new();
    let document = parse_document(&arena, text, &options());
    let mut parts = Vec::new();
    collect(document, false, &mut parts);
    parts
}

fn collect<'a>(node: Node<'a>, quoted: bool, parts: &mut Vec<Part>) {
    for child in node.children() {
        let (inline, quote) = {
            let value = &child.data().value;
            let quote = matches!(value, NodeValue::BlockQuote | NodeValue::MultilineBlockQuote(_));
            (value.contains_inlines(), quote)
        };
        if inline {
            let mut part = Part {
                text: String::new(),
                links: Vec::new(),
                quoted,
            };
            inline_text(child, &mut part);
            parts.push(part);
        } else {
            collect(child, quoted || quote, parts);
        }
    }
}

fn inline_text<'a>(node: Node<'a>, part: &mut Part) {
    for child in node.children() {
        match &child.data().value {
            NodeValue::Text(text) => part.text.push_str(text),
            NodeValue::SoftBreak | NodeValue::LineBreak => part.text.push('\n'),
            // Code, HTML and escaped characters stand for themselves; the mark keeps their neighbours apart.
            NodeValue::Code(_) | NodeValue::HtmlInline(_) | NodeValue::Escaped => part.text.push('\u{1}'),
            NodeValue::Link(link) => {
                part.links.push(link.url.clone());
                part.text.push('\u{1}');
            }
            _ => inline_text(child, part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        mentions(text).into_iter().map(|m| m.name).collect()
    }

    #[test]
    fn mentions_are_found_outside_code() {
        assert_eq!(named("@alice, (@bob) and @a/b."), ["alice", "bob", "a/b"]);
        assert_eq!(
            named("`@alice` mail@example.com \\@bob\n\n    @carol\n"),
            Vec::<String>::new()
        );
        assert!(mentions("> @alice")[0].quoted);
        assert_eq!(named("@al_ice_x"), ["al_ice_x"]);
    }

    #[test]
    fn references_are_short_full_or_addresses() {
        let url = "http://gitlab.test";
        let found = references(
            "#1 and !2, g/p#3 http://gitlab.test/g/p/-/issues/4 `#9` \\#8 &#35;7",
            url,
        );
        let found: Vec<_> = found
            .iter()
            .map(|r| (r.project.as_deref(), r.merge_request, r.iid))
            .collect();
        assert_eq!(
            found,
            [
                (None, false, 1),
                (None, true, 2),
                (Some("g/p"), false, 3),
                (None, false, 7),
                (Some("g/p"), false, 4)
            ]
        );
    }

    #[test]
    fn closing_words_name_issues() {
        let url = "http://gitlab.test";
        let iids = |text| {
            closing(text, url)
                .into_iter()
                .map(|r| (r.project, r.iid))
                .collect::<Vec<_>>()
        };
        assert_eq!(iids("Closes #1, #2 and #3"), [(None, 1), (None, 2), (None, 3)]);
        assert_eq!(iids("fixed: g/p#4"), [(Some("g/p".to_owned()), 4)]);
        assert_eq!(
            iids("Resolves http://gitlab.test/g/p/-/issues/5"),
            [(Some("g/p".to_owned()), 5)]
        );
        assert_eq!(iids("Related to #6, discloses #7"), []);
    }
}
