//! Memberships of groups and projects.

use super::rights::{LEVELS, MAINTAINER, OWNER, level_name};
use super::{Kind, Place, State};
use crate::hooks::happened;
use crate::http::{Refusal, Result};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::collections::BTreeMap;

/// One person's direct membership.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) level: u64,
    pub(crate) expires_at: Option<Date>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: u64,
}

impl Member {
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at
            .is_some_and(|date| now.to_zoned(TimeZone::UTC).date() >= date)
    }
}

/// Direct members by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(BTreeMap<u64, Member>);

impl Members {
    pub(crate) fn get(&self, user: &u64) -> Option<&Member> {
        self.0.get(user)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.values()
    }

    pub(crate) fn set(&mut self, id: u64, user: u64, level: u64, expires_at: Option<Date>, at: Timestamp, by: u64) {
        self.0.insert(
            user,
            Member {
                id,
                user,
                level,
                expires_at,
                created_at: at,
                created_by: by,
            },
        );
    }

    fn get_mut(&mut self, user: u64) -> Option<&mut Member> {
        self.0.get_mut(&user)
    }

    fn remove(&mut self, user: u64) -> Option<Member> {
        self.0.remove(&user)
    }
}

/// Where somebody is a member: a group or a project.
pub(crate) type Source = Place;

impl State {
    pub(crate) fn direct_members(&self, source: Source) -> Option<&Members> {
        match source {
            Place::Group(id) => self.groups.get(&id).map(|g| &g.members),
            Place::Project(id) => self.projects.get(&id).map(|p| &p.members),
            Place::User(_) => None,
        }
    }

    fn direct_members_mut(&mut self, source: Source) -> Option<&mut Members> {
        match source {
            Place::Group(id) => self.groups.get_mut(&id).map(|g| &mut g.members),
            Place::Project(id) => self.projects.get_mut(&id).map(|p| &mut p.members),
            Place::User(_) => None,
        }
    }

    pub(crate) fn level_in(&self, user: Option<u64>, source: Source) -> u64 {
        match source {
            Place::Group(id) => self.group_level(user, id),
            Place::Project(id) => self.project_level(user, id),
            Place::User(_) => 0,
        }
    }

    /// Everybody with a role here: direct, inherited and through invited groups, each once with the highest level.
    pub(crate) fn all_members(&self, source: Source) -> Vec<Member> {
        let mut best: BTreeMap<u64, Member> = BTreeMap::new();
        let mut offer = |member: &Member, level: u64| {
            let entry = best.entry(member.user).or_insert_with(|| Member {
                level,
                ..member.clone()
            });
            if level > entry.level {
                *entry = Member {
                    level,
                    ..member.clone()
                };
            }
        };
        let (namespace, shares) = match source {
            Place::Project(id) => {
                let Some(project) = self.projects.get(&id) else {
                    return Vec::new();
                };
                project.members.iter().for_each(|m| offer(m, m.level));
                (project.owner, project.shared_with.clone())
            }
            other => (other, Vec::new()),
        };
        let mut shares = shares;
        for group in self.ancestors_of(namespace) {
            group.members.iter().for_each(|m| offer(m, m.level));
            shares.extend(group.shared_with.iter().cloned());
        }
        for share in shares {
            for group in self.ancestors_of(Place::Group(share.group)) {
                group.members.iter().for_each(|m| offer(m, m.level.min(share.level)));
            }
        }
        let today = self.today();
        best.into_values().filter(|m| !m.is_expired(today)).collect()
    }

    /// Adds a direct member, with all of GitLab's refusals.
    pub(crate) fn add_member(
        &mut self,
        actor: u64,
        source: Source,
        user: u64,
        level: u64,
        expires_at: Option<Date>,
    ) -> Result<()> {
        self.need_to_manage_members(actor, source, level)?;
        if !LEVELS.contains(&level) {
            return Err(Refusal::invalid("access_level", &["is not included in the list"]));
        }
        if !self.users.contains_key(&user) {
            return Err(Refusal::not_found("User"));
        }
        if self.membership_is_locked(source) {
            return Err(Refusal::message(405, "405 Method Not Allowed"));
        }
        if self.direct_members(source).is_some_and(|m| m.get(&user).is_some()) {
            return Err(Refusal::message(409, "Member already exists"));
        }
        self.check_not_below_inherited(source, user, level)?;
        self.enter_member(actor, source, user, level, expires_at);
        Ok(())
    }

    /// Enters a member; rights and rules were checked before.
    pub(crate) fn enter_member(&mut self, actor: u64, source: Source, user: u64, level: u64, expires_at: Option<Date>) {
        let (id, at) = (self.id(Kind::Member), self.now());
        if let Some(members) = self.direct_members_mut(source) {
            members.set(id, user, level, expires_at, at, actor);
        }
        happened::member(self, source, user, level, "add", expires_at);
    }

    fn need_to_manage_members(&self, actor: u64, source: Source, level: u64) -> Result<()> {
        let own = self.level_in(Some(actor), source);
        let least = if matches!(source, Place::Group(_)) {
            OWNER
        } else {
            MAINTAINER
        };
        if own < least || level > own {
            Err(Refusal::forbidden())
        } else {
            Ok(())
        }
    }

    fn membership_is_locked(&self, source: Source) -> bool {
        match source {
            Place::Project(id) => self
                .projects
                .get(&id)
                .is_some_and(|p| self.ancestors_of(p.owner).any(|g| g.membership_lock)),
            Place::Group(_) | Place::User(_) => false,
        }
    }

    fn check_not_below_inherited(&self, source: Source, user: u64, level: u64) -> Result<()> {
        let above = match source {
            Place::Project(id) => self.projects.get(&id).map(|p| p.owner),
            Place::Group(id) => self.groups.get(&id).and_then(|g| g.parent).map(Place::Group),
            Place::User(_) => None,
        };
        let highest = above
            .into_iter()
            .flat_map(|place| self.ancestors_of(place))
            .filter_map(|g| g.members.get(&user).map(|m| (m.level, g.name.clone())))
            .max();
        match highest {
            Some((inherited, group)) if level < inherited => Err(Refusal::invalid(
                "access_level",
                &[&format!(
                    "should be greater than or equal to {} inherited membership from group {group}",
                    level_name(inherited)
                )],
            )),
            _ => Ok(()),
        }
    }

    /// Changes a direct member's level or end.
    pub(crate) fn edit_member(
        &mut self,
        actor: u64,
        source: Source,
        user: u64,
        level: u64,
        expires_at: Option<Option<Date>>,
    ) -> Result<()> {
        self.need_to_manage_members(actor, source, level)?;
        let member = self
            .direct_members(source)
            .and_then(|m| m.get(&user))
            .ok_or_else(not_a_member)?;
        if member.level > self.level_in(Some(actor), source) {
            return Err(Refusal::forbidden());
        }
        if level < OWNER {
            self.check_not_last_owner(source, user)?;
        }
        self.check_not_below_inherited(source, user, level)?;
        let mut ends = None;
        if let Some(member) = self.direct_members_mut(source).and_then(|m| m.get_mut(user)) {
            member.level = level;
            if let Some(expires_at) = expires_at {
                member.expires_at = expires_at;
            }
            ends = member.expires_at;
        }
        happened::member(self, source, user, level, "update", ends);
        Ok(())
    }

    /// Removes a direct member; people may always leave by themselves.
    pub(crate) fn remove_member(&mut self, actor: u64, source: Source, user: u64) -> Result<()> {
        let member = self
            .direct_members(source)
            .and_then(|m| m.get(&user))
            .ok_or_else(not_a_member)?;
        let level = member.level;
        if actor != user {
            self.need_to_manage_members(actor, source, level)?;
        }
        self.check_not_last_owner(source, user)?;
        let removed = self.direct_members_mut(source).and_then(|m| m.remove(user));
        happened::member(self, source, user, level, "remove", removed.and_then(|m| m.expires_at));
        Ok(())
    }

    fn check_not_last_owner(&self, source: Source, user: u64) -> Result<()> {
        let Place::Group(_) = source else { return Ok(()) };
        let Some(members) = self.direct_members(source) else {
            return Ok(());
        };
        let owners: Vec<u64> = members.iter().filter(|m| m.level == OWNER).map(|m| m.user).collect();
        if owners == [user] {
            Err(Refusal::forbidden())
        } else {
            Ok(())
        }
    }
}

fn not_a_member() -> Refusal {
    Refusal::nothing_here()
}
