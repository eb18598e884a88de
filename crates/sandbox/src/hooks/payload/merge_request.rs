//! Merge requests.

use super::push::commit;
use super::{Changes, add_people, hook_time, join, labels, maybe, project, repository, user};
use crate::state::State;
use crate::state::merge_requests::{MergeRequest, MergeState};
use crate::state::notes::Thing;
use crate::state::projects::Project;
use serde_json::{Map, Value, json};

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

pub(super) fn request_attributes(state: &State, found: &Project, request: &MergeRequest) -> Value {
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
