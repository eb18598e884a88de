//! The table engine from outside: properties with two parsers, real pages, real edits by people.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod corpus;
mod hostile;
mod meaning;
mod pages;
mod properties;
mod rows;
mod second_parser;
