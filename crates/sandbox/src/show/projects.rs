//! Projects.

use super::time;
use crate::state::projects::Project;
use crate::state::{Place, State};
use serde_json::{Map, Value, json};

fn namespace(state: &State, project: &Project) -> Value {
    match project.owner {
        Place::Group(id) => {
            let Some(group) = state.groups.get(&id) else {
                return Value::Null;
            };
            json!({
                "id": id,
                "name": group.name,
                "path": group.path,
                "kind": "group",
                "full_path": group.full_path,
                "parent_id": group.parent,
                "avatar_url": null,
                "web_url": format!("{}/groups/{}", state.url, group.full_path),
            })
        }
        Place::User(id) => {
            let Some(user) = state.users.get(&id) else {
                return Value::Null;
            };
            json!({
                "id": user.namespace,
                "name": user.name,
                "path": user.username,
                "kind": "user",
                "full_path": user.username,
                "parent_id": null,
                "avatar_url": null,
                "web_url": format!("{}/{}", state.url, user.username),
            })
        }
        Place::Project(_) => Value::Null,
    }
}

/// `Parent / Group / Project`
fn name_with_namespace(state: &State, project: &Project) -> String {
    let mut names: Vec<String> = state.ancestors_of(project.owner).map(|g| g.name.clone()).collect();
    names.reverse();
    if let Place::User(id) = project.owner {
        names.extend(state.users.get(&id).map(|u| u.name.clone()));
    }
    names.push(project.name.clone());
    names.join(" / ")
}

fn readme_url(state: &State, project: &Project) -> Option<String> {
    let branch = project.default_branch.as_deref()?;
    let tree = &project.repo.branch(branch)?.tree;
    let readme = tree
        .list("")
        .into_iter()
        .find(|l| !l.is_tree() && l.name.to_lowercase().starts_with("readme"))?;
    Some(format!("{}/-/blob/{branch}/{}", state.web_url(project), readme.path))
}

/// What `simple=true` and strangers get.
pub(crate) fn simple_project(state: &State, user: Option<u64>, project: &Project) -> Value {
    let mut body = json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": name_with_namespace(state, project),
        "path": project.path,
        "path_with_namespace": project.full_path,
        "created_at": time(project.created_at),
        "tag_list": project.topics,
        "topics": project.topics,
        "ssh_url_to_repo": state.ssh_url(project),
        "http_url_to_repo": state.http_url(project),
        "web_url": state.web_url(project),
        "avatar_url": null,
        "star_count": 0,
        "last_activity_at": time(project.last_activity_at),
        "visibility": project.visibility,
        "namespace": namespace(state, project),
    });
    if let (true, Some(body)) = (state.sees_code(user, project), body.as_object_mut()) {
        body.insert("default_branch".to_owned(), json!(project.default_branch_or_main()));
        body.insert("readme_url".to_owned(), json!(readme_url(state, project)));
        body.insert("forks_count".to_owned(), json!(0));
    }
    body
}

/// The full project.
pub(crate) fn project(state: &State, user: Option<u64>, project: &Project, with_permissions: bool) -> Value {
    let mut body = simple_project(state, user, project);
    if user.is_none() {
        return body;
    }
    let Some(object) = body.as_object_mut() else {
        return body;
    };
    extend(object, features(project));
    extend(object, settings(project));
    extend(object, facts(state, user, project));
    object.extend(project.settings.iter().map(|(k, v)| (k.clone(), v.clone())));
    if with_permissions {
        object.insert("permissions".to_owned(), permissions(state, user, project));
    }
    body
}

fn extend(object: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        object.extend(more);
    }
}

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

fn features(project: &Project) -> Value {
    let mut body = Map::new();
    for name in FEATURES {
        body.insert(format!("{name}_access_level"), json!(project.feature(name)));
    }
    let on = |name: &str| project.feature(name) != "disabled";
    extend(
        &mut body,
        json!({
            "issues_enabled": on("issues"),
            "merge_requests_enabled": on("merge_requests"),
            "wiki_enabled": on("wiki"),
            "jobs_enabled": on("builds"),
            "snippets_enabled": on("snippets"),
            "container_registry_enabled": on("container_registry"),
            "packages_enabled": true,
            "service_desk_enabled": false,
            "can_create_merge_request_in": on("merge_requests"),
        }),
    );
    Value::Object(body)
}

fn settings(project: &Project) -> Value {
    json!({
        "merge_method": project.merge_method,
        "squash_option": project.squash_option,
        "remove_source_branch_after_merge": project.remove_source_branch_after_merge,
        "autoclose_referenced_issues": project.autoclose_referenced_issues,
        "only_allow_merge_if_pipeline_succeeds": false,
        "allow_merge_on_skipped_pipeline": null,
        "only_allow_merge_if_all_discussions_are_resolved": false,
        "resolve_outdated_diff_discussions": false,
        "request_access_enabled": true,
        "printing_merge_request_link_enabled": true,
        "shared_runners_enabled": true,
        "lfs_enabled": true,
        "auto_devops_enabled": false,
        "auto_devops_deploy_strategy": "continuous",
        "emails_disabled": false,
        "emails_enabled": true,
        "public_jobs": true,
        "build_timeout": 3600,
        "auto_cancel_pending_pipelines": "enabled",
        "ci_config_path": null,
        "ci_default_git_depth": 20,
        "suggestion_commit_message": null,
        "merge_commit_template": null,
        "squash_commit_template": null,
        "issue_branch_template": null,
        "enforce_auth_checks_on_uploads": true,
    })
}

fn facts(state: &State, user: Option<u64>, project: &Project) -> Value {
    let api = state.api_url(&format!("/projects/{}", project.id));
    let open = project
        .issues
        .values()
        .filter(|i| !i.closed && state.sees_issue(user, i))
        .count();
    let mut body = json!({
        "_links": {
            "self": api,
            "issues": format!("{api}/issues"),
            "merge_requests": format!("{api}/merge_requests"),
            "repo_branches": format!("{api}/repository/branches"),
            "labels": format!("{api}/labels"),
            "events": format!("{api}/events"),
            "members": format!("{api}/members"),
            "cluster_agents": format!("{api}/cluster_agents"),
        },
        "archived": state.is_archived(project),
        "empty_repo": project.repo.is_empty(),
        "creator_id": project.creator,
        "import_status": "none",
        "import_type": null,
        "import_url": null,
        "open_issues_count": open,
        "description_html": "",
        "updated_at": time(project.updated_at),
        "shared_with_groups": project.shared_with.iter().map(|s| {
            let group = state.groups.get(&s.group);
            json!({
                "group_id": s.group,
                "group_name": group.map(|g| &g.name),
                "group_full_path": group.map(|g| &g.full_path),
                "group_access_level": s.level,
                "expires_at": s.expires_at.map(|d| d.to_string()),
            })
        }).collect::<Vec<_>>(),
        "marked_for_deletion_at": project.marked_for_deletion_on.map(|d| d.to_string()),
        "marked_for_deletion_on": project.marked_for_deletion_on.map(|d| d.to_string()),
    });
    if let (Place::User(owner), Some(body)) = (project.owner, body.as_object_mut()) {
        body.insert("owner".to_owned(), super::user(state, owner));
    }
    body
}

fn permissions(state: &State, user: Option<u64>, project: &Project) -> Value {
    let level = |level: Option<u64>| {
        level
            .filter(|l| *l > 0)
            .map(|l| json!({ "access_level": l, "notification_level": 3 }))
    };
    let direct = user.and_then(|u| project.members.get(&u)).map(|m| m.level);
    let group = match (user, project.owner) {
        (Some(user), Place::Group(group)) => state
            .ancestors_of(Place::Group(group))
            .filter_map(|g| g.members.get(&user))
            .map(|m| m.level)
            .max(),
        _ => None,
    };
    let own = matches!((user, project.owner), (Some(user), Place::User(owner)) if user == owner).then_some(50);
    json!({ "project_access": level(direct.or(own)), "group_access": level(group) })
}
