//! Three-way merge of whole trees, file by file, line by line: a conflict where Git would see one.

use super::{Blob, Entry, Tree};
use std::collections::BTreeSet;

/// Merges two trees that grew from `base`; `Err` lists the paths in conflict.
pub(super) fn three_way(base: &Tree, ours: &Tree, theirs: &Tree) -> Result<Tree, Vec<String>> {
    let mut merged = ours.clone();
    let mut conflicts = Vec::new();
    let paths: BTreeSet<&String> = base.iter().chain(theirs.iter()).map(|(path, _)| path).collect();
    for path in paths {
        match merge_entry(base.get(path), ours.get(path), theirs.get(path)) {
            Ok(Some(entry)) => merged.put(path, entry),
            Ok(None) => {
                merged.remove(path);
            }
            Err(Conflict) => conflicts.push(path.clone()),
        }
    }
    if conflicts.is_empty() {
        Ok(merged)
    } else {
        Err(conflicts)
    }
}

struct Conflict;

fn merge_entry(base: Option<&Entry>, ours: Option<&Entry>, theirs: Option<&Entry>) -> Result<Option<Entry>, Conflict> {
    if ours == theirs || theirs == base {
        return Ok(ours.cloned());
    }
    if ours == base {
        return Ok(theirs.cloned());
    }
    // Both sides changed it: a deletion against a change is a conflict, two changes are merged by lines.
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return Err(Conflict);
    };
    let base_text = base.map_or(Some(""), |e| e.blob.text());
    let (Some(base), Some(our_text), Some(their_text)) = (base_text, ours.blob.text(), theirs.blob.text()) else {
        return Err(Conflict);
    };
    let text = diffy::merge(base, our_text, their_text).map_err(|_| Conflict)?;
    if changed_lines_touch(base, our_text, their_text) {
        return Err(Conflict);
    }
    Ok(Some(Entry {
        blob: Blob::new(text.into_bytes()),
        executable: ours.executable || theirs.executable,
    }))
}

/// Git calls it a conflict when the two sides changed neighbouring lines, even though the changes do not overlap.
fn changed_lines_touch(base: &str, ours: &str, theirs: &str) -> bool {
    let ours = changed_ranges(base, ours);
    let theirs = changed_ranges(base, theirs);
    ours.iter().any(|a| {
        theirs
            .iter()
            .any(|b| a != b && a.old.0 <= b.old.1 && b.old.0 <= a.old.1)
    })
}

#[derive(PartialEq, Eq)]
struct Changed {
    old: (usize, usize),
    new: Vec<String>,
}

fn changed_ranges(base: &str, other: &str) -> Vec<Changed> {
    let diff = similar::TextDiff::from_lines(base, other);
    let lines: Vec<&str> = other.split_inclusive('\n').collect();
    diff.ops()
        .iter()
        .filter(|op| op.tag() != similar::DiffTag::Equal)
        .map(|op| Changed {
            old: (op.old_range().start, op.old_range().end),
            new: lines[op.new_range()].iter().map(|l| (*l).to_owned()).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        tree.put(
            "f",
            Entry {
                blob: Blob::new(text.as_bytes().to_vec()),
                executable: false,
            },
        );
        tree
    }

    fn check(base: &str, ours: &str, theirs: &str, expected: Option<&str>) {
        let got = three_way(&tree(base), &tree(ours), &tree(theirs));
        let got = got.ok().map(|t| t.get("f").unwrap().blob.text().unwrap().to_owned());
        assert_eq!(got.as_deref(), expected);
    }

    #[test]
    fn distant_changes_merge() {
        check(
            "a\nb\nc\nd\ne\n",
            "A\nb\nc\nd\ne\n",
            "a\nb\nc\nd\nE\n",
            Some("A\nb\nc\nd\nE\n"),
        );
    }

    #[test]
    fn the_same_line_changed_twice_conflicts() {
        check("a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n", None);
    }

    #[test]
    fn neighbouring_changes_conflict_as_in_git() {
        check("a\nb\nc\nd\n", "a\nX\nc\nd\n", "a\nb\nY\nd\n", None);
        check("a\nb\nc\n", "a\nb\nnew\nc\n", "a\nb\nother\nc\n", None);
    }

    #[test]
    fn the_same_change_on_both_sides_is_one_change() {
        check("a\nb\nc\n", "a\nX\nc\n", "a\nX\nc\n", Some("a\nX\nc\n"));
    }
}
