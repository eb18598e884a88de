//! What may be written between two pipes.
//!
//! A [`Cell`] is one line of GFM that leaves the table's structure alone. People's text gets into it only escaped, so
//! that pulldown-cmark and comrak (GitLab) read back the text itself, and Hugo finds no shortcode and no HTML in it.

use thiserror::Error;
use url::Url;

use super::page::{Page, Piece};
use crate::escape::clean;
use crate::untrusted::Untrusted;

/// Longer texts are cut: a table row is one line, and nobody's name is this long.
pub const MAX_TEXT_CHARS: usize = 400;

/// The GFM content of one cell, without padding: one line, every pipe escaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Cell(String);

/// Why text cannot be the content of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadCell {
    /// A cell is one line.
    #[error("it has a line break; a cell is one line (`<br>` breaks the line on the page)")]
    LineBreak,
    /// Control characters have no meaning on a page.
    #[error("it has a control character")]
    Control,
}

impl Cell {
    /// An empty cell.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Takes GFM as an operator or a person's page gives it. Outer white space goes, tabs become blanks, and a pipe that
    /// is not escaped becomes `\|`, because between pipes no other reading is possible.
    ///
    /// # Errors
    /// [`BadCell`] for line breaks and control characters.
    pub fn from_gfm(gfm: &str) -> Result<Self, BadCell> {
        let gfm = gfm.trim_matches([' ', '\t']);
        if gfm.contains(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}']) {
            return Err(BadCell::LineBreak);
        }
        let gfm = gfm.replace('\t', " ");
        if gfm.contains(char::is_control) {
            return Err(BadCell::Control);
        }
        Ok(Self(escape_pipes(&gfm)))
    }

    /// A person's text, escaped so that it reads as nothing but text.
    #[must_use]
    pub fn text(text: &Untrusted) -> Self {
        Self(escape_text(text.expose()))
    }

    /// Words of our own, taken as they are.
    #[must_use]
    pub fn words(words: &'static str) -> Self {
        Self(escape_pipes(words))
    }

    /// A link. The text is escaped; when nothing of it is left, or the address is no web address, there is no link.
    #[must_use]
    pub fn link(text: &Untrusted, url: &Url) -> Self {
        let text = escape_text(text.expose());
        if text.is_empty() || !matches!(url.scheme(), "https" | "http") {
            return Self(text);
        }
        Self(format!("[{text}]({})", escape_url(url)))
    }

    /// Cells one after the other with `between` (escaped as GFM) between them.
    #[must_use]
    pub fn join<'c>(cells: impl IntoIterator<Item = &'c Self>, between: &'static str) -> Self {
        let parts: Vec<&str> = cells
            .into_iter()
            .map(Self::as_str)
            .filter(|cell| !cell.is_empty())
            .collect();
        Self(parts.join(&escape_pipes(between)))
    }

    /// The cell with the HTML comments behind it that a person wrote into the one that it replaces.
    #[must_use]
    pub(super) fn with_comments_of(mut self, replaced: &str) -> Self {
        let mut rest = replaced;
        while let Some(begin) = rest.find("<!--") {
            let Some(length) = rest[begin..].find("-->").map(|at| at + "-->".len()) else {
                break;
            };
            let comment = &rest[begin..begin + length];
            if !self.0.contains(comment) {
                self.0.push(' ');
                self.0.push_str(comment);
            }
            rest = &rest[begin + length..];
        }
        self
    }

    /// The GFM content.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Escapes pipes that no backslash precedes; GFM takes a pipe after any backslash as escaped.
fn escape_pipes(gfm: &str) -> String {
    let mut out = String::with_capacity(gfm.len() + 4);
    let mut previous = ' ';
    for c in gfm.chars() {
        if c == '|' && previous != '\\' {
            out.push('\\');
        }
        out.push(c);
        previous = c;
    }
    out
}

/// Text as GFM that reads back as that text: one line, white space folded, control and invisible direction marks gone.
pub(super) fn escape_text(text: &str) -> String {
    let clean = one_line(text);
    let chars: Vec<char> = clean.chars().collect();
    let mut out = String::with_capacity(clean.len() + 8);
    let mut at = 0;
    while at < chars.len() {
        let address = mail_address(&chars, at);
        if address > at {
            out.push('`');
            out.extend(&chars[at..address]);
            out.push('`');
            at = address;
        } else {
            let before = at.checked_sub(1).map(|before| chars[before]);
            push_escaped(&mut out, chars[at], before, &chars[at + 1..]);
            at += 1;
        }
    }
    out
}

/// The end of the mail address that begins at `at`; `at` when none does. Parsers make links of them that no backslash prevents
/// (<https://github.github.com/gfm/#extended-email-autolink>), so they are written as code, which reads the same.
fn mail_address(chars: &[char], at: usize) -> usize {
    // The colon is that of `mailto:`, after which comrak asks for nothing more before the sign.
    let is_local = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | ':');
    if at.checked_sub(1).is_some_and(|before| is_local(&chars[before])) {
        return at;
    }
    let run = |from: usize, more: &dyn Fn(&char) -> bool| from + chars[from..].iter().take_while(|c| more(c)).count();
    let sign = run(at, &is_local);
    if sign == at || chars.get(sign) != Some(&'@') {
        return at;
    }
    let end = run(sign, &|c| is_local(c) || *c == '@');
    if end > sign + 1 { end } else { at }
}

fn push_escaped(out: &mut String, c: char, before: Option<char>, after: &[char]) {
    let next = after.first().copied();
    let between_words = before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
    let escaped = match c {
        // GFM splits cells before it reads escapes: a backslash before a pipe would be taken for the pipe's.
        '\\' => return out.push_str("&#92;"),
        '|' | '`' | '*' | '[' | ']' | '<' | '>' | '{' | '}' | '~' | '$' => true,
        '_' => !between_words,
        '&' => next.is_some_and(|next| next == '#' || next.is_ascii_alphanumeric()),
        // Bare addresses become links by themselves, in GitLab and in Hugo.
        ':' => after.starts_with(&['/', '/']),
        '.' => out.len() >= 3 && out.to_ascii_lowercase().ends_with("www"),
        // The first cell of a row without a leading pipe stands at the begin of a line.
        '#' | '+' | '-' | '=' => before.is_none(),
        _ => false,
    };
    if escaped {
        out.push('\\');
    }
    out.push(c);
}

/// One visible line, cut when it is too long.
pub(super) fn one_line(text: &str) -> String {
    clean::cut(&clean::one_line(text), MAX_TEXT_CHARS)
}

/// An address as a link's target: what could end the target, the cell, or begin a shortcode is percent-encoded.
pub(super) fn escape_url(url: &Url) -> String {
    let mut out = String::with_capacity(url.as_str().len());
    for c in url.as_str().chars() {
        match c {
            '(' | ')' | '|' | '<' | '>' | '\\' | '"' | '\'' | '`' | '{' | '}' | '[' | ']' | '*' | '^' | '$' | ';'
            | ' ' => {
                out.push_str(&format!("%{:02X}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}

/// What a cell says: its text and its links' targets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Said {
    /// The text as a reader sees it, white space folded.
    pub text: String,
    /// Text and target of each link.
    pub links: Vec<(String, String)>,
    /// Parts between tags such as `<br>` and `<li>`: text runs and links in their order.
    pub(super) parts: Vec<Part>,
}

/// A part of what a cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Link { text: String, target: String },
    Break,
}

impl Said {
    pub(super) fn read(page: &Page<'_>, pieces: &[Piece]) -> Self {
        let mut said = Self::default();
        let mut open: Option<(String, String)> = None;
        for piece in pieces {
            match piece {
                Piece::Text(words) | Piece::Code(words) => said.add(&mut open, page.words(*words)),
                Piece::Link(target) => open = Some((String::new(), page.words(*target).to_owned())),
                Piece::LinkEnd => said.close(open.take()),
                Piece::Tag => said.parts.push(Part::Break),
                Piece::Image => {}
            }
        }
        said.text = said.whole();
        said
    }

    fn add(&mut self, open: &mut Option<(String, String)>, text: &str) {
        match (open, self.parts.last_mut()) {
            (Some((inner, _)), _) => inner.push_str(text),
            (None, Some(Part::Text(last))) => last.push_str(text),
            (None, _) => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    fn close(&mut self, link: Option<(String, String)>) {
        if let Some((text, target)) = link {
            self.links.push((super::scan::collapse(&text), target.clone()));
            self.parts.push(Part::Link { text, target });
        }
    }

    fn whole(&self) -> String {
        let text: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Link { text, .. } => text.as_str(),
                Part::Break => " ",
            })
            .collect();
        super::scan::collapse(&text)
    }
}
