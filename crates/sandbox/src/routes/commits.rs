//! Commits: make, list, read, compare.

use super::files::decode_content;
use super::issues::instant;
use super::{Call, Route};
use crate::git::diff_trees;
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::commits::{FileAction, NewFiles};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/projects/:id/repository/commits", create),
    ("GET", "/projects/:id/repository/commits", list),
    ("GET", "/projects/:id/repository/commits/:sha", get),
    ("GET", "/projects/:id/repository/commits/:sha/diff", diff),
    ("GET", "/projects/:id/repository/commits/:sha/refs", refs),
    (
        "GET",
        "/projects/:id/repository/commits/:sha/merge_requests",
        merge_requests,
    ),
    ("GET", "/projects/:id/repository/compare", compare),
    ("GET", "/projects/:id/repository/merge_base", merge_base),
];

const ACTIONS: &[&str] = &["create", "update", "move", "delete", "chmod"];
const ACTION_FIELDS: &[&str] = &[
    "action",
    "file_path",
    "previous_path",
    "content",
    "encoding",
    "last_commit_id",
    "execute_filemode",
];

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let params = call.params;
    params.accept(&["start_project"]);
    let actions = read_actions(params)?;
    if actions.is_empty() && !params.is_set("allow_empty")? {
        return Err(Refusal::error(400, "actions is empty"));
    }
    if params.filled("start_branch").is_some() && params.filled("start_sha").is_some() {
        return Err(Refusal::error(400, "start_branch, start_sha are mutually exclusive"));
    }
    let new = NewFiles {
        branch: params.required("branch")?,
        message: params.required("commit_message")?,
        actions,
        start_branch: params.filled("start_branch"),
        start_sha: params.filled("start_sha"),
        force: params.is_set("force")?,
        author_name: params.filled("author_name"),
        author_email: params.filled("author_email"),
    };
    let stats = params.flag("stats")?.unwrap_or(true);
    let commit = call.state.commit_files(actor, project, new)?;
    Ok(Answer::created(show::commit_with_stats(
        call.state,
        call.state.project(project)?,
        &commit,
        stats,
    )))
}

fn read_actions(params: &Params) -> Result<Vec<FileAction>> {
    let Some(actions) = params.objects("actions")? else {
        return Err(Refusal::error(400, "actions is missing"));
    };
    let read = |(at, action): (usize, &Params)| {
        let read = read_action(at, action);
        params.report(&format!("actions[{at}]"), action);
        read
    };
    actions.iter().enumerate().map(read).collect()
}

fn read_action(at: usize, action: &Params) -> Result<FileAction> {
    let missing = |field: &str| Refusal::error(400, format!("actions[{at}][{field}] is missing"));
    let kind = action.filled("action").ok_or_else(|| missing("action"))?;
    if !ACTIONS.contains(&kind.as_str()) {
        let text = format!("actions[{at}][action] does not have a valid value");
        return Err(Refusal::error(400, text));
    }
    action.accept(ACTION_FIELDS);
    let content = action.text("content");
    if content.is_none() && kind == "update" {
        return Err(missing("content"));
    }
    // A file that is created without content is empty.
    let content = content.or_else(|| (kind == "create").then(String::new));
    if kind == "move" && action.filled("previous_path").is_none() {
        return Err(missing("previous_path"));
    }
    if kind == "chmod" && action.flag("execute_filemode")?.is_none() {
        return Err(missing("execute_filemode"));
    }
    let encoding = action.filled("encoding");
    let content = content.map(|c| decode_content(&c, encoding.as_deref())).transpose()?;
    let path = action.filled("file_path").ok_or_else(|| missing("file_path"))?;
    Ok(FileAction {
        action: kind,
        file_path: path,
        previous_path: action.filled("previous_path"),
        content,
        last_commit_id: action.filled("last_commit_id"),
        execute_filemode: action.flag("execute_filemode")?,
    })
}

fn list(call: &mut Call<'_>) -> Result {
    let params = call.params;
    params.accept(&["order", "trailers", "all", "with_stats"]);
    let (since, until) = (instant(params, "since")?, instant(params, "until")?);
    let path = params.filled("path");
    let author = params.filled("author").map(|a| a.to_lowercase());
    let first_parent = params.is_set("first_parent")?;
    let project = call.code()?;
    let reference = params
        .filled("ref_name")
        .unwrap_or_else(|| project.default_branch_or_main().to_owned());
    let page = call.page()?;
    let commits = match reference.split_once("..") {
        Some((from, to)) => match (project.repo.resolve(from), project.repo.resolve(to)) {
            (Some(from), Some(to)) => project.repo.between(&from.id, &to.id),
            _ => return Err(Refusal::not_found("Commit")),
        },
        None if project.repo.is_empty() => Vec::new(),
        None => {
            let head = project
                .repo
                .resolve(&reference)
                .ok_or_else(|| Refusal::not_found("Commit"))?;
            project.repo.log(&head.id)
        }
    };
    let touched = |c: &crate::git::Commit| {
        path.as_ref().is_none_or(|path| {
            let inside = format!("{}/", path.trim_end_matches('/'));
            let parent = c.parents.first().and_then(|p| project.repo.commit(p));
            let before = parent.map(|p| p.tree.clone()).unwrap_or_default();
            diff_trees(&before, &c.tree).iter().any(|d| {
                [&d.new_path, &d.old_path]
                    .iter()
                    .any(|p| *p == path || p.starts_with(&inside))
            })
        })
    };
    let mut found: Vec<_> = commits
        .into_iter()
        .filter(|c| since.is_none_or(|s| c.committer.when >= s) && until.is_none_or(|u| c.committer.when <= u))
        .filter(|c| {
            author
                .as_ref()
                .is_none_or(|a| c.author.name.to_lowercase().contains(a) || c.author.email.to_lowercase().contains(a))
        })
        .filter(|c| touched(c))
        .collect();
    if first_parent {
        keep_first_parents(&mut found);
    }
    page.of(&found, |c| show::commit(call.state, project, c))
}

fn keep_first_parents(commits: &mut Vec<std::sync::Arc<crate::git::Commit>>) {
    let mut next = commits.first().map(|c| c.id.clone());
    commits.retain(|c| {
        let keep = next.as_deref() == Some(c.id.as_str());
        if keep {
            next = c.parents.first().cloned();
        }
        keep
    });
}

fn found(call: &Call<'_>) -> Result<std::sync::Arc<crate::git::Commit>> {
    let project = call.code()?;
    project
        .repo
        .resolve(call.arg(1))
        .ok_or_else(|| Refusal::not_found("Commit"))
}

fn get(call: &mut Call<'_>) -> Result {
    let stats = call.params.flag("stats")?.unwrap_or(true);
    let commit = found(call)?;
    Ok(Answer::ok(show::commit_with_stats(
        call.state,
        call.code()?,
        &commit,
        stats,
    )))
}

fn diff(call: &mut Call<'_>) -> Result {
    call.params.accept(&["unidiff"]);
    let commit = found(call)?;
    let parent = commit.parents.first().and_then(|p| call.code().ok()?.repo.commit(p));
    let diffs = diff_trees(&parent.map(|p| p.tree.clone()).unwrap_or_default(), &commit.tree);
    call.page()?.of(&diffs, show::diff)
}

fn refs(call: &mut Call<'_>) -> Result {
    call.params.accept(&["type"]);
    let commit = found(call)?;
    let repo = &call.code()?.repo;
    let names: Vec<&String> = repo
        .branches()
        .iter()
        .filter(|(_, head)| repo.contains(head, &commit.id))
        .map(|(name, _)| name)
        .collect();
    call.page()?
        .of(&names, |name| json!({ "type": "branch", "name": name }))
}

fn merge_requests(call: &mut Call<'_>) -> Result {
    call.params.accept(&["state"]);
    let commit = found(call)?;
    let state = &*call.state;
    let project = call.code()?;
    let brings = |m: &&crate::state::merge_requests::MergeRequest| {
        m.merge_commit_sha.as_ref() == Some(&commit.id)
            || project
                .repo
                .between(&m.diff_base, &m.sha)
                .iter()
                .any(|c| c.id == commit.id)
    };
    let found: Vec<_> = project.merge_requests.values().filter(brings).collect();
    call.page()?.of(&found, |m| show::merge_request(state, m, false, false))
}

fn compare(call: &mut Call<'_>) -> Result {
    let params = call.params;
    params.accept(&["from_project_id", "unidiff"]);
    let (from, to) = (params.required("from")?, params.required("to")?);
    let straight = params.is_set("straight")?;
    let project = call.code()?;
    let at = |name: &str| project.repo.resolve(name).ok_or_else(|| Refusal::not_found("Ref"));
    let (from_commit, to_commit) = (at(&from)?, at(&to)?);
    let base = if straight {
        None
    } else {
        project.repo.merge_base(&from_commit.id, &to_commit.id)
    };
    let base = base.unwrap_or_else(|| from_commit.clone());
    let mut commits = project.repo.between(&from_commit.id, &to_commit.id);
    commits.reverse();
    let shown: Vec<Value> = commits.iter().map(|c| show::commit(call.state, project, c)).collect();
    let diffs: Vec<Value> = diff_trees(&base.tree, &to_commit.tree).iter().map(show::diff).collect();
    Ok(Answer::ok(json!({
        "commit": shown.last(),
        "commits": shown,
        "diffs": diffs,
        "compare_timeout": false,
        "compare_same_ref": from == to,
        "web_url": format!("{}/-/compare/{from}...{to}", call.state.web_url(project)),
    })))
}

fn merge_base(call: &mut Call<'_>) -> Result {
    let refs = call
        .params
        .words("refs")
        .ok_or_else(|| Refusal::error(400, "refs is missing"))?;
    let project = call.code()?;
    let [one, other] = refs.as_slice() else {
        return Err(Refusal::bad_request("Provide at least 2 refs"));
    };
    let at = |name: &str| {
        project
            .repo
            .resolve(name)
            .ok_or_else(|| Refusal::bad_request(&format!("Could not find ref: {name}")))
    };
    let (one, other) = (at(one)?, at(other)?);
    let base = project
        .repo
        .merge_base(&one.id, &other.id)
        .ok_or_else(|| Refusal::not_found("Merge Base"))?;
    Ok(Answer::ok(show::commit(call.state, project, &base)))
}
