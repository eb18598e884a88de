//! The branch of a change: whose it is, and whether it has to be made anew.

use super::Change;
use crate::digest::Digest;
use crate::ids::CommitSha;
use crate::plan::Step;
use crate::plan::seen::{BranchSeen, MergeRequestSeen, MergeRequestState};
use crate::plan::step::FileChange;
use crate::table::merges_cleanly;

/// Trailer of our commits: the digest of the page as the commit made it.
const PAGE_TRAILER: &str = "Convenor-Page";

/// What is to be done about the branch.
pub(super) enum Standing {
    Good,
    APersons,
    Missing,
    /// As long as this is its newest commit.
    Rebuild(CommitSha),
}

pub(super) fn standing(change: &Change<'_>, wanted: &[u8], open: Option<&MergeRequestSeen>) -> Standing {
    let Some(branch) = &change.place.branch else {
        return Standing::Missing;
    };
    let there = branch.page.as_ref().map(|file| file.bytes.as_slice());
    let target = change.page.file.as_ref().map(|file| file.bytes.as_slice());
    let on_target = branch.base_page.as_deref() == target;
    // GitLab's word comes late: about a branch that stands on the page as it is now, it is about an earlier one.
    let conflicts = open.is_some_and(|open| open.conflicts == Some(true)) && !on_target;
    let behind = open.is_some_and(|open| open.needs_rebase) && !change.place.is_on_target_head();
    if there == Some(wanted) && !conflicts && !behind {
        return Standing::Good;
    }
    if !is_ours(branch) && open.is_none() && is_spent(change, branch) {
        return Standing::Rebuild(branch.head.clone());
    }
    if !is_ours(branch) {
        return if there == Some(wanted) {
            Standing::Good
        } else {
            Standing::APersons
        };
    }
    match (there, branch.base_page.as_deref(), target) {
        (Some(there), Some(base), Some(target))
            if !conflicts
                && !behind
                && merges_cleanly(base, target, there, wanted)
                && lines_changed(base, there) == lines_changed(target, wanted) =>
        {
            Standing::Good
        }
        _ => Standing::Rebuild(branch.head.clone()),
    }
}

/// Whether all of the branch was merged, so that nothing of anybody is lost with it. Not every project removes merged branches.
fn is_spent(change: &Change<'_>, branch: &BranchSeen) -> bool {
    let mut merged = change
        .place
        .merge_requests
        .iter()
        .filter(|mr| mr.state == MergeRequestState::Merged);
    merged.any(|mr| mr.head.as_ref() == Some(&branch.head))
}

/// The lines that differ, as a merge request shows them: those that went and those that came, in their order.
fn lines_changed<'p>(before: &'p [u8], after: &'p [u8]) -> Vec<(bool, &'p [u8])> {
    let lines = |page: &'p [u8]| page.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    let mut changed = Vec::new();
    for operation in similar::capture_diff_slices(similar::Algorithm::Myers, &before, &after) {
        let (tag, old, new) = operation.as_tag_tuple();
        if tag != similar::DiffTag::Equal {
            changed.extend(before[old].iter().map(|line| (false, *line)));
            changed.extend(after[new].iter().map(|line| (true, *line)));
        }
    }
    changed
}

/// Whether the head of the branch is a commit of ours, untouched.
pub(super) fn is_ours(branch: &BranchSeen) -> bool {
    let Some(page) = &branch.page else { return false };
    let expected = Digest::of(&page.bytes);
    let mut trailers = branch
        .message
        .expose()
        .lines()
        .filter_map(|line| line.strip_prefix(PAGE_TRAILER));
    trailers.any(|rest| {
        rest.strip_prefix(':')
            .is_some_and(|value| value.trim() == expected.as_str())
    })
}

/// The commit that makes the branch say what is wanted, on top of the target as it was read.
pub(super) fn commit(change: &Change<'_>, page: &[u8], replaces: Option<CommitSha>) -> Step {
    let seen = change.page.file.as_ref();
    Step::Commit {
        project: change.page.project,
        branch: change.place.name.clone(),
        start: Some(change.page.branch.clone()),
        replaces,
        message: change
            .words
            .commit
            .clone()
            .trailer_digest(PAGE_TRAILER, &Digest::of(page)),
        files: vec![FileChange::Update {
            path: change.path.to_owned(),
            content: page.to_vec(),
            last_commit: seen.and_then(|file| file.last_commit.clone()),
        }],
    }
}
