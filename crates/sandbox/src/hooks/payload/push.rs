//! Pushes.

use super::{join, project, repository};
use crate::git::{Commit, ZERO, diff_trees};
use crate::state::State;
use crate::state::projects::{Project, visibility_level};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub(super) fn commit(state: &State, found: &Project, commit: &Commit) -> Value {
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
