//! Projects: create, read, change, archive, move, delete.

use super::groups::ProjectFilter;
use super::{Call, Route};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::projects::{Badge, NewProject, Project, check_project_description, tidy_topics};
use crate::state::rights::{MAINTAINER, OWNER};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects", list),
    ("POST", "/projects", create),
    ("GET", "/projects/:id", get),
    ("PUT", "/projects/:id", update),
    ("DELETE", "/projects/:id", delete),
    ("POST", "/projects/:id/archive", archive),
    ("POST", "/projects/:id/unarchive", unarchive),
    ("POST", "/projects/:id/restore", restore),
    ("PUT", "/projects/:id/transfer", transfer),
    ("POST", "/projects/:id/share", share),
    ("DELETE", "/projects/:id/share/:group", unshare),
    ("GET", "/projects/:id/languages", languages),
    ("GET", "/projects/:id/badges", badges),
    ("POST", "/projects/:id/badges", add_badge),
    ("GET", "/projects/:id/badges/:badge", badge),
    ("PUT", "/projects/:id/badges/:badge", edit_badge),
    ("DELETE", "/projects/:id/badges/:badge", remove_badge),
    ("GET", "/users/:id/projects", of_user),
];

const VISIBILITIES: &[&str] = &["private", "internal", "public"];

/// Settings that are remembered and shown and do nothing else here.
const REMEMBERED: &[&str] = &[
    "only_allow_merge_if_pipeline_succeeds",
    "only_allow_merge_if_all_discussions_are_resolved",
    "request_access_enabled",
    "emails_enabled",
    "emails_disabled",
    "auto_devops_enabled",
    "shared_runners_enabled",
    "lfs_enabled",
    "allow_merge_on_skipped_pipeline",
    "resolve_outdated_diff_discussions",
    "ci_config_path",
    "build_timeout",
    "printing_merge_request_link_enabled",
    "suggestion_commit_message",
    "merge_commit_template",
    "squash_commit_template",
    "issue_branch_template",
    "packages_enabled",
    "service_desk_enabled",
    "group_runners_enabled",
    "public_builds",
    "public_jobs",
    "auto_cancel_pending_pipelines",
    "ci_default_git_depth",
    "keep_latest_artifact",
    "issues_template",
    "merge_requests_template",
];

/// The old switches for features, and the features they stand for.
const OLD_SWITCHES: &[(&str, &str)] = &[
    ("issues_enabled", "issues"),
    ("merge_requests_enabled", "merge_requests"),
    ("wiki_enabled", "wiki"),
    ("snippets_enabled", "snippets"),
    ("jobs_enabled", "builds"),
    ("container_registry_enabled", "container_registry"),
];

const FEATURES: &[&str] = &[
    "issues",
    "repository",
    "merge_requests",
    "forking",
    "wiki",
    "builds",
    "snippets",
    "pages",
    "analytics",
    "container_registry",
    "security_and_compliance",
    "releases",
    "environments",
    "feature_flags",
    "infrastructure",
    "monitor",
    "model_experiments",
    "model_registry",
    "requirements",
];

fn list(call: &mut Call<'_>) -> Result {
    let params = call.params;
    let (simple, member) = (params.is_set("simple")?, params.is_set("membership")?);
    let wanted = ProjectFilter::read(call.user, params)?;
    let page = call.page()?;
    let (state, user) = (&*call.state, call.user);
    let mut found: Vec<&Project> = state
        .projects
        .values()
        .filter(|p| wanted.takes(state, p) && (!member || wanted.level(state, p) > 0))
        .collect();
    wanted.sort(&mut found);
    let shown = |p: &&Project| {
        if simple {
            show::simple_project(state, user, p)
        } else {
            show::project(state, user, p, true)
        }
    };
    if page.is_keyset() {
        return page.keyset_of(&found, |p| p.id.to_string(), shown);
    }
    page.of(&found, shown)
}

fn of_user(call: &mut Call<'_>) -> Result {
    let id = call.number(0)?;
    let namespace = call
        .state
        .users
        .get(&id)
        .map(|u| u.namespace)
        .ok_or_else(|| Refusal::not_found("User"))?;
    let wanted = ProjectFilter::read(call.user, call.params)?;
    let page = call.page()?;
    let (state, user) = (&*call.state, call.user);
    let mut found: Vec<&Project> = state
        .projects_in(namespace)
        .filter_map(|p| state.projects.get(&p))
        .collect();
    found.retain(|p| wanted.takes(state, p));
    wanted.sort(&mut found);
    page.of(&found, |p| show::project(state, user, p, false))
}

fn create(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let params = call.params;
    params
        .at_least_one_of(&["name", "path"])
        .map_err(|_| Refusal::error(400, "name, path are missing, at least one parameter must be provided"))?;
    if params.filled("import_url").is_some() && params.is_set("initialize_with_readme")? {
        return Err(Refusal::error(
            400,
            "import_url, initialize_with_readme are mutually exclusive",
        ));
    }
    let topics = params
        .words("topics")
        .or_else(|| params.words("tag_list"))
        .unwrap_or_default();
    let new = NewProject {
        name: params.filled("name"),
        path: params.filled("path"),
        namespace: params.number("namespace_id")?,
        description: params.text("description"),
        visibility: params.one_of("visibility", VISIBILITIES)?,
        topics,
        initialize_with_readme: params.is_set("initialize_with_readme")?,
        default_branch: params.filled("default_branch"),
    };
    check_settings(params)?;
    let id = call.state.create_project(actor, new)?;
    apply_settings(call.state.project_mut(id)?, params)?;
    show_project(call, id, 201)
}

fn show_project(call: &Call<'_>, id: u64, status: u16) -> Result {
    let project = call.state.project(id)?;
    Ok(Answer::json(
        status,
        show::project(call.state, call.user, project, true),
    ))
}

fn get(call: &mut Call<'_>) -> Result {
    call.params.accept(&["statistics", "license", "with_custom_attributes"]);
    let id = call.project()?;
    show_project(call, id, 200)
}

fn update(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let id = call.project()?;
    let params = call.params;
    call.state.need(actor, id, MAINTAINER)?;
    if params.filled("visibility").is_some() {
        let visibility = params.one_of("visibility", VISIBILITIES)?.unwrap_or_default();
        call.state.set_visibility(actor, id, &visibility)?;
    }
    check_settings(params)?;
    check_project_description(params.text("description").as_deref())?;
    if let Some(branch) = params.filled("default_branch") {
        let project = call.state.project_mut(id)?;
        if project.repo.branch(&branch).is_none() {
            return Err(Refusal::message(
                400,
                json!({ "base": [format!("Could not set the default branch. Do you have a branch named '{branch}' in your repository?")] }),
            ));
        }
        project.default_branch = Some(branch);
    }
    let (name, path) = (params.filled("name"), params.filled("path"));
    if name.is_some() || path.is_some() {
        call.state.rename_project(id, name.as_deref(), path.as_deref())?;
    }
    let now = call.state.now();
    let project = call.state.project_mut(id)?;
    project.updated_at = now;
    if let Some(description) = params.nullable("description") {
        project.description = description;
    }
    if let Some(topics) = params.words("topics").or_else(|| params.words("tag_list")) {
        project.topics = tidy_topics(topics);
    }
    apply_settings(project, params)?;
    crate::hooks::happened::project(call.state, id, "project_update", None);
    show_project(call, id, 200)
}

fn check_settings(params: &Params) -> Result<()> {
    params.one_of("merge_method", &["merge", "rebase_merge", "ff"])?;
    params.one_of("squash_option", &["never", "always", "default_on", "default_off"])?;
    for feature in FEATURES {
        let allowed: &[&str] = if *feature == "pages" {
            &["disabled", "private", "enabled", "public"]
        } else {
            &["disabled", "private", "enabled"]
        };
        params.one_of(&format!("{feature}_access_level"), allowed)?;
    }
    Ok(())
}

fn apply_settings(project: &mut Project, params: &Params) -> Result<()> {
    if let Some(method) = params.filled("merge_method") {
        project.merge_method = method;
    }
    if let Some(option) = params.filled("squash_option") {
        project.squash_option = option;
    }
    let remove = params.flag("remove_source_branch_after_merge")?;
    project.remove_source_branch_after_merge = remove.unwrap_or(project.remove_source_branch_after_merge);
    let autoclose = params.flag("autoclose_referenced_issues")?;
    project.autoclose_referenced_issues = autoclose.unwrap_or(project.autoclose_referenced_issues);
    for feature in FEATURES {
        if let Some(level) = params.filled(&format!("{feature}_access_level")) {
            project.features.insert((*feature).to_owned(), level);
        }
    }
    for (switch, feature) in OLD_SWITCHES {
        if let Some(on) = params.flag(switch)? {
            let level = if on { "enabled" } else { "disabled" };
            project.features.insert((*feature).to_owned(), level.to_owned());
        }
    }
    for name in REMEMBERED {
        if let Some(value) = params.get(name) {
            let value = match value {
                Value::String(text) if text == "true" => json!(true),
                Value::String(text) if text == "false" => json!(false),
                other => other.clone(),
            };
            project.settings.insert((*name).to_owned(), value);
        }
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let id = call.project()?;
    if call.params.is_set("permanently_remove")? {
        call.state.need(actor, id, OWNER)?;
        let project = call.state.project(id)?;
        if project.marked_for_deletion_on.is_none() {
            return Err(Refusal::message(400, "Project must be marked for deletion first."));
        }
        if call.params.text("full_path").as_deref() != Some(project.full_path.as_str()) {
            return Err(Refusal::message(
                400,
                "`full_path` is incorrect. You must enter the complete path for the project.",
            ));
        }
        call.state.destroy_project(id);
    } else {
        call.state.mark_for_deletion(actor, id)?;
    }
    Ok(Answer::json(202, json!({ "message": "202 Accepted" })))
}

fn archive(call: &mut Call<'_>) -> Result {
    let id = call.project()?;
    call.state.archive(call.actor()?, id, true)?;
    show_project(call, id, 201)
}

fn unarchive(call: &mut Call<'_>) -> Result {
    let id = call.project()?;
    call.state.archive(call.actor()?, id, false)?;
    show_project(call, id, 201)
}

fn restore(call: &mut Call<'_>) -> Result {
    let id = call.project()?;
    call.state.restore(call.actor()?, id)?;
    show_project(call, id, 201)
}

fn transfer(call: &mut Call<'_>) -> Result {
    let id = call.project()?;
    let namespace = call.params.required("namespace")?;
    call.state.transfer(call.actor()?, id, &namespace)?;
    show_project(call, id, 200)
}

fn share(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.project()?);
    call.state.need(actor, id, MAINTAINER)?;
    let share = super::groups::read_share(call)?;
    let (group, level, expires_at) = (share.group, share.level, share.expires_at);
    let shared = &mut call.state.project_mut(id)?.shared_with;
    if shared.iter().any(|s| s.group == group) {
        return Err(Refusal::message(409, "Group has already been shared"));
    }
    shared.push(share);
    Ok(Answer::created(json!({
        "id": group,
        "project_id": id,
        "group_id": group,
        "group_access": level,
        "expires_at": expires_at.map(|d| d.to_string()),
    })))
}

fn unshare(call: &mut Call<'_>) -> Result {
    let (actor, id, group) = (call.actor()?, call.project()?, call.number(1)?);
    call.state.need(actor, id, MAINTAINER)?;
    let shared = &mut call.state.project_mut(id)?.shared_with;
    if !shared.iter().any(|s| s.group == group) {
        return Err(Refusal::not_found("Group Link"));
    }
    shared.retain(|s| s.group != group);
    Ok(Answer::no_content())
}

fn languages(call: &mut Call<'_>) -> Result {
    call.code()?;
    Ok(Answer::ok(json!({})))
}

fn badges(call: &mut Call<'_>) -> Result {
    let name = call.params.filled("name");
    let project = call.shown_project()?;
    let found: Vec<&Badge> = project
        .badges
        .iter()
        .filter(|b| name.is_none() || b.name == name)
        .collect();
    call.page()?.of(&found, |b| show_badge(b))
}

fn show_badge(badge: &Badge) -> Value {
    json!({
        "id": badge.id,
        "name": badge.name,
        "link_url": badge.link_url,
        "image_url": badge.image_url,
        "rendered_link_url": badge.link_url,
        "rendered_image_url": badge.image_url,
        "kind": "project",
    })
}

fn add_badge(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.project()?);
    let badge = Badge {
        id: 0,
        name: call.params.filled("name"),
        link_url: call.params.required("link_url")?,
        image_url: call.params.required("image_url")?,
    };
    let badge_id = call.state.add_badge(actor, id, badge)?;
    let badge = call.state.project(id)?.badges.iter().find(|b| b.id == badge_id);
    Ok(Answer::created(badge.map(show_badge).unwrap_or_default()))
}

fn badge(call: &mut Call<'_>) -> Result {
    let wanted = call.number(1)?;
    let badge = call.shown_project()?.badges.iter().find(|b| b.id == wanted);
    let badge = badge.ok_or_else(|| Refusal::not_found("Badge"))?;
    Ok(Answer::ok(show_badge(badge)))
}

fn edit_badge(call: &mut Call<'_>) -> Result {
    let (actor, id, wanted) = (call.actor()?, call.project()?, call.number(1)?);
    call.state.need(actor, id, MAINTAINER)?;
    let params = call.params;
    let badges = &mut call.state.project_mut(id)?.badges;
    let badge = badges.iter_mut().find(|b| b.id == wanted);
    let badge = badge.ok_or_else(|| Refusal::not_found("Badge"))?;
    badge.name = params.nullable("name").unwrap_or(badge.name.take());
    badge.link_url = params.filled("link_url").unwrap_or_else(|| badge.link_url.clone());
    badge.image_url = params.filled("image_url").unwrap_or_else(|| badge.image_url.clone());
    Ok(Answer::ok(show_badge(badge)))
}

fn remove_badge(call: &mut Call<'_>) -> Result {
    let (actor, id, badge) = (call.actor()?, call.project()?, call.number(1)?);
    call.state.need(actor, id, MAINTAINER)?;
    let badges = &mut call.state.project_mut(id)?.badges;
    if !badges.iter().any(|b| b.id == badge) {
        return Err(Refusal::not_found("Badge"));
    }
    badges.retain(|b| b.id != badge);
    Ok(Answer::no_content())
}
