//! Notes on issues and merge requests: people's comments and the system's trail; what a text sets off.

use super::happenings::{CrossReference, Notified};
use super::issues::{LabelEvent, StateEvent};
use super::markdown::{self, Mention, Reference};
use super::quick_actions::Wishes;
use super::rights::{GUEST, MAINTAINER, PLANNER};
use super::{Kind, Place, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::Timestamp;
use std::collections::BTreeSet;

const LONGEST_NOTE: usize = 1_000_000;
const MOST_NOTES: usize = 5_000;

/// A comment or a line of the trail.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) author: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Option<u64>,
    pub(crate) system: bool,
    pub(crate) internal: bool,
    pub(crate) discussion_id: String,
    /// Whether it stands in a thread that was begun as one.
    pub(crate) threaded: bool,
}

/// What notes are written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Thing {
    Issue { project: u64, iid: u64 },
    MergeRequest { project: u64, iid: u64 },
}

impl Thing {
    pub(crate) fn issue(project: u64, iid: u64) -> Self {
        Self::Issue { project, iid }
    }

    pub(crate) fn merge_request(project: u64, iid: u64) -> Self {
        Self::MergeRequest { project, iid }
    }

    pub(crate) fn project(self) -> u64 {
        match self {
            Self::Issue { project, .. } | Self::MergeRequest { project, .. } => project,
        }
    }

    pub(crate) fn iid(self) -> u64 {
        match self {
            Self::Issue { iid, .. } | Self::MergeRequest { iid, .. } => iid,
        }
    }

    /// `issue` or `merge request`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Issue { .. } => "issue",
            Self::MergeRequest { .. } => "merge request",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Issue { .. } => '#',
            Self::MergeRequest { .. } => '!',
        }
    }
}

/// What came of posting a note.
#[derive(Debug, Clone)]
pub(crate) enum Posted {
    /// A note was stored; its commands, if any, ran too.
    Note(u64),
    /// There were only commands; no note exists.
    OnlyCommands(Box<Wishes>),
}

impl State {
    /// `group/project#12`
    pub(crate) fn thing_name(&self, thing: Thing) -> String {
        let path = self
            .projects
            .get(&thing.project())
            .map_or("?", |p| p.full_path.as_str());
        format!("{path}{}{}", thing.sign(), thing.iid())
    }

    /// How one thing is called in a text that stands in a project.
    pub(crate) fn short_name(&self, thing: Thing, from: u64) -> String {
        if thing.project() == from {
            format!("{}{}", thing.sign(), thing.iid())
        } else {
            self.thing_name(thing)
        }
    }

    pub(crate) fn notes(&self, thing: Thing) -> Result<&Vec<Note>> {
        let project = self.project(thing.project())?;
        let notes = match thing {
            Thing::Issue { iid, .. } => project.issues.get(&iid).map(|i| &i.notes),
            Thing::MergeRequest { iid, .. } => project.merge_requests.get(&iid).map(|m| &m.notes),
        };
        notes.ok_or_else(Refusal::nothing_here)
    }

    fn notes_mut(&mut self, thing: Thing) -> Option<&mut Vec<Note>> {
        let project = self.projects.get_mut(&thing.project())?;
        match thing {
            Thing::Issue { iid, .. } => project.issues.get_mut(&iid).map(|i| &mut i.notes),
            Thing::MergeRequest { iid, .. } => project.merge_requests.get_mut(&iid).map(|m| &mut m.notes),
        }
    }

    /// Whether the user sees the thing at all.
    pub(crate) fn need_to_see(&self, user: Option<u64>, thing: Thing) -> Result<()> {
        match thing {
            Thing::Issue { project, iid } => self.find_issue(user, project, iid).map(|_| ()),
            Thing::MergeRequest { project, iid } => self.find_merge_request(user, project, iid).map(|_| ()),
        }
    }

    /// Internal notes are for Planners and up.
    pub(crate) fn sees_note(&self, user: Option<u64>, thing: Thing, note: &Note) -> bool {
        !note.internal || self.project_level(user, thing.project()) >= PLANNER || user == Some(note.author)
    }

    pub(crate) fn find_note(&self, user: Option<u64>, thing: Thing, id: u64) -> Result<&Note> {
        self.need_to_see(user, thing)?;
        let note = self
            .notes(thing)?
            .iter()
            .find(|n| n.id == id)
            .ok_or_else(|| Refusal::not_found("Note"))?;
        if self.sees_note(user, thing, note) {
            Ok(note)
        } else {
            Err(Refusal::not_found("Note"))
        }
    }

    /// Writes a comment; quick actions in it run with its author's rights.
    pub(crate) fn create_note(&mut self, actor: u64, thing: Thing, body: &str, internal: bool) -> Result<Posted> {
        self.need_to_see(Some(actor), thing)?;
        self.need_to_comment(actor, thing)?;
        check_body(body)?;
        if self.notes(thing)?.len() >= MOST_NOTES {
            return Err(Refusal::bad_request(
                "Note {:base=>[\"Maximum number of comments exceeded\"]}",
            ));
        }
        let extracted = markdown::extract_commands(body);
        let wishes = self.read_commands(actor, thing, &extracted.commands, false);
        if extracted.text.trim().is_empty() {
            self.carry_out(actor, thing, &wishes)?;
            return Ok(Posted::OnlyCommands(Box::new(wishes)));
        }
        let id = self.push_note(actor, thing, extracted.text.clone(), false, internal);
        self.follow_text(actor, thing, &extracted.text, None);
        happened::note(self, actor, thing, id, "create");
        if !wishes.summary.is_empty() {
            self.carry_out(actor, thing, &wishes)?;
        }
        Ok(Posted::Note(id))
    }

    fn need_to_comment(&self, actor: u64, thing: Thing) -> Result<()> {
        self.need_writable(thing.project())?;
        let project = self.project(thing.project())?;
        let locked = match thing {
            Thing::Issue { iid, .. } => project.issues.get(&iid).and_then(|i| i.discussion_locked),
            Thing::MergeRequest { iid, .. } => project.merge_requests.get(&iid).and_then(|m| m.discussion_locked),
        };
        if locked == Some(true) && self.project_level(Some(actor), project.id) < GUEST {
            return Err(Refusal::forbidden());
        }
        Ok(())
    }

    fn push_note(&mut self, author: u64, thing: Thing, body: String, system: bool, internal: bool) -> u64 {
        let (id, now, discussion_id) = (self.id(Kind::Note), self.now(), self.random_hex(40));
        let note = Note {
            id,
            body,
            author,
            created_at: now,
            updated_at: now,
            updated_by: None,
            system,
            internal,
            discussion_id,
            threaded: false,
        };
        if let Some(notes) = self.notes_mut(thing) {
            notes.push(note);
        }
        if !system {
            self.touch_thing(thing, now);
            self.touch_activity(thing.project());
        }
        id
    }

    /// Makes a note the first of a thread, or one more of a thread.
    pub(crate) fn put_in_thread(&mut self, thing: Thing, id: u64, thread: Option<&str>) {
        let Some(notes) = self.notes_mut(thing) else { return };
        if let Some(thread) = thread {
            let same = |n: &&mut Note| n.discussion_id == thread;
            notes.iter_mut().filter(same).for_each(|n| n.threaded = true);
        }
        if let Some(note) = notes.iter_mut().find(|n| n.id == id) {
            note.threaded = true;
            if let Some(thread) = thread {
                thread.clone_into(&mut note.discussion_id);
            }
        }
    }

    fn touch_thing(&mut self, thing: Thing, now: Timestamp) {
        let Some(project) = self.projects.get_mut(&thing.project()) else {
            return;
        };
        match thing {
            Thing::Issue { iid, .. } => {
                project.issues.entry(iid).and_modify(|i| i.updated_at = now);
            }
            Thing::MergeRequest { iid, .. } => {
                project.merge_requests.entry(iid).and_modify(|m| m.updated_at = now);
            }
        }
    }

    /// A line of the trail, such as "changed the description".
    pub(crate) fn system_note(&mut self, actor: u64, thing: Thing, body: String) {
        self.push_note(actor, thing, body, true, false);
    }

    /// Changes a comment: its author, or a Maintainer.
    pub(crate) fn update_note(&mut self, actor: u64, thing: Thing, id: u64, body: &str) -> Result<()> {
        let note = self.find_note(Some(actor), thing, id)?.clone();
        self.need_writable(thing.project())?;
        let may = note.author == actor || self.project_level(Some(actor), thing.project()) >= MAINTAINER;
        if note.system || !may {
            return Err(Refusal::forbidden());
        }
        check_body(body)?;
        let extracted = markdown::extract_commands(body);
        let wishes = self.read_commands(actor, thing, &extracted.commands, false);
        let now = self.now();
        if let Some(note) = self.notes_mut(thing).and_then(|n| n.iter_mut().find(|n| n.id == id)) {
            note.body.clone_from(&extracted.text);
            note.updated_at = now;
            note.updated_by = Some(actor);
        }
        self.follow_text(actor, thing, &extracted.text, Some(&note.body));
        if note.body != extracted.text {
            happened::note(self, actor, thing, id, "update");
        }
        if wishes.summary.is_empty() {
            Ok(())
        } else {
            self.carry_out(actor, thing, &wishes)
        }
    }

    pub(crate) fn delete_note(&mut self, actor: u64, thing: Thing, id: u64) -> Result<()> {
        let note = self.find_note(Some(actor), thing, id)?;
        let may = note.author == actor || self.project_level(Some(actor), thing.project()) >= MAINTAINER;
        if note.system || !may {
            return Err(Refusal::forbidden());
        }
        if let Some(notes) = self.notes_mut(thing) {
            notes.retain(|n| n.id != id);
        }
        Ok(())
    }

    /// Notes for a changed title ("changed title from **old** to **new**") and description.
    pub(crate) fn write_text_notes(&mut self, actor: u64, thing: Thing, title: (&str, &str), description: bool) {
        if title.0 != title.1 {
            let (old, new) = marked_difference(title.0, title.1);
            self.system_note(actor, thing, format!("changed title from **{old}** to **{new}**"));
        }
        if description {
            self.system_note(actor, thing, "changed the description".to_owned());
        }
    }

    pub(crate) fn write_assignee_note(
        &mut self,
        actor: u64,
        thing: Thing,
        old: &[u64],
        new: &[u64],
        added: &str,
        removed: &str,
    ) {
        let names = |ids: Vec<&u64>| {
            ids.iter()
                .map(|id| format!("@{}", self.username(**id)))
                .collect::<Vec<_>>()
        };
        let came = names(new.iter().filter(|id| !old.contains(id)).collect());
        let went = names(old.iter().filter(|id| !new.contains(id)).collect());
        let mut parts = Vec::new();
        if !came.is_empty() {
            parts.push(format!("{added} {}", in_words(&came)));
        }
        if !went.is_empty() {
            parts.push(format!("{removed} {}", in_words(&went)));
        }
        if !parts.is_empty() {
            self.system_note(actor, thing, parts.join(" and "));
        }
    }

    /// Events for labels that came and went.
    pub(crate) fn write_label_events(&mut self, actor: u64, thing: Thing, old: &[u64], new: &[u64]) {
        let came = new.iter().filter(|l| !old.contains(l)).map(|l| (*l, true));
        let went = old.iter().filter(|l| !new.contains(l)).map(|l| (*l, false));
        for (label, added) in came.chain(went).collect::<Vec<_>>() {
            let event = LabelEvent {
                id: self.id(Kind::Event),
                user: actor,
                at: self.now(),
                label,
                added,
            };
            let Some(project) = self.projects.get_mut(&thing.project()) else {
                continue;
            };
            match thing {
                Thing::Issue { iid, .. } => {
                    project.issues.entry(iid).and_modify(|i| i.label_events.push(event));
                }
                Thing::MergeRequest { iid, .. } => {
                    project
                        .merge_requests
                        .entry(iid)
                        .and_modify(|m| m.label_events.push(event));
                }
            }
        }
    }

    pub(crate) fn write_state_event(&mut self, actor: u64, thing: Thing, state: &'static str) {
        let event = StateEvent {
            id: self.id(Kind::Event),
            user: actor,
            at: self.now(),
            state,
        };
        let Some(project) = self.projects.get_mut(&thing.project()) else {
            return;
        };
        match thing {
            Thing::Issue { iid, .. } => {
                project.issues.entry(iid).and_modify(|i| i.state_events.push(event));
            }
            Thing::MergeRequest { iid, .. } => {
                project
                    .merge_requests
                    .entry(iid)
                    .and_modify(|m| m.state_events.push(event));
            }
        }
    }

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

fn check_body(body: &str) -> Result<()> {
    if body.trim().is_empty() {
        return Err(Refusal::bad_request("Note {:note=>[\"can't be blank\"]}"));
    }
    if body.chars().count() > LONGEST_NOTE {
        return Err(Refusal::bad_request(
            "Note {:note=>[\"is too long (maximum is 1000000 characters)\"]}",
        ));
    }
    Ok(())
}

/// `a`, `a and b`, `a, b, and c`, as Rails joins lists.
fn in_words(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

/// The two titles with what differs marked as `{-old-}` and `{+new+}`.
fn marked_difference(old: &str, new: &str) -> (String, String) {
    let (a, b): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(room)
        .take_while(|(x, y)| x == y)
        .count();
    let mark = |text: &[char], open: &str, close: &str| {
        let middle: String = text[start..text.len() - end].iter().collect();
        let middle = if middle.is_empty() {
            middle
        } else {
            format!("{open}{middle}{close}")
        };
        let (head, tail): (String, String) = (
            text[..start].iter().collect(),
            text[text.len() - end..].iter().collect(),
        );
        format!("{head}{middle}{tail}")
    };
    (mark(&a, "{-", "-}"), mark(&b, "{+", "+}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_marked_where_they_differ() {
        assert_eq!(
            marked_difference("Rust", "Draft: Rust"),
            ("Rust".to_owned(), "{+Draft: +}Rust".to_owned())
        );
        assert_eq!(
            marked_difference("a b c", "a x c"),
            ("a {-b-} c".to_owned(), "a {+x+} c".to_owned())
        );
    }

    #[test]
    fn people_are_listed_in_words() {
        let names = |n: usize| (0..n).map(|i| format!("@{i}")).collect::<Vec<_>>();
        assert_eq!(in_words(&names(1)), "@0");
        assert_eq!(in_words(&names(2)), "@0 and @1");
        assert_eq!(in_words(&names(3)), "@0, @1, and @2");
    }
}
