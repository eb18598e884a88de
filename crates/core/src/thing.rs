//! What can be looked at. A webhook, a schedule or a command only ever says which thing; the look decides the rest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{IssueIid, ProjectId};

/// The name of a program: lower-case ASCII letters, digits and `-`, at most 64; it stands in keys, URLs and metrics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ProgramName(String);

impl ProgramName {
    /// `None` when the text breaks the rule of the type.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = (1..=64).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-');
        good.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProgramName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProgramName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{}` cannot be a program's name: use lower-case letters, digits and `-`, at most 64",
                text.escape_debug()
            ))
        })
    }
}

/// One thing to look at; its text form is the key of its row in the work table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// An issue of the program's intake project.
    Proposal(ProgramName, IssueIid),
    /// A project of the program's group.
    Community(ProgramName, ProjectId),
    /// The program's handbook page.
    Handbook(ProgramName),
    /// The whole program: every proposal, community and the page (the full resync).
    Program(ProgramName),
    /// What the program's service lives on: its webhooks, its token, the accounts of the facilitators.
    Lifeline(ProgramName),
}

impl Thing {
    /// The program that it belongs to.
    #[must_use]
    pub fn program(&self) -> &ProgramName {
        match self {
            Self::Proposal(program, _)
            | Self::Community(program, _)
            | Self::Handbook(program)
            | Self::Program(program)
            | Self::Lifeline(program) => program,
        }
    }

    /// The kind as a word, for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Proposal(..) => "proposal",
            Self::Community(..) => "community",
            Self::Handbook(..) => "handbook",
            Self::Program(..) => "program",
            Self::Lifeline(..) => "lifeline",
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposal(program, issue) => write!(f, "proposal {program}{issue}"),
            Self::Community(program, project) => write!(f, "community {program}/{project}"),
            Self::Handbook(program) => write!(f, "handbook {program}"),
            Self::Program(program) => write!(f, "program {program}"),
            Self::Lifeline(program) => write!(f, "lifeline {program}"),
        }
    }
}

/// The text is no thing's key.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` names no thing; expected `proposal PROGRAM#IID`, `community PROGRAM/PROJECT-ID`, `handbook PROGRAM`, `program PROGRAM` or `lifeline PROGRAM`"
)]
pub struct NoSuchThing(String);

impl FromStr for Thing {
    type Err = NoSuchThing;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| NoSuchThing(text.escape_debug().to_string()))
    }
}

fn parse(text: &str) -> Option<Thing> {
    let (kind, rest) = text.split_once(' ')?;
    Some(match kind {
        "proposal" => {
            let (program, iid) = rest.split_once('#')?;
            Thing::Proposal(ProgramName::new(program)?, IssueIid(iid.parse().ok()?))
        }
        "community" => {
            let (program, id) = rest.split_once('/')?;
            Thing::Community(ProgramName::new(program)?, ProjectId(id.parse().ok()?))
        }
        "handbook" => Thing::Handbook(ProgramName::new(rest)?),
        "program" => Thing::Program(ProgramName::new(rest)?),
        "lifeline" => Thing::Lifeline(ProgramName::new(rest)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_things_text_reads_back_as_the_thing() {
        let program = ProgramName::new("cop").unwrap();
        for thing in [
            Thing::Proposal(program.clone(), IssueIid(12)),
            Thing::Community(program.clone(), ProjectId(7)),
            Thing::Handbook(program.clone()),
            Thing::Program(program.clone()),
            Thing::Lifeline(program),
        ] {
            assert_eq!(thing.to_string().parse::<Thing>().unwrap(), thing);
        }
    }
}
