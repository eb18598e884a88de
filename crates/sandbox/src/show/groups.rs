//! Groups.

use super::time;
use crate::state::State;
use crate::state::groups::Group;
use serde_json::{Value, json};

pub(crate) fn group(state: &State, group: &Group) -> Value {
    let mut names: Vec<&str> = state
        .ancestors_of(crate::state::Place::Group(group.id))
        .map(|g| g.name.as_str())
        .collect();
    names.reverse();
    json!({
        "id": group.id,
        "web_url": format!("{}/groups/{}", state.url, group.full_path),
        "name": group.name,
        "path": group.path,
        "description": group.description,
        "visibility": group.visibility,
        "share_with_group_lock": false,
        "require_two_factor_authentication": false,
        "two_factor_grace_period": 48,
        "project_creation_level": group.project_creation_level,
        "auto_devops_enabled": null,
        "subgroup_creation_level": "maintainer",
        "emails_disabled": false,
        "emails_enabled": true,
        "mentions_disabled": null,
        "lfs_enabled": true,
        "archived": group.archived,
        "math_rendering_limits_enabled": true,
        "lock_math_rendering_limits_enabled": false,
        "default_branch": group.default_branch,
        "default_branch_protection": group.default_branch_protection,
        "default_branch_protection_defaults": {},
        "avatar_url": null,
        "request_access_enabled": true,
        "full_name": names.join(" / "),
        "full_path": group.full_path,
        "created_at": time(group.created_at),
        "parent_id": group.parent,
        "organization_id": 1,
        "shared_runners_setting": "enabled",
        "membership_lock": group.membership_lock,
        "marked_for_deletion_on": group.marked_for_deletion_on.map(|d| d.to_string()),
        "shared_with_groups": [],
        "runners_token": null,
        "prevent_sharing_groups_outside_hierarchy": false,
    })
}
