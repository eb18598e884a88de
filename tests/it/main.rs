//! The one binary of integration tests: linking is slow, so there is one. A room adds its module here.

mod client;
mod docs;
mod forms;
mod infra;
mod stories;
mod table;
