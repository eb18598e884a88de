//! Numbers and names that GitLab gives to things, each a type of its own so that none is taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// A project's global id. Paths change, ids do not.
    ProjectId, "");
number!(
    /// A group's global id.
    GroupId, "");
number!(
    /// A user's global id. Usernames change, ids do not.
    UserId, "");
number!(
    /// An issue's number inside its project, what people see as `#12`.
    IssueIid, "#");
number!(
    /// A merge request's number inside its project, what people see as `!7`.
    MergeRequestIid, "!");
number!(
    /// A note's (comment's) global id.
    NoteId, "");
number!(
    /// A label's global id.
    LabelId, "");
number!(
    /// An issue board's id.
    BoardId, "");
number!(
    /// The id of one list of an issue board.
    BoardListId, "");
number!(
    /// A webhook's id.
    HookId, "");

/// A role's level as GitLab numbers it: 10 Guest, 15 Planner, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner.
///
/// A number and not an enum: GitLab adds levels between the known ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessLevel(pub u64);

impl AccessLevel {
    /// May label and close issues.
    pub const REPORTER: Self = Self(20);
    /// May push to unprotected branches and open merge requests.
    pub const DEVELOPER: Self = Self(30);
    /// May push to protected branches and manage members.
    pub const MAINTAINER: Self = Self(40);
    /// May archive and delete projects and manage group hooks.
    pub const OWNER: Self = Self(50);
}

impl fmt::Display for AccessLevel {
    /// The role's name as people know it; unknown levels as their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("no access"),
            5 => f.write_str("Minimal access"),
            10 => f.write_str("Guest"),
            15 => f.write_str("Planner"),
            20 => f.write_str("Reporter"),
            30 => f.write_str("Developer"),
            40 => f.write_str("Maintainer"),
            50 => f.write_str("Owner"),
            other => write!(f, "level {other}"),
        }
    }
}

/// A commit's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitSha(pub String);

impl fmt::Display for CommitSha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A GitLab username: ASCII letters, digits, `_`, `-` and `.`; compared without regard to case, as GitLab does.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// Takes `name` or `@name`; `None` when it cannot be a username (so it is safe wherever it is written).
    ///
    /// The rule is GitLab's `Gitlab::PathRegex` for user namespaces: it begins with a letter, digit or `_`, has at
    /// most 255 characters of `[A-Za-z0-9_.-]`, and does not end in `.`, `.git` or `.atom`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@').unwrap_or(text);
        let first = name.chars().next()?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let lower = name.to_ascii_lowercase();
        let bad_end = lower.ends_with('.') || lower.ends_with(".git") || lower.ends_with(".atom");
        let good = (first.is_ascii_alphanumeric() || first == '_')
            && name.len() <= 255
            && name.chars().all(allowed)
            && !bad_end;
        good.then(|| Self(name.to_owned()))
    }

    /// The name without `@`, in the case it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What to compare and to sort by: the lower-case name.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Username {}

impl PartialOrd for Username {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Username {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl std::hash::Hash for Username {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{}` is no GitLab username", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_compared_without_regard_to_case() {
        assert_eq!(Username::new("@DarwinJS"), Username::new("darwinjs"));
    }

    #[test]
    fn what_cannot_be_a_username_is_none() {
        for text in ["", "@", "a b", "-a", "a|b", "ünal", "all\n", "a.git", "x/y", "a."] {
            assert!(Username::new(text).is_none(), "{text:?}");
        }
    }
}
