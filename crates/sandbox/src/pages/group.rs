//! The start page, groups and users.

use super::layout::{card, crumbs, page, person, rows};
use super::text::escape;
use crate::http::Answer;
use crate::state::State;
use crate::state::groups::Group;
use crate::state::projects::Project;
use crate::state::rights::level_name;
use crate::state::users::User;

const MOST_SHOWN: usize = 500;

/// All groups.
pub(super) fn start(state: &State) -> Answer {
    let mut groups: Vec<&Group> = state.groups.values().filter(|g| g.parent.is_none()).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let items: Vec<String> = groups.into_iter().map(group_row).collect();
    let mut people: Vec<&User> = state.users.values().collect();
    people.sort_by(|a, b| a.username.cmp(&b.username));
    let people: Vec<String> = people
        .into_iter()
        .take(MOST_SHOWN)
        .map(|u| person(state, u.id))
        .collect();
    let body = format!(
        "<h1>Groups</h1>{}<h2>People</h2><p>{}</p>",
        rows(&items, "There is no group yet."),
        people.join(", ")
    );
    page("Start", &body)
}

fn group_row(group: &Group) -> String {
    let shown = format!("<a href=\"/{0}\"><b>{0}</b></a>", escape(&group.full_path));
    format!(
        "{shown} <span class=\"soft\">{} · {}</span>",
        escape(&group.visibility),
        escape(&group.description)
    )
}

fn project_row(project: &Project) -> String {
    let description = project.description.as_deref().unwrap_or_default();
    let state = if project.archived {
        " <span class=\"badge\">archived</span>"
    } else {
        ""
    };
    format!(
        "<a href=\"/{}\"><b>{}</b></a>{state} <span class=\"soft\">{}</span><br>{}",
        escape(&project.full_path),
        escape(&project.name),
        escape(&project.visibility),
        escape(description)
    )
}

/// A group with its subgroups, projects and members.
pub(super) fn show(state: &State, group: &Group) -> Answer {
    let mut below: Vec<&Group> = state.groups.values().filter(|g| g.parent == Some(group.id)).collect();
    below.sort_by(|a, b| a.name.cmp(&b.name));
    let below: Vec<String> = below.into_iter().map(group_row).collect();
    let mut projects: Vec<&Project> = state
        .projects_in(group.id)
        .filter_map(|id| state.projects.get(&id))
        .collect();
    projects.sort_by_key(|p| p.name.to_lowercase());
    let count = projects.len();
    let projects: Vec<String> = projects.into_iter().take(MOST_SHOWN).map(project_row).collect();
    let members: Vec<String> = group
        .members
        .iter()
        .map(|m| format!("{} {}", person(state, m.user), level_name(m.level)))
        .collect();
    let subgroups = if below.is_empty() {
        String::new()
    } else {
        format!("<h2>Subgroups</h2>{}", rows(&below, ""))
    };
    let body = format!(
        "{}<h1>{}</h1><p class=\"soft\">{} group {}</p>{subgroups}<h2>Projects ({count})</h2>{}{}",
        crumbs(&group.full_path),
        escape(&group.name),
        escape(&group.visibility),
        group.id,
        rows(&projects, "There is no project yet."),
        card("Members", &format!("<p>{}</p>", members.join(", ")))
    );
    page(&group.name, &body)
}

/// A user with their projects.
pub(super) fn user(state: &State, user: &User) -> Answer {
    let projects: Vec<String> = state
        .projects_in(user.namespace)
        .filter_map(|id| state.projects.get(&id))
        .map(project_row)
        .collect();
    let kind = if user.bot { "bot" } else { "person" };
    let body = format!(
        "<h1>{} <span class=\"soft\">@{}</span></h1><p class=\"soft\">{kind}, {}</p>{}",
        escape(&user.name),
        escape(&user.username),
        escape(&user.state),
        rows(&projects, "No projects of their own.")
    );
    page(&user.username, &body)
}
