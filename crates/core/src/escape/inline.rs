//! Escaping of one line so that it reads as plain text in GitLab's Markdown and sets nothing off.
//!
//! Two layers. Backslashes stop the Markdown parser. A zero-width space stops the filters that GitLab runs over the
//! rendered text (`lib/banzai/filter`): mentions, references of every kind, bare links, emoji, closing words; they see
//! through backslashes and entities, but none of their patterns allows a foreign character inside.

use url::Url;

use super::clean;

/// What breaks a pattern without showing.
pub(super) const BREAK: char = '\u{200b}';

/// Words that close issues when a reference follows (`doc/user/project/issues/managing_issues`).
const CLOSING: [&str; 16] = [
    "close",
    "closes",
    "closed",
    "closing",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "resolving",
    "implement",
    "implements",
    "implemented",
    "implementing",
];

/// Whether a piece that follows this character has to be kept apart from it: `#` + `12`, `www` + `.example.com`.
pub(super) fn reaches_on(last: char) -> bool {
    last.is_alphanumeric() || "@#!~%&$^:/\\`<{[*_-.".contains(last)
}

/// `text` as plain text on one line of Markdown.
pub(super) fn escape(text: &str) -> String {
    let line = clean::one_line(text);
    let chars: Vec<char> = line.chars().collect();
    let breaks = Breaks::of(&chars);
    let digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut out = String::with_capacity(line.len() + 16);
    for (at, &c) in chars.iter().enumerate() {
        let numbered = at == digits && matches!(c, '.' | ')');
        let opens = at == 0 && matches!(c, '-' | '+' | '=' | '/' | '.' | ')');
        if special(c) || numbered || opens {
            out.push('\\');
        }
        out.push(c);
        // What follows may close the bracket.
        if breaks.after(at) || c == '[' && skips_ci(chars[at + 1..].iter().copied()) {
            out.push(BREAK);
        }
    }
    out
}

/// Whether this, behind a bracket and before another, would have a commit's pipeline left out (`Ci::Pipeline`).
pub(super) fn skips_ci(inside: impl Iterator<Item = char>) -> bool {
    let begin: String = inside.take(8).collect::<String>().to_ascii_lowercase();
    matches!(
        begin.trim_end_matches([']', '\\']),
        "skip ci" | "skip-ci" | "skip_ci" | "ci skip" | "ci-skip" | "ci_skip"
    )
}

/// `text` on one line of plain text: nothing is escaped, but what GitLab looks for in text is broken.
pub(super) fn neutral(text: &str) -> String {
    let line = clean::one_line(text);
    let chars: Vec<char> = line.chars().collect();
    let breaks = Breaks::of(&chars);
    let mut out = String::with_capacity(line.len() + 16);
    for (at, &c) in chars.iter().enumerate() {
        out.push(c);
        let tag = c == '<' && chars.get(at + 1).is_some_and(|c| !c.is_whitespace());
        if breaks.after(at) || tag {
            out.push(BREAK);
        }
    }
    out
}

/// A line of code as it is, but for what GitLab looks for in the raw text of a description or commit message, code or not
/// (`Gitlab::ClosingIssueExtractor`, `Ci::Pipeline`): closing words before a reference, and `[skip ci]`. An editor may copy the
/// description of a merge request into the commit's message.
pub(super) fn inert(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        let rest = &line[at + c.len_utf8()..];
        // Which letters are one word, Ruby and Rust see differently; so a word that ends like a closing one is one.
        if matches!(c, ' ' | ':') && closing_word_ends(&out) && may_refer(rest) {
            out.push(BREAK);
        }
        out.push(c);
        if c == '[' && skips_ci(rest.chars()) {
            out.push(BREAK);
        }
    }
    out
}

fn closing_word_ends(text: &str) -> bool {
    let letters = text.bytes().rev().take(12).take_while(u8::is_ascii_alphabetic).count();
    let word = text[text.len() - letters..].to_ascii_lowercase();
    CLOSING.iter().any(|closing| word.ends_with(closing))
}

/// Whether there is something by which references are told from words.
fn may_refer(rest: &str) -> bool {
    rest.contains(['#', '!', '&', '[', '-']) || rest.contains("://")
}

fn special(c: char) -> bool {
    matches!(
        c,
        '\\' | '`'
            | '*'
            | '_'
            | '{'
            | '}'
            | '['
            | ']'
            | '<'
            | '>'
            | '#'
            | '!'
            | '|'
            | '~'
            | '&'
            | '$'
            | '^'
            | ':'
            | '@'
            | '"'
    )
}

/// Where a pattern has to be broken.
struct Breaks<'a> {
    chars: &'a [char],
    hashes: Vec<bool>,
}

impl<'a> Breaks<'a> {
    fn of(chars: &'a [char]) -> Self {
        Self {
            chars,
            hashes: inside_commit_hashes(chars),
        }
    }

    /// Whether a break is due after the character at `at`.
    fn after(&self, at: usize) -> bool {
        let c = self.chars[at];
        let before = at.checked_sub(1).map(|at| self.chars[at]);
        let Some(&next) = self.chars.get(at + 1) else {
            return matches!(c, '@' | '#' | '!' | '~' | '%' | '&' | '$' | '^' | ':' | '\\')
                || (c == '-' && self.tracker_key_before(at))
                || self.ends_in_closing_word();
        };
        let digit = |c: char| c.is_numeric();
        match c {
            '@' | '~' | '%' | '^' | '$' => !next.is_whitespace(),
            '#' | '!' | '&' => next.is_alphanumeric() || matches!(next, '"' | '{' | '['),
            ':' => !(next.is_whitespace() || next.is_ascii_digit() && before.is_some_and(|c| c.is_ascii_digit())),
            '/' => at == 0 || next == '/',
            '{' => matches!(next, '{' | '%' | '#' | '<' | '+' | '-' | '!'),
            '}' | ']' => next == c,
            '[' => matches!(next, '[' | '-' | '+' | '^' | '_' | '!') || self.is_contents(at + 1),
            // `GROUP/PROJECT>` is a reference to a project.
            _ if next == '>' => c.is_alphanumeric() || matches!(c, '_' | '-' | '.'),
            // `ABC-12` is an issue of an external tracker.
            '-' => digit(next) && self.tracker_key_before(at),
            'w' | 'W' => next == '.' && at >= 2 && self.chars[at - 2..at].iter().all(|c| matches!(c, 'w' | 'W')),
            _ => self.hashes[at],
        }
    }

    /// `[TOC]` alone in a paragraph becomes a table of contents.
    fn is_contents(&self, at: usize) -> bool {
        let word: String = self.chars[at..].iter().take(4).collect();
        word.eq_ignore_ascii_case("toc]")
    }

    /// Whether a word of capitals, digits and `_` with a capital in it ends here.
    fn tracker_key_before(&self, at: usize) -> bool {
        let word = self.chars[..at]
            .iter()
            .rev()
            .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || **c == '_');
        word.into_iter().any(char::is_ascii_uppercase)
    }

    /// A reference of our own may follow people's text: `… closes` + ` #12`.
    fn ends_in_closing_word(&self) -> bool {
        let text: String = self.chars.iter().rev().take(16).rev().collect();
        let word = text
            .trim_end_matches(':')
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        CLOSING.contains(&word.to_lowercase().as_str())
    }
}

/// Marks the middle of every word of hexadecimal digits that is long enough to be a commit.
fn inside_commit_hashes(chars: &[char]) -> Vec<bool> {
    let mut marks = vec![false; chars.len()];
    let mut start = 0;
    for end in 0..=chars.len() {
        if chars.get(end).is_some_and(|c| c.is_ascii_hexdigit()) {
            continue;
        }
        // Every sixth digit, so that no seven in a row are left.
        if end - start >= 7 {
            for at in (start + 5..end - 1).step_by(6) {
                marks[at] = true;
            }
        }
        start = end + 1;
    }
    marks
}

/// The address of a link with nothing in it that could end the link early.
pub(super) fn destination(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    let mut to = String::with_capacity(url.as_str().len());
    for c in url.as_str().chars() {
        match c {
            '(' | ')' | '<' | '>' | '\\' | '`' | '|' | '"' | '\'' | '*' | '[' | ']' | '{' | '}' | ' ' | '^' => {
                to.push_str(&format!("%{:02X}", c as u32));
            }
            c if c.is_ascii_graphic() => to.push(c),
            _ => return None,
        }
    }
    Some(to)
}
