//! Merge requests.

use super::issues::{tasks, time_stats};
use super::{time, user};
use crate::state::State;
use crate::state::merge_requests::MergeRequest;
use crate::state::notes::Thing;
use serde_json::{Value, json};

/// A merge request; `single` adds what only the single one has.
pub(crate) fn merge_request(state: &State, request: &MergeRequest, single: bool, with_details: bool) -> Value {
    let Ok(project) = state.project(request.project) else {
        return Value::Null;
    };
    let known = state.mergeability(request);
    let thing = Thing::merge_request(request.project, request.iid);
    let short = format!("!{}", request.iid);
    let person = |id: Option<u64>| id.map(|id| user(state, id));
    let people = |ids: &[u64]| ids.iter().map(|id| user(state, *id)).collect::<Vec<_>>();
    let labels = state.label_names(&request.labels);
    let mut body = json!({
        "id": request.id,
        "iid": request.iid,
        "project_id": request.project,
        "title": request.title,
        "description": request.description,
        "state": request.state.word(),
        "created_at": time(request.created_at),
        "updated_at": time(request.updated_at),
        "merged_by": person(request.merge_user),
        "merge_user": person(request.merge_user),
        "merged_at": request.merged_at.map(time),
        "closed_by": person(request.closed_by),
        "closed_at": request.closed_at.map(time),
        "target_branch": request.target_branch,
        "source_branch": request.source_branch,
        "user_notes_count": request.notes.iter().filter(|n| !n.system).count(),
        "upvotes": state.votes(thing, "thumbsup"),
        "downvotes": state.votes(thing, "thumbsdown"),
        "author": user(state, request.author),
        "assignees": people(&request.assignees),
        "assignee": person(request.assignees.first().copied()),
        "reviewers": people(&request.reviewers),
        "source_project_id": request.project,
        "target_project_id": request.project,
        "labels": labels,
        "draft": request.is_draft(),
        "imported": false,
        "imported_from": "none",
    });
    let more = json!({
        "work_in_progress": request.is_draft(),
        "milestone": null,
        "merge_when_pipeline_succeeds": false,
        "merge_status": known.merge_status,
        "detailed_merge_status": known.detailed,
        "merge_after": null,
        "sha": request.sha,
        "merge_commit_sha": request.merge_commit_sha,
        "squash_commit_sha": request.squash_commit_sha,
        "discussion_locked": request.discussion_locked,
        "should_remove_source_branch": null,
        "force_remove_source_branch": request.remove_source_branch,
        "prepared_at": request.prepared_at.map(time),
        "reference": short,
        "references": { "short": short, "relative": short, "full": format!("{}{short}", project.full_path) },
        "web_url": state.merge_request_url(project, request.iid),
        "time_stats": time_stats(),
        "squash": request.squash,
        "squash_on_merge": request.squash,
        "task_completion_status": tasks(request.description.as_deref().unwrap_or_default()),
        "has_conflicts": known.has_conflicts,
        "blocking_discussions_resolved": true,
        "approvals_before_merge": null,
    });
    extend(&mut body, more);
    if with_details {
        let detailed: Vec<Value> = request
            .labels
            .iter()
            .filter_map(|id| state.labels.get(id))
            .map(|l| json!({ "id": l.id, "name": l.name, "color": l.color, "description": l.description }))
            .collect();
        extend(&mut body, json!({ "labels": detailed }));
    }
    if single {
        extend(&mut body, only_single(state, request));
    }
    body
}

fn only_single(state: &State, request: &MergeRequest) -> Value {
    let prepared = request.prepared_at.is_some();
    let changes = state.merge_request_diff(request).len();
    let start = state
        .project(request.project)
        .ok()
        .and_then(|p| p.repo.branch(&request.target_branch))
        .map_or_else(|| request.diff_base.clone(), |c| c.id.clone());
    json!({
        "subscribed": false,
        "changes_count": (prepared && changes > 0).then(|| if changes > 1000 { "1000+".to_owned() } else { changes.to_string() }),
        "latest_build_started_at": null,
        "latest_build_finished_at": null,
        "first_deployed_to_production_at": null,
        "pipeline": null,
        "head_pipeline": null,
        "diff_refs": { "base_sha": request.diff_base, "head_sha": request.sha, "start_sha": start },
        "merge_error": request.merge_error,
        "first_contribution": false,
        "user": { "can_merge": true },
    })
}

fn extend(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}
