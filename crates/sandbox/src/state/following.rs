//! What a text sets off: people who are notified, things that are said to be mentioned.

use super::happenings::{CrossReference, Notified};
use super::markdown::{self, Mention, Reference};
use super::notes::Thing;
use super::{Place, State};
use std::collections::BTreeSet;

impl State {
    /// Mentions and references of a text; only what was not in the old text counts.
    pub(crate) fn follow_text(&mut self, actor: u64, thing: Thing, text: &str, old: Option<&str>) {
        let known: BTreeSet<String> = old
            .map(markdown::mentions)
            .unwrap_or_default()
            .into_iter()
            .map(|m| m.name)
            .collect();
        for mention in markdown::mentions(text)
            .into_iter()
            .filter(|m| !known.contains(&m.name))
        {
            self.notify(actor, thing, &mention);
        }
        let known = old.map(|o| markdown::references(o, &self.url)).unwrap_or_default();
        for reference in markdown::references(text, &self.url)
            .into_iter()
            .filter(|r| !known.contains(r))
        {
            self.cross_reference(actor, thing.project(), Some(thing), &self.thing_name(thing), &reference);
        }
    }

    fn notify(&mut self, actor: u64, thing: Thing, mention: &Mention) {
        if mention.quoted && !self.config.mentions_in_quotes_notify {
            return;
        }
        let people: Vec<u64> = match self.place(&mention.name) {
            Some(Place::User(user)) => vec![user],
            Some(Place::Group(group)) if self.sees_group(Some(actor), group) => self
                .groups
                .get(&group)
                .map(|g| g.members.iter().map(|m| m.user).collect())
                .unwrap_or_default(),
            _ if mention.name == "all" && self.config.at_all_notifies => self
                .all_members(Place::Project(thing.project()))
                .iter()
                .map(|m| m.user)
                .collect(),
            _ => Vec::new(),
        };
        let (by, name) = (self.username(actor), self.thing_name(thing));
        for user in people.into_iter().filter(|u| *u != actor) {
            if self.need_to_see(Some(user), thing).is_ok() {
                let user = self.username(user);
                self.happenings.notified.push(Notified {
                    user,
                    by: by.clone(),
                    thing: name.clone(),
                    quoted: mention.quoted,
                });
            }
        }
    }

    /// Records that one text points to another thing, and says so there once.
    pub(crate) fn cross_reference(
        &mut self,
        actor: u64,
        project: u64,
        from: Option<Thing>,
        from_name: &str,
        to: &Reference,
    ) {
        let Some(target) = self.referenced(actor, project, to).filter(|t| Some(*t) != from) else {
            return;
        };
        let to_name = self.thing_name(target);
        self.happenings.references.push(CrossReference {
            by: self.username(actor),
            from: from_name.to_owned(),
            to: to_name,
        });
        let text = match from {
            Some(from) => format!(
                "mentioned in {} {}",
                from.word(),
                self.short_name(from, target.project())
            ),
            None => format!("mentioned in commit {from_name}"),
        };
        let already = self
            .notes(target)
            .is_ok_and(|notes| notes.iter().any(|n| n.system && n.body == text));
        if !already {
            self.system_note(actor, target, text);
        }
    }

    /// The thing a reference means, if its writer may see it.
    pub(crate) fn referenced(&self, actor: u64, project: u64, to: &Reference) -> Option<Thing> {
        let project = match &to.project {
            None => project,
            Some(path) => match self.place(path).or_else(|| self.sibling(project, path)) {
                Some(Place::Project(id)) => id,
                _ => return None,
            },
        };
        self.projects
            .get(&project)
            .filter(|p| self.sees_project(Some(actor), p))?;
        let thing = if to.merge_request {
            Thing::merge_request(project, to.iid)
        } else {
            Thing::issue(project, to.iid)
        };
        self.need_to_see(Some(actor), thing).ok().map(|()| thing)
    }

    /// `project#1` means a project of the same namespace.
    fn sibling(&self, project: u64, path: &str) -> Option<Place> {
        let (namespace, _) = self.projects.get(&project)?.full_path.rsplit_once('/')?;
        self.place(&format!("{namespace}/{path}"))
    }
}
