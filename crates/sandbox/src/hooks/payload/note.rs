//! Comments.

use super::issue::issue_attributes;
use super::merge_request::request_attributes;
use super::{hook_time, project, repository, user};
use crate::state::State;
use crate::state::notes::{Note, Thing};
use serde_json::{Value, json};

/// The body of a comment's event.
pub(crate) fn note(state: &State, actor: u64, thing: Thing, note: u64, action: &str) -> Value {
    let Some(found) = state.projects.get(&thing.project()) else {
        return Value::Null;
    };
    let Some(note) = state
        .notes(thing)
        .ok()
        .and_then(|notes| notes.iter().find(|n| n.id == note))
    else {
        return Value::Null;
    };
    let (key, noteable_type, noteable, confidential, url) = match thing {
        Thing::Issue { iid, .. } => {
            let Some(issue) = found.issues.get(&iid) else {
                return Value::Null;
            };
            let url = state.issue_url(found, issue);
            (
                "issue",
                "Issue",
                issue_attributes(state, found, issue),
                issue.confidential,
                url,
            )
        }
        Thing::MergeRequest { iid, .. } => {
            let Some(request) = found.merge_requests.get(&iid) else {
                return Value::Null;
            };
            let url = state.merge_request_url(found, iid);
            (
                "merge_request",
                "MergeRequest",
                request_attributes(state, found, request),
                false,
                url,
            )
        }
    };
    let mut body = json!({
        "object_kind": "note",
        "event_type": if note.internal || confidential { "confidential_note" } else { "note" },
        "user": user(state, actor),
        "project_id": found.id,
        "project": project(state, found),
        "object_attributes": note_attributes(note, noteable_type, &noteable["id"], found.id, action),
        "repository": repository(state, found),
    });
    if let Some(attributes) = body["object_attributes"].as_object_mut() {
        attributes.insert("url".to_owned(), json!(format!("{url}#note_{}", note.id)));
    }
    if let Some(body) = body.as_object_mut() {
        body.insert(key.to_owned(), noteable);
    }
    body
}

fn note_attributes(note: &Note, noteable_type: &str, noteable_id: &Value, project: u64, action: &str) -> Value {
    json!({
        "attachment": null,
        "author_id": note.author,
        "change_position": null,
        "commit_id": null,
        "created_at": hook_time(note.created_at),
        "discussion_id": note.discussion_id,
        "id": note.id,
        "internal": note.internal,
        "line_code": null,
        "note": note.body,
        "noteable_id": noteable_id,
        "noteable_type": noteable_type,
        "original_position": null,
        "position": null,
        "project_id": project,
        "resolved_at": null,
        "resolved_by_id": null,
        "resolved_by_push": null,
        "st_diff": null,
        "system": note.system,
        "type": null,
        "updated_at": hook_time(note.updated_at),
        "updated_by_id": note.updated_by,
        "description": note.body,
        "action": action,
    })
}
