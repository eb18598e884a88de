//! A change of a page on its way: one branch and one merge request.
//!
//! What is ours is told from GitLab alone. A commit of ours carries a trailer with the digest of the page that it made: where
//! the branch's head has no such trailer, or the page there has other bytes, a person has been at it and the branch is theirs.
//! A merge request of ours carries a marker with the facts that it is about: where a person closed one, the same facts are
//! not proposed again. What a person has changed of it (title, draft) stays as they want it.

mod branch;
mod marker;

use self::branch::{Standing, commit, is_ours, standing};
use super::seen::{MergeRequestSeen, MergeRequestState, PageSeen, PlaceSeen, Traffic};
use super::step::Opening;
use super::{Plan, Remark, Step, Turn};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Title};
use crate::ids::{ProjectId, UserId};
use crate::program::{DraftPolicy, Manners};

pub use marker::{ChangeMarker, Item, What, concern};

/// What the page should become.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Nothing is to be changed.
    Nothing(Settled),
    /// The page with the change.
    Page(Vec<u8>),
}

/// Why nothing is to be changed, for the report and for a merge request that is closed because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// For the report.
    pub remark: Remark,
    /// For the merge request: a whole sentence.
    pub reason: &'static str,
}

impl Settled {
    /// The page says it.
    pub const ON_THE_PAGE: Self = Self {
        remark: Remark::UpToDate,
        reason: "The page on the target branch says this already, so nothing is left to merge.",
    };
}

/// The words of the branch's commit and of the merge request.
#[derive(Clone, Debug)]
pub struct Words {
    /// The merge request's title.
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
    /// What it is about.
    pub what: What,
    /// The page's name in the settings.
    pub page_name: &'a str,
    /// Which communities it is about.
    pub items: Vec<Item>,
    /// The page on its target branch, as it was read.
    pub page: &'a PageSeen,
    /// Its path.
    pub path: &'a str,
    /// Our branch and the merge requests from it.
    pub place: &'a PlaceSeen,
    /// What the page should become.
    pub wanted: Wanted,
    /// A digest of everything that is proposed.
    pub facts: Digest,
    /// What to write into commit and merge request.
    pub words: Words,
    /// Whether it should be a draft now.
    pub draft: bool,
    /// Whether a row is taken out.
    pub removes_row: bool,
    /// What a new merge request is opened with.
    pub opening: Opening,
    /// How many others there are, when there is a limit; `None`: not known yet.
    pub traffic: Option<Traffic>,
    /// The limits and manners of the page; `None`: there are none.
    pub manners: Option<&'a Manners>,
}

/// What is due for this change.
#[must_use]
pub fn plan(change: &Change<'_>) -> Plan {
    let in_state = |state| {
        change
            .place
            .merge_requests
            .iter()
            .find(move |mr: &&MergeRequestSeen| mr.state == state)
    };
    if in_state(MergeRequestState::Locked).is_some() {
        return Plan::nothing(Remark::WaitsForMerge);
    }
    match (&change.wanted, in_state(MergeRequestState::Opened)) {
        (Wanted::Nothing(settled), Some(open)) if open.author == change.bot => no_longer_needed(change, open, settled),
        (Wanted::Nothing(settled), _) => Plan::nothing(settled.remark.clone()),
        (Wanted::Page(page), Some(open)) => keep_true(change, page, open),
        (Wanted::Page(page), None) => propose(change, page),
    }
}

fn no_longer_needed(change: &Change<'_>, open: &MergeRequestSeen, settled: &Settled) -> Plan {
    if !change.place.branch.as_ref().is_none_or(is_ours) {
        return Plan::nothing(Remark::BranchIsAPersons);
    }
    let reason = Markdown::new().words("**Closed by Convenor.** ").words(settled.reason);
    let description = match settled.remark {
        // It has fewer readers than this merge request now: not even its name is said again.
        Remark::PrivateNotListed => reason,
        _ => reason.words("\n\n---\n\n").append(&change.words.description),
    };
    Plan {
        steps: vec![
            Step::CloseMergeRequest {
                project: change.page.project,
                merge_request: open.iid,
                description: ChangeMarker::of(change, &description).before(&description),
            },
            // Last, and never looked for again: should it get lost, the description says the same.
            Step::CommentOnMergeRequest {
                project: change.page.project,
                merge_request: open.iid,
                body: Markdown::new().words(settled.reason).words(
                    " This merge request is closed because of that, not because of anything that was said here.",
                ),
            },
        ],
        report: vec![settled.remark.clone()],
        ..Plan::default()
    }
}

fn keep_true(change: &Change<'_>, page: &[u8], open: &MergeRequestSeen) -> Plan {
    let mut plan = Plan {
        report: vec![Remark::WaitsForMerge],
        ..Plan::default()
    };
    let becomes_removal = change.removes_row && !is_removal(open, change.bot);
    if becomes_removal && open.author != change.bot {
        // It would be said nowhere.
        return Plan::nothing(Remark::BranchIsAPersons);
    }
    let commit = match standing(change, page, Some(open)) {
        Standing::Good => None,
        Standing::APersons => {
            plan.report = vec![Remark::BranchIsAPersons];
            let description = Markdown::new()
                .words(
                    "**Somebody else has pushed to this branch, so it is theirs now:** Convenor leaves it alone, also when the \
                     page moves on. What is merged from it counts as meant. Deleting the branch hands the change back to \
                     Convenor, which would then write what stands below.\n\n---\n\n",
                )
                .append(&change.words.description);
            plan.steps.extend(update(change, open, &description, true));
            return plan;
        }
        Standing::Missing => Some(commit(change, page, None)),
        Standing::Rebuild(head) => Some(commit(change, page, Some(head))),
    };
    let update = update(change, open, &change.words.description, false);
    // A removal is said, and counted, before the branch has it.
    let steps = if becomes_removal {
        [update, commit]
    } else {
        [commit, update]
    };
    plan.steps.extend(steps.into_iter().flatten());
    plan
}

/// Whether a merge request of ours takes a row out, as it says itself.
#[must_use]
pub fn is_removal(merge_request: &MergeRequestSeen, bot: UserId) -> bool {
    concern(merge_request, bot).is_some_and(|marker| marker.removes)
}

fn propose(change: &Change<'_>, page: &[u8]) -> Plan {
    if let Some(newest) = change.place.merge_requests.first() {
        let same_facts = ChangeMarker::in_text(newest).is_some_and(|marker| marker.facts == change.facts);
        match newest.state {
            MergeRequestState::Merged if same_facts => return Plan::nothing(Remark::MergedAsMeant),
            MergeRequestState::Closed if same_facts && newest.closed_by != Some(change.bot) => {
                return Plan::nothing(Remark::MergeRequestClosedByPerson);
            }
            _ => {}
        }
    }
    let standing = standing(change, page, None);
    if matches!(standing, Standing::APersons) {
        return Plan::nothing(Remark::BranchIsAPersons);
    }
    let mut plan = Plan::default();
    if let Some(limits) = change.manners.filter(|limits| has_limit(limits)) {
        let Some(traffic) = change.traffic else {
            plan.turns.insert(change.page_name.to_owned(), Turn::Unknown);
            plan.report.push(Remark::WaitsForTurn);
            return plan;
        };
        if let Some(why) = is_full(limits, traffic) {
            plan.turns.insert(change.page_name.to_owned(), Turn::Waits);
            plan.report.push(why);
            return plan;
        }
        plan.turns.insert(change.page_name.to_owned(), Turn::Taken);
    }
    match standing {
        Standing::Good | Standing::APersons => {}
        Standing::Missing => plan.steps.push(commit(change, page, None)),
        Standing::Rebuild(head) => plan.steps.push(commit(change, page, Some(head))),
    }
    plan.steps.push(Step::CreateMergeRequest {
        project: change.page.project,
        source: change.place.name.clone(),
        target: change.page.branch.clone(),
        title: titled(&change.words.title, change.draft),
        description: ChangeMarker::of(change, &change.words.description).before(&change.words.description),
        opening: change.opening.clone(),
        removes_row: change.removes_row,
    });
    plan.report.push(Remark::WaitsForMerge);
    plan
}

fn has_limit(manners: &Manners) -> bool {
    manners.max_open > 0 || manners.max_per_hour > 0
}

/// Why no further merge request may be opened now. Those who wait already go first.
fn is_full(limits: &Manners, traffic: Traffic) -> Option<Remark> {
    let full = |there: usize, most: usize| most > 0 && there + traffic.ahead >= most;
    if full(traffic.open, limits.max_open) {
        return Some(Remark::TooManyOpen {
            open: traffic.open,
            most: limits.max_open,
            ahead: traffic.ahead,
        });
    }
    full(traffic.lately, limits.max_per_hour).then_some(Remark::TooManyLately {
        lately: traffic.lately,
        most: limits.max_per_hour,
        ahead: traffic.ahead,
    })
}

fn titled(title: &Title, draft: bool) -> Title {
    if draft { title.clone().as_draft() } else { title.clone() }
}

/// The words of a merge request that somebody else opened from our branch are theirs; so is a title that somebody changed, and
/// so is the draft that somebody made or unmade. What a person's branch holds is what it held when they took it.
fn update(change: &Change<'_>, open: &MergeRequestSeen, description: &Markdown, is_theirs: bool) -> Option<Step> {
    if open.author != change.bot {
        return None;
    }
    let known = ChangeMarker::in_text(open);
    let (seen_title, seen_draft) = without_draft(open.title.expose());
    let draft = match &known {
        Some(known) if known.draft == change.draft => seen_draft,
        _ => change.draft,
    };
    let becomes_removal = change.removes_row && !is_theirs && known.as_ref().is_none_or(|known| !known.removes);
    // Under a title that somebody wrote for another change nothing is removed.
    let is_their_title = !becomes_removal
        && known
            .as_ref()
            .is_some_and(|known| known.title != Digest::of(seen_title.as_bytes()));
    let wanted = ChangeMarker::of(change, description);
    let wanted = ChangeMarker {
        title: match &known {
            Some(known) if is_their_title => known.title.clone(),
            _ => wanted.title,
        },
        ..wanted
    };
    let wanted = match &known {
        Some(known) if is_theirs => ChangeMarker {
            items: known.items.clone(),
            facts: known.facts.clone(),
            removes: known.removes,
            ..wanted
        },
        _ => wanted,
    };
    let title = (!is_their_title && (seen_title != change.words.title.as_str() || seen_draft != draft))
        .then(|| titled(&change.words.title, draft));
    let due = known.as_ref() != Some(&wanted) || title.is_some();
    due.then(|| Step::UpdateMergeRequest {
        project: change.page.project,
        merge_request: open.iid,
        title,
        description: wanted.before(description),
        removes_row: becomes_removal,
    })
}

/// A title without GitLab's marks of a draft (`MergeRequest::DRAFT_REGEX`), and whether it had one.
fn without_draft(title: &str) -> (&str, bool) {
    let mut rest = title;
    loop {
        let lower = rest.trim_start().to_ascii_lowercase();
        let mark = ["draft:", "[draft]", "(draft)"]
            .into_iter()
            .find(|mark| lower.starts_with(mark));
        match mark {
            Some(mark) => rest = rest.trim_start()[mark.len()..].trim_start(),
            None => return (rest, rest.len() != title.len()),
        }
    }
}

/// Whether a merge request should be a draft, when its community is ready or not.
#[must_use]
pub fn is_draft(policy: DraftPolicy, unready: bool) -> bool {
    match policy {
        DraftPolicy::Unready => unready,
        DraftPolicy::Always => true,
        DraftPolicy::Never => false,
    }
}

/// Whether a merge request of ours, open, is about this community's row on this page.
#[must_use]
pub fn is_row_of(merge_request: &MergeRequestSeen, bot: UserId, page: &str, community: ProjectId) -> bool {
    concern(merge_request, bot).is_some_and(|marker| {
        marker.what == What::Row && marker.page == page && marker.items.iter().any(|item| item.community == community)
    })
}
