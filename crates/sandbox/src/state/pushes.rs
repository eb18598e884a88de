//! What moving a branch sets off: the default branch and its protection, merge requests, closing words, push events.

use super::State;
use super::changes::Change;
use super::happenings::AutoClosed;
use super::markdown;
use super::merge_requests::MergeState;
use super::notes::Thing;
use crate::git::{Commit, ZERO};
use crate::hooks::happened;
use crate::http::Result;
use std::sync::Arc;

impl State {
    /// Moves, makes or (with `None`) removes a branch, and does all that GitLab does after a push.
    pub(crate) fn update_branch(&mut self, actor: u64, project: u64, branch: &str, to: Option<&str>) -> Result<()> {
        let found = self.project_mut(project)?;
        let before = found.repo.branch(branch).map(|c| c.id.clone());
        let is_first = found.repo.is_empty();
        let commits = match to {
            Some(to) => new_commits(found.default_branch.as_deref(), &found.repo, before.as_deref(), to),
            None => Vec::new(),
        };
        match to {
            Some(to) => found.repo.set_branch(branch, to),
            None => {
                found.repo.remove_branch(branch);
            }
        }
        if is_first && to.is_some() {
            found.default_branch = Some(branch.to_owned());
            self.protect_first_branch(project, branch);
        }
        if before.as_deref() == to {
            return Ok(());
        }
        self.touch_activity(project);
        let before = before.unwrap_or_else(|| ZERO.to_owned());
        happened::push(self, actor, project, branch, &before, to.unwrap_or(ZERO), &commits);
        self.refresh_merge_requests(actor, project, branch, &before, to);
        self.follow_commits(actor, project, branch, &commits);
        Ok(())
    }

    fn refresh_merge_requests(&mut self, actor: u64, project: u64, branch: &str, before: &str, to: Option<&str>) {
        let checks = self.config.merge_check_reads;
        let Ok(found) = self.project(project) else { return };
        let open: Vec<u64> = found
            .merge_requests
            .values()
            .filter(|m| m.state == MergeState::Opened)
            .map(|m| m.iid)
            .collect();
        for iid in open {
            let Some(request) = self
                .projects
                .get(&project)
                .and_then(|p| p.merge_requests.get(&iid))
                .cloned()
            else {
                continue;
            };
            if request.source_branch == branch
                && let Some(to) = to
            {
                self.take_new_head(actor, project, iid, to);
                let thing = Thing::merge_request(project, iid);
                happened::merge_request(self, actor, Some(&request), thing, "update", Some(before));
            } else if request.target_branch == branch && to.is_some() {
                if self.is_contained(project, &request.sha, branch) {
                    self.finish_merge(actor, project, iid, None, None);
                } else if let Some(request) = self
                    .projects
                    .get_mut(&project)
                    .and_then(|p| p.merge_requests.get_mut(&iid))
                {
                    request.checks_left = checks;
                }
            }
        }
    }

    /// Whether the head of a merge request is already in its target, though it brought commits of its own.
    fn is_contained(&self, project: u64, sha: &str, target: &str) -> bool {
        let Ok(project) = self.project(project) else {
            return false;
        };
        let Some(head) = project.repo.branch(target) else {
            return false;
        };
        let request = project.merge_requests.values().find(|m| m.sha == sha);
        request.is_some_and(|m| m.diff_base != m.sha) && project.repo.contains(&head.id, sha)
    }

    fn take_new_head(&mut self, actor: u64, project: u64, iid: u64, head: &str) {
        let (checks, now) = (self.config.merge_check_reads, self.now());
        let Some(found) = self.projects.get_mut(&project) else {
            return;
        };
        let Some(request) = found.merge_requests.get(&iid) else {
            return;
        };
        let added = found.repo.between(&request.sha, head);
        let target = found.repo.branch(&request.target_branch);
        let base = target
            .and_then(|t| found.repo.merge_base(&t.id, head))
            .map(|c| c.id.clone());
        if let Some(request) = found.merge_requests.get_mut(&iid) {
            request.sha = head.to_owned();
            request.diff_base = base.unwrap_or_else(|| request.diff_base.clone());
            request.checks_left = checks;
            request.updated_at = now;
        }
        let lines: String = added
            .iter()
            .map(|c| format!("<li>{} - {}</li>", c.short_id(), c.title()))
            .collect();
        let word = if added.len() == 1 { "commit" } else { "commits" };
        let text = format!("added {} {word}\n\n<ul>{lines}</ul>", added.len());
        self.system_note(actor, Thing::merge_request(project, iid), text);
    }

    /// Commit messages mention things everywhere, and close issues when they reach the default branch.
    fn follow_commits(&mut self, actor: u64, project: u64, branch: &str, commits: &[Arc<Commit>]) {
        let Ok(found) = self.project(project) else { return };
        let closes = found.default_branch_or_main() == branch && found.autoclose_referenced_issues;
        for commit in commits {
            for reference in markdown::references(&commit.message, &self.url) {
                self.cross_reference(actor, project, None, commit.short_id(), &reference);
            }
            // A merge commit's own words were already followed with the merge request.
            if closes && commit.parents.len() < 2 {
                let because = format!("commit {}", commit.short_id());
                self.close_named_issues(actor, project, &commit.message, &because);
            }
        }
    }

    /// Closes what closing words name, if the actor may.
    pub(crate) fn close_named_issues(&mut self, actor: u64, project: u64, text: &str, because: &str) {
        for reference in markdown::closing(text, &self.url) {
            let Some(thing @ Thing::Issue { project, iid }) = self.referenced(actor, project, &reference) else {
                continue;
            };
            let Ok(issue) = self.find_issue(Some(actor), project, iid).cloned() else {
                continue;
            };
            if issue.closed || !self.may_update_issue(actor, &issue) || self.need_writable(project).is_err() {
                continue;
            }
            let change = Change {
                state_event: Some("close".to_owned()),
                ..Change::default()
            };
            if self.apply_to_issue(actor, project, iid, &change).is_ok() {
                let (issue_name, by) = (self.thing_name(thing), self.username(actor));
                self.happenings.closed.push(AutoClosed {
                    issue: issue_name,
                    because: because.to_owned(),
                    by,
                });
                happened::issue(self, actor, Some(&issue), thing, "close");
            }
        }
    }
}

/// The commits a push brings, newest first: for a new branch those that the default branch lacks.
fn new_commits(default: Option<&str>, repo: &crate::git::Repo, before: Option<&str>, to: &str) -> Vec<Arc<Commit>> {
    let since = before
        .map(str::to_owned)
        .or_else(|| default.and_then(|b| repo.branch(b)).map(|c| c.id.clone()));
    match since {
        Some(since) => repo.between(&since, to),
        None => repo.log(to),
    }
}
