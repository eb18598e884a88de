//! The one binary of integration tests: linking is slow, so there is one. A room adds its module here.

mod browser;
mod client;
mod docs;
mod forms;
mod infra;
mod skip;
mod stories;
mod table;
