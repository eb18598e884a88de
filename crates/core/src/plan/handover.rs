//! What one look hands to another, so that the second need not read what the first knows.
//!
//! The look at a proposal that has just made a project knows all that the plan for the community's row is made from, but for what
//! may lie around from an earlier community of the same path; and the look at the community knows the merge request that the last
//! words in the proposal's comment are about. Facts are handed over, never ownership, and only what was seen or answered moments ago.
//! Whatever does not fit gives `None`, and then there is one way: to look.

use super::seen::{
    CommunitySeen, ListingSeen, MergeRequestSeen, MergeRequestState, PlaceSeen, ProjectSeen, ProjectStanding,
    ProposalSeen, Removals,
};
use crate::charter;
use crate::ids::ProjectId;
use crate::program::{Handbook, PageKind, Program};

/// What would be seen of the community that a proposal's look has just made, given that nothing is on its branches, which are called
/// `branches` (in the order of the settings). Reviewers, assignees and other merge requests are left out.
#[must_use]
pub fn community(
    program: &Program,
    seen: &ProposalSeen,
    removals: Removals,
    branches: &[String],
) -> Option<CommunitySeen> {
    let (ProjectStanding::Ours(project), Some(inside)) = (&seen.project, &seen.inside) else {
        return None;
    };
    let file = inside.charter.clone()?;
    let charter = charter::read(&file.bytes).ok()?;
    let names = charter.facilitators.iter();
    let people = names.map(|name| {
        seen.people
            .get_key_value(name)
            .map(|(name, state)| (name.clone(), state.clone()))
    });
    let is_of_this = charter.proposal.as_ref().is_some_and(|proposal| {
        proposal.iid == seen.issue.iid && proposal.project.as_str().eq_ignore_ascii_case(&program.intake)
    });
    if !is_of_this || !has_only_own_rows(program) || branches.len() != seen.pages.len() {
        return None;
    }
    let others = seen.projects.iter().filter(|other| other.id != project.id);
    Some(CommunitySeen {
        bot: seen.bot.clone(),
        project: project.clone(),
        charter: Some(file),
        marks: super::resync::Marks::default(),
        people: people.collect::<Option<_>>()?,
        proposal: Some(seen.issue.clone()),
        issues: inside.issues.clone(),
        listings: seen.pages.iter().zip(branches).map(listing).collect(),
        removals,
        others: others
            .map(|other| (other.name.clone(), other.web_url.clone()))
            .collect(),
    })
}

fn listing(((page, requests), name): (&(super::seen::PageSeen, Vec<MergeRequestSeen>), &String)) -> ListingSeen {
    ListingSeen {
        page: page.clone(),
        place: PlaceSeen {
            name: name.clone(),
            merge_requests: requests.clone(),
            ..PlaceSeen::default()
        },
        reviewers: Vec::new(),
        assignees: Vec::new(),
        traffic: None,
    }
}

/// Whether each page has a line of each community, by a branch of its own.
fn has_only_own_rows(program: &Program) -> bool {
    let is_own = |handbook: &Handbook| handbook.kind == PageKind::Table && !handbook.manners.batch;
    program.handbooks.iter().all(is_own)
}

/// What a community's look did for the proposal that it came from.
#[derive(Clone, Debug)]
pub struct Opened {
    project: ProjectId,
    /// For each page, newest first.
    merge_requests: Vec<Vec<MergeRequestSeen>>,
}

impl Opened {
    /// The merge requests of a community's rows; `None` where there is none that waits for a maintainer.
    #[must_use]
    pub fn of(program: &Program, seen: &CommunitySeen) -> Option<Self> {
        let requests = |listing: &ListingSeen| listing.place.merge_requests.clone();
        let opened = Self {
            project: seen.project.id,
            merge_requests: seen.listings.iter().map(requests).collect(),
        };
        let is_open = |request: &MergeRequestSeen| request.state == MergeRequestState::Opened;
        let waits = opened.merge_requests.iter().flatten().any(is_open);
        (waits && has_only_own_rows(program)).then_some(opened)
    }
}

/// What would be seen of the proposal now; `None`: it is about another project, or merge requests were read already, which counts more.
#[must_use]
pub fn proposal(seen: ProposalSeen, opened: Opened) -> Option<ProposalSeen> {
    let mut seen = ProposalSeen {
        is_foreseen: true,
        ..seen
    };
    let is_it = |project: &ProjectSeen| project.id == opened.project;
    let was_read = seen.pages.iter().any(|(_, known)| !known.is_empty());
    if was_read
        || !matches!(&seen.project, ProjectStanding::Ours(project) if is_it(project))
        || seen.pages.len() != opened.merge_requests.len()
    {
        return None;
    }
    for ((_, known), requests) in seen.pages.iter_mut().zip(opened.merge_requests) {
        *known = requests;
    }
    Some(seen)
}
