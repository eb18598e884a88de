//! GitLab's rules for names and paths.

use crate::http::{Refusal, Result};
use serde_json::json;

/// Paths that a project may not have (documentation page `user/reserved_names`).
const RESERVED_PROJECT_PATHS: &[&str] = &[
    "-",
    "badges",
    "blame",
    "blob",
    "builds",
    "commits",
    "create",
    "create_dir",
    "edit",
    "files",
    "find_file",
    "new",
    "preview",
    "raw",
    "refs",
    "tree",
    "update",
    "wikis",
];

/// Paths that a top-level group may not have.
const RESERVED_TOP_LEVEL: &[&str] = &[
    "-",
    ".well-known",
    "404.html",
    "422.html",
    "500.html",
    "502.html",
    "503.html",
    "admin",
    "api",
    "apple-touch-icon.png",
    "assets",
    "dashboard",
    "deploy.html",
    "explore",
    "favicon.ico",
    "favicon.png",
    "files",
    "groups",
    "health_check",
    "help",
    "import",
    "jwt",
    "login",
    "oauth",
    "profile",
    "projects",
    "public",
    "robots.txt",
    "s",
    "search",
    "sitemap",
    "sitemap.xml",
    "sitemap.xml.gz",
    "slash-command-logo.png",
    "snippets",
    "unsubscribes",
    "uploads",
    "users",
    "v2",
];

const PATH_RULE: &str =
    "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'";
const SPECIAL_RULE: &str =
    "must not start or end with a special character and must not contain consecutive special characters.";
const NAME_RULE: &str = "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. \
                         It must start with a letter, digit, emoji, or '_'.";
const RESERVED_RULE: &str = "is a reserved name";

/// Checks a project's name and path; `Err` carries every broken rule.
pub(crate) fn check_project(name: &str, path: &str) -> Result<()> {
    let names = name_faults(name);
    let mut paths = path_faults(path);
    if RESERVED_PROJECT_PATHS.contains(&path.to_lowercase().as_str()) {
        paths.push(format!("'{path}' {RESERVED_RULE}").replace(&format!("'{path}' is"), &format!("{path} is")));
    }
    let mut faults = serde_json::Map::new();
    if !names.is_empty() {
        faults.insert("name".to_owned(), json!(names));
    }
    if !paths.is_empty() {
        faults.insert("path".to_owned(), json!(paths));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::message(400, faults))
    }
}

/// Checks a group's path.
pub(crate) fn check_group_path(path: &str, top_level: bool) -> Result<()> {
    let mut faults = path_faults(path);
    let lower = path.to_lowercase();
    if (top_level && RESERVED_TOP_LEVEL.contains(&lower.as_str())) || lower == "-" {
        faults.push(format!("{path} {RESERVED_RULE}"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let texts: Vec<&str> = faults.iter().map(String::as_str).collect();
    Err(Refusal::invalid("path", &texts))
}

fn name_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.trim().is_empty() {
        faults.push("can't be blank".to_owned());
        return faults;
    }
    if name.chars().count() > 255 {
        faults.push("is too long (maximum is 255 characters)".to_owned());
    }
    let first = name.chars().next().unwrap_or(' ');
    let begins_well = first.is_alphanumeric() || first == '_' || is_emoji(first);
    if !begins_well || !name.chars().all(is_name_character) {
        faults.push(NAME_RULE.to_owned());
    }
    faults
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '_' | '.' | '+' | '-' | ' ' | '\u{200d}' | '\u{fe0f}')
        || is_emoji(c)
        || is_mark(c)
}

/// Combining marks, which `\p{Alnum}` of Ruby counts among letters for scripts that need them.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x0900..=0x0dff)
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x00a9 | 0x00ae | 0x203c..=0x3299 | 0x1f000..=0x1faff)
}

fn path_faults(path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if path.is_empty() {
        faults.push("can't be blank".to_owned());
        return faults;
    }
    if path.chars().count() > 255 {
        faults.push("is too long (maximum is 255 characters)".to_owned());
    }
    let lower = path.to_lowercase();
    let known = path
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !known || path.starts_with('-') || lower.ends_with(".git") || lower.ends_with(".atom") {
        faults.push(PATH_RULE.to_owned());
    }
    if known && has_stray_special(path) {
        faults.push(SPECIAL_RULE.to_owned());
    }
    faults
}

fn has_stray_special(path: &str) -> bool {
    let special: Vec<bool> = path.chars().map(|c| !c.is_ascii_alphanumeric()).collect();
    special.first() == Some(&true) || special.last() == Some(&true) || special.windows(2).any(|w| w[0] && w[1])
}

/// The path that GitLab derives from a name when only the name was given.
pub(crate) fn path_from_name(name: &str) -> String {
    let mut path = String::new();
    for c in name.trim().chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') {
            path.push(c.to_ascii_lowercase());
        } else if !path.ends_with('-') {
            path.push('-');
        }
    }
    path.trim_matches(['-', '.', '_']).to_owned()
}

/// Why a branch may not be called so (`git check-ref-format`).
pub(crate) fn is_branch_name(name: &str) -> bool {
    let bad_characters = [' ', '~', '^', ':', '?', '*', '[', '\\'];
    !name.is_empty()
        && !name.starts_with(['-', '/'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("//")
        && !name.contains("@{")
        && name != "@"
        && !name.chars().any(|c| c.is_control() || bad_characters.contains(&c))
        && name
            .split('/')
            .all(|part| !part.starts_with('.') && !part.to_lowercase().ends_with(".lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, path: &str, allowed: bool) {
        assert_eq!(check_project(name, path).is_ok(), allowed, "{name} {path}");
    }

    #[test]
    fn project_paths_keep_gitlabs_rules() {
        check("Rust", "rust", true);
        check("C++ people", "c-people", true);
        check("Rust", "rust.git", false);
        check("Rust", "feed.atom", false);
        check("Rust", "-rust", false);
        check("Rust", "rust-", false);
        check("Rust", "a--b", false);
        check("Rust", "wikis", false);
        check("Rust", "Wikis", false);
        check("Rust (team)", "rust", false);
        check("日本語", "nihongo", true);
        check("Rust", "日本語", false);
        check("🎉 party", "party", true);
        check("+plus", "plus", false);
        check("", "x", false);
    }

    #[test]
    fn branch_names_keep_gits_rules() {
        for good in ["main", "a/b", "cop/rust-1"] {
            assert!(is_branch_name(good), "{good}");
        }
        for bad in ["", "a..b", "a b", "-x", "a/", "a.lock", "x~1", ".a", "a//b"] {
            assert!(!is_branch_name(bad), "{bad}");
        }
    }
}
