//! From a community to the cells of its row: templates for the columns, people in the page's own style.

use std::collections::BTreeMap;

use super::cell::{Cell, escape_text, escape_url, one_line};
use super::finding::Finding;
use super::grid::Table;
use super::people::People;
use super::wanted::{Person, WantedRow};
use crate::render::engine;
use crate::untrusted::Untrusted;

/// Cell templates by header text, for the columns that the settings do not name.
pub const DEFAULT_COLUMNS: [(&str, &str); 2] = [
    ("Subject", "[{{name}}]({{project_url}})"),
    ("Facilitator", "{{facilitators}}"),
];

/// Which column of a table is filled by which template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    filled: Vec<Filled>,
    /// The column with the community's name.
    pub name: usize,
    /// The column with the facilitators, if one has them alone.
    pub people: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) column: usize,
    header: String,
    template: String,
}

impl Columns {
    /// Matches the settings' columns with the table's header. [`DEFAULT_COLUMNS`] fill what the settings do not name.
    ///
    /// # Errors
    /// [`Finding::NoColumn`] when a header is not there, [`Finding::NoNameTemplate`] when nothing says where the name is.
    pub fn of(table: &Table<'_>, settings: &[(String, String)]) -> Result<Self, Finding> {
        let mut filled: Vec<Filled> = Vec::new();
        for (header, template) in settings {
            let column = column(table, header)?;
            filled.push(Filled {
                column,
                header: header.clone(),
                template: template.clone(),
            });
        }
        for (header, template) in DEFAULT_COLUMNS {
            let column = match column(table, header) {
                Ok(column) => column,
                // Settings that name columns of their own may be for a page that has not these.
                Err(_) if !settings.is_empty() => continue,
                Err(finding) => return Err(finding),
            };
            if filled.iter().all(|other| other.column != column) {
                filled.push(Filled {
                    column,
                    header: header.to_owned(),
                    template: template.to_owned(),
                });
            }
        }
        let holding = |field: &str| {
            let holds = |filled: &&Filled| fields_of(&filled.template).any(|name| name == field);
            filled.iter().find(holds).map(|filled| filled.column)
        };
        let name = holding("name").ok_or(Finding::NoNameTemplate)?;
        let people = holding("facilitators").filter(|&people| people != name);
        Ok(Self { name, people, filled })
    }

    pub(super) fn filled(&self) -> &[Filled] {
        &self.filled
    }
}

fn column(table: &Table<'_>, header: &str) -> Result<usize, Finding> {
    let missing = || Finding::NoColumn {
        wanted: header.to_owned(),
        header: table.header(),
    };
    table.column(header).ok_or_else(missing)
}

/// The names between `{{` and `}}`.
fn fields_of(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("{{")
        .skip(1)
        .filter_map(|part| part.split_once("}}"))
        .map(|(name, _)| name.trim())
}

/// The cell of one column as it would be written anew.
///
/// # Errors
/// [`Finding::BadTemplate`] when the template names an unknown field or does not give one line of GFM.
pub(super) fn cell(table: &Table<'_>, columns: &Columns, filled: &Filled, wanted: &WantedRow) -> Result<Cell, Finding> {
    let people = || people_cell(table, columns, wanted);
    if is_people(filled) {
        return Ok(people());
    }
    // A page that may not name the project gets the name alone, not a link that leads nowhere.
    let is_link = fields_of(&filled.template).any(|field| matches!(field, "project_url" | "url"));
    if wanted.project_url.is_none() && is_link && filled.column == columns.name {
        return Ok(Cell::text(&wanted.name));
    }
    let mut fields: BTreeMap<&str, String> = wanted
        .fields
        .iter()
        .map(|(name, text)| (name.as_str(), escape_text(text.expose())))
        .collect();
    fields.insert("name", escape_text(wanted.name.expose()));
    fields.insert("facilitators", people().as_str().to_owned());
    let url = wanted.project_url.as_ref().map(escape_url).unwrap_or_default();
    // `url` is the short name that settings may use as well.
    fields.insert("url", url.clone());
    fields.insert("project_url", url);
    render(filled, &serde_json::json!(fields))
}

fn is_people(filled: &Filled) -> bool {
    filled.template.trim() == DEFAULT_COLUMNS[1].1
}

/// The fields are GFM already, and are taken as they are.
fn render(filled: &Filled, fields: &serde_json::Value) -> Result<Cell, Finding> {
    let bad = |reason: String| Finding::BadTemplate {
        column: filled.header.clone(),
        reason,
    };
    let gfm = engine::render(&filled.header, &filled.template, fields).map_err(|fault| bad(fault.what))?;
    Cell::from_gfm(&gfm).map_err(|reason| bad(reason.to_string()))
}

/// How a page writes a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PersonStyle {
    LinkedNameAndHandle,
    LinkedName,
    LinkedHandle,
    Handle,
    NameAndHandle,
}

/// The facilitators one by one, as the page writes people.
pub(super) fn people_cells(table: &Table<'_>, columns: &Columns, wanted: &WantedRow) -> Vec<Cell> {
    let style = columns
        .people
        .and_then(|column| style_of(table, column))
        .unwrap_or(PersonStyle::LinkedNameAndHandle);
    let people = wanted.facilitators.iter();
    people
        .map(|person| written(person, style, wanted.inactive || person.inactive))
        .collect()
}

fn people_cell(table: &Table<'_>, columns: &Columns, wanted: &WantedRow) -> Cell {
    let people = people_cells(table, columns, wanted);
    match (people.is_empty(), wanted.inactive) {
        (true, false) => Cell::words("TBD"),
        (true, true) => Cell::words("TBD (inactive)"),
        (false, _) => Cell::join(&people, ", "),
    }
}

/// The style of most people in the column, when it is clear.
fn style_of(table: &Table<'_>, column: usize) -> Option<PersonStyle> {
    use PersonStyle::{Handle, LinkedHandle, LinkedName, LinkedNameAndHandle, NameAndHandle};
    let styles: Vec<PersonStyle> = table.rows().filter_map(|row| row_style(&row.said(column))).collect();
    let count = |style: PersonStyle| styles.iter().filter(|&&other| other == style).count();
    let all = [LinkedNameAndHandle, LinkedName, LinkedHandle, Handle, NameAndHandle];
    all.into_iter().find(|&style| 2 * count(style) > styles.len())
}

fn row_style(said: &super::cell::Said) -> Option<PersonStyle> {
    let people = People::read(said);
    let first = people.named.first()?;
    let handle = said.text.contains('@');
    let linked = first.target.is_some();
    Some(match (linked, first.name.is_some(), handle) {
        (true, true, true) => PersonStyle::LinkedNameAndHandle,
        (true, true, false) => PersonStyle::LinkedName,
        (true, false, _) => PersonStyle::LinkedHandle,
        (false, true, true) => PersonStyle::NameAndHandle,
        (false, false, _) => PersonStyle::Handle,
        // A name alone does not say who it is.
        (false, true, false) => return None,
    })
}

fn written(person: &Person, style: PersonStyle, inactive: bool) -> Cell {
    let handle = format!("@{}", person.username.as_str());
    let name = person
        .display_name
        .as_ref()
        .map(|name| one_line(name.expose()))
        .filter(|name| !name.is_empty());
    let link = |text: String| Cell::link(&Untrusted::new(text), &person.profile_url);
    let cell = match (style, name) {
        (PersonStyle::LinkedNameAndHandle, Some(name)) => link(format!("{name} ({handle})")),
        (PersonStyle::LinkedName, Some(name)) => link(name),
        (PersonStyle::LinkedHandle | PersonStyle::LinkedNameAndHandle | PersonStyle::LinkedName, _) => link(handle),
        (PersonStyle::NameAndHandle, Some(name)) => Cell::text(&Untrusted::new(format!("{name} ({handle})"))),
        (PersonStyle::Handle | PersonStyle::NameAndHandle, _) => Cell::text(&Untrusted::new(handle)),
    };
    if inactive {
        Cell::join([&cell, &Cell::words("(inactive)")], " ")
    } else {
        cell
    }
}
