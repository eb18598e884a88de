//! The world that the rules are tried in.

use gitlab_sandbox::{Config, Refused, Role, Sandbox};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) const P: &str = "g/p";
pub(crate) const API: &str = "/projects/g%2Fp";

/// A private group with a project and one person a role; `stranger` has none, `owner2` keeps the group owned.
pub(crate) fn world() -> Sandbox {
    let gitlab = Sandbox::start(Config::still("2026-03-05T09:00:00Z".parse::<Timestamp>().unwrap())).unwrap();
    gitlab.add_group("g").unwrap();
    gitlab
        .add_project_with(
            P,
            "private",
            &[("README.md", "one\ntwo\nthree\nfour\nfive\n"), ("b.md", "b\n")],
        )
        .unwrap();
    for (name, role) in [
        ("guest", Role::Guest),
        ("planner", Role::Planner),
        ("reporter", Role::Reporter),
        ("developer", Role::Developer),
        ("maintainer", Role::Maintainer),
        ("owner", Role::Owner),
        ("owner2", Role::Owner),
    ] {
        gitlab.add_member("g", name, role).unwrap();
    }
    gitlab.add_user("stranger");
    gitlab
}

pub(crate) fn status(outcome: &Result<Value, Refused>) -> u16 {
    outcome.as_ref().map_or_else(|refused| refused.status, |_| 200)
}

pub(crate) const EVERYBODY: [&str; 7] = [
    "stranger",
    "guest",
    "planner",
    "reporter",
    "developer",
    "maintainer",
    "owner",
];
