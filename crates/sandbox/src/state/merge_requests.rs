//! Merge requests: opening, changing, and what is known about merging them.

use super::changes::Change;
use super::issues::{LabelEvent, StateEvent, check_description, check_title};
use super::markdown;
use super::notes::{Note, Thing};
use super::rights::{DEVELOPER, PLANNER};
use super::{Kind, State};
use crate::git::{FileDiff, diff_trees};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::Timestamp;
use serde_json::json;

/// Where a merge request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeState {
    Opened,
    Closed,
    Merged,
}

impl MergeState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// A merge request inside one project.
#[derive(Debug, Clone)]
pub(crate) struct MergeRequest {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    pub(crate) project: u64,
    pub(crate) source_branch: String,
    pub(crate) target_branch: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) state: MergeState,
    pub(crate) author: u64,
    pub(crate) assignees: Vec<u64>,
    pub(crate) reviewers: Vec<u64>,
    pub(crate) labels: Vec<u64>,
    /// The newest commit of the source branch that was seen.
    pub(crate) sha: String,
    /// The commit that the shown difference starts from.
    pub(crate) diff_base: String,
    /// Reads of the single merge request that will still find it being checked.
    pub(crate) checks_left: u32,
    pub(crate) prepared_at: Option<Timestamp>,
    pub(crate) squash: bool,
    pub(crate) remove_source_branch: Option<bool>,
    pub(crate) discussion_locked: Option<bool>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Option<u64>,
    pub(crate) last_edited_at: Option<Timestamp>,
    pub(crate) last_edited_by: Option<u64>,
    pub(crate) merged_at: Option<Timestamp>,
    pub(crate) merge_user: Option<u64>,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) closed_by: Option<u64>,
    pub(crate) merge_commit_sha: Option<String>,
    pub(crate) squash_commit_sha: Option<String>,
    pub(crate) merge_error: Option<String>,
    pub(crate) approvals: Vec<(u64, Timestamp)>,
    pub(crate) notes: Vec<Note>,
    pub(crate) label_events: Vec<LabelEvent>,
    pub(crate) state_events: Vec<StateEvent>,
}

impl MergeRequest {
    pub(crate) fn is_draft(&self) -> bool {
        let lower = self.title.to_lowercase();
        ["draft:", "[draft]", "(draft)"].iter().any(|p| lower.starts_with(p))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == MergeState::Closed
    }
}

/// What a new merge request is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewMergeRequest {
    pub(crate) source_branch: String,
    pub(crate) target_branch: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) assignees: Vec<u64>,
    pub(crate) reviewers: Vec<u64>,
    pub(crate) squash: Option<bool>,
    pub(crate) remove_source_branch: Option<bool>,
}

/// What is known about merging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mergeability {
    pub(crate) merge_status: &'static str,
    pub(crate) detailed: &'static str,
    pub(crate) has_conflicts: bool,
}

impl State {
    /// The merge request, if the user may see it.
    pub(crate) fn find_merge_request(&self, user: Option<u64>, project: u64, iid: u64) -> Result<&MergeRequest> {
        let found = self.project(project)?;
        let visible = self.sees_project(user, found) && self.sees_code(user, found);
        if !visible || !self.sees_feature(user, found, "merge_requests") {
            return Err(Refusal::nothing_here());
        }
        found.merge_requests.get(&iid).ok_or_else(Refusal::nothing_here)
    }

    pub(super) fn merge_request_mut(&mut self, project: u64, iid: u64) -> Result<&mut MergeRequest> {
        self.project_mut(project)?
            .merge_requests
            .get_mut(&iid)
            .ok_or_else(Refusal::nothing_here)
    }

    pub(crate) fn may_update_merge_request(&self, actor: u64, request: &MergeRequest) -> bool {
        actor == request.author
            || request.assignees.contains(&actor)
            || self.project_level(Some(actor), request.project) >= DEVELOPER
    }

    /// Opens a merge request; a second one for the same branches is refused with the first one's number.
    pub(crate) fn create_merge_request(&mut self, actor: u64, project: u64, new: NewMergeRequest) -> Result<u64> {
        self.need(actor, project, DEVELOPER)?;
        self.need_writable(project)?;
        check_title(&new.title)?;
        check_description(new.description.as_deref())?;
        if new.source_branch == new.target_branch {
            let text = "You can't use same project/branch for source and target";
            return Err(Refusal::message(422, json!([text])));
        }
        let found = self.project(project)?;
        let missing =
            |which: &str, name: &str| Refusal::message(400, json!({ which: [format!("\"{name}\" does not exist")] }));
        let source = found.repo.branch(&new.source_branch);
        let source = source.ok_or_else(|| missing("source_branch", &new.source_branch))?;
        let target = found.repo.branch(&new.target_branch);
        let target = target.ok_or_else(|| missing("target_branch", &new.target_branch))?;
        self.check_no_twin(project, &new.source_branch, &new.target_branch, None)?;
        let found = self.project(project)?;
        let base = found
            .repo
            .merge_base(&target.id, &source.id)
            .map_or_else(|| target.id.clone(), |c| c.id.clone());
        let remove = new
            .remove_source_branch
            .or(found.remove_source_branch_after_merge.then_some(true));
        let squash = new
            .squash
            .unwrap_or(matches!(found.squash_option.as_str(), "always" | "default_on"));
        let extracted = new.description.as_deref().map(markdown::extract_commands);
        let commands = extracted.as_ref().map(|e| e.commands.clone()).unwrap_or_default();
        let labels = self.labels_by_use(actor, project, &new.labels);
        let labels = self.changed_labels(&[], &labels, &[]);
        let assignees = self.allowed_people(project, &new.assignees);
        let reviewers = self.allowed_people(project, &new.reviewers);
        let (id, now) = (self.id(Kind::MergeRequest), self.now());
        let checks_left = self.config.merge_check_reads;
        let iid = self.project_mut(project)?.take_merge_request_iid();
        let request = MergeRequest {
            id,
            iid,
            project,
            source_branch: new.source_branch,
            target_branch: new.target_branch,
            title: new.title,
            description: extracted.map(|e| e.text).or(new.description),
            state: MergeState::Opened,
            author: actor,
            assignees,
            reviewers,
            labels: labels.clone(),
            sha: source.id.clone(),
            diff_base: base,
            checks_left,
            prepared_at: (checks_left == 0).then_some(now),
            squash,
            remove_source_branch: remove,
            discussion_locked: None,
            created_at: now,
            updated_at: now,
            updated_by: None,
            last_edited_at: None,
            last_edited_by: None,
            merged_at: None,
            merge_user: None,
            closed_at: None,
            closed_by: None,
            merge_commit_sha: None,
            squash_commit_sha: None,
            merge_error: None,
            approvals: Vec::new(),
            notes: Vec::new(),
            label_events: Vec::new(),
            state_events: Vec::new(),
        };
        self.project_mut(project)?.merge_requests.insert(iid, request);
        let thing = Thing::merge_request(project, iid);
        self.write_label_events(actor, thing, &[], &labels);
        self.run_at_creation(actor, thing, &commands);
        let text = self.merge_request_mut(project, iid)?.description.clone();
        self.follow_text(actor, thing, text.as_deref().unwrap_or_default(), None);
        self.touch_activity(project);
        happened::merge_request(self, actor, None, thing, "open", None);
        Ok(iid)
    }

    fn check_no_twin(&self, project: u64, source: &str, target: &str, but: Option<u64>) -> Result<()> {
        let twin = self.project(project)?.merge_requests.values().find(|m| {
            m.state == MergeState::Opened
                && m.source_branch == source
                && m.target_branch == target
                && Some(m.iid) != but
        });
        match twin {
            None => Ok(()),
            Some(twin) => {
                let text = format!(
                    "Another open merge request already exists for this source branch: !{}",
                    twin.iid
                );
                Err(Refusal::message(409, json!([text])))
            }
        }
    }

    /// Changes a merge request as `PUT` does.
    pub(crate) fn update_merge_request(&mut self, actor: u64, project: u64, iid: u64, change: Change) -> Result<()> {
        let old = self.find_merge_request(Some(actor), project, iid)?.clone();
        self.need_writable(project)?;
        if !self.may_update_merge_request(actor, &old) {
            return Err(Refusal::forbidden());
        }
        if let Some(title) = &change.title {
            check_title(title)?;
        }
        let thing = Thing::merge_request(project, iid);
        let (mut change, wishes) = self.take_commands(actor, thing, old.description.as_deref(), change)?;
        if self.project_level(Some(actor), project) < PLANNER {
            change = Change {
                labels: None,
                add_labels: Vec::new(),
                remove_labels: Vec::new(),
                ..change
            };
        }
        if change.state_event.as_deref() == Some("reopen") && old.is_closed() {
            self.check_reopen(&old)?;
        }
        if let Some(target) = &change.target_branch {
            self.check_new_target(&old, target)?;
        }
        self.apply_to_merge_request(actor, project, iid, &change)?;
        if let Some(Some(text)) = &change.description {
            self.follow_text(actor, thing, text, old.description.as_deref());
        }
        let now = self.find_merge_request(Some(actor), project, iid)?.state;
        let action = match (old.state, now) {
            (MergeState::Opened, MergeState::Closed) => "close",
            (MergeState::Closed, MergeState::Opened) => "reopen",
            _ => "update",
        };
        happened::merge_request(self, actor, Some(&old), thing, action, None);
        self.finish_wishes(actor, thing, &wishes);
        Ok(())
    }

    fn check_reopen(&self, request: &MergeRequest) -> Result<()> {
        self.check_no_twin(
            request.project,
            &request.source_branch,
            &request.target_branch,
            Some(request.iid),
        )?;
        if self
            .project(request.project)?
            .repo
            .branch(&request.source_branch)
            .is_none()
        {
            return Err(Refusal::message(422, json!(["Source branch does not exist"])));
        }
        Ok(())
    }

    fn check_new_target(&self, request: &MergeRequest, target: &str) -> Result<()> {
        if target == request.target_branch {
            return Ok(());
        }
        if self.project(request.project)?.repo.branch(target).is_none() {
            return Err(Refusal::message(
                400,
                json!({ "target_branch": [format!("\"{target}\" does not exist")] }),
            ));
        }
        self.check_no_twin(request.project, &request.source_branch, target, Some(request.iid))
    }

    /// Carries a change out and writes its trail; rights were checked before.
    pub(crate) fn apply_to_merge_request(&mut self, actor: u64, project: u64, iid: u64, change: &Change) -> Result<()> {
        let thing = Thing::merge_request(project, iid);
        let old = self.merge_request_mut(project, iid)?.clone();
        let now = self.now();
        let labels = self.labels_after(actor, project, &old.labels, change);
        let assignees = change.assignees.as_ref().map(|a| self.allowed_people(project, a));
        let reviewers = change.reviewers.as_ref().map(|a| self.allowed_people(project, a));
        let request = self.merge_request_mut(project, iid)?;
        if let Some(title) = &change.title {
            request.title.clone_from(title);
        }
        if let Some(description) = &change.description {
            request.description.clone_from(description);
        }
        request.assignees = assignees.unwrap_or_else(|| old.assignees.clone());
        request.reviewers = reviewers.unwrap_or_else(|| old.reviewers.clone());
        request.labels.clone_from(&labels);
        request.squash = change.squash.unwrap_or(request.squash);
        request.remove_source_branch = change.remove_source_branch.or(request.remove_source_branch);
        request.discussion_locked = change.discussion_locked.or(request.discussion_locked);
        if let Some(target) = &change.target_branch {
            request.target_branch.clone_from(target);
        }
        if request.title != old.title || request.description != old.description {
            request.last_edited_at = Some(now);
            request.last_edited_by = Some(actor);
        }
        request.updated_at = now;
        request.updated_by = Some(actor);
        let new = request.clone();
        self.write_label_events(actor, thing, &old.labels, &labels);
        self.write_text_notes(
            actor,
            thing,
            (&old.title, &new.title),
            old.description != new.description,
        );
        self.write_assignee_note(
            actor,
            thing,
            &old.assignees,
            &new.assignees,
            "assigned to",
            "unassigned",
        );
        let (asked, unasked) = ("requested review from", "removed review request for");
        self.write_assignee_note(actor, thing, &old.reviewers, &new.reviewers, asked, unasked);
        if old.target_branch != new.target_branch {
            let text = format!(
                "changed target branch from `{}` to `{}`",
                old.target_branch, new.target_branch
            );
            self.system_note(actor, thing, text);
            self.take_new_target(project, iid);
        }
        self.toggle_merge_request(actor, project, iid, change.state_event.as_deref())
    }

    fn take_new_target(&mut self, project: u64, iid: u64) {
        let checks = self.config.merge_check_reads;
        let Some(found) = self.projects.get_mut(&project) else {
            return;
        };
        let Some(request) = found.merge_requests.get_mut(&iid) else {
            return;
        };
        request.checks_left = checks;
        let target = found.repo.branch(&request.target_branch);
        if let Some(base) = target.and_then(|t| found.repo.merge_base(&t.id, &request.sha)) {
            request.diff_base = base.id.clone();
        }
    }

    fn toggle_merge_request(&mut self, actor: u64, project: u64, iid: u64, event: Option<&str>) -> Result<()> {
        let now = self.now();
        let checks = self.config.merge_check_reads;
        let request = self.merge_request_mut(project, iid)?;
        let event = match (event, request.state) {
            (Some("close"), MergeState::Opened) => {
                request.state = MergeState::Closed;
                request.closed_at = Some(now);
                request.closed_by = Some(actor);
                "closed"
            }
            (Some("reopen"), MergeState::Closed) => {
                request.state = MergeState::Opened;
                request.closed_at = None;
                request.closed_by = None;
                request.checks_left = checks;
                "reopened"
            }
            _ => return Ok(()),
        };
        self.write_state_event(actor, Thing::merge_request(project, iid), event);
        Ok(())
    }

    /// What is known about merging right now. Asking does not start the check; reading the single merge request does.
    pub(crate) fn mergeability(&self, request: &MergeRequest) -> Mergeability {
        let known = |detailed, has_conflicts| Mergeability {
            merge_status: if has_conflicts {
                "cannot_be_merged"
            } else {
                "can_be_merged"
            },
            detailed,
            has_conflicts,
        };
        if request.state != MergeState::Opened {
            return known("not_open", false);
        }
        if request.prepared_at.is_none() {
            return Mergeability {
                merge_status: "preparing",
                detailed: "preparing",
                has_conflicts: false,
            };
        }
        if request.checks_left > 0 {
            return Mergeability {
                merge_status: "checking",
                detailed: "checking",
                has_conflicts: false,
            };
        }
        let Ok(project) = self.project(request.project) else {
            return known("commits_status", false);
        };
        let heads = (
            project.repo.branch(&request.source_branch),
            project.repo.branch(&request.target_branch),
        );
        let (Some(source), Some(target)) = heads else {
            return known("commits_status", false);
        };
        if request.is_draft() {
            return known("draft_status", project.repo.merge_trees(&target, &source).is_err());
        }
        if project.repo.contains(&target.id, &source.id) {
            return known("commits_status", false);
        }
        if project.repo.merge_trees(&target, &source).is_err() {
            return known("conflict", true);
        }
        if project.merge_method != "merge" && !project.repo.contains(&source.id, &target.id) {
            return known("need_rebase", false);
        }
        known("mergeable", false)
    }

    /// Reading a single merge request moves its check one step on, as a worker would in the meantime.
    pub(crate) fn step_merge_check(&mut self, project: u64, iid: u64) {
        let now = self.today();
        if let Ok(request) = self.merge_request_mut(project, iid) {
            if request.prepared_at.is_none() {
                request.prepared_at = Some(now);
            }
            request.checks_left = request.checks_left.saturating_sub(1);
        }
    }

    /// What the merge request changes.
    pub(crate) fn merge_request_diff(&self, request: &MergeRequest) -> Vec<FileDiff> {
        let Ok(project) = self.project(request.project) else {
            return Vec::new();
        };
        match (
            project.repo.commit(&request.diff_base),
            project.repo.commit(&request.sha),
        ) {
            (Some(base), Some(head)) => diff_trees(&base.tree, &head.tree),
            _ => Vec::new(),
        }
    }
}
