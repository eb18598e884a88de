//! The way of a proposal: read, judged, answered in one comment, and made into a project once approved.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::comment;
use super::context::Context;
use super::judge::{Judged, Stage, judge};
use super::labels::{self, State};
use super::listing::Listing;
use super::provision;
use super::seen::{IssueSeen, ProjectStanding, ProposalSeen};
use super::status::{self, Status, own_statuses};
use super::{Plan, Remark, Step};
use crate::approval::Acceptance;
use crate::digest::Digest;
use crate::escape::{Markdown, Marker};
use crate::ids::{NoteId, UserId, Username};
use crate::program::Program;
use crate::proposal::{self as form, PersonState, Severity};
use crate::thing::Thing;

/// What is due for a proposal.
#[must_use]
pub fn plan(context: &Context<'_>, seen: &ProposalSeen) -> Plan {
    if let Some(why) = is_over(&seen.issue) {
        return Plan::nothing(why);
    }
    let known = own_statuses(&seen.notes, seen.bot.id);
    let status = known.first().map(|(_, status)| status.clone()).unwrap_or_default();
    let bound = bound(seen, &status);
    let seen = bound.as_ref().unwrap_or(seen);
    let judged = judge(context, seen, &status);
    let mut plan = Plan::default();
    plan.steps.extend(acceptance_step(seen, &judged, context.now));
    if !(seen.is_foreseen && is_being_filled(seen, &judged)) {
        plan.steps.extend(status_steps(context, seen, &judged, &known));
    }
    plan.steps.extend(state_step(seen, &judged));
    if let (Stage::Making(_), Some(wanted), false) = (&judged.stage, &judged.wanted, judged.made) {
        plan.steps.extend(provision::steps(seen, wanted));
        plan.look_by = provision::waits_until(seen, wanted);
    }
    plan.knocks.extend(handbook_knocks(context.program, seen, &judged));
    plan.report.push(remark(&judged));
    plan
}

/// The same with the people who were meant, where that differs: a name that belongs to another account than when the text was read
/// first is nobody's.
fn bound(seen: &ProposalSeen, status: &Status) -> Option<ProposalSeen> {
    let is_current = status.text == form::text_hash(&seen.issue.title, &seen.issue.description);
    let is_accepted = seen
        .acceptance
        .as_ref()
        .is_some_and(|text| text.text_hash == status.text);
    let is_another = |name: &Username, state: &PersonState| match (state, status.people.get(&name.key())) {
        (PersonState::Active { id, .. }, Some(meant)) => id != meant,
        _ => false,
    };
    let mut people = seen.people.clone();
    let others = people.iter_mut().filter(|(name, state)| is_another(name, state));
    let found = others.map(|(_, state)| *state = PersonState::Another).count();
    (found > 0 && (is_current || is_accepted)).then(|| ProposalSeen { people, ..seen.clone() })
}

/// While all goes well the comment waits until the project has everything: nobody can read so fast. Where something is in the way,
/// the next look observes, and what it tells is how far things are.
fn is_being_filled(seen: &ProposalSeen, judged: &Judged) -> bool {
    matches!(judged.stage, Stage::Making(_)) && matches!(seen.project, ProjectStanding::Ours(_)) && !judged.made
}

/// Why nothing can be due for a proposal with this issue; `None`: more has to be known.
#[must_use]
pub fn is_over(issue: &IssueSeen) -> Option<Remark> {
    if !labels::is_proposal(&issue.labels) {
        return Some(Remark::NotAProposal);
    }
    let is_active = issue.labels.iter().any(|label| label == State::Active.label());
    match (issue.open, is_active) {
        (true, _) => None,
        (false, true) => Some(Remark::UpToDate),
        (false, false) => Some(Remark::Closed),
    }
}

fn acceptance_step(seen: &ProposalSeen, judged: &Judged, now: Timestamp) -> Option<Step> {
    let Stage::Making(approved) = &judged.stage else {
        return None;
    };
    let current = form::text_hash(&seen.issue.title, &seen.issue.description);
    let known = seen
        .acceptance
        .as_ref()
        .is_some_and(|accepted| accepted.text_hash == judged.text_hash);
    (!known && judged.text_hash == current).then(|| {
        Step::RecordAcceptance(Acceptance {
            text_hash: current,
            title: seen.issue.title.clone(),
            description: seen.issue.description.clone(),
            by: approved.by().clone(),
            at: now,
        })
    })
}

fn status_steps(context: &Context<'_>, seen: &ProposalSeen, judged: &Judged, known: &[(NoteId, Status)]) -> Vec<Step> {
    let (project, issue) = (seen.intake.id, seen.issue.iid);
    let text = comment::status(context.program, seen, judged);
    let wanted = Status {
        digest: Digest::of(text.as_str().as_bytes()),
        ..remembered(seen, judged, known.first().map(|(_, status)| status), context.now)
    };
    let data = serde_json::to_value(&wanted).unwrap_or_default();
    let body = Markdown::new()
        .marker(&Marker {
            kind: status::MARKER,
            data,
        })
        .append(&text);
    let mut steps = match known.first() {
        None => vec![Step::CreateNote { project, issue, body }],
        Some((_, status)) if *status == wanted => Vec::new(),
        Some((note, _)) => vec![Step::UpdateNote {
            project,
            issue,
            note: *note,
            body,
        }],
    };
    let doubled = known.iter().skip(1);
    steps.extend(doubled.map(|(note, _)| Step::DeleteOwnNote {
        project,
        issue,
        note: *note,
    }));
    steps
}

/// All that the comment remembers but for the digest of its words.
fn remembered(seen: &ProposalSeen, judged: &Judged, known: Option<&Status>, now: Timestamp) -> Status {
    let made = match &seen.project {
        ProjectStanding::Ours(project) => Some(project.id),
        _ => known.and_then(|status| status.project),
    };
    let announced = match (&judged.stage, &judged.wanted) {
        (Stage::Making(_) | Stage::Done(_), Some(wanted)) => Some(wanted.slug.as_str().to_owned()),
        _ => None,
    };
    let same = known.filter(|status| status.path == announced);
    let announced_at = match same {
        Some(status) => status.announced_at,
        None => announced.as_ref().map(|_| now),
    };
    let active = seen.people.iter().filter_map(|(name, state)| match state {
        PersonState::Active { id, .. } => Some((name.key(), *id)),
        _ => None,
    });
    let mut people: BTreeMap<String, UserId> = active.collect();
    if let Some(known) = known.filter(|status| status.text == judged.text_hash) {
        people.extend(known.people.clone());
    }
    Status {
        people,
        text: judged.text_hash.clone(),
        since: Some(judged.since.at),
        path: announced,
        announced_at,
        project: made,
        made: judged.made,
        digest: Digest::default(),
    }
}

fn state_step(seen: &ProposalSeen, judged: &Judged) -> Option<Step> {
    let (state, close) = match &judged.stage {
        Stage::Confidential | Stage::Gone | Stage::Broken => return None,
        Stage::NeedsInfo => (State::NeedsInfo, false),
        Stage::Ready => (State::Ready, false),
        Stage::Declined { .. } => (State::Declined, true),
        Stage::Making(_) => (State::Approved, false),
        Stage::Done(_) => (State::Active, true),
    };
    let (add, remove) = labels::change(&seen.issue.labels, state);
    let due = add.is_some() || !remove.is_empty() || close;
    due.then_some(Step::SetIssueState {
        project: seen.intake.id,
        issue: seen.issue.iid,
        add,
        remove,
        close,
    })
}

/// Once the project is made, the line on the page is the community's own matter, or the page's where lines go together. A community
/// begins with its charter and does not wait for the rest.
fn handbook_knocks(program: &Program, seen: &ProposalSeen, judged: &Judged) -> Vec<Thing> {
    let ProjectStanding::Ours(project) = &seen.project else {
        return Vec::new();
    };
    let mut pages = judged.listings.iter().zip(&seen.pages);
    let waits = pages.any(|(listing, (_, found))| matches!(listing, Listing::Missing(_)) && found.is_empty());
    let has_begun = seen.inside.as_ref().is_some_and(|inside| inside.charter.is_some());
    if !(judged.made || has_begun) || !waits {
        return Vec::new();
    }
    let community = Thing::Community(program.name.clone(), project.id);
    let joint = program.has_joint_pages() && judged.made;
    let joint = joint.then(|| Thing::Handbook(program.name.clone()));
    [community].into_iter().chain(joint).collect()
}

fn remark(judged: &Judged) -> Remark {
    let to_mend = || {
        judged
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Refusal)
            .count()
    };
    match &judged.stage {
        Stage::Confidential => Remark::Confidential,
        Stage::NeedsInfo => Remark::NeedsInfo { findings: to_mend() },
        Stage::Ready => Remark::WaitsForApproval,
        Stage::Declined { .. } => Remark::Declined,
        Stage::Gone => Remark::ProjectGone,
        Stage::Broken => Remark::TemplatesBroken(judged.faults.iter().map(ToString::to_string).collect()),
        Stage::Making(_) => {
            let unusable = judged.listings.iter().find_map(|listing| match listing {
                Listing::Unusable(why) => Some(why.clone()),
                _ => None,
            });
            match unusable {
                Some(why) => Remark::PageUnusable(why),
                None if !judged.made => Remark::BeingMade,
                None => Remark::WaitsForMerge,
            }
        }
        Stage::Done(_) => Remark::UpToDate,
    }
}
