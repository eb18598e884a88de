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
    /// This row alone has its name and links to another project: whose it is, people have to say.
    Elsewhere(usize),
    /// This row's name links to its project and to another one, and is not this one's alone.
    Shared(usize),
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
        if let Some(found) = self.linked(name_column, wanted, others) {
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
        let elsewhere = |row: &Row<'_>| {
            let project = wanted.project_url.as_ref();
            project.is_some_and(|project| leads_elsewhere(row, name_column, project))
        };
        match &rows[..] {
            [] => Ownership::None,
            [row] if elsewhere(row) => Ownership::Elsewhere(row.index),
            [row] => row
                .malformed()
                .filter(is_broken)
                .map_or(Ownership::Named(row.index), |reason| {
                    Ownership::Broken(row.index, reason)
                }),
            several => Ownership::Ambiguous(several.iter().map(|row| row.index).collect()),
        }
    }

    fn linked(&self, name_column: usize, wanted: &WantedRow, others: &[Known]) -> Option<Ownership> {
        let url = wanted.project_url.as_ref()?;
        let by_name: Vec<usize> = self
            .rows()
            .filter(|row| row_links_to(row, name_column, url))
            .map(|row| row.index)
            .collect();
        let rows = if by_name.is_empty() {
            self.linking_anywhere(name_column, url, others)
        } else {
            by_name
        };
        match rows[..] {
            [] => None,
            [row] if self.is_shared(row, name_column, wanted, others) => Some(Ownership::Shared(row)),
            [row] => Some(Ownership::Linked(row)),
            _ => Some(Ownership::Ambiguous(rows)),
        }
    }

    /// Whether the row's name links to another project too, and not to this one alone under its name.
    fn is_shared(&self, row: usize, name_column: usize, wanted: &WantedRow, others: &[Known]) -> bool {
        let Some(row) = self.row(row) else { return false };
        let said = row.said(name_column);
        let leads_to = |url: Option<&Url>, text: &dyn Fn(&str) -> bool| {
            let mut links = said.links.iter();
            url.is_some_and(|url| links.any(|(words, target)| links_to_project(target, url) && text(words)))
        };
        let is_named = |name: &Untrusted, url: Option<&Url>| {
            let name = fold(name.expose());
            row_name(&said.text) == name || leads_to(url, &|words| row_name(words) == name)
        };
        // Words about several projects are nobody's own, whatever the others are called and whether they are known here.
        let is_of_several = wanted.project_url.as_ref().is_some_and(|url| {
            let first = said.links.first();
            let is_first = first.is_some_and(|(_, target)| links_to_project(target, url));
            !is_first || leads_elsewhere(&row, name_column, url)
        });
        let (text, name) = (row_name(&said.text), fold(wanted.name.expose()));
        let without_remark = text.split_once(" (").map_or(text.as_str(), |(before, _)| before);
        if !said.links.is_empty() && is_of_several && text != name && without_remark != name {
            return true;
        }
        let mut sharing = others
            .iter()
            .map(|other| (&other.name, other.project_url.as_ref()))
            .filter(|(_, url)| leads_to(*url, &|_| true))
            .peekable();
        sharing.peek().is_some()
            && (!is_named(&wanted.name, wanted.project_url.as_ref()) || sharing.any(|(name, url)| is_named(name, url)))
    }

    /// Rows that have no link in the name's column to go by, but a cell that is nothing else than a link to the project. A row that
    /// only mentions it, or that has another community's name, is not its own.
    fn linking_anywhere(&self, name_column: usize, url: &Url, others: &[Known]) -> Vec<usize> {
        let is_its_link = |row: &Row<'_>, column: usize| {
            let said = row.said(column);
            matches!(&said.links[..], [(text, target)] if *text == said.text && links_to_project(target, url))
        };
        let is_anothers = |row: &Row<'_>| {
            others
                .iter()
                .any(|other| has_name(row, name_column, &fold(other.name.expose())))
        };
        self.rows()
            .filter(|row| row.said(name_column).links.is_empty() && !is_anothers(row))
            .filter(|row| (0..self.columns()).any(|column| is_its_link(row, column)))
            .map(|row| row.index)
            .collect()
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
    let Some(target) = on_same_host(target, project) else {
        return false;
    };
    let (target, project) = (plain_path(&target), plain_path(project));
    target
        .strip_prefix(&project)
        .is_some_and(|rest| rest.is_empty() || is_old_page(rest))
}

/// The address when it is one of the web on the project's host.
fn on_same_host(target: &str, project: &Url) -> Option<Url> {
    let target = Url::parse(target).ok()?;
    let web = matches!(target.scheme(), "https" | "http");
    let same_host = target.host_str() == project.host_str() && port(&target) == port(project);
    (web && same_host).then_some(target)
}

/// A link with a host, though without a scheme (`//host/path`): one without a host leads to wherever the page stands, which nobody knows here.
fn with_host(target: &str, project: &Url) -> Option<Url> {
    match target.starts_with("//") {
        true => project.join(target).ok(),
        false => Url::parse(target).ok(),
    }
}

/// The port when it is neither scheme's own.
fn port(url: &Url) -> Option<u16> {
    url.port().filter(|port| !matches!(port, 80 | 443))
}

/// The path of an address without what says nothing about the project: case, trailing slash, `.git`, and what follows `/-/`.
pub(super) fn plain_path(url: &Url) -> String {
    let path = url.path().to_lowercase();
    let path = path.split_once("/-/").map_or(path.as_str(), |(project, _)| project);
    let path = path.trim_end_matches('/').trim_end_matches("/-");
    path.trim_end_matches(".git").to_owned()
}

/// Whether `rest`, what follows a project's path, leads to a page of it, as addresses did before GitLab put `/-/` between.
fn is_old_page(rest: &str) -> bool {
    let mut steps = rest.split('/');
    let pages = ["issues", "merge_requests", "wikis", "boards", "tree", "blob"];
    steps.next() == Some("") && steps.next().is_some_and(|page| pages.contains(&page))
}

/// Whether a link of the name's cell leads to a project of the same GitLab that is not this one. The groups above it are none.
fn leads_elsewhere(row: &Row<'_>, name_column: usize, project: &Url) -> bool {
    let own = plain_path(project);
    row.said(name_column).links.iter().any(|(_, target)| {
        let Some(target) = with_host(target, project).and_then(|target| on_same_host(target.as_str(), project)) else {
            return false;
        };
        let path = plain_path(&target);
        let is_project = path.matches('/').count() > 1 && !path.starts_with("/groups/") && !path.starts_with("/users/");
        let is_above = own.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/'));
        is_project && !is_above && path != own
    })
}
