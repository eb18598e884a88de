//! Approvals of merge requests.

use super::merge_requests::found;
use super::{Call, Route};
use crate::http::{Answer, Result};
use crate::show;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/merge_requests/:iid/approvals", approvals),
    ("POST", "/projects/:id/merge_requests/:iid/approve", approve),
    ("POST", "/projects/:id/merge_requests/:iid/unapprove", unapprove),
];

fn approvals(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    show_approvals(call, project, iid, 200)
}

fn show_approvals(call: &Call<'_>, project: u64, iid: u64, status: u16) -> Result {
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    let by: Vec<Value> = request
        .approvals
        .iter()
        .map(|(id, at)| json!({ "user": show::user(state, *id), "approved_at": show::time(*at) }))
        .collect();
    let mine = call
        .user
        .is_some_and(|u| request.approvals.iter().any(|(who, _)| *who == u));
    Ok(Answer::json(
        status,
        json!({
            "id": request.id,
            "iid": request.iid,
            "project_id": request.project,
            "title": request.title,
            "description": request.description,
            "state": request.state.word(),
            "created_at": show::time(request.created_at),
            "updated_at": show::time(request.updated_at),
            "merge_status": state.mergeability(request).merge_status,
            "approved": !by.is_empty(),
            "approvals_required": 0,
            "approvals_left": 0,
            "approved_by": by,
            "user_has_approved": mine,
            "user_can_approve": !mine,
        }),
    ))
}

fn approve(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    let sha = call.params.filled("sha");
    call.state.approve(actor, project, iid, sha.as_deref())?;
    show_approvals(call, project, iid, 201)
}

fn unapprove(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    call.state.unapprove(actor, project, iid)?;
    show_approvals(call, project, iid, 201)
}
