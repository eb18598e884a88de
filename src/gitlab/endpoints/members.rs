//! Membership: the crate knows the roles only as an enumeration without the newer levels.

use convenor_core::ids::{AccessLevel, ProjectId, UserId};
use serde_json::json;

use super::Plain;

pub(crate) fn add(project: ProjectId, user: UserId, level: AccessLevel) -> Plain {
    Plain::post(
        format!("projects/{project}/members"),
        json!({ "user_id": user, "access_level": level }),
    )
}

/// Several users in one call; GitLab takes the ids as one text.
pub(crate) fn add_all(project: ProjectId, users: &[UserId], level: AccessLevel) -> Plain {
    let ids: Vec<String> = users.iter().map(ToString::to_string).collect();
    Plain::post(
        format!("projects/{project}/members"),
        json!({ "user_id": ids.join(","), "access_level": level }),
    )
}
