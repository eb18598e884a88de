//! Reading people's text the way GitLab does: with the same Markdown parser. Finds quick actions, mentions, references
//! and closing words; renders HTML.

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options, markdown_to_html, parse_document};
use regex::Regex;
use std::sync::LazyLock;

/// A line such as `/label ~bug` that GitLab takes for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// A text and the commands that were cut out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extracted {
    pub(crate) text: String,
    pub(crate) commands: Vec<Command>,
}

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

/// Commands that GitLab 19 knows, whether or not the sandbox acts on them.
const COMMANDS: &[&str] = &[
    "add_child",
    "add_contacts",
    "add_email",
    "add_linked_items",
    "approve",
    "assign",
    "assign_reviewer",
    "award",
    "blocked_by",
    "blocks",
    "board_move",
    "checkin_reminder",
    "child_epic",
    "clear_health_status",
    "clear_weight",
    "clone",
    "close",
    "confidential",
    "convert_to_ticket",
    "copy_metadata",
    "create_merge_request",
    "done",
    "draft",
    "due",
    "duplicate",
    "epic",
    "estimate",
    "estimate_time",
    "health_status",
    "invite_email",
    "iteration",
    "label",
    "labels",
    "link",
    "lock",
    "merge",
    "milestone",
    "move",
    "page",
    "parent_epic",
    "promote",
    "promote_to",
    "promote_to_incident",
    "publish",
    "react",
    "ready",
    "reassign",
    "reassign_reviewer",
    "rebase",
    "relabel",
    "relate",
    "remove_child",
    "remove_child_epic",
    "remove_contacts",
    "remove_due_date",
    "remove_email",
    "remove_epic",
    "remove_estimate",
    "remove_iteration",
    "remove_milestone",
    "remove_parent",
    "remove_parent_epic",
    "remove_time_spent",
    "remove_zoom",
    "reopen",
    "request_changes",
    "request_review",
    "run_pipeline",
    "set_parent",
    "severity",
    "ship",
    "shrug",
    "spend",
    "spend_time",
    "spent",
    "status",
    "submit_review",
    "subscribe",
    "tableflip",
    "target_branch",
    "timeline",
    "title",
    "todo",
    "todo_done",
    "type",
    "unapprove",
    "unassign",
    "unassign_reviewer",
    "unlabel",
    "unlink",
    "unlock",
    "unsubscribe",
    "weight",
    "wip",
    "zoom",
];

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

/// Cuts quick actions out of a text: whole lines at column 0 of top-level paragraphs, after carriage returns are gone.
pub(crate) fn extract_commands(text: &str) -> Extracted {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^/([A-Za-z_]+)(?:\s+(.*))?$").ok());
    let clean = text.replace('\r', "");
    if !clean.contains('/') {
        return Extracted {
            text: text.to_owned(),
            commands: Vec::new(),
        };
    }
    let in_paragraph = paragraph_lines(&clean);
    let mut commands = Vec::new();
    let mut kept = Vec::new();
    for (at, line) in clean.split('\n').enumerate() {
        let found = LINE
            .as_ref()
            .and_then(|l| l.captures(line))
            .filter(|_| in_paragraph.contains(&(at + 1)));
        let name = found.as_ref().and_then(|f| f.get(1)).map(|n| n.as_str().to_lowercase());
        match name.filter(|n| COMMANDS.contains(&n.as_str())) {
            Some(name) => {
                let arguments = found.and_then(|f| f.get(2)).map(|a| a.as_str().trim().to_owned());
                commands.push(Command {
                    name,
                    arguments: arguments.unwrap_or_default(),
                });
            }
            None => kept.push(line),
        }
    }
    if commands.is_empty() {
        return Extracted {
            text: text.to_owned(),
            commands,
        };
    }
    Extracted {
        text: kept.join("\n").trim().to_owned(),
        commands,
    }
}

/// Numbers (from 1) of the lines that belong to top-level paragraphs.
fn paragraph_lines(text: &str) -> std::collections::BTreeSet<usize> {
    let arena = Arena::new();
    let document = parse_document(&arena, text, &options());
    document
        .children()
        .filter(|node| matches!(node.data().value, NodeValue::Paragraph))
        .flat_map(|node| {
            let place = node.data().sourcepos;
            place.start.line..=place.end.line
        })
        .collect()
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

    fn commands(text: &str) -> Vec<String> {
        extract_commands(text)
            .commands
            .into_iter()
            .map(|c| format!("{} {}", c.name, c.arguments))
            .collect()
    }

    #[test]
    fn commands_are_lines_of_top_level_paragraphs() {
        assert_eq!(commands("/close"), ["close "]);
        assert_eq!(commands("Thanks.\n/label ~a ~\"b c\"\n"), ["label ~a ~\"b c\""]);
        assert_eq!(commands("Thanks.\r\n\r/CLOSE\r\n"), ["close "]);
        assert_eq!(commands("**bold**\n/merge"), ["merge "]);
    }

    #[test]
    fn quoted_listed_coded_and_escaped_text_is_no_command() {
        for text in [
            "> /close",
            "- /close",
            "```\n/close\n```",
            "    /close",
            "\\/close",
            " /close",
            "/closes",
            "# /close",
            "<div>\n/close\n</div>",
            "| a |\n|---|\n| /close |",
            "a /close",
            "/nonsense",
            ">>>\n/close\n>>>",
        ] {
            assert_eq!(commands(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_without_commands_keeps_every_byte() {
        let text = "a\r\n/usr/bin is a path\r\n";
        assert_eq!(extract_commands(text).text, text);
    }

    #[test]
    fn commands_are_cut_out_of_the_text() {
        assert_eq!(extract_commands("one\n\n/close\ntwo\n").text, "one\n\ntwo");
    }

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
