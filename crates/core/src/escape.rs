//! The one place where people's text becomes Markdown.
