//! Several rows in one merge request (`batch = true`): its description lists them, and it follows as changes come and go.

use super::{At, Joint, Member, dropped, is_open, joint, page_words};
use crate::charter::Charter;
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Title};
use crate::ids::{IssueIid, ProjectId};
use crate::plan::change::{ChangeMarker, Item, Settled, Wanted, What, concern, is_row_of};
use crate::plan::community;
use crate::plan::listing::{self, Line};
use crate::plan::seen::{MergeRequestSeen, MergeRequestState};
use crate::plan::settled::Said;
use crate::plan::{Plan, Remark};
use crate::proposal::PersonState;
use crate::slug::Slug;
use crate::table::{ChangeKind, Edited, Known, Reconciled};
use crate::thing::Thing;

/// At most so many changes go together, so that a person can read them and the hidden marker holds them; the others come next.
const MOST: usize = 100;

/// A row that changes.
struct Changed<'a> {
    member: &'a Member<'a>,
    kind: ChangeKind,
    edited: Edited,
    item: Item,
}

/// What is due for the rows of a page together.
pub(super) fn plan(at: &At<'_>, page: &[u8], members: &[Member<'_>]) -> Plan {
    if !at.handbook.manners.batch && !is_open(at, &at.look.batch) {
        return Plan::default();
    }
    let mut plan = Plan::default();
    let mut edited = page.to_vec();
    let mut changes: Vec<Changed<'_>> = Vec::new();
    let members = if at.handbook.manners.batch { members } else { &[] };
    for member in in_order(members) {
        if changes.len() == MOST {
            break;
        }
        match change(at, &edited, member, members) {
            Ok(None) => {}
            Ok(Some(change)) => {
                edited.clone_from(&change.edited.page);
                changes.push(change);
            }
            Err(remark) => plan.report.push(remark),
        }
    }
    plan.knocks.extend(done_without_it(at, &changes));
    plan.and(joint(at, described(at, edited, &changes)))
}

/// Proposals of communities whose change was in the open merge request and is not needed there any more.
fn done_without_it(at: &At<'_>, changes: &[Changed<'_>]) -> Vec<Thing> {
    let bot = at.seen.bot.id;
    let open = at.look.batch.merge_requests.iter();
    let open = open.filter(|mr| mr.state == MergeRequestState::Opened);
    let items = open.filter_map(|mr| concern(mr, bot)).flat_map(|marker| marker.items);
    let is_left = |item: &Item| !changes.iter().any(|change| change.item.community == item.community);
    let proposals = items.filter(is_left).filter_map(|item| item.proposal);
    proposals
        .map(|issue| Thing::Proposal(at.context.program.name.clone(), issue))
        .collect()
}

fn described<'a>(at: &At<'a>, page: Vec<u8>, changes: &[Changed<'_>]) -> Joint<'a> {
    let wanted = match (at.handbook.manners.batch, changes.is_empty()) {
        (false, _) => dropped("Changes of this page have merge requests of their own now (`batch` in the settings)."),
        (true, true) => Wanted::Nothing(Settled::ON_THE_PAGE),
        (true, false) => Wanted::Page(page),
    };
    let count = changes.len() as u64;
    let title = match changes {
        [_] => Title::new().words("docs: update the communities of practice (1 change)"),
        _ => Title::new()
            .words("docs: update the communities of practice (")
            .number(count)
            .words(" changes)"),
    };
    let mut commit = CommitMessage::new().words("docs: update the communities of practice\n");
    for change in changes {
        let verb = match change.kind {
            ChangeKind::Added => "\n- add ",
            ChangeKind::Changed => "\n- update ",
            ChangeKind::Adopted => "\n- link ",
        };
        commit = match slug(change.member) {
            Some(slug) => commit.words(verb).slug(&slug),
            None => commit
                .words(verb)
                .words("project ")
                .number(change.member.seen.project.0),
        };
    }
    Joint {
        what: What::Batch,
        place: &at.look.batch,
        items: changes.iter().map(|change| change.item.clone()).collect(),
        wanted,
        facts: Digest::of_parts(changes.iter().map(|change| change.item.facts.as_str())),
        title,
        commit,
        description: description(at, changes),
    }
}

fn slug(member: &Member<'_>) -> Option<Slug> {
    let path = member.seen.full_path.rsplit('/').next()?;
    Slug::new(path).ok()
}

/// The older community first, so that the order does not depend on what GitLab lists when.
fn in_order<'m, 'a>(members: &'m [Member<'a>]) -> Vec<&'m Member<'a>> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|member| member.seen.project);
    members
}

/// What changes for one community; removals have merge requests of their own.
fn change<'m>(
    at: &At<'_>,
    page: &[u8],
    member: &'m Member<'m>,
    members: &[Member<'_>],
) -> Result<Option<Changed<'m>>, Remark> {
    let id = member.seen.project;
    if listing::line(at.handbook, &at.look.page, &member.subject()) != Line::There {
        return Ok(None);
    }
    let row = listing::wanted_row(&member.charter, &member.seen.web_url, &at.seen.people);
    let facts = listing::facts(at.handbook, &row, member.charter.status);
    if let Some(why) = settled(at, id, &facts) {
        return why.map_or(Ok(None), Err);
    }
    let others = members.iter().filter(|other| other.seen.project != id);
    let others: Vec<Known> = others
        .map(|other| listing::known(&other.seen.name, &other.seen.web_url))
        .collect();
    let url = &member.seen.web_url;
    let merged = merged(at, id);
    match listing::reconciled(
        page,
        at.handbook,
        &member.charter,
        url,
        &at.seen.people,
        &others,
        merged.as_ref(),
    ) {
        Ok((_, Reconciled::UpToDate { .. })) => Ok(None),
        // Only a new line waits; one that is there is kept true.
        Ok((_, Reconciled::Change { kind, .. }))
            if matches!(kind, ChangeKind::Added | ChangeKind::Adopted) && !is_ready(at, &member.charter) =>
        {
            Ok(None)
        }
        Ok((row, Reconciled::Change { kind, edited })) => Ok(Some(Changed {
            member,
            kind,
            edited,
            item: Item {
                community: id,
                proposal: proposal(at, &member.charter),
                facts,
                said: Said::of(&row),
            },
        })),
        Err(finding) => Err(Remark::PageUnusable(finding.to_string())),
    }
}

/// What the community's line said when it was merged last.
fn merged(at: &At<'_>, community: ProjectId) -> Option<Said> {
    let merged = at.look.merge_requests.iter();
    let merged = merged.filter(|mr| mr.state == MergeRequestState::Merged);
    let mut markers = merged.filter_map(|mr| concern(mr, at.seen.bot.id));
    markers.find_map(|marker| mentions(&marker, at, community).then(|| marker.said_of(community))?)
}

/// One row that is not ready would hold the others back, so it waits for the next merge request.
fn is_ready(at: &At<'_>, charter: &Charter) -> bool {
    let is_active = |name| matches!(at.seen.people.get(name), Some(PersonState::Active { .. }));
    charter.facilitators.iter().any(is_active)
}

/// Whether this community's facts have been answered already: merged, closed by a person (then the report says so), or in a merge
/// request of their own.
fn settled(at: &At<'_>, community: ProjectId, facts: &Digest) -> Option<Option<Remark>> {
    let bot = at.seen.bot.id;
    let own = |mr: &&MergeRequestSeen| {
        mr.state == MergeRequestState::Opened && is_row_of(mr, bot, &at.handbook.name, community)
    };
    if at.look.merge_requests.iter().any(|mr| own(&mr)) {
        return Some(None);
    }
    let about = |mr: &&MergeRequestSeen| concern(mr, bot).is_some_and(|marker| mentions(&marker, at, community));
    let newest = at.look.merge_requests.iter().find(about)?;
    let same = concern(newest, bot)?
        .items
        .iter()
        .any(|item| item.community == community && item.facts == *facts);
    match newest.state {
        MergeRequestState::Merged if same => Some(None),
        MergeRequestState::Closed if same && newest.closed_by != Some(bot) => {
            Some(Some(Remark::MergeRequestClosedByPerson))
        }
        _ => None,
    }
}

fn mentions(marker: &ChangeMarker, at: &At<'_>, community: ProjectId) -> bool {
    marker.page == at.handbook.name && marker.items.iter().any(|item| item.community == community)
}

fn proposal(at: &At<'_>, charter: &Charter) -> Option<IssueIid> {
    let reference = charter.proposal.as_ref()?;
    reference
        .project
        .as_str()
        .eq_ignore_ascii_case(&at.context.program.intake)
        .then_some(reference.iid)
}

fn description(at: &At<'_>, changes: &[Changed<'_>]) -> Markdown {
    let mut text = Markdown::new()
        .words("This brings the table of communities in ")
        .append(&page_words(at))
        .words(" up to date with their charters. Each change is one line:\n\n");
    for change in changes {
        text = text
            .words("- ")
            .link(&change.member.seen.name, &change.member.seen.web_url)
            .words(match change.kind {
                ChangeKind::Added => ": a new community",
                ChangeKind::Changed => ": its charter says something else now",
                ChangeKind::Adopted => ": was in the table already; its line gains the link to its project",
            });
        text = text.words("; ").append(&community::charter_link(
            &change.member.seen.web_url,
            change.member.seen.default_branch.as_deref(),
        ));
        if change.kind == ChangeKind::Adopted {
            text = text.words(". ").append(&community::by_name(&change.member.charter));
        }
        text = text.words("\n");
    }
    let mut diff = String::new();
    for change in changes {
        diff.push_str(listing::diff(&change.edited).expose());
    }
    text.words("\n")
        .fence("diff", &crate::untrusted::Untrusted::new(diff))
        .words(
            "To hold one community back, undo its line on this branch and merge the rest: what is merged counts as meant.\n",
        )
        .append(&community::footer())
}
