//! What can be wrong with a charter, in words that tell how to mend it.

use crate::untrusted::Untrusted;

/// One thing that is wrong with a charter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line, counted from 1; `None`: the file as a whole.
    pub line: Option<u64>,
    /// The key that it is about, such as `cadence.at`; empty: none.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
    /// What stands there, when that helps.
    pub found: Option<Untrusted>,
}

impl Finding {
    /// What is wrong and what would mend it, without people's own words.
    #[must_use]
    pub fn mend(&self) -> String {
        match &self.problem {
            Problem::TooLarge => "the file is larger than 64 KiB; a charter is a short record".into(),
            Problem::NotUtf8 => "the file is not UTF-8 text; save it as UTF-8".into(),
            Problem::NotYaml => {
                "not valid YAML; check the indentation, and put quotes around text with `:`, `#`, `@` or quotes in it"
                    .into()
            }
            Problem::Aliases => {
                "anchors and aliases (`&`, `*`, `<<`) are not used in a charter; write the value out".into()
            }
            Problem::DuplicateKey => "this key stands twice; remove one".into(),
            Problem::NotAMapping => "expected `key: value` lines".into(),
            Problem::Missing => format!("`{}` is missing", self.key),
            Problem::Expected(what) => format!("expected {what}"),
            Problem::NotAUsername => "not a GitLab username; write it without `@`, for example `darwinjs`".into(),
            Problem::ListedTwice => "listed twice; remove one".into(),
            Problem::DayDoesNotFit => {
                "does not fit `every`: weeks go with `tuesday`, months with `first tuesday` or a day such as `15`"
                    .into()
            }
        }
    }
}

/// The kinds of mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// More than [`super::MOST_BYTES`].
    TooLarge,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// The file cannot be read as YAML.
    NotYaml,
    /// Anchors, aliases or merge keys.
    Aliases,
    /// The same key twice.
    DuplicateKey,
    /// The file, or a value that has to be one, is no mapping.
    NotAMapping,
    /// A key that has to be there is not.
    Missing,
    /// Something else was expected; names what.
    Expected(&'static str),
    /// A facilitator that cannot be a username.
    NotAUsername,
    /// The same facilitator twice.
    ListedTwice,
    /// `on` names a day that the rhythm of `every` does not have.
    DayDoesNotFit,
}
