//! People and bots.

use super::{Kind, Place, State};
use jiff::Timestamp;

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// `active`, `blocked`, `deactivated`, `banned`…
    pub(crate) state: String,
    pub(crate) admin: bool,
    pub(crate) bot: bool,
    pub(crate) external: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) namespace: u64,
}

impl State {
    /// The administrator that every instance has.
    pub(super) fn add_root(&mut self) {
        let id = self.add_user("root", "Administrator");
        if let Some(root) = self.users.get_mut(&id) {
            root.admin = true;
        }
    }

    /// Adds an account with its namespace; an existing one of that name is given back.
    pub(crate) fn add_user(&mut self, username: &str, name: &str) -> u64 {
        if let Some(user) = self.user_named(username) {
            return user.id;
        }
        let id = self.id(Kind::User);
        let namespace = self.id(Kind::Namespace);
        let created_at = self.now();
        let user = User {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            email: format!("{username}@example.com"),
            state: "active".to_owned(),
            admin: false,
            bot: false,
            external: false,
            created_at,
            namespace,
        };
        self.put_place(username, Place::User(id));
        self.users.insert(id, user);
        id
    }

    /// The account of a name, whatever its case.
    pub(crate) fn user_named(&self, username: &str) -> Option<&User> {
        match self.place(username)? {
            Place::User(id) => self.users.get(&id),
            Place::Group(_) | Place::Project(_) => None,
        }
    }

    pub(crate) fn username(&self, id: u64) -> String {
        self.users
            .get(&id)
            .map_or_else(|| format!("ghost{id}"), |u| u.username.clone())
    }

    /// Gives an account another name; old mentions keep pointing nowhere, as on GitLab.
    pub(crate) fn rename_user(&mut self, id: u64, username: &str) {
        let old = self.username(id);
        self.drop_place(&old);
        self.put_place(username, Place::User(id));
        if let Some(user) = self.users.get_mut(&id) {
            user.username = username.to_owned();
        }
    }
}
