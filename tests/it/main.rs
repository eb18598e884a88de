//! One binary for all tests of the shell: linking is slow.

mod client;
mod infra;
