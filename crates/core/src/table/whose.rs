//! A table's rows by the projects that they link to and by the names that they have: read once, asked for every community.

use std::collections::HashMap;

use url::Url;

use super::fill::Columns;
use super::finding::Finding;
use super::page::Page;
use super::people::fold;
use super::reconcile::target;
use super::wanted::{links_to_project, plain_path, row_name};
use crate::program::Handbook;
use crate::untrusted::Untrusted;

/// The rows of a handbook's table, found by project or name.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    header: Vec<String>,
    /// The rows' lines as they stand on the page.
    lines: Vec<String>,
    /// Rows and link targets by the path of what they link to, and by that of everything above it.
    linking: HashMap<String, Vec<(usize, String)>>,
    /// Rows by the name in them.
    named: HashMap<String, Vec<usize>>,
}

impl Whose {
    /// Reads the handbook's table on this page.
    ///
    /// # Errors
    /// A [`Finding`] when the page, heading, table or header is not usable.
    pub fn read(page: &[u8], handbook: &Handbook) -> Result<Self, Finding> {
        let page = Page::parse(page)?;
        let table = target(&page, handbook)?;
        let columns = Columns::of(&table, &handbook.columns)?;
        let mut whose = Self {
            header: table.header(),
            ..Self::default()
        };
        for row in table.rows() {
            let number = whose.lines.len();
            whose.lines.push(row.source().to_owned());
            for column in 0..table.columns() {
                let said = row.said(column);
                for (_, target) in &said.links {
                    whose.note_link(number, target);
                }
                if column == columns.name {
                    whose.named.entry(row_name(&said.text)).or_default().push(number);
                }
            }
        }
        Ok(whose)
    }

    fn note_link(&mut self, row: usize, target: &str) {
        let Ok(url) = Url::parse(target) else { return };
        let path = plain_path(&url);
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|end| *end > 0) {
            let linking = self.linking.entry(path[..end].to_owned()).or_default();
            linking.push((row, target.to_owned()));
        }
    }

    /// The table's header.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The lines that link to the project or have the name, in their order on the page.
    #[must_use]
    pub fn lines_of(&self, project: &Url, name: &Untrusted) -> Vec<&str> {
        let linking = self.linking.get(&plain_path(project)).into_iter().flatten();
        let linking = linking.filter(|(_, target)| links_to_project(target, project));
        let named = self.named.get(&fold(name.expose())).into_iter().flatten();
        let mut rows: Vec<usize> = linking.map(|(row, _)| *row).chain(named.copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|row| self.lines[row].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# C\n\n| Subject | Facilitator |\n|---|---|\n\
        | [Rust](https://gitlab.example/cop/rust) | @ann |\n\
        | [Rusty](https://gitlab.example/cop/rusty) | @bob |\n\
        | Go (inactive) | [chat](https://gitlab.example/cop/go/-/issues) |\n\
        | Elm | TBD |\n";

    #[track_caller]
    fn check(path: &str, name: &str, expected: &[&str]) {
        let whose = Whose::read(PAGE.as_bytes(), &Handbook::new("h/h", "p.md", "C")).unwrap();
        let project = Url::parse(&format!("https://gitlab.example/{path}")).unwrap();
        let found = whose.lines_of(&project, &Untrusted::new(name));
        let begins: Vec<&str> = found
            .iter()
            .map(|line| &line[..expected[0].len().min(line.len())])
            .collect();
        assert_eq!(begins, expected, "{found:?}");
    }

    #[test]
    fn a_row_is_found_by_its_link_in_any_column_and_by_its_name() {
        check("cop/rust", "Something else", &["| [Rust]"]);
        check("Cop/Rust", "elm", &["| [Rust]", "| Elm | "]);
        check("cop/go", "x", &["| Go (in"]);
        check("cop/golang", "Go", &["| Go (in"]);
    }

    #[test]
    fn another_project_of_the_group_or_another_host_finds_nothing() {
        let whose = Whose::read(PAGE.as_bytes(), &Handbook::new("h/h", "p.md", "C")).unwrap();
        for address in [
            "https://gitlab.example/cop/ru",
            "https://gitlab.example/cop",
            "https://else.example/cop/rust",
        ] {
            let project = Url::parse(address).unwrap();
            assert_eq!(
                whose.lines_of(&project, &Untrusted::new("x")),
                Vec::<&str>::new(),
                "{address}"
            );
        }
    }
}
