//! The first look at an organisation that already has communities.
//!
//! [`report`] compares the page's rows with the group's projects and their charters, and says what does not fit together.
//! Each [`Finding`] has its evidence and its mend; those that Convenor can mend itself carry an [`Action`]. Nothing here
//! is done: [`charter::steps`] gives the merge request for one missing charter, and a row is the community's own look.

pub mod charter;
mod rows;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::charter::{self as record, Charter, Status};
use crate::escape::TerminalText;
use crate::ids::{CommitSha, ProjectId, Username};
use crate::plan::FileVersion;
use crate::plan::listing;
use crate::plan::seen::{MergeRequestSeen, PageSeen, People, ProjectSeen, UserSeen};
use crate::program::{Handbook, Program};
use crate::table::{self, Page, Person, WantedRow};
use crate::untrusted::Untrusted;

/// All that the first look depends on.
#[derive(Clone, Debug)]
pub struct AdoptSeen {
    /// Who we are.
    pub bot: UserSeen,
    /// The program's pages with a table that people keep too.
    pub pages: Vec<(Handbook, PageSeen)>,
    /// Every project of the group but intake and handbook; of its subgroups those that [`may_be_a_community`].
    pub projects: Vec<CandidateSeen>,
    /// Accounts of everybody whom rows and charters name ([`named`]).
    pub people: People,
}

/// A project that may be a community.
#[derive(Clone, Debug)]
pub struct CandidateSeen {
    /// The project.
    pub project: ProjectSeen,
    /// Its charter on the default branch.
    pub charter: Option<Vec<u8>>,
    /// Who is Maintainer or Owner of the project itself, bots and blocked accounts left out; asked only without a charter.
    pub maintainers: Vec<Username>,
    /// The branch with the charter that we proposed.
    pub branch: Option<CharterBranchSeen>,
    /// Merge requests from that branch, newest first.
    pub merge_requests: Vec<MergeRequestSeen>,
}

/// The branch [`charter::BRANCH`] of a project.
#[derive(Clone, Debug)]
pub struct CharterBranchSeen {
    /// Its newest commit.
    pub head: CommitSha,
    /// The message of its newest commit.
    pub message: Untrusted,
    /// The charter there.
    pub charter: Option<FileVersion>,
}

/// What does not fit together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The program.
    pub program: String,
    /// Rows of the pages' tables; `None`: no page, or none that can be read.
    pub rows: Option<usize>,
    /// Projects that may be communities.
    pub projects: usize,
    /// Full paths of communities whose charter and row agree.
    pub agree: Vec<String>,
    /// Everything else: first the page's lines from top to bottom, then projects by path.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Findings that Convenor can mend when told to.
    pub fn actions(&self) -> impl Iterator<Item = (&Finding, Action)> {
        self.findings
            .iter()
            .filter_map(|finding| finding.action.map(|action| (finding, action)))
    }

    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// One thing that does not fit.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its kind, as a stable word for scripts.
    pub kind: Kind,
    /// The page's path, when the finding is about one.
    pub page: Option<String>,
    /// The line on the page, from 1.
    pub line: Option<usize>,
    /// The community's name, fit for a terminal.
    pub name: String,
    /// Full path of the project.
    pub project: Option<String>,
    /// The project's id.
    pub project_id: Option<ProjectId>,
    /// What was found.
    pub evidence: String,
    /// What would mend it.
    pub mend: String,
    /// The line as it is and as it should be, when a row is to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// What `--write` would do about it.
    pub action: Option<Action>,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The page, its heading or its table cannot be used.
    PageUnusable,
    /// A row that belongs to no project of the group.
    RowWithoutProject,
    /// A row that is broken, or that several communities could own.
    DoubtfulRow,
    /// A row that says the same as another.
    DoubledRow,
    /// A row names somebody who has no account in use.
    UnknownPerson,
    /// A row that says something else than the charter.
    DisagreeingCell,
    /// A row with the community's name and without the link to its project.
    UnlinkedRow,
    /// A row of a community that is retired, archived or about to be deleted.
    EndedButListed,
    /// A private project that a page with more readers names.
    PrivateButListed,
    /// A project without a row.
    ProjectWithoutRow,
    /// A project without a charter.
    MissingCharter,
    /// A charter that cannot be read.
    BrokenCharter,
    /// A charter was proposed and waits for a merge.
    CharterProposed,
    /// A charter was proposed, and a person said no.
    CharterRefused,
    /// A project without any commit, where nothing can be proposed.
    EmptyProject,
}

impl Kind {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PageUnusable => "page-unusable",
            Self::RowWithoutProject => "row-without-project",
            Self::DoubtfulRow => "doubtful-row",
            Self::DoubledRow => "doubled-row",
            Self::UnknownPerson => "unknown-person",
            Self::DisagreeingCell => "disagreeing-cell",
            Self::UnlinkedRow => "unlinked-row",
            Self::EndedButListed => "ended-but-listed",
            Self::PrivateButListed => "private-but-listed",
            Self::ProjectWithoutRow => "project-without-row",
            Self::MissingCharter => "missing-charter",
            Self::BrokenCharter => "broken-charter",
            Self::CharterProposed => "charter-proposed",
            Self::CharterRefused => "charter-refused",
            Self::EmptyProject => "empty-project",
        }
    }
}

/// What can be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Propose a charter by a merge request in the project.
    Charter,
    /// Look at the community, which proposes its row by a merge request for the page.
    Row,
}

/// Everybody whom the pages' rows and the charters name, to be looked up before [`report`].
#[must_use]
pub fn named(pages: &[(Handbook, PageSeen)], projects: &[CandidateSeen]) -> BTreeSet<Username> {
    let charters = projects.iter().filter_map(|candidate| read(candidate)?.ok());
    let mut names: BTreeSet<Username> = charters.flat_map(|charter| charter.facilitators).collect();
    for (handbook, page) in pages {
        let Some(file) = &page.file else { continue };
        if let Ok(page) = Page::parse(&file.bytes)
            && let Ok(table) = table::target(&page, handbook)
        {
            let people = table.report().into_iter().flat_map(|row| row.people);
            names.extend(people.filter_map(|someone| someone.username));
        }
    }
    names
}

/// Whether a project may be a community. In the group itself any may; a subgroup holds whatever people keep there, so its projects
/// need a charter, or a row that links to them.
#[must_use]
pub fn may_be_a_community(
    program: &Program,
    pages: &[(Handbook, PageSeen)],
    project: &ProjectSeen,
    has_charter: bool,
) -> bool {
    has_charter || program.holds_directly(&project.full_path) || pages.iter().any(|page| links_to(page, project))
}

fn links_to((handbook, page): &(Handbook, PageSeen), project: &ProjectSeen) -> bool {
    let Some(Ok(page)) = page.file.as_ref().map(|file| Page::parse(&file.bytes)) else {
        return false;
    };
    let Ok(table) = table::target(&page, handbook) else {
        return false;
    };
    let mut cells = table
        .rows()
        .flat_map(|row| (0..table.columns()).map(move |column| row.said(column)));
    cells.any(|said| {
        said.links
            .iter()
            .any(|(_, target)| table::links_to_project(target, &project.web_url))
    })
}

/// What does not fit together; see the module.
#[must_use]
pub fn report(program: &Program, seen: &AdoptSeen) -> Report {
    let mut report = Report {
        program: program.name.to_string(),
        projects: seen.projects.len(),
        ..Report::default()
    };
    let standings = rows::standings(seen, &mut report);
    let mut by_path: Vec<usize> = (0..seen.projects.len()).collect();
    by_path.sort_by(|a, b| {
        seen.projects[*a]
            .project
            .full_path
            .cmp(&seen.projects[*b].project.full_path)
    });
    for number in by_path {
        let candidate = &seen.projects[number];
        of_project(seen, candidate, &standings[number], &mut report);
    }
    // A stable sort: within the rows by line, then the projects as they came.
    report.findings.sort_by_key(|finding| match finding.line {
        Some(line) => (false, finding.page.clone(), line),
        None => (true, None, 0),
    });
    report
}

fn of_project(seen: &AdoptSeen, candidate: &CandidateSeen, row: &rows::Standing, report: &mut Report) {
    let project = &candidate.project;
    let ended = project.archived || project.marked_for_deletion;
    match read(candidate) {
        // What has ended needs no charter; a row that is still there was reported with the rows.
        None if ended => {}
        None => {
            without_row(candidate, None, row, report);
            report.push(charter::finding(seen, candidate, row));
        }
        Some(Err(findings)) => {
            let first = findings.first().map(|finding| finding.mend()).unwrap_or_default();
            let evidence = format!(
                "its charter cannot be read: {}",
                TerminalText::line(&Untrusted::new(first))
            );
            let mend = format!(
                "mend {} in the project; until then nothing is changed for it",
                record::PATH
            );
            report.push(about(Kind::BrokenCharter, candidate, evidence, mend));
        }
        Some(Ok(_)) if ended => {}
        Some(Ok(charter)) => {
            if !without_row(candidate, Some(&charter), row, report) && row.agrees {
                report.agree.push(project.full_path.clone());
            }
        }
    }
}

/// Reports a community that should have a row and has none; whether it did.
fn without_row(
    candidate: &CandidateSeen,
    charter: Option<&Charter>,
    row: &rows::Standing,
    report: &mut Report,
) -> bool {
    let needs_one = charter.is_none_or(|charter| matches!(charter.status, Status::Active | Status::Inactive));
    let Some(page) = row.missing_on.clone().filter(|_| needs_one) else {
        return false;
    };
    let (evidence, mend, action) = match charter {
        Some(_) => (
            "it has a charter, and no row of the page is its own",
            "`convenor adopt --write` opens the merge request for its row",
            Some(Action::Row),
        ),
        None => (
            "no row of the page is its own",
            "if it is a community, its charter comes first; the row follows by itself",
            None,
        ),
    };
    report.push(Finding {
        page: Some(page),
        action,
        ..about(Kind::ProjectWithoutRow, candidate, evidence.to_owned(), mend.to_owned())
    });
    true
}

/// The charter, if there is one: read, or what is wrong with it.
fn read(candidate: &CandidateSeen) -> Option<Result<Charter, Vec<record::Finding>>> {
    candidate.charter.as_deref().map(record::read)
}

fn about(kind: Kind, candidate: &CandidateSeen, evidence: String, mend: String) -> Finding {
    Finding {
        kind,
        page: None,
        line: None,
        name: TerminalText::line(&candidate.project.name).to_string(),
        project: Some(candidate.project.full_path.clone()),
        project_id: Some(candidate.project.id),
        evidence,
        mend,
        diff: None,
        action: None,
    }
}

/// What the row of a project should say: as its charter says, or only whose it is.
fn wanted_row(candidate: &CandidateSeen, people: &People) -> WantedRow {
    match read(candidate) {
        Some(Ok(charter)) => listing::wanted_row(&charter, &candidate.project.web_url, people),
        _ => WantedRow {
            name: candidate.project.name.clone(),
            project_url: Some(candidate.project.web_url.clone()),
            facilitators: Vec::<Person>::new(),
            inactive: false,
            fields: std::collections::BTreeMap::new(),
        },
    }
}

#[cfg(test)]
mod tests;
