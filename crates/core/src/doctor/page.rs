//! What people see: labels, the issue template, the handbook page, charters, accounts.

use super::Check;
use crate::ids::Username;
use crate::plan::FileVersion;
use crate::plan::init::TEMPLATE_PATH;
use crate::plan::labels::State;
use crate::plan::listing;
use crate::plan::seen::PageSeen;
use crate::plan::wanted::Blueprint;
use crate::program::{Handbook, PageKind};
use crate::proposal::{self, PersonState};
use crate::table::{self, Page};
use crate::untrusted::Untrusted;

/// Checks that the state labels are there.
#[must_use]
pub fn labels(known: &[String]) -> Check {
    let missing: Vec<&str> = State::ALL
        .into_iter()
        .map(State::label)
        .filter(|label| !known.iter().any(|name| name == label))
        .collect();
    if missing.is_empty() {
        Check::fine("labels", "all state labels are there")
    } else {
        Check::warning(
            "labels",
            format!("missing: {}", missing.join(", ")),
            "run `convenor init`",
        )
    }
}

/// Checks a handbook page: its table, or its markers.
#[must_use]
pub fn page(handbook: &Handbook, blueprint: &Blueprint, seen: &PageSeen) -> Vec<Check> {
    let mend = "mend the page or `[program.handbook]` in the settings; until then no merge request is opened";
    let Some(file) = &seen.file else {
        return vec![Check::error("page", listing::no_such_page(handbook), mend)];
    };
    let found = Check::fine(
        "page",
        format!(
            "{} on branch {}, {} bytes",
            handbook.page,
            seen.branch,
            file.bytes.len()
        ),
    );
    let inside = match handbook.kind {
        PageKind::Table => table_on(handbook, &file.bytes, mend),
        PageKind::Directory => match table::directory(&file.bytes, blueprint.directory(), &[]) {
            Ok(_) => Check::fine("directory", "the markers are there"),
            Err(finding) => Check::error("directory", finding.to_string(), mend),
        },
    };
    vec![found, inside]
}

fn table_on(handbook: &Handbook, page: &[u8], mend: &str) -> Check {
    let table = Page::parse(page).and_then(|page| {
        let table = table::target(&page, handbook)?;
        let columns = table::Columns::of(&table, &handbook.columns)?;
        let named = table
            .rows()
            .filter(|row| !row.said(columns.name).text.trim().is_empty())
            .count();
        let malformed = table.rows().filter(|row| row.malformed().is_some()).count();
        Ok((named, malformed))
    });
    match table {
        Err(finding) => Check::error("table", finding.to_string(), mend),
        Ok((named, 0)) => Check::fine("table", format!("{named} rows understood")),
        Ok((named, malformed)) => Check::warning(
            "table",
            format!("{named} rows understood, {malformed} malformed"),
            "`convenor plan` shows them; they stay as they are, and `convenor apply --repair` proposes to mend what is certain",
        ),
    }
}

/// Headings that a proposal cannot go without.
const NEEDED_HEADINGS: [&str; 4] = ["focus topic", "purpose and scope", "facilitators", "members"];

/// Checks that the issue template is there, and asks for what a proposal needs.
#[must_use]
pub fn template(file: Option<&FileVersion>) -> Check {
    const NAME: &str = "template";
    let Some(file) = file else {
        return Check::warning(
            NAME,
            format!("the intake project has no {TEMPLATE_PATH}"),
            "run `convenor init`; until then people have to know the headings by heart",
        );
    };
    if file.bytes == proposal::template().as_bytes() {
        return Check::fine(NAME, "the issue template is Convenor's");
    }
    let text = String::from_utf8_lossy(&file.bytes).to_lowercase();
    let headings = text.lines().filter_map(|line| line.trim().strip_prefix('#'));
    let headings: Vec<&str> = headings.map(|line| line.trim_start_matches('#').trim()).collect();
    let missing: Vec<&str> = NEEDED_HEADINGS
        .into_iter()
        .filter(|needed| !headings.contains(needed))
        .collect();
    let mend = "add them, or run `convenor init --replace-template`";
    match (missing.is_empty(), text.contains("cop::proposed")) {
        (true, true) => Check::fine(
            NAME,
            "a person's issue template, with all headings that a proposal needs",
        ),
        (false, _) => Check::warning(
            NAME,
            format!("the issue template lacks the headings: {}", missing.join(", ")),
            mend,
        ),
        (true, false) => Check::warning(
            NAME,
            "the issue template does not set the label cop::proposed, so its issues are no proposals",
            "add a line `/label ~\"cop::proposed\"`, or run `convenor init --replace-template`",
        ),
    }
}

/// Checks that everybody whom the settings name has an account in use.
#[must_use]
pub fn people(name: &'static str, setting: &str, states: &[(Username, PersonState)]) -> Check {
    let unusable: Vec<String> = states
        .iter()
        .filter(|(_, state)| !matches!(state, PersonState::Active { .. }))
        .map(|(username, _)| format!("@{}", username.as_str()))
        .collect();
    if unusable.is_empty() {
        return Check::fine(name, format!("everybody in `{setting}` has an account in use"));
    }
    Check::warning(
        name,
        format!("no account in use: {}", unusable.join(", ")),
        format!("mend `{setting}` in the settings"),
    )
}

/// Checks that the communities' charters can be read; each is given with its project's path.
#[must_use]
pub fn charters<'a>(charters: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Check {
    const NAME: &str = "charters";
    let mut all = 0;
    let mut broken = Vec::new();
    for (path, bytes) in charters {
        all += 1;
        if crate::charter::read(bytes).is_err() {
            broken.push(crate::escape::TerminalText::line(&Untrusted::new(path)).to_string());
        }
    }
    if broken.is_empty() {
        return Check::fine(NAME, format!("{} can be read", super::counted(all, "charter")));
    }
    Check::warning(
        NAME,
        format!("cannot be read: {}", broken.join(", ")),
        "an issue in each of these projects says what is wrong and on which line",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use crate::ids::UserId;

    #[test]
    fn missing_labels_are_named() {
        let known: Vec<String> = State::ALL
            .into_iter()
            .skip(1)
            .map(|state| state.label().to_owned())
            .collect();
        let check = labels(&known);
        assert_eq!(
            (check.level, check.evidence.as_str()),
            (Level::Warning, "missing: cop::proposed")
        );
    }

    #[test]
    fn a_template_has_to_ask_for_what_a_proposal_needs() {
        let of = |text: &str| {
            let bytes = text.as_bytes().to_vec();
            template(Some(&FileVersion {
                bytes,
                last_commit: None,
            }))
            .level
        };
        assert_eq!(of(proposal::template()), Level::Ok);
        let own = "## Focus topic\n## Purpose and scope\n# FACILITATORS\n### Members\n";
        assert_eq!(of(&format!("{own}/label ~\"cop::proposed\"\n")), Level::Ok);
        assert_eq!(of(own), Level::Warning);
        assert_eq!(of("## Focus topic\n"), Level::Warning);
        assert_eq!(template(None).level, Level::Warning);
    }

    #[test]
    fn people_without_an_account_are_named() {
        let name = |name: &str| Username::new(name).unwrap();
        let active = PersonState::Active {
            id: UserId(1),
            name: Untrusted::default(),
        };
        let states = [(name("vera"), active), (name("gone"), PersonState::Missing)];
        let check = people("approvers", "approvers", &states);
        assert_eq!(
            (check.level, check.evidence.as_str()),
            (Level::Warning, "no account in use: @gone")
        );
        assert_eq!(people("approvers", "approvers", &states[..1]).level, Level::Ok);
    }

    #[test]
    fn charters_that_cannot_be_read_are_named() {
        let good = "name: Rust\nstatus: active\nfacilitators: []\n".as_bytes();
        assert_eq!(charters([("a/b", good)]).level, Level::Ok);
        let check = charters([("a/b", good), ("a/c", b"name: [".as_slice())]);
        assert_eq!(
            (check.level, check.evidence.as_str()),
            (Level::Warning, "cannot be read: a/c")
        );
    }
}
