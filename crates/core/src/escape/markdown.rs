//! Markdown for notes and for the descriptions of issues and merge requests.

use serde::Serialize;
use url::Url;

use super::{clean, inline, marker::Marker};
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// GitLab refuses notes longer than this many characters (descriptions may have 1,048,576).
const MAX: usize = 1_000_000;
/// Room that people's text leaves for our own words.
const RESERVE: usize = 100_000;
/// One piece of people's text on one line, in characters.
const MAX_INLINE: usize = 2_000;
/// One quotation or fence of people's text, in characters.
const MAX_BLOCK: usize = 200_000;
/// Said in place of what was cut off.
const CUT: &str = "… (shortened)";

/// A note or description, put together piece by piece. It never runs quick actions, mentions nobody but those that
/// [`mention`](Self::mention) names, refers to nothing but what our own words and numbers refer to, and is at most 1,000,000
/// characters long: people's text is shortened where it would get longer.
///
/// The pieces are Markdown for paragraphs and list items, not for the cells of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Markdown {
    text: String,
}

impl Markdown {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes Markdown that [`crate::render`] made from a template with [`super::TemplateValue`]s only.
    #[allow(
        dead_code,
        reason = "the door for `crate::render`, the only other room that may write Markdown"
    )]
    pub(crate) fn rendered(text: String) -> Self {
        Self { text }
    }

    /// Our own Markdown, as it is.
    #[must_use]
    pub fn words(mut self, words: &'static str) -> Self {
        self.text.push_str(words);
        self
    }

    /// People's text as plain text on one line.
    #[must_use]
    pub fn inline(mut self, text: &Untrusted) -> Self {
        self.keep_apart();
        let escaped = inline::escape(&self.shortened(text.expose(), MAX_INLINE));
        self.text.push_str(&escaped);
        self
    }

    /// People's text as a code span on one line.
    #[must_use]
    pub fn code(mut self, text: &Untrusted) -> Self {
        let line = clean::one_line(&self.shortened(text.expose(), MAX_INLINE));
        self.push_code(&inline::inert(&line));
        self
    }

    /// People's text as a quotation: its lines as plain text, lists kept, behind `>`; a paragraph of its own.
    #[must_use]
    pub fn quote(mut self, text: &Untrusted) -> Self {
        self.own_paragraph();
        let text = self.shortened(text.expose(), MAX_BLOCK);
        for line in plain_lines(&text) {
            self.text.push_str(if line.is_empty() { ">" } else { "> " });
            self.text.push_str(&line);
            self.text.push('\n');
        }
        self.text.push('\n');
        self
    }

    /// People's text as paragraphs of plain text, its line ends and lists kept; a paragraph of its own.
    #[must_use]
    pub fn paragraphs(mut self, text: &Untrusted) -> Self {
        self.own_paragraph();
        let text = self.shortened(text.expose(), MAX_BLOCK);
        for line in plain_lines(&text) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
        self.text.push('\n');
        self
    }

    /// People's text in a code block; `info` names its language and may be empty. A line that begins with `/` is moved in by
    /// one space: older GitLab versions look for quick actions with patterns that a code block can fool. Closing words and `[skip ci]`,
    /// which act in code too, are broken.
    #[must_use]
    pub fn fence(mut self, info: &'static str, text: &Untrusted) -> Self {
        self.own_paragraph();
        let lines = clean::lines(&self.shortened(text.expose(), MAX_BLOCK));
        let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
        let fence = "`".repeat((longest + 1).max(3));
        self.text.push_str(&fence);
        self.text.push_str(info);
        self.text.push('\n');
        for line in lines {
            if line.starts_with('/') {
                self.text.push(' ');
            }
            self.text.push_str(&inline::inert(&line));
            self.text.push('\n');
        }
        self.text.push_str(&fence);
        self.text.push_str("\n\n");
        self
    }

    /// A number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.end_word();
        self.text.push_str(&number.to_string());
        self
    }

    /// A community's slug, as it is.
    #[must_use]
    pub fn slug(mut self, slug: &Slug) -> Self {
        self.end_word();
        self.text.push_str(slug.as_str());
        self
    }

    /// `@name` as code: names a person without telling them.
    #[must_use]
    pub fn username_code(mut self, name: &Username) -> Self {
        self.push_code(&format!("@{}", name.as_str()));
        self
    }

    /// `@name` as a mention: GitLab tells that person.
    #[must_use]
    pub fn mention(mut self, name: &Username) -> Self {
        self.keep_apart();
        self.text.push('@');
        self.text.push_str(name.as_str());
        self
    }

    /// A link that shows its address. Only for addresses that we or GitLab made: an address of a GitLab issue leaves a
    /// reference there. An address that is neither https nor http is written as code.
    #[must_use]
    pub fn url(mut self, url: &Url) -> Self {
        match inline::destination(url) {
            Some(to) => self.text.push_str(&format!("<{to}>")),
            None => self.push_code(&clean::one_line(url.as_str())),
        }
        self
    }

    /// Our own words as a link; for the address see [`Self::url`].
    #[must_use]
    pub fn link_words(mut self, words: &'static str, url: &Url) -> Self {
        self.push_link(words, url);
        self
    }

    /// People's text as a link; for the address see [`Self::url`].
    #[must_use]
    pub fn link(mut self, text: &Untrusted, url: &Url) -> Self {
        let mut label = inline::escape(&self.shortened(text.expose(), MAX_INLINE));
        // The link's own brackets would make `[skip ci]` of it, for an editor that copies a description into a commit's message.
        if inline::skips_ci(label.chars()) {
            label.insert(0, inline::BREAK);
        }
        self.push_link(&label, url);
        self
    }

    /// All of another text.
    #[must_use]
    pub fn append(mut self, other: &Self) -> Self {
        self.text.push_str(&other.text);
        self
    }

    /// Ends the line.
    #[must_use]
    pub fn line(mut self) -> Self {
        self.text.push('\n');
        self
    }

    /// Puts the hidden marker before all else, on the first line.
    #[must_use]
    pub fn marker(mut self, marker: &Marker) -> Self {
        self.text.insert_str(0, &format!("{}\n", marker.line()));
        self
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As much of `text` as its kind and the whole may have.
    fn shortened(&self, text: &str, max: usize) -> String {
        // Escaping makes a character into three at most, and a quoted line begins with two more.
        let left = (MAX - RESERVE).saturating_sub(self.text.len()) / 5;
        let max = max.min(left);
        if text.chars().count() <= max {
            return text.to_owned();
        }
        let mut short: String = text.chars().take(max).collect();
        short.push_str(CUT);
        short
    }

    fn push_code(&mut self, line: &str) {
        let ticks = "`".repeat(longest_run(line) + 1);
        // A code span right after a backtick of ours would lengthen its fence.
        self.keep_apart();
        if line.is_empty() {
            self.text.push_str("` `");
            return;
        }
        let pad = if line.starts_with('`') || line.ends_with('`') {
            " "
        } else {
            ""
        };
        self.text.push_str(&format!("{ticks}{pad}{line}{pad}{ticks}"));
    }

    fn push_link(&mut self, label: &str, url: &Url) {
        self.keep_apart();
        match inline::destination(url) {
            Some(to) => self.text.push_str(&format!("[{label}]({to})")),
            None => self.text.push_str(label),
        }
    }

    /// Keeps what comes next from being read together with the last character: `#` + `12`.
    fn keep_apart(&mut self) {
        if self.text.chars().next_back().is_some_and(inline::reaches_on) {
            self.text.push(inline::BREAK);
        }
    }

    /// Keeps our own numbers and slugs from lengthening a word of people's: `dead` + `1234567` would be a commit.
    fn end_word(&mut self) {
        if self.text.chars().next_back().is_some_and(char::is_alphanumeric) {
            self.text.push(inline::BREAK);
        }
    }

    fn own_paragraph(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// The lines as plain text. A line that another follows ends in a hard break; lines that begin with `- ` or `* ` stay items of
/// a list.
fn plain_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut before = Kind::Blank;
    for line in clean::lines(text) {
        let line = line.trim();
        let item = line
            .strip_prefix("- ")
            .or_else(|| line.strip_prefix("* "))
            .map(inline::escape);
        let (kind, line) = match item {
            Some(item) if !item.is_empty() => (Kind::Item, format!("- {item}")),
            _ if line.is_empty() => (Kind::Blank, String::new()),
            _ => (Kind::Words, inline::escape(line)),
        };
        match (before, kind) {
            (Kind::Words, Kind::Words) => lines.last_mut().into_iter().for_each(|last| last.push('\\')),
            // Without the blank line it would go on inside the item.
            (Kind::Item, Kind::Words) => lines.push(String::new()),
            _ => {}
        }
        before = if line.is_empty() { Kind::Blank } else { kind };
        lines.push(line);
    }
    lines
}

/// What a line of people's text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Item,
    Words,
}

fn longest_run(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
