//! Judging a proposal: what was understood, what is wrong, what looks alike, and where it stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::context::Context;
use super::listing::{self, Listing};
use super::provision;
use super::seen::{
    MergeRequestSeen, MergeRequestState, PageSeen, ProjectSeen, ProjectStanding, ProposalSeen, RivalSeen,
};
use super::status::Status;
use super::wanted::Wanted;
use super::wishes;
use crate::approval::{self, Acceptance, Approved, Facts, NotCounted, Signal, TextSince, Verdict};
use crate::command::{self, Command};
use crate::escape::{Markdown, ProjectName};
use crate::ids::{AccessLevel, NoteId, UserId, Username};
use crate::program::Program;
use crate::proposal::{self as form, Field, Finding, Proposal, Severity};
use crate::render::Fault;
use crate::similarity::{self, Candidate, Verdict as Likeness};
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// Everything that was found out about a proposal.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The form as far as it was understood, of the text that counts.
    pub read: form::Read,
    /// All findings: the form's own, those about people, names and paths.
    pub findings: Vec<Finding>,
    /// Communities that look alike, best first.
    pub look_alikes: Vec<LookAlike>,
    /// What the community would be, when the form is good.
    pub wanted: Option<Wanted>,
    /// Hash of the text that counts.
    pub text_hash: String,
    /// The last change of the issue's text.
    pub since: TextSince,
    /// Wishes that do not count, with the reason.
    pub refused: Vec<(Signal, NotCounted)>,
    /// Commands that ask for something else.
    pub other_commands: Vec<(Username, Command)>,
    /// Whether everything in the project was made once.
    pub made: bool,
    /// The community's lines, one for each handbook page with a table.
    pub listings: Vec<Listing>,
    /// Faults of the templates, which the operator mends.
    pub faults: Vec<Fault>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a proposal stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Only members see the issue: nothing is made from it.
    Confidential,
    /// The author has to mend something.
    NeedsInfo,
    /// An approver decides.
    Ready,
    /// An approver said no; the reason is in their comment.
    Declined {
        /// Who.
        by: Username,
        /// Their reason, if they gave one.
        reason: Option<Untrusted>,
    },
    /// The project that was made is gone.
    Gone,
    /// The templates of new communities are broken: the operator mends them.
    Broken,
    /// Approved and being made.
    Making(Approved),
    /// Everything is there and the row is merged, or the program has no page.
    Done(Approved),
}

/// A community, or another proposal, that looks like the proposed one.
#[derive(Clone, Debug)]
pub struct LookAlike {
    /// Its name.
    pub name: Untrusted,
    /// Its address, if it has one.
    pub url: Option<Url>,
    /// How alike.
    pub likeness: Likeness,
    /// Whether it sleeps: archived, so reviving it is a way.
    pub archived: bool,
}

/// Judges a proposal. `status` is what our comment remembers.
#[must_use]
pub fn judge(context: &Context<'_>, seen: &ProposalSeen, status: &Status) -> Judged {
    let current_hash = form::text_hash(&seen.issue.title, &seen.issue.description);
    let acceptance = valid_acceptance(seen, &current_hash);
    let read = match acceptance {
        Some(accepted) => form::parse(&accepted.title, &accepted.description),
        None => form::parse(&seen.issue.title, &seen.issue.description),
    };
    let mut findings = read.findings.clone();
    findings.extend(outside_findings(context.program, seen, &read.understood));
    let (wanted, faults) = wanted(context, seen, read.form.as_ref().filter(|_| !blocks(&findings)));
    let since = wishes::text_since(seen, status, &current_hash);
    let wishes = wishes::read(seen);
    let roles = roles_now(seen, context.now);
    let mut blocked = seen.blocked.clone();
    blocked.extend((!seen.issue.author_in_use).then_some(seen.issue.author.id));
    let facts = Facts {
        program: context.program,
        proposer: seen.issue.author.id,
        editor: wishes::last_editor(&seen.notes),
        roles: &roles,
        blocked: &blocked,
        since,
        signals: &wishes.signals,
    };
    let (refused, verdict) = (wishes::refused(&facts), verdict(&facts, acceptance));
    let made = status.made || wanted.as_ref().is_some_and(|wanted| provision::is_made(seen, wanted));
    let listings = listing::of_proposal(context.program, seen, wanted.as_ref());
    let stage = match verdict {
        _ if seen.issue.confidential => Stage::Confidential,
        _ if matches!(seen.project, ProjectStanding::Gone) => Stage::Gone,
        Verdict::Declined { by, note } => Stage::Declined {
            by,
            reason: note.and_then(|id| decline_reason(seen, id)),
        },
        _ if !faults.is_empty() => Stage::Broken,
        _ if wanted.is_none() => Stage::NeedsInfo,
        Verdict::Approved(approved) if made && is_listed(seen, &listings) => Stage::Done(approved),
        Verdict::Approved(approved) => Stage::Making(approved),
        Verdict::Waiting => Stage::Ready,
    };
    Judged {
        look_alikes: look_alikes(seen, &read, &listing::names(context.program, seen)),
        text_hash: acceptance.map_or(current_hash, |accepted| accepted.text_hash.clone()),
        read,
        findings,
        wanted,
        since,
        refused,
        other_commands: wishes.others,
        made,
        listings,
        faults,
        stage,
    }
}

/// Roles without those that have ended, although GitLab still lists them.
fn roles_now(seen: &ProposalSeen, now: Timestamp) -> BTreeMap<UserId, AccessLevel> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let lasting = seen
        .roles
        .iter()
        .filter(|(_, role)| role.until.is_none_or(|until| until > today));
    lasting.map(|(user, role)| (*user, role.level)).collect()
}

/// The acceptance counts while its text is the issue's text, and once the project exists whatever the text becomes.
fn valid_acceptance<'a>(seen: &'a ProposalSeen, current_hash: &str) -> Option<&'a Acceptance> {
    let made = matches!(seen.project, ProjectStanding::Ours(_) | ProjectStanding::Gone);
    seen.acceptance
        .as_ref()
        .filter(|accepted| made || accepted.text_hash == current_hash)
}

fn verdict(facts: &Facts<'_>, acceptance: Option<&Acceptance>) -> Verdict {
    match (approval::check(facts), acceptance) {
        (Verdict::Waiting, Some(accepted)) => Verdict::Approved(Approved::recorded(accepted)),
        (verdict, _) => verdict,
    }
}

/// On every page the line is there, was merged, or is not wanted. While a merge request is open, the last word is not said, wherever
/// the line came from: it would say that somebody waits, and nobody would look again.
fn is_listed(seen: &ProposalSeen, listings: &[Listing]) -> bool {
    let is_done = |(listing, (_, merge_requests)): (&Listing, &(PageSeen, Vec<MergeRequestSeen>))| match (
        listing,
        merge_requests.first().map(|newest| newest.state),
    ) {
        (Listing::Private, _) | (_, Some(MergeRequestState::Merged)) => true,
        (Listing::There, state) => state != Some(MergeRequestState::Opened),
        _ => false,
    };
    listings.iter().zip(&seen.pages).all(is_done)
}

fn wanted(context: &Context<'_>, seen: &ProposalSeen, form: Option<&Proposal>) -> (Option<Wanted>, Vec<Fault>) {
    match form.map(|form| Wanted::new(context, seen, form)) {
        None => (None, Vec::new()),
        Some(Ok(wanted)) => (Some(wanted), Vec::new()),
        Some(Err(faults)) => (None, faults),
    }
}

/// Findings about people, names and paths. Once the project is there, it is too late to ask for another name, and somebody who
/// has left meanwhile is only mentioned.
fn outside_findings(program: &Program, seen: &ProposalSeen, form: &form::Understood) -> Vec<Finding> {
    let mut findings = form::check_people(form, &seen.people);
    if matches!(seen.project, ProjectStanding::Ours(_) | ProjectStanding::Gone) {
        for finding in &mut findings {
            finding.severity = Severity::Note;
        }
    } else if let (Some(name), Some(slug)) = (&form.name, &form.slug) {
        findings.extend(name_findings(program, seen, name, slug));
    }
    findings
}

fn blocks(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Refusal)
}

/// Conflicts of name and path with projects and with proposals that were there first.
fn name_findings(program: &Program, seen: &ProposalSeen, wanted: &ProjectName, slug: &Slug) -> Vec<Finding> {
    let same_name = |project: &&ProjectSeen| {
        let name = project.name.expose().trim().to_lowercase();
        let is_same = name == wanted.as_str().to_lowercase() || project.path.eq_ignore_ascii_case(slug.as_str());
        // A subgroup has names of its own; what looks alike there is only mentioned.
        is_same && program.holds_directly(&project.full_path)
    };
    let taken = match &seen.project {
        ProjectStanding::Foreign(project) => Some(project),
        _ => seen.projects.iter().find(same_name),
    };
    let mut findings: Vec<Finding> = taken.map(|project| name_taken(seen, project)).into_iter().collect();
    if matches!(seen.project, ProjectStanding::Group) {
        // Whose it is and what it is called, not every reader may know.
        let found = Markdown::new().words("this name or path is taken");
        findings.push(Finding::refusal(
            Field::FocusTopic,
            found,
            Markdown::new().words("choose another name"),
        ));
    }
    let earlier = seen.rivals.iter().filter(|rival| rival.iid < seen.issue.iid);
    let rival = earlier
        .into_iter()
        .find(|rival| Slug::from_name(&rival.name).is_ok_and(|theirs| theirs == *slug));
    // The earlier proposal's project is the same answer once more.
    findings.extend(rival.filter(|_| taken.is_none()).map(proposed_already));
    findings
}

fn name_taken(seen: &ProposalSeen, project: &ProjectSeen) -> Finding {
    let found = Markdown::new().words("a project with this name or path exists already");
    if !is_known_here(seen, project) {
        return Finding::refusal(Field::FocusTopic, found, Markdown::new().words("choose another name"));
    }
    let found = found.words(": ").link(&project.name, &project.web_url);
    let mend = Markdown::new().words("join that community, or choose another name");
    Finding::refusal(Field::FocusTopic, found, mend)
}

/// Whether everybody who reads the issue may know of the project.
pub(super) fn is_known_here(seen: &ProposalSeen, project: &ProjectSeen) -> bool {
    project.visibility >= seen.intake.visibility
}

fn proposed_already(rival: &RivalSeen) -> Finding {
    let found = Markdown::new()
        .words("an earlier proposal asks for the same name: ")
        .link(&rival.name, &rival.web_url);
    let mend = Markdown::new().words("join forces there, or choose another name");
    Finding::refusal(Field::FocusTopic, found, mend)
}

fn look_alikes(seen: &ProposalSeen, read: &form::Read, listed: &[Untrusted]) -> Vec<LookAlike> {
    let Some(name) = read.understood.topic.clone() else {
        return Vec::new();
    };
    let own = match &seen.project {
        ProjectStanding::Ours(project) => Some(project.id),
        _ => None,
    };
    let mut known: Vec<LookAlike> = Vec::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut add = |name: &Untrusted, purpose: &Untrusted, url: Option<Url>, archived: bool| {
        candidates.push(Candidate {
            name: name.clone(),
            purpose: purpose.clone(),
        });
        known.push(LookAlike {
            name: name.clone(),
            url,
            likeness: Likeness::Distinct,
            archived,
        });
    };
    let is_peer = |project: &&ProjectSeen| {
        Some(project.id) != own
            && project.id != seen.intake.id
            && !project.marked_for_deletion
            && is_known_here(seen, project)
    };
    for project in seen.projects.iter().filter(is_peer) {
        add(
            &project.name,
            &project.description,
            Some(project.web_url.clone()),
            project.archived,
        );
    }
    for rival in &seen.rivals {
        add(&rival.name, &rival.purpose, Some(rival.web_url.clone()), false);
    }
    let named: Vec<String> = seen
        .projects
        .iter()
        .map(|project| project.name.expose().trim().to_lowercase())
        .collect();
    for listed in listed
        .iter()
        .filter(|listed| !named.contains(&listed.expose().trim().to_lowercase()))
    {
        add(listed, &Untrusted::default(), None, false);
    }
    let purpose = read.understood.purpose.clone().unwrap_or_default();
    let proposed = Candidate { name, purpose };
    let matches = similarity::rank(&proposed, &candidates);
    let alike = matches
        .iter()
        .filter(|found| found.verdict != Likeness::Distinct)
        .take(5);
    alike
        .map(|found| LookAlike {
            likeness: found.verdict,
            ..known[found.index].clone()
        })
        .collect()
}

fn decline_reason(seen: &ProposalSeen, id: NoteId) -> Option<Untrusted> {
    // The comment is read by more people than an internal note.
    let note = seen.notes.iter().find(|note| note.id == id && !note.internal)?;
    match command::parse(&note.body, &seen.bot.username)? {
        Command::Decline { reason } => (!reason.is_blank()).then_some(reason),
        _ => None,
    }
}
