//! How a thing stands, in words from fixed lists, for whoever counts proposals and communities. Nothing is decided by it.

use super::seen::CommunitySeen;
use super::{Plan, Remark};
use crate::charter::{self, Status};
use crate::thing::Thing;

/// What a community's own record says of it, or why it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// As the charter has it.
    Status(Status),
    /// The project is archived or about to be deleted, whatever the charter says.
    Archived,
    /// The charter cannot be read.
    Broken,
}

impl Life {
    /// `None`: there is no charter, so it is no community.
    #[must_use]
    pub fn of(seen: &CommunitySeen) -> Option<Self> {
        let file = seen.charter.as_ref()?;
        if seen.project.archived || seen.project.marked_for_deletion {
            return Some(Self::Archived);
        }
        Some(charter::read(&file.bytes).map_or(Self::Broken, |charter| Self::Status(charter.status)))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Archived => "archived",
            Self::Broken => "broken",
        }
    }
}

/// How a proposal or a community stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A proposal: how far it has come.
    Proposal(&'static str),
    /// A community: its life, and what became of its line on the pages.
    Community(&'static str, &'static str),
}

/// How far a proposal may have come.
pub const PROPOSALS: [&str; 8] = [
    "needs-info",
    "ready",
    "approved",
    "active",
    "declined",
    "closed",
    "confidential",
    "gone",
];

/// What may be told of a community's life.
pub const LIVES: [&str; 6] = ["proposed", "active", "inactive", "retired", "archived", "broken"];

/// What may have become of a community's lines; of several pages the first of these counts.
pub const LINES: [&str; 5] = ["impossible", "refused", "waiting", "listed", "none"];

impl Standing {
    /// How a thing stands after a look that ended with this plan; `None` for what is neither proposal nor community.
    #[must_use]
    pub fn of(thing: &Thing, plan: &Plan) -> Option<Self> {
        match thing {
            Thing::Proposal(..) => plan.report.iter().find_map(stage).map(Self::Proposal),
            Thing::Community(..) => plan
                .life
                .map(|life| Self::Community(life.as_str(), line(life, &plan.report))),
            Thing::Handbook(_) | Thing::Program(_) | Thing::Lifeline(_) => None,
        }
    }

    /// As one text, to keep.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Proposal(stage) => stage.to_owned(),
            Self::Community(life, line) => format!("{life} {line}"),
        }
    }

    /// From what [`Standing::to_text`] made; `None` for words that are not known (any more).
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let known = |words: &'static [&'static str], word: &str| words.iter().copied().find(|known| *known == word);
        match text.split_once(' ') {
            None => known(&PROPOSALS, text).map(Self::Proposal),
            Some((life, line)) => Some(Self::Community(known(&LIVES, life)?, known(&LINES, line)?)),
        }
    }
}

fn stage(remark: &Remark) -> Option<&'static str> {
    Some(match remark {
        Remark::NeedsInfo { .. } => "needs-info",
        Remark::WaitsForApproval => "ready",
        Remark::BeingMade | Remark::WaitsForMerge | Remark::PageUnusable(_) | Remark::TemplatesBroken(_) => "approved",
        Remark::UpToDate => "active",
        Remark::Declined => "declined",
        Remark::Closed => "closed",
        Remark::Confidential => "confidential",
        Remark::ProjectGone => "gone",
        _ => return None,
    })
}

fn line(life: Life, report: &[Remark]) -> &'static str {
    let has_ended = matches!(life, Life::Archived | Life::Status(Status::Retired));
    let of_one = |remark: &Remark| match remark {
        Remark::PageUnusable(_) | Remark::BrokenCharter => "impossible",
        Remark::MergeRequestClosedByPerson | Remark::BranchIsAPersons => "refused",
        Remark::WaitsForMerge
        | Remark::WaitsForTurn
        | Remark::TooManyOpen { .. }
        | Remark::TooManyLately { .. }
        | Remark::InBatch
        | Remark::RemovalsCapped => "waiting",
        Remark::UpToDate | Remark::MergedAsMeant if !has_ended => "listed",
        _ => "none",
    };
    let all: Vec<&str> = report.iter().map(of_one).collect();
    LINES.into_iter().find(|line| all.contains(line)).unwrap_or("none")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{IssueIid, ProjectId};
    use crate::thing::ProgramName;

    fn community(life: Option<Life>, report: Vec<Remark>) -> Option<Standing> {
        let program = ProgramName::new("cop").unwrap();
        let plan = Plan {
            life,
            report,
            ..Plan::default()
        };
        Standing::of(&Thing::Community(program, ProjectId(3)), &plan)
    }

    #[test]
    fn a_community_stands_as_its_charter_says_and_as_its_worst_line_does() {
        let active = Some(Life::Status(Status::Active));
        for (life, report, expected) in [
            (active, vec![Remark::UpToDate], Some(("active", "listed"))),
            (
                active,
                vec![Remark::UpToDate, Remark::WaitsForMerge],
                Some(("active", "waiting")),
            ),
            (
                active,
                vec![Remark::WaitsForTurn, Remark::BranchIsAPersons],
                Some(("active", "refused")),
            ),
            (
                active,
                vec![Remark::PageUnusable(String::new()), Remark::BranchIsAPersons],
                Some(("active", "impossible")),
            ),
            (active, vec![Remark::PrivateNotListed], Some(("active", "none"))),
            (active, Vec::new(), Some(("active", "none"))),
            (
                Some(Life::Status(Status::Retired)),
                vec![Remark::UpToDate],
                Some(("retired", "none")),
            ),
            (Some(Life::Archived), vec![Remark::UpToDate], Some(("archived", "none"))),
            (
                Some(Life::Broken),
                vec![Remark::BrokenCharter],
                Some(("broken", "impossible")),
            ),
            (None, vec![Remark::NoCharter], None),
        ] {
            let expected = expected.map(|(life, line)| Standing::Community(life, line));
            assert_eq!(community(life, report), expected);
        }
    }

    #[test]
    fn a_proposal_stands_where_its_look_left_it() {
        let thing = Thing::Proposal(ProgramName::new("cop").unwrap(), IssueIid(1));
        for (remark, expected) in [
            (Remark::NeedsInfo { findings: 2 }, Some("needs-info")),
            (Remark::WaitsForApproval, Some("ready")),
            (Remark::BeingMade, Some("approved")),
            (Remark::UpToDate, Some("active")),
            (Remark::Declined, Some("declined")),
            (Remark::Closed, Some("closed")),
            (Remark::NotAProposal, None),
        ] {
            let standing = Standing::of(&thing, &Plan::nothing(remark));
            assert_eq!(standing, expected.map(Standing::Proposal));
        }
    }

    #[test]
    fn what_is_kept_is_understood_again_and_nothing_else_is() {
        for stage in PROPOSALS {
            let standing = Standing::Proposal(stage);
            assert_eq!(Standing::from_text(&standing.to_text()), Some(standing));
        }
        for life in LIVES {
            for line in LINES {
                let standing = Standing::Community(life, line);
                assert_eq!(Standing::from_text(&standing.to_text()), Some(standing));
            }
        }
        for other in ["", "active listed more", "active Rust", "secret name", "proposed"] {
            assert_eq!(Standing::from_text(other), None, "{other}");
        }
    }
}
