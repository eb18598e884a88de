//! Groups and subgroups.

use super::members::Members;
use super::rights::{DEVELOPER, OWNER};
use super::{Kind, Place, State, names};
use crate::hooks::{Hook, happened};
use crate::http::{Refusal, Result};
use jiff::Timestamp;

/// A group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) full_path: String,
    pub(crate) parent: Option<u64>,
    pub(crate) description: String,
    pub(crate) visibility: String,
    pub(crate) created_at: Timestamp,
    pub(crate) archived: bool,
    pub(crate) membership_lock: bool,
    /// `developer`, `maintainer`, `owner`, `noone`, `administrator`
    pub(crate) project_creation_level: String,
    /// The default branch's first protection: 0 none, 1 partial, 2 full, 3 against pushes, 4 full after the first push.
    pub(crate) default_branch_protection: u64,
    pub(crate) default_branch: Option<String>,
    pub(crate) members: Members,
    pub(crate) shared_with: Vec<Share>,
    pub(crate) labels: Vec<u64>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) marked_for_deletion_on: Option<jiff::civil::Date>,
}

/// A group that was invited as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    pub(crate) group: u64,
    pub(crate) level: u64,
    pub(crate) expires_at: Option<jiff::civil::Date>,
}

/// What a new group is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewGroup {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) parent: Option<u64>,
    pub(crate) description: String,
    pub(crate) visibility: Option<String>,
}

impl State {
    /// Creates a group; its creator becomes its owner.
    pub(crate) fn create_group(&mut self, actor: u64, new: NewGroup) -> Result<u64> {
        if let Some(parent) = new.parent {
            self.need_in_group(actor, parent, OWNER)?;
        }
        let parent_path = new
            .parent
            .and_then(|id| self.groups.get(&id))
            .map(|g| g.full_path.clone());
        let full_path = parent_path.map_or_else(|| new.path.clone(), |p| format!("{p}/{}", new.path));
        names::check_group_path(&new.path, new.parent.is_none())?;
        if self.place(&full_path).is_some() {
            return Err(Refusal::message(
                400,
                "Failed to save group {:path=>[\"has already been taken\"]}",
            ));
        }
        let parent_visibility = new
            .parent
            .and_then(|id| self.groups.get(&id))
            .map(|g| g.visibility.clone());
        let visibility = new
            .visibility
            .or(parent_visibility)
            .unwrap_or_else(|| "private".to_owned());
        let id = self.id(Kind::Namespace);
        let now = self.now();
        let mut members = Members::default();
        if !self.is_admin(Some(actor)) {
            members.set(self.id(Kind::Member), actor, OWNER, None, now, actor);
        }
        let group = Group {
            id,
            name: new.name,
            path: new.path,
            full_path: full_path.clone(),
            parent: new.parent,
            description: new.description,
            visibility,
            created_at: now,
            archived: false,
            membership_lock: false,
            project_creation_level: "developer".to_owned(),
            default_branch_protection: 2,
            default_branch: None,
            members,
            shared_with: Vec::new(),
            labels: Vec::new(),
            hooks: Vec::new(),
            marked_for_deletion_on: None,
        };
        self.groups.insert(id, group);
        self.put_place(&full_path, Place::Group(id));
        happened::group_created(self, id);
        Ok(id)
    }

    /// Really removes a group with everything in it.
    pub(crate) fn destroy_group(&mut self, actor: u64, id: u64) -> Result<()> {
        self.need_in_group(actor, id, OWNER)?;
        let below: Vec<u64> = self
            .groups
            .values()
            .filter(|g| g.parent == Some(id))
            .map(|g| g.id)
            .collect();
        for group in below {
            self.destroy_group(actor, group)?;
        }
        for project in self.projects_in(id).collect::<Vec<_>>() {
            self.destroy_project(project);
        }
        happened::group_destroyed(self, id);
        if let Some(group) = self.groups.remove(&id) {
            self.drop_place(&group.full_path);
        }
        Ok(())
    }

    /// Renames a group or changes its path; everything below moves along.
    pub(crate) fn rename_group(&mut self, actor: u64, id: u64, path: &str) -> Result<()> {
        self.need_in_group(actor, id, OWNER)?;
        let group = self.groups.get(&id).ok_or_else(|| Refusal::not_found("Group"))?;
        let old = group.full_path.clone();
        names::check_group_path(path, group.parent.is_none())?;
        let new = match old.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/{path}"),
            None => path.to_owned(),
        };
        if self.place(&new).is_some_and(|place| place != Place::Group(id)) {
            return Err(Refusal::invalid("path", &["has already been taken"]));
        }
        self.move_group_paths(&old, &new);
        if let Some(group) = self.groups.get_mut(&id) {
            group.path = path.to_owned();
        }
        happened::group_renamed(self, id, &old);
        Ok(())
    }

    /// Moves a group below another one, or to the top.
    pub(crate) fn transfer_group(&mut self, actor: u64, id: u64, target: Option<u64>) -> Result<()> {
        self.need_in_group(actor, id, OWNER)?;
        let group = self.groups.get(&id).ok_or_else(|| Refusal::not_found("Group"))?;
        let (old, path) = (group.full_path.clone(), group.path.clone());
        let refused = |reason: &str| Err(Refusal::message(400, format!("Transfer failed: {reason}")));
        if group.parent == target {
            return refused(match target {
                Some(_) => "Group is already associated to the parent group.",
                None => "Group is already a root group.",
            });
        }
        let into = target.and_then(|t| self.groups.get(&t)).map(|g| g.full_path.clone());
        if let Some(target) = target {
            self.need_in_group(actor, target, OWNER)?;
            if self.ancestors_of(Place::Group(target)).any(|g| g.id == id) {
                return refused("You cannot move a group into one of its own subgroups.");
            }
        }
        let new = into.map_or_else(|| path.clone(), |into| format!("{into}/{path}"));
        if self.place(&new).is_some() {
            return refused("The parent group already has a subgroup or a project with the same path.");
        }
        self.move_group_paths(&old, &new);
        if let Some(group) = self.groups.get_mut(&id) {
            group.parent = target;
        }
        Ok(())
    }

    fn move_group_paths(&mut self, old: &str, new: &str) {
        let moved = |path: &str| match path.strip_prefix(old) {
            Some("") => Some(new.to_owned()),
            Some(rest) if rest.starts_with('/') => Some(format!("{new}{rest}")),
            _ => None,
        };
        let groups: Vec<(u64, String, String)> = self
            .groups
            .values()
            .filter_map(|g| moved(&g.full_path).map(|to| (g.id, g.full_path.clone(), to)))
            .collect();
        for (id, from, to) in groups {
            self.drop_place(&from);
            self.put_place(&to, Place::Group(id));
            if let Some(group) = self.groups.get_mut(&id) {
                group.full_path = to;
            }
        }
        let projects: Vec<(u64, String, String)> = self
            .projects
            .values()
            .filter_map(|p| moved(&p.full_path).map(|to| (p.id, p.full_path.clone(), to)))
            .collect();
        for (id, from, to) in projects {
            self.set_project_path(id, &from, &to);
        }
    }

    /// Whether somebody may create projects in a namespace.
    pub(crate) fn may_create_project_in(&self, user: u64, place: Place) -> bool {
        match place {
            Place::User(owner) => owner == user || self.is_admin(Some(user)),
            Place::Project(_) => false,
            Place::Group(id) => {
                let Some(group) = self.groups.get(&id) else {
                    return false;
                };
                let level = self.group_level(Some(user), id);
                match group.project_creation_level.as_str() {
                    "noone" => false,
                    "administrator" => self.is_admin(Some(user)),
                    "owner" => level >= OWNER,
                    "maintainer" => level >= super::rights::MAINTAINER,
                    _ => level >= DEVELOPER,
                }
            }
        }
    }
}
