//! The words of a community's merge request: why, who, links, the row before and after.

use super::Edit;
use crate::charter::{self, Charter};
use crate::escape::{CommitMessage, Markdown, Title};
use crate::plan::Remark;
use crate::plan::change::Words;
use crate::plan::listing;
use crate::plan::seen::{CommunitySeen, PageSeen};
use crate::program::{Handbook, Program};
use crate::slug::Slug;
use crate::table::ChangeKind;
use crate::untrusted::Untrusted;
use url::Url;

pub(super) fn of(
    program: &Program,
    seen: &CommunitySeen,
    charter: &Charter,
    slug: &Slug,
    (handbook, page): (&Handbook, &PageSeen),
    edit: &Edit,
    unready: Option<&'static str>,
) -> Words {
    let (verb, end) = verb_and_end(edit);
    Words {
        title: Title::new().words(verb).slug(slug).words(end),
        commit: CommitMessage::new().words(verb).slug(slug).words(end),
        description: description(program, seen, charter, (handbook, page), edit, unready),
    }
}

fn verb_and_end(edit: &Edit) -> (&'static str, &'static str) {
    match edit {
        Edit::Nothing(_) | Edit::Line(ChangeKind::Added, _) => ("docs: add ", " to the communities of practice"),
        Edit::Line(ChangeKind::Changed, _) => ("docs: update ", " in the communities of practice"),
        Edit::Line(ChangeKind::Adopted, _) => ("docs: link ", " in the communities of practice"),
        Edit::Removal(_) => ("docs: remove ", " from the communities of practice"),
    }
}

fn description(
    program: &Program,
    seen: &CommunitySeen,
    charter: &Charter,
    (handbook, page): (&Handbook, &PageSeen),
    edit: &Edit,
    unready: Option<&'static str>,
) -> Markdown {
    if matches!(edit, Edit::Nothing(settled) if settled.remark == Remark::PrivateNotListed) {
        // Who reads the page may not know what the project is called by now, nor who runs it.
        return footer();
    }
    let mut text = Markdown::new()
        .link(&seen.project.name, &seen.project.web_url)
        .words(match edit {
            Edit::Nothing(_) => ": its line in the table of communities.",
            Edit::Line(ChangeKind::Added, _) => " is a new community of practice. This adds its line to the table.",
            Edit::Line(ChangeKind::Changed, _) => " has changed. This brings its line in the table up to date.",
            Edit::Line(ChangeKind::Adopted, _) => {
                " is in the table already and has a project now. This links its line to the project and brings it up to date."
            }
            Edit::Removal(_) if seen.project.archived => {
                ": its project has been archived. This removes its line from the table."
            }
            Edit::Removal(_) => " has been retired. This removes its line from the table.",
        });
    if let Some(unready) = unready {
        text = text
            .words("\n\n**It is a draft because ")
            .words(unready)
            .words("**; Convenor makes it ready once that has changed.");
    }
    text = text.words("\n");
    if !charter.summary.is_blank() {
        text = text.words("\n- About: ").inline(&charter.summary);
    }
    text = text.words("\n- Why: ").append(&reason(program, seen, charter));
    text = text.words("\n- Facilitators: ").append(&facilitators(seen, charter));
    text = text
        .words("\n- Page: ")
        .code(&Untrusted::new(handbook.page.as_str()))
        .words(" on ")
        .code(&Untrusted::new(page.branch.as_str()))
        .words("\n");
    if let Some(edited) = edit.edited() {
        if let Edit::Line(ChangeKind::Adopted, _) = edit {
            text = text.words("\n**").append(&by_name(charter)).words("**\n");
        }
        text = text
            .words("\nThe one line that changes:\n\n")
            .fence("diff", &listing::diff(edited));
    }
    text.append(&footer())
}

/// That a line was found by nothing but its name, for whoever decides whether it is the same community.
pub(in crate::plan) fn by_name(charter: &Charter) -> Markdown {
    Markdown::new()
        .words("No link in this line leads to the project: it was found by the name ")
        .inline(&charter.name)
        .words(" alone. Please merge only if it is the same community.")
}

/// What a maintainer may expect of a merge request of ours.
pub(in crate::plan) fn footer() -> Markdown {
    Markdown::new().words(
        "\n<sub>Convenor keeps this branch on top of the target branch, so it does not stay in conflict. Push to it, or apply a \
         suggestion, and the branch is yours. Close this merge request, and the same change is not proposed again.</sub>\n",
    )
}

/// The community's charter as a link.
pub(in crate::plan) fn charter_link(project: &Url, branch: Option<&str>) -> Markdown {
    let mut url = project.clone();
    url.set_path(&format!(
        "{}/-/blob/{}/{}",
        project.path().trim_end_matches('/'),
        branch.unwrap_or("main"),
        charter::PATH
    ));
    Markdown::new().link_words("charter", &url)
}

fn reason(program: &Program, seen: &CommunitySeen, charter: &Charter) -> Markdown {
    let link = charter_link(&seen.project.web_url, seen.project.default_branch.as_deref());
    let text = Markdown::new().words("its ").append(&link).words(" says so");
    // A link leaves a reference at its target, so it leads to an issue of the intake or nowhere: charters are people's text.
    let Some(proposal) = super::proposal(program, charter) else {
        return text;
    };
    let issue = match &seen.proposal {
        Some(issue) => issue.web_url.clone(),
        None => {
            let mut issue = seen.project.web_url.clone();
            issue.set_path(&format!("/{}/-/issues/{}", program.intake, proposal.0));
            issue
        }
    };
    text.words("; it came from ").link_words("this proposal", &issue)
}

fn facilitators(seen: &CommunitySeen, charter: &Charter) -> Markdown {
    if charter.facilitators.is_empty() {
        return Markdown::new().words("nobody at present");
    }
    let mut text = Markdown::new();
    for (index, name) in charter.facilitators.iter().enumerate() {
        text = text.words(if index == 0 { "" } else { ", " }).username_code(name);
        if listing::missing(charter, &seen.people).any(|missing| missing == name) {
            text = text.words(" (no such person, so not in the line)");
        }
    }
    text
}
