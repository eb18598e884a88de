//! Issues.

use super::{Changes, add_people, hook_time, join, labels, maybe, project, repository, user};
use crate::state::State;
use crate::state::issues::Issue;
use crate::state::notes::Thing;
use crate::state::projects::Project;
use serde_json::{Map, Value, json};

/// The body of an issue event; no action for a test event.
pub(crate) fn issue(state: &State, actor: u64, old: Option<&Issue>, thing: Thing, action: Option<&str>) -> Value {
    let Some(found) = state.projects.get(&thing.project()) else {
        return Value::Null;
    };
    let Some(new) = found.issues.get(&thing.iid()) else {
        return Value::Null;
    };
    let kind = if matches!(new.issue_type.as_str(), "issue" | "incident") {
        "issue"
    } else {
        "work_item"
    };
    let event_type = if new.confidential {
        format!("confidential_{kind}")
    } else {
        kind.to_owned()
    };
    let mut attributes = issue_attributes(state, found, new);
    if let (Some(action), Some(attributes)) = (action, attributes.as_object_mut()) {
        attributes.insert("action".to_owned(), json!(action));
    }
    let changes = if action.is_none() {
        json!({})
    } else {
        issue_changes(state, old, new)
    };
    let mut body = json!({
        "object_kind": kind,
        "event_type": event_type,
        "user": user(state, actor),
        "project": project(state, found),
        "object_attributes": attributes,
        "labels": labels(state, &new.labels),
        "changes": changes,
        "repository": repository(state, found),
    });
    add_people(state, &mut body, "assignees", &new.assignees);
    if let (Some(first), Some(body)) = (new.assignees.first(), body.as_object_mut()) {
        body.insert("assignee".to_owned(), user(state, *first));
    }
    body
}

pub(super) fn issue_attributes(state: &State, found: &Project, issue: &Issue) -> Value {
    let mut attributes = json!({
        "author_id": issue.author,
        "closed_at": maybe(issue.closed_at),
        "confidential": issue.confidential,
        "created_at": hook_time(issue.created_at),
        "description": absolute_images(issue.description.as_deref(), &state.web_url(found)),
        "discussion_locked": issue.discussion_locked,
        "due_date": issue.due_date.map(|d| d.to_string()),
        "id": issue.id,
        "iid": issue.iid,
        "last_edited_at": maybe(issue.last_edited_at),
        "last_edited_by_id": issue.last_edited_by,
        "milestone_id": null,
        "moved_to_id": issue.moved_to,
        "duplicated_to_id": null,
        "project_id": issue.project,
        "relative_position": issue.iid * 513,
        "start_date": null,
        "state_id": if issue.closed { 2 } else { 1 },
        "time_estimate": 0,
        "title": issue.title,
        "updated_at": hook_time(issue.updated_at),
        "updated_by_id": issue.updated_by,
        "type": type_name(&issue.issue_type),
        "url": state.issue_url(found, issue),
    });
    let more = json!({
        "total_time_spent": 0,
        "time_change": 0,
        "human_total_time_spent": null,
        "human_time_change": null,
        "human_time_estimate": null,
        "assignee_ids": issue.assignees,
        "assignee_id": issue.assignees.first(),
        "labels": labels(state, &issue.labels),
        "state": if issue.closed { "closed" } else { "opened" },
        "severity": "unknown",
        "customer_relations_contacts": [],
    });
    join(&mut attributes, more);
    attributes
}

/// `issue` as `Issue`, `test_case` as `TestCase`.
pub(crate) fn type_name(kind: &str) -> String {
    kind.split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|c| c.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect()
}

/// Relative image links become absolute in webhooks, so the text may differ from the API's.
fn absolute_images(text: Option<&str>, project_url: &str) -> Option<String> {
    text.map(|t| t.replace("](/uploads/", &format!("]({project_url}/uploads/")))
}

fn issue_changes(state: &State, old: Option<&Issue>, new: &Issue) -> Value {
    let mut changes = Changes(Map::new());
    match old {
        None => {
            changes.note("author_id", Value::Null, json!(new.author));
            changes.note("created_at", Value::Null, json!(hook_time(new.created_at)));
            changes.note("description", Value::Null, json!(new.description));
            changes.note("id", Value::Null, json!(new.id));
            changes.note("iid", Value::Null, json!(new.iid));
            changes.note("project_id", Value::Null, json!(new.project));
            changes.note("title", Value::Null, json!(new.title));
            changes.note("updated_at", Value::Null, json!(hook_time(new.updated_at)));
            changes.note("labels", json!([]), labels(state, &new.labels));
        }
        Some(old) => {
            changes.note("closed_at", json!(maybe(old.closed_at)), json!(maybe(new.closed_at)));
            changes.note("confidential", json!(old.confidential), json!(new.confidential));
            changes.note("description", json!(old.description), json!(new.description));
            changes.note(
                "discussion_locked",
                json!(old.discussion_locked),
                json!(new.discussion_locked),
            );
            changes.note(
                "last_edited_at",
                json!(maybe(old.last_edited_at)),
                json!(maybe(new.last_edited_at)),
            );
            changes.note(
                "last_edited_by_id",
                json!(old.last_edited_by),
                json!(new.last_edited_by),
            );
            changes.note(
                "state_id",
                json!(1 + u8::from(old.closed)),
                json!(1 + u8::from(new.closed)),
            );
            changes.note("title", json!(old.title), json!(new.title));
            changes.note(
                "updated_at",
                json!(hook_time(old.updated_at)),
                json!(hook_time(new.updated_at)),
            );
            changes.note("updated_by_id", json!(old.updated_by), json!(new.updated_by));
            changes.note("labels", labels(state, &old.labels), labels(state, &new.labels));
            let people = |ids: &[u64]| ids.iter().map(|id| user(state, *id)).collect::<Value>();
            changes.note("assignees", people(&old.assignees), people(&new.assignees));
        }
    }
    Value::Object(changes.0)
}
