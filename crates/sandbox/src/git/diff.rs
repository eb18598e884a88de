//! Differences between two trees as GitLab's API shows them.

use super::{Entry, Tree};
use std::collections::BTreeSet;

/// One changed file with its unified diff (three lines of context, no file header).
#[derive(Debug, Clone)]
pub(crate) struct FileDiff {
    pub(crate) old_path: String,
    pub(crate) new_path: String,
    pub(crate) old: Option<Entry>,
    pub(crate) new: Option<Entry>,
    pub(crate) text: String,
    pub(crate) additions: usize,
    pub(crate) deletions: usize,
}

impl FileDiff {
    pub(crate) fn is_new(&self) -> bool {
        self.old.is_none()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.new.is_none()
    }

    pub(crate) fn is_renamed(&self) -> bool {
        self.old_path != self.new_path
    }
}

/// Everything that differs between two trees; a deleted file whose bytes turn up under a new path is a rename.
pub(crate) fn diff_trees(old: &Tree, new: &Tree) -> Vec<FileDiff> {
    let paths: BTreeSet<&String> = old.iter().chain(new.iter()).map(|(path, _)| path).collect();
    let changed: Vec<&String> = paths.into_iter().filter(|p| old.get(p) != new.get(p)).collect();
    let mut gone: Vec<&String> = changed.iter().filter(|p| new.get(p).is_none()).copied().collect();
    let mut diffs = Vec::new();
    for path in &changed {
        let Some(entry) = new.get(path) else { continue };
        let before = old.get(path);
        let moved_from = before.is_none().then(|| {
            gone.iter()
                .position(|g| old.get(g).is_some_and(|e| e.blob.id == entry.blob.id))
        });
        match moved_from.flatten() {
            Some(at) => {
                let from = gone.remove(at);
                diffs.push(file_diff(from, path, old.get(from), Some(entry)));
            }
            None => diffs.push(file_diff(path, path, before, Some(entry))),
        }
    }
    diffs.extend(gone.into_iter().map(|path| file_diff(path, path, old.get(path), None)));
    diffs.sort_by(|a, b| a.new_path.cmp(&b.new_path));
    diffs
}

fn file_diff(old_path: &str, new_path: &str, old: Option<&Entry>, new: Option<&Entry>) -> FileDiff {
    let before = old.map_or(Some(""), |e| e.blob.text());
    let after = new.map_or(Some(""), |e| e.blob.text());
    let (text, additions, deletions) = match (before, after) {
        (Some(before), Some(after)) if before != after => unified(before, after),
        (Some(_), Some(_)) => (String::new(), 0, 0),
        _ => (format!("Binary files a/{old_path} and b/{new_path} differ\n"), 0, 0),
    };
    FileDiff {
        old_path: old_path.to_owned(),
        new_path: new_path.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
        text,
        additions,
        deletions,
    }
}

fn unified(before: &str, after: &str) -> (String, usize, usize) {
    let diff = similar::TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|c| c.tag() == tag).count();
    let text = diff
        .unified_diff()
        .context_radius(3)
        .missing_newline_hint(true)
        .to_string();
    (
        text,
        count(similar::ChangeTag::Insert),
        count(similar::ChangeTag::Delete),
    )
}
