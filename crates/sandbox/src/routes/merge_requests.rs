//! Merge requests.

use super::groups::projects_below;
use super::issues::{instant, read_change};
use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::State;
use crate::state::changes::Change;
use crate::state::markdown;
use crate::state::merge_requests::{MergeRequest, NewMergeRequest};
use crate::state::merging::HowToMerge;
use crate::state::notes::Thing;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/merge_requests", list_mine),
    ("GET", "/groups/:id/merge_requests", list_in_group),
    ("GET", "/projects/:id/merge_requests", list),
    ("POST", "/projects/:id/merge_requests", create),
    ("GET", "/projects/:id/merge_requests/:iid", get),
    ("PUT", "/projects/:id/merge_requests/:iid", update),
    ("DELETE", "/projects/:id/merge_requests/:iid", delete),
    ("PUT", "/projects/:id/merge_requests/:iid/merge", merge),
    ("PUT", "/projects/:id/merge_requests/:iid/rebase", rebase),
    ("GET", "/projects/:id/merge_requests/:iid/commits", commits),
    ("GET", "/projects/:id/merge_requests/:iid/changes", changes),
    ("GET", "/projects/:id/merge_requests/:iid/diffs", diffs),
    ("GET", "/projects/:id/merge_requests/:iid/closes_issues", closes_issues),
    ("GET", "/projects/:id/merge_requests/:iid/participants", participants),
    ("GET", "/projects/:id/merge_requests/:iid/reviewers", reviewers),
    ("GET", "/projects/:id/merge_requests/:iid/approvals", approvals),
    ("POST", "/projects/:id/merge_requests/:iid/approve", approve),
    ("POST", "/projects/:id/merge_requests/:iid/unapprove", unapprove),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/resource_label_events",
        label_events,
    ),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/resource_state_events",
        state_events,
    ),
    ("GET", "/projects/:id/merge_requests/:iid/pipelines", pipelines),
];

/// The filters that lists of merge requests share.
struct Filter {
    state: Option<String>,
    source_branch: Option<String>,
    target_branch: Option<String>,
    labels: Option<Vec<String>>,
    iids: Option<Vec<u64>>,
    author: Option<u64>,
    reviewer: Option<u64>,
    nobody: bool,
    draft: Option<bool>,
    search: Option<String>,
    fields: Vec<String>,
    created_after: Option<Timestamp>,
    updated_after: Option<Timestamp>,
    updated_before: Option<Timestamp>,
    by_update: bool,
    ascending: bool,
    details: bool,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self> {
        let params = call.params;
        params.accept(&[
            "scope",
            "milestone",
            "view",
            "with_merge_status_recheck",
            "non_archived",
            "environment",
        ]);
        let named = |name: Option<String>| name.map(|n| call.state.user_named(&n).map(|u| u.id));
        let author = named(params.filled("author_username"));
        let reviewer = named(params.filled("reviewer_username"));
        let wip = params.one_of("wip", &["yes", "no"])?.map(|w| w == "yes");
        let orders = [
            "created_at",
            "updated_at",
            "label_priority",
            "merged_at",
            "milestone_due",
            "popularity",
            "priority",
            "title",
        ];
        Ok(Self {
            state: params
                .one_of("state", &["opened", "closed", "locked", "merged", "all"])?
                .filter(|s| s != "all"),
            source_branch: params.filled("source_branch"),
            target_branch: params.filled("target_branch"),
            labels: params.words("labels"),
            iids: params.ids("iids")?,
            nobody: author == Some(None) || reviewer == Some(None),
            author: params.number("author_id")?.or(author.flatten()),
            reviewer: params.number("reviewer_id")?.or(reviewer.flatten()),
            draft: params.flag("draft")?.or(wip),
            search: params.filled("search").map(|s| s.to_lowercase()),
            fields: params
                .words("in")
                .unwrap_or_else(|| vec!["title".to_owned(), "description".to_owned()]),
            created_after: instant(params, "created_after")?,
            updated_after: instant(params, "updated_after")?,
            updated_before: instant(params, "updated_before")?,
            by_update: params.one_of("order_by", &orders)?.as_deref() == Some("updated_at"),
            ascending: params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc"),
            details: params.is_set("with_labels_details")?,
        })
    }

    fn takes(&self, state: &State, request: &MergeRequest) -> bool {
        self.state.as_ref().is_none_or(|s| *s == request.state.word())
            && !self.nobody
            && self.source_branch.as_ref().is_none_or(|b| *b == request.source_branch)
            && self.target_branch.as_ref().is_none_or(|b| *b == request.target_branch)
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&request.iid))
            && self.author.is_none_or(|a| a == request.author)
            && self.reviewer.is_none_or(|r| request.reviewers.contains(&r))
            && self.draft.is_none_or(|d| d == request.is_draft())
            && self.created_after.is_none_or(|t| request.created_at >= t)
            && self.updated_after.is_none_or(|t| request.updated_at >= t)
            && self.updated_before.is_none_or(|t| request.updated_at <= t)
            && self.takes_text(request)
            && self.labels.as_ref().is_none_or(|labels| {
                let names = state.label_names(&request.labels);
                labels.iter().all(|l| names.contains(l))
            })
    }

    fn takes_text(&self, request: &MergeRequest) -> bool {
        let Some(search) = &self.search else { return true };
        let has =
            |field: &str, text: &str| self.fields.iter().any(|f| f == field) && text.to_lowercase().contains(search);
        has("title", &request.title) || has("description", request.description.as_deref().unwrap_or_default())
    }
}

fn show_list(call: &Call<'_>, filter: &Filter, mut found: Vec<&MergeRequest>) -> Result {
    let state = &*call.state;
    found.retain(|m| filter.takes(state, m));
    found.sort_by_key(|m| (if filter.by_update { m.updated_at } else { m.created_at }, m.id));
    if !filter.ascending {
        found.reverse();
    }
    call.page()?
        .of(&found, |m| show::merge_request(state, m, false, filter.details))
}

fn list(call: &mut Call<'_>) -> Result {
    let project = call.shown_project()?;
    let filter = Filter::read(call)?;
    let visible =
        call.state.sees_feature(call.user, project, "merge_requests") && call.state.sees_code(call.user, project);
    if !visible {
        return Err(Refusal::forbidden());
    }
    show_list(call, &filter, project.merge_requests.values().collect())
}

fn list_in_group(call: &mut Call<'_>) -> Result {
    let group = call.group()?;
    let filter = Filter::read(call)?;
    let non_archived = call.params.flag("non_archived")?.unwrap_or(true);
    let state = &*call.state;
    let projects = projects_below(state, group, true).into_iter().filter(|p| {
        state.sees_project(call.user, p) && state.sees_code(call.user, p) && !(non_archived && state.is_archived(p))
    });
    show_list(
        call,
        &filter,
        projects.flat_map(|p| p.merge_requests.values()).collect(),
    )
}

/// `GET /merge_requests` means one's own, unless the scope says otherwise.
fn list_mine(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let scope = call
        .params
        .filled("scope")
        .unwrap_or_else(|| "created_by_me".to_owned());
    let filter = Filter::read(call)?;
    let state = &*call.state;
    let projects = state
        .projects
        .values()
        .filter(|p| state.sees_project(call.user, p) && state.sees_code(call.user, p));
    let found = projects
        .flat_map(|p| p.merge_requests.values())
        .filter(|m| match scope.as_str() {
            "all" => true,
            "assigned_to_me" => m.assignees.contains(&actor),
            "reviews_for_me" => m.reviewers.contains(&actor),
            _ => m.author == actor,
        });
    show_list(call, &filter, found.collect())
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let params = call.params;
    params.accept(&[
        "milestone_id",
        "allow_collaboration",
        "allow_maintainer_to_push",
        "merge_after",
        "approvals_before_merge",
    ]);
    let target = params.number("target_project_id")?.unwrap_or(project);
    if target != project {
        return Err(Refusal::not_found("Project"));
    }
    let new = NewMergeRequest {
        title: params.required("title")?,
        source_branch: params.required("source_branch")?,
        target_branch: params.required("target_branch")?,
        description: params.text("description"),
        labels: params
            .words("labels")
            .or_else(|| params.words("add_labels"))
            .unwrap_or_default(),
        assignees: params
            .ids("assignee_ids")?
            .or(params.ids("assignee_id")?)
            .unwrap_or_default(),
        reviewers: params.ids("reviewer_ids")?.unwrap_or_default(),
        squash: params.flag("squash")?,
        remove_source_branch: params.flag("remove_source_branch")?,
    };
    let iid = call.state.create_merge_request(actor, project, new)?;
    show_request(call, project, iid, 201)
}

fn found(call: &Call<'_>) -> Result<(u64, u64)> {
    let (project, iid) = (call.project()?, call.number(1)?);
    call.state.find_merge_request(call.user, project, iid)?;
    Ok((project, iid))
}

fn show_request(call: &Call<'_>, project: u64, iid: u64, status: u16) -> Result {
    let request = call.state.find_merge_request(call.user, project, iid)?;
    let mut body = show::merge_request(call.state, request, true, false);
    body["user"]["can_merge"] = json!(call.user.is_some_and(|u| call.state.may_merge(u, project, iid)));
    Ok(Answer::json(status, body))
}

fn get(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    call.params.accept(&["render_html", "include_diverged_commits_count"]);
    let rebase = call.params.is_set("include_rebase_in_progress")?;
    let mut answer = show_request(call, project, iid, 200)?;
    if let (true, crate::http::Body::Json(body)) = (rebase, &mut answer.body) {
        body["rebase_in_progress"] = json!(false);
    }
    // The worker that checks mergeability gets on with it after this read.
    call.state.step_merge_check(project, iid);
    Ok(answer)
}

fn update(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    let params = call.params;
    params.accept(&[
        "milestone_id",
        "allow_collaboration",
        "allow_maintainer_to_push",
        "merge_after",
    ]);
    params.at_least_one_of(&[
        "assignee_id",
        "assignee_ids",
        "reviewer_ids",
        "description",
        "labels",
        "add_labels",
        "remove_labels",
        "milestone_id",
        "remove_source_branch",
        "allow_collaboration",
        "allow_maintainer_to_push",
        "squash",
        "target_branch",
        "title",
        "state_event",
        "discussion_locked",
        "merge_after",
    ])?;
    let change = Change {
        reviewers: params.ids("reviewer_ids")?,
        target_branch: params.filled("target_branch"),
        squash: params.flag("squash")?,
        remove_source_branch: params.flag("remove_source_branch")?,
        ..read_change(params)?
    };
    call.state.update_merge_request(actor, project, iid, change)?;
    show_request(call, project, iid, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    call.state.delete_merge_request(actor, project, iid)?;
    Ok(Answer::no_content())
}

fn merge(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    let params = call.params;
    params.accept(&["auto_merge", "merge_when_pipeline_succeeds", "skip_merge_train"]);
    let how = HowToMerge {
        sha: params.filled("sha"),
        squash: params.flag("squash")?,
        remove_source_branch: params.flag("should_remove_source_branch")?,
        message: params.filled("merge_commit_message"),
        squash_message: params.filled("squash_commit_message"),
    };
    call.state.merge(actor, project, iid, &how)?;
    show_request(call, project, iid, 200)
}

fn rebase(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    call.params.accept(&["skip_ci"]);
    call.state.rebase(actor, project, iid)?;
    Ok(Answer::json(202, json!({ "rebase_in_progress": true })))
}

fn commits(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    let project = state.project(project)?;
    let commits = if request.prepared_at.is_none() {
        Vec::new()
    } else {
        project.repo.between(&request.diff_base, &request.sha)
    };
    call.page()?.of(&commits, |c| show::commit(state, project, c))
}

fn changes(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    call.params.accept(&["unidiff", "access_raw_diffs"]);
    let request = call.state.find_merge_request(call.user, project, iid)?;
    let mut body = show::merge_request(call.state, request, true, false);
    body["changes"] = shown_diffs(call.state, request).into();
    body["overflow"] = json!(false);
    Ok(Answer::ok(body))
}

/// Not yet prepared means: no difference to show yet.
fn shown_diffs(state: &State, request: &MergeRequest) -> Vec<Value> {
    if request.prepared_at.is_none() {
        return Vec::new();
    }
    state.merge_request_diff(request).iter().map(show::diff).collect()
}

fn diffs(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    call.params.accept(&["unidiff"]);
    let shown = shown_diffs(call.state, call.state.find_merge_request(call.user, project, iid)?);
    call.page()?.of(&shown, Clone::clone)
}

fn closes_issues(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    let mut things: Vec<Thing> = Vec::new();
    for text in state.closing_texts(request) {
        for reference in markdown::closing(&text, &state.url) {
            things.extend(state.referenced(call.user.unwrap_or_default(), project, &reference));
        }
    }
    things.sort_unstable();
    things.dedup();
    let shown: Vec<Value> = things
        .iter()
        .filter_map(|t| state.find_issue(call.user, t.project(), t.iid()).ok())
        .map(|i| show::issue(state, call.user, i, false))
        .collect();
    call.page()?.of(&shown, Clone::clone)
}

fn participants(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    let notes = request.notes.iter().filter(|n| !n.system).map(|n| &n.author);
    let mut people = vec![request.author];
    people.extend(request.assignees.iter().chain(&request.reviewers).chain(notes));
    let mut seen = std::collections::BTreeSet::new();
    people.retain(|p| seen.insert(*p));
    call.page()?.of(&people, |id| show::user(state, *id))
}

fn reviewers(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    let shown: Vec<Value> = request
        .reviewers
        .iter()
        .map(|id| {
            let approved = request.approvals.iter().any(|(who, _)| who == id);
            json!({
                "user": show::user(state, *id),
                "state": if approved { "approved" } else { "unreviewed" },
                "created_at": show::time(request.updated_at),
            })
        })
        .collect();
    Ok(Answer::ok(json!(shown)))
}

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

fn label_events(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    call.page()?.of(&request.label_events, |e| {
        show::label_event(state, e, ("MergeRequest", request.id))
    })
}

fn state_events(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let request = state.find_merge_request(call.user, project, iid)?;
    call.page()?.of(&request.state_events, |e| {
        show::state_event(state, e, ("MergeRequest", request.id))
    })
}

/// There is no CI here.
fn pipelines(call: &mut Call<'_>) -> Result {
    found(call)?;
    call.page()?.of(&[] as &[Value], Clone::clone)
}
