//! What quick actions in people's text do. Every recognised command is recorded, whether or not it had an effect.

use super::changes::Change;
use super::happenings::RanCommand;
use super::markdown::Command;
use super::notes::Thing;
use super::rights::{DEVELOPER, GUEST, PLANNER};
use super::{Place, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use serde_json::{Map, Value, json};

/// What the commands of one text want.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) change: Change,
    pub(crate) merge: bool,
    pub(crate) subscribe: bool,
    /// `commands_changes` of the answer to a note made only of commands.
    pub(crate) changes: Map<String, Value>,
    /// `summary` of that answer.
    pub(crate) summary: Vec<String>,
}

impl Wishes {
    fn note(&mut self, key: &str, value: Value, text: String) -> bool {
        self.changes.insert(key.to_owned(), value);
        self.summary.push(text);
        true
    }
}

impl State {
    /// Reads commands with their writer's rights; those without effect are dropped silently, as on GitLab.
    pub(crate) fn read_commands(&mut self, actor: u64, thing: Thing, commands: &[Command], new: bool) -> Wishes {
        let mut wishes = Wishes::default();
        for command in commands {
            let effective = self.read_command(actor, thing, command, new, &mut wishes);
            self.happenings.commands.push(RanCommand {
                by: self.username(actor),
                thing: self.thing_name(thing),
                name: command.name.clone(),
                arguments: command.arguments.clone(),
                effective,
            });
        }
        wishes
    }

    fn read_command(&self, actor: u64, thing: Thing, command: &Command, new: bool, wishes: &mut Wishes) -> bool {
        let level = self.project_level(Some(actor), thing.project());
        let least = if new { GUEST } else { PLANNER };
        match command.name.as_str() {
            "close" | "reopen" if self.may_toggle(actor, thing) => {
                let closing = command.name == "close";
                wishes.change.state_event = Some(command.name.clone());
                let done = if closing { "Closed" } else { "Reopened" };
                wishes.note(
                    "state_event",
                    json!(command.name),
                    format!("{done} this {}.", thing.word()),
                )
            }
            "title" if self.may_toggle(actor, thing) && !command.arguments.is_empty() => {
                wishes.change.title = Some(command.arguments.clone());
                wishes.note(
                    "title",
                    json!(command.arguments),
                    format!("Changed the title to \"{}\".", command.arguments),
                )
            }
            "confidential" if self.may_toggle(actor, thing) && matches!(thing, Thing::Issue { .. }) => {
                wishes.change.confidential = Some(true);
                wishes.note("confidential", json!(true), "Made this issue confidential.".to_owned())
            }
            "merge" => self.read_merge(actor, thing, wishes),
            "subscribe" => {
                wishes.subscribe = true;
                wishes.note(
                    "subscription_event",
                    json!("subscribe"),
                    format!("Subscribed to this {}.", thing.word()),
                )
            }
            "label" | "labels" | "unlabel" | "relabel" if level >= least => {
                self.read_labels(thing, &command.name, &command.arguments, wishes)
            }
            "assign" | "unassign" | "reassign" if level >= least => {
                self.read_people(actor, thing, &command.name, &command.arguments, wishes)
            }
            "lock" | "unlock" if level >= PLANNER => {
                let locked = command.name == "lock";
                wishes.change.discussion_locked = Some(locked);
                let done = if locked { "Locked" } else { "Unlocked" };
                wishes.note("discussion_locked", json!(locked), format!("{done} the discussion."))
            }
            "draft" | "ready" | "wip" => self.read_draft(thing, &command.name, wishes),
            _ => false,
        }
    }

    fn may_toggle(&self, actor: u64, thing: Thing) -> bool {
        let Ok(project) = self.project(thing.project()) else {
            return false;
        };
        match thing {
            Thing::Issue { iid, .. } => project
                .issues
                .get(&iid)
                .is_some_and(|i| self.may_update_issue(actor, i)),
            Thing::MergeRequest { iid, .. } => project
                .merge_requests
                .get(&iid)
                .is_some_and(|m| self.may_update_merge_request(actor, m)),
        }
    }

    fn read_merge(&self, actor: u64, thing: Thing, wishes: &mut Wishes) -> bool {
        let Thing::MergeRequest { project, iid } = thing else {
            return false;
        };
        if self.project_level(Some(actor), project) < DEVELOPER || !self.may_merge(actor, project, iid) {
            return false;
        }
        wishes.merge = true;
        wishes.note("merge", json!("merge"), "Merged this merge request.".to_owned())
    }

    fn read_labels(&self, thing: Thing, name: &str, arguments: &str, wishes: &mut Wishes) -> bool {
        let owner = Place::Project(thing.project());
        // Quick actions never make labels: unknown names are left out.
        let known: Vec<String> = label_names(arguments)
            .into_iter()
            .filter(|n| self.label_named(owner, n).is_some())
            .collect();
        let shown = known.iter().map(|n| format!("~\"{n}\"")).collect::<Vec<_>>().join(" ");
        match name {
            "unlabel" if arguments.is_empty() => {
                wishes.change.labels = Some(Vec::new());
                wishes.note("label_ids", json!([]), "Removed all labels.".to_owned())
            }
            _ if known.is_empty() => false,
            "unlabel" => {
                wishes.change.remove_labels.extend(known);
                wishes.note("remove_label_ids", json!(shown), format!("Removed {shown} label(s)."))
            }
            "relabel" => {
                wishes.change.labels = Some(known);
                wishes.note(
                    "label_ids",
                    json!(shown),
                    format!("Replaced all labels with {shown} label(s)."),
                )
            }
            _ => {
                wishes.change.add_labels.extend(known);
                wishes.note("add_label_ids", json!(shown), format!("Added {shown} label(s)."))
            }
        }
    }

    fn read_people(&self, actor: u64, thing: Thing, name: &str, arguments: &str, wishes: &mut Wishes) -> bool {
        let named: Vec<u64> = arguments
            .split([' ', ','])
            .filter_map(|word| match word.trim_start_matches('@') {
                "me" => Some(actor),
                "" => None,
                name => self.user_named(name).map(|u| u.id),
            })
            .collect();
        let now = self.assignees_of(thing);
        let after: Vec<u64> = match name {
            "unassign" if named.is_empty() => Vec::new(),
            "unassign" => now.iter().filter(|id| !named.contains(id)).copied().collect(),
            _ if named.is_empty() => return false,
            "reassign" => named,
            _ if self.is_premium() => now.iter().chain(&named).copied().collect(),
            _ => named,
        };
        let names = after
            .iter()
            .map(|id| format!("@{}", self.username(*id)))
            .collect::<Vec<_>>()
            .join(", ");
        let text = if after.is_empty() {
            "Removed all assignees.".to_owned()
        } else {
            format!("Assigned {names}.")
        };
        wishes.change.assignees = Some(after.clone());
        wishes.note("assignee_ids", json!(after), text)
    }

    fn assignees_of(&self, thing: Thing) -> Vec<u64> {
        let Ok(project) = self.project(thing.project()) else {
            return Vec::new();
        };
        let people = match thing {
            Thing::Issue { iid, .. } => project.issues.get(&iid).map(|i| i.assignees.clone()),
            Thing::MergeRequest { iid, .. } => project.merge_requests.get(&iid).map(|m| m.assignees.clone()),
        };
        people.unwrap_or_default()
    }

    fn read_draft(&self, thing: Thing, name: &str, wishes: &mut Wishes) -> bool {
        let Thing::MergeRequest { project, iid } = thing else {
            return false;
        };
        let Some(request) = self.projects.get(&project).and_then(|p| p.merge_requests.get(&iid)) else {
            return false;
        };
        let bare = request.title.strip_prefix("Draft: ").unwrap_or(&request.title);
        let draft = name != "ready";
        wishes.change.title = Some(if draft {
            format!("Draft: {bare}")
        } else {
            bare.to_owned()
        });
        let word = if draft { "draft" } else { "ready" };
        wishes.note(
            "wip_event",
            json!(word),
            format!("Marked this merge request as {word}."),
        )
    }

    /// Carries out what a note's commands want, as an update of its own.
    pub(crate) fn carry_out(&mut self, actor: u64, thing: Thing, wishes: &Wishes) -> Result<()> {
        if wishes.summary.is_empty() {
            return Err(Refusal::bad_request("Failed to apply commands."));
        }
        match thing {
            Thing::Issue { project, iid } => {
                let old = self.find_issue(Some(actor), project, iid)?.clone();
                self.apply_to_issue(actor, project, iid, &wishes.change)?;
                let now_closed = self.find_issue(Some(actor), project, iid)?.closed;
                happened::issue(self, actor, Some(&old), thing, action(old.closed, now_closed));
            }
            Thing::MergeRequest { project, iid } => {
                let old = self.find_merge_request(Some(actor), project, iid)?.clone();
                self.apply_to_merge_request(actor, project, iid, &wishes.change)?;
                let now = self.find_merge_request(Some(actor), project, iid)?;
                let action = action(old.is_closed(), now.is_closed());
                happened::merge_request(self, actor, Some(&old), thing, action, None);
            }
        }
        self.finish_wishes(actor, thing, wishes);
        Ok(())
    }

    /// What commands want beyond a change of fields.
    pub(crate) fn finish_wishes(&mut self, actor: u64, thing: Thing, wishes: &Wishes) {
        if wishes.subscribe
            && let Thing::Issue { project, iid } = thing
            && let Some(project) = self.projects.get_mut(&project)
            && let Some(issue) = project.issues.get_mut(&iid)
            && !issue.subscribers.contains(&actor)
        {
            issue.subscribers.push(actor);
        }
        if wishes.merge {
            // A command that cannot be done is dropped without a word.
            let _ = self.merge(
                actor,
                thing.project(),
                thing.iid(),
                &super::merging::HowToMerge::default(),
            );
        }
    }
}

fn action(was_closed: bool, is_closed: bool) -> &'static str {
    match (was_closed, is_closed) {
        (false, true) => "close",
        (true, false) => "reopen",
        _ => "update",
    }
}

/// `~a ~"b c" d` as names.
fn label_names(arguments: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = arguments.trim();
    while !rest.is_empty() {
        rest = rest.trim_start_matches([' ', ',', '~']);
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = after;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_arguments_may_be_quoted() {
        assert_eq!(
            label_names(r#"~bug ~"good first issue" ~cop::ready plain"#),
            ["bug", "good first issue", "cop::ready", "plain"]
        );
    }
}
