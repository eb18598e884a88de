//! Repositories, the files that were asked for, and commits.

use super::super::give::{Gives, Look, Node, field};
use super::{Kind, argument};
use crate::git::Entry;
use crate::state::projects::Project;
use async_graphql::dynamic::{InputValue, Object, TypeRef};

pub(super) fn objects() -> Vec<Object> {
    vec![repository(), blob(), commit()]
}

fn this_repository<'a>(look: &Look<'a>) -> Option<&'a Project> {
    match look.node {
        Node::Repository(id) => look.state.projects.get(id),
        _ => None,
    }
}

fn repository() -> Object {
    let paths = InputValue::new("paths", TypeRef::named_nn_list_nn(TypeRef::STRING));
    Kind::new("Repository", this_repository)
        .flag("exists", |_| true)
        .flag("empty", |p| p.repo.is_empty())
        .maybe("rootRef", |p| p.default_branch.clone())
        .list("blobs", "RepositoryBlob", blobs, vec![paths, argument("ref", "String")])
        .finish()
}

fn blobs(look: &Look<'_>, project: &Project) -> Vec<Node> {
    let reference = look
        .text("ref")
        .unwrap_or_else(|| project.default_branch_or_main().to_owned());
    let Some(commit) = project.repo.resolve(&reference) else {
        return Vec::new();
    };
    let paths = look.texts("paths").unwrap_or_default();
    let found = paths.into_iter().filter(|path| commit.tree.get(path).is_some());
    found
        .map(|path| Node::Blob {
            project: project.id,
            commit: commit.id.clone(),
            path,
        })
        .collect()
}

/// Something about the file at hand, from its entry and its path.
fn file(look: &Look<'_>, show: fn(&Entry, &str) -> Option<String>) -> Option<String> {
    let Node::Blob { project, commit, path } = look.node else {
        return None;
    };
    let commit = look.state.projects.get(project)?.repo.commit(commit)?;
    show(commit.tree.get(path)?, path)
}

fn text(entry: &Entry, _path: &str) -> Option<String> {
    entry.blob.text().map(str::to_owned)
}

fn blob() -> Object {
    let must = |kind: &str| TypeRef::named_nn(kind);
    let may = |kind: &str| TypeRef::named(kind);
    Object::new("RepositoryBlob")
        .field(field("id", must(TypeRef::ID), |look| {
            Gives::maybe(file(look, |e, _| Some(format!("gid://gitlab/Blob/{}", e.blob.id))))
        }))
        .field(field("oid", must(TypeRef::STRING), |look| {
            Gives::maybe(file(look, |e, _| Some(e.blob.id.clone())))
        }))
        .field(field("path", must(TypeRef::STRING), |look| {
            Gives::maybe(file(look, |_, p| Some(p.to_owned())))
        }))
        .field(field("name", may(TypeRef::STRING), |look| {
            Gives::maybe(file(look, |_, p| p.rsplit('/').next().map(str::to_owned)))
        }))
        .field(field("mode", may(TypeRef::STRING), |look| {
            Gives::maybe(file(look, |e, _| Some(e.mode().to_owned())))
        }))
        // Null for bytes that are not text.
        .field(field("rawBlob", may(TypeRef::STRING), |look| {
            Gives::maybe(file(look, text))
        }))
        .field(field("rawTextBlob", may(TypeRef::STRING), |look| {
            Gives::maybe(file(look, text))
        }))
        // GitLab's type for sizes is a number in a text.
        .field(field("size", may("BigInt"), |look| Gives::maybe(file(look, size))))
        .field(field("rawSize", may("BigInt"), |look| Gives::maybe(file(look, size))))
}

fn size(entry: &Entry, _path: &str) -> Option<String> {
    Some(entry.blob.bytes.len().to_string())
}

fn commit() -> Object {
    Object::new("Commit")
        .field(field("id", TypeRef::named_nn(TypeRef::ID), |look| match look.node {
            Node::Commit(_, sha) => Gives::text(format!("gid://gitlab/Commit/{sha}")),
            _ => Gives::Null,
        }))
        .field(field("sha", TypeRef::named_nn(TypeRef::STRING), |look| {
            match look.node {
                Node::Commit(_, sha) => Gives::text(sha),
                _ => Gives::Null,
            }
        }))
        .field(field("title", TypeRef::named(TypeRef::STRING), |look| {
            match look.node {
                Node::Commit(project, sha) => {
                    let commit = look.state.projects.get(project).and_then(|p| p.repo.commit(sha));
                    Gives::maybe(commit.map(|c| c.title()))
                }
                _ => Gives::Null,
            }
        }))
}
