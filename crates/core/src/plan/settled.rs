//! What people made of a line counts as meant: a cell is only written again when what it is about has changed since the line was
//! merged last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::program::Handbook;
use crate::table::{self, Cell, Change, ChangeKind, Columns, DEFAULT_COLUMNS, Finding, Page, Reconciled, WantedRow};

/// So many digits tell two values of one community apart.
const DIGITS: usize = 12;

/// The values that a line was made from, each as a few digits of its digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(BTreeMap<String, String>);

impl Said {
    /// The values of a wanted row.
    #[must_use]
    pub fn of(row: &WantedRow) -> Self {
        let mut people: Vec<String> = row.facilitators.iter().map(|person| person.username.key()).collect();
        people.sort();
        people.push(row.inactive.to_string());
        let url = row.project_url.as_ref().map_or("", |url| url.as_str());
        let fixed = [
            ("name", digest([row.name.expose()])),
            ("url", digest([url])),
            ("facilitators", digest(people.iter().map(String::as_str))),
        ];
        let fields = row
            .fields
            .iter()
            .map(|(field, text)| (field.as_str(), digest([text.expose()])));
        Self(
            fixed
                .into_iter()
                .chain(fields)
                .map(|(field, digits)| (field.to_owned(), digits))
                .collect(),
        )
    }

    /// Whether everything that a template names is as it was.
    fn has_the_same(&self, other: &Self, template: &str) -> bool {
        let fields: Vec<&str> = fields_of(template).collect();
        let same = |field: &&str| {
            let field = if *field == "project_url" { "url" } else { field };
            self.0
                .get(field)
                .is_some_and(|digits| other.0.get(field) == Some(digits))
        };
        !fields.is_empty() && fields.iter().all(same)
    }
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    Digest::of_parts(parts).as_str()[..DIGITS].to_owned()
}

/// Names of values in a template: every word in its braces, so that more is compared rather than less.
fn fields_of(template: &str) -> impl Iterator<Item = &str> {
    let inside = template.split("{{").skip(1).filter_map(|part| part.split("}}").next());
    let words = inside.flat_map(|inside| inside.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty() && !matches!(*word, "if" | "unless" | "else"))
}

/// The change without those cells whose facts are the ones that were merged; nothing when none is left.
///
/// # Errors
/// A [`Finding`] when the page does not allow it.
pub(super) fn kept(
    page: &[u8],
    handbook: &Handbook,
    found: Reconciled,
    merged: &Said,
    now: &Said,
) -> Result<Reconciled, Finding> {
    let Reconciled::Change {
        kind: kind @ (ChangeKind::Changed | ChangeKind::Adopted),
        edited,
    } = found
    else {
        return Ok(found);
    };
    let (parsed, after) = (Page::parse(page)?, Page::parse(&edited.page)?);
    let (table, new) = (table::target(&parsed, handbook)?, table::target(&after, handbook)?);
    Columns::of(&table, &handbook.columns)?;
    let cells = new.row(edited.row).map(|row| row.cells()).unwrap_or_default();
    let template_of = |column: usize| {
        let own = handbook
            .columns
            .iter()
            .map(|(header, template)| (header.as_str(), template.as_str()));
        let mut all = own.chain(DEFAULT_COLUMNS);
        all.find(|(header, _)| table.column(header) == Some(column))
            .map(|(_, template)| template)
    };
    let is_settled = |column| template_of(column).is_none_or(|template| now.has_the_same(merged, template));
    let cells: Vec<Option<Cell>> = (0..table.columns())
        .map(|column| {
            let text = cells.get(column).copied().unwrap_or_default();
            if is_settled(column) {
                None
            } else {
                Cell::from_gfm(text).ok()
            }
        })
        .collect();
    let line = edited.line;
    let edited = table.edit(&Change::Set { row: edited.row, cells })?;
    Ok(if edited.is_unchanged() {
        Reconciled::UpToDate { row: edited.row, line }
    } else {
        Reconciled::Change { kind, edited }
    })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::ids::Username;
    use crate::table::Person;
    use crate::untrusted::Untrusted;

    fn row(name: &str, people: &[&str]) -> WantedRow {
        let person = |name: &&str| Person {
            username: Username::new(name).unwrap(),
            display_name: None,
            profile_url: Url::parse(&format!("https://gitlab.example/{name}")).unwrap(),
            inactive: false,
        };
        WantedRow {
            name: Untrusted::new(name),
            project_url: Some(Url::parse("https://gitlab.example/cop/rust").unwrap()),
            facilitators: people.iter().map(person).collect(),
            inactive: false,
            fields: BTreeMap::new(),
        }
    }

    /// The line after `merged` was merged, people made it `line`, and `now` is wanted.
    #[track_caller]
    fn check(line: &str, merged: &WantedRow, now: &WantedRow, expected: &str) {
        let page = format!("# C\n\n| Subject | Facilitator |\n|---|---|\n{line}\n");
        let handbook = Handbook::new("h/h", "p.md", "C");
        let found = table::reconcile(page.as_bytes(), &handbook, now, &[]).unwrap();
        let found = kept(page.as_bytes(), &handbook, found, &Said::of(merged), &Said::of(now)).unwrap();
        let line = match found {
            Reconciled::UpToDate { .. } => line.to_owned(),
            Reconciled::Change { edited, .. } => edited.after.unwrap(),
        };
        assert_eq!(line, expected);
    }

    #[test]
    fn only_cells_whose_facts_changed_are_written_again() {
        let line = "| [Rust, in earnest](https://gitlab.example/cop/rust) | @ann and friends |";
        let merged = row("Rust", &["ann"]);
        check(line, &merged, &merged, line);
        check(
            line,
            &merged,
            &row("Rust", &["bob"]),
            "| [Rust, in earnest](https://gitlab.example/cop/rust) | @bob |",
        );
        check(
            line,
            &merged,
            &row("Rustaceans", &["ann"]),
            "| [Rustaceans](https://gitlab.example/cop/rust) | @ann and friends |",
        );
    }
}
