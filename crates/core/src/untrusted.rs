//! Text that a person wrote, from the first line of code on.

use std::fmt;

use serde::Deserialize;

/// Text from outside: titles, descriptions, notes, display names, file contents, error texts of others.
///
/// It has no `Display`, no `Serialize` and no `Deref`: the only ways out are the renderers of [`crate::escape`], one for
/// each sink. Parsers of this crate see the raw text; their results are `Untrusted` again or validated types.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text from outside.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The raw text, to be parsed or compared; never to be written anywhere. Which rooms may ask is kept by a test of the
    /// house.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it contains `needle`, without regard to ASCII case.
    #[must_use]
    pub fn contains(&self, needle: &str) -> bool {
        self.0.to_ascii_lowercase().contains(&needle.to_ascii_lowercase())
    }

    /// Whether it is exactly `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0 == text
    }

    /// Its first characters, at most so many: for work whose cost grows with the length.
    #[must_use]
    pub fn first(&self, most: usize) -> Self {
        Self(self.0.chars().take(most).collect())
    }

    /// Whether there is nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Untrusted {
    /// Says only how long it is: a debug print often ends in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}
