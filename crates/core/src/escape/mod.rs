//! The one place where people's text becomes something for a sink.
//!
//! Each sink has a type that can only be made here, so the compiler refuses every other way: a note takes
//! [`Markdown`], a title takes [`Title`], a log line takes [`LogText`]. Our own words come in as `&'static str`, numbers and
//! validated names come in as their types, and people's text comes in as [`Untrusted`](crate::untrusted::Untrusted) and is
//! made harmless for that sink. The text of a sink is taken out (`as_str`) only where it goes over the wire.
//!
//! What there is to fear, and where GitLab says so: quick actions run in notes and descriptions that the API gets
//! (`doc/user/project/quick_actions`), mentions notify, references leave notes elsewhere, closing patterns close issues
//! (`doc/user/project/issues/managing_issues`). Backslashes alone do not help against GitLab's reference filters, which
//! look at the rendered text; so [`inline`] also breaks what they look for with a zero-width space.
//!
//! ```
//! # use convenor_core::{escape::Markdown, untrusted::Untrusted};
//! let name = Untrusted::new("/close **now**");
//! let note = Markdown::new().words("The name is ").code(&name).words(".");
//! assert_eq!(note.as_str(), "The name is `/close **now**`.");
//! ```
//!
//! People's text has no way in by itself:
//!
//! ```compile_fail
//! # use convenor_core::{escape::Markdown, untrusted::Untrusted};
//! let name = Untrusted::new("/close");
//! Markdown::new().words(&name); // our own words only
//! ```
//! ```compile_fail
//! # use convenor_core::untrusted::Untrusted;
//! format!("{}", Untrusted::new("/close")); // no `Display`
//! ```
//! ```compile_fail
//! # use convenor_core::{escape::Markdown, untrusted::Untrusted};
//! let name = Untrusted::new("/close");
//! Markdown::new().words(name.expose()); // not `'static`
//! ```
//! ```compile_fail
//! # use convenor_core::{escape::Title, untrusted::Untrusted};
//! let name = Untrusted::new("[skip ci]");
//! Title::new().inline(&name); // titles take no people's text at all
//! ```
//! ```compile_fail
//! # use convenor_core::{escape::CommitMessage, untrusted::Untrusted};
//! let name = Untrusted::new("Closes #1");
//! CommitMessage::new().trailer_words("Name", name.expose()); // nor do commit messages
//! ```
//! ```compile_fail
//! # use convenor_core::escape::Markdown;
//! let forged = Markdown { text: "/close".to_owned() }; // made by its builder only
//! ```
//! ```compile_fail
//! # use convenor_core::untrusted::Untrusted;
//! serde_json::to_string(&Untrusted::new("x")); // no `Serialize`
//! ```

mod chat;
pub(crate) mod clean;
mod inline;
mod markdown;
mod marker;
mod screen;
mod subject;
mod template;

pub use chat::ChatText;
pub use markdown::Markdown;
pub use marker::Marker;
pub use screen::{HtmlText, LogText, TerminalText};
pub use subject::{CommitMessage, NameProblem, PlainLine, ProjectName, Title};
pub use template::TemplateValue;

#[cfg(test)]
pub(crate) mod gitlab;
#[cfg(test)]
mod tests;
