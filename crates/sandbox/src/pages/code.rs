//! Folders, files, commits and differences.

use super::layout::{card, project_page, rows, when};
use super::text::{escape, rendered};
use crate::git::{Commit, FileDiff, diff_trees};
use crate::http::Answer;
use crate::state::State;
use crate::state::projects::Project;
use std::sync::Arc;

/// Splits `feature/x/docs/a.md` where the longest branch name ends; a commit id works too.
fn at<'a>(project: &Project, rest: &'a str) -> Option<(Arc<Commit>, &'a str, &'a str)> {
    let ends = rest.match_indices('/').map(|(at, _)| at).chain([rest.len()]);
    ends.filter_map(|end| {
        let (name, path) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        project
            .repo
            .resolve(name)
            .map(|commit| (commit, name, path.trim_matches('/')))
    })
    .next_back()
}

/// The listing of a folder.
pub(super) fn files(project: &Project, reference: &str, folder: &str) -> String {
    let Some(commit) = project.repo.resolve(reference) else {
        return "<p class=\"soft\">The repository is empty.</p>".to_owned();
    };
    let items: Vec<String> = commit
        .tree
        .list(folder)
        .iter()
        .map(|l| {
            let (kind, sign) = if l.is_tree() {
                ("tree", "📁")
            } else {
                ("blob", "📄")
            };
            format!(
                "{sign} <a href=\"/{}/-/{kind}/{}/{}\">{}</a>",
                escape(&project.full_path),
                escape(reference),
                escape(&l.path),
                escape(&l.name)
            )
        })
        .collect();
    rows(&items, "The folder is empty.")
}

/// A folder.
pub(super) fn tree(state: &State, project: &Project, rest: &str) -> Option<Answer> {
    if project.repo.is_empty() {
        return Some(project_page(state, project, "Files", &files(project, "main", "")));
    }
    let (_, reference, folder) = at(project, rest)?;
    let head = format!("<p><code>{}</code> {}</p>", escape(reference), escape(folder));
    Some(project_page(
        state,
        project,
        "Files",
        &format!("{head}{}", files(project, reference, folder)),
    ))
}

/// A file: Markdown rendered, other text as it is.
pub(super) fn blob(state: &State, project: &Project, rest: &str) -> Option<Answer> {
    let (commit, reference, path) = at(project, rest)?;
    let entry = commit.tree.get(path)?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let shown = match entry.blob.text() {
        None => format!(
            "<p class=\"soft\">{} bytes that are not text.</p>",
            entry.blob.bytes.len()
        ),
        Some(text) if path.to_lowercase().ends_with(".md") => rendered(text, project, folder),
        Some(text) => format!("<pre><code>{}</code></pre>", escape(text)),
    };
    let head = format!(
        "{} <span class=\"soft\">on {}</span> · <a href=\"/{}/-/raw/{}/{}\">raw</a>",
        escape(path),
        escape(reference),
        escape(&project.full_path),
        escape(reference),
        escape(path)
    );
    Some(project_page(state, project, path, &card(&head, &shown)))
}

/// A file's bytes, always as plain text so that no browser runs them.
pub(super) fn raw(project: &Project, rest: &str) -> Option<Answer> {
    let (commit, _, path) = at(project, rest)?;
    let entry = commit.tree.get(path)?;
    let answer = Answer::bytes("text/plain; charset=utf-8", entry.blob.bytes.clone());
    Some(
        answer
            .header("x-content-type-options", "nosniff")
            .header("content-security-policy", "sandbox; default-src 'none'"),
    )
}

/// The commits of a branch.
pub(super) fn commits(state: &State, project: &Project, rest: &str) -> Option<Answer> {
    if project.repo.is_empty() {
        return Some(project_page(
            state,
            project,
            "Commits",
            &rows(&[], "There is no commit yet."),
        ));
    }
    let (head, _, _) = at(project, rest)?;
    let items: Vec<String> = project
        .repo
        .log(&head.id)
        .iter()
        .take(200)
        .map(|c| commit_row(project, c))
        .collect();
    Some(project_page(
        state,
        project,
        "Commits",
        &rows(&items, "There is no commit yet."),
    ))
}

fn commit_row(project: &Project, commit: &Commit) -> String {
    format!(
        "<a href=\"/{}/-/commit/{}\"><b>{}</b></a><br><span class=\"soft\"><code>{}</code> {} · {}</span>",
        escape(&project.full_path),
        commit.id,
        escape(&commit.title()),
        commit.short_id(),
        escape(&commit.author.name),
        when(commit.committer.when)
    )
}

/// One commit with its difference to the first commit before it.
pub(super) fn commit(state: &State, project: &Project, rest: &str) -> Option<Answer> {
    let commit = project.repo.resolve(rest)?;
    let parent = commit.parents.first().and_then(|p| project.repo.commit(p));
    let diffs = diff_trees(&parent.map(|p| p.tree.clone()).unwrap_or_default(), &commit.tree);
    let shown: String = diffs.iter().map(diff_card).collect();
    let head = format!(
        "<p>{}</p><pre>{}</pre>",
        commit_row(project, &commit),
        escape(&commit.message)
    );
    Some(project_page(state, project, &commit.title(), &format!("{head}{shown}")))
}

/// One file's difference, line by line.
pub(super) fn diff_card(diff: &FileDiff) -> String {
    let lines: String = diff
        .text
        .lines()
        .map(|line| {
            let class = match line.chars().next() {
                Some('+') => "add",
                Some('-') => "del",
                Some('@' | '\\') => "hunk",
                _ => "same",
            };
            format!("<tr class=\"{class}\"><td>{}</td></tr>", escape(line))
        })
        .collect();
    let what = match (diff.is_new(), diff.is_deleted(), diff.is_renamed()) {
        (true, _, _) => format!("{} <span class=\"soft\">new file</span>", escape(&diff.new_path)),
        (_, true, _) => format!("{} <span class=\"soft\">deleted</span>", escape(&diff.old_path)),
        (_, _, true) => format!("{} → {}", escape(&diff.old_path), escape(&diff.new_path)),
        _ => escape(&diff.new_path),
    };
    let head = format!(
        "<b>{what}</b> <span class=\"soft\">+{} −{}</span>",
        diff.additions, diff.deletions
    );
    format!("<div class=\"card\"><div class=\"head\">{head}</div><table class=\"diff\">{lines}</table></div>\n")
}
