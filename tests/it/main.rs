//! The one binary of integration tests: linking is slow, so there is one. A room adds its module here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that finds something else than it needs has failed; a skipped one says so"
)]

mod browser;
mod client;
mod docs;
mod forms;
mod house;
mod infra;
mod operator;
mod packaging;
mod skip;
mod stories;
mod table;
