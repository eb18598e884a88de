//! A small Git: commits, flat trees, branches, history, merges. It names its objects as Git does (SHA-1 of the real
//! encoding), so that an id computed elsewhere agrees. It knows no GitLab: rights, protections and hooks are above it.

mod diff;
mod merge;
mod objects;

pub(crate) use diff::{FileDiff, diff_trees};
pub(crate) use objects::{Blob, Commit, Entry, Listed, Signature, Tree};

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// The id that stands for "no commit" in push events.
pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

/// One repository: every commit it ever had, and the branches that point to some of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repo {
    commits: HashMap<String, Arc<Commit>>,
    branches: BTreeMap<String, String>,
}

/// What a new commit is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewCommit {
    pub(crate) tree: Tree,
    pub(crate) parents: Vec<String>,
    pub(crate) message: String,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
}

impl Repo {
    pub(crate) fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    /// Stores a commit; nothing points to it until a branch is set.
    pub(crate) fn store(&mut self, new: NewCommit) -> Arc<Commit> {
        let commit = Arc::new(Commit::new(new));
        self.commits.insert(commit.id.clone(), Arc::clone(&commit));
        commit
    }

    pub(crate) fn set_branch(&mut self, name: &str, commit: &str) {
        self.branches.insert(name.to_owned(), commit.to_owned());
    }

    pub(crate) fn remove_branch(&mut self, name: &str) -> Option<String> {
        self.branches.remove(name)
    }

    pub(crate) fn branches(&self) -> &BTreeMap<String, String> {
        &self.branches
    }

    pub(crate) fn branch(&self, name: &str) -> Option<Arc<Commit>> {
        self.branches.get(name).and_then(|id| self.commit(id))
    }

    pub(crate) fn commit(&self, id: &str) -> Option<Arc<Commit>> {
        self.commits.get(id).cloned()
    }

    /// A branch name, `refs/heads/…`, a full id, or an unambiguous beginning of one (at least 7 digits).
    pub(crate) fn resolve(&self, reference: &str) -> Option<Arc<Commit>> {
        let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        if let Some(commit) = self.branch(name).or_else(|| self.commit(name)) {
            return Some(commit);
        }
        if name.len() < 7 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut found = self.commits.values().filter(|c| c.id.starts_with(name));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(Arc::clone(one)),
            _ => None,
        }
    }

    /// The newest commit at or before `head` that touched `path`, as `git log -1 -- path` finds it.
    pub(crate) fn last_commit_for(&self, head: &Arc<Commit>, path: &str) -> Arc<Commit> {
        let mut at = Arc::clone(head);
        loop {
            let here = at.tree.get(path).map(|e| (&e.blob.id, e.executable));
            let same = at
                .parents
                .iter()
                .filter_map(|p| self.commit(p))
                .find(|p| p.tree.get(path).map(|e| (&e.blob.id, e.executable)) == here);
            match same {
                Some(parent) => at = parent,
                None => return at,
            }
        }
    }

    /// All commits reachable from `head`, newest first.
    pub(crate) fn log(&self, head: &str) -> Vec<Arc<Commit>> {
        self.log_without(head, &HashSet::new())
    }

    /// Commits reachable from `to` and not from `from`, newest first.
    pub(crate) fn between(&self, from: &str, to: &str) -> Vec<Arc<Commit>> {
        let known = self.ancestors(from);
        self.log_without(to, &known)
    }

    fn log_without(&self, head: &str, without: &HashSet<String>) -> Vec<Arc<Commit>> {
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([head.to_owned()]);
        let mut found = Vec::new();
        while let Some(id) = queue.pop_front() {
            if without.contains(&id) || !seen.insert(id.clone()) {
                continue;
            }
            if let Some(commit) = self.commit(&id) {
                queue.extend(commit.parents.iter().cloned());
                found.push(commit);
            }
        }
        // Breadth-first order is already child before parent for straight lines; times settle branches.
        found.sort_by_key(|commit| std::cmp::Reverse(commit.committer.when));
        found
    }

    /// `id` and everything behind it.
    pub(crate) fn ancestors(&self, id: &str) -> HashSet<String> {
        let mut seen = HashSet::new();
        let mut queue = vec![id.to_owned()];
        while let Some(id) = queue.pop() {
            if let Some(commit) = self.commits.get(&id)
                && seen.insert(id)
            {
                queue.extend(commit.parents.iter().cloned());
            }
        }
        seen
    }

    /// Whether `old` is an ancestor of `new` or the same commit.
    pub(crate) fn contains(&self, new: &str, old: &str) -> bool {
        self.ancestors(new).contains(old)
    }

    /// The best common ancestor of two commits.
    pub(crate) fn merge_base(&self, one: &str, other: &str) -> Option<Arc<Commit>> {
        let behind_one = self.ancestors(one);
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([other.to_owned()]);
        while let Some(id) = queue.pop_front() {
            if behind_one.contains(&id) {
                return self.commit(&id);
            }
            if let Some(commit) = self.commits.get(&id)
                && seen.insert(id)
            {
                queue.extend(commit.parents.iter().cloned());
            }
        }
        None
    }

    /// The tree that merging `theirs` into `ours` gives, or the paths in conflict.
    pub(crate) fn merge_trees(&self, ours: &Commit, theirs: &Commit) -> Result<Tree, Vec<String>> {
        let base = self
            .merge_base(&ours.id, &theirs.id)
            .map(|c| c.tree.clone())
            .unwrap_or_default();
        merge::three_way(&base, &ours.tree, &theirs.tree)
    }

    /// The tree that replaying one commit on top of `onto` gives, or the paths in conflict.
    pub(crate) fn replay(&self, commit: &Commit, onto: &Commit) -> Result<Tree, Vec<String>> {
        let base = commit
            .parents
            .first()
            .and_then(|p| self.commit(p))
            .map(|c| c.tree.clone())
            .unwrap_or_default();
        merge::three_way(&base, &onto.tree, &commit.tree)
    }
}
