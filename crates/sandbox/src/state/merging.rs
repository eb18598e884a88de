//! Merging, rebasing and approving merge requests.

use super::merge_requests::{MergeRequest, MergeState};
use super::notes::Thing;
use super::rights::DEVELOPER;
use super::{Kind, State};
use crate::git::{Commit, NewCommit};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use std::sync::Arc;

/// Options of a merge.
#[derive(Debug, Clone, Default)]
pub(crate) struct HowToMerge {
    pub(crate) sha: Option<String>,
    pub(crate) squash: Option<bool>,
    pub(crate) remove_source_branch: Option<bool>,
    pub(crate) message: Option<String>,
    pub(crate) squash_message: Option<String>,
}

impl State {
    /// Whether somebody may merge this merge request.
    pub(crate) fn may_merge(&self, actor: u64, project: u64, iid: u64) -> bool {
        let request = self.projects.get(&project).and_then(|p| p.merge_requests.get(&iid));
        request.is_some_and(|m| self.may_merge_into(actor, project, &m.target_branch))
    }

    /// Merges, with GitLab's codes: 401 no right, 405 not now, 409 other head, 422 conflict.
    pub(crate) fn merge(&mut self, actor: u64, project: u64, iid: u64, how: &HowToMerge) -> Result<()> {
        let request = self.find_merge_request(Some(actor), project, iid)?.clone();
        self.need_writable(project)?;
        if !self.may_merge(actor, project, iid) {
            return Err(Refusal::unauthorized());
        }
        // Whoever merges makes GitLab look anew.
        if let Some(request) = self.project_mut(project)?.merge_requests.get_mut(&iid) {
            request.checks_left = 0;
            request.prepared_at = request.prepared_at.or(Some(request.created_at));
        }
        let request = MergeRequest {
            checks_left: 0,
            prepared_at: Some(request.created_at),
            ..request
        };
        let known = self.mergeability(&request);
        if request.state != MergeState::Opened || matches!(known.detailed, "draft_status" | "commits_status") {
            return Err(Refusal::message(405, "405 Method Not Allowed"));
        }
        if let Some(sha) = how.sha.as_ref().filter(|sha| **sha != request.sha) {
            let text = format!("SHA does not match HEAD of source branch: {sha}");
            return Err(Refusal::message(409, text.replace(sha.as_str(), &request.sha)));
        }
        if known.detailed != "mergeable" {
            return Err(Refusal::message(422, "Branch cannot be merged"));
        }
        self.carry_out_merge(actor, &request, how)
    }

    fn carry_out_merge(&mut self, actor: u64, request: &MergeRequest, how: &HowToMerge) -> Result<()> {
        let project = request.project;
        let repo = &self.project(project)?.repo;
        let gone = || Refusal::message(422, "Branch cannot be merged");
        let target = repo.branch(&request.target_branch).ok_or_else(gone)?;
        let source = repo.branch(&request.source_branch).ok_or_else(gone)?;
        let tree = repo.merge_trees(&target, &source).map_err(|_| gone())?;
        let squash = how.squash.unwrap_or(request.squash).then(|| {
            let message = how.squash_message.clone().unwrap_or_else(|| request.title.clone());
            self.store_commit(actor, project, tree.clone(), vec![target.id.clone()], message)
        });
        let squash = squash.transpose()?;
        let fast_forward = self.project(project)?.merge_method == "ff";
        let merge = if fast_forward {
            None
        } else {
            let second = squash.as_ref().map_or(source.id.clone(), |c| c.id.clone());
            let message = how.message.clone().unwrap_or_else(|| self.merge_message(request));
            Some(self.store_commit(actor, project, tree, vec![target.id.clone(), second], message)?)
        };
        let head = merge
            .as_ref()
            .or(squash.as_ref())
            .map_or(source.id.clone(), |c| c.id.clone());
        let (merge, squash) = (merge.map(|c| c.id.clone()), squash.map(|c| c.id.clone()));
        self.mark_merged(actor, request, merge, squash);
        self.update_branch(actor, project, &request.target_branch, Some(&head))?;
        self.after_merge(actor, request, how.remove_source_branch);
        Ok(())
    }

    fn store_commit(
        &mut self,
        actor: u64,
        project: u64,
        tree: crate::git::Tree,
        parents: Vec<String>,
        message: String,
    ) -> Result<Arc<Commit>> {
        let author = self.signature(actor);
        let commit = NewCommit {
            tree,
            parents,
            message,
            committer: author.clone(),
            author,
        };
        Ok(self.project_mut(project)?.repo.store(commit))
    }

    fn merge_message(&self, request: &MergeRequest) -> String {
        format!(
            "Merge branch '{}' into '{}'\n\n{}\n\nSee merge request {}",
            request.source_branch,
            request.target_branch,
            request.title,
            self.thing_name(Thing::merge_request(request.project, request.iid))
        )
    }

    fn mark_merged(&mut self, actor: u64, request: &MergeRequest, merge: Option<String>, squash: Option<String>) {
        let now = self.now();
        if let Ok(request) = self.merge_request_mut(request.project, request.iid) {
            request.state = MergeState::Merged;
            request.merged_at = Some(now);
            request.merge_user = Some(actor);
            request.updated_at = now;
            request.merge_commit_sha = merge;
            request.squash_commit_sha = squash;
        }
        self.write_state_event(actor, Thing::merge_request(request.project, request.iid), "merged");
    }

    /// A merge request whose commits reached the target by a push counts as merged.
    pub(crate) fn finish_merge(
        &mut self,
        actor: u64,
        project: u64,
        iid: u64,
        merge: Option<String>,
        squash: Option<String>,
    ) {
        let Some(request) = self
            .projects
            .get(&project)
            .and_then(|p| p.merge_requests.get(&iid))
            .cloned()
        else {
            return;
        };
        self.mark_merged(actor, &request, merge, squash);
        self.after_merge(actor, &request, Some(false));
    }

    fn after_merge(&mut self, actor: u64, request: &MergeRequest, remove: Option<bool>) {
        let thing = Thing::merge_request(request.project, request.iid);
        happened::merge_request(self, actor, Some(request), thing, "merge", None);
        let Ok(project) = self.project(request.project) else {
            return;
        };
        let is_default = project.default_branch_or_main() == request.target_branch;
        if is_default && project.autoclose_referenced_issues {
            let because = self.thing_name(thing);
            for text in self.closing_texts(request) {
                self.close_named_issues(actor, request.project, &text, &because);
            }
        }
        let protected = !self.protections(request.project, &request.source_branch).is_empty();
        if remove.or(request.remove_source_branch).unwrap_or(false) && !protected {
            let _ = self.update_branch(actor, request.project, &request.source_branch, None);
        }
    }

    /// The texts in which closing words count: the description and the commits' messages.
    pub(crate) fn closing_texts(&self, request: &MergeRequest) -> Vec<String> {
        let mut texts: Vec<String> = request.description.iter().cloned().collect();
        if let Ok(project) = self.project(request.project) {
            texts.extend(
                project
                    .repo
                    .between(&request.diff_base, &request.sha)
                    .iter()
                    .map(|c| c.message.clone()),
            );
        }
        texts
    }

    /// Replays the source branch on the target; a conflict leaves `merge_error`.
    pub(crate) fn rebase(&mut self, actor: u64, project: u64, iid: u64) -> Result<()> {
        let request = self.find_merge_request(Some(actor), project, iid)?.clone();
        self.need_writable(project)?;
        if !self.may_push(actor, project, &request.source_branch) {
            return Err(Refusal::forbidden_because("Cannot push to source branch"));
        }
        let repo = &self.project(project)?.repo;
        let (Some(target), Some(_)) = (repo.branch(&request.target_branch), repo.branch(&request.source_branch)) else {
            return Err(Refusal::forbidden_because("Source branch does not exist"));
        };
        let mut commits = repo.between(&target.id, &request.sha);
        commits.retain(|c| c.parents.len() < 2);
        commits.reverse();
        let mut head = target;
        for commit in commits {
            let tree = self.project(project)?.repo.replay(&commit, &head);
            let Ok(tree) = tree else {
                let text = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch.";
                self.merge_request_mut(project, iid)?.merge_error = Some(text.to_owned());
                return Ok(());
            };
            let committer = self.signature(actor);
            let new = NewCommit {
                tree,
                parents: vec![head.id.clone()],
                message: commit.message.clone(),
                author: commit.author.clone(),
                committer,
            };
            head = self.project_mut(project)?.repo.store(new);
        }
        self.merge_request_mut(project, iid)?.merge_error = None;
        self.update_branch(actor, project, &request.source_branch, Some(&head.id))
    }

    /// Approves once.
    pub(crate) fn approve(&mut self, actor: u64, project: u64, iid: u64, sha: Option<&str>) -> Result<()> {
        let request = self.find_merge_request(Some(actor), project, iid)?.clone();
        self.need_writable(project)?;
        let already = request.approvals.iter().any(|(who, _)| *who == actor);
        if already || self.project_level(Some(actor), project) < DEVELOPER {
            return Err(Refusal::unauthorized());
        }
        if sha.is_some_and(|sha| sha != request.sha) {
            let text = format!("SHA does not match HEAD of source branch: {}", request.sha);
            return Err(Refusal::message(409, text));
        }
        let now = self.now();
        self.merge_request_mut(project, iid)?.approvals.push((actor, now));
        let thing = Thing::merge_request(project, iid);
        self.system_note(actor, thing, "approved this merge request".to_owned());
        happened::merge_request(self, actor, Some(&request), thing, "approved", None);
        Ok(())
    }

    pub(crate) fn unapprove(&mut self, actor: u64, project: u64, iid: u64) -> Result<()> {
        let request = self.find_merge_request(Some(actor), project, iid)?.clone();
        if !request.approvals.iter().any(|(who, _)| *who == actor) {
            return Err(Refusal::nothing_here());
        }
        self.merge_request_mut(project, iid)?
            .approvals
            .retain(|(who, _)| *who != actor);
        let thing = Thing::merge_request(project, iid);
        self.system_note(actor, thing, "unapproved this merge request".to_owned());
        happened::merge_request(self, actor, Some(&request), thing, "unapproved", None);
        Ok(())
    }

    /// Removes a merge request for good.
    pub(crate) fn delete_merge_request(&mut self, actor: u64, project: u64, iid: u64) -> Result<()> {
        self.find_merge_request(Some(actor), project, iid)?;
        self.need(actor, project, super::rights::OWNER)?;
        let _ = Kind::MergeRequest;
        self.project_mut(project)?.merge_requests.remove(&iid);
        Ok(())
    }
}
