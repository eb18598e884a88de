//! `[[program]]`: from the settings' keys to [`convenor_core::program::Program`].

use std::collections::BTreeSet;
use std::path::PathBuf;

use convenor_core::ids::{AccessLevel, Username};
use convenor_core::program::{ApprovalPolicy, Program, Visibility};
use convenor_core::thing::ProgramName;

use super::handbook;
use super::section::Section;

/// One program, with what only the shell needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSettings {
    /// The program's rules.
    pub program: Program,
    /// A folder of templates that replace the built-in ones; `None`: the built-in ones.
    pub templates: Option<PathBuf>,
}

/// Reads all `[[program]]` sections; those with a fault are left out, their faults are noted.
pub(super) fn read_all(root: &mut Section) -> Vec<ProgramSettings> {
    let mut seen = BTreeSet::new();
    let sections = root.sections("program").into_iter();
    let mut programs: Vec<ProgramSettings> = sections.filter_map(|section| read(section, &mut seen)).collect();
    handbook::name_apart(programs.iter_mut().flat_map(|settings| {
        let Program { name, handbooks, .. } = &mut settings.program;
        let name = &*name;
        handbooks.iter_mut().map(move |page| (name.as_str(), page))
    }));
    programs
}

fn read(mut section: Section, seen: &mut BTreeSet<(&'static str, String)>) -> Option<ProgramSettings> {
    let name = section
        .required(
            "name",
            "give the program a short name: lower-case letters, digits and `-`, for example \"cop\"",
        )
        .and_then(|text| {
            let name = ProgramName::new(&text);
            if name.is_none() {
                let problem = format!("`{}` cannot be a program's name", text.escape_debug());
                section.fault("name", problem, "use lower-case letters, digits and `-`, at most 64");
            }
            name
        });
    let group = full_path(
        &mut section,
        "group",
        1,
        "name the group in which communities' projects are made",
    );
    let intake = full_path(&mut section, "intake", 2, "name the project whose issues are proposals");
    unique(&section, "name", name.as_ref().map(ProgramName::as_str), seen);
    unique(&section, "group", group.as_deref(), seen);
    unique(&section, "intake", intake.as_deref(), seen);
    let approval = section.parsed("approval", ApprovalPolicy::default(), approval);
    let approvers = usernames(&mut section, "approvers");
    let visibility = section.parsed("visibility", Visibility::Public, visibility);
    let member_level = section.parsed("member_role", AccessLevel::DEVELOPER, member_role);
    let templates = templates(&mut section);
    let mut chat = section.section("chat");
    let chat_prefix = chat.parsed("prefix", "cp_".to_owned(), chat_prefix);
    chat.finish();
    let handbooks = handbook::read_all(&mut section);
    section.finish();
    let program = Program {
        name: name?,
        group: group?,
        intake: intake?,
        approval,
        approvers,
        visibility,
        chat_prefix,
        member_level,
        handbooks: handbooks?,
    };
    Some(ProgramSettings { program, templates })
}

/// A full path of at least `least` steps, each as GitLab allows it.
pub(super) fn full_path(section: &mut Section, key: &str, least: usize, mend: &str) -> Option<String> {
    let text = section.required(key, mend)?;
    let path = text.trim().trim_matches('/');
    let good_step = |step: &str| {
        step.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && step
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    if path.split('/').all(good_step) && path.split('/').count() >= least {
        return Some(path.to_owned());
    }
    let what = if least > 1 { "project" } else { "group" };
    let problem = format!("`{}` is no {what}'s full path", text.escape_debug());
    let example = if least > 1 {
        "\"group/subgroup/project\""
    } else {
        "\"group/subgroup\""
    };
    section.fault(
        key,
        problem,
        format!("write it as in the address of its page, without the host: {example}"),
    );
    None
}

/// Two programs that share a name, a group or an intake would fight over the same things.
fn unique(section: &Section, key: &'static str, value: Option<&str>, seen: &mut BTreeSet<(&'static str, String)>) {
    let Some(value) = value else { return };
    if !seen.insert((key, value.to_ascii_lowercase())) {
        section.fault(
            key,
            format!("`{value}` belongs to another program already"),
            "each program needs its own",
        );
    }
}

pub(super) fn usernames(section: &mut Section, key: &str) -> Vec<Username> {
    let names = section.list(key).unwrap_or_default();
    let read = |name: &String| {
        let username = Username::new(name);
        if username.is_none() {
            let problem = format!("`{}` is no GitLab username", name.escape_debug());
            section.fault(key, problem, "write usernames, with or without `@`");
        }
        username
    };
    names.iter().filter_map(read).collect()
}

fn templates(section: &mut Section) -> Option<PathBuf> {
    let folder = PathBuf::from(section.text("templates")?);
    if folder.is_dir() {
        return Some(folder);
    }
    let problem = format!("`{}` is no folder", folder.display());
    section.fault(
        "templates",
        problem,
        "name a folder of templates, or leave the key out for the built-in ones",
    );
    None
}

fn approval(text: &str) -> Result<ApprovalPolicy, &'static str> {
    match text {
        "members" => Ok(ApprovalPolicy::Members),
        "always" => Ok(ApprovalPolicy::Always),
        "never" => Ok(ApprovalPolicy::Never),
        _ => Err("choose \"members\", \"always\" or \"never\""),
    }
}

fn visibility(text: &str) -> Result<Visibility, &'static str> {
    match text {
        "private" => Ok(Visibility::Private),
        "internal" => Ok(Visibility::Internal),
        "public" => Ok(Visibility::Public),
        _ => Err("choose \"private\", \"internal\" or \"public\""),
    }
}

fn member_role(text: &str) -> Result<AccessLevel, &'static str> {
    match text {
        "guest" => Ok(AccessLevel(10)),
        "planner" => Ok(AccessLevel(15)),
        "reporter" => Ok(AccessLevel::REPORTER),
        "developer" => Ok(AccessLevel::DEVELOPER),
        "maintainer" => Ok(AccessLevel::MAINTAINER),
        _ => Err("choose \"guest\", \"planner\", \"reporter\", \"developer\" or \"maintainer\""),
    }
}

fn chat_prefix(text: &str) -> Result<String, &'static str> {
    let good = text.len() <= 20
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    good.then(|| text.to_owned())
        .ok_or("use lower-case letters, digits, `_` and `-`, at most 20")
}
