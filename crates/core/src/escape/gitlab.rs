//! What GitLab would find in a text, ported for tests from the descriptions of its extractors and filters.
//!
//! Quick actions: `lib/gitlab/quick_actions/extractor.rs` in two generations; references and mentions:
//! `app/models/concerns/*` reference patterns, run as GitLab runs them, over the rendered text outside code and links;
//! closing words: `Gitlab::ClosingIssueExtractor`.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// Some of the names; the extractors know no others than registered ones, these stand for them all.
const ACTIONS: [&str; 12] = [
    "close",
    "reopen",
    "merge",
    "label",
    "assign",
    "approve",
    "confidential",
    "title",
    "move",
    "clone",
    "invite_email",
    "promote",
];

fn is_action(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('/') else {
        return false;
    };
    let rest = rest.to_lowercase();
    ACTIONS.iter().any(|name| {
        rest.strip_prefix(name)
            .is_some_and(|after| after.is_empty() || after.starts_with(char::is_whitespace))
    })
}

/// The newer extractor: rendered with comrak, only top-level paragraphs, each of their source lines.
pub(crate) fn actions_by_paragraph(text: &str) -> Vec<String> {
    let text = text.replace('\r', "");
    let arena = Arena::new();
    let root = parse_document(&arena, &text, &options());
    let lines: Vec<&str> = text.split('\n').collect();
    let mut found = Vec::new();
    for node in root.children() {
        let data = node.data.borrow();
        if matches!(data.value, NodeValue::Paragraph) {
            let range = data.sourcepos.start.line - 1..data.sourcepos.end.line.min(lines.len());
            found.extend(
                lines[range]
                    .iter()
                    .filter(|line| is_action(line))
                    .map(ToString::to_string),
            );
        }
    }
    found
}

/// The older extractor: line by line, where what looks like code, HTML or a quote is skipped. The skipping itself can be
/// fooled, so this port skips nothing at all: stricter than GitLab ever was.
pub(crate) fn actions_by_line(text: &str) -> Vec<String> {
    let text = text.replace('\r', "");
    text.split(['\n', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'])
        .filter(|line| is_action(line.trim_start_matches('\u{200b}')))
        .map(str::to_owned)
        .collect()
}

/// GitLab's Markdown as comrak is set up by `gitlab-glfm-markdown`.
pub(crate) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.description_lists = true;
    options.extension.multiline_block_quotes = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.extension.wikilinks_title_before_pipe = true;
    options.extension.alerts = true;
    options.render.r#unsafe = true;
    options
}

/// What a page would show: texts outside code and links, the links' addresses, and the HTML that would be taken as such.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) texts: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) html: Vec<String>,
    pub(crate) blocks: Vec<&'static str>,
}

pub(crate) fn shown(text: &str) -> Shown {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut shown = Shown::default();
    collect(root, false, &mut shown);
    shown
}

fn collect<'a>(node: &'a AstNode<'a>, in_link: bool, shown: &mut Shown) {
    let mut linked = in_link;
    let mut line = None;
    match &node.data.borrow().value {
        NodeValue::Link(link) | NodeValue::Image(link) => {
            shown.links.push(link.url.clone());
            linked = true;
        }
        NodeValue::WikiLink(link) => shown.links.push(link.url.clone()),
        NodeValue::HtmlInline(html) => shown.html.push(html.clone()),
        NodeValue::HtmlBlock(html) => shown.html.push(html.literal.clone()),
        NodeValue::Paragraph | NodeValue::Heading(_) => line = Some(String::new()),
        NodeValue::Math(_) => shown.blocks.push("math"),
        NodeValue::FootnoteDefinition(_) => shown.blocks.push("footnote"),
        NodeValue::Emph | NodeValue::Strong | NodeValue::Strikethrough => shown.blocks.push("emphasis"),
        NodeValue::List(_) => shown.blocks.push("list"),
        NodeValue::CodeBlock(_) => shown.blocks.push("code block"),
        NodeValue::Table(_) => shown.blocks.push("table"),
        NodeValue::ThematicBreak => shown.blocks.push("rule"),
        NodeValue::DescriptionList => shown.blocks.push("description list"),
        NodeValue::BlockQuote | NodeValue::MultilineBlockQuote(_) => shown.blocks.push("quote"),
        NodeValue::Alert(_) => shown.blocks.push("alert"),
        _ => {}
    }
    if let NodeValue::Heading(_) = &node.data.borrow().value {
        shown.blocks.push("heading");
    }
    if let Some(mut words) = line.take() {
        running_text(node, &mut words);
        shown.texts.push(words);
    }
    for child in node.children() {
        collect(child, linked, shown);
    }
}

/// The text of one paragraph as the filters see it: neighbouring pieces in one, code and links as holes.
fn running_text<'a>(node: &'a AstNode<'a>, words: &mut String) {
    for child in node.children() {
        match &child.data.borrow().value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::SoftBreak | NodeValue::LineBreak => words.push('\n'),
            NodeValue::Code(_) | NodeValue::Link(_) | NodeValue::HtmlInline(_) => words.push('\u{fffc}'),
            _ => running_text(child, words),
        }
    }
}

/// Mentions, references, bare links and emoji in running text, by GitLab's patterns.
pub(crate) fn references(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |at: usize| chars.get(at).copied().unwrap_or(' ');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (i, &c) in chars.iter().enumerate() {
        let next = at(i + 1);
        let before = if i == 0 { ' ' } else { at(i - 1) };
        let hit = match c {
            '@' => (!word(before) && (word(next) || next == '.')) || (word(before) && next.is_ascii_alphanumeric()),
            '#' | '!' | '&' | '$' => next.is_ascii_digit(),
            '~' | '%' => word(next) || next == '"',
            '^' => next == 'a',
            ':' => {
                (next == '/' && at(i + 2) == '/')
                    || (i > 0 && before.is_alphabetic() && next.is_ascii_digit())
                    || (!word(before) && (word(next) || next == '+' || next == '-'))
            }
            '-' => next.is_ascii_digit() && is_tracker_key(&chars[..i]),
            '{' => matches!(next, '{' | '%' | '+' | '-'),
            '[' => {
                let contents: String = chars[i..].iter().take(5).collect();
                matches!(next, '[' | '-' | '+') || contents.eq_ignore_ascii_case("[toc]")
            }
            '>' => word(before),
            'w' | 'W' => [before, c, next, at(i + 2)].iter().collect::<String>().to_lowercase() == "www.",
            _ => false,
        };
        if hit {
            found.push(chars[i.saturating_sub(8)..(i + 12).min(chars.len())].iter().collect());
        }
    }
    found.extend(
        text.split(|c: char| !c.is_ascii_hexdigit())
            .filter(|run| run.len() >= 7)
            .map(str::to_owned),
    );
    found
}

/// `ABC`, `GL`, `A_1` before `-12`: an issue of this or another tracker.
fn is_tracker_key(before: &[char]) -> bool {
    let word = before.iter().rev().take_while(|c| c.is_alphanumeric() || **c == '_');
    let word: Vec<char> = word.copied().collect();
    word.last().is_some_and(char::is_ascii_uppercase)
        && word
            .iter()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
}

/// What sets something off wherever it stands in the raw text of a description or commit message, code included.
pub(crate) fn acts_in_code(text: &str) -> Vec<String> {
    let mut found = closings(text);
    let lower = text.to_lowercase();
    for (at, _) in lower.match_indices('[') {
        let inside = lower[at + 1..].split_once(']').map_or("", |(inside, _)| inside);
        if matches!(
            inside,
            "skip ci" | "ci skip" | "skip-ci" | "ci-skip" | "skip_ci" | "ci_skip"
        ) {
            found.push(inside.to_owned());
        }
    }
    found
}

/// GitLab's default pattern: beginnings and endings of the words. What stands before them counts for nothing here, which is stricter.
const CLOSING: [(&str, &[&str]); 4] = [
    ("clos", &["e", "es", "ed", "ing"]),
    ("fix", &["", "es", "ed", "ing"]),
    ("resolv", &["e", "es", "ed", "ing"]),
    ("implement", &["", "s", "ed", "ing"]),
];

/// `Closes #12`, `fixes: group/project!1`, `Resolves ABC-1` and the like.
pub(crate) fn closings(text: &str) -> Vec<String> {
    // As long as the text, so that both have the same places.
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (stem, endings) in CLOSING {
        for (at, _) in lower.match_indices(stem) {
            let rest = text[at..].trim_start_matches(|c: char| c.is_alphabetic());
            let ending = &lower[at + stem.len()..text.len() - rest.len()];
            if !endings.contains(&ending) {
                continue;
            }
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            let Some(target) = rest.strip_prefix(' ').map(str::trim_start) else {
                continue;
            };
            let target = target.strip_prefix("issue").map_or(target, |rest| {
                let rest = rest.strip_prefix('s').unwrap_or(rest);
                rest.strip_prefix(' ').map_or(target, str::trim_start)
            });
            let target: String = target.chars().take_while(|c| !c.is_whitespace()).collect();
            // `#12`, `group/project#12`: nothing but a path stands before the `#`.
            let in_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
            let after_hash = target.split_once('#').is_some_and(|(path, number)| {
                path.chars().all(in_path) && number.starts_with(|c: char| c.is_ascii_digit())
            });
            let key = target.split('-').next().unwrap_or_default();
            let letters = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let of_tracker = target[key.len()..].chars().nth(1).is_some_and(|c| c.is_ascii_digit())
                && letters
                && is_tracker_key(&key.chars().collect::<Vec<_>>());
            let is_address = target
                .split_once("://")
                .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
            if after_hash || of_tracker || is_address {
                found.push(format!("{stem} {target}"));
            }
        }
    }
    found
}
