//! From what was observed to the steps that are due.
//!
//! A plan names only what can be done now: ids that a step needs were read from GitLab, never guessed. What comes
//! after is planned when the next observation shows the result, so a run that broke anywhere goes on from what *is*.
//! The report says why nothing (more) is due. Read on in [`proposal`] for the way of a proposal and in [`community`] for
//! the row of a community in the handbook.

pub mod brakes;
pub mod change;
pub mod comment;
pub mod community;
pub mod context;
pub mod foreseen;
pub mod handbook;
pub mod handover;
pub mod init;
pub mod judge;
pub mod labels;
pub mod listing;
pub mod notice;
pub mod proposal;
pub mod provision;
pub mod resync;
pub mod seen;
pub mod settled;
pub mod standing;
pub mod status;
pub mod step;
pub mod teardown;
pub mod wanted;
pub mod wave;
pub mod wishes;

use std::collections::BTreeMap;
use std::fmt;

use crate::ids::{CommitSha, ProjectId, Username};
use crate::lifeline::Readers;
use crate::program::Visibility;
use crate::thing::Thing;

pub use resync::Rest;
pub use step::Step;

/// What is due for one thing.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What to do now, in this order.
    pub steps: Vec<Step>,
    /// Why not more: one sentence each.
    pub report: Vec<Remark>,
    /// Other things that should be looked at, because this look changes what is true for them.
    pub knocks: Vec<Thing>,
    /// Whether this thing needs a turn to open a merge request on one of the pages, by the page's name.
    pub turns: BTreeMap<String, Turn>,
    /// What the record of a community says of it, for [`standing`].
    pub life: Option<standing::Life>,
    /// How the thing is when nothing is due and nothing on its way: unless that changes, it need not be looked at again soon.
    pub rest: Option<Rest>,
    /// When at the latest to look again although nothing is due now.
    pub look_by: Option<jiff::Timestamp>,
}

/// How a thing stands with the limits of a page's merge requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A new merge request is due, and how many others there are was not asked for yet.
    Unknown,
    /// It waits for others.
    Waits,
    /// It is its turn: the steps open the merge request.
    Taken,
}

impl Plan {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        for remark in other.report {
            if !self.report.contains(&remark) {
                self.report.push(remark);
            }
        }
        self.knocks.extend(other.knocks);
        self.turns.extend(other.turns);
        self
    }

    /// Nothing is due, and this is why.
    #[must_use]
    pub fn nothing(why: Remark) -> Self {
        Self {
            report: vec![why],
            ..Self::default()
        }
    }

    /// The thing is over or gone, and this is why.
    #[must_use]
    pub fn over(why: Remark) -> Self {
        Self {
            rest: Some(Rest::Over),
            ..Self::nothing(why)
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Why nothing, or nothing more, is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The issue carries none of the proposal labels.
    NotAProposal,
    /// The issue is confidential.
    Confidential,
    /// A person closed the issue.
    Closed,
    /// The proposal has faults that its author mends.
    NeedsInfo {
        /// How many.
        findings: usize,
    },
    /// Nobody who may has approved the text as it is.
    WaitsForApproval,
    /// An approver declined.
    Declined,
    /// Everything that this look is responsible for is as it should be.
    UpToDate,
    /// The project that was made is gone, archived or marked for deletion: it is never made again.
    ProjectGone,
    /// A project at the wanted path is not ours.
    ForeignProject,
    /// The project has no charter, so it is no community of ours.
    NoCharter,
    /// The charter cannot be read.
    BrokenCharter,
    /// The project is being set up.
    BeingMade,
    /// The merge request waits for a maintainer.
    WaitsForMerge,
    /// A person closed the merge request: that is a no until the facts change.
    MergeRequestClosedByPerson,
    /// A person pushed to the branch: it is theirs.
    BranchIsAPersons,
    /// The same facts were merged; what people changed of the line since counts as meant.
    MergedAsMeant,
    /// Others that open merge requests have to be counted first.
    WaitsForTurn,
    /// As many merge requests are open as the page allows.
    TooManyOpen {
        /// Open now.
        open: usize,
        /// The limit.
        most: usize,
        /// Others that wait and came before.
        ahead: usize,
    },
    /// As many merge requests were opened within an hour as the page allows.
    TooManyLately {
        /// Opened within the last hour.
        lately: usize,
        /// The limit.
        most: usize,
        /// Others that wait and came before.
        ahead: usize,
    },
    /// The merge request is a draft, for these reasons.
    Draft(&'static str),
    /// A malformed row; it stays as it is.
    MalformedRow {
        /// The page's path.
        page: String,
        /// The row's line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
        /// Whether a repair is known for certain.
        mendable: bool,
    },
    /// Nobody has this username, so the line leaves it out.
    NoSuchPerson(Username),
    /// The changes of the page go into one merge request together.
    InBatch,
    /// The handbook page cannot be edited; the sentence says what was found and the mend.
    PageUnusable(String),
    /// The templates of new communities have faults, each a sentence for the operator.
    TemplatesBroken(Vec<String>),
    /// The program has no handbook page.
    NoHandbook,
    /// Private projects are not named on the page.
    PrivateNotListed,
    /// The page has no row and the charter says that it needs none.
    NotListed,
    /// More removals than are allowed within a day.
    RemovalsCapped,
    /// An issue in the intake project tells people what to mend.
    Noticed(&'static str),
    /// Webhook deliveries that did not arrive; everything is looked at instead.
    MissedDeliveries(usize),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAProposal => "the issue has no `cop::` label, so it is no proposal",
            Self::Confidential => "the issue is confidential, nothing public is made from it",
            Self::Closed => "the issue was closed by a person",
            Self::NeedsInfo { findings } => {
                return write!(f, "the proposal needs its author: {findings} to mend");
            }
            Self::WaitsForApproval => "waits for an approver",
            Self::Declined => "an approver declined it",
            Self::UpToDate => "everything is as it should be",
            Self::MergedAsMeant => "it was merged; what people made of the line counts as meant until the facts change",
            Self::WaitsForTurn => "waits: other merge requests of the page are counted first",
            Self::TooManyOpen { open, most, ahead } => {
                write!(
                    f,
                    "waits: limit of merge requests: {open} of {most} are open (`max_open`)"
                )?;
                return others_ahead(f, *ahead);
            }
            Self::TooManyLately { lately, most, ahead } => {
                let hour = "were opened within the last hour (`max_per_hour`)";
                write!(f, "waits: limit of merge requests: {lately} of {most} {hour}")?;
                return others_ahead(f, *ahead);
            }
            Self::Draft(why) => return write!(f, "the merge request is a draft: {why}"),
            Self::MalformedRow {
                page,
                line,
                why,
                mendable,
            } => {
                write!(f, "{page}, line {line}: {why}; the row stays as it is")?;
                let mend = "; `convenor apply --repair` proposes to mend it";
                return f.write_str(if *mendable { mend } else { "" });
            }
            Self::NoSuchPerson(name) => {
                return write!(
                    f,
                    "GitLab knows no person called @{}; the line leaves them out",
                    name.as_str()
                );
            }
            Self::InBatch => "the changes of this page go into one merge request together",
            Self::ProjectGone => "its project was deleted or archived; a person's deletion is not undone",
            Self::ForeignProject => "a project that is not ours stands at the wanted path",
            Self::NoCharter => "the project has no charter, so it is no community",
            Self::BrokenCharter => "the charter cannot be read; nothing is changed until it is mended",
            Self::BeingMade => "the community is being set up",
            Self::WaitsForMerge => "the merge request waits for a maintainer",
            Self::MergeRequestClosedByPerson => "a person closed the merge request; that counts until the facts change",
            Self::BranchIsAPersons => "a person pushed to the branch, so it is theirs",
            Self::PageUnusable(why) => return f.write_str(why),
            Self::TemplatesBroken(faults) => return write!(f, "the templates have faults: {}", faults.join("; ")),
            Self::NoHandbook => "the program has no handbook page",
            Self::PrivateNotListed => "the project is private and the program does not list private projects",
            Self::NotListed => "the community needs no row",
            Self::Noticed(cause) => {
                return write!(
                    f,
                    "people have to act ({cause}); an issue in the intake project says how"
                );
            }
            Self::MissedDeliveries(count) => {
                return write!(
                    f,
                    "{count} webhook deliveries did not arrive; everything is looked at instead"
                );
            }
            Self::RemovalsCapped => {
                "more rows would be removed within a day than is allowed; `convenor apply --allow-removals` releases it"
            }
        })
    }
}

fn others_ahead(f: &mut fmt::Formatter<'_>, ahead: usize) -> fmt::Result {
    match ahead {
        0 => Ok(()),
        1 => f.write_str(", and one other goes first"),
        many => write!(f, ", and {many} others go first"),
    }
}

/// What a plan takes for granted about who may know what it tells. When it is no longer so, the plan is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Premise {
    /// Nothing is told.
    None,
    /// A proposal's issue.
    Proposal {
        /// Not closed.
        open: bool,
        /// Only members see it.
        confidential: bool,
        /// Hash of its text.
        text: String,
    },
    /// A community's project, and the pages on which it is named.
    Community {
        /// Who sees the project; `None`: it is gone, archived or about to be deleted.
        project: Option<Visibility>,
        /// Who sees each page, in the order of the settings.
        pages: Vec<Visibility>,
    },
    /// The pages themselves, and all that are named on them together.
    Handbook {
        /// Who sees the intake, where a page's faults are told.
        intake: Visibility,
        /// Who sees each page, in the order of the settings.
        pages: Vec<Visibility>,
        /// Who sees the communities' projects; without those that are archived.
        members: BTreeMap<ProjectId, Visibility>,
    },
    /// The places that notices in the intake project are about.
    Lifeline(Readers),
}

impl Premise {
    /// That of a proposal with this issue.
    #[must_use]
    pub fn of_proposal(issue: &seen::IssueSeen) -> Self {
        Self::Proposal {
            open: issue.open,
            confidential: issue.confidential,
            text: crate::proposal::text_hash(&issue.title, &issue.description),
        }
    }

    /// That of a community with this project, on these pages.
    #[must_use]
    pub fn of_community(project: Option<&seen::ProjectSeen>, pages: Vec<Visibility>) -> Self {
        let there = project.filter(|project| !project.archived && !project.marked_for_deletion);
        Self::Community {
            project: there.map(|project| project.visibility),
            pages,
        }
    }

    /// That of a program's pages; `members` is empty when no page is made from all communities together.
    #[must_use]
    pub fn of_handbook(intake: Visibility, pages: Vec<Visibility>, members: &[seen::MemberSeen]) -> Self {
        let there = members.iter().filter(|member| !member.archived);
        Self::Handbook {
            intake,
            pages,
            members: there.map(|member| (member.project, member.visibility)).collect(),
        }
    }
}

/// Where a file stood when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The last commit that touched *this file*: what `last_commit_id` of a commit's action is compared with.
    pub last_commit: Option<CommitSha>,
}

#[cfg(test)]
mod tests;
