//! `[program.handbook]`, or several as `[[program.handbook]]`: where a page stands and how its merge requests behave.

use convenor_core::plan::listing;
use convenor_core::program::{DraftPolicy, Handbook, Manners, PageKind, RowOrder};

use super::program::{full_path, usernames};
use super::section::Section;

/// Reads all pages of a program; those with a fault are left out, their faults are noted.
///
/// `None` when one was left out, so that its program is not used half.
pub(super) fn read_all(program: &mut Section) -> Option<Vec<Handbook>> {
    let sections = program.one_or_more_sections("handbook");
    sections.into_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn read(mut section: Section) -> Option<Handbook> {
    let kind = section.parsed("type", PageKind::default(), page_kind);
    let name = section.parsed("name", String::new(), name);
    let project = full_path(&mut section, "project", 2, "name the handbook's project");
    let branch = section.text("branch").filter(|branch| !branch.trim().is_empty());
    let page = page(&mut section);
    let heading = heading(&mut section, kind);
    let order = section.parsed("order", RowOrder::default(), row_order);
    let columns = columns(&mut section);
    let reviewers = usernames(&mut section, "reviewers");
    let labels = labels(&mut section);
    let list_private = section.flag("list_private", false);
    let manners = manners(&mut section, kind);
    section.finish();
    Some(Handbook {
        name,
        kind,
        project: project?,
        branch,
        page: page?,
        heading: heading?,
        order,
        columns,
        reviewers,
        labels,
        list_private,
        manners,
    })
}

fn page(section: &mut Section) -> Option<String> {
    let page = section.required(
        "page",
        "give the page's path in the repository, for example \"content/handbook/cop.md\"",
    )?;
    if page.starts_with('/') || page.split('/').any(|step| matches!(step, "" | "." | "..")) {
        let problem = format!("`{}` is no path inside a repository", page.escape_debug());
        section.fault("page", problem, "write it without a leading `/`, `.` or `..`");
    }
    Some(page)
}

/// People copy the heading's line from the page, hashes and all.
fn heading(section: &mut Section, kind: PageKind) -> Option<String> {
    let heading = match kind {
        PageKind::Table => section.required("heading", "give the text of the heading over the table")?,
        PageKind::Directory => section.text("heading").unwrap_or_default(),
    };
    Some(heading.trim().trim_start_matches('#').trim().to_owned())
}

fn columns(section: &mut Section) -> Vec<(String, String)> {
    let columns = section.pairs("columns");
    for (header, template) in &columns {
        if let Err(what) = listing::check_template(template) {
            let problem = format!("the template of `{}` cannot be filled: {what}", header.escape_debug());
            section.fault(
                "columns",
                problem,
                "correct the template, for example \"[{{name}}]({{url}})\"",
            );
        }
    }
    columns
}

fn labels(section: &mut Section) -> Vec<String> {
    let labels = section.list("labels");
    let labels = labels.unwrap_or_else(|| vec!["communities-of-practice".to_owned()]);
    if labels
        .iter()
        .any(|label| label.contains(',') || label.trim().is_empty())
    {
        section.fault(
            "labels",
            "holds an empty name or one with a comma",
            "write one label a text",
        );
    }
    labels
}

fn manners(section: &mut Section, kind: PageKind) -> Manners {
    let default = Manners::default();
    let batch = section.flag("batch", default.batch);
    Manners {
        assignees: usernames(section, "assignees"),
        squash: section.choice("squash", default.squash),
        remove_source_branch: section.choice("remove_source_branch", default.remove_source_branch),
        draft: section.parsed("draft", default.draft, draft),
        batch: batch && kind == PageKind::Table,
        max_open: section.whole("max_open", 30, 0..=10_000) as usize,
        max_per_hour: section.whole("max_per_hour", 30, 0..=10_000) as usize,
    }
}

/// Pages of one project have names of their own, so that their branches differ. Where the settings give none, the page's
/// program, or its file, names it.
pub(super) fn name_apart<'p>(pages: impl Iterator<Item = (&'p str, &'p mut Handbook)>) {
    let mut known: Vec<(String, String)> = Vec::new();
    for (program, page) in pages {
        let project = page.project.to_lowercase();
        let is_free = |name: &str| !known.iter().any(|(at, used)| *at == project && used == name);
        if !is_free(&page.name) {
            let file = page.page.rsplit('/').next().unwrap_or_default();
            let stem: String = file.split('.').next().unwrap_or_default().to_lowercase();
            let stem: String = stem
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                .collect();
            let stem = stem.trim_matches('-').to_owned();
            let numbered = (2..).map(|number| format!("{program}-{number}"));
            let mut names = [program.to_owned(), stem.clone(), format!("{program}-{stem}")]
                .into_iter()
                .chain(numbered);
            page.name = names.find(|name| !name.is_empty() && is_free(name)).unwrap_or_default();
        }
        known.push((project, page.name.clone()));
    }
}

fn name(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = text.len() <= 30 && text.chars().all(allowed) && !text.starts_with('-') && !text.ends_with('-');
    good.then(|| text.to_owned())
        .ok_or("use lower-case letters, digits and `-`, at most 30; it becomes part of branches' names")
}

fn page_kind(text: &str) -> Result<PageKind, &'static str> {
    match text {
        "table" => Ok(PageKind::Table),
        "directory" => Ok(PageKind::Directory),
        _ => Err(
            "choose \"table\" (one row a community, between people's rows) or \"directory\" (generated between markers)",
        ),
    }
}

fn row_order(text: &str) -> Result<RowOrder, &'static str> {
    match text {
        "auto" => Ok(RowOrder::Auto),
        "sorted" => Ok(RowOrder::Sorted),
        "end" => Ok(RowOrder::End),
        _ => Err("choose \"auto\", \"sorted\" or \"end\""),
    }
}

fn draft(text: &str) -> Result<DraftPolicy, &'static str> {
    match text {
        "unready" => Ok(DraftPolicy::Unready),
        "always" => Ok(DraftPolicy::Always),
        "never" => Ok(DraftPolicy::Never),
        _ => Err("choose \"unready\", \"always\" or \"never\""),
    }
}
