//! The targets for libFuzzer; the suite runs the same functions.

#[path = "../../crates/core/src/escape/gitlab.rs"]
#[allow(dead_code, unreachable_pub)]
mod gitlab;

pub mod core;
#[cfg(feature = "shell")]
pub mod shell;
