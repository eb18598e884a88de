//! The bodies of project events, field by field as GitLab sends them.

use crate::git::{Commit, ZERO, diff_trees};
use crate::state::issues::Issue;
use crate::state::labels::Label;
use crate::state::merge_requests::{MergeRequest, MergeState};
use crate::state::notes::{Note, Thing};
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

/// Lists of people are missing when they are empty.
fn add_people(state: &State, body: &mut Value, key: &str, people: &[u64]) {
    if let (false, Some(body)) = (people.is_empty(), body.as_object_mut()) {
        body.insert(key.to_owned(), people.iter().map(|id| user(state, *id)).collect());
    }
}

fn issue_attributes(state: &State, found: &Project, issue: &Issue) -> Value {
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

fn join(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
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

/// The body of a merge request's event; no action for a test event.
pub(crate) fn merge_request(
    state: &State,
    actor: u64,
    old: Option<&MergeRequest>,
    thing: Thing,
    action: Option<&str>,
    oldrev: Option<&str>,
) -> Value {
    let Some(found) = state.projects.get(&thing.project()) else {
        return Value::Null;
    };
    let Some(new) = found.merge_requests.get(&thing.iid()) else {
        return Value::Null;
    };
    let mut attributes = request_attributes(state, found, new);
    if let Some(attributes) = attributes.as_object_mut() {
        if let Some(action) = action {
            attributes.insert("action".to_owned(), json!(action));
        }
        if let Some(oldrev) = oldrev {
            attributes.insert("oldrev".to_owned(), json!(oldrev));
        }
        if let Some(at) = new.merged_at {
            attributes.insert("merged_at".to_owned(), json!(hook_time(at)));
        }
    }
    let mut body = json!({
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user(state, actor),
        "project": project(state, found),
        "object_attributes": attributes,
        "labels": labels(state, &new.labels),
        "changes": request_changes(state, old, new, action),
        "repository": repository(state, found),
    });
    add_people(state, &mut body, "assignees", &new.assignees);
    if let (false, Some(body)) = (new.reviewers.is_empty(), body.as_object_mut()) {
        body.insert("reviewers".to_owned(), reviewers(state, new));
    }
    body
}

fn reviewers(state: &State, request: &MergeRequest) -> Value {
    let one = |id: &u64| {
        let approved = request.approvals.iter().any(|(who, _)| who == id);
        let mut user = user(state, *id);
        join(
            &mut user,
            json!({ "state": if approved { "approved" } else { "unreviewed" }, "re_requested": false }),
        );
        user
    };
    request.reviewers.iter().map(one).collect()
}

fn request_changes(state: &State, old: Option<&MergeRequest>, new: &MergeRequest, action: Option<&str>) -> Value {
    let mut changes = Changes(Map::new());
    let Some(old) = old else {
        if action == Some("open") {
            changes.note("merge_status", json!("preparing"), json!("checking"));
            changes.note("prepared_at", Value::Null, json!(hook_time(new.updated_at)));
        }
        return Value::Object(changes.0);
    };
    // While it merges, a merge request is locked for a moment.
    let before = if action == Some("merge") {
        4
    } else {
        state_id(old.state)
    };
    changes.note("state_id", json!(before), json!(state_id(new.state)));
    changes.note("title", json!(old.title), json!(new.title));
    changes.note("description", json!(old.description), json!(new.description));
    changes.note("draft", json!(old.is_draft()), json!(new.is_draft()));
    changes.note("target_branch", json!(old.target_branch), json!(new.target_branch));
    changes.note("labels", labels(state, &old.labels), labels(state, &new.labels));
    if action != Some("approved") && action != Some("unapproved") && old.sha == new.sha {
        changes.note(
            "updated_at",
            json!(hook_time(old.updated_at)),
            json!(hook_time(new.updated_at)),
        );
    }
    if old.reviewers != new.reviewers {
        // GitLab's odd one: two bare lists instead of previous and current.
        changes.0.insert(
            "reviewers".to_owned(),
            json!([reviewers(state, old), reviewers(state, new)]),
        );
    }
    if old.assignees != new.assignees {
        let people = |ids: &[u64]| ids.iter().map(|id| user(state, *id)).collect::<Value>();
        changes.note("assignees", people(&old.assignees), people(&new.assignees));
    }
    Value::Object(changes.0)
}

fn state_id(state: MergeState) -> u8 {
    match state {
        MergeState::Opened => 1,
        MergeState::Closed => 2,
        MergeState::Merged => 3,
    }
}

fn request_attributes(state: &State, found: &Project, request: &MergeRequest) -> Value {
    let known = state.mergeability(request);
    let place = project(state, found);
    let last = found.repo.commit(&request.sha);
    let mut attributes = json!({
        "assignee_id": request.assignees.first(),
        "author_id": request.author,
        "created_at": hook_time(request.created_at),
        "description": request.description,
        "draft": request.is_draft(),
        "head_pipeline_id": null,
        "id": request.id,
        "iid": request.iid,
        "last_edited_at": maybe(request.last_edited_at),
        "last_edited_by_id": request.last_edited_by,
        "merge_commit_sha": request.merge_commit_sha,
        "merge_error": request.merge_error,
        "merge_params": { "force_remove_source_branch": if request.remove_source_branch == Some(true) { "1" } else { "0" } },
        "merge_status": known.merge_status,
        "merge_user_id": request.merge_user,
        "merge_when_pipeline_succeeds": false,
        "milestone_id": null,
        "source_branch": request.source_branch,
        "source_project_id": request.project,
        "state_id": state_id(request.state),
        "target_branch": request.target_branch,
        "target_project_id": request.project,
        "time_estimate": 0,
        "title": request.title,
        "updated_at": hook_time(request.updated_at),
        "updated_by_id": request.updated_by,
    });
    let more = json!({
        "prepared_at": maybe(request.prepared_at),
        "squash_commit_sha": request.squash_commit_sha,
        "assignee_ids": request.assignees,
        "blocking_discussions_resolved": true,
        "detailed_merge_status": known.detailed,
        "first_contribution": false,
        "human_time_change": null,
        "human_time_estimate": null,
        "human_total_time_spent": null,
        "labels": labels(state, &request.labels),
        "last_commit": last.map(|c| commit(state, found, &c)),
        "reviewer_ids": request.reviewers,
        "source": place,
        "state": request.state.word(),
        "system": false,
        "target": place,
        "time_change": 0,
        "total_time_spent": 0,
        "url": state.merge_request_url(found, request.iid),
        "work_in_progress": request.is_draft(),
        "approval_rules": [],
        "actioned_at": hook_time(request.updated_at),
    });
    join(&mut attributes, more);
    attributes
}

fn commit(state: &State, found: &Project, commit: &Commit) -> Value {
    json!({
        "id": commit.id,
        "message": commit.message,
        "title": commit.title(),
        "timestamp": commit.committer.when.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "url": format!("{}/-/commit/{}", state.web_url(found), commit.id),
        "author": { "name": commit.author.name, "email": "[REDACTED]" },
    })
}

/// The body of a push event; `commits` are the newest, oldest of them first.
#[expect(
    clippy::too_many_arguments,
    reason = "a push is these eight facts, used in this one place"
)]
pub(crate) fn push(
    state: &State,
    actor: u64,
    project_id: u64,
    branch: &str,
    before: &str,
    after: &str,
    commits: &[std::sync::Arc<Commit>],
    total: usize,
) -> Value {
    let Some(found) = state.projects.get(&project_id) else {
        return Value::Null;
    };
    let who = state.users.get(&actor);
    let mut place = repository(state, found);
    join(
        &mut place,
        json!({
            "git_http_url": state.http_url(found),
            "git_ssh_url": state.ssh_url(found),
            "visibility_level": visibility_level(&found.visibility),
        }),
    );
    json!({
        "object_kind": "push",
        "event_name": "push",
        "before": before,
        "after": after,
        "ref": format!("refs/heads/{branch}"),
        "ref_protected": !state.protections(project_id, branch).is_empty(),
        "checkout_sha": (after != ZERO).then_some(after),
        "message": null,
        "user_id": actor,
        "user_name": who.map(|u| &u.name),
        "user_username": who.map(|u| &u.username),
        "user_email": "",
        "user_avatar": null,
        "project_id": project_id,
        "project": project(state, found),
        "commits": commits.iter().map(|c| pushed_commit(state, found, c)).collect::<Vec<_>>(),
        "total_commits_count": total,
        "push_options": {},
        "repository": place,
    })
}

fn pushed_commit(state: &State, found: &Project, pushed: &Commit) -> Value {
    let parent = pushed.parents.first().and_then(|p| found.repo.commit(p));
    let diffs = diff_trees(&parent.map(|p| p.tree.clone()).unwrap_or_default(), &pushed.tree);
    let paths = |wanted: fn(&crate::git::FileDiff) -> bool| {
        diffs
            .iter()
            .filter(|d| wanted(d))
            .map(|d| d.new_path.clone())
            .collect::<Vec<_>>()
    };
    let mut body = commit(state, found, pushed);
    join(
        &mut body,
        json!({
            "added": paths(|d| d.is_new() || d.is_renamed()),
            "modified": paths(|d| !d.is_new() && !d.is_deleted() && !d.is_renamed()),
            "removed": diffs
                .iter()
                .filter(|d| d.is_deleted() || d.is_renamed())
                .map(|d| d.old_path.clone())
                .collect::<Vec<_>>(),
        }),
    );
    body
}

pub(crate) fn repository_update(
    state: &State,
    actor: u64,
    project_id: u64,
    branch: &str,
    before: &str,
    after: &str,
) -> Value {
    let Some(found) = state.projects.get(&project_id) else {
        return Value::Null;
    };
    let who = state.users.get(&actor);
    let name = format!("refs/heads/{branch}");
    json!({
        "event_name": "repository_update",
        "user_id": actor,
        "user_name": who.map(|u| &u.name),
        "user_email": who.map(|u| &u.email),
        "user_avatar": null,
        "project_id": project_id,
        "project": project(state, found),
        "changes": [{ "before": before, "after": after, "ref": name }],
        "refs": [name],
    })
}
