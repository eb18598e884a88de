//! What was understood of a table, row by row, and what is wrong with it.

use std::collections::BTreeMap;

use super::fill::{Columns, DEFAULT_COLUMNS};
use super::finding::Malformed;
use super::grid::{Row, Table};
use super::order;
use super::people::{People, Someone, is_inactive};
use super::wanted::row_name;
use crate::untrusted::Untrusted;

/// A row as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReport {
    /// Its number, from 0.
    pub index: usize,
    /// Its line, from 1.
    pub line: usize,
    /// The GFM content of its cells.
    pub cells: Vec<Untrusted>,
    /// The text of the cell with the name.
    pub name: Untrusted,
    /// Where the name's cell leads: the row belongs to the community whose project this is.
    pub link: Option<String>,
    /// Who the people's cell names.
    pub people: Vec<Someone>,
    /// Whether the name or a person is marked `(inactive)`.
    pub inactive: bool,
    /// Whether nobody is named in the people's cell.
    pub tbd: bool,
    /// What is wrong with it.
    pub findings: Vec<RowFinding>,
}

/// What is wrong with a row. Numbers are those of rows, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFinding {
    /// It is not what a row should be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An earlier row has the same link.
    #[error("it links to the same project as row {0}: remove one of them, a community has one row")]
    SameLink(usize),
    /// An earlier row has the same name.
    #[error("it has the same name as row {0}: remove one of them, or give them different names")]
    SameName(usize),
}

impl RowFinding {
    /// The finding's kind as one word, for scripts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(Malformed::Text) => "text",
            Self::Malformed(Malformed::Short { .. }) => "short",
            Self::Malformed(Malformed::Long { .. }) => "long",
            Self::Malformed(Malformed::BrokenLink(_)) => "broken-link",
            Self::Malformed(Malformed::OuterPipes) => "outer-pipes",
            Self::Malformed(Malformed::Unclear) => "unclear",
            Self::SameLink(_) => "same-link",
            Self::SameName(_) => "same-name",
        }
    }
}

impl Table<'_> {
    /// The column of names: the one whose header begins with `Subject`, else the first.
    #[must_use]
    pub fn name_column(&self) -> usize {
        self.column(DEFAULT_COLUMNS[0].0).unwrap_or(0)
    }

    /// The column of people: the one whose header begins with `Facilitator` or another word for who runs something.
    #[must_use]
    pub fn people_column(&self) -> Option<usize> {
        let words = [
            DEFAULT_COLUMNS[1].0,
            "Lead",
            "Co-lead",
            "Organi",
            "Owner",
            "DRI",
            "Contact",
            "Maintainer",
        ];
        let name = self.name_column();
        words
            .into_iter()
            .filter_map(|word| self.column(word))
            .find(|&column| column != name)
    }

    /// Whether the rows are sorted by the column, as people sort.
    #[must_use]
    pub fn is_sorted_by(&self, column: usize) -> bool {
        order::is_sorted(self, column)
    }

    /// What was understood, row by row. Doubled names and links are findings only in a table of communities: one that
    /// has the columns of the specification's page.
    #[must_use]
    pub fn report(&self) -> Vec<RowReport> {
        let of_communities = Columns::of(self, &[]).is_ok();
        let mut seen = Seen::default();
        let mut reports: Vec<RowReport> = self.rows().map(|row| self.understood(&row)).collect();
        for report in &mut reports {
            if of_communities {
                report.findings.extend(seen.doubled(report));
            }
        }
        reports
    }

    fn understood(&self, row: &Row<'_>) -> RowReport {
        let name = row.said(self.name_column());
        let people = self.people_column().map(|column| People::read(&row.said(column)));
        let inactive = is_inactive(&name.text) || people.as_ref().is_some_and(|people| people.inactive);
        RowReport {
            index: row.index,
            line: row.line(),
            cells: row.cells().into_iter().map(Untrusted::new).collect(),
            link: name.links.first().map(|(_, target)| target.clone()),
            name: Untrusted::new(name.text),
            inactive,
            tbd: people.as_ref().is_some_and(|people| people.tbd),
            people: people.map(|people| people.named).unwrap_or_default(),
            findings: row.malformed().map(RowFinding::Malformed).into_iter().collect(),
        }
    }
}

/// Names and links of earlier rows.
#[derive(Default)]
struct Seen {
    names: BTreeMap<String, usize>,
    links: BTreeMap<String, usize>,
}

impl Seen {
    fn doubled(&mut self, report: &RowReport) -> Option<RowFinding> {
        let link = report
            .link
            .as_ref()
            .map(|link| link.trim_end_matches('/').to_lowercase());
        let same_link = link.and_then(|link| first(&mut self.links, link, report.index));
        let name = row_name(report.name.expose());
        let same_name = if name.is_empty() {
            None
        } else {
            first(&mut self.names, name, report.index)
        };
        same_link
            .map(RowFinding::SameLink)
            .or(same_name.map(RowFinding::SameName))
    }
}

/// The row that had the key first, if another did.
fn first(seen: &mut BTreeMap<String, usize>, key: String, index: usize) -> Option<usize> {
    let row = *seen.entry(key).or_insert(index);
    (row != index).then_some(row)
}
