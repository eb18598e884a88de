//! Links between issues.

use super::{Call, Route};
use crate::http::{Answer, Result};
use crate::show;
use crate::state::State;
use crate::state::links::IssueLink;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/issues/:iid/links", list),
    ("POST", "/projects/:id/issues/:iid/links", create),
    ("DELETE", "/projects/:id/issues/:iid/links/:link", delete),
];

fn list(call: &mut Call<'_>) -> Result {
    let (project, iid) = (call.project()?, call.number(1)?);
    call.state.find_issue(call.user, project, iid)?;
    let state = &*call.state;
    let shown: Vec<Value> = state
        .links_of((project, iid))
        .iter()
        .filter_map(|(link, other)| {
            let issue = state.find_issue(call.user, other.0, other.1).ok()?;
            let mut body = show::issue(state, call.user, issue, false);
            if let Some(body) = body.as_object_mut() {
                body.insert("issue_link_id".to_owned(), json!(link.id));
                body.insert("link_type".to_owned(), json!(seen_from(link, (project, iid))));
                body.insert("link_created_at".to_owned(), json!(show::time(link.created_at)));
                body.insert("link_updated_at".to_owned(), json!(show::time(link.created_at)));
            }
            Some(body)
        })
        .collect();
    call.page()?.of(&shown, Clone::clone)
}

/// What is "blocks" from one end is "is blocked by" from the other.
fn seen_from(link: &IssueLink, issue: (u64, u64)) -> &str {
    match link.kind.as_str() {
        "blocks" if link.target == issue => "is_blocked_by",
        "is_blocked_by" if link.target == issue => "blocks",
        kind => kind,
    }
}

fn show_link(state: &State, user: Option<u64>, link: &IssueLink) -> Value {
    let issue = |at: (u64, u64)| {
        state
            .find_issue(user, at.0, at.1)
            .map(|i| show::issue(state, user, i, false))
            .ok()
    };
    json!({
        "id": link.id,
        "source_issue": issue(link.source),
        "target_issue": issue(link.target),
        "link_type": link.kind,
    })
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project, iid) = (call.actor()?, call.project()?, call.number(1)?);
    let target = call.params.required("target_project_id")?;
    let target = call.state.find_project(call.user, &target)?;
    let target_iid = call.params.required_number("target_issue_iid")?;
    let kinds = ["relates_to", "blocks", "is_blocked_by"];
    let kind = call
        .params
        .one_of("link_type", &kinds)?
        .unwrap_or_else(|| "relates_to".to_owned());
    let id = call
        .state
        .link_issues(actor, (project, iid), (target, target_iid), &kind)?;
    let link = call.state.project(project)?.links.iter().find(|l| l.id == id);
    Ok(Answer::created(
        link.map(|l| show_link(call.state, call.user, l)).unwrap_or_default(),
    ))
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, project, iid, link) = (call.actor()?, call.project()?, call.number(1)?, call.number(2)?);
    call.state.find_issue(call.user, project, iid)?;
    let link = call.state.unlink_issues(actor, (project, iid), link)?;
    Ok(Answer::ok(show_link(call.state, call.user, &link)))
}
