//! The page's rows: whose each is, and what is wrong with it.

use super::{Action, AdoptSeen, CandidateSeen, Finding, Kind, Report, about, read, wanted_row};
use crate::charter::Status;
use crate::escape::TerminalText;
use crate::plan::listing;
use crate::plan::seen::PageSeen;
use crate::program::Handbook;
use crate::proposal::PersonState;
use crate::similarity::{self, Candidate, Verdict};
use crate::table::{self, Owner, RowFinding, RowReport, Survey, SurveyedRow, WantedRow};
use crate::untrusted::Untrusted;

/// How a project stands on the pages.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// A page that should have a row of it, and has none.
    pub(super) missing_on: Option<String>,
    /// Every row of it says what its charter says, and there is one.
    pub(super) agrees: bool,
    /// Some row of it says something else.
    disagrees: bool,
    /// What was understood of its first row.
    pub(super) row: Option<RowReport>,
}

/// Reports on every row of every page; gives each project's standing, in their order.
pub(super) fn standings(seen: &AdoptSeen, report: &mut Report) -> Vec<Standing> {
    let mut standings = vec![Standing::default(); seen.projects.len()];
    for (handbook, page) in &seen.pages {
        of_page(seen, (handbook, page), &mut standings, report);
    }
    for standing in &mut standings {
        standing.agrees = standing.row.is_some() && !standing.disagrees;
    }
    standings
}

fn of_page(
    seen: &AdoptSeen,
    (handbook, page): (&Handbook, &PageSeen),
    standings: &mut [Standing],
    report: &mut Report,
) {
    let wanted: Vec<WantedRow> = seen
        .projects
        .iter()
        .map(|candidate| wanted_row(candidate, &seen.people))
        .collect();
    let survey = match &page.file {
        None => Err(listing::no_such_page(handbook)),
        Some(file) => table::survey(&file.bytes, handbook, &wanted).map_err(|finding| finding.to_string()),
    };
    let survey = match survey {
        Ok(survey) => survey,
        Err(evidence) => return report.push(unusable(handbook, evidence)),
    };
    report.rows = Some(report.rows.unwrap_or(0) + survey.rows.len());
    let first = report.findings.len();
    for &number in &survey.without_row {
        if !listing::is_hidden(handbook, page, seen.projects[number].project.visibility) {
            standings[number]
                .missing_on
                .get_or_insert_with(|| handbook.page.clone());
        }
    }
    doubtful(seen, &survey, report);
    for row in &survey.rows {
        faults(seen, &row.report, report);
        match &row.owner {
            None if !is_doubtful(&survey, row.report.index) => report.push(orphan(seen, &row.report)),
            None => {}
            Some(owner) => {
                let finding = owned((handbook, page), &seen.projects[owner.community], row, owner);
                let standing = &mut standings[owner.community];
                standing.disagrees |= finding.is_some();
                standing.row.get_or_insert_with(|| row.report.clone());
                report.findings.extend(finding);
            }
        }
    }
    for finding in report.findings.iter_mut().skip(first) {
        finding.page = Some(handbook.page.clone());
    }
}

fn unusable(handbook: &Handbook, evidence: String) -> Finding {
    Finding {
        kind: Kind::PageUnusable,
        page: Some(handbook.page.clone()),
        line: None,
        name: handbook.page.clone(),
        project: Some(handbook.project.clone()),
        project_id: None,
        evidence,
        mend: "mend the page or `[program.handbook]` in the settings; until then no row can be compared".to_owned(),
        diff: None,
        action: None,
    }
}

fn is_doubtful(survey: &Survey, row: usize) -> bool {
    survey.doubtful.iter().any(|(_, rows)| rows.contains(&row))
}

fn doubtful(seen: &AdoptSeen, survey: &Survey, report: &mut Report) {
    for (number, rows) in &survey.doubtful {
        let line = |row: &usize| survey.rows.get(*row).map(|row| row.report.line);
        let lines: Vec<usize> = rows.iter().filter_map(line).collect();
        let listed: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let (evidence, mend) = match lines.len() {
            1 => (
                format!("line {} has its name, but the row is broken", listed.concat()),
                "mend the row by hand; `convenor table check` says what is wrong with it",
            ),
            _ => (
                format!("each of the lines {} could be its row", listed.join(", ")),
                "leave one of them, or link one to the project",
            ),
        };
        report.push(Finding {
            line: lines.first().copied(),
            ..about(Kind::DoubtfulRow, &seen.projects[*number], evidence, mend.to_owned())
        });
    }
}

/// What is wrong with a row, whosever it is.
fn faults(seen: &AdoptSeen, row: &RowReport, report: &mut Report) {
    for finding in &row.findings {
        let kind = match finding {
            RowFinding::SameLink(_) | RowFinding::SameName(_) => Kind::DoubledRow,
            RowFinding::Malformed(_) => Kind::DoubtfulRow,
        };
        let mend = "mend the row by hand; Convenor leaves it as it is";
        report.push(of_row(kind, row, finding.to_string(), mend.to_owned()));
    }
    for someone in &row.people {
        let Some(username) = &someone.username else { continue };
        let state = match seen.people.get(username) {
            None | Some(PersonState::Active { .. }) => continue,
            Some(PersonState::Missing) => "has no account",
            Some(PersonState::Blocked) => "has an account that is blocked or not in use",
            Some(PersonState::Bot) => "is a bot",
            Some(PersonState::Another) => "is another account than before",
        };
        let evidence = format!("@{} {state}", username.as_str());
        let mend = "name somebody else, or mark the row `(inactive)`";
        report.push(of_row(Kind::UnknownPerson, row, evidence, mend.to_owned()));
    }
}

fn of_row(kind: Kind, row: &RowReport, evidence: String, mend: String) -> Finding {
    Finding {
        kind,
        page: None,
        line: Some(row.line),
        name: TerminalText::line(&row.name).to_string(),
        project: None,
        project_id: None,
        evidence,
        mend,
        diff: None,
        action: None,
    }
}

/// A row that belongs to no project of the group.
fn orphan(seen: &AdoptSeen, row: &RowReport) -> Finding {
    let mut evidence = match &row.link {
        Some(link) => format!(
            "it links to {}, which is no project of the group",
            TerminalText::line(&Untrusted::new(link.as_str()))
        ),
        None => "it links to no project".to_owned(),
    };
    if let Some(alike) = most_alike(seen, row) {
        evidence.push_str(&format!("; {} looks alike", alike.project.full_path));
    }
    let mend = "link it to its project, propose the community, or leave it: a row without a project is a person's";
    of_row(Kind::RowWithoutProject, row, evidence, mend.to_owned())
}

fn most_alike<'a>(seen: &'a AdoptSeen, row: &RowReport) -> Option<&'a CandidateSeen> {
    let wanted = Candidate {
        name: row.name.clone(),
        purpose: Untrusted::default(),
    };
    let candidate = |candidate: &CandidateSeen| Candidate {
        name: candidate.project.name.clone(),
        purpose: candidate.project.description.clone(),
    };
    let all: Vec<Candidate> = seen.projects.iter().map(candidate).collect();
    let best = similarity::rank(&wanted, &all).into_iter().next()?;
    if best.verdict == Verdict::Duplicate {
        seen.projects.get(best.index)
    } else {
        None
    }
}

/// A row with an owner: what does not fit, if anything.
fn owned(
    (handbook, page): (&Handbook, &PageSeen),
    candidate: &CandidateSeen,
    row: &SurveyedRow,
    owner: &Owner,
) -> Option<Finding> {
    let project = &candidate.project;
    let found = |kind, evidence: String, mend: &str| Finding {
        line: Some(row.report.line),
        name: TerminalText::line(&row.report.name).to_string(),
        ..about(kind, candidate, evidence, mend.to_owned())
    };
    let charter = read(candidate).and_then(Result::ok);
    let status = charter.as_ref().map(|charter| charter.status);
    if listing::is_hidden(handbook, page, project.visibility) {
        let evidence = format!(
            "the project is {}, the page is {}",
            project.visibility.as_str(),
            page.visibility.as_str()
        );
        let mend = "take the row out by hand, or set `list_private`; Convenor leaves it as it is";
        return Some(found(Kind::PrivateButListed, evidence, mend));
    }
    if status == Some(Status::Retired) {
        let mend = "`convenor adopt --write` opens the merge request that takes the row out";
        return Some(Finding {
            action: Some(Action::Row),
            ..found(Kind::EndedButListed, "its charter says `retired`".to_owned(), mend)
        });
    }
    if project.archived || project.marked_for_deletion {
        let what = if project.archived {
            "is archived"
        } else {
            "waits for its deletion"
        };
        let mend = "take the row out by hand, or bring the project back";
        return Some(found(Kind::EndedButListed, format!("its project {what}"), mend));
    }
    // Without a charter there is nothing to disagree with, but whose the row is.
    let wanted = owner.wanted_line.as_ref();
    let wanted = wanted.filter(|_| charter.is_some() || !owner.linked)?;
    let action = charter.is_some().then_some(Action::Row);
    let (kind, evidence) = match owner.linked {
        true => (Kind::DisagreeingCell, "the row says something else than the charter"),
        false => (Kind::UnlinkedRow, "the row has its name, and no link to its project"),
    };
    let mend = match action {
        Some(_) => "`convenor adopt --write` opens the merge request for the row",
        None => "its charter comes first; the link follows by itself",
    };
    let diff = action.map(|_| diff(row, wanted));
    Some(Finding {
        diff,
        action,
        ..found(kind, evidence.to_owned(), mend)
    })
}

fn diff(row: &SurveyedRow, wanted: &str) -> String {
    let cells: Vec<String> = row
        .report
        .cells
        .iter()
        .map(|cell| TerminalText::line(cell).to_string())
        .collect();
    let wanted = TerminalText::line(&Untrusted::new(wanted));
    format!("- | {} |\n+ {wanted}", cells.join(" | "))
}
