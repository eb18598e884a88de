//! A community's rows: what its charter says goes to each handbook page, by one branch and one merge request.

mod words;

pub(super) use words::{by_name, charter_link, footer};

use super::change::{self, Change, ChangeMarker, Item, Settled, Wanted, What};
use super::labels::State;
use super::listing::{self, Line, Subject};
use super::notice::{self, Notice};
use super::resync::{self, Fingerprint, Rest};
use super::seen::{CommunitySeen, ListingSeen, MergeRequestSeen, MergeRequestState};
use super::settled::Said;
use super::step::Opening;
use super::{Plan, Remark, Step};
use crate::charter::{self, Charter, Status};
use crate::digest::Digest;
use crate::escape::{Markdown, Title};
use crate::ids::IssueIid;
use crate::program::{Handbook, PageKind, Program};
use crate::proposal::PersonState;
use crate::slug::Slug;
use crate::table::{self, ChangeKind, Edited, Known, Page, Reconciled, WantedRow};
use crate::thing::Thing;
use crate::untrusted::Untrusted;

/// Cause of the notice about a charter that cannot be read.
const BROKEN_CHARTER: &str = "charter";

/// At most one in so many managed rows is proposed for removal within a day…
const SHARE_OF_REMOVALS: usize = 4;
/// …but so many always.
const LEAST_LIMIT: usize = 3;

/// What is due for a community.
#[must_use]
pub fn plan(program: &Program, seen: &CommunitySeen) -> Plan {
    let plan = due(program, seen);
    let rest = resync::is_at_rest(&plan)
        .then(|| Fingerprint::of(program, seen))
        .flatten();
    Plan {
        rest: rest.map(Rest::Community),
        ..plan
    }
}

fn due(program: &Program, seen: &CommunitySeen) -> Plan {
    let Some(file) = &seen.charter else {
        return Plan::nothing(Remark::NoCharter);
    };
    let charter = match charter::read(&file.bytes) {
        Ok(charter) => charter,
        Err(findings) => {
            let mut plan = Plan::nothing(Remark::BrokenCharter);
            let found = broken_charter(&findings);
            plan.steps.extend(noted(seen, Some(&found)));
            return plan;
        }
    };
    let mut plan = Plan::default();
    for (handbook, listing) in program.handbooks.iter().zip(&seen.listings) {
        if handbook.kind == PageKind::Table {
            plan = plan.and(line(program, seen, &charter, (handbook, listing)));
        }
    }
    if program.handbooks.is_empty() {
        plan.report.push(Remark::NoHandbook);
    }
    plan.report.extend(
        listing::missing(&charter, &seen.people)
            .cloned()
            .map(Remark::NoSuchPerson),
    );
    plan.steps.extend(noted(seen, None));
    plan.knocks
        .extend(proposal(program, &charter).map(|issue| Thing::Proposal(program.name.clone(), issue)));
    plan
}

/// The issue about the charter, as it should be. Nobody can write in a project that is archived or about to be deleted.
fn noted(seen: &CommunitySeen, found: Option<&Notice>) -> Vec<Step> {
    let CommunitySeen {
        bot, project, issues, ..
    } = seen;
    if project.archived || project.marked_for_deletion {
        return Vec::new();
    }
    notice::plan(bot.id, project.id, issues, BROKEN_CHARTER, found)
}

/// What is due for the community's line on one page.
fn line(
    program: &Program,
    seen: &CommunitySeen,
    charter: &Charter,
    (handbook, listing): (&Handbook, &ListingSeen),
) -> Plan {
    let Some(file) = &listing.page.file else {
        return Plan::nothing(Remark::PageUnusable(listing::no_such_page(handbook)));
    };
    let subject = Subject {
        charter,
        url: &seen.project.web_url,
        visibility: seen.project.visibility,
        archived: seen.project.archived,
        marked_for_deletion: seen.project.marked_for_deletion,
    };
    let others: Vec<Known> = seen
        .others
        .iter()
        .map(|(name, url)| listing::known(name, url))
        .collect();
    let row = listing::wanted_row(charter, &seen.project.web_url, &seen.people);
    let edit = match listing::line(handbook, &listing.page, &subject) {
        Line::LeftAlone(settled) => Ok(Edit::Nothing(settled)),
        Line::Gone => Edit::removal(&file.bytes, handbook, &row, &others),
        Line::There if handbook.manners.batch && !has_own(seen, handbook, listing) => {
            return Plan::nothing(Remark::InBatch);
        }
        Line::There => {
            let url = &seen.project.web_url;
            let merged = merged(seen, handbook, &listing.place.merge_requests);
            listing::reconciled(
                &file.bytes,
                handbook,
                charter,
                url,
                &seen.people,
                &others,
                merged.as_ref(),
            )
            .map(|(_, reconciled)| Edit::of(reconciled))
        }
    };
    match edit {
        Ok(Edit::Removal(_)) if merged_for(seen, handbook, listing) == Some(MergedFor::Another) => {
            Plan::nothing(Remark::PageUnusable(not_its_own(handbook)))
        }
        Ok(Edit::Removal(_)) if is_capped(seen, listing, &file.bytes, handbook) => {
            Plan::nothing(Remark::RemovalsCapped)
        }
        Ok(edit) => changed(program, seen, charter, (handbook, listing), &row, &edit),
        Err(finding) => Plan::nothing(Remark::PageUnusable(finding.to_string())),
    }
}

/// What the line said when it was merged last.
fn merged(seen: &CommunitySeen, handbook: &Handbook, merge_requests: &[MergeRequestSeen]) -> Option<Said> {
    all_merged(seen, handbook, merge_requests).find_map(|marker| marker.said_of(seen.project.id))
}

/// Whose the line was when it was merged last from a branch of this address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MergedFor {
    It,
    /// A project that had the address before.
    Another,
    /// None was merged: a person wrote it, or it was another address then.
    Nobody,
}

/// `None`: changes go together, so the merge requests of the address do not tell.
fn merged_for(seen: &CommunitySeen, handbook: &Handbook, listing: &ListingSeen) -> Option<MergedFor> {
    if handbook.manners.batch {
        return None;
    }
    let merged = all_merged(seen, handbook, &listing.place.merge_requests);
    let mut rows = merged.filter(|marker| marker.what == What::Row);
    Some(match rows.next() {
        None => MergedFor::Nobody,
        Some(marker) if marker.said_of(seen.project.id).is_some() => MergedFor::It,
        Some(_) => MergedFor::Another,
    })
}

/// What a maintainer should ask themselves before a line is changed or removed that is known by nothing but its address: whoever takes
/// over an address has no right to the line.
fn doubt(seen: &CommunitySeen, handbook: &Handbook, listing: &ListingSeen, edit: &Edit) -> Option<&'static str> {
    if !matches!(edit, Edit::Line(ChangeKind::Changed, _) | Edit::Removal(_)) {
        return None;
    }
    match merged_for(seen, handbook, listing)? {
        MergedFor::It => None,
        MergedFor::Another => Some(
            "The line was merged for another project, which had this address before. Please merge only if it is to be this \
             project's from now on.",
        ),
        MergedFor::Nobody => Some(
            "No merge request of Convenor's says whose line this is: it was found by its link alone. Please merge only if it is \
             this community's.",
        ),
    }
}

fn not_its_own(handbook: &Handbook) -> String {
    format!(
        "the community has ended, and the line with its address in {} was merged for another project, which had this address \
         before, so it is not removed; remove it by hand if it is this community's",
        handbook.page
    )
}

/// What our merged merge requests for this page were about, newest first.
fn all_merged<'a>(
    seen: &'a CommunitySeen,
    handbook: &'a Handbook,
    merge_requests: &'a [MergeRequestSeen],
) -> impl Iterator<Item = ChangeMarker> + 'a {
    merge_requests
        .iter()
        .filter(|mr| mr.state == MergeRequestState::Merged)
        .filter_map(|mr| change::concern(mr, seen.bot.id))
        .filter(|marker| marker.page == handbook.name)
}

/// Whether the community has a merge request of its own, from before its page's changes went together.
fn has_own(seen: &CommunitySeen, handbook: &Handbook, listing: &ListingSeen) -> bool {
    let mut open = listing
        .place
        .merge_requests
        .iter()
        .filter(|mr| mr.state == MergeRequestState::Opened);
    open.any(|mr| mr.author != seen.bot.id || change::is_row_of(mr, seen.bot.id, &handbook.name, seen.project.id))
}

/// Whether one more removal is too many for a day: more than a quarter of the rows that are ours to keep, but at least three. A
/// removal that is proposed already is only kept true.
fn is_capped(seen: &CommunitySeen, listing: &ListingSeen, page: &[u8], handbook: &Handbook) -> bool {
    let proposed = listing
        .place
        .merge_requests
        .iter()
        .any(|mr| mr.state == MergeRequestState::Opened && change::is_removal(mr, seen.bot.id));
    let most = (managed_rows(seen, page, handbook) / SHARE_OF_REMOVALS).max(LEAST_LIMIT);
    !proposed && !seen.removals.allowed && seen.removals.lately >= most
}

fn managed_rows(seen: &CommunitySeen, page: &[u8], handbook: &Handbook) -> usize {
    let Ok(page) = Page::parse(page) else { return 0 };
    let Ok(table) = table::target(&page, handbook) else {
        return 0;
    };
    let ours = |target: &str| {
        let mut urls = seen.others.iter().map(|(_, url)| url).chain([&seen.project.web_url]);
        urls.any(|url| table::links_to_project(target, url))
    };
    let is_managed = |row: &table::Row<'_>| {
        (0..table.columns()).any(|column| row.said(column).links.iter().any(|(_, target)| ours(target)))
    };
    table.rows().filter(is_managed).count()
}

/// What happens to the page.
enum Edit {
    Nothing(Settled),
    Line(ChangeKind, Edited),
    Removal(Edited),
}

impl Edit {
    fn of(reconciled: Reconciled) -> Self {
        match reconciled {
            Reconciled::UpToDate { .. } => Self::Nothing(Settled::ON_THE_PAGE),
            Reconciled::Change { kind, edited } => Self::Line(kind, edited),
        }
    }

    fn removal(page: &[u8], handbook: &Handbook, row: &WantedRow, others: &[Known]) -> Result<Self, table::Finding> {
        let nothing = Self::Nothing(Settled {
            remark: Remark::UpToDate,
            reason: "The community has ended, and no line of the page links to its project.",
        });
        Ok(table::without(page, handbook, row, others)?.map_or(nothing, Self::Removal))
    }

    fn edited(&self) -> Option<&Edited> {
        match self {
            Self::Nothing(_) => None,
            Self::Line(_, edited) | Self::Removal(edited) => Some(edited),
        }
    }

    fn wanted(&self) -> Wanted {
        match self {
            Self::Nothing(settled) => Wanted::Nothing(settled.clone()),
            Self::Line(_, edited) | Self::Removal(edited) => Wanted::Page(edited.page.clone()),
        }
    }
}

fn changed(
    program: &Program,
    seen: &CommunitySeen,
    charter: &Charter,
    (handbook, listing): (&Handbook, &ListingSeen),
    row: &WantedRow,
    edit: &Edit,
) -> Plan {
    let Ok(slug) = Slug::new(&seen.project.path) else {
        return Plan::nothing(Remark::PageUnusable(
            "the project's path is no slug, so no branch can be named after it; rename the path".to_owned(),
        ));
    };
    let unready = match edit {
        Edit::Line(ChangeKind::Added | ChangeKind::Adopted, _) => unready(seen, charter),
        _ => None,
    };
    let draft = change::is_draft(handbook.manners.draft, unready.is_some());
    let facts = facts(handbook, row, charter, edit);
    let mut words = words::of(
        program,
        seen,
        charter,
        &slug,
        (handbook, &listing.page),
        edit,
        unready.filter(|_| draft),
    );
    if let Some(doubt) = doubt(seen, handbook, listing, edit) {
        let doubt = Markdown::new().words("**").words(doubt).words("**\n\n");
        words.description = doubt.append(&words.description);
    }
    let mut plan = change::plan(&Change {
        bot: seen.bot.id,
        what: What::Row,
        page_name: &handbook.name,
        items: vec![Item {
            community: seen.project.id,
            proposal: proposal(program, charter),
            facts: facts.clone(),
            said: Said::of(row),
        }],
        page: &listing.page,
        path: &handbook.page,
        place: &listing.place,
        wanted: edit.wanted(),
        facts,
        words,
        draft,
        removes_row: matches!(edit, Edit::Removal(_)),
        opening: opening(handbook, listing),
        traffic: listing.traffic,
        manners: Some(&handbook.manners),
    });
    if let (Some(why), true, Some(Remark::WaitsForMerge)) = (unready, draft, plan.report.first()) {
        plan.report.push(Remark::Draft(why));
    }
    plan
}

fn opening(handbook: &Handbook, listing: &ListingSeen) -> Opening {
    Opening {
        labels: handbook.labels.clone(),
        reviewers: listing.reviewers.clone(),
        assignees: listing.assignees.clone(),
        squash: handbook.manners.squash,
        remove_source_branch: handbook.manners.remove_source_branch,
    }
}

/// A removal is a fact of its own, whatever else the charter says.
fn facts(handbook: &Handbook, row: &WantedRow, charter: &Charter, edit: &Edit) -> Digest {
    match edit {
        Edit::Removal(_) => listing::facts(handbook, row, Status::Retired),
        _ => listing::facts(handbook, row, charter.status),
    }
}

/// Why a community's line should not be merged yet, as the end of the sentence "it is a draft because …".
fn unready(seen: &CommunitySeen, charter: &Charter) -> Option<&'static str> {
    let is_active = |name| matches!(seen.people.get(name), Some(PersonState::Active { .. }));
    if !charter.facilitators.iter().any(is_active) {
        return Some("no facilitator in the charter has an active account");
    }
    let issue = seen.proposal.as_ref()?;
    let has = |state: State| issue.labels.iter().any(|label| label == state.label());
    if has(State::Declined) {
        return Some("the proposal was declined");
    }
    let waits = [State::Proposed, State::NeedsInfo, State::Ready].into_iter().any(has);
    (waits && !has(State::Approved) && !has(State::Active)).then_some("the proposal is not approved yet")
}

/// The proposal's issue, when it is one of this program's intake.
fn proposal(program: &Program, charter: &Charter) -> Option<IssueIid> {
    let reference = charter.proposal.as_ref()?;
    reference
        .project
        .as_str()
        .eq_ignore_ascii_case(&program.intake)
        .then_some(reference.iid)
}

/// What is wrong with the charter, and on which line.
fn broken_charter(findings: &[charter::Finding]) -> Notice {
    let mut text = Markdown::new().words(
        "The charter `.gitlab/community.yml` cannot be read, so nothing is changed anywhere until it is mended:\n\n",
    );
    for finding in findings {
        text = text.words("- ");
        if let Some(line) = finding.line {
            text = text.words("line ").number(line).words(": ");
        }
        text = text.inline(&Untrusted::new(finding.mend())).words("\n");
    }
    Notice {
        title: Title::new().words("The charter cannot be read"),
        text,
        confidential: false,
    }
}
