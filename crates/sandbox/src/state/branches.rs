//! Branches and their protection.

use super::rights::{DEVELOPER, MAINTAINER};
use super::{Kind, State, names};
use crate::http::{Refusal, Result};

/// Who may push to and merge into the branches of a name or pattern.
#[derive(Debug, Clone)]
pub(crate) struct Protection {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// 0 nobody, 30, 40, 60 administrators
    pub(crate) push: u64,
    pub(crate) merge: u64,
    pub(crate) allow_force_push: bool,
}

impl Protection {
    pub(crate) fn covers(&self, branch: &str) -> bool {
        matches_pattern(&self.name, branch)
    }
}

/// `release-*` as GitLab understands it.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    if tail.is_empty() {
        return true;
    }
    (0..=rest.len())
        .filter(|at| rest.is_char_boundary(*at))
        .any(|at| matches_pattern(tail, &rest[at..]))
}

impl State {
    /// The protections that cover a branch.
    pub(crate) fn protections(&self, project: u64, branch: &str) -> Vec<&Protection> {
        let Ok(project) = self.project(project) else {
            return Vec::new();
        };
        project.protected.iter().filter(|p| p.covers(branch)).collect()
    }

    pub(crate) fn may_push(&self, user: u64, project: u64, branch: &str) -> bool {
        let level = self.project_level(Some(user), project);
        let protections = self.protections(project, branch);
        if protections.is_empty() {
            return level >= self.first_push_level(project, branch);
        }
        level >= DEVELOPER && protections.iter().any(|p| self.reaches(user, level, p.push))
    }

    pub(crate) fn may_merge_into(&self, user: u64, project: u64, branch: &str) -> bool {
        let level = self.project_level(Some(user), project);
        let protections = self.protections(project, branch);
        if protections.is_empty() {
            return level >= DEVELOPER;
        }
        let allowed = |p: &&Protection| self.reaches(user, level, p.push) || self.reaches(user, level, p.merge);
        level >= DEVELOPER && protections.iter().any(allowed)
    }

    fn reaches(&self, user: u64, level: u64, needed: u64) -> bool {
        match needed {
            0 => false,
            60 => self.is_admin(Some(user)),
            needed => level >= needed,
        }
    }

    /// The first push makes the default branch, so it needs what that branch's protection will demand.
    fn first_push_level(&self, project: u64, _branch: &str) -> u64 {
        let Ok(found) = self.project(project) else {
            return u64::MAX;
        };
        if found.repo.is_empty() && matches!(self.default_protection(project), 2 | 3) {
            MAINTAINER
        } else {
            DEVELOPER
        }
    }

    fn default_protection(&self, project: u64) -> u64 {
        let Ok(project) = self.project(project) else { return 2 };
        self.ancestors_of(project.owner)
            .next()
            .map_or(2, |g| g.default_branch_protection)
    }

    /// Fails as GitLab does when somebody may not push to a branch.
    pub(crate) fn need_to_push(&self, actor: u64, project: u64, branch: &str) -> Result<()> {
        if self.may_push(actor, project, branch) {
            return Ok(());
        }
        Err(Refusal::forbidden_because(
            "You are not allowed to push into this branch",
        ))
    }

    /// A protected branch keeps its history, unless its protection says otherwise.
    pub(crate) fn need_to_force(&self, project: u64, branch: &str, new: &str) -> Result<()> {
        let protections = self.protections(project, branch);
        let repo = &self.project(project)?.repo;
        let forward = repo.branch(branch).is_none_or(|head| repo.contains(new, &head.id));
        if forward || protections.is_empty() || protections.iter().any(|p| p.allow_force_push) {
            return Ok(());
        }
        let text = "You are not allowed to force push code to a protected branch on this project.";
        Err(Refusal::message(400, text))
    }

    /// Protects the default branch of a repository that just got its first commit.
    pub(crate) fn protect_first_branch(&mut self, project: u64, branch: &str) {
        let (push, merge) = match self.default_protection(project) {
            0 => return,
            1 => (DEVELOPER, MAINTAINER),
            3 => (MAINTAINER, DEVELOPER),
            _ => (MAINTAINER, MAINTAINER),
        };
        if !self.protections(project, branch).is_empty() {
            return;
        }
        let id = self.id(Kind::ProtectedBranch);
        if let Ok(project) = self.project_mut(project) {
            project.protected.push(Protection {
                id,
                name: branch.to_owned(),
                push,
                merge,
                allow_force_push: false,
            });
        }
    }

    pub(crate) fn create_branch(&mut self, actor: u64, project: u64, name: &str, from: &str) -> Result<()> {
        self.need(actor, project, DEVELOPER)?;
        self.need_writable(project)?;
        if !names::is_branch_name(name) {
            return Err(Refusal::message(400, "Branch name is invalid"));
        }
        let repo = &self.project(project)?.repo;
        if repo.branch(name).is_some() {
            return Err(Refusal::message(400, "Branch already exists"));
        }
        let start = repo.resolve(from);
        let start = start.ok_or_else(|| Refusal::message(400, format!("Invalid reference name: {from}")))?;
        if !self.protections(project, name).is_empty() {
            self.need_to_push(actor, project, name)?;
        }
        self.update_branch(actor, project, name, Some(&start.id))
    }

    pub(crate) fn delete_branch(&mut self, actor: u64, project: u64, name: &str) -> Result<()> {
        self.need(actor, project, DEVELOPER)?;
        self.need_writable(project)?;
        let found = self.project(project)?;
        if found.repo.branch(name).is_none() {
            return Err(Refusal::not_found("Branch"));
        }
        if found.default_branch_or_main() == name {
            return Err(Refusal::message(405, "Cannot remove HEAD branch"));
        }
        if !self.protections(project, name).is_empty() {
            return Err(Refusal::message(
                403,
                "403 Forbidden - Protected branch cannot be removed",
            ));
        }
        self.update_branch(actor, project, name, None)
    }

    pub(crate) fn protect_branch(&mut self, actor: u64, project: u64, wanted: Protection) -> Result<u64> {
        self.need(actor, project, MAINTAINER)?;
        if self.project(project)?.protected.iter().any(|p| p.name == wanted.name) {
            return Err(Refusal::message(
                409,
                format!("Protected branch '{}' already exists", wanted.name),
            ));
        }
        let id = self.id(Kind::ProtectedBranch);
        self.project_mut(project)?.protected.push(Protection { id, ..wanted });
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn stars_stand_for_anything() {
        assert!(matches_pattern("main", "main"));
        assert!(!matches_pattern("main", "main2"));
        assert!(matches_pattern("release-*", "release-1.0"));
        assert!(matches_pattern("*-stable", "1-0-stable"));
        assert!(!matches_pattern("*-stable", "stable"));
    }
}
