//! Pages for people who click through: groups, projects with their README, files, issues with notes, boards, merge
//! requests with their difference. They show everything, to everybody: the sandbox has no secrets. Text from people is
//! escaped or rendered without raw HTML, and a strict content security policy allows no scripts.

mod code;
mod group;
mod issue;
mod layout;
mod merge_request;
mod project;
mod text;

use crate::http::{Answer, decode};
use crate::locked;
use crate::server::Incomings;
use crate::state::projects::Project;
use crate::state::{Place, State};
use crate::world::World;

/// Answers everything that is not the API.
pub(crate) fn answer(world: &World, call: &Incomings) -> Answer {
    if !matches!(call.method.as_str(), "GET" | "HEAD") {
        return layout::not_found();
    }
    let state = locked(&world.shared.state);
    let path = decode(call.path.trim_matches('/'));
    page(&state, &path).unwrap_or_else(layout::not_found)
}

fn page(state: &State, path: &str) -> Option<Answer> {
    if path.is_empty() {
        return Some(group::start(state));
    }
    let (place, rest) = path
        .split_once("/-/")
        .or_else(|| path.strip_suffix("/-").map(|p| (p, "")))
        .unwrap_or((path, ""));
    let place = place.strip_prefix("groups/").unwrap_or(place);
    match state.place(place) {
        Some(Place::Group(id)) => state.groups.get(&id).map(|g| group::show(state, g)),
        Some(Place::User(id)) => state.users.get(&id).map(|u| group::user(state, u)),
        Some(Place::Project(id)) => project_page(state, state.projects.get(&id)?, rest),
        None => {
            let project = state.redirect(place).and_then(|id| state.projects.get(&id))?;
            let rest = if rest.is_empty() {
                String::new()
            } else {
                format!("/-/{rest}")
            };
            Some(layout::redirect(&format!("/{}{rest}", project.full_path)))
        }
    }
}

fn project_page(state: &State, project: &Project, rest: &str) -> Option<Answer> {
    let mut parts = rest.splitn(2, '/');
    let (kind, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let number = rest.parse::<u64>().ok();
    match (kind, number) {
        ("", _) => Some(project::show(state, project)),
        ("issues" | "work_items", None) => Some(issue::list(state, project)),
        ("issues" | "work_items", Some(iid)) => project.issues.get(&iid).map(|i| issue::show(state, project, i)),
        ("boards", number) => issue::boards(state, project, number),
        ("merge_requests", None) => Some(merge_request::list(state, project)),
        ("merge_requests", Some(iid)) => project
            .merge_requests
            .get(&iid)
            .map(|m| merge_request::show(state, project, m)),
        ("tree", _) => code::tree(state, project, rest),
        ("blob", _) => code::blob(state, project, rest),
        ("raw", _) => code::raw(project, rest),
        ("commit", _) => code::commit(state, project, rest),
        ("commits", _) => code::commits(state, project, rest),
        ("labels", _) => Some(project::labels(state, project)),
        ("project_members", _) => Some(project::members(state, project)),
        _ => None,
    }
}
