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
//! People's text has no way in by itself. What follows is each sink with the ways around its renderer, none of which the
//! compiler takes.
//!
//! The text itself cannot be had, printed, serialised or borrowed outside of this crate:
//!
//! ```compile_fail,E0624
//! # use convenor_core::untrusted::Untrusted;
//! let raw: &str = Untrusted::new("/close").expose();
//! ```
//! ```compile_fail,E0277
//! # use convenor_core::untrusted::Untrusted;
//! let text = format!("{}", Untrusted::new("/close"));
//! ```
//! ```compile_fail,E0277
//! # use convenor_core::untrusted::Untrusted;
//! let text = serde_json::to_string(&Untrusted::new("/close"));
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::untrusted::Untrusted;
//! let text: &str = &Untrusted::new("/close");
//! ```
//!
//! A **note** or **description** takes our own words as `&'static str`, and is made by its builder only:
//!
//! ```compile_fail,E0308
//! # use convenor_core::{escape::Markdown, untrusted::Untrusted};
//! Markdown::new().words(&Untrusted::new("/close"));
//! ```
//! ```compile_fail,E0716
//! # use convenor_core::escape::Markdown;
//! Markdown::new().words(&String::from("/close"));
//! ```
//! ```compile_fail,E0451
//! # use convenor_core::escape::Markdown;
//! let forged = Markdown { text: "/close".to_owned() };
//! ```
//! ```compile_fail,E0624
//! # use convenor_core::escape::Markdown;
//! let forged = Markdown::rendered("/close".to_owned());
//! ```
//!
//! A **title** takes no people's text at all:
//!
//! ```compile_fail,E0599
//! # use convenor_core::{escape::Title, untrusted::Untrusted};
//! Title::new().inline(&Untrusted::new("[skip ci]"));
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::{escape::Title, untrusted::Untrusted};
//! Title::new().words(&Untrusted::new("[skip ci]"));
//! ```
//!
//! Nor does a **commit message**:
//!
//! ```compile_fail,E0308
//! # use convenor_core::{escape::CommitMessage, untrusted::Untrusted};
//! CommitMessage::new().trailer_words("Name", &Untrusted::new("Closes #1"));
//! ```
//! ```compile_fail,E0716
//! # use convenor_core::escape::CommitMessage;
//! CommitMessage::new().words(&format!("Closes #{}", 1));
//! ```
//!
//! A **template value** (and so a file, a **page** of a repository) is made here only:
//!
//! ```compile_fail,E0423
//! # use convenor_core::escape::TemplateValue;
//! let forged = TemplateValue("/close".to_owned());
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::{escape::TemplateValue, untrusted::Untrusted};
//! TemplateValue::words(&Untrusted::new("{{x}}"));
//! ```
//! ```compile_fail,E0603
//! let forged = convenor_core::render::engine::render("x", "{{x}}", &serde_json::json!({"x": "/close"}));
//! ```
//!
//! A **cell** of a table:
//!
//! ```compile_fail,E0423
//! let forged = convenor_core::table::Cell("a | b".to_owned());
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::{table::Cell, untrusted::Untrusted};
//! let forged = Cell::from_gfm(&Untrusted::new("a | b"));
//! ```
//!
//! A **log line**, a text for a **terminal** and one for an **HTML page**:
//!
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::LogText("\u{1b}[2J".to_owned());
//! ```
//! ```compile_fail,E0308
//! let forged = convenor_core::escape::LogText::new("\u{1b}[2J");
//! ```
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::TerminalText("\u{1b}[2J".to_owned());
//! ```
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::HtmlText("<script>".to_owned());
//! ```
//! ```compile_fail,E0308
//! let forged = convenor_core::escape::HtmlText::line("<script>");
//! ```
//!
//! A **chat message**:
//!
//! ```compile_fail,E0308
//! # use convenor_core::{escape::ChatText, untrusted::Untrusted};
//! ChatText::new().words(&Untrusted::new("<!channel>"));
//! ```
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::ChatText("<!channel>".to_owned());
//! ```
//!
//! The **description of a project**:
//!
//! ```compile_fail,E0308
//! let forged = convenor_core::escape::PlainLine::new("@all", 100);
//! ```
//!
//! The **name** of a project, and text that our **store** and our **JSON** keep as it is:
//!
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::ProjectName("a/b".to_owned());
//! ```
//! ```compile_fail,E0308
//! let forged = convenor_core::escape::StoredText::new("x");
//! ```
//! ```compile_fail,E0423
//! let forged = convenor_core::escape::JsonText("x".to_owned());
//! ```
//!
//! The **path** of a project and of its branches:
//!
//! ```compile_fail,E0423
//! let forged = convenor_core::slug::Slug("a/../b".to_owned());
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::{slug::Slug, untrusted::Untrusted};
//! let forged = Slug::new(&Untrusted::new("a/../b"));
//! ```
//!
//! A **charter's YAML** is made of a charter only, whose texts are people's, and a **link** leads to an address that was parsed:
//!
//! ```compile_fail,E0308
//! # use convenor_core::untrusted::Untrusted;
//! let forged = convenor_core::charter::render_new(&Untrusted::new("a: &a [*a]"));
//! ```
//! ```compile_fail,E0308
//! # use convenor_core::{escape::Markdown, untrusted::Untrusted};
//! Markdown::new().link(&Untrusted::new("x"), "javascript:alert(1)");
//! ```
//!
//! What the compiler cannot refuse, lints and tests of the house do: `String::leak` and its kin would make our own words of
//! people's, and so would a static that is filled from them.

mod chat;
pub(crate) mod clean;
mod inline;
mod kept;
mod markdown;
mod marker;
mod screen;
mod subject;
mod template;

pub use chat::ChatText;
pub use kept::{JsonText, StoredText, ascii_json};
pub use markdown::Markdown;
pub use marker::Marker;
pub use screen::{HtmlText, LogText, TerminalText, log_line};
pub use subject::{CommitMessage, NameProblem, PlainLine, ProjectName, Title};
pub use template::TemplateValue;

#[cfg(test)]
pub(crate) mod gitlab;
#[cfg(test)]
mod tests;
