//! A community's line on the handbook page: what it should say, and whether it is there.

use std::collections::BTreeMap;

use url::Url;

use super::seen::{PageSeen, People, ProjectStanding, ProposalSeen};
use super::wanted::Wanted;
use crate::charter::{Charter, Status};
use crate::ids::Username;
use crate::program::{Handbook, Program, Visibility};
use crate::proposal::PersonState;
use crate::table::{self, Edited, Known, Page, Person, Reconciled, WantedRow};
use crate::untrusted::Untrusted;

/// How a proposal's line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The program has no page.
    NoPage,
    /// The page has more readers than the project, so the project is not named there.
    Private,
    /// The line is there.
    There,
    /// The line is to be added or changed; the text shows it as a diff.
    Missing(Untrusted),
    /// The page cannot be edited; the sentence says why.
    Unusable(String),
}

/// How the line of a proposal's community stands.
#[must_use]
pub fn of_proposal(program: &Program, seen: &ProposalSeen, wanted: Option<&Wanted>) -> Listing {
    let (Some(handbook), Some(page)) = (&program.handbook, &seen.page) else {
        return Listing::NoPage;
    };
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
    let row = wanted_row(&wanted.charter, &wanted.url, &seen.people);
    let own = match &seen.project {
        ProjectStanding::Ours(project) => Some(project.id),
        _ => None,
    };
    let others = seen.projects.iter().filter(|project| Some(project.id) != own);
    let others: Vec<Known> = others.map(|project| known(&project.name, &project.web_url)).collect();
    let Some(file) = &page.file else {
        return Listing::Unusable(no_such_page(handbook));
    };
    match table::reconcile(&file.bytes, handbook, &row, &others) {
        Ok(Reconciled::UpToDate { .. }) => Listing::There,
        // A page with fewer readers than the issue is not quoted there.
        Ok(Reconciled::Change { .. }) if page.visibility < seen.intake.visibility => {
            Listing::Missing(Untrusted::default())
        }
        Ok(Reconciled::Change { edited, .. }) => Listing::Missing(diff(&edited)),
        Err(finding) => Listing::Unusable(finding.to_string()),
    }
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

/// What a charter's row should say.
#[must_use]
pub fn wanted_row(charter: &Charter, project: &Url, people: &People) -> WantedRow {
    let mut fields = BTreeMap::new();
    fields.insert("summary".to_owned(), charter.summary.clone());
    fields.insert("status".to_owned(), Untrusted::new(charter.status.as_str()));
    fields.insert("cadence".to_owned(), Untrusted::new(charter.cadence.describe()));
    fields.insert("chat".to_owned(), charter.chat.clone().unwrap_or_default());
    WantedRow {
        name: charter.name.clone(),
        project_url: Some(project.clone()),
        facilitators: charter
            .facilitators
            .iter()
            .map(|name| person(name, people, project))
            .collect(),
        inactive: charter.status == Status::Inactive,
        fields,
    }
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

/// Names in the page's table, whether or not they have a project.
#[must_use]
pub fn names(program: &Program, page: Option<&PageSeen>) -> Vec<Untrusted> {
    let (Some(handbook), Some(file)) = (&program.handbook, page.and_then(|page| page.file.as_ref())) else {
        return Vec::new();
    };
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
