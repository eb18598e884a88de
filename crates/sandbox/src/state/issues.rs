//! Issues: opening, changing, closing, and the trail that each change leaves.

use super::changes::Change;
use super::markdown::{self, Command};
use super::notes::{Note, Thing};
use super::quick_actions::Wishes;
use super::rights::{GUEST, PLANNER};
use super::{Kind, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::{Timestamp, civil::Date};

const LONGEST_DESCRIPTION: usize = 1_048_576;
const LONGEST_TITLE: usize = 255;

/// An issue.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    pub(crate) project: u64,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) closed: bool,
    pub(crate) labels: Vec<u64>,
    pub(crate) author: u64,
    pub(crate) assignees: Vec<u64>,
    pub(crate) confidential: bool,
    pub(crate) discussion_locked: Option<bool>,
    /// `issue`, `incident`, `task`…
    pub(crate) issue_type: String,
    pub(crate) due_date: Option<Date>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Option<u64>,
    pub(crate) last_edited_at: Option<Timestamp>,
    pub(crate) last_edited_by: Option<u64>,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) closed_by: Option<u64>,
    pub(crate) moved_to: Option<u64>,
    pub(crate) notes: Vec<Note>,
    pub(crate) label_events: Vec<LabelEvent>,
    pub(crate) state_events: Vec<StateEvent>,
    pub(crate) subscribers: Vec<u64>,
}

/// A label that was put on or taken off.
#[derive(Debug, Clone)]
pub(crate) struct LabelEvent {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) at: Timestamp,
    pub(crate) label: u64,
    pub(crate) added: bool,
}

/// Closed, reopened or merged.
#[derive(Debug, Clone)]
pub(crate) struct StateEvent {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) at: Timestamp,
    pub(crate) state: &'static str,
}

/// What a new issue is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewIssue {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) assignees: Vec<u64>,
    pub(crate) confidential: bool,
    pub(crate) issue_type: Option<String>,
    pub(crate) due_date: Option<Date>,
    pub(crate) iid: Option<u64>,
    pub(crate) created_at: Option<Timestamp>,
}

impl State {
    /// The issue, if the user may see it.
    pub(crate) fn find_issue(&self, user: Option<u64>, project: u64, iid: u64) -> Result<&Issue> {
        let found = self.project(project)?;
        if !self.sees_project(user, found) || !self.sees_feature(user, found, "issues") {
            return Err(Refusal::nothing_here());
        }
        let issue = found.issues.get(&iid).ok_or_else(Refusal::nothing_here)?;
        if self.sees_issue(user, issue) {
            Ok(issue)
        } else {
            Err(Refusal::nothing_here())
        }
    }

    /// Confidential issues are for their author, their assignees, and Planners and up.
    pub(crate) fn sees_issue(&self, user: Option<u64>, issue: &Issue) -> bool {
        !issue.confidential
            || user.is_some_and(|u| u == issue.author || issue.assignees.contains(&u))
            || self.project_level(user, issue.project) >= PLANNER
    }

    fn issue_mut(&mut self, project: u64, iid: u64) -> Result<&mut Issue> {
        self.project_mut(project)?
            .issues
            .get_mut(&iid)
            .ok_or_else(Refusal::nothing_here)
    }

    /// Opens an issue; quick actions in its description run.
    pub(crate) fn create_issue(&mut self, actor: u64, project: u64, new: NewIssue) -> Result<u64> {
        let found = self.project(project)?;
        if !self.sees_feature(Some(actor), found, "issues") {
            return Err(Refusal::forbidden());
        }
        self.need_writable(project)?;
        check_title(&new.title)?;
        check_description(new.description.as_deref())?;
        let extracted = new.description.as_deref().map(markdown::extract_commands);
        let commands = extracted.as_ref().map(|e| e.commands.clone()).unwrap_or_default();
        // Members may set labels and assignees on an issue they open, also Guests; strangers may not.
        let is_member = self.project_level(Some(actor), project) >= GUEST;
        let labels = if is_member {
            self.labels_by_use(actor, project, &new.labels)
        } else {
            Vec::new()
        };
        let labels = self.changed_labels(&[], &labels, &[]);
        let assignees = if is_member {
            self.allowed_people(project, &new.assignees)
        } else {
            Vec::new()
        };
        let now = self.now();
        let id = self.id(Kind::Issue);
        let by_owner = new.iid.is_some() && self.project_level(Some(actor), project) >= super::rights::OWNER;
        let iid = self
            .project_mut(project)?
            .take_issue_iid(new.iid.filter(|_| by_owner))?;
        let created_at = new.created_at.unwrap_or(now);
        let issue = Issue {
            id,
            iid,
            project,
            title: new.title,
            description: extracted.map(|e| e.text).or(new.description),
            closed: false,
            labels: labels.clone(),
            author: actor,
            assignees,
            confidential: new.confidential,
            discussion_locked: None,
            issue_type: new.issue_type.unwrap_or_else(|| "issue".to_owned()),
            due_date: new.due_date,
            created_at,
            updated_at: created_at,
            updated_by: None,
            last_edited_at: None,
            last_edited_by: None,
            closed_at: None,
            closed_by: None,
            moved_to: None,
            notes: Vec::new(),
            label_events: Vec::new(),
            state_events: Vec::new(),
            subscribers: vec![actor],
        };
        self.project_mut(project)?.issues.insert(iid, issue);
        let thing = Thing::issue(project, iid);
        self.write_label_events(actor, thing, &[], &labels);
        self.run_at_creation(actor, thing, &commands);
        let text = self
            .find_issue(Some(actor), project, iid)
            .ok()
            .and_then(|i| i.description.clone());
        self.follow_text(actor, thing, text.as_deref().unwrap_or_default(), None);
        self.touch_activity(project);
        happened::issue(self, actor, None, thing, "open");
        Ok(iid)
    }

    /// Runs a description's commands on a thing that was just made, as part of its creation.
    pub(crate) fn run_at_creation(&mut self, actor: u64, thing: Thing, commands: &[Command]) {
        if commands.is_empty() {
            return;
        }
        let wishes = self.read_commands(actor, thing, commands, true);
        match thing {
            Thing::Issue { project, iid } => {
                let _ = self.apply_to_issue(actor, project, iid, &wishes.change);
            }
            Thing::MergeRequest { project, iid } => {
                let _ = self.apply_to_merge_request(actor, project, iid, &wishes.change);
            }
        }
    }

    /// Changes an issue as its own text demands, or as `PUT` does.
    pub(crate) fn update_issue(&mut self, actor: u64, project: u64, iid: u64, change: Change) -> Result<()> {
        let issue = self
            .find_issue(Some(actor), project, iid)
            .map_err(|_| Refusal::not_found("Issue"))?
            .clone();
        self.need_writable(project)?;
        if !self.may_update_issue(actor, &issue) {
            return Err(Refusal::forbidden());
        }
        if let Some(title) = &change.title {
            check_title(title)?;
        }
        let (change, wishes) =
            self.take_commands(actor, Thing::issue(project, iid), issue.description.as_deref(), change)?;
        let allowed = self.only_allowed(actor, project, change);
        let action = action_of(&allowed, issue.closed);
        let old_text = issue.description.clone();
        self.apply_to_issue(actor, project, iid, &allowed)?;
        let thing = Thing::issue(project, iid);
        if let Some(Some(text)) = &allowed.description {
            self.follow_text(actor, thing, text, old_text.as_deref());
        }
        happened::issue(self, actor, Some(&issue), thing, action);
        self.finish_wishes(actor, thing, &wishes);
        Ok(())
    }

    /// Author and assignees may change text and state, Planners and up everything.
    pub(crate) fn may_update_issue(&self, actor: u64, issue: &Issue) -> bool {
        actor == issue.author
            || issue.assignees.contains(&actor)
            || self.project_level(Some(actor), issue.project) >= PLANNER
    }

    /// GitLab drops, without a word, the metadata that the actor may not set.
    fn only_allowed(&self, actor: u64, project: u64, change: Change) -> Change {
        if self.project_level(Some(actor), project) >= PLANNER {
            return change;
        }
        Change {
            labels: None,
            add_labels: Vec::new(),
            remove_labels: Vec::new(),
            assignees: None,
            discussion_locked: None,
            due_date: None,
            ..change
        }
    }

    /// Takes quick actions out of a changed description and adds what they want to the change.
    pub(crate) fn take_commands(
        &mut self,
        actor: u64,
        thing: Thing,
        old: Option<&str>,
        mut change: Change,
    ) -> Result<(Change, Wishes)> {
        let Some(Some(text)) = change.description.clone() else {
            return Ok((change, Wishes::default()));
        };
        check_description(Some(&text))?;
        if old == Some(text.as_str()) {
            change.description = None;
            return Ok((change, Wishes::default()));
        }
        let extracted = markdown::extract_commands(&text);
        if extracted.commands.is_empty() {
            return Ok((change, Wishes::default()));
        }
        change.description = Some(Some(extracted.text));
        let wishes = self.read_commands(actor, thing, &extracted.commands, false);
        Ok((wishes.change.clone().over(change), wishes))
    }

    /// Carries a change out and writes its trail; rights were checked before.
    pub(crate) fn apply_to_issue(&mut self, actor: u64, project: u64, iid: u64, change: &Change) -> Result<()> {
        let thing = Thing::issue(project, iid);
        let old = self.find_issue(Some(actor), project, iid)?.clone();
        let now = self.now();
        let labels = self.labels_after(actor, project, &old.labels, change);
        let assignees = change.assignees.as_ref().map(|a| self.allowed_people(project, a));
        let issue = self.issue_mut(project, iid)?;
        if let Some(title) = &change.title {
            issue.title.clone_from(title);
        }
        if let Some(description) = &change.description {
            issue.description.clone_from(description);
        }
        if let Some(assignees) = assignees {
            issue.assignees = assignees;
        }
        issue.confidential = change.confidential.unwrap_or(issue.confidential);
        issue.discussion_locked = change.discussion_locked.or(issue.discussion_locked);
        issue.due_date = change.due_date.unwrap_or(issue.due_date);
        if let Some(kind) = &change.issue_type {
            issue.issue_type.clone_from(kind);
        }
        issue.labels.clone_from(&labels);
        if issue.title != old.title || issue.description != old.description {
            issue.last_edited_at = Some(now);
            issue.last_edited_by = Some(actor);
        }
        let new = issue.clone();
        self.write_label_events(actor, thing, &old.labels, &labels);
        self.write_issue_notes(actor, &old, &new);
        let toggled = self.apply_state_event(actor, project, iid, change.state_event.as_deref())?;
        if toggled || !same_issue(&old, &new) {
            let issue = self.issue_mut(project, iid)?;
            issue.updated_at = now;
            issue.updated_by = Some(actor);
        }
        self.touch_activity(project);
        Ok(())
    }

    fn apply_state_event(&mut self, actor: u64, project: u64, iid: u64, event: Option<&str>) -> Result<bool> {
        let close = match event {
            Some("close") => true,
            Some("reopen") => false,
            _ => return Ok(false),
        };
        let (id, now) = (self.id(Kind::Event), self.now());
        let issue = self.issue_mut(project, iid)?;
        if issue.closed == close {
            return Ok(false);
        }
        issue.closed = close;
        issue.closed_at = close.then_some(now);
        issue.closed_by = close.then_some(actor);
        let state = if close { "closed" } else { "reopened" };
        issue.state_events.push(StateEvent {
            id,
            user: actor,
            at: now,
            state,
        });
        Ok(true)
    }

    fn write_issue_notes(&mut self, actor: u64, old: &Issue, new: &Issue) {
        let thing = Thing::issue(new.project, new.iid);
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
        if old.confidential != new.confidential {
            let text = if new.confidential {
                "made the issue confidential"
            } else {
                "made the issue visible to everyone"
            };
            self.system_note(actor, thing, text.to_owned());
        }
        if old.discussion_locked.unwrap_or(false) != new.discussion_locked.unwrap_or(false) {
            let text = if new.discussion_locked == Some(true) {
                "locked the discussion in this issue"
            } else {
                "unlocked the discussion in this issue"
            };
            self.system_note(actor, thing, text.to_owned());
        }
        if old.due_date != new.due_date {
            let text = new.due_date.map_or_else(
                || "removed due date".to_owned(),
                |d| d.strftime("changed due date to %B %-d, %Y").to_string(),
            );
            self.system_note(actor, thing, text);
        }
    }

    /// Moves an issue: a copy opens in the other project, the old one closes and points to it.
    pub(crate) fn move_issue(&mut self, actor: u64, project: u64, iid: u64, target: u64) -> Result<u64> {
        self.need(actor, project, PLANNER)?;
        self.need(actor, target, PLANNER)?;
        let old = self.find_issue(Some(actor), project, iid)?.clone();
        if project == target {
            return Err(Refusal::message(
                400,
                "Cannot move issue to project it originates from!",
            ));
        }
        let new = NewIssue {
            title: old.title.clone(),
            description: old.description.clone(),
            labels: self.label_names(&old.labels),
            confidential: old.confidential,
            ..NewIssue::default()
        };
        let moved = self.create_issue(actor, target, new)?;
        let moved_id = self.find_issue(Some(actor), target, moved)?.id;
        let notes = old.notes.clone();
        let copy = self.issue_mut(target, moved)?;
        copy.notes = notes;
        copy.author = old.author;
        let issue = self.issue_mut(project, iid)?;
        issue.moved_to = Some(moved_id);
        let change = Change {
            state_event: Some("close".to_owned()),
            ..Change::default()
        };
        self.apply_to_issue(actor, project, iid, &change)?;
        let (from, to) = (Thing::issue(project, iid), Thing::issue(target, moved));
        self.system_note(actor, from, format!("moved to {}", self.thing_name(to)));
        self.system_note(actor, to, format!("moved from {}", self.thing_name(from)));
        happened::issue(self, actor, Some(&old), from, "close");
        Ok(moved)
    }

    /// The labels a thing has after a change.
    pub(crate) fn labels_after(&mut self, actor: u64, project: u64, now: &[u64], change: &Change) -> Vec<u64> {
        let base = match &change.labels {
            Some(names) => {
                let wanted = self.labels_by_use(actor, project, names);
                self.changed_labels(&[], &wanted, &[])
            }
            None => now.to_vec(),
        };
        let added = self.labels_by_use(actor, project, &change.add_labels);
        let owner = super::Place::Project(project);
        let removed: Vec<u64> = change
            .remove_labels
            .iter()
            .filter_map(|n| self.label_named(owner, n))
            .map(|l| l.id)
            .collect();
        self.changed_labels(&base, &added, &removed)
    }

    /// Only people who can see the project can be assigned; on Free one of them.
    pub(crate) fn allowed_people(&self, project: u64, people: &[u64]) -> Vec<u64> {
        let most = if self.is_premium() { usize::MAX } else { 1 };
        let Ok(found) = self.project(project) else {
            return Vec::new();
        };
        people
            .iter()
            .filter(|id| self.users.contains_key(id) && self.sees_project(Some(**id), found))
            .take(most)
            .copied()
            .collect()
    }
}

fn action_of(change: &Change, closed: bool) -> &'static str {
    match change.state_event.as_deref() {
        Some("close") if !closed => "close",
        Some("reopen") if closed => "reopen",
        _ => "update",
    }
}

fn same_issue(a: &Issue, b: &Issue) -> bool {
    a.title == b.title
        && a.description == b.description
        && a.labels == b.labels
        && a.assignees == b.assignees
        && a.confidential == b.confidential
        && a.discussion_locked == b.discussion_locked
        && a.due_date == b.due_date
        && a.issue_type == b.issue_type
}

pub(crate) fn check_title(title: &str) -> Result<()> {
    if title.trim().is_empty() {
        return Err(Refusal::invalid("title", &["can't be blank"]));
    }
    if title.chars().count() > LONGEST_TITLE {
        return Err(Refusal::invalid("title", &["is too long (maximum is 255 characters)"]));
    }
    Ok(())
}

pub(crate) fn check_description(text: Option<&str>) -> Result<()> {
    if text.is_some_and(|t| t.chars().count() > LONGEST_DESCRIPTION) {
        return Err(Refusal::invalid(
            "description",
            &["is too long (maximum is 1048576 characters)"],
        ));
    }
    Ok(())
}
