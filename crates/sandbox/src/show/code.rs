//! Commits, branches, files, differences.

use super::git_time;
use crate::git::{Commit, Entry, FileDiff, diff_trees};
use crate::state::State;
use crate::state::branches::Protection;
use crate::state::projects::Project;
use crate::state::rights::DEVELOPER;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

pub(crate) fn commit(state: &State, project: &Project, commit: &Commit) -> Value {
    json!({
        "id": commit.id,
        "short_id": commit.short_id(),
        "created_at": git_time(commit.committer.when),
        "parent_ids": commit.parents,
        "title": commit.title(),
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": git_time(commit.author.when),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": git_time(commit.committer.when),
        "trailers": {},
        "extended_trailers": {},
        "web_url": format!("{}/-/commit/{}", state.web_url(project), commit.id),
    })
}

pub(crate) fn commit_with_stats(state: &State, project: &Project, found: &Commit, stats: bool) -> Value {
    let mut body = commit(state, project, found);
    let Some(object) = body.as_object_mut() else {
        return body;
    };
    if stats {
        let parent = found.parents.first().and_then(|p| project.repo.commit(p));
        let diffs = diff_trees(&parent.map(|p| p.tree.clone()).unwrap_or_default(), &found.tree);
        let (plus, minus) = diffs
            .iter()
            .fold((0, 0), |(a, d), f| (a + f.additions, d + f.deletions));
        object.insert(
            "stats".to_owned(),
            json!({ "additions": plus, "deletions": minus, "total": plus + minus }),
        );
    }
    object.insert("status".to_owned(), Value::Null);
    object.insert("project_id".to_owned(), json!(project.id));
    object.insert("last_pipeline".to_owned(), Value::Null);
    body
}

pub(crate) fn branch(state: &State, user: Option<u64>, project: &Project, name: &str, head: &Arc<Commit>) -> Value {
    let protections = state.protections(project.id, name);
    let default = project.default_branch.as_deref() == Some(name);
    let merged = !default
        && project
            .default_branch
            .as_deref()
            .and_then(|b| project.repo.branch(b))
            .is_some_and(|main| project.repo.contains(&main.id, &head.id));
    json!({
        "name": name,
        "commit": commit(state, project, head),
        "merged": merged,
        "protected": !protections.is_empty(),
        "developers_can_push": protections.iter().any(|p| p.push == DEVELOPER),
        "developers_can_merge": protections.iter().any(|p| p.merge == DEVELOPER),
        "can_push": user.is_some_and(|u| state.may_push(u, project.id, name)),
        "default": default,
        "web_url": format!("{}/-/tree/{name}", state.web_url(project)),
    })
}

pub(crate) fn protection(protection: &Protection) -> Value {
    let level = |level: u64| {
        let description = match level {
            0 => "No one",
            30 => "Developers + Maintainers",
            40 => "Maintainers",
            _ => "Administrators",
        };
        json!([{
            "id": protection.id,
            "access_level": level,
            "access_level_description": description,
            "deploy_key_id": null,
            "user_id": null,
            "group_id": null,
        }])
    };
    json!({
        "id": protection.id,
        "name": protection.name,
        "push_access_levels": level(protection.push),
        "merge_access_levels": level(protection.merge),
        "allow_force_push": protection.allow_force_push,
        "unprotect_access_levels": [],
        "code_owner_approval_required": false,
        "inherited": false,
    })
}

/// `GET …/repository/files/:path`
pub(crate) fn blob_file(project: &Project, head: &Arc<Commit>, path: &str, entry: &Entry, reference: &str) -> Value {
    json!({
        "file_name": path.rsplit('/').next(),
        "file_path": path,
        "size": entry.blob.bytes.len(),
        "encoding": "base64",
        "content_sha256": hex::encode(Sha256::digest(&entry.blob.bytes)),
        "ref": reference,
        "blob_id": entry.blob.id,
        "commit_id": head.id,
        "last_commit_id": project.repo.last_commit_for(head, path).id,
        "execute_filemode": entry.executable,
        "content": STANDARD.encode(&entry.blob.bytes),
    })
}

pub(crate) fn tree_item(id: &str, name: &str, path: &str, mode: &str) -> Value {
    json!({
        "id": id,
        "name": name,
        "type": if mode == "040000" { "tree" } else { "blob" },
        "path": path,
        "mode": mode,
    })
}

pub(crate) fn diff(diff: &FileDiff) -> Value {
    let mode = |entry: &Option<Entry>| entry.as_ref().map_or("0", Entry::mode);
    json!({
        "diff": diff.text,
        "new_path": diff.new_path,
        "old_path": diff.old_path,
        "a_mode": mode(&diff.old),
        "b_mode": mode(&diff.new),
        "new_file": diff.is_new(),
        "renamed_file": diff.is_renamed(),
        "deleted_file": diff.is_deleted(),
        "generated_file": false,
        "collapsed": false,
        "too_large": false,
    })
}
