//! Projects: creation with all its rules, changes, archiving, moving, deletion in two steps.

use super::boards::Board;
use super::branches::Protection;
use super::groups::Share;
use super::issues::Issue;
use super::members::Members;
use super::merge_requests::MergeRequest;
use super::rights::{MAINTAINER, OWNER};
use super::{Kind, Place, State, names};
use crate::git::Repo;
use crate::hooks::{Hook, happened};
use crate::http::{Refusal, Result};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;
use std::collections::BTreeMap;

/// A project with everything in it.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: u64,
    /// The project's own namespace, as group hooks show it.
    pub(crate) project_namespace: u64,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) full_path: String,
    pub(crate) owner: Place,
    pub(crate) namespace: u64,
    pub(crate) creator: u64,
    pub(crate) description: Option<String>,
    pub(crate) visibility: String,
    pub(crate) topics: Vec<String>,
    pub(crate) archived: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_activity_at: Timestamp,
    pub(crate) default_branch: Option<String>,
    /// Access levels of features: `issues`, `merge_requests`, `repository`, `wiki`… to `enabled`, `private`, `disabled`.
    pub(crate) features: BTreeMap<String, String>,
    /// Settings that are stored and shown and change nothing else.
    pub(crate) settings: BTreeMap<String, serde_json::Value>,
    pub(crate) merge_method: String,
    pub(crate) squash_option: String,
    pub(crate) remove_source_branch_after_merge: bool,
    pub(crate) autoclose_referenced_issues: bool,
    pub(crate) marked_for_deletion_on: Option<Date>,
    pub(crate) repo: Repo,
    pub(crate) protected: Vec<Protection>,
    pub(crate) members: Members,
    pub(crate) shared_with: Vec<Share>,
    pub(crate) labels: Vec<u64>,
    pub(crate) issues: BTreeMap<u64, Issue>,
    pub(crate) merge_requests: BTreeMap<u64, MergeRequest>,
    pub(crate) links: Vec<super::links::IssueLink>,
    pub(crate) boards: Vec<Board>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) badges: Vec<Badge>,
    last_issue_iid: u64,
    last_merge_request_iid: u64,
}

/// A picture with a link at the top of a project.
#[derive(Debug, Clone)]
pub(crate) struct Badge {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) link_url: String,
    pub(crate) image_url: String,
}

/// What a new project is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewProject {
    pub(crate) name: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) namespace: Option<u64>,
    pub(crate) description: Option<String>,
    pub(crate) visibility: Option<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) initialize_with_readme: bool,
    pub(crate) default_branch: Option<String>,
}

impl Project {
    /// The branch a visitor sees first; an empty repository has the name it would get.
    pub(crate) fn default_branch_or_main(&self) -> &str {
        self.default_branch.as_deref().unwrap_or("main")
    }

    /// The next free number of an issue, or the one that was asked for.
    pub(crate) fn take_issue_iid(&mut self, wanted: Option<u64>) -> Result<u64> {
        let iid = wanted.unwrap_or(self.last_issue_iid + 1);
        if self.issues.contains_key(&iid) {
            return Err(Refusal::message(409, "Duplicated issue"));
        }
        self.last_issue_iid = self.last_issue_iid.max(iid);
        Ok(iid)
    }

    pub(crate) fn take_merge_request_iid(&mut self) -> u64 {
        self.last_merge_request_iid += 1;
        self.last_merge_request_iid
    }

    /// Access level of a feature, `enabled` unless set otherwise.
    pub(crate) fn feature(&self, name: &str) -> &str {
        self.features.get(name).map_or("enabled", String::as_str)
    }
}

impl State {
    /// Creates a project in a namespace (a group's or user's id; none means the actor's own).
    pub(crate) fn create_project(&mut self, actor: u64, new: NewProject) -> Result<u64> {
        let own = self.users.get(&actor).map(|u| u.namespace).unwrap_or_default();
        let namespace = new.namespace.unwrap_or(own);
        let owner = self
            .namespace_place(namespace)
            .filter(|place| self.may_create_project_in(actor, *place));
        let owner = owner.ok_or_else(|| Refusal::invalid("namespace", &["is not valid"]))?;
        let path = new
            .path
            .clone()
            .or_else(|| new.name.as_deref().map(names::path_from_name))
            .unwrap_or_default();
        let name = new.name.clone().unwrap_or_else(|| path.clone());
        names::check_project(&name, &path)?;
        check_project_description(new.description.as_deref())?;
        self.check_free(namespace, owner, &name, &path, None)?;
        let visibility = self.new_visibility(owner, new.visibility.as_deref())?;
        let full_path = format!("{}/{path}", self.namespace_path(owner));
        let (id, project_namespace, now) = (self.id(Kind::Project), self.id(Kind::Namespace), self.now());
        let shown_name = name.clone();
        let default_branch = new.default_branch.clone().filter(|_| new.initialize_with_readme);
        let project = Project {
            id,
            project_namespace,
            name,
            path,
            full_path: full_path.clone(),
            owner,
            namespace,
            creator: actor,
            description: new.description.clone(),
            visibility,
            topics: tidy_topics(new.topics),
            archived: false,
            created_at: now,
            updated_at: now,
            last_activity_at: now,
            default_branch: None,
            features: BTreeMap::new(),
            settings: BTreeMap::new(),
            merge_method: "merge".to_owned(),
            squash_option: "default_off".to_owned(),
            remove_source_branch_after_merge: true,
            autoclose_referenced_issues: true,
            marked_for_deletion_on: None,
            repo: Repo::default(),
            protected: Vec::new(),
            members: Members::default(),
            shared_with: Vec::new(),
            labels: Vec::new(),
            issues: BTreeMap::new(),
            merge_requests: BTreeMap::new(),
            links: Vec::new(),
            boards: Vec::new(),
            hooks: Vec::new(),
            badges: Vec::new(),
            last_issue_iid: 0,
            last_merge_request_iid: 0,
        };
        self.projects.insert(id, project);
        self.put_place(&full_path, Place::Project(id));
        self.put_project_in(namespace, &shown_name, id);
        happened::project(self, id, "project_create", None);
        if new.initialize_with_readme {
            self.write_first_readme(actor, id, default_branch.as_deref().unwrap_or("main"))?;
        }
        Ok(id)
    }

    /// What a namespace id stands for.
    pub(crate) fn namespace_place(&self, namespace: u64) -> Option<Place> {
        if self.groups.contains_key(&namespace) {
            return Some(Place::Group(namespace));
        }
        self.users
            .values()
            .find(|u| u.namespace == namespace)
            .map(|u| Place::User(u.id))
    }

    pub(crate) fn namespace_path(&self, owner: Place) -> String {
        match owner {
            Place::Group(id) => self.groups.get(&id).map(|g| g.full_path.clone()).unwrap_or_default(),
            Place::User(id) => self.username(id),
            Place::Project(id) => self.projects.get(&id).map(|p| p.full_path.clone()).unwrap_or_default(),
        }
    }

    /// Names and paths are unique in a namespace, whatever their case.
    fn check_free(&self, namespace: u64, owner: Place, name: &str, path: &str, but: Option<u64>) -> Result<()> {
        let full_path = format!("{}/{path}", self.namespace_path(owner));
        let path_taken = self
            .place(&full_path)
            .is_some_and(|p| but.is_none_or(|id| p != Place::Project(id)));
        let name_taken = self.project_named(namespace, name).is_some_and(|id| Some(id) != but);
        if !path_taken && !name_taken {
            return Ok(());
        }
        let taken = json!(["has already been taken"]);
        let mut faults = serde_json::Map::new();
        if name_taken {
            faults.insert("project_namespace.name".to_owned(), taken.clone());
        }
        if path_taken {
            faults.insert("project_namespace.path".to_owned(), taken.clone());
        }
        if name_taken {
            faults.insert("name".to_owned(), taken.clone());
        }
        if path_taken {
            faults.insert("path".to_owned(), taken);
        }
        Err(Refusal::message(400, faults))
    }

    fn new_visibility(&self, owner: Place, wanted: Option<&str>) -> Result<String> {
        let Some(wanted) = wanted else {
            return Ok("private".to_owned());
        };
        let Place::Group(group) = owner else {
            return Ok(wanted.to_owned());
        };
        let limit = self.groups.get(&group).map_or("public", |g| g.visibility.as_str());
        if visibility_level(wanted) > visibility_level(limit) {
            let text = format!("{wanted} is not allowed in a {limit} group.");
            return Err(Refusal::invalid("visibility_level", &[&text]));
        }
        Ok(wanted.to_owned())
    }

    pub(crate) fn set_visibility(&mut self, actor: u64, id: u64, wanted: &str) -> Result<()> {
        let project = self.project(id)?;
        let (owner, is_already) = (project.owner, project.visibility == wanted);
        // Naming it is enough, whether or not it changes.
        self.need(actor, id, OWNER)?;
        if is_already {
            return Ok(());
        }
        let visibility = self.new_visibility(owner, Some(wanted))?;
        self.project_mut(id)?.visibility = visibility;
        Ok(())
    }

    /// Changes the display name and the path; the old path answers with a redirect from then on.
    pub(crate) fn rename_project(&mut self, id: u64, name: Option<&str>, path: Option<&str>) -> Result<()> {
        let project = self.project(id)?;
        let (namespace, owner, old) = (project.namespace, project.owner, project.full_path.clone());
        let name = name.unwrap_or(&project.name).to_owned();
        let path = path.unwrap_or(&project.path).to_owned();
        let same_path = path == project.path;
        names::check_project(&name, &path)?;
        self.check_free(namespace, owner, &name, &path, Some(id))?;
        let new = format!("{}/{path}", self.namespace_path(owner));
        self.set_project_name(id, &name)?;
        self.project_mut(id)?.path = path;
        if !same_path {
            self.set_project_path(id, &old, &new);
            happened::project(self, id, "project_rename", Some(&old));
        }
        Ok(())
    }

    fn set_project_name(&mut self, id: u64, name: &str) -> Result<()> {
        let project = self.project(id)?;
        let (namespace, old) = (project.namespace, project.name.clone());
        self.take_project_out(namespace, &old, id);
        self.put_project_in(namespace, name, id);
        self.project_mut(id)?.name = name.to_owned();
        Ok(())
    }

    /// Moves the address of a project and leaves a redirect.
    pub(crate) fn set_project_path(&mut self, id: u64, old: &str, new: &str) {
        self.drop_place(old);
        self.put_redirect(old, id);
        self.put_place(new, Place::Project(id));
        if let Some(project) = self.projects.get_mut(&id) {
            project.full_path = new.to_owned();
        }
    }

    pub(crate) fn archive(&mut self, actor: u64, id: u64, archived: bool) -> Result<()> {
        let word = if archived { "archive" } else { "unarchive" };
        if self.project_level(Some(actor), id) < OWNER {
            return Err(Refusal::forbidden());
        }
        let owner = self.project(id)?.owner;
        if self.ancestors_of(owner).any(|g| g.archived) {
            let text = format!("Cannot {word} project since one of the ancestors is already archived.");
            return Err(Refusal::message(422, text));
        }
        let now = self.now();
        let project = self.project_mut(id)?;
        project.archived = archived;
        project.updated_at = now;
        self.special.insert(id);
        happened::project(self, id, "project_update", None);
        Ok(())
    }

    /// Moves a project to another namespace, given by number or path.
    pub(crate) fn transfer(&mut self, actor: u64, id: u64, namespace: &str) -> Result<()> {
        self.need(actor, id, OWNER)?;
        let place = match namespace.parse::<u64>() {
            Ok(number) => self.namespace_place(number),
            Err(_) => self.place(namespace),
        };
        let target = place.filter(|p| self.may_create_project_in(actor, *p));
        let target = target.ok_or_else(|| Refusal::not_found("Namespace"))?;
        let project = self.project(id)?;
        let (old_namespace, old) = (project.namespace, project.full_path.clone());
        let (name, path) = (project.name.clone(), project.path.clone());
        let new_namespace = match target {
            Place::Group(group) => group,
            Place::User(user) => self.users.get(&user).map(|u| u.namespace).unwrap_or_default(),
            Place::Project(_) => return Err(Refusal::not_found("Namespace")),
        };
        if new_namespace == old_namespace {
            return Err(Refusal::message(400, "Project is already in this namespace."));
        }
        self.check_free(new_namespace, target, &name, &path, Some(id))
            .map_err(|_| Refusal::message(400, "Project with same name or path in target namespace already exists"))?;
        let new = format!("{}/{path}", self.namespace_path(target));
        self.set_project_path(id, &old, &new);
        self.take_project_out(old_namespace, &name, id);
        self.put_project_in(new_namespace, &name, id);
        let project = self.project_mut(id)?;
        project.owner = target;
        project.namespace = new_namespace;
        happened::project(self, id, "project_transfer", Some(&old));
        Ok(())
    }

    /// Marks a project for deletion: it is renamed, its old path is free at once.
    pub(crate) fn mark_for_deletion(&mut self, actor: u64, id: u64) -> Result<()> {
        self.need(actor, id, OWNER)?;
        let project = self.project(id)?;
        if project.marked_for_deletion_on.is_some() {
            return Err(Refusal::message(400, "Project has already been marked for deletion"));
        }
        let (name, path, old) = (project.name.clone(), project.path.clone(), project.full_path.clone());
        let today = self.today().to_zoned(TimeZone::UTC).date();
        let new_path = format!("{path}-deletion_scheduled-{id}");
        let new = format!("{}/{new_path}", self.namespace_path(project.owner));
        self.set_project_path(id, &old, &new);
        self.set_project_name(id, &format!("{name}-deletion_scheduled-{id}"))?;
        let project = self.project_mut(id)?;
        project.path = new_path;
        project.marked_for_deletion_on = Some(today);
        self.special.insert(id);
        happened::project(self, id, "project_rename", Some(&old));
        Ok(())
    }

    /// Takes the mark back; the old name and path return if they are still free.
    pub(crate) fn restore(&mut self, actor: u64, id: u64) -> Result<()> {
        self.need(actor, id, OWNER)?;
        let project = self.project(id)?;
        if project.marked_for_deletion_on.is_none() {
            return Err(Refusal::message(400, "Project has not been marked for deletion"));
        }
        let suffix = format!("-deletion_scheduled-{id}");
        let name = project.name.strip_suffix(&suffix).unwrap_or(&project.name).to_owned();
        let path = project.path.strip_suffix(&suffix).unwrap_or(&project.path).to_owned();
        let free = self
            .check_free(project.namespace, project.owner, &name, &path, Some(id))
            .is_ok();
        self.project_mut(id)?.marked_for_deletion_on = None;
        if free {
            self.rename_project(id, Some(&name), Some(&path))
        } else {
            Ok(())
        }
    }

    /// Really deletes what was marked long enough ago; called when the clock moves.
    pub(crate) fn delete_due_projects(&mut self) {
        let limit = SignedDuration::from_hours(24 * self.config.deletion_delay_days);
        let now = self.today();
        let due: Vec<u64> = self
            .projects
            .values()
            .filter(|p| {
                p.marked_for_deletion_on
                    .and_then(|d| d.to_zoned(TimeZone::UTC).ok())
                    .is_some_and(|d| d.timestamp().saturating_add(limit).is_ok_and(|end| end <= now))
            })
            .map(|p| p.id)
            .collect();
        for id in due {
            self.destroy_project(id);
        }
    }

    /// The real end of a project.
    pub(crate) fn destroy_project(&mut self, id: u64) {
        happened::project(self, id, "project_destroy", None);
        if let Some(project) = self.projects.remove(&id) {
            self.drop_place(&project.full_path);
            self.take_project_out(project.namespace, &project.name, id);
            for label in project.labels {
                self.labels.remove(&label);
            }
        }
    }

    /// `last_activity_at` moves at most once an hour.
    pub(crate) fn touch_activity(&mut self, id: u64) {
        let now = self.today();
        if let Some(project) = self.projects.get_mut(&id)
            && now.duration_since(project.last_activity_at) >= SignedDuration::from_hours(1)
        {
            project.last_activity_at = now;
        }
    }

    pub(crate) fn add_badge(&mut self, actor: u64, id: u64, badge: Badge) -> Result<u64> {
        self.need(actor, id, MAINTAINER)?;
        let badge_id = self.id(Kind::Badge);
        self.project_mut(id)?.badges.push(Badge { id: badge_id, ..badge });
        Ok(badge_id)
    }
}

/// 0, 10 or 20.
pub(crate) fn visibility_level(visibility: &str) -> u64 {
    match visibility {
        "public" => 20,
        "internal" => 10,
        _ => 0,
    }
}

pub(crate) fn check_project_description(text: Option<&str>) -> Result<()> {
    if text.is_some_and(|t| t.chars().count() > 2000) {
        return Err(Refusal::invalid(
            "description",
            &["is too long (maximum is 2000 characters)"],
        ));
    }
    Ok(())
}

/// Topics without doubles (whatever their case) and blanks.
pub(crate) fn tidy_topics(topics: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    topics
        .into_iter()
        .map(|t| t.trim().to_owned())
        .filter(|t| !t.is_empty() && seen.insert(t.to_lowercase()))
        .collect()
}
