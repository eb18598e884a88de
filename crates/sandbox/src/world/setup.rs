//! Setting a world up: accounts, tokens, groups, projects, members. None of it asks for rights.

use super::{Outcome, ROOT, World, display_name, refused};
use crate::locked;
use crate::people::Role;
use crate::state::groups::NewGroup;
use crate::state::projects::NewProject;
use crate::state::{Place, users::User};
use serde_json::json;

impl World {
    /// Adds a user, or finds the one of that name; gives the id. The user's e-mail is `name@example.com`.
    pub fn add_user(&self, username: &str) -> u64 {
        let name = display_name(username);
        locked(&self.shared.state).add_user(username, &name)
    }

    /// Adds a bot user, as a group access token has one.
    pub fn add_bot(&self, username: &str) -> u64 {
        let mut state = locked(&self.shared.state);
        let id = state.add_user(username, &display_name(username));
        if let Some(user) = state.users.get_mut(&id) {
            user.bot = true;
        }
        id
    }

    /// Makes a user an administrator.
    pub fn make_admin(&self, username: &str) {
        self.change_user(username, |user| user.admin = true);
    }

    /// Makes a user external: internal projects are seen by members only.
    pub fn make_external(&self, username: &str) {
        self.change_user(username, |user| user.external = true);
    }

    /// Sets an account's state: `active`, `blocked`, `deactivated`, `banned`.
    pub fn set_user_state(&self, username: &str, account_state: &str) {
        self.change_user(username, |user| user.state = account_state.to_owned());
    }

    fn change_user(&self, username: &str, change: impl FnOnce(&mut User)) {
        let id = self.add_user(username);
        if let Some(user) = locked(&self.shared.state).users.get_mut(&id) {
            change(user);
        }
    }

    /// Gives an account another username.
    pub fn rename_user(&self, username: &str, new: &str) {
        let id = self.add_user(username);
        locked(&self.shared.state).rename_user(id, new);
    }

    /// Deletes an account; its work stays, under a ghost's name.
    pub fn delete_user(&self, username: &str) {
        let mut state = locked(&self.shared.state);
        if let Some(id) = state.user_named(username).map(|u| u.id) {
            state.drop_place(username);
            state.users.remove(&id);
        }
    }

    /// Makes an access token with the scope `api` for a user, who is added when missing; gives the secret.
    pub fn add_token(&self, username: &str) -> String {
        self.add_token_with(username, &["api"], None)
    }

    /// Makes an access token with given scopes and end (a date such as `2027-01-31`; an unreadable one means none).
    pub fn add_token_with(&self, username: &str, scopes: &[&str], expires_at: Option<&str>) -> String {
        let user = self.add_user(username);
        let expires_at = expires_at.and_then(|d| d.parse().ok());
        locked(&self.shared.state).add_token(user, "token", scopes, expires_at)
    }

    /// Revokes a token; using it answers 401 from then on.
    pub fn revoke_token(&self, secret: &str) {
        if let Some(token) = locked(&self.shared.state).tokens.get_mut(secret) {
            token.revoked = true;
        }
    }

    /// Replaces a token by a new one with the same user and scopes, as a rotation does; the old one is revoked.
    pub fn rotate_token(&self, secret: &str) -> Option<String> {
        locked(&self.shared.state).rotate_token(secret, None)
    }

    /// Adds a private group, with the groups above it; gives the id of the last one.
    ///
    /// # Errors
    /// GitLab's refusal of a path.
    pub fn add_group(&self, full_path: &str) -> Outcome<u64> {
        self.add_group_with(full_path, "private")
    }

    /// Adds a group with a visibility (`private`, `internal`, `public`), with the groups above it.
    ///
    /// # Errors
    /// GitLab's refusal of a path.
    pub fn add_group_with(&self, full_path: &str, visibility: &str) -> Outcome<u64> {
        let mut state = locked(&self.shared.state);
        let mut parent = None;
        let mut at = String::new();
        for part in full_path.split('/') {
            at = if at.is_empty() {
                part.to_owned()
            } else {
                format!("{at}/{part}")
            };
            parent = match state.place(&at) {
                Some(Place::Group(id)) => Some(id),
                _ => {
                    let new = NewGroup {
                        name: display_name(part),
                        path: part.to_owned(),
                        parent,
                        description: String::new(),
                        visibility: Some(visibility.to_owned()),
                    };
                    Some(state.create_group(ROOT, new).map_err(refused)?)
                }
            };
        }
        Ok(parent.unwrap_or_default())
    }

    /// Adds a private project with a README, and the groups above it; gives its id.
    ///
    /// # Errors
    /// GitLab's refusal of a name or path.
    pub fn add_project(&self, full_path: &str) -> Outcome<u64> {
        self.add_project_with(full_path, "private", &[("README.md", "# Project\n")])
    }

    /// Adds a project with a visibility and files on `main`; without files its repository is empty.
    ///
    /// # Errors
    /// GitLab's refusal of a name, path, visibility or file.
    pub fn add_project_with(&self, full_path: &str, visibility: &str, files: &[(&str, &str)]) -> Outcome<u64> {
        let (group, path) = full_path.rsplit_once('/').unwrap_or(("root", full_path));
        if group != "root" && locked(&self.shared.state).place(group).is_none() {
            self.add_group_with(group, visibility)?;
        }
        let namespace = self.namespace_id(group);
        let id = {
            let mut state = locked(&self.shared.state);
            let new = NewProject {
                name: Some(display_name(path)),
                path: Some(path.to_owned()),
                namespace,
                visibility: Some(visibility.to_owned()),
                ..NewProject::default()
            };
            state.create_project(ROOT, new).map_err(refused)?
        };
        if !files.is_empty() {
            let changes: Vec<_> = files
                .iter()
                .map(|(p, t)| crate::Change::Create((*p).to_owned(), t.as_bytes().to_vec()))
                .collect();
            self.admin().push(full_path, "main", &changes, "Initial commit")?;
        }
        self.notify();
        Ok(id)
    }

    /// Makes somebody (added when missing) a direct member of a group or project, or changes the role.
    ///
    /// # Errors
    /// No such place, or a rule of GitLab's such as "not lower than inherited".
    pub fn add_member(&self, place: &str, username: &str, role: Role) -> Outcome<()> {
        self.add_user(username);
        match self.admin().add_member(place, username, role) {
            Err(refused) if refused.status == 409 => self.admin().change_member(place, username, role),
            other => other,
        }
    }

    /// Adds an instance-wide hook that hears of everything that system hooks hear of; gives its id.
    ///
    /// # Errors
    /// The address is not valid.
    pub fn add_system_hook(&self, url: &str, token: Option<&str>) -> Outcome<u64> {
        let body = json!({
            "url": url,
            "token": token,
            "merge_requests_events": true,
            "repository_update_events": true,
        });
        self.admin()
            .api("POST", "/hooks", body)
            .map(|h| h["id"].as_u64().unwrap_or_default())
    }
}
