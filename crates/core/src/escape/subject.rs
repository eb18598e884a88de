//! Short texts: titles, commit messages, names and descriptions of projects.

use std::fmt;

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use super::{Markdown, clean, inline};
use crate::digest::Digest;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// GitLab's limit for titles, in characters.
const MAX_TITLE: usize = 255;

/// The title of an issue or merge request: our own words, slugs and numbers; one line of at most 255 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Title(String);

impl Title {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Our own words.
    #[must_use]
    pub fn words(self, words: &'static str) -> Self {
        self.with(words)
    }

    /// A community's slug.
    #[must_use]
    pub fn slug(self, slug: &Slug) -> Self {
        self.with(slug.as_str())
    }

    /// A number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.with(&number.to_string())
    }

    /// The title of a draft: GitLab takes a merge request for one by these first letters.
    #[must_use]
    pub fn as_draft(self) -> Self {
        Self(clean::cut(&format!("Draft: {}", self.0), MAX_TITLE))
    }

    /// The title, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn with(mut self, piece: &str) -> Self {
        self.0
            .extend(piece.chars().map(|c| if c.is_control() { ' ' } else { c }));
        Self(clean::cut(&self.0, MAX_TITLE))
    }
}

/// A commit message: our own words, slugs and numbers, then trailers. It holds no people's text, so it can neither skip a
/// pipeline nor close or mention anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommitMessage {
    text: String,
    trailers: bool,
}

impl CommitMessage {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Our own words; line ends and blank lines as in any commit message.
    #[must_use]
    pub fn words(mut self, words: &'static str) -> Self {
        self.text.push_str(words);
        self
    }

    /// A community's slug.
    #[must_use]
    pub fn slug(mut self, slug: &Slug) -> Self {
        self.text.push_str(slug.as_str());
        self
    }

    /// A number; never right behind a `#`, which would make a reference of it.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        if self.text.ends_with(['#', '!', '&', '$', '%', '~']) {
            self.text.push(' ');
        }
        self.text.push_str(&number.to_string());
        self
    }

    /// A line `key: slug` at the end. All other pieces come before the first trailer.
    #[must_use]
    pub fn trailer_slug(self, key: &'static str, slug: &Slug) -> Self {
        self.trailer(key, slug.as_str())
    }

    /// A line `key: number` at the end. All other pieces come before the first trailer.
    #[must_use]
    pub fn trailer_number(self, key: &'static str, number: u64) -> Self {
        self.trailer(key, &number.to_string())
    }

    /// A line `key: words` at the end. All other pieces come before the first trailer.
    #[must_use]
    pub fn trailer_words(self, key: &'static str, words: &'static str) -> Self {
        self.trailer(key, words)
    }

    /// A line `key: digest` at the end. All other pieces come before the first trailer.
    #[must_use]
    pub fn trailer_digest(self, key: &'static str, digest: &Digest) -> Self {
        self.trailer(key, digest.as_str())
    }

    /// The message, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn trailer(mut self, key: &'static str, value: &str) -> Self {
        self.text.push_str(if self.trailers { "\n" } else { "\n\n" });
        self.trailers = true;
        self.text.push_str(&format!("{key}: {value}"));
        self
    }
}

impl Serialize for CommitMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// People's text as one line that is shown as it is, e.g. a project's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PlainLine(String);

impl PlainLine {
    /// At most `max` characters; mentions, references and bare links in it are broken by zero-width spaces.
    #[must_use]
    pub fn new(text: &Untrusted, max: usize) -> Self {
        let text: String = text.expose().chars().take(max.saturating_mul(4)).collect();
        Self(clean::cut(&inline::neutral(&text), max))
    }

    /// The line, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A project's display name as GitLab allows it (`Gitlab::Regex.project_name_regex`): letters, digits, emoji, `_`, `.`, `+`,
/// dashes and spaces; the first a letter, digit, emoji or `_`. Names are unique in a group without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ProjectName(String);

/// Why a text cannot be a project's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing that can be seen.
    Empty,
    /// More than 255 characters.
    TooLong,
    /// These characters are not allowed, each once.
    Characters(Vec<char>),
    /// The first character is allowed, but not as the first.
    Beginning(char),
    /// It looks like the name that GitLab gives to a project that waits for its deletion.
    Deleted,
}

impl ProjectName {
    /// Takes the text as it is, except for space around it, runs of space in it, and the spelling of accents (NFC).
    ///
    /// # Errors
    /// What GitLab would refuse is refused here, and nothing is repaired in silence.
    pub fn new(text: &Untrusted) -> Result<Self, NameProblem> {
        let name: String = text
            .expose()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .nfc()
            .collect();
        let first = name.chars().next().ok_or(NameProblem::Empty)?;
        if name.chars().count() > 255 {
            return Err(NameProblem::TooLong);
        }
        let mut wrong: Vec<char> = Vec::new();
        for c in name.chars().filter(|&c| !may_be_in_name(c)) {
            if !wrong.contains(&c) {
                wrong.push(c);
            }
        }
        if !wrong.is_empty() {
            return Err(NameProblem::Characters(wrong));
        }
        if !(first.is_alphanumeric() || first == '_' || emoji_range(first)) {
            return Err(NameProblem::Beginning(first));
        }
        let lower = name.to_lowercase();
        if lower.contains("deletion_scheduled") || lower.contains("-deleted-") {
            return Err(NameProblem::Deleted);
        }
        Ok(Self(name))
    }

    /// A name that GitLab would take, close to one that it would not; only ever a suggestion.
    #[must_use]
    pub fn near(text: &Untrusted) -> Option<Self> {
        let mut name = String::new();
        for c in clean::cut(&clean::one_line(text.expose()), 255).chars() {
            match c {
                '&' => name.push_str(" and "),
                '/' | '\\' | '|' | ':' => name.push('-'),
                '#' if name.ends_with(char::is_alphanumeric) => name.push_str(" sharp"),
                '\'' | '"' | '`' => {}
                c if may_be_in_name(c) => name.push(c),
                _ => name.push(' '),
            }
        }
        let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
        Self::new(&Untrusted::new(name)).ok()
    }

    /// The name, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people's text, for all sinks but the project itself.
    #[must_use]
    pub fn untrusted(&self) -> Untrusted {
        Untrusted::new(self.0.clone())
    }
}

fn may_be_in_name(c: char) -> bool {
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}');
    !clean::invisible(c) && (c.is_alphanumeric() || dash || emoji_range(c) || matches!(c, '+' | '_' | '.' | ' '))
}

/// GitLab's `\u{00A9}-\u{1f9ff}`, without the blanks and controls in it.
fn emoji_range(c: char) -> bool {
    ('\u{a9}'..='\u{1f9ff}').contains(&c) && !c.is_whitespace() && !c.is_control() && !clean::invisible(c)
}

impl NameProblem {
    /// What was found, in words for the proposer.
    #[must_use]
    pub fn found(&self) -> Markdown {
        match self {
            Self::Empty => Markdown::new().words("it is empty"),
            Self::TooLong => Markdown::new().words("it is longer than 255 characters"),
            Self::Characters(wrong) => {
                let mut text = Markdown::new().words("GitLab does not allow ");
                for (at, &c) in wrong.iter().take(10).enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    text = named(text.words(comma), c);
                }
                text.words(" in a project's name")
            }
            Self::Beginning(c) => named(Markdown::new().words("a project's name cannot begin with "), *c),
            Self::Deleted => Markdown::new().words("it looks like the name of a deleted project"),
        }
    }

    /// What would mend it.
    #[must_use]
    pub fn mend(&self) -> Markdown {
        Markdown::new().words(match self {
            Self::Empty => "write the community's name",
            Self::TooLong => "write a shorter name",
            Self::Characters(_) => {
                "use letters, digits, emoji, spaces, `-`, `_`, `.` and `+` (for example `and` for an ampersand)"
            }
            Self::Beginning(_) => "begin with a letter, a digit, an emoji or `_`",
            Self::Deleted => "leave out `deletion_scheduled` and `-deleted-`",
        })
    }
}

fn named(text: Markdown, c: char) -> Markdown {
    if c.is_control() || clean::invisible(c) || c.is_whitespace() {
        text.words("an invisible character (number ")
            .number(u64::from(u32::from(c)))
            .words(")")
    } else {
        text.code(&Untrusted::new(c))
    }
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.found().as_str())
    }
}

impl std::error::Error for NameProblem {}
