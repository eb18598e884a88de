//! What is wrong with an installation: each check says what was found and what would mend it.
//!
//! A check is a pure function of what the shell saw; its name is a stable word for scripts.

mod hooks;
mod instance;
mod page;
mod roles;
mod token;

use std::fmt;

use serde::Serialize;

use crate::program::Program;

pub use hooks::{RoundTrip, hooks, round_trip, tier};
pub use instance::{Durability, RateSeen, clock, durable, public_url, queue, rate, secrets, version};
pub use page::{charters, labels, page, people, template};
pub use roles::{creation, project_role, role};
pub use token::{TokenSeen, account, token};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could, or not for long.
    Warning,
    /// Does not work.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, as a stable word such as `token.scopes`.
    pub name: &'static str,
    /// The program that it is about; empty: the installation.
    pub program: String,
    /// How it ended.
    pub level: Level,
    /// What was found.
    pub evidence: String,
    /// What would mend it; empty when nothing has to be.
    pub mend: String,
}

impl Check {
    /// A check that found nothing to mend.
    #[must_use]
    pub fn fine(name: &'static str, evidence: impl Into<String>) -> Self {
        Self {
            name,
            program: String::new(),
            level: Level::Ok,
            evidence: evidence.into(),
            mend: String::new(),
        }
    }

    /// A check that found something to watch.
    #[must_use]
    pub fn warning(name: &'static str, evidence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            mend: mend.into(),
            ..Self::fine(name, evidence)
        }
    }

    /// A check that failed.
    #[must_use]
    pub fn error(name: &'static str, evidence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            mend: mend.into(),
            ..Self::fine(name, evidence)
        }
    }

    /// The same check, about a program.
    #[must_use]
    pub fn of(mut self, program: &Program) -> Self {
        self.program = program.name.to_string();
        self
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

#[cfg(test)]
fn levels(checks: &[Check]) -> Vec<Level> {
    checks.iter().map(|check| check.level).collect()
}
