//! Commits of several files as JSON, the form that GitLab documents: the crate sends them as form fields, which turns
//! numbers and booleans into text and triples what is not ASCII.

use base64::Engine as _;
use convenor_core::ids::ProjectId;
use serde_json::{Value, json};

use super::{Plain, object};
use crate::gitlab::writer::{FileAction, NewCommit, Start};

pub(crate) fn create(project: ProjectId, commit: &NewCommit) -> Plain {
    let (start_branch, start_sha) = match &commit.start {
        None => (None, None),
        Some(Start::Branch(branch)) => (Some(json!(branch)), None),
        Some(Start::Commit(sha)) => (None, Some(json!(sha))),
    };
    let body = object([
        ("branch", Some(json!(commit.branch))),
        ("commit_message", Some(json!(commit.message.as_str()))),
        ("start_branch", start_branch),
        ("start_sha", start_sha),
        ("force", commit.force.then_some(Value::Bool(true))),
        ("stats", Some(json!(false))),
        ("actions", Some(commit.actions.iter().map(action).collect())),
    ]);
    Plain::post(format!("projects/{project}/repository/commits"), body)
}

fn action(action: &FileAction) -> Value {
    let (word, path, bytes, last_commit_id) = match action {
        FileAction::Create { path, bytes } => ("create", path, Some(bytes), None),
        FileAction::Update {
            path,
            bytes,
            last_commit_id,
        } => ("update", path, Some(bytes), last_commit_id.as_ref()),
        FileAction::Delete { path, last_commit_id } => ("delete", path, None, last_commit_id.as_ref()),
    };
    let (content, encoding) = bytes.map_or((None, None), |bytes| {
        let (content, encoding) = packed(bytes);
        (Some(json!(content)), Some(json!(encoding)))
    });
    object([
        ("action", Some(json!(word))),
        ("file_path", Some(json!(path))),
        ("content", content),
        ("encoding", encoding),
        ("last_commit_id", last_commit_id.map(|sha| json!(sha))),
    ])
}

/// Text as it is; what is no UTF-8, or holds a NUL that JSON readers stumble over, as base64.
fn packed(bytes: &[u8]) -> (String, &'static str) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => (text.to_owned(), "text"),
        _ => (base64::engine::general_purpose::STANDARD.encode(bytes), "base64"),
    }
}
