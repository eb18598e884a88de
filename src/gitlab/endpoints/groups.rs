//! Groups: their own data without the list of projects, one member, labels.

use convenor_core::ids::{GroupId, UserId};
use gitlab::api::common::NameOrId;
use serde_json::json;

use super::Plain;
use super::hooks::HookOwner;

/// `with_projects=false`: without it GitLab adds up to 100 whole projects to the answer.
pub(crate) fn get(group: &NameOrId<'_>) -> Plain {
    Plain::get(format!("groups/{group}")).with("with_projects", "false")
}

/// One member, direct or inherited.
pub(crate) fn member(group: GroupId, user: UserId) -> Plain {
    Plain::get(format!("groups/{group}/members/all/{user}"))
}

pub(crate) fn labels(group: GroupId) -> Plain {
    Plain::get(format!("groups/{group}/labels"))
}

/// A label of a group or project, by its name.
pub(crate) fn delete_label(owner: HookOwner, name: &str) -> Plain {
    let place = match owner {
        HookOwner::Group(group) => format!("groups/{group}"),
        HookOwner::Project(project) => format!("projects/{project}"),
    };
    Plain::delete(format!("{place}/labels/{}", super::segment(name)))
}

/// Issues of all the group's projects that carry a label; one is enough to know that it is used.
pub(crate) fn issues_with_label(group: GroupId, label: &str) -> Plain {
    Plain::get(format!("groups/{group}/issues"))
        .with("labels", label.to_owned())
        .with("state", "all")
        .with("scope", "all")
}

pub(crate) fn create_label(group: GroupId, name: &str, color: &str, description: &str) -> Plain {
    let body = json!({ "name": name, "color": color, "description": description });
    Plain::post(format!("groups/{group}/labels"), body)
}
