//! Template text and data in, files out.
//!
//! A template set is a folder: `project/` holds what a new community's project gets, `board.toml` its board, the rest are
//! single texts such as `kickoff.md.hbs`. Templates are Handlebars and belong to maintainers; values belong to whoever
//! wrote them, and are made fit for the kind of file *before* they meet a template ([`values`]): no value is ever read
//! as template, and no template can switch that off. Nothing here reads a file.

mod board;
pub(crate) mod engine;
mod facts;
mod values;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::charter::{self, Charter};
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

pub use board::{Board, BoardList};

/// The sources of a template set by their path in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TemplateSet {
    files: BTreeMap<String, String>,
}

impl TemplateSet {
    /// Takes the sources by their path, `/` between the parts.
    #[must_use]
    pub fn new(files: BTreeMap<String, String>) -> Self {
        Self { files }
    }

    /// The paths in the set.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The source at a path.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}

/// One file of a new project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// Its path in the repository.
    pub path: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// What is known of a community's project when its files are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectData {
    /// What the community says about itself.
    pub charter: Charter,
    /// The last part of the project's path; the only value that may stand in a template's path.
    pub slug: Slug,
    /// Purpose and scope in the proposer's words, several lines of Markdown.
    pub purpose: Untrusted,
    /// Members beside the facilitators.
    pub members: Vec<Username>,
    /// Addresses of the project's pages.
    pub addresses: Addresses,
}

/// Addresses that GitLab gave or that follow from those it gave; never people's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The project's page.
    pub project: String,
    /// The page with the project's issue boards.
    pub board: String,
    /// The charter in the default branch.
    pub charter: String,
    /// The proposal.
    pub proposal: Option<String>,
    /// The handbook page that lists the communities.
    pub handbook: Option<String>,
}

impl Addresses {
    /// The addresses that follow from the project's own and its default branch.
    #[must_use]
    pub fn of_project(project: &str, branch: &str) -> Self {
        let project = project.trim_end_matches('/').to_owned();
        Self {
            board: format!("{project}/-/boards"),
            charter: format!("{project}/-/blob/{branch}/{}", charter::PATH),
            proposal: None,
            handbook: None,
            project,
        }
    }
}

/// Why a template gave no file: a mistake of whoever keeps the template set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The template's path in the set.
    pub template: String,
    /// The line, counted from 1, when it is about one.
    pub line: Option<usize>,
    /// What is wrong and what would mend it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.template, self.what),
            None => write!(f, "{}: {}", self.template, self.what),
        }
    }
}

/// The most files that a project may begin with.
pub const MOST_FILES: usize = 200;

/// All files of a new community's project, in the order of their paths: everything under `project/`, where `.hbs` files
/// are templates and the others are taken as they are.
///
/// # Errors
/// The faults of all templates, so that they can be mended in one go.
pub fn project_files(set: &TemplateSet, data: &ProjectData) -> Result<Vec<RenderedFile>, Vec<Fault>> {
    let sources: Vec<_> = set.files.iter().filter(|(path, _)| path.starts_with(PROJECT)).collect();
    if sources.len() > MOST_FILES {
        return Err(vec![fault(
            PROJECT,
            format!("holds {} files; at most {MOST_FILES} can be committed", sources.len()),
        )]);
    }
    let mut files = BTreeMap::new();
    let mut faults = Vec::new();
    for (template, source) in sources {
        match project_file(template, source, data) {
            Err(fault) => faults.push(fault),
            Ok(file) if files.contains_key(&file.path) => {
                faults.push(fault(
                    template,
                    format!("a second template gives `{}`; remove one", file.path),
                ));
            }
            Ok(file) => {
                files.insert(file.path.clone(), file);
            }
        }
    }
    if faults.is_empty() {
        Ok(files.into_values().collect())
    } else {
        Err(faults)
    }
}

/// A README with its marked block made true again; `None` when it says so already, or when people took the marks out.
///
/// Everything outside the block stays as it is, byte for byte.
///
/// # Errors
/// When the set's README is faulty.
pub fn updated_readme(set: &TemplateSet, data: &ProjectData, current: &str) -> Result<Option<String>, Fault> {
    let template = "project/README.md.hbs";
    let source = set.source(template).ok_or_else(|| missing(template))?;
    let wanted = engine::render(template, source, &values::context(data, values::Sink::Markdown, None))?;
    Ok(facts::spliced(current, &wanted).filter(|updated| updated != current))
}

/// The text of the kick-off issue (`kickoff.md.hbs`).
///
/// # Errors
/// When the template is missing or faulty.
pub fn kickoff(set: &TemplateSet, data: &ProjectData) -> Result<String, Fault> {
    issue_text(set, "kickoff.md.hbs", data, None)
}

/// The text of the agenda issue for the meeting of that day (`agenda.md.hbs`).
///
/// # Errors
/// When the template is missing or faulty.
pub fn agenda(set: &TemplateSet, data: &ProjectData, day: Date) -> Result<String, Fault> {
    issue_text(set, "agenda.md.hbs", data, Some(day))
}

/// The issue board of a new project (`board.toml`).
///
/// # Errors
/// When the file is missing, is no TOML, or holds what a board cannot have.
pub fn board(set: &TemplateSet) -> Result<Board, Fault> {
    let path = "board.toml";
    board::parse(set.source(path).ok_or_else(|| missing(path))?).map_err(|(line, what)| Fault {
        template: path.to_owned(),
        line,
        what,
    })
}

const PROJECT: &str = "project/";

fn project_file(template: &str, source: &str, data: &ProjectData) -> Result<RenderedFile, Fault> {
    let path = target_path(template, &data.slug)?;
    let content = if template.ends_with(".hbs") {
        let sink = values::Sink::of(&path);
        engine::render(template, source, &values::context(data, sink, None))?
    } else {
        source.to_owned()
    };
    if path == charter::PATH && charter::read(content.as_bytes()).as_ref() != Ok(&data.charter) {
        return Err(fault(
            template,
            "gives a charter that says something else than the proposal; give every key its value".into(),
        ));
    }
    Ok(RenderedFile {
        path,
        content: content.into_bytes(),
    })
}

fn issue_text(set: &TemplateSet, template: &str, data: &ProjectData, day: Option<Date>) -> Result<String, Fault> {
    let source = set.source(template).ok_or_else(|| missing(template))?;
    engine::render(template, source, &values::context(data, values::Sink::Markdown, day))
}

/// The path in the repository: without `project/` and `.hbs`, the slug filled in, and nothing that leaves the repository.
fn target_path(template: &str, slug: &Slug) -> Result<String, Fault> {
    let path = template.trim_start_matches(PROJECT);
    let path = path
        .strip_suffix(".hbs")
        .unwrap_or(path)
        .replace("{{slug}}", slug.as_str());
    let harmless = |part: &str| {
        !part.is_empty()
            && !part.starts_with("..")
            && part != "."
            && !part.eq_ignore_ascii_case(".git")
            && !part.chars().any(|c| c.is_control() || matches!(c, '\\' | '{' | '}'))
    };
    if path.split('/').all(harmless) {
        Ok(path)
    } else {
        Err(fault(
            template,
            "cannot be a file's path in a repository; only `{{slug}}` may be filled in".into(),
        ))
    }
}

fn missing(template: &str) -> Fault {
    fault(template, "is missing from the template set".into())
}

fn fault(template: &str, what: String) -> Fault {
    Fault {
        template: template.to_owned(),
        line: None,
        what,
    }
}
