//! Whether a branch's page can be merged into a target that has moved on.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Whether git would merge the branch's page into the target's without conflict, and the result were the wanted page.
///
/// `base` is the page of the commit that both come from. When this is false, the branch has to be built anew on the
/// target. Git takes changes of neighbouring lines for a conflict (`xdl_merge` joins hunks that touch), and so do we:
/// two new rows at the same place of a table conflict, two at different places do not.
#[must_use]
pub fn merges_cleanly(base: &[u8], target: &[u8], branch: &[u8], wanted: &[u8]) -> bool {
    merged(base, target, branch).is_some_and(|merged| merged == wanted)
}

/// Lines of the base that one side replaced, and what stands there now.
struct Hunk<'l> {
    old: Range<usize>,
    new: &'l [&'l [u8]],
}

/// The merged page; `None` when there is a conflict.
fn merged(base: &[u8], target: &[u8], branch: &[u8]) -> Option<Vec<u8>> {
    let [base, target, branch] = [base, target, branch].map(lines);
    let (theirs, ours) = (hunks(&base, &target), hunks(&base, &branch));
    let same = |a: &Hunk<'_>, b: &Hunk<'_>| a.old == b.old && a.new == b.new;
    let mut all: Vec<Hunk<'_>> = theirs;
    for hunk in ours {
        if all.iter().any(|other| same(other, &hunk)) {
            continue;
        }
        if all
            .iter()
            .any(|other| other.old.start <= hunk.old.end && hunk.old.start <= other.old.end)
        {
            return None;
        }
        all.push(hunk);
    }
    all.sort_by_key(|hunk| hunk.old.start);
    Some(applied(&base, &all))
}

fn applied(base: &[&[u8]], hunks: &[Hunk<'_>]) -> Vec<u8> {
    let mut page = Vec::new();
    let mut at = 0;
    for hunk in hunks {
        page.extend(base[at..hunk.old.start].concat());
        page.extend(hunk.new.concat());
        at = hunk.old.end;
    }
    page.extend(base[at..].concat());
    page
}

fn lines(page: &[u8]) -> Vec<&[u8]> {
    page.split_inclusive(|&byte| byte == b'\n').collect()
}

fn hunks<'l>(base: &[&[u8]], side: &'l [&'l [u8]]) -> Vec<Hunk<'l>> {
    let operations = capture_diff_slices(Algorithm::Myers, base, side);
    let changed = operations.iter().filter(|operation| operation.tag() != DiffTag::Equal);
    changed
        .map(|operation| Hunk {
            old: operation.old_range(),
            new: &side[operation.new_range()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "h\n-\na\nb\nc\nd\n";

    #[track_caller]
    fn check(target: &str, branch: &str, expected: Option<&str>) {
        let merged = merged(BASE.as_bytes(), target.as_bytes(), branch.as_bytes());
        assert_eq!(merged.as_deref(), expected.map(str::as_bytes));
        let wanted = expected.unwrap_or(branch);
        let clean = merges_cleanly(BASE.as_bytes(), target.as_bytes(), branch.as_bytes(), wanted.as_bytes());
        assert_eq!(clean, expected.is_some());
    }

    #[test]
    fn rows_added_at_different_places_merge() {
        check(
            "h\n-\na\na1\nb\nc\nd\n",
            "h\n-\na\nb\nc\nc1\nd\n",
            Some("h\n-\na\na1\nb\nc\nc1\nd\n"),
        );
    }

    #[test]
    fn rows_added_at_the_same_place_conflict() {
        check("h\n-\na\na1\nb\nc\nd\n", "h\n-\na\na2\nb\nc\nd\n", None);
        check("h\n-\na\nb\nc\nd\ne1\n", "h\n-\na\nb\nc\nd\ne2\n", None);
    }

    #[test]
    fn changes_of_neighbouring_rows_conflict_as_in_git() {
        check("h\n-\nA\nb\nc\nd\n", "h\n-\na\nB\nc\nd\n", None);
        check("h\n-\nA\nb\nc\nd\n", "h\n-\na\nb\nC\nd\n", Some("h\n-\nA\nb\nC\nd\n"));
    }

    #[test]
    fn the_same_change_on_both_sides_is_no_conflict() {
        check(
            "h\n-\na\nX\nb\nc\nd\n",
            "h\n-\na\nX\nb\nc\nd\n",
            Some("h\n-\na\nX\nb\nc\nd\n"),
        );
    }

    #[test]
    fn a_clean_merge_that_gives_something_else_is_not_enough() {
        let (target, branch) = ("h\n-\na\na1\nb\nc\nd\n", "h\n-\na\nb\nc\nc1\nd\n");
        assert!(!merges_cleanly(
            BASE.as_bytes(),
            target.as_bytes(),
            branch.as_bytes(),
            branch.as_bytes()
        ));
    }
}
