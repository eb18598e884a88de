//! A community's row: what its charter says goes to the handbook page, by one branch and one merge request.

use super::listing;
use super::row::{self, Change, Wanted, Words};
use super::seen::{CommunitySeen, MergeRequestState, OwnIssueSeen, PageSeen};
use super::{Plan, Remark, Step};
use crate::charter::{self, Charter, Status};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Marker, Title};
use crate::ids::IssueIid;
use crate::program::{Handbook, Program};
use crate::slug::Slug;
use crate::table::{self, ChangeKind, Edited, Known, Page, Reconciled, WantedRow};
use crate::thing::Thing;
use crate::untrusted::Untrusted;

/// Kind of the marker in the issue about a charter that cannot be read.
const BROKEN_CHARTER: &str = "broken-charter";

/// At most one in so many managed rows is proposed for removal within a day…
const SHARE_OF_REMOVALS: usize = 4;
/// …but so many always.
const LEAST_LIMIT: usize = 3;

/// What is due for a community.
#[must_use]
pub fn plan(program: &Program, seen: &CommunitySeen) -> Plan {
    let Some(file) = &seen.charter else {
        return Plan::nothing(Remark::NoCharter);
    };
    let charter = match charter::read(&file.bytes) {
        Ok(charter) => charter,
        Err(findings) => return broken_charter(seen, &findings),
    };
    let mut plan = line(program, seen, &charter);
    plan.steps.extend(mended_charter(seen));
    plan.knocks
        .extend(proposal(program, &charter).map(|issue| Thing::Proposal(program.name.clone(), issue)));
    plan
}

fn line(program: &Program, seen: &CommunitySeen, charter: &Charter) -> Plan {
    let (Some(handbook), Some(page)) = (&program.handbook, &seen.page) else {
        return Plan::nothing(Remark::NoHandbook);
    };
    let Some(file) = &page.file else {
        return Plan::nothing(Remark::PageUnusable(listing::no_such_page(handbook)));
    };
    if listing::is_hidden(handbook, page, seen.project.visibility) {
        return Plan::nothing(Remark::PrivateNotListed);
    }
    let row = listing::wanted_row(charter, &seen.project.web_url, &seen.people);
    let others: Vec<Known> = seen
        .others
        .iter()
        .map(|(name, url)| listing::known(name, url))
        .collect();
    let edit = match charter.status {
        Status::Proposed => return Plan::nothing(Remark::NotListed),
        Status::Retired => Edit::removal(&file.bytes, handbook, &row, &others),
        Status::Active | Status::Inactive if seen.project.archived || seen.project.marked_for_deletion => {
            return Plan::nothing(Remark::ProjectGone);
        }
        Status::Active | Status::Inactive => Edit::wanted(&file.bytes, handbook, &row, &others),
    };
    match edit {
        Ok(Edit::Removal(_)) if is_capped(seen, &file.bytes, handbook) => Plan::nothing(Remark::RemovalsCapped),
        Ok(edit) => change(program, seen, charter, (handbook, page), &row, &edit),
        Err(finding) => Plan::nothing(Remark::PageUnusable(finding.to_string())),
    }
}

/// Whether one more removal is too many for a day: more than a quarter of the rows that are ours to keep, but at least three. A
/// removal that is proposed already is only kept true.
fn is_capped(seen: &CommunitySeen, page: &[u8], handbook: &Handbook) -> bool {
    let proposed = seen
        .merge_requests
        .iter()
        .any(|mr| mr.state == MergeRequestState::Opened && mr.author == seen.bot.id);
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
    Nothing,
    Line(ChangeKind, Edited),
    Removal(Edited),
}

impl Edit {
    fn wanted(page: &[u8], handbook: &Handbook, row: &WantedRow, others: &[Known]) -> Result<Self, table::Finding> {
        Ok(match table::reconcile(page, handbook, row, others)? {
            Reconciled::UpToDate { .. } => Self::Nothing,
            Reconciled::Change { kind, edited } => Self::Line(kind, edited),
        })
    }

    fn removal(page: &[u8], handbook: &Handbook, row: &WantedRow, others: &[Known]) -> Result<Self, table::Finding> {
        Ok(table::without(page, handbook, row, others)?.map_or(Self::Nothing, Self::Removal))
    }

    fn edited(&self) -> Option<&Edited> {
        match self {
            Self::Nothing => None,
            Self::Line(_, edited) | Self::Removal(edited) => Some(edited),
        }
    }
}

fn change(
    program: &Program,
    seen: &CommunitySeen,
    charter: &Charter,
    (handbook, page): (&Handbook, &PageSeen),
    row: &WantedRow,
    edit: &Edit,
) -> Plan {
    let Ok(slug) = Slug::new(&seen.project.path) else {
        return Plan::nothing(Remark::PageUnusable(
            "the project's path is no slug, so no branch can be named after it; rename the path".to_owned(),
        ));
    };
    row::plan(&Change {
        bot: seen.bot.id,
        community: seen.project.id,
        proposal: proposal(program, charter),
        page,
        path: &handbook.page,
        branch_name: &seen.branch_name,
        branch: seen.branch.as_ref(),
        merge_requests: &seen.merge_requests,
        facts: &facts(row, charter.status),
        words: words(seen, charter, &slug, edit),
        wanted: edit
            .edited()
            .map_or(Wanted::AsItIs, |edited| Wanted::Page(edited.page.clone())),
        removes_row: matches!(edit, Edit::Removal(_)),
        labels: &handbook.labels,
        reviewers: &seen.reviewers,
    })
}

/// What the row should say, whatever its wording and place.
fn facts(row: &WantedRow, status: Status) -> Digest {
    let mut people: Vec<String> = row.facilitators.iter().map(|person| person.username.key()).collect();
    people.sort();
    let url = row.project_url.as_ref().map_or("", |url| url.as_str());
    let fields = row
        .fields
        .iter()
        .flat_map(|(key, value)| [key.as_str(), value.expose()]);
    let fixed = [row.name.expose(), url, status.as_str()].into_iter();
    Digest::of_parts(fixed.chain(people.iter().map(String::as_str)).chain(fields))
}

fn words(seen: &CommunitySeen, charter: &Charter, slug: &Slug, edit: &Edit) -> Words {
    let verb = match edit {
        Edit::Nothing | Edit::Line(ChangeKind::Added, _) => "docs: add ",
        Edit::Line(ChangeKind::Changed, _) => "docs: update ",
        Edit::Line(ChangeKind::Adopted, _) => "docs: link ",
        Edit::Removal(_) => "docs: remove ",
    };
    let end = match edit {
        Edit::Removal(_) => " from the communities of practice",
        Edit::Nothing | Edit::Line(ChangeKind::Added, _) => " to the communities of practice",
        Edit::Line(..) => " in the communities of practice",
    };
    Words {
        title: Title::new().words(verb).slug(slug).words(end),
        commit: CommitMessage::new().words(verb).slug(slug).words(end),
        description: description(seen, charter, edit),
    }
}

fn description(seen: &CommunitySeen, charter: &Charter, edit: &Edit) -> Markdown {
    let mut text = Markdown::new()
        .link(&seen.project.name, &seen.project.web_url)
        .words(match edit {
            Edit::Nothing => " is listed already.",
            Edit::Line(ChangeKind::Added, _) => " is a new community of practice; this adds its line to the table.",
            Edit::Line(ChangeKind::Changed, _) => " has changed; this brings its line in the table up to date.",
            Edit::Line(ChangeKind::Adopted, _) => " has a project now; this links its line in the table to it.",
            Edit::Removal(_) => " has been retired; this removes its line from the table.",
        });
    text = text.words("\n\n- Why: ").append(&reason(seen, charter));
    text = text
        .words("\n- Facilitators: ")
        .append(&facilitators(charter))
        .words("\n");
    if let Some(edited) = edit.edited() {
        text = text
            .words("\nThe one line that changes:\n\n")
            .fence("diff", &listing::diff(edited))
            .words("\n");
    }
    text.words(
        "\nConvenor keeps this branch on top of the target branch. Push to it and it is yours; close this merge request and \
         the same change is not proposed again.\n",
    )
}

fn reason(seen: &CommunitySeen, charter: &Charter) -> Markdown {
    let mut url = seen.project.web_url.clone();
    let branch = seen.project.default_branch.as_deref().unwrap_or("main");
    url.set_path(&format!(
        "{}/-/blob/{branch}/{}",
        seen.project.web_url.path().trim_end_matches('/'),
        charter::PATH
    ));
    let text = Markdown::new()
        .words("the ")
        .link_words("charter", &url)
        .words(" says so");
    let Some(reference) = &charter.proposal else {
        return text;
    };
    let mut issue = seen.project.web_url.clone();
    issue.set_path(&format!("/{}/-/issues/{}", reference.project.as_str(), reference.iid.0));
    text.words("; it came from ").link_words("this proposal", &issue)
}

fn facilitators(charter: &Charter) -> Markdown {
    if charter.facilitators.is_empty() {
        return Markdown::new().words("nobody at present");
    }
    let mut text = Markdown::new();
    for (index, name) in charter.facilitators.iter().enumerate() {
        text = text.words(if index == 0 { "" } else { ", " }).username_code(name);
    }
    text
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

/// One issue, in the community's own project, says what is wrong and on which line.
fn broken_charter(seen: &CommunitySeen, findings: &[charter::Finding]) -> Plan {
    let mut plan = Plan::nothing(Remark::BrokenCharter);
    if known_issue(seen).is_some() {
        return plan;
    }
    let data = serde_json::Value::Object(serde_json::Map::new());
    let mut text = Markdown::new().marker(&Marker {
        kind: BROKEN_CHARTER,
        data,
    });
    text = text.words(
        "The charter `.gitlab/community.yml` cannot be read, so nothing is changed anywhere until it is mended:\n\n",
    );
    for finding in findings {
        text = text.words("- ");
        if let Some(line) = finding.line {
            text = text.words("line ").number(line).words(": ");
        }
        text = text.inline(&Untrusted::new(finding.mend())).words("\n");
    }
    text = text.words("\nThis issue closes by itself once the charter is mended.\n");
    plan.steps.push(Step::CreateIssue {
        project: seen.project.id,
        title: Title::new().words("The charter cannot be read"),
        description: text,
        confidential: false,
    });
    plan
}

fn mended_charter(seen: &CommunitySeen) -> Option<Step> {
    known_issue(seen).map(|issue| Step::SetIssueState {
        project: seen.project.id,
        issue: issue.iid,
        add: None,
        remove: Vec::new(),
        close: true,
    })
}

fn known_issue(seen: &CommunitySeen) -> Option<&OwnIssueSeen> {
    let is_it =
        |issue: &&OwnIssueSeen| issue.open && Marker::find(issue.description.expose(), BROKEN_CHARTER).is_some();
    seen.issues.iter().find(is_it)
}
