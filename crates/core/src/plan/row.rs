//! A change of the handbook page on its way: one branch and one merge request per community.
//!
//! What is ours is told from GitLab alone. A commit of ours carries a trailer with the digest of the page that it made: where
//! the branch's head has no such trailer, or the page there has other bytes, a person has been at it and the branch is theirs.
//! A merge request of ours carries a marker with the facts that it is about: where a person closed one, the same facts are
//! not proposed again.

use serde::{Deserialize, Serialize};

use super::seen::{BranchSeen, MergeRequestSeen, MergeRequestState, PageSeen};
use super::step::FileChange;
use super::{Plan, Remark, Step};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Marker, Title};
use crate::ids::{IssueIid, ProjectId, UserId};
use crate::table::merges_cleanly;

/// Trailer of our commits: the digest of the page as the commit made it.
const PAGE_TRAILER: &str = "Convenor-Page";

/// Kind of the marker in our merge requests.
const MARKER: &str = "row";

/// What the page should become.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The page on the target branch says it already.
    AsItIs,
    /// The page with the change.
    Page(Vec<u8>),
}

/// The words of the branch's commit and of the merge request.
#[derive(Clone, Debug)]
pub struct Words {
    /// The merge request's title, and the first line of the commit's message.
    pub title: Title,
    /// The commit's message, without our trailer.
    pub commit: CommitMessage,
    /// Why, who, links, the row before and after.
    pub description: Markdown,
}

/// All that the decision depends on.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Who we are.
    pub bot: UserId,
    /// Which community the row is about.
    pub community: ProjectId,
    /// The page on its target branch, as it was read.
    pub page: &'a PageSeen,
    /// Its path.
    pub path: &'a str,
    /// Our branch's name.
    pub branch_name: &'a str,
    /// Our branch, if there is one.
    pub branch: Option<&'a BranchSeen>,
    /// Merge requests from it, newest first.
    pub merge_requests: &'a [MergeRequestSeen],
    /// What the page should become.
    pub wanted: Wanted,
    /// The proposal that the community came from, when its issue is in the program's intake.
    pub proposal: Option<IssueIid>,
    /// A digest of what the row should say; wording and place are not in it.
    pub facts: &'a Digest,
    /// What to write into commit and merge request.
    pub words: Words,
    /// Whether the row is taken out.
    pub removes_row: bool,
    /// Labels of a new merge request.
    pub labels: &'a [String],
    /// Reviewers of a new merge request.
    pub reviewers: &'a [UserId],
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RowMarker {
    community: ProjectId,
    proposal: Option<IssueIid>,
    facts: Digest,
    digest: Digest,
}

/// What is due for this change.
#[must_use]
pub fn plan(change: &Change<'_>) -> Plan {
    let in_state = |state| change.merge_requests.iter().find(move |mr| mr.state == state);
    if in_state(MergeRequestState::Locked).is_some() {
        return Plan::nothing(Remark::WaitsForMerge);
    }
    match (&change.wanted, in_state(MergeRequestState::Opened)) {
        (Wanted::AsItIs, Some(open)) if open.author == change.bot => no_longer_needed(change, open),
        (Wanted::AsItIs, _) => Plan::nothing(Remark::UpToDate),
        (Wanted::Page(page), Some(open)) => keep_true(change, page, open),
        (Wanted::Page(page), None) => propose(change, page),
    }
}

fn no_longer_needed(change: &Change<'_>, open: &MergeRequestSeen) -> Plan {
    if !change.branch.is_none_or(is_ours) {
        return Plan::nothing(Remark::BranchIsAPersons);
    }
    let description = Markdown::new().words("The page says this already, so nothing is left to merge.");
    let step = Step::CloseMergeRequest {
        project: change.page.project,
        merge_request: open.iid,
        description: marked(change, &description),
    };
    Plan {
        steps: vec![step],
        report: vec![Remark::UpToDate],
        knocks: Vec::new(),
    }
}

fn keep_true(change: &Change<'_>, page: &[u8], open: &MergeRequestSeen) -> Plan {
    let mut plan = Plan {
        report: vec![Remark::WaitsForMerge],
        ..Plan::default()
    };
    match state_of_branch(change, page, open.conflicts == Some(true)) {
        Branch::Good => {}
        Branch::APersons => {
            plan.report = vec![Remark::BranchIsAPersons];
            let description = change.words.description.clone().words(
                "\n\n**Somebody else has pushed to this branch, so it is theirs now:** \
                 Convenor leaves it alone. Deleting the branch hands the row back.",
            );
            plan.steps.extend(description_update(change, open, &description));
            return plan;
        }
        Branch::Missing => plan.steps.push(commit(change, page, false)),
        Branch::Rebuild => plan.steps.push(commit(change, page, true)),
    }
    plan.steps
        .extend(description_update(change, open, &change.words.description));
    plan
}

fn propose(change: &Change<'_>, page: &[u8]) -> Plan {
    if let Some(newest) = change.merge_requests.first() {
        let same_facts = marker_of(newest).is_some_and(|marker| marker.facts == *change.facts);
        match newest.state {
            MergeRequestState::Merged if same_facts => return Plan::nothing(Remark::UpToDate),
            MergeRequestState::Closed if same_facts && newest.closed_by != Some(change.bot) => {
                return Plan::nothing(Remark::MergeRequestClosedByPerson);
            }
            _ => {}
        }
    }
    let mut plan = Plan::default();
    match state_of_branch(change, page, false) {
        Branch::Good => {}
        Branch::APersons => return Plan::nothing(Remark::BranchIsAPersons),
        Branch::Missing => plan.steps.push(commit(change, page, false)),
        Branch::Rebuild => plan.steps.push(commit(change, page, true)),
    }
    plan.steps.push(Step::CreateMergeRequest {
        project: change.page.project,
        source: change.branch_name.to_owned(),
        target: change.page.branch.clone(),
        title: change.words.title.clone(),
        description: marked(change, &change.words.description),
        labels: change.labels.to_vec(),
        reviewers: change.reviewers.to_vec(),
        removes_row: change.removes_row,
    });
    plan.report.push(Remark::WaitsForMerge);
    plan
}

enum Branch {
    Good,
    APersons,
    Missing,
    Rebuild,
}

fn state_of_branch(change: &Change<'_>, wanted: &[u8], conflicts: bool) -> Branch {
    let Some(branch) = change.branch else {
        return Branch::Missing;
    };
    let there = branch.page.as_ref().map(|file| file.bytes.as_slice());
    if there == Some(wanted) && !conflicts {
        return Branch::Good;
    }
    if !is_ours(branch) {
        return Branch::APersons;
    }
    let target = change.page.file.as_ref().map(|file| file.bytes.as_slice());
    match (there, branch.base_page.as_deref(), target) {
        (Some(there), Some(base), Some(target)) if !conflicts && merges_cleanly(base, target, there, wanted) => {
            Branch::Good
        }
        _ => Branch::Rebuild,
    }
}

/// Whether the head of the branch is a commit of ours, untouched.
fn is_ours(branch: &BranchSeen) -> bool {
    let Some(page) = &branch.page else { return false };
    let expected = Digest::of(&page.bytes);
    let mut trailers = branch
        .message
        .expose()
        .lines()
        .filter_map(|line| line.strip_prefix(PAGE_TRAILER));
    trailers.any(|rest| {
        rest.strip_prefix(':')
            .is_some_and(|value| value.trim() == expected.as_str())
    })
}

fn commit(change: &Change<'_>, page: &[u8], force: bool) -> Step {
    let seen = change.page.file.as_ref();
    Step::Commit {
        project: change.page.project,
        branch: change.branch_name.to_owned(),
        start: Some(change.page.branch.clone()),
        force,
        message: change
            .words
            .commit
            .clone()
            .trailer_digest(PAGE_TRAILER, &Digest::of(page)),
        files: vec![FileChange::Update {
            path: change.path.to_owned(),
            content: page.to_vec(),
            last_commit: seen.and_then(|file| file.last_commit.clone()),
        }],
    }
}

/// The words of a merge request that somebody else opened from our branch are theirs.
fn description_update(change: &Change<'_>, open: &MergeRequestSeen, description: &Markdown) -> Option<Step> {
    let wanted = marker(change, description);
    let is_due = open.author == change.bot && marker_of(open).as_ref() != Some(&wanted);
    is_due.then(|| Step::UpdateMergeRequest {
        project: change.page.project,
        merge_request: open.iid,
        title: change.words.title.clone(),
        description: marked(change, description),
    })
}

fn marked(change: &Change<'_>, description: &Markdown) -> Markdown {
    let data = serde_json::to_value(marker(change, description)).unwrap_or_default();
    Markdown::new()
        .marker(&Marker { kind: MARKER, data })
        .append(description)
}

fn marker(change: &Change<'_>, description: &Markdown) -> RowMarker {
    RowMarker {
        community: change.community,
        proposal: change.proposal,
        facts: change.facts.clone(),
        digest: Digest::of(description.as_str().as_bytes()),
    }
}

fn marker_of(merge_request: &MergeRequestSeen) -> Option<RowMarker> {
    let value = Marker::find(merge_request.description.expose(), MARKER)?;
    serde_json::from_value(value).ok()
}

/// Whom a merge request of ours is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The community.
    pub community: ProjectId,
    /// The proposal that it came from.
    pub proposal: Option<IssueIid>,
}

/// Whom a merge request is about, if it is ours.
#[must_use]
pub fn concern(merge_request: &MergeRequestSeen, bot: UserId) -> Option<Concern> {
    let marker = marker_of(merge_request).filter(|_| merge_request.author == bot)?;
    Some(Concern {
        community: marker.community,
        proposal: marker.proposal,
    })
}
