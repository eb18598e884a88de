//! A community's line on the handbook page: what it should say, and whether it is there.

use std::collections::BTreeMap;

use url::Url;

use super::Remark;
use super::change::Settled;
use super::seen::{PageSeen, People, ProjectStanding, ProposalSeen};
use super::settled::{self, Said};
use super::wanted::Wanted;
use crate::charter::{Charter, Join, Status};
use crate::digest::Digest;
use crate::ids::Username;
use crate::program::{Handbook, Program, Visibility};
use crate::proposal::PersonState;
use crate::render::engine;
use crate::table::{self, Edited, Finding, Known, Page, Person, Reconciled, WantedRow};
use crate::untrusted::Untrusted;

/// How a proposal's line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The page has more readers than the project, so the project is not named there.
    Private,
    /// The line is there.
    There,
    /// The line is to be added or changed; the text shows it as a diff.
    Missing(Untrusted),
    /// The page cannot be edited; the sentence says why.
    Unusable(String),
}

/// How the lines of a proposal's community stand, one for each page with a table.
#[must_use]
pub fn of_proposal(program: &Program, seen: &ProposalSeen, wanted: Option<&Wanted>) -> Vec<Listing> {
    program
        .tables()
        .zip(&seen.pages)
        .map(|(handbook, (page, _))| on_page(handbook, page, seen, wanted))
        .collect()
}

fn on_page(handbook: &Handbook, page: &PageSeen, seen: &ProposalSeen, wanted: Option<&Wanted>) -> Listing {
    let Some(wanted) = wanted else {
        return Listing::Missing(Untrusted::default());
    };
    let visibility = match &seen.project {
        ProjectStanding::Ours(project) => project.visibility,
        _ => wanted.visibility,
    };
    if is_hidden(handbook, page, visibility) {
        return Listing::Private;
    }
    let own = match &seen.project {
        ProjectStanding::Ours(project) => Some(project.id),
        _ => None,
    };
    let others = seen.projects.iter().filter(|project| Some(project.id) != own);
    let others: Vec<Known> = others.map(|project| known(&project.name, &project.web_url)).collect();
    let Some(file) = &page.file else {
        return Listing::Unusable(no_such_page(handbook));
    };
    match reconciled(
        &file.bytes,
        handbook,
        &wanted.charter,
        &wanted.url,
        &seen.people,
        &others,
        None,
    ) {
        Ok((_, Reconciled::UpToDate { .. })) => Listing::There,
        // A page with fewer readers than the issue is not quoted there.
        Ok((_, Reconciled::Change { .. })) if !is_known(page, seen) => Listing::Missing(Untrusted::default()),
        Ok((_, Reconciled::Change { edited, .. })) => Listing::Missing(diff(&edited)),
        Err(finding) => Listing::Unusable(finding.to_string()),
    }
}

/// A community, as far as its line depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its charter.
    pub charter: &'a Charter,
    /// Its project's address.
    pub url: &'a Url,
    /// Who sees the project.
    pub visibility: Visibility,
    /// Read-only by a person's decision.
    pub archived: bool,
    /// Somebody pressed delete.
    pub marked_for_deletion: bool,
}

/// What a page should have of a community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its line.
    There,
    /// No line, and one that is there goes: the project itself says so.
    Gone,
    /// Nothing is done about a line, for this reason.
    LeftAlone(Settled),
}

/// What this page should have of a community. Absence is never a reason to take a line away.
#[must_use]
pub fn line(handbook: &Handbook, page: &PageSeen, subject: &Subject<'_>) -> Line {
    let left_alone = |remark, reason| Line::LeftAlone(Settled { remark, reason });
    if is_hidden(handbook, page, subject.visibility) {
        return left_alone(
            Remark::PrivateNotListed,
            "The project has fewer readers than the page now, and the page does not name such projects.",
        );
    }
    if subject.marked_for_deletion {
        return left_alone(
            Remark::ProjectGone,
            "Somebody asked for the deletion of the community's project.",
        );
    }
    match subject.charter.status {
        Status::Retired => Line::Gone,
        _ if subject.archived => Line::Gone,
        Status::Proposed => left_alone(
            Remark::NotListed,
            "The community's charter says `status: proposed` now, so it needs no line yet.",
        ),
        Status::Active | Status::Inactive => Line::There,
    }
}

/// What the page needs for a community, with the line as it should be.
///
/// Who does not exist is not written: a link to nobody helps no reader. But a line that names them already stays: that an account
/// is not found is no reason to touch it. Nor are cells whose facts are those of the change that was `merged` last: whatever
/// people made of them counts as meant.
///
/// # Errors
/// A [`Finding`] when the page does not allow a certain answer.
pub fn reconciled(
    page: &[u8],
    handbook: &Handbook,
    charter: &Charter,
    url: &Url,
    people: &People,
    others: &[Known],
    merged: Option<&Said>,
) -> Result<(WantedRow, Reconciled), Finding> {
    let row = wanted_row(charter, url, people);
    let everybody = row_with(charter, url, people, |_| true);
    if everybody != row
        && let found @ Reconciled::UpToDate { .. } = table::reconcile(page, handbook, &everybody, others)?
    {
        return Ok((row, found));
    }
    let found = table::reconcile(page, handbook, &row, others)?;
    let found = match merged {
        Some(merged) => settled::kept(page, handbook, found, merged, &Said::of(&row))?,
        None => found,
    };
    Ok((row, found))
}

/// Whether a project of this visibility is kept off the page.
#[must_use]
pub fn is_hidden(handbook: &Handbook, page: &PageSeen, visibility: Visibility) -> bool {
    visibility < page.visibility && !handbook.list_private
}

/// The sentence for a page that is not there.
#[must_use]
pub fn no_such_page(handbook: &Handbook) -> String {
    format!(
        "the project {} has no file {}; check `page` and `branch` in the settings",
        handbook.project, handbook.page
    )
}

/// Another community, whose row is not to be taken.
#[must_use]
pub fn known(name: &Untrusted, url: &Url) -> Known {
    Known {
        name: name.clone(),
        project_url: Some(url.clone()),
    }
}

/// Fields that cell templates may name, beside the community's own: name, address and people.
pub const FIELDS: [&str; 6] = ["summary", "status", "cadence", "chat", "join", "path"];

/// What a charter's row should say: facilitators who do not exist, or are bots, are left out.
#[must_use]
pub fn wanted_row(charter: &Charter, project: &Url, people: &People) -> WantedRow {
    row_with(charter, project, people, |name| {
        !matches!(
            people.get(name),
            Some(PersonState::Missing | PersonState::Bot | PersonState::Another)
        )
    })
}

/// Facilitators who are no person that GitLab knows.
pub fn missing<'c>(charter: &'c Charter, people: &'c People) -> impl Iterator<Item = &'c Username> {
    let is_missing = |name: &&Username| matches!(people.get(*name), Some(PersonState::Missing | PersonState::Bot));
    charter.facilitators.iter().filter(is_missing)
}

fn row_with(charter: &Charter, project: &Url, people: &People, names: impl Fn(&Username) -> bool) -> WantedRow {
    let join = match &charter.join {
        Join::Open => Untrusted::new("open"),
        Join::Request => Untrusted::new("on request"),
        Join::Sentence(sentence) => sentence.clone(),
    };
    let path = project.path().trim_matches('/').rsplit('/').next().unwrap_or_default();
    let values = [
        charter.summary.clone(),
        Untrusted::new(charter.status.as_str()),
        Untrusted::new(charter.cadence.describe()),
        charter.chat.clone().unwrap_or_default(),
        join,
        Untrusted::new(path),
    ];
    let facilitators = charter.facilitators.iter().filter(|name| names(name));
    WantedRow {
        name: charter.name.clone(),
        project_url: Some(project.clone()),
        facilitators: facilitators.map(|name| person(name, people, project)).collect(),
        inactive: charter.status == Status::Inactive,
        fields: FIELDS
            .iter()
            .map(|&field| field.to_owned())
            .zip(values)
            .collect::<BTreeMap<_, _>>(),
    }
}

/// What is wrong with a cell template of the settings, if anything is.
///
/// # Errors
/// What was found, and which values there are.
pub fn check_template(template: &str) -> Result<(), String> {
    let known = FIELDS.iter().chain(&["name", "url", "project_url", "facilitators"]);
    let values: serde_json::Map<String, serde_json::Value> =
        known.clone().map(|field| ((*field).to_owned(), "x".into())).collect();
    match engine::render("template", template, &values.into()) {
        Ok(text) if text.contains(['\n', '\r']) => Err("it gives more than one line".to_owned()),
        Ok(_) => Ok(()),
        Err(fault) => {
            let known: Vec<&str> = known.copied().collect();
            Err(format!("{} (values: {})", fault.what, known.join(", ")))
        }
    }
}

/// What a line on this page should say, whatever its wording and place. A value that no column shows is no fact here: a person's
/// "no" is not undone by it.
#[must_use]
pub fn facts(handbook: &Handbook, row: &WantedRow, status: Status) -> Digest {
    let mut people: Vec<String> = row.facilitators.iter().map(|person| person.username.key()).collect();
    people.sort();
    let url = row.project_url.as_ref().map_or("", |url| url.as_str());
    let is_shown = |field: &str| handbook.columns.iter().any(|(_, template)| template.contains(field));
    let fields = row
        .fields
        .iter()
        .filter(|(field, _)| is_shown(field))
        .flat_map(|(key, value)| [key.as_str(), value.expose()]);
    let fixed = [row.name.expose(), url, status.as_str()].into_iter();
    Digest::of_parts(fixed.chain(people.iter().map(String::as_str)).chain(fields))
}

fn person(username: &Username, people: &People, project: &Url) -> Person {
    let display_name = match people.get(username) {
        Some(PersonState::Active { name, .. }) => Some(name.clone()),
        _ => None,
    };
    let mut profile_url = project.clone();
    profile_url.set_path(&format!("/{}", username.as_str()));
    Person {
        username: username.clone(),
        display_name,
        profile_url,
        inactive: false,
    }
}

/// The changed line as a diff.
#[must_use]
pub fn diff(edited: &Edited) -> Untrusted {
    let sign = |sign: &str, line: &Option<String>| line.as_ref().map(|line| format!("{sign}{line}\n"));
    let lines = sign("-", &edited.before).into_iter().chain(sign("+", &edited.after));
    Untrusted::new(lines.collect::<String>())
}

/// Names in the tables of the program's pages, whether or not they have a project; without pages that not everybody who reads the
/// issue may know.
#[must_use]
pub fn names(program: &Program, seen: &ProposalSeen) -> Vec<Untrusted> {
    let pages = program.tables().zip(&seen.pages);
    pages
        .filter(|(_, (page, _))| is_known(page, seen))
        .flat_map(|(handbook, (page, _))| names_on(handbook, page))
        .collect()
}

/// Whether everybody who reads the issue may know what is on the page.
fn is_known(page: &PageSeen, seen: &ProposalSeen) -> bool {
    page.visibility >= seen.intake.visibility
}

fn names_on(handbook: &Handbook, page: &PageSeen) -> Vec<Untrusted> {
    let Some(file) = &page.file else { return Vec::new() };
    let Ok(page) = Page::parse(&file.bytes) else {
        return Vec::new();
    };
    let Ok(table) = table::target(&page, handbook) else {
        return Vec::new();
    };
    let Ok(columns) = table::Columns::of(&table, &handbook.columns) else {
        return Vec::new();
    };
    table
        .rows()
        .map(|row| Untrusted::new(row.said(columns.name).text))
        .filter(|name| !name.is_blank())
        .collect()
}
