//! A project's first page, its labels and its members.

use super::layout::{card, labels as shown_labels, person, project_page, rows};
use super::text::{escape, rendered};
use crate::http::Answer;
use crate::state::projects::Project;
use crate::state::rights::level_name;
use crate::state::{Place, State};

/// Description, topics, files, README.
pub(super) fn show(state: &State, project: &Project) -> Answer {
    let mut body = String::new();
    if let Some(description) = &project.description {
        body.push_str(&format!("<p>{}</p>", escape(description)));
    }
    let topics: Vec<String> = project
        .topics
        .iter()
        .map(|t| format!("<span class=\"badge\">{}</span>", escape(t)))
        .collect();
    body.push_str(&format!(
        "<p class=\"soft\">{} project {} · created by {} {}</p>",
        escape(&project.visibility),
        project.id,
        person(state, project.creator),
        topics.join(" ")
    ));
    body.push_str(&super::code::files(project, project.default_branch_or_main(), ""));
    if let Some((path, text)) = readme(project) {
        body.push_str(&card(&escape(&path), &rendered(&text, project, "")));
    }
    project_page(state, project, "Project", &body)
}

fn readme(project: &Project) -> Option<(String, String)> {
    let tree = &project.repo.branch(project.default_branch.as_deref()?)?.tree;
    let listed = tree
        .list("")
        .into_iter()
        .find(|l| !l.is_tree() && l.name.to_lowercase().starts_with("readme"))?;
    let text = tree.get(&listed.path)?.blob.text()?.to_owned();
    Some((listed.path, text))
}

/// Every label that can be used here.
pub(super) fn labels(state: &State, project: &Project) -> Answer {
    let mut found: Vec<_> = state
        .available_labels(Place::Project(project.id), true)
        .into_iter()
        .filter_map(|id| state.labels.get(&id))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let items: Vec<String> = found
        .into_iter()
        .map(|l| {
            let from = if l.is_project_label() { "project" } else { "group" };
            let description = l.description.as_deref().unwrap_or_default();
            format!(
                "{} <span class=\"soft\">{from} label · {}</span>",
                shown_labels(state, &[l.id]),
                escape(description)
            )
        })
        .collect();
    project_page(state, project, "Labels", &rows(&items, "There is no label yet."))
}

/// Direct and inherited members.
pub(super) fn members(state: &State, project: &Project) -> Answer {
    let items: Vec<String> = state
        .all_members(Place::Project(project.id))
        .iter()
        .map(|m| {
            let direct = if project.members.get(&m.user).is_some() {
                "direct"
            } else {
                "inherited"
            };
            format!(
                "{} <b>{}</b> <span class=\"soft\">{direct}</span>",
                person(state, m.user),
                level_name(m.level)
            )
        })
        .collect();
    project_page(state, project, "Members", &rows(&items, "Nobody but administrators."))
}
