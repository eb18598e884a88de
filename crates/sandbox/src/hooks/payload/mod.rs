//! The bodies of project events, field by field as GitLab sends them. Here are the pieces that several events share.

mod issue;
mod merge_request;
mod note;
mod push;
mod token;

pub(crate) use issue::issue;
pub(crate) use merge_request::merge_request;
pub(crate) use note::note;
pub(crate) use push::{push, repository_update};
pub(crate) use token::token_ends;

use crate::state::labels::Label;
use crate::state::projects::{Project, visibility_level};
use crate::state::{Place, State};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

/// `2026-03-05 09:10:11 UTC`
pub(crate) fn hook_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-03-05T09:10:11Z`
pub(crate) fn flat_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn maybe(at: Option<Timestamp>) -> Option<String> {
    at.map(hook_time)
}

/// Who did it.
pub(crate) fn user(state: &State, id: u64) -> Value {
    let user = state.users.get(&id);
    json!({
        "id": id,
        "name": user.map(|u| &u.name),
        "username": user.map(|u| &u.username),
        "avatar_url": null,
        "email": "[REDACTED]",
    })
}

pub(crate) fn project(state: &State, project: &Project) -> Value {
    let (web, ssh, http) = (state.web_url(project), state.ssh_url(project), state.http_url(project));
    let namespace = match project.owner {
        Place::Group(id) => state.groups.get(&id).map(|g| g.name.clone()),
        Place::User(id) => state.users.get(&id).map(|u| u.name.clone()),
        Place::Project(_) => None,
    };
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "web_url": web,
        "avatar_url": null,
        "git_ssh_url": ssh,
        "git_http_url": http,
        "namespace": namespace,
        "visibility_level": visibility_level(&project.visibility),
        "path_with_namespace": project.full_path,
        "default_branch": project.default_branch,
        "ci_config_path": null,
        "homepage": web,
        "url": ssh,
        "ssh_url": ssh,
        "http_url": http,
    })
}

fn repository(state: &State, project: &Project) -> Value {
    json!({
        "name": project.name,
        "url": state.ssh_url(project),
        "description": project.description,
        "homepage": state.web_url(project),
    })
}

pub(crate) fn labels(state: &State, ids: &[u64]) -> Value {
    let mut labels: Vec<&Label> = ids.iter().filter_map(|id| state.labels.get(id)).collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    labels.into_iter().map(label).collect()
}

fn label(label: &Label) -> Value {
    let (project, group) = match label.owner {
        Place::Project(id) => (Some(id), None),
        Place::Group(id) => (None, Some(id)),
        Place::User(_) => (None, None),
    };
    json!({
        "id": label.id,
        "title": label.name,
        "color": label.color,
        "project_id": project,
        "created_at": hook_time(label.created_at),
        "updated_at": hook_time(label.updated_at),
        "template": false,
        "description": label.description,
        "type": if project.is_some() { "ProjectLabel" } else { "GroupLabel" },
        "group_id": group,
    })
}

/// Lists of people are missing when they are empty.
fn add_people(state: &State, body: &mut Value, key: &str, people: &[u64]) {
    if let (false, Some(body)) = (people.is_empty(), body.as_object_mut()) {
        body.insert(key.to_owned(), people.iter().map(|id| user(state, *id)).collect());
    }
}

fn join(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

struct Changes(Map<String, Value>);

impl Changes {
    fn note(&mut self, key: &str, previous: Value, current: Value) {
        if previous != current {
            let mut change = Map::new();
            change.insert("previous".to_owned(), previous);
            change.insert("current".to_owned(), current);
            self.0.insert(key.to_owned(), Value::Object(change));
        }
    }
}
