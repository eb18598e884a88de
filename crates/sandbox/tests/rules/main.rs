//! GitLab's rules, one by one: who may do what, what is refused and how it is said, what happens by itself.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod code;
mod issues;
mod merge_requests;
mod projects;
mod roles;
mod tokens;
mod world;
