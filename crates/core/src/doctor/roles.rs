//! What the bot may do where.

use super::Check;
use crate::ids::AccessLevel;

/// Checks the bot's role in the program's group.
#[must_use]
pub fn role(level: Option<AccessLevel>) -> Check {
    match level {
        Some(level) if level >= AccessLevel::OWNER => {
            Check::fine("role.group", format!("the bot is {level} of the group"))
        }
        Some(level) if level >= AccessLevel::MAINTAINER => Check::warning(
            "role.group",
            format!("the bot is {level} of the group"),
            "make it Owner if it should manage a group webhook; with project webhooks Maintainer is enough",
        ),
        Some(level) => Check::error(
            "role.group",
            format!("the bot is {level} of the group"),
            "make it at least Maintainer: it creates projects and commits to their default branch",
        ),
        None => Check::error(
            "role.group",
            "the bot is no member of the group",
            "add it as Maintainer or Owner",
        ),
    }
}

/// Checks the bot's role in a project that it works in.
#[must_use]
pub fn project_role(name: &'static str, level: Option<AccessLevel>, least: AccessLevel) -> Check {
    match level {
        Some(level) if level >= least => Check::fine(name, format!("the bot is {level} there")),
        Some(level) => Check::error(
            name,
            format!("the bot is {level} there"),
            format!("make it at least {least}"),
        ),
        None => Check::error(
            name,
            "the bot is no member there",
            format!("add it as {least} at least"),
        ),
    }
}

/// Checks that the bot may make projects in the group. `least` is GitLab's word for who may, such as `developer`; `None`: it does
/// not tell.
#[must_use]
pub fn creation(least: Option<&str>, role: Option<AccessLevel>) -> Check {
    const NAME: &str = "group.projects";
    let Some(least) = least else {
        return Check::fine(NAME, "GitLab does not tell who may make projects in the group");
    };
    let needed = match least {
        "developer" => AccessLevel::DEVELOPER,
        "maintainer" => AccessLevel::MAINTAINER,
        "owner" => AccessLevel::OWNER,
        _ => {
            return Check::error(
                NAME,
                format!("the group's setting for who may make projects is `{least}`"),
                "let Developers or Maintainers make projects (group settings, Permissions)",
            );
        }
    };
    match role {
        Some(role) if role >= needed => {
            Check::fine(NAME, format!("{needed} and higher may make projects in the group"))
        }
        _ => Check::error(
            NAME,
            format!("only {needed} and higher may make projects in the group"),
            format!("make the bot {needed}, or lower the group's setting"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn the_bot_has_to_be_maintainer_at_least() {
        let of = |level| role(level).level;
        assert_eq!(of(Some(AccessLevel::OWNER)), Level::Ok);
        assert_eq!(of(Some(AccessLevel::MAINTAINER)), Level::Warning);
        assert_eq!(of(Some(AccessLevel::DEVELOPER)), Level::Error);
        assert_eq!(of(None), Level::Error);
    }

    #[test]
    fn the_bot_has_to_be_developer_of_the_handbook() {
        let of = |level| project_role("role.handbook", level, AccessLevel::DEVELOPER).level;
        assert_eq!(of(Some(AccessLevel::DEVELOPER)), Level::Ok);
        assert_eq!(of(Some(AccessLevel::REPORTER)), Level::Error);
        assert_eq!(of(None), Level::Error);
    }

    #[test]
    fn the_bot_has_to_be_among_those_who_may_make_projects() {
        let of = |least, role| creation(least, Some(role)).level;
        assert_eq!(of(Some("developer"), AccessLevel::MAINTAINER), Level::Ok);
        assert_eq!(of(Some("owner"), AccessLevel::MAINTAINER), Level::Error);
        assert_eq!(of(Some("noone"), AccessLevel::OWNER), Level::Error);
        assert_eq!(of(None, AccessLevel::MAINTAINER), Level::Ok);
    }
}
