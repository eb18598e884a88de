//! Who may see and do what. A thing that may not be seen is "not found", one that may only be seen is "forbidden".

use super::{Place, State, projects::Project};
use crate::http::{Refusal, Result};

pub(crate) const MINIMAL: u64 = 5;
pub(crate) const GUEST: u64 = 10;
pub(crate) const PLANNER: u64 = 15;
pub(crate) const REPORTER: u64 = 20;
pub(crate) const DEVELOPER: u64 = 30;
pub(crate) const MAINTAINER: u64 = 40;
pub(crate) const OWNER: u64 = 50;

/// The access levels that a membership may have.
pub(crate) const LEVELS: [u64; 8] = [MINIMAL, GUEST, PLANNER, REPORTER, 25, DEVELOPER, MAINTAINER, OWNER];

/// The word for a level, as webhooks and validations write it.
pub(crate) fn level_name(level: u64) -> &'static str {
    match level {
        5 => "Minimal Access",
        10 => "Guest",
        15 => "Planner",
        20 => "Reporter",
        25 => "Security Manager",
        30 => "Developer",
        40 => "Maintainer",
        50 => "Owner",
        _ => "No access",
    }
}

impl State {
    pub(crate) fn is_admin(&self, user: Option<u64>) -> bool {
        user.and_then(|u| self.users.get(&u)).is_some_and(|u| u.admin)
    }

    /// The level a user has in a group: by membership here or above, or through an invited group.
    pub(crate) fn group_level(&self, user: Option<u64>, group: u64) -> u64 {
        let Some(user) = user else { return 0 };
        if self.is_admin(Some(user)) {
            return OWNER;
        }
        let invited = self
            .ancestors_of(Place::Group(group))
            .flat_map(|g| &g.shared_with)
            .map(|share| self.member_level(user, share.group).min(share.level))
            .max();
        self.member_level(user, group).max(invited.unwrap_or(0))
    }

    /// The highest membership in a group or one above it.
    fn member_level(&self, user: u64, group: u64) -> u64 {
        let today = self.today();
        self.ancestors_of(Place::Group(group))
            .filter_map(|g| g.members.get(&user))
            .filter(|m| !m.is_expired(today))
            .map(|m| m.level)
            .max()
            .unwrap_or(0)
    }

    /// The level a user has in a project: direct, inherited or by an invited group, whichever is highest.
    pub(crate) fn project_level(&self, user: Option<u64>, project: u64) -> u64 {
        let (Some(user), Some(project)) = (user, self.projects.get(&project)) else {
            return 0;
        };
        if self.is_admin(Some(user)) {
            return OWNER;
        }
        let today = self.today();
        let direct = project
            .members
            .get(&user)
            .filter(|m| !m.is_expired(today))
            .map_or(0, |m| m.level);
        let inherited = match project.owner {
            Place::Group(group) => self.group_level(Some(user), group),
            Place::User(owner) if owner == user => OWNER,
            Place::User(_) | Place::Project(_) => 0,
        };
        let invited = project
            .shared_with
            .iter()
            .map(|s| self.group_level(Some(user), s.group).min(s.level))
            .max();
        direct.max(inherited).max(invited.unwrap_or(0))
    }

    pub(crate) fn sees_project(&self, user: Option<u64>, project: &Project) -> bool {
        match project.visibility.as_str() {
            "public" => true,
            "internal" if self.is_internal(user) => true,
            _ => self.project_level(user, project.id) >= GUEST,
        }
    }

    fn is_internal(&self, user: Option<u64>) -> bool {
        user.and_then(|u| self.users.get(&u)).is_some_and(|u| !u.external)
    }

    pub(crate) fn sees_group(&self, user: Option<u64>, group: u64) -> bool {
        let Some(found) = self.groups.get(&group) else {
            return false;
        };
        match found.visibility.as_str() {
            "public" => return true,
            "internal" if self.is_internal(user) => return true,
            _ => {}
        }
        self.group_level(user, group) > 0 || (user.is_some() && self.is_member_below(user, group))
    }

    /// Members of a project or subgroup see the groups above it.
    fn is_member_below(&self, user: Option<u64>, group: u64) -> bool {
        self.projects_in(group).any(|p| self.project_level(user, p) >= GUEST)
            || self
                .groups
                .values()
                .filter(|g| g.parent == Some(group))
                .any(|g| self.group_level(user, g.id) > 0 || self.is_member_below(user, g.id))
    }

    /// Whether the user sees a feature (`issues`, `merge_requests`, `repository`) of a visible project.
    pub(crate) fn sees_feature(&self, user: Option<u64>, project: &Project, feature: &str) -> bool {
        match project.features.get(feature).map(String::as_str) {
            Some("disabled") => false,
            Some("private") => self.project_level(user, project.id) >= GUEST,
            _ => true,
        }
    }

    /// Code of a private project needs Reporter; elsewhere whoever sees the project sees its code.
    pub(crate) fn sees_code(&self, user: Option<u64>, project: &Project) -> bool {
        let enough = project.visibility != "private" || self.project_level(user, project.id) >= REPORTER;
        enough && self.sees_feature(user, project, "repository")
    }

    /// Fails with 403 unless the user's level in the project is high enough.
    pub(crate) fn need(&self, user: u64, project: u64, level: u64) -> Result<()> {
        if self.project_level(Some(user), project) >= level {
            Ok(())
        } else {
            Err(Refusal::forbidden())
        }
    }

    pub(crate) fn need_in_group(&self, user: u64, group: u64, level: u64) -> Result<()> {
        if self.group_level(Some(user), group) >= level {
            Ok(())
        } else {
            Err(Refusal::forbidden())
        }
    }

    /// An archived project, or one whose group is archived, takes no change.
    pub(crate) fn need_writable(&self, project: u64) -> Result<()> {
        match self.projects.get(&project) {
            Some(project) if self.is_archived(project) => Err(Refusal::forbidden()),
            Some(_) => Ok(()),
            None => Err(Refusal::not_found("Project")),
        }
    }

    pub(crate) fn is_archived(&self, project: &Project) -> bool {
        project.archived || self.ancestors_of(project.owner).any(|g| g.archived)
    }

    /// The groups above a namespace, nearest first.
    pub(crate) fn ancestors_of(&self, owner: Place) -> impl Iterator<Item = &super::groups::Group> {
        let mut at = match owner {
            Place::Group(id) => Some(id),
            Place::User(_) | Place::Project(_) => None,
        };
        std::iter::from_fn(move || {
            let group = self.groups.get(&at?)?;
            at = group.parent;
            Some(group)
        })
    }

    /// The visible project of a number or full path.
    pub(crate) fn find_project(&self, user: Option<u64>, id: &str) -> Result<u64> {
        let found = id
            .parse::<u64>()
            .ok()
            .filter(|n| self.projects.contains_key(n))
            .or_else(|| match self.place(id) {
                Some(Place::Project(id)) => Some(id),
                _ => None,
            });
        found
            .and_then(|id| self.projects.get(&id))
            .filter(|p| self.sees_project(user, p))
            .map(|p| p.id)
            .ok_or_else(|| Refusal::not_found("Project"))
    }

    /// The visible group of a number or full path.
    pub(crate) fn find_group(&self, user: Option<u64>, id: &str) -> Result<u64> {
        let found = id
            .parse::<u64>()
            .ok()
            .filter(|n| self.groups.contains_key(n))
            .or_else(|| match self.place(id) {
                Some(Place::Group(id)) => Some(id),
                _ => None,
            });
        found
            .filter(|id| self.sees_group(user, *id))
            .ok_or_else(|| Refusal::not_found("Group"))
    }

    /// A project that was found before.
    pub(crate) fn project(&self, id: u64) -> Result<&Project> {
        self.projects.get(&id).ok_or_else(|| Refusal::not_found("Project"))
    }

    pub(crate) fn project_mut(&mut self, id: u64) -> Result<&mut Project> {
        self.projects.get_mut(&id).ok_or_else(|| Refusal::not_found("Project"))
    }
}
