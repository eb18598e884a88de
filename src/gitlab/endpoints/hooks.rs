//! Webhooks with signing tokens, events and tests, which the crate lacks (GitLab's "Project webhooks API" and "Group
//! webhooks API").

use convenor_core::ids::{GroupId, HookId, ProjectId};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::Plain;
use crate::gitlab::writer::NewHook;

/// The project or group that a hook belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookOwner {
    /// A project's hook; GitLab Free has no other.
    Project(ProjectId),
    /// A group's hook: Premium and Ultimate.
    Group(GroupId),
}

impl HookOwner {
    fn path(self) -> String {
        match self {
            Self::Project(project) => format!("projects/{project}/hooks"),
            Self::Group(group) => format!("groups/{group}/hooks"),
        }
    }
}

pub(crate) fn list(owner: HookOwner) -> Plain {
    Plain::get(owner.path())
}

pub(crate) fn events(owner: HookOwner, hook: HookId) -> Plain {
    Plain::get(format!("{}/{hook}/events", owner.path()))
}

pub(crate) fn create(owner: HookOwner, hook: &NewHook) -> Plain {
    Plain::post(owner.path(), body(hook))
}

pub(crate) fn update(owner: HookOwner, id: HookId, hook: &NewHook) -> Plain {
    Plain::put(format!("{}/{id}", owner.path()), body(hook))
}

pub(crate) fn delete(owner: HookOwner, id: HookId) -> Plain {
    Plain::delete(format!("{}/{id}", owner.path()))
}

/// Makes GitLab send one delivery of the trigger, from what is in the project now.
pub(crate) fn test(owner: HookOwner, id: HookId, trigger: &str) -> Plain {
    Plain::post(
        format!("{}/{id}/test/{}", owner.path(), super::segment(trigger)),
        json!({}),
    )
}

fn body(hook: &NewHook) -> Value {
    let mut body = Map::new();
    body.insert("url".to_owned(), json!(hook.url.as_str()));
    body.insert(
        "enable_ssl_verification".to_owned(),
        json!(hook.enable_ssl_verification),
    );
    body.insert("name".to_owned(), json!(hook.name));
    body.insert("description".to_owned(), json!(hook.description));
    for (trigger, on) in &hook.triggers {
        body.insert((*trigger).to_owned(), json!(on));
    }
    if let Some(token) = &hook.token {
        body.insert("token".to_owned(), json!(token.expose_secret()));
    }
    if let Some(token) = &hook.signing_token {
        body.insert("signing_token".to_owned(), json!(token.expose_secret()));
    }
    Value::Object(body)
}
