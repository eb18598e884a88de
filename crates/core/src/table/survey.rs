//! The first look at a page: which row is whose, which community has no row, which cells disagree.

use super::fill::Columns;
use super::finding::Finding;
use super::page::Page;
use super::reconcile::{Reconciled, reconcile_in, target};
use super::report::RowReport;
use super::wanted::{Known, Ownership, WantedRow};
use crate::program::Handbook;

/// What a page says about communities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The table's header.
    pub header: Vec<String>,
    /// Every row, with the community whose it is.
    pub rows: Vec<SurveyedRow>,
    /// Communities (by their number in the list) without a row.
    pub without_row: Vec<usize>,
    /// Communities whose row cannot be told for certain, with the rows in question.
    pub doubtful: Vec<(usize, Vec<usize>)>,
}

/// A row and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyedRow {
    /// What was understood of it.
    pub report: RowReport,
    /// The community (by its number in the list) whose row it is; `None`: a row without a project, a person's.
    pub owner: Option<Owner>,
}

/// The community whose row it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its number in the list.
    pub community: usize,
    /// Whether the row links to the project; otherwise it only has its name and would be adopted.
    pub linked: bool,
    /// The line as it should be, when a cell means something else than it should.
    pub wanted_line: Option<String>,
}

/// Looks at the handbook's table with all communities of the program in mind; nothing is changed.
///
/// # Errors
/// A [`Finding`] when the page, heading, table or header is not usable.
pub fn survey(bytes: &[u8], handbook: &Handbook, communities: &[WantedRow]) -> Result<Survey, Finding> {
    let page = Page::parse(bytes)?;
    let table = target(&page, handbook)?;
    let columns = Columns::of(&table, &handbook.columns)?;
    let rows = table
        .report()
        .into_iter()
        .map(|report| SurveyedRow { report, owner: None })
        .collect();
    let mut survey = Survey {
        header: table.header(),
        rows,
        without_row: Vec::new(),
        doubtful: Vec::new(),
    };
    for (community, wanted) in communities.iter().enumerate() {
        let others = communities.iter().enumerate().filter(|(other, _)| *other != community);
        let others: Vec<Known> = others.map(|(_, other)| other.into()).collect();
        let found = table.find(columns.name, wanted, &others);
        let should = reconcile_in(&table, &columns, handbook.order, wanted, &others);
        survey.note(community, &found, should);
    }
    Ok(survey)
}

impl Survey {
    fn note(&mut self, community: usize, found: &Ownership, should: Result<Reconciled, Finding>) {
        let (row, linked) = match found {
            Ownership::None => return self.without_row.push(community),
            Ownership::Ambiguous(rows) => return self.doubtful.push((community, rows.clone())),
            Ownership::Broken(row, _) | Ownership::Elsewhere(row) | Ownership::Shared(row) => {
                return self.doubtful.push((community, vec![*row]));
            }
            Ownership::Linked(row) => (*row, true),
            Ownership::Named(row) => (*row, false),
        };
        let wanted_line = match should {
            Ok(Reconciled::UpToDate { .. }) => None,
            Ok(Reconciled::Change { edited, .. }) => edited.after,
            Err(_) => return self.doubtful.push((community, vec![row])),
        };
        if let Some(row) = self.rows.get_mut(row) {
            row.owner = Some(Owner {
                community,
                linked,
                wanted_line,
            });
        }
    }
}
