//! The issue template that `init` commits to the intake project.

/// The text of `.gitlab/issue_templates/New community.md`.
///
/// The label's name is quoted: a quick action reads an unquoted name only up to the next space, and quotes are always right.
#[must_use]
pub fn template() -> &'static str {
    include_str!("new_community.md")
}
