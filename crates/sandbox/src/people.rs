//! People: acting as any user, with that user's rights. Every act is an ordinary API call without the network, so that
//! people cannot do what GitLab would not let them.

use crate::http::encode;
use crate::world::World;
use serde_json::{Value, json};
use std::fmt;

/// A role in a group or project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 10: opens issues, comments.
    Guest = 10,
    /// 15: labels, assigns, closes issues; boards.
    Planner = 15,
    /// 20: the same, and reads code.
    Reporter = 20,
    /// 30: pushes to unprotected branches, opens merge requests.
    Developer = 30,
    /// 40: pushes to protected branches, merges, project settings.
    Maintainer = 40,
    /// 50: everything.
    Owner = 50,
}

impl Role {
    /// GitLab's number for it.
    #[must_use]
    pub fn level(self) -> u64 {
        self as u64
    }
}

/// GitLab refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// The body, as a client would get it.
    pub body: Value,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitLab refused with {}: {}", self.status, self.body)
    }
}

impl std::error::Error for Refused {}

/// A change of one file in a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new file.
    Create(String, Vec<u8>),
    /// New bytes for a file.
    Update(String, Vec<u8>),
    /// A file goes.
    Delete(String),
    /// A file gets another path.
    Move(String, String),
}

impl Change {
    fn as_action(&self) -> Value {
        use base64::Engine as _;
        let encoded = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        match self {
            Self::Create(path, bytes) => {
                json!({ "action": "create", "file_path": path, "content": encoded(bytes), "encoding": "base64" })
            }
            Self::Update(path, bytes) => {
                json!({ "action": "update", "file_path": path, "content": encoded(bytes), "encoding": "base64" })
            }
            Self::Delete(path) => json!({ "action": "delete", "file_path": path }),
            Self::Move(from, to) => json!({ "action": "move", "file_path": to, "previous_path": from }),
        }
    }
}

/// Somebody who acts. Projects are named by full path (`group/project`).
#[derive(Debug, Clone)]
pub struct Person {
    world: World,
    id: u64,
}

/// What an act gives, or GitLab's refusal.
type Outcome<T> = Result<T, Refused>;

impl Person {
    pub(crate) fn new(world: World, id: u64) -> Self {
        Self { world, id }
    }

    /// The user's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Any call of the API as this person; the path is below `/api/v4`, the body's fields are the parameters.
    ///
    /// # Errors
    /// GitLab's refusal, for this and all other acts: no right, no such thing, a broken rule.
    pub fn api(&self, method: &str, path: &str, body: Value) -> Outcome<Value> {
        self.world.call_as(Some(self.id), method, path, body)
    }

    fn on(&self, project: &str, rest: &str) -> String {
        format!("/projects/{}{rest}", encode(project))
    }

    /// Opens an issue and gives its number.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn open_issue(&self, project: &str, title: &str, description: &str, labels: &[&str]) -> Outcome<u64> {
        let body = json!({ "title": title, "description": description, "labels": labels });
        self.api("POST", &self.on(project, "/issues"), body)
            .map(|i| number(&i, "iid"))
    }

    /// Opens a confidential issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn open_confidential_issue(&self, project: &str, title: &str, description: &str) -> Outcome<u64> {
        let body = json!({ "title": title, "description": description, "confidential": true });
        self.api("POST", &self.on(project, "/issues"), body)
            .map(|i| number(&i, "iid"))
    }

    /// Changes an issue's fields as the API's `PUT` does.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn edit_issue(&self, project: &str, iid: u64, fields: Value) -> Outcome<()> {
        self.api("PUT", &self.on(project, &format!("/issues/{iid}")), fields)
            .map(drop)
    }

    /// Replaces an issue's text.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn describe_issue(&self, project: &str, iid: u64, description: &str) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "description": description }))
    }

    /// Closes an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn close_issue(&self, project: &str, iid: u64) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "state_event": "close" }))
    }

    /// Reopens an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn reopen_issue(&self, project: &str, iid: u64) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "state_event": "reopen" }))
    }

    /// Replaces an issue's labels.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn set_labels(&self, project: &str, iid: u64, labels: &[&str]) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "labels": labels }))
    }

    /// Puts labels on an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn add_labels(&self, project: &str, iid: u64, labels: &[&str]) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "add_labels": labels }))
    }

    /// Takes labels off an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn remove_labels(&self, project: &str, iid: u64, labels: &[&str]) -> Outcome<()> {
        self.edit_issue(project, iid, json!({ "remove_labels": labels }))
    }

    /// Comments on an issue; gives the note's id, or none when the text was only commands.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn comment(&self, project: &str, iid: u64, body: &str) -> Outcome<Option<u64>> {
        let path = self.on(project, &format!("/issues/{iid}/notes"));
        self.api("POST", &path, json!({ "body": body }))
            .map(|n| n["id"].as_u64())
    }

    /// Replaces the text of a comment on an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn edit_comment(&self, project: &str, iid: u64, note: u64, body: &str) -> Outcome<()> {
        let path = self.on(project, &format!("/issues/{iid}/notes/{note}"));
        self.api("PUT", &path, json!({ "body": body })).map(drop)
    }

    /// Deletes a comment on an issue.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn delete_comment(&self, project: &str, iid: u64, note: u64) -> Outcome<()> {
        self.api(
            "DELETE",
            &self.on(project, &format!("/issues/{iid}/notes/{note}")),
            Value::Null,
        )
        .map(drop)
    }

    /// Writes one file to a branch, new or not; gives the commit's id.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn push_file(&self, project: &str, branch: &str, path: &str, bytes: impl AsRef<[u8]>) -> Outcome<String> {
        let exists = self.world.file(project, branch, path).is_some();
        let (path, bytes) = (path.to_owned(), bytes.as_ref().to_vec());
        let message = if exists {
            format!("Update {path}")
        } else {
            format!("Add {path}")
        };
        let change = if exists {
            Change::Update(path, bytes)
        } else {
            Change::Create(path, bytes)
        };
        self.push(project, branch, &[change], &message)
    }

    /// Commits several changes to a branch; gives the commit's id.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn push(&self, project: &str, branch: &str, changes: &[Change], message: &str) -> Outcome<String> {
        let actions: Vec<Value> = changes.iter().map(Change::as_action).collect();
        let body = json!({ "branch": branch, "commit_message": message, "actions": actions });
        let commit = self.api("POST", &self.on(project, "/repository/commits"), body)?;
        Ok(text(&commit, "id"))
    }

    /// Makes a branch.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn create_branch(&self, project: &str, branch: &str, from: &str) -> Outcome<()> {
        let body = json!({ "branch": branch, "ref": from });
        self.api("POST", &self.on(project, "/repository/branches"), body)
            .map(drop)
    }

    /// Removes a branch.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn delete_branch(&self, project: &str, branch: &str) -> Outcome<()> {
        let path = self.on(project, &format!("/repository/branches/{}", encode(branch)));
        self.api("DELETE", &path, Value::Null).map(drop)
    }

    /// Opens a merge request into the default branch and gives its number.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn open_merge_request(&self, project: &str, branch: &str, title: &str, description: &str) -> Outcome<u64> {
        let target = self
            .world
            .project(project)?
            .default_branch
            .unwrap_or_else(|| "main".to_owned());
        let body = json!({
            "source_branch": branch,
            "target_branch": target,
            "title": title,
            "description": description,
        });
        self.api("POST", &self.on(project, "/merge_requests"), body)
            .map(|m| number(&m, "iid"))
    }

    /// Changes a merge request's fields as the API's `PUT` does.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn edit_merge_request(&self, project: &str, iid: u64, fields: Value) -> Outcome<()> {
        self.api("PUT", &self.on(project, &format!("/merge_requests/{iid}")), fields)
            .map(drop)
    }

    /// Merges.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn merge(&self, project: &str, iid: u64) -> Outcome<()> {
        self.api(
            "PUT",
            &self.on(project, &format!("/merge_requests/{iid}/merge")),
            json!({}),
        )
        .map(drop)
    }

    /// Closes a merge request.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn close_merge_request(&self, project: &str, iid: u64) -> Outcome<()> {
        self.edit_merge_request(project, iid, json!({ "state_event": "close" }))
    }

    /// Reopens a merge request.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn reopen_merge_request(&self, project: &str, iid: u64) -> Outcome<()> {
        self.edit_merge_request(project, iid, json!({ "state_event": "reopen" }))
    }

    /// Comments on a merge request; gives the note's id, or none when the text was only commands.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn comment_merge_request(&self, project: &str, iid: u64, body: &str) -> Outcome<Option<u64>> {
        let path = self.on(project, &format!("/merge_requests/{iid}/notes"));
        self.api("POST", &path, json!({ "body": body }))
            .map(|n| n["id"].as_u64())
    }

    /// Approves a merge request.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn approve(&self, project: &str, iid: u64) -> Outcome<()> {
        self.api(
            "POST",
            &self.on(project, &format!("/merge_requests/{iid}/approve")),
            json!({}),
        )
        .map(drop)
    }

    /// Creates an empty project and gives its id; the path is `group/project`, the name is the path's last part.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn create_project(&self, full_path: &str) -> Outcome<u64> {
        let (group, path) = full_path.rsplit_once('/').unwrap_or(("", full_path));
        let namespace = self.world.namespace_id(group);
        let body = json!({ "name": path, "path": path, "namespace_id": namespace });
        self.api("POST", "/projects", body).map(|p| number(&p, "id"))
    }

    /// Changes a project's fields as the API's `PUT` does.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn edit_project(&self, project: &str, fields: Value) -> Outcome<()> {
        self.api("PUT", &self.on(project, ""), fields).map(drop)
    }

    /// Gives a project another path; the old one redirects.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn rename_project(&self, project: &str, path: &str) -> Outcome<()> {
        self.edit_project(project, json!({ "path": path, "name": path }))
    }

    /// Makes a project read-only.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn archive_project(&self, project: &str) -> Outcome<()> {
        self.api("POST", &self.on(project, "/archive"), json!({})).map(drop)
    }

    /// Takes a project out of the archive.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn unarchive_project(&self, project: &str) -> Outcome<()> {
        self.api("POST", &self.on(project, "/unarchive"), json!({})).map(drop)
    }

    /// Schedules a project for deletion, which renames it.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn delete_project(&self, project: &str) -> Outcome<()> {
        self.api("DELETE", &self.on(project, ""), json!({})).map(drop)
    }

    /// Moves a project to another group.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn transfer_project(&self, project: &str, group: &str) -> Outcome<()> {
        self.api("PUT", &self.on(project, "/transfer"), json!({ "namespace": group }))
            .map(drop)
    }

    /// Makes somebody a member of a group or project.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn add_member(&self, place: &str, username: &str, role: Role) -> Outcome<()> {
        let body = json!({ "username": username, "access_level": role.level() });
        self.api("POST", &self.world.members_path(place)?, body).map(drop)
    }

    /// Gives a direct member another role.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn change_member(&self, place: &str, username: &str, role: Role) -> Outcome<()> {
        let user = self.world.person(username)?.id();
        let path = format!("{}/{user}", self.world.members_path(place)?);
        self.api("PUT", &path, json!({ "access_level": role.level() }))
            .map(drop)
    }

    /// Ends somebody's direct membership.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn remove_member(&self, place: &str, username: &str) -> Outcome<()> {
        let user = self.world.person(username)?.id();
        let path = format!("{}/{user}", self.world.members_path(place)?);
        self.api("DELETE", &path, Value::Null).map(drop)
    }

    /// Creates a label of a group or project.
    ///
    /// # Errors
    /// See [`Person::api`].
    pub fn create_label(&self, place: &str, name: &str, color: &str) -> Outcome<u64> {
        let path = self.world.members_path(place)?.replace("/members", "/labels");
        self.api("POST", &path, json!({ "name": name, "color": color }))
            .map(|l| number(&l, "id"))
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
