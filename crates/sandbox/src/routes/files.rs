//! Files and folders of a repository.

use super::{Call, Route};
use crate::git::{Commit, Entry};
use crate::http::{Answer, Refusal, Result, encode};
use crate::show;
use crate::state::commits::{FileAction, NewFiles};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::Arc;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/repository/tree", tree),
    ("GET", "/projects/:id/repository/files/:path", get),
    ("GET", "/projects/:id/repository/files/:path/raw", raw),
    ("POST", "/projects/:id/repository/files/:path", create),
    ("PUT", "/projects/:id/repository/files/:path", update),
    ("DELETE", "/projects/:id/repository/files/:path", delete),
    ("GET", "/projects/:id/repository/blobs/:sha", blob),
    ("GET", "/projects/:id/repository/blobs/:sha/raw", blob_raw),
];

/// The commit that `ref` means; an empty repository has none.
fn commit_at(call: &Call<'_>, reference: &str) -> Result<Arc<Commit>> {
    let project = call.code()?;
    let name = if reference == "HEAD" {
        project.default_branch_or_main()
    } else {
        reference
    };
    project.repo.resolve(name).ok_or_else(|| Refusal::not_found("Commit"))
}

fn entry(call: &Call<'_>) -> Result<(Arc<Commit>, String, Entry)> {
    let reference = match call.params.filled("ref") {
        Some(reference) => reference,
        None if call.path.ends_with("/raw") => call.code()?.default_branch_or_main().to_owned(),
        None => return Err(Refusal::error(400, "ref is missing")),
    };
    let commit = commit_at(call, &reference)?;
    let entry = commit
        .tree
        .get(call.arg(1))
        .cloned()
        .ok_or_else(|| Refusal::not_found("File"))?;
    Ok((commit, reference, entry))
}

fn get(call: &mut Call<'_>) -> Result {
    call.params.accept(&["lfs"]);
    let (commit, reference, entry) = entry(call)?;
    let body = show::blob_file(call.code()?, &commit, call.arg(1), &entry, &reference);
    let answer = Answer::ok(body.clone());
    if call.method == "HEAD" {
        Ok(with_file_headers(answer, &body))
    } else {
        Ok(answer)
    }
}

fn with_file_headers(mut answer: Answer, body: &serde_json::Value) -> Answer {
    for (header, field) in [
        ("x-gitlab-blob-id", "blob_id"),
        ("x-gitlab-commit-id", "commit_id"),
        ("x-gitlab-content-sha256", "content_sha256"),
        ("x-gitlab-encoding", "encoding"),
        ("x-gitlab-file-name", "file_name"),
        ("x-gitlab-file-path", "file_path"),
        ("x-gitlab-last-commit-id", "last_commit_id"),
        ("x-gitlab-ref", "ref"),
        ("x-gitlab-size", "size"),
        ("x-gitlab-execute-filemode", "execute_filemode"),
    ] {
        let value = body[field]
            .as_str()
            .map_or_else(|| body[field].to_string(), str::to_owned);
        // Header values are ASCII; GitLab encodes names that are not.
        let value = if value.is_ascii() { value } else { encode(&value) };
        answer = answer.header(header, value);
    }
    answer
}

fn raw(call: &mut Call<'_>) -> Result {
    call.params.accept(&["lfs"]);
    let (commit, reference, entry) = entry(call)?;
    let body = show::blob_file(call.code()?, &commit, call.arg(1), &entry, &reference);
    let kind = if entry.blob.text().is_some() {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    Ok(with_file_headers(Answer::bytes(kind, entry.blob.bytes.clone()), &body))
}

fn tree(call: &mut Call<'_>) -> Result {
    let params = call.params;
    let reference = params.filled("ref").unwrap_or_else(|| "HEAD".to_owned());
    let path = params.filled("path").unwrap_or_default().trim_matches('/').to_owned();
    let recursive = params.is_set("recursive")?;
    params.accept(&["page_token"]);
    let project = call.code()?;
    if project.repo.is_empty() {
        return Err(Refusal::not_found("Tree"));
    }
    let commit = commit_at(call, &reference).map_err(|_| Refusal::not_found("Tree"))?;
    if !path.is_empty() && !commit.tree.is_directory(&path) {
        return Err(Refusal::not_found("invalid revision or path"));
    }
    let mut items = Vec::new();
    let mut folders = vec![path];
    while let Some(folder) = folders.pop() {
        for item in commit.tree.list(&folder) {
            if recursive && item.is_tree() {
                folders.push(item.path.clone());
            }
            items.push(item);
        }
    }
    if recursive {
        items.sort_by(|a, b| b.is_tree().cmp(&a.is_tree()).then(a.path.cmp(&b.path)));
    }
    let page = call.page()?;
    let shown = |i: &crate::git::Listed| show::tree_item(&i.id, &i.name, &i.path, i.mode);
    if page.is_keyset() {
        return page.keyset_of(&items, |i| i.path.clone(), shown);
    }
    page.of(&items, shown)
}

/// One-file commits; their answers have no commit id.
fn commit_one(call: &mut Call<'_>, action: &str, status: u16) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let params = call.params;
    let content = match action {
        "delete" => None,
        _ => Some(decode_content(
            &params.text("content").unwrap_or_default(),
            params.filled("encoding").as_deref(),
        )?),
    };
    // Clients repeat the path in the body.
    params.accept(&["file_path"]);
    let path = call.arg(1).to_owned();
    let branch = params.required("branch")?;
    let new = NewFiles {
        branch: branch.clone(),
        message: params.required("commit_message")?,
        actions: vec![FileAction {
            action: action.to_owned(),
            file_path: path.clone(),
            content,
            last_commit_id: params.filled("last_commit_id"),
            execute_filemode: params.flag("execute_filemode")?,
            ..FileAction::default()
        }],
        start_branch: params.filled("start_branch"),
        author_name: params.filled("author_name"),
        author_email: params.filled("author_email"),
        ..NewFiles::default()
    };
    call.state.commit_files(actor, project, new)?;
    if status == 204 {
        return Ok(Answer::no_content());
    }
    Ok(Answer::json(status, json!({ "file_path": path, "branch": branch })))
}

/// Content as it was sent: text, or base64.
pub(super) fn decode_content(content: &str, encoding: Option<&str>) -> Result<Vec<u8>> {
    match encoding {
        Some("base64") => {
            let compact: String = content.chars().filter(|c| !c.is_whitespace()).collect();
            STANDARD
                .decode(compact)
                .map_err(|_| Refusal::message(400, "The content is not valid base64"))
        }
        None | Some("text") => Ok(content.as_bytes().to_vec()),
        Some(_) => Err(Refusal::error(400, "encoding does not have a valid value")),
    }
}

fn create(call: &mut Call<'_>) -> Result {
    commit_one(call, "create", 201)
}

fn update(call: &mut Call<'_>) -> Result {
    commit_one(call, "update", 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    commit_one(call, "delete", 204)
}

fn find_blob(call: &Call<'_>) -> Result<Vec<u8>> {
    let repo = &call.code()?.repo;
    let heads = repo.branches().keys().filter_map(|b| repo.branch(b));
    let found = heads.flat_map(|c| repo.log(&c.id)).find_map(|c| {
        c.tree
            .iter()
            .find(|(_, e)| e.blob.id == call.arg(1))
            .map(|(_, e)| e.blob.bytes.clone())
    });
    found.ok_or_else(|| Refusal::not_found("Blob"))
}

fn blob(call: &mut Call<'_>) -> Result {
    let bytes = find_blob(call)?;
    Ok(Answer::ok(json!({
        "size": bytes.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&bytes),
        "sha": call.arg(1),
    })))
}

fn blob_raw(call: &mut Call<'_>) -> Result {
    Ok(Answer::bytes("text/plain; charset=utf-8", find_blob(call)?))
}
