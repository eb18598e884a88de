//! Notes on issues and merge requests: how comments are written, changed and found.

use super::markdown;
use super::quick_actions::Wishes;
use super::rights::{GUEST, MAINTAINER, PLANNER};
use super::{Kind, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::Timestamp;

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

    pub(super) fn push_note(&mut self, author: u64, thing: Thing, body: String, system: bool, internal: bool) -> u64 {
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
