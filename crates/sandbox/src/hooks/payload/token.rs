//! What says that an access token ends soon.

use super::hook_time;
use crate::state::tokens::Token;
use crate::state::{Place, State};
use serde_json::{Value, json};

/// `object_kind` `access_token`; a group's has `group`, a project's `project`.
pub(crate) fn token_ends(state: &State, place: Place, token: &Token) -> Value {
    let mut body = json!({
        "object_kind": "access_token",
        "object_attributes": {
            "user_id": token.user,
            "created_at": hook_time(token.created_at),
            "id": token.id,
            "name": token.name,
            "expires_at": token.expires_at.map(|d| d.to_string()),
        },
        "event_name": "expiring_access_token",
    });
    match place {
        Place::Project(id) => body["project"] = state.projects.get(&id).map(|p| super::project(state, p)).into(),
        Place::Group(id) => {
            let group = state.groups.get(&id);
            body["group"] = json!({
                "group_name": group.map(|g| &g.name),
                "group_path": group.map(|g| &g.path),
                "group_id": id,
            });
        }
        Place::User(_) => {}
    }
    body
}
