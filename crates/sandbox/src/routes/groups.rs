//! Groups and what is in them.

use super::{Call, Route};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::groups::{NewGroup, Share};
use crate::state::projects::Project;
use crate::state::rights::{GUEST, LEVELS, OWNER};
use crate::state::{Place, State};
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeSet;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/groups", list),
    ("POST", "/groups", create),
    ("GET", "/groups/:id", get),
    ("PUT", "/groups/:id", update),
    ("DELETE", "/groups/:id", delete),
    ("POST", "/groups/:id/transfer", transfer),
    ("POST", "/groups/:id/archive", archive),
    ("POST", "/groups/:id/unarchive", archive),
    ("POST", "/groups/:id/share", share),
    ("DELETE", "/groups/:id/share/:group", unshare),
    ("GET", "/groups/:id/projects", projects),
    ("GET", "/groups/:id/subgroups", subgroups),
    ("GET", "/groups/:id/descendant_groups", descendants),
];

fn list(call: &mut Call<'_>) -> Result {
    let params = call.params;
    let search = params.filled("search").map(|s| s.to_lowercase());
    let (owned, top) = (params.is_set("owned")?, params.is_set("top_level_only")?);
    let least = params.number("min_access_level")?.unwrap_or(0);
    params.accept(&[
        "all_available",
        "order_by",
        "sort",
        "statistics",
        "visibility",
        "skip_groups",
    ]);
    let page = call.page()?;
    let state = &*call.state;
    let user = call.user;
    let mut found: Vec<u64> = state
        .groups
        .values()
        .filter(|g| state.sees_group(user, g.id))
        .filter(|g| {
            search
                .as_ref()
                .is_none_or(|s| g.full_path.to_lowercase().contains(s) || g.name.to_lowercase().contains(s))
        })
        .filter(|g| !owned || state.group_level(user, g.id) >= OWNER)
        .filter(|g| !top || g.parent.is_none())
        .filter(|g| least == 0 || state.group_level(user, g.id) >= least)
        .map(|g| g.id)
        .collect();
    found.sort_by_key(|id| state.groups.get(id).map(|g| g.name.to_lowercase()));
    page.of(&found, |id| {
        state.groups.get(id).map(|g| show::group(state, g)).unwrap_or_default()
    })
}

fn create(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let params = call.params;
    let new = NewGroup {
        name: params.required("name")?,
        path: params.required("path")?,
        parent: params.number("parent_id")?,
        description: params.text("description").unwrap_or_default(),
        visibility: params.one_of("visibility", &["private", "internal", "public"])?,
    };
    let id = call.state.create_group(actor, new)?;
    show_group(call, id, 201)
}

fn get(call: &mut Call<'_>) -> Result {
    call.params.accept(&["with_custom_attributes", "with_projects"]);
    let id = call.group()?;
    show_group(call, id, 200)
}

fn show_group(call: &Call<'_>, id: u64, status: u16) -> Result {
    let group = call.state.groups.get(&id).ok_or_else(|| Refusal::not_found("Group"))?;
    Ok(Answer::json(status, show::group(call.state, group)))
}

fn update(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let id = call.group()?;
    let params = call.params;
    call.state.need_in_group(actor, id, OWNER)?;
    if let Some(path) = params.filled("path") {
        call.state.rename_group(actor, id, &path)?;
    }
    let levels = ["noone", "administrator", "owner", "maintainer", "developer"];
    let creation = params.one_of("project_creation_level", &levels)?;
    let visibility = params.one_of("visibility", &["private", "internal", "public"])?;
    let protection = params.number("default_branch_protection")?;
    let lock = params.flag("membership_lock")?;
    if let Some(group) = call.state.groups.get_mut(&id) {
        group.name = params.filled("name").unwrap_or_else(|| group.name.clone());
        group.description = params.text("description").unwrap_or_else(|| group.description.clone());
        group.project_creation_level = creation.unwrap_or_else(|| group.project_creation_level.clone());
        group.visibility = visibility.unwrap_or_else(|| group.visibility.clone());
        group.default_branch_protection = protection.unwrap_or(group.default_branch_protection);
        group.membership_lock = lock.unwrap_or(group.membership_lock);
    }
    show_group(call, id, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let id = call.group()?;
    call.state.destroy_group(actor, id)?;
    Ok(Answer::json(202, json!({ "message": "202 Accepted" })))
}

/// Moves a group below another, or to the top when no `group_id` is given.
fn transfer(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.group()?);
    let target = call.params.filled("group_id");
    let target = target.map(|t| call.state.find_group(call.user, &t)).transpose()?;
    call.state.transfer_group(actor, id, target)?;
    show_group(call, id, 201)
}

/// Everything below an archived group is read-only.
fn archive(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.group()?);
    call.state.need_in_group(actor, id, OWNER)?;
    let archived = call.path.ends_with("/archive");
    if let Some(group) = call.state.groups.get_mut(&id) {
        if group.archived == archived {
            let text = if archived {
                "Group is already archived!"
            } else {
                "Group is already unarchived!"
            };
            return Err(Refusal::message(422, text));
        }
        group.archived = archived;
    }
    show_group(call, id, 201)
}

fn share(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.group()?);
    call.state.need_in_group(actor, id, OWNER)?;
    let share = read_share(call)?;
    let known = call
        .state
        .groups
        .get_mut(&id)
        .ok_or_else(|| Refusal::not_found("Group"))?;
    if known.shared_with.iter().any(|s| s.group == share.group) {
        return Err(Refusal::message(409, "Group has already been shared"));
    }
    known.shared_with.push(share);
    show_group(call, id, 201)
}

/// Which group is invited, with which level and until when.
pub(super) fn read_share(call: &Call<'_>) -> Result<Share> {
    let group = call.params.required_number("group_id")?;
    let level = call.params.required_number("group_access")?;
    let expires_at = super::users::date(call.params.filled("expires_at").as_deref(), "expires_at")?;
    if !LEVELS.contains(&level) {
        return Err(Refusal::error(400, "group_access does not have a valid value"));
    }
    if !call.state.sees_group(call.user, group) {
        return Err(Refusal::not_found("Group"));
    }
    Ok(Share {
        group,
        level,
        expires_at,
    })
}

fn unshare(call: &mut Call<'_>) -> Result {
    let (actor, id, shared) = (call.actor()?, call.group()?, call.number(1)?);
    call.state.need_in_group(actor, id, OWNER)?;
    let group = call
        .state
        .groups
        .get_mut(&id)
        .ok_or_else(|| Refusal::not_found("Group"))?;
    if !group.shared_with.iter().any(|s| s.group == shared) {
        return Err(Refusal::not_found("Group Link"));
    }
    group.shared_with.retain(|s| s.group != shared);
    Ok(Answer::no_content())
}

fn projects(call: &mut Call<'_>) -> Result {
    let group = call.group()?;
    let params = call.params;
    let deep = params.is_set("include_subgroups")?;
    let shared = params.flag("with_shared")?.unwrap_or(true);
    let simple = params.is_set("simple")?;
    let wanted = ProjectFilter::read(call.user, params)?;
    let page = call.page()?;
    let state = &*call.state;
    let mut found: Vec<&Project> = projects_below(state, group, deep);
    if shared {
        found.extend(
            state
                .projects
                .values()
                .filter(|p| p.shared_with.iter().any(|s| s.group == group)),
        );
    }
    found.retain(|p| wanted.takes(state, p));
    wanted.sort(&mut found);
    let user = call.user;
    let shown = |p: &&Project| {
        if simple {
            show::simple_project(state, user, p)
        } else {
            show::project(state, user, p, false)
        }
    };
    if page.is_keyset() {
        return page.keyset_of(&found, |p| p.id.to_string(), shown);
    }
    page.of(&found, shown)
}

/// Whether a text holds a word in lower case, whatever its own case.
fn holds(text: &str, word: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    let mut places = text.as_bytes().windows(word.len().max(1));
    word.is_empty() || places.any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// The projects of a group, and with `deep` those of the groups below it.
pub(super) fn projects_below(state: &State, group: u64, deep: bool) -> Vec<&Project> {
    let mut groups = vec![group];
    if deep {
        groups.extend(groups_below(state, group));
    }
    let count: usize = groups.iter().map(|g| state.projects_in(*g).count()).sum();
    // Where most projects are wanted, going through all of them is quicker than looking each one up.
    if count * 4 > state.projects.len() {
        let groups: BTreeSet<u64> = groups.into_iter().collect();
        return state
            .projects
            .values()
            .filter(|p| groups.contains(&p.namespace))
            .collect();
    }
    groups
        .into_iter()
        .flat_map(|g| state.projects_in(g))
        .filter_map(|id| state.projects.get(&id))
        .collect()
}

pub(super) fn groups_below(state: &State, group: u64) -> Vec<u64> {
    let below = |id: &u64| state.ancestors_of(Place::Group(*id)).skip(1).any(|g| g.id == group);
    state.groups.keys().copied().filter(below).collect()
}

/// The filters that lists of projects share.
pub(super) struct ProjectFilter {
    user: Option<u64>,
    archived: Option<bool>,
    active: Option<bool>,
    search: Option<String>,
    visibility: Option<String>,
    topic: Option<Vec<String>>,
    owned: bool,
    least: u64,
    order_by: String,
    ascending: bool,
    /// What was found out about the last namespace: its number, the user's level there, and whether it is archived. Lists
    /// mostly stay within one.
    namespace: Cell<Option<(u64, u64, bool)>>,
}

impl ProjectFilter {
    pub(super) fn read(user: Option<u64>, params: &Params) -> Result<Self> {
        params.accept(&[
            "with_custom_attributes",
            "with_issues_enabled",
            "with_merge_requests_enabled",
            "starred",
            "statistics",
        ]);
        params.accept(&[
            "membership",
            "search_namespaces",
            "with_security_reports",
            "with_programming_language",
        ]);
        let orders = [
            "id",
            "name",
            "path",
            "created_at",
            "updated_at",
            "similarity",
            "star_count",
            "last_activity_at",
        ];
        Ok(Self {
            user,
            archived: params.flag("archived")?,
            active: params.flag("active")?,
            search: params.filled("search").map(|s| s.to_lowercase()),
            visibility: params.one_of("visibility", &["private", "internal", "public"])?,
            topic: params.words("topic"),
            owned: params.is_set("owned")?,
            least: params.number("min_access_level")?.unwrap_or(0),
            order_by: params
                .one_of("order_by", &orders)?
                .unwrap_or_else(|| "created_at".to_owned()),
            ascending: params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc"),
            namespace: Cell::default(),
        })
    }

    /// Level in and state of a project's namespace.
    fn namespace(&self, state: &State, project: &Project) -> (u64, bool) {
        if let Some((_, level, archived)) = self.namespace.get().filter(|(id, ..)| *id == project.namespace) {
            return (level, archived);
        }
        let archived = state.ancestors_of(project.owner).any(|g| g.archived);
        let level = match project.owner {
            Place::Group(group) => state.group_level(self.user, group),
            _ => 0,
        };
        self.namespace.set(Some((project.namespace, level, archived)));
        (level, archived)
    }

    pub(super) fn level(&self, state: &State, project: &Project) -> u64 {
        let (level, _) = self.namespace(state, project);
        if level >= OWNER {
            level
        } else {
            state.project_level(self.user, project.id)
        }
    }

    pub(super) fn takes(&self, state: &State, project: &Project) -> bool {
        let (namespace_level, namespace_archived) = self.namespace(state, project);
        let archived = project.archived || namespace_archived;
        let active = !archived && project.marked_for_deletion_on.is_none();
        (namespace_level >= GUEST || state.sees_project(self.user, project))
            && self.archived.is_none_or(|wanted| wanted == archived)
            && self.active.is_none_or(|wanted| wanted == active)
            && self.visibility.as_ref().is_none_or(|v| *v == project.visibility)
            && self
                .topic
                .as_ref()
                .is_none_or(|t| t.iter().all(|t| project.topics.contains(t)))
            && (self.least == 0 || self.level(state, project) >= self.least)
            && (!self.owned || self.level(state, project) >= OWNER)
            && self.search.as_ref().is_none_or(|s| {
                let fields = [Some(&project.name), Some(&project.path), project.description.as_ref()];
                fields.into_iter().flatten().any(|f| holds(f, s))
            })
    }

    pub(super) fn sort(&self, found: &mut [&Project]) {
        match self.order_by.as_str() {
            "name" => found.sort_by_cached_key(|p| (p.name.to_lowercase(), p.id)),
            "path" => found.sort_by_cached_key(|p| (p.path.clone(), p.id)),
            "updated_at" => found.sort_by_key(|p| (p.updated_at, p.id)),
            "last_activity_at" => found.sort_by_key(|p| (p.last_activity_at, p.id)),
            _ => found.sort_by_key(|p| p.id),
        }
        if !self.ascending {
            found.reverse();
        }
    }
}

fn subgroups(call: &mut Call<'_>) -> Result {
    let group = call.group()?;
    let found = |id: &u64| call.state.groups.get(id).is_some_and(|g| g.parent == Some(group));
    let ids: Vec<u64> = call.state.groups.keys().copied().filter(found).collect();
    list_groups(call, ids)
}

fn descendants(call: &mut Call<'_>) -> Result {
    let group = call.group()?;
    let ids = groups_below(call.state, group);
    list_groups(call, ids)
}

fn list_groups(call: &Call<'_>, mut ids: Vec<u64>) -> Result {
    call.params.accept(&[
        "all_available",
        "order_by",
        "sort",
        "statistics",
        "owned",
        "min_access_level",
        "search",
        "skip_groups",
    ]);
    let state = &*call.state;
    ids.retain(|id| state.sees_group(call.user, *id));
    ids.sort_by_key(|id| state.groups.get(id).map(|g| g.name.to_lowercase()));
    call.page()?.of(&ids, |id| {
        state.groups.get(id).map(|g| show::group(state, g)).unwrap_or_default()
    })
}
