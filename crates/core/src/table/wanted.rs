//! The row that a community should have, and which row of a page is its own.

use std::collections::BTreeMap;

use url::Url;

use super::finding::Malformed;
use super::grid::{Row, Table};
use super::people::fold;
use crate::ids::Username;
use crate::untrusted::Untrusted;

/// What a community's row should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRow {
    /// The community's name.
    pub name: Untrusted,
    /// Its project; `None` when the page may not name it, then the row has no link.
    pub project_url: Option<Url>,
    /// Who runs it, in the charter's order.
    pub facilitators: Vec<Person>,
    /// Whether the community is inactive.
    pub inactive: bool,
    /// More fields for the templates of other columns, by the name in the template.
    pub fields: BTreeMap<String, Untrusted>,
}

/// A facilitator as GitLab knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The username.
    pub username: Username,
    /// The display name, when it is known.
    pub display_name: Option<Untrusted>,
    /// The address of the profile page.
    pub profile_url: Url,
    /// Whether this person is marked `(inactive)`, whatever the community is.
    pub inactive: bool,
}

/// Another community of the program: its row must not be taken for the wanted one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: Untrusted,
    /// Its project.
    pub project_url: Option<Url>,
}

/// Which row is a community's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This row links to its project.
    Linked(usize),
    /// No row links to it, but this one alone has its name.
    Named(usize),
    /// This row has its name but is broken: a person has to mend it.
    Broken(usize, Malformed),
    /// There is none.
    None,
    /// Each of these rows could be it.
    Ambiguous(Vec<usize>),
}

impl Table<'_> {
    /// Finds the community's row: by the link to its project, else by its name, when no other community has that name and
    /// no other row does. A row that links to another community's project is never taken.
    #[must_use]
    pub fn find(&self, name_column: usize, wanted: &WantedRow, others: &[Known]) -> Ownership {
        if let Some(found) = self.linked(name_column, wanted) {
            return found;
        }
        let name = fold(wanted.name.expose());
        if others.iter().any(|other| fold(other.name.expose()) == name) {
            return Ownership::None;
        }
        let foreign = |row: &Row<'_>| {
            others
                .iter()
                .filter_map(|other| other.project_url.as_ref())
                .any(|url| row_links_to(row, name_column, url))
        };
        let rows: Vec<Row<'_>> = self
            .rows()
            .filter(|row| has_name(row, name_column, &name) && !foreign(row))
            .collect();
        match &rows[..] {
            [] => Ownership::None,
            [row] => row
                .malformed()
                .filter(is_broken)
                .map_or(Ownership::Named(row.index), |reason| {
                    Ownership::Broken(row.index, reason)
                }),
            several => Ownership::Ambiguous(several.iter().map(|row| row.index).collect()),
        }
    }

    fn linked(&self, name_column: usize, wanted: &WantedRow) -> Option<Ownership> {
        let url = wanted.project_url.as_ref()?;
        let by_name: Vec<usize> = self
            .rows()
            .filter(|row| row_links_to(row, name_column, url))
            .map(|row| row.index)
            .collect();
        let rows = if by_name.is_empty() {
            self.linking_anywhere(url)
        } else {
            by_name
        };
        match rows[..] {
            [] => None,
            [row] => Some(Ownership::Linked(row)),
            _ => Some(Ownership::Ambiguous(rows)),
        }
    }

    /// Rows that have no link in the name's column to go by, but link to the project from another.
    fn linking_anywhere(&self, url: &Url) -> Vec<usize> {
        let links = |row: &Row<'_>| (0..self.columns()).any(|column| row_links_to(row, column, url));
        self.rows().filter(links).map(|row| row.index).collect()
    }
}

/// Whether the fault keeps the row from being changed; crooked outer pipes do not.
pub(super) fn is_broken(reason: &Malformed) -> bool {
    !matches!(reason, Malformed::OuterPipes)
}

fn row_links_to(row: &Row<'_>, column: usize, url: &Url) -> bool {
    row.said(column)
        .links
        .iter()
        .any(|(_, target)| links_to_project(target, url))
}

fn has_name(row: &Row<'_>, column: usize, name: &str) -> bool {
    row_name(&row.said(column).text) == *name
}

/// A row's name to compare: without brackets of a broken link and without `(inactive)`.
pub(super) fn row_name(text: &str) -> String {
    let name = without_mark(&fold(text));
    super::scan::collapse(name.trim_matches(['[', ']', ' ']))
}

/// A folded text without `(inactive)` or `(inactive since …)`.
fn without_mark(text: &str) -> String {
    let Some((before, mark)) = text.split_once("(inactive") else {
        return text.to_owned();
    };
    let after = mark.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// Whether a link's target is the project or a page of it.
///
/// GitLab's paths are compared without regard to case; scheme, trailing slash, `.git`, query and what follows `/-/` say
/// nothing about which project it is.
#[must_use]
pub fn links_to_project(target: &str, project: &Url) -> bool {
    let Ok(target) = Url::parse(target) else { return false };
    let web = matches!(target.scheme(), "https" | "http");
    let same_host = target.host_str() == project.host_str() && port(&target) == port(project);
    web && same_host && project_path(&target) == project_path(project)
}

/// The port when it is neither scheme's own.
fn port(url: &Url) -> Option<u16> {
    url.port().filter(|port| !matches!(port, 80 | 443))
}

fn project_path(url: &Url) -> String {
    let path = url.path().to_lowercase();
    let path = path.split_once("/-/").map_or(path.as_str(), |(project, _)| project);
    // Addresses of before GitLab put `/-/` between a project and its pages.
    let old = ["/tree/", "/blob/", "/issues", "/merge_requests", "/wikis", "/boards"];
    let path = old
        .iter()
        .find_map(|page| path.split_once(page))
        .map_or(path, |(project, _)| project);
    let path = path.trim_end_matches('/').trim_end_matches("/-");
    path.trim_end_matches(".git").to_owned()
}
