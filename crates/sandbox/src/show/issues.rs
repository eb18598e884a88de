//! Issues, notes, labels, boards and their events.

use super::{time, user};
use crate::state::boards::{Board, BoardList};
use crate::state::issues::{Issue, LabelEvent, StateEvent};
use crate::state::labels::{Label, text_colour};
use crate::state::notes::{Note, Thing};
use crate::state::projects::Project;
use crate::state::{Place, State, markdown};
use serde_json::{Value, json};

/// An issue as a reader sees it; `with_details` adds label objects instead of names.
pub(crate) fn issue(state: &State, reader: Option<u64>, issue: &Issue, with_details: bool) -> Value {
    let Ok(project) = state.project(issue.project) else {
        return Value::Null;
    };
    let labels = if with_details {
        details(state, &issue.labels)
    } else {
        json!(state.label_names(&issue.labels))
    };
    let mut body = json!({
        "id": issue.id,
        "iid": issue.iid,
        "project_id": issue.project,
        "title": issue.title,
        "description": issue.description,
        "state": if issue.closed { "closed" } else { "opened" },
        "created_at": time(issue.created_at),
        "updated_at": time(issue.updated_at),
        "closed_at": issue.closed_at.map(time),
        "closed_by": issue.closed_by.map(|id| user(state, id)),
        "labels": labels,
        "milestone": null,
        "assignees": issue.assignees.iter().map(|id| user(state, *id)).collect::<Vec<_>>(),
        "author": user(state, issue.author),
        "type": issue.issue_type.to_uppercase(),
        "assignee": issue.assignees.first().map(|id| user(state, *id)),
        "user_notes_count": issue.notes.iter().filter(|n| !n.system && state.sees_note(reader, Thing::issue(issue.project, issue.iid), n)).count(),
        "merge_requests_count": merge_requests_closing(state, project, issue),
        "upvotes": state.votes(Thing::issue(issue.project, issue.iid), "thumbsup"),
        "downvotes": state.votes(Thing::issue(issue.project, issue.iid), "thumbsdown"),
        "start_date": null,
        "due_date": issue.due_date.map(|d| d.to_string()),
        "confidential": issue.confidential,
        "discussion_locked": issue.discussion_locked,
        "issue_type": issue.issue_type,
        "web_url": state.issue_url(project, issue),
    });
    let short = format!("#{}", issue.iid);
    let api = state.api_url(&format!("/projects/{}/issues/{}", issue.project, issue.iid));
    let more = json!({
        "time_stats": time_stats(),
        "task_completion_status": tasks(issue.description.as_deref().unwrap_or_default()),
        "weight": null,
        "blocking_issues_count": 0,
        "has_tasks": tasks(issue.description.as_deref().unwrap_or_default())["count"] != 0,
        "_links": {
            "self": api,
            "notes": format!("{api}/notes"),
            "award_emoji": format!("{api}/award_emoji"),
            "project": state.api_url(&format!("/projects/{}", issue.project)),
            "closed_as_duplicate_of": null,
        },
        "references": { "short": short, "relative": short, "full": format!("{}{short}", project.full_path) },
        "severity": "UNKNOWN",
        "subscribed": reader.is_some_and(|r| issue.subscribers.contains(&r)),
        "moved_to_id": issue.moved_to,
        "imported": false,
        "imported_from": "none",
        "service_desk_reply_to": null,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

fn merge_requests_closing(state: &State, project: &Project, issue: &Issue) -> usize {
    let name = |r: &markdown::Reference| r.iid == issue.iid && r.project.is_none();
    project
        .merge_requests
        .values()
        .filter(|m| {
            m.description
                .as_deref()
                .is_some_and(|d| markdown::closing(d, &state.url).iter().any(name))
        })
        .count()
}

pub(crate) fn time_stats() -> Value {
    json!({
        "time_estimate": 0,
        "total_time_spent": 0,
        "human_time_estimate": null,
        "human_total_time_spent": null,
    })
}

/// How many `- [ ]` and `- [x]` a text has.
pub(crate) fn tasks(text: &str) -> Value {
    let boxes = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))?;
        match rest.get(..4)? {
            "[ ] " => Some(false),
            "[x] " | "[X] " => Some(true),
            _ => None,
        }
    });
    let boxes: Vec<bool> = boxes.collect();
    json!({ "count": boxes.len(), "completed_count": boxes.iter().filter(|done| **done).count() })
}

fn details(state: &State, labels: &[u64]) -> Value {
    labels
        .iter()
        .filter_map(|id| state.labels.get(id))
        .map(|l| {
            json!({
                "id": l.id,
                "name": l.name,
                "color": l.color,
                "description": l.description,
                "description_html": l.description,
                "text_color": text_colour(&l.color),
            })
        })
        .collect()
}

pub(crate) fn note(state: &State, note: &Note, thing: Thing) -> Value {
    let (id, kind) = match thing {
        Thing::Issue { project, iid } => (
            state
                .projects
                .get(&project)
                .and_then(|p| p.issues.get(&iid))
                .map(|i| i.id),
            "Issue",
        ),
        Thing::MergeRequest { project, iid } => (
            state
                .projects
                .get(&project)
                .and_then(|p| p.merge_requests.get(&iid))
                .map(|m| m.id),
            "MergeRequest",
        ),
    };
    json!({
        "id": note.id,
        "type": null,
        "body": note.body,
        "attachment": null,
        "author": user(state, note.author),
        "created_at": time(note.created_at),
        "updated_at": time(note.updated_at),
        "system": note.system,
        "noteable_id": id,
        "noteable_type": kind,
        "project_id": thing.project(),
        "commit_id": null,
        "resolvable": false,
        "confidential": note.internal,
        "internal": note.internal,
        "imported": false,
        "imported_from": "none",
        "noteable_iid": thing.iid(),
        "commands_changes": {},
    })
}

pub(crate) fn label(state: &State, label: &Label, counts_for: Option<Place>) -> Value {
    let mut body = json!({
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "description_html": label.description,
        "text_color": text_colour(&label.color),
        "color": label.color,
        "archived": false,
        "subscribed": false,
        "priority": label.priority,
        "is_project_label": label.is_project_label(),
    });
    if let (Some(place), Some(body)) = (counts_for, body.as_object_mut()) {
        let projects: Vec<&Project> = match place {
            Place::Project(id) => state.projects.get(&id).into_iter().collect(),
            Place::Group(id) => state.projects_in(id).filter_map(|p| state.projects.get(&p)).collect(),
            Place::User(_) => Vec::new(),
        };
        let issues = || {
            projects
                .iter()
                .flat_map(|p| p.issues.values())
                .filter(|i| i.labels.contains(&label.id))
        };
        let requests = projects.iter().flat_map(|p| p.merge_requests.values());
        let open_requests = requests
            .filter(|m| m.labels.contains(&label.id) && m.state == crate::state::merge_requests::MergeState::Opened);
        body.insert(
            "open_issues_count".to_owned(),
            json!(issues().filter(|i| !i.closed).count()),
        );
        body.insert(
            "closed_issues_count".to_owned(),
            json!(issues().filter(|i| i.closed).count()),
        );
        body.insert("open_merge_requests_count".to_owned(), json!(open_requests.count()));
    }
    if matches!(counts_for, Some(Place::Group(_)))
        && let Some(body) = body.as_object_mut()
    {
        body.remove("priority");
        body.remove("is_project_label");
    }
    body
}

pub(crate) fn label_event(state: &State, event: &LabelEvent, resource: (&str, u64)) -> Value {
    json!({
        "id": event.id,
        "user": user(state, event.user),
        "created_at": time(event.at),
        "resource_type": resource.0,
        "resource_id": resource.1,
        // A label that was deleted since leaves its events without it.
        "label": state.labels.get(&event.label).map(|l| json!({
            "id": l.id,
            "name": l.name,
            "color": l.color,
            "description": l.description,
            "description_html": l.description,
            "text_color": text_colour(&l.color),
        })),
        "action": if event.added { "add" } else { "remove" },
    })
}

pub(crate) fn state_event(state: &State, event: &StateEvent, resource: (&str, u64)) -> Value {
    json!({
        "id": event.id,
        "user": user(state, event.user),
        "created_at": time(event.at),
        "resource_type": resource.0,
        "resource_id": resource.1,
        "source_commit": null,
        "source_merge_request": null,
        "state": event.state,
    })
}

pub(crate) fn board(state: &State, reader: Option<u64>, project: &Project, board: &Board) -> Value {
    let mut place = super::simple_project(state, reader, project);
    if let Some(place) = place.as_object_mut() {
        place.entry("default_branch").or_insert(Value::Null);
        place.entry("forks_count").or_insert(json!(0));
    }
    json!({
        "id": board.id,
        "name": board.name,
        "hide_backlog_list": board.hide_backlog_list,
        "hide_closed_list": board.hide_closed_list,
        "project": place,
        "lists": board.lists.iter().enumerate().map(|(at, list)| board_list(state, list, at)).collect::<Vec<_>>(),
        "group": null,
        "milestone": null,
        "assignee": null,
        "labels": [],
        "weight": null,
    })
}

pub(crate) fn board_list(state: &State, list: &BoardList, position: usize) -> Value {
    json!({
        "id": list.id,
        "label": state.labels.get(&list.label).map(|l| json!({
            "id": l.id,
            "name": l.name,
            "description": l.description,
            "description_html": l.description,
            "color": l.color,
            "text_color": text_colour(&l.color),
        })),
        "position": position,
        "max_issue_count": 0,
        "max_issue_weight": 0,
        "limit_metric": null,
    })
}
