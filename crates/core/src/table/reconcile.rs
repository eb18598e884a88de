//! From what a page says about a community to what it should say, in at most one changed line.

use super::cell::{Cell, Said};
use super::edit::{Change, Edited};
use super::fill::{Columns, cell, people_cells};
use super::finding::Finding;
use super::grid::{Row, Table};
use super::order::say;
use super::page::Page;
use super::people::{People, fold, is_inactive};
use super::wanted::{Known, Ownership, Person, WantedRow, is_broken, links_to_project, row_name};
use crate::program::{Handbook, RowOrder};
use crate::untrusted::Untrusted;

/// What the page needs for one community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// Its row says what it should.
    UpToDate {
        /// The row's number.
        row: usize,
        /// Its line on the page, from 1.
        line: usize,
    },
    /// One line changes.
    Change {
        /// In which way.
        kind: ChangeKind,
        /// The edited page.
        edited: Edited,
    },
}

/// In which way a page's line changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The community had no row.
    Added,
    /// Its row said something else.
    Changed,
    /// A row of its name gains the link to its project.
    Adopted,
}

/// What the page needs so that it says what is wanted about the community.
///
/// A cell is changed only when it *means* something else; every other cell, row and byte stays.
///
/// # Errors
/// A [`Finding`] when the page, heading, table, header or row does not allow a certain answer.
pub fn reconcile(
    page: &[u8],
    handbook: &Handbook,
    wanted: &WantedRow,
    others: &[Known],
) -> Result<Reconciled, Finding> {
    let page = Page::parse(page)?;
    let table = target(&page, handbook)?;
    let columns = Columns::of(&table, &handbook.columns)?;
    reconcile_in(&table, &columns, handbook.order, wanted, others)
}

/// The same for a table that was found already.
pub(super) fn reconcile_in(
    table: &Table<'_>,
    columns: &Columns,
    order: RowOrder,
    wanted: &WantedRow,
    others: &[Known],
) -> Result<Reconciled, Finding> {
    let Owned::Row { row, linked } = owned(table, columns, wanted, others)? else {
        return add(table, columns, order, wanted);
    };
    let change = Change::Set {
        row: row.index,
        cells: changed_cells(table, columns, &row, wanted)?,
    };
    let edited = table.edit(&change)?;
    if edited.is_unchanged() {
        return Ok(Reconciled::UpToDate {
            row: row.index,
            line: row.line(),
        });
    }
    let adopted = !linked && wanted.project_url.is_some();
    let kind = if adopted {
        ChangeKind::Adopted
    } else {
        ChangeKind::Changed
    };
    Ok(Reconciled::Change { kind, edited })
}

/// The page without the community's row; `None` when it has none. A row that only has the community's name is not taken away: nobody
/// said that it is its own.
///
/// # Errors
/// A [`Finding`] as for [`reconcile`].
pub fn without(
    page: &[u8],
    handbook: &Handbook,
    wanted: &WantedRow,
    others: &[Known],
) -> Result<Option<Edited>, Finding> {
    let page = Page::parse(page)?;
    let table = target(&page, handbook)?;
    let columns = Columns::of(&table, &handbook.columns)?;
    match owned(&table, &columns, wanted, others) {
        Ok(Owned::Row { row, linked: true }) => Ok(Some(table.edit(&Change::Remove { row: row.index })?)),
        // What leads nowhere or to another project is not this one's to take away.
        Ok(_) | Err(Finding::Elsewhere { .. }) => Ok(None),
        Err(finding) => Err(finding),
    }
}

/// The handbook's table on the page: the first under the heading, when no other there has the same header.
///
/// # Errors
/// A [`Finding`] as for [`Page::table`], or [`Finding::TwoCandidates`].
pub fn target<'p>(page: &'p Page<'p>, handbook: &Handbook) -> Result<Table<'p>, Finding> {
    page.only_candidate(&handbook.heading)?;
    page.table(&handbook.heading, None)
}

enum Owned<'p> {
    Row { row: Row<'p>, linked: bool },
    None,
}

/// The community's row, when it is certain and whole.
fn owned<'p>(table: &Table<'p>, columns: &Columns, wanted: &WantedRow, others: &[Known]) -> Result<Owned<'p>, Finding> {
    let name = || wanted.name.expose().to_owned();
    let (index, linked) = match table.find(columns.name, wanted, others) {
        Ownership::None => return Ok(Owned::None),
        Ownership::Named(index) | Ownership::Broken(index, _) => (index, false),
        Ownership::Linked(index) => (index, true),
        Ownership::Elsewhere(row) => {
            return Err(Finding::Elsewhere {
                name: name(),
                line: table.line_of_row(row),
            });
        }
        Ownership::Shared(row) => {
            return Err(Finding::Shared {
                name: name(),
                line: table.line_of_row(row),
            });
        }
        Ownership::Ambiguous(rows) => {
            let lines = rows.into_iter().map(|row| table.line_of_row(row)).collect();
            return Err(Finding::Ambiguous { name: name(), lines });
        }
    };
    let Some(row) = table.row(index) else {
        return Ok(Owned::None);
    };
    match row.malformed().filter(is_broken) {
        Some(reason) => Err(Finding::Malformed {
            name: name(),
            line: row.line(),
            reason,
        }),
        None => Ok(Owned::Row { row, linked }),
    }
}

fn add(table: &Table<'_>, columns: &Columns, order: RowOrder, wanted: &WantedRow) -> Result<Reconciled, Finding> {
    let mut cells = vec![Cell::empty(); table.columns()];
    for filled in columns.filled() {
        cells[filled.column] = cell(table, columns, filled, wanted)?;
    }
    let change = Change::Add {
        cells,
        at: order.into(),
        key: columns.name,
    };
    Ok(Reconciled::Change {
        kind: ChangeKind::Added,
        edited: table.edit(&change)?,
    })
}

fn changed_cells(
    table: &Table<'_>,
    columns: &Columns,
    row: &Row<'_>,
    wanted: &WantedRow,
) -> Result<Vec<Option<Cell>>, Finding> {
    let mut cells = vec![None; table.columns()];
    for filled in columns.filled() {
        let column = filled.column;
        let said = row.said(column);
        let fresh = cell(table, columns, filled, wanted)?;
        cells[column] = if column == columns.name {
            let same = names_it(&said, wanted) || says_the_same(&said, &say(&fresh));
            (!same).then_some(fresh)
        } else if Some(column) == columns.people {
            people_changed(table, row, columns, wanted, fresh)
        } else {
            (!says_the_same(&said, &say(&fresh))).then_some(fresh)
        };
        let kept = row.cells().get(column).copied().unwrap_or_default();
        cells[column] = cells[column].take().map(|cell| cell.with_comments_of(kept));
    }
    Ok(cells)
}

/// Whether the name's cell has the community's name and leads to its project.
fn names_it(said: &Said, wanted: &WantedRow) -> bool {
    let linked = match &wanted.project_url {
        Some(url) => said.links.iter().any(|(_, target)| links_to_project(target, url)),
        None => true,
    };
    linked && plain_name(&said.text) == plain_name(wanted.name.expose())
}

/// A name without what people add and leave out: an article, `CoP`, `(inactive)`.
fn plain_name(text: &str) -> String {
    let name = row_name(text);
    let words = name
        .split(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
        .filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join(" ");
    let name = name.strip_prefix("the ").unwrap_or(&name);
    let ends = [" cop", " community of practice", " community"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
        .to_owned()
}

/// Whether two cells have the same words and the same links.
fn says_the_same(ours: &Said, wanted: &Said) -> bool {
    let targets = |said: &Said| {
        let mut targets: Vec<String> = said
            .links
            .iter()
            .map(|(_, target)| target.trim_end_matches('/').to_owned())
            .collect();
        targets.sort();
        targets
    };
    fold(&ours.text) == fold(&wanted.text) && targets(ours) == targets(wanted)
}

/// The facilitators' cell, when it names other people or marks them otherwise; as much of it as can stays.
fn people_changed(
    table: &Table<'_>,
    row: &Row<'_>,
    columns: &Columns,
    wanted: &WantedRow,
    fresh: Cell,
) -> Option<Cell> {
    let column = columns.people?;
    // A mark after the community's name marks the community.
    let marked = wanted.inactive && is_inactive(&row.said(columns.name).text);
    let means_it = |said: &Said| {
        let people = People::read(said);
        people.are(&wanted.facilitators, wanted.inactive) || (marked && people.are(&wanted.facilitators, false))
    };
    let said = row.said(column);
    if means_it(&said) {
        return None;
    }
    let kept = row.cells().get(column).copied().unwrap_or_default();
    let written = people_cells(table, columns, wanted);
    let gentle = [appended(kept, &said, wanted, &written), unmarked(kept)];
    gentle
        .into_iter()
        .flatten()
        .find(|cell| means_it(&say(cell)))
        .or(Some(fresh))
}

/// The cell as it is, with the new people behind the others.
fn appended(kept: &str, said: &Said, wanted: &WantedRow, written: &[Cell]) -> Option<Cell> {
    let people = People::read(said);
    if people.named.is_empty() || !people.are_among(&wanted.facilitators) {
        return None;
    }
    let is_new = |person: &Person| !people.named.iter().any(|someone| someone.is(person));
    let new = wanted
        .facilitators
        .iter()
        .zip(written)
        .filter(|(person, _)| is_new(person))
        .map(|(_, cell)| cell);
    Cell::from_gfm(&format!("{kept}, {}", Cell::join(new, ", ").as_str())).ok()
}

/// The cell as it is, without `(inactive)`.
fn unmarked(kept: &str) -> Option<Cell> {
    let at = kept.to_ascii_lowercase().find("(inactive)")?;
    let rest = format!("{}{}", kept[..at].trim_end(), &kept[at + "(inactive)".len()..]);
    match unmarked(&rest) {
        Some(cell) => Some(cell),
        None => Cell::from_gfm(&rest).ok(),
    }
}

/// The name as a [`Known`] for other communities' look-ups.
impl From<&WantedRow> for Known {
    fn from(wanted: &WantedRow) -> Self {
        Self {
            name: Untrusted::new(wanted.name.expose()),
            project_url: wanted.project_url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use super::*;
    use crate::ids::Username;

    const PAGE: &str = "# CoPs\n\n## Current CoPs\n\n| Subject Focus | Facilitator(s) |\n| --- | --- |\n\
        | [Agile Architecture](https://gitlab.example/cop/agile-architecture/) | Lead: [Darwin Sanoy (@DarwinJS)](https://gitlab.example/DarwinJS), Co-Leads: [Brian Wald (@brianwald)](https://gitlab.example/brianwald) |\n\
        | Containers | TBD |\n\
        | Defending against GitHub]| @alice |\n\
        | The Kubernetes Group | [Alice A (@alice)](https://gitlab.example/alice) (inactive) |\n\
        | Value Streams | @bob |\n\nAfter.\n";

    fn handbook() -> Handbook {
        Handbook::new("h/h", "p.md", "Current CoPs")
    }

    fn person(username: &str, name: &str) -> Person {
        Person {
            username: Username::new(username).unwrap(),
            display_name: Some(Untrusted::new(name)),
            profile_url: Url::parse(&format!("https://gitlab.example/{username}")).unwrap(),
            inactive: false,
        }
    }

    fn wanted(name: &str, path: &str, people: &[(&str, &str)]) -> WantedRow {
        WantedRow {
            name: Untrusted::new(name),
            project_url: Some(Url::parse(&format!("https://gitlab.example/cop/{path}")).unwrap()),
            facilitators: people.iter().map(|(username, name)| person(username, name)).collect(),
            inactive: false,
            fields: BTreeMap::new(),
        }
    }

    /// The changed line, or `=` and the number of the row that is right already.
    fn line(wanted: &WantedRow) -> String {
        match reconcile(PAGE.as_bytes(), &handbook(), wanted, &[]).unwrap() {
            Reconciled::UpToDate { row, .. } => format!("={row}"),
            Reconciled::Change { kind, edited } => {
                format!("{kind:?} {}: {}", edited.row, edited.after.unwrap_or_default())
            }
        }
    }

    #[test]
    fn human_wording_of_the_same_people_stays() {
        let row = wanted(
            "Agile Architecture",
            "agile-architecture",
            &[("brianwald", "B. Wald"), ("darwinjs", "Darwin")],
        );
        assert_eq!(line(&row), "=0");
    }

    #[test]
    fn a_new_community_goes_to_its_sorted_place_in_the_neighbours_style() {
        let row = wanted("DevSecOps | <b>", "devsecops", &[("carol", "Carol C")]);
        assert_eq!(
            line(&row),
            "Added 2: | [DevSecOps \\| \\<b\\>](https://gitlab.example/cop/devsecops) | [Carol C (@carol)](https://gitlab.example/carol) |"
        );
    }

    #[test]
    fn a_row_of_the_same_name_is_adopted_and_gains_the_link() {
        assert_eq!(
            line(&wanted("containers", "containers", &[])),
            "Adopted 1: | [containers](https://gitlab.example/cop/containers) | TBD |"
        );
    }

    #[test]
    fn a_broken_row_of_that_name_is_a_persons_to_mend() {
        let row = wanted("Defending against GitHub", "github", &[("alice", "Alice A")]);
        let found = reconcile(PAGE.as_bytes(), &handbook(), &row, &[]).unwrap_err();
        assert!(matches!(found, Finding::Malformed { line: 9, .. }), "{found}");
    }

    #[test]
    fn inactive_is_written_and_understood() {
        let mut row = wanted("The Kubernetes Group", "k8s", &[("alice", "Alice A")]);
        row.inactive = true;
        row.project_url = None;
        assert_eq!(line(&row), "=3");
        row.inactive = false;
        assert_eq!(
            line(&row),
            "Changed 3: | The Kubernetes Group | [Alice A (@alice)](https://gitlab.example/alice) |"
        );
    }
}
