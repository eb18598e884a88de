//! Values for the Markdown templates of files in repositories and of issues.

use serde::Serialize;
use url::Url;

use super::Markdown;
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// A value that a template may show as it is: it cannot change the structure around it, and brings no HTML, shortcode or
/// template syntax. The same escaping as in notes: a template may become an issue's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct TemplateValue(String);

impl TemplateValue {
    /// People's text on one line.
    #[must_use]
    pub fn inline(text: &Untrusted) -> Self {
        Self::markdown(&Markdown::new().inline(text))
    }

    /// People's text as paragraphs, line ends kept.
    #[must_use]
    pub fn paragraphs(text: &Untrusted) -> Self {
        Self::markdown(&Markdown::new().paragraphs(text))
    }

    /// People's text as a quotation.
    #[must_use]
    pub fn quote(text: &Untrusted) -> Self {
        Self::markdown(&Markdown::new().quote(text))
    }

    /// Our own words.
    #[must_use]
    pub fn words(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// A community's slug.
    #[must_use]
    pub fn slug(slug: &Slug) -> Self {
        Self(slug.as_str().to_owned())
    }

    /// A username without `@`; CODEOWNERS and READMEs put their own before it.
    #[must_use]
    pub fn username(name: &Username) -> Self {
        Self(name.as_str().to_owned())
    }

    /// A number.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// A link that shows its address.
    #[must_use]
    pub fn url(url: &Url) -> Self {
        Self::markdown(&Markdown::new().url(url))
    }

    /// People's text as a link.
    #[must_use]
    pub fn link(text: &Untrusted, url: &Url) -> Self {
        Self::markdown(&Markdown::new().link(text, url))
    }

    /// Markdown that was put together already.
    #[must_use]
    pub fn markdown(markdown: &Markdown) -> Self {
        Self(markdown.as_str().trim_end().to_owned())
    }

    /// The text, for the template engine.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
