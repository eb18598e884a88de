//! Labels of projects and groups.

use super::rights::PLANNER;
use super::{Kind, Place, State};
use crate::http::{Refusal, Result};
use jiff::Timestamp;
use std::collections::BTreeSet;

const DEFAULT_COLOUR: &str = "#6699cc";

/// A label; it belongs to a project or to a group.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) id: u64,
    pub(crate) owner: Place,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<u64>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Label {
    pub(crate) fn is_project_label(&self) -> bool {
        matches!(self.owner, Place::Project(_))
    }
}

/// What a new label is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewLabel {
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<u64>,
}

impl State {
    /// Ids of the labels that things of a project may carry: its own, then those of the groups above.
    pub(crate) fn available_labels(&self, owner: Place, with_ancestors: bool) -> Vec<u64> {
        let (own, above) = match owner {
            Place::Project(id) => match self.projects.get(&id) {
                Some(project) => (project.labels.clone(), Some(project.owner)),
                None => (Vec::new(), None),
            },
            Place::Group(id) => match self.groups.get(&id) {
                Some(group) => (group.labels.clone(), group.parent.map(Place::Group)),
                None => (Vec::new(), None),
            },
            Place::User(_) => (Vec::new(), None),
        };
        let inherited = above.filter(|_| with_ancestors).map(|place| {
            self.ancestors_of(place)
                .flat_map(|g| g.labels.iter().copied())
                .collect::<Vec<_>>()
        });
        own.into_iter().chain(inherited.into_iter().flatten()).collect()
    }

    /// The label of a name that a project or group can use; the nearest wins.
    pub(crate) fn label_named(&self, owner: Place, name: &str) -> Option<&Label> {
        self.available_labels(owner, true)
            .into_iter()
            .filter_map(|id| self.labels.get(&id))
            .find(|l| l.name == name)
    }

    pub(crate) fn create_label(&mut self, actor: u64, owner: Place, new: NewLabel) -> Result<u64> {
        if self.level_in(Some(actor), owner) < PLANNER {
            return Err(Refusal::forbidden());
        }
        if let Place::Project(id) = owner {
            self.need_writable(id)?;
        }
        check_label_name(&new.name)?;
        let Some(color) = colour(&new.color) else {
            return Err(Refusal::invalid("color", &["must be a valid color code"]));
        };
        if self.label_named(owner, &new.name).is_some() {
            return Err(Refusal::message(409, "Label already exists"));
        }
        Ok(self.insert_label(owner, NewLabel { color, ..new }))
    }

    fn insert_label(&mut self, owner: Place, new: NewLabel) -> u64 {
        let (id, now) = (self.id(Kind::Label), self.now());
        let label = Label {
            id,
            owner,
            name: new.name,
            color: new.color,
            description: new.description,
            priority: new.priority,
            created_at: now,
            updated_at: now,
        };
        self.labels.insert(id, label);
        match owner {
            Place::Project(project) => {
                if let Some(project) = self.projects.get_mut(&project) {
                    project.labels.push(id);
                }
            }
            Place::Group(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.labels.push(id);
                }
            }
            Place::User(_) => {}
        }
        id
    }

    pub(crate) fn update_label(&mut self, actor: u64, owner: Place, id: u64, change: NewLabel) -> Result<()> {
        if self.level_in(Some(actor), owner) < PLANNER {
            return Err(Refusal::forbidden());
        }
        check_label_name(&change.name)?;
        let Some(color) = colour(&change.color) else {
            return Err(Refusal::invalid("color", &["must be a valid color code"]));
        };
        if self
            .label_named(owner, &change.name)
            .is_some_and(|other| other.id != id)
        {
            return Err(Refusal::invalid("title", &["has already been taken"]));
        }
        let now = self.now();
        let label = self.labels.get_mut(&id).ok_or_else(|| Refusal::not_found("Label"))?;
        label.name = change.name;
        label.color = color;
        label.description = change.description;
        label.priority = change.priority;
        label.updated_at = now;
        Ok(())
    }

    /// Deletes a label and takes it from everything that carries it.
    pub(crate) fn delete_label(&mut self, actor: u64, owner: Place, id: u64) -> Result<()> {
        if self.level_in(Some(actor), owner) < PLANNER {
            return Err(Refusal::forbidden());
        }
        self.labels.remove(&id);
        for group in self.groups.values_mut() {
            group.labels.retain(|l| *l != id);
        }
        for project in self.projects.values_mut() {
            project.labels.retain(|l| *l != id);
            project.issues.values_mut().for_each(|i| i.labels.retain(|l| *l != id));
            project
                .merge_requests
                .values_mut()
                .for_each(|m| m.labels.retain(|l| *l != id));
            project
                .boards
                .iter_mut()
                .for_each(|b| b.lists.retain(|l| l.label != id));
        }
        Ok(())
    }

    /// Turns names into labels of the project; unknown ones are created when the actor may, as GitLab does silently.
    pub(crate) fn labels_by_use(&mut self, actor: u64, project: u64, names: &[String]) -> Vec<u64> {
        let owner = Place::Project(project);
        let may_create = self.project_level(Some(actor), project) >= PLANNER;
        let mut ids = Vec::new();
        for name in names {
            if let Some(label) = self.label_named(owner, name) {
                ids.push(label.id);
            } else if may_create && check_label_name(name).is_ok() {
                let new = NewLabel {
                    name: name.clone(),
                    color: DEFAULT_COLOUR.to_owned(),
                    ..NewLabel::default()
                };
                ids.push(self.insert_label(owner, new));
            }
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        ids
    }

    /// Applies a change of labels: what is set, added, removed (removal wins), and, on Premium, one label a scope.
    pub(crate) fn changed_labels(&self, now: &[u64], added: &[u64], removed: &[u64]) -> Vec<u64> {
        let mut labels: Vec<u64> = now.to_vec();
        for id in added {
            if self.is_premium() {
                let scope = self.scope_of(*id);
                labels.retain(|l| scope.is_none() || self.scope_of(*l) != scope);
            }
            if !labels.contains(id) {
                labels.push(*id);
            }
        }
        labels.retain(|id| !removed.contains(id));
        labels
    }

    fn scope_of(&self, label: u64) -> Option<&str> {
        self.labels.get(&label)?.name.rsplit_once("::").map(|(scope, _)| scope)
    }

    /// Names of labels, sorted as GitLab sorts them.
    pub(crate) fn label_names(&self, ids: &[u64]) -> Vec<String> {
        let mut names: Vec<String> = ids
            .iter()
            .filter_map(|id| self.labels.get(id))
            .map(|l| l.name.clone())
            .collect();
        names.sort();
        names
    }
}

fn check_label_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Refusal::invalid("title", &["can't be blank", "is invalid"]));
    }
    if name.contains(',') {
        return Err(Refusal::invalid("title", &["is invalid"]));
    }
    if name.chars().count() > 255 {
        return Err(Refusal::invalid("title", &["is too long (maximum is 255 characters)"]));
    }
    Ok(())
}

/// `#RGB`, `#RRGGBB` or one of the CSS names, as six digits.
fn colour(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    if let Some(digits) = lower.strip_prefix('#') {
        let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
        return (hexadecimal && matches!(digits.len(), 3 | 6)).then_some(text.trim().to_owned());
    }
    CSS_COLOURS
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, code)| (*code).to_owned())
}

const CSS_COLOURS: &[(&str, &str)] = &[
    ("black", "#000000"),
    ("blue", "#0000ff"),
    ("brown", "#a52a2a"),
    ("crimson", "#dc143c"),
    ("cyan", "#00ffff"),
    ("gold", "#ffd700"),
    ("gray", "#808080"),
    ("green", "#008000"),
    ("grey", "#808080"),
    ("indigo", "#4b0082"),
    ("lime", "#00ff00"),
    ("magenta", "#ff00ff"),
    ("maroon", "#800000"),
    ("navy", "#000080"),
    ("olive", "#808000"),
    ("orange", "#ffa500"),
    ("pink", "#ffc0cb"),
    ("purple", "#800080"),
    ("red", "#ff0000"),
    ("silver", "#c0c0c0"),
    ("teal", "#008080"),
    ("tomato", "#ff6347"),
    ("violet", "#ee82ee"),
    ("white", "#ffffff"),
    ("yellow", "#ffff00"),
];

/// Black or white, whichever reads better on a label's colour.
pub(crate) fn text_colour(background: &str) -> &'static str {
    let digits = background.trim_start_matches('#');
    let wide: String = if digits.len() == 3 {
        digits.chars().flat_map(|c| [c, c]).collect()
    } else {
        digits.to_owned()
    };
    let part = |at: usize| {
        wide.get(at..at + 2)
            .and_then(|p| u32::from_str_radix(p, 16).ok())
            .unwrap_or(0)
    };
    if part(0) + part(2) + part(4) > 500 {
        "#1F1E24"
    } else {
        "#FFFFFF"
    }
}
