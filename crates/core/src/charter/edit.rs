//! Changing single values of a charter that people keep.
//!
//! The file is theirs: comments, order, quotes and unknown keys stay. Every edit is read again, and an edit that does not
//! mean exactly what was intended is refused instead of written.

use std::str::FromStr;

use yaml_edit::{Document, Mapping, Sequence};

use super::finding::Finding;
use super::tree::{Node, Value};
use super::write::{cadence_mapping, yaml_text};
use super::{Charter, FullPath, Status, read};
use crate::cadence::Cadence;
use crate::ids::Username;

/// One value to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `status`.
    Status(Status),
    /// `facilitators`, in this order.
    Facilitators(Vec<Username>),
    /// `cadence`, the whole mapping.
    Cadence(Cadence),
    /// `merged_into`.
    MergedInto(Option<FullPath>),
}

impl Change {
    fn key(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Facilitators(_) => "facilitators",
            Self::Cadence(_) => "cadence",
            Self::MergedInto(_) => "merged_into",
        }
    }

    fn apply_to(&self, charter: &mut Charter) {
        match self.clone() {
            Self::Status(status) => charter.status = status,
            Self::Facilitators(people) => charter.facilitators = people,
            Self::Cadence(cadence) => charter.cadence = cadence,
            Self::MergedInto(path) => charter.merged_into = path,
        }
    }
}

/// Why a charter was not edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file is broken already; a person has to mend it first.
    #[error("the charter has {} mistakes; mend them first", .0.len())]
    Broken(Vec<Finding>),
    /// The edited file would not have meant what was intended, or would have lost a comment.
    #[error("`{0}` cannot be changed in this charter without harm; change it by hand")]
    Unsafe(&'static str),
}

/// Makes the changes one after another and gives the new file; the same bytes when nothing is to change.
///
/// # Errors
/// When the charter is broken, or when a change cannot be made without touching anything else.
pub fn edit(source: &str, changes: &[Change]) -> Result<String, Refused> {
    let mut text = source.to_owned();
    for change in changes {
        text = edit_one(&text, change)?;
    }
    Ok(text)
}

fn edit_one(source: &str, change: &Change) -> Result<String, Refused> {
    let before = read::tree_of(source.as_bytes()).map_err(|finding| Refused::Broken(vec![finding]))?;
    let mut wanted = read::charter_of(&before).map_err(Refused::Broken)?;
    let current = wanted.clone();
    change.apply_to(&mut wanted);
    if wanted == current {
        return Ok(source.to_owned());
    }
    let refused = || Refused::Unsafe(change.key());
    let edited = write(source, change, &current).ok_or_else(refused)?;
    let after = read::tree_of(edited.as_bytes()).map_err(|_| refused())?;
    let meant = read::charter_of(&after).is_ok_and(|charter| charter == wanted);
    let leaving = current
        .facilitators
        .iter()
        .filter(|person| !wanted.facilitators.contains(person));
    let staying = without_lines_of(source, leaving);
    let kept = same_but(&before, &after, change.key()) && comments(&staying).eq(comments(&edited));
    if meant && kept { Ok(edited) } else { Err(refused()) }
}

fn write(source: &str, change: &Change, current: &Charter) -> Option<String> {
    // The editor works on lines that end in a bare line feed; the file gets its own ends back.
    let crlf = source.contains("\r\n");
    let text = if crlf {
        source.replace("\r\n", "\n")
    } else {
        source.to_owned()
    };
    let document = Document::from_str(&text).ok()?;
    let mapping = document.as_mapping()?;
    match change {
        Change::Status(status) => mapping.set("status", status.as_str()),
        Change::Facilitators(people) => set_people(&mapping, &current.facilitators, people)?,
        Change::Cadence(cadence) => mapping.set("cadence", parsed(&cadence_mapping(cadence))?.as_mapping()?),
        Change::MergedInto(Some(path)) => mapping.set("merged_into", parsed(&yaml_text(path.as_str()))?.as_scalar()?),
        Change::MergedInto(None) => mapping.set("merged_into", parsed("null")?.as_scalar()?),
    }
    let edited = document.to_string();
    Some(if crlf { edited.replace('\n', "\r\n") } else { edited })
}

/// Takes out who leaves and adds who comes, so that the lines and comments of those who stay are not touched.
fn set_people(mapping: &Mapping, current: &[Username], wanted: &[Username]) -> Option<()> {
    let Some(list) = mapping.get_sequence("facilitators") else {
        let list = Sequence::new_flow();
        wanted.iter().for_each(|person| list.push(person.as_str()));
        mapping.set("facilitators", &list);
        return Some(());
    };
    for (index, person) in current.iter().enumerate().rev() {
        if !wanted.contains(person) {
            list.remove(index)?;
        }
    }
    let staying: Vec<_> = current.iter().filter(|person| wanted.contains(person)).collect();
    for (index, person) in wanted.iter().enumerate() {
        if !staying.contains(&person) {
            list.insert(index, person.as_str());
        }
    }
    let in_order = wanted
        .iter()
        .filter(|person| staying.contains(person))
        .eq(staying.iter().copied());
    if !in_order {
        for (index, person) in wanted.iter().enumerate() {
            list.set(index, person.as_str());
        }
    }
    Some(())
}

fn parsed(text: &str) -> Option<Document> {
    Document::from_str(text).ok()
}

fn same_but(before: &Node, after: &Node, key: &str) -> bool {
    let rest = |node: &Node| match &node.value {
        Value::Map(entries) => entries.iter().filter(|(name, _)| name != key).cloned().collect(),
        _ => Vec::new(),
    };
    rest(before) == rest(after)
}

/// The file without the list lines of these people: a comment on such a line is about them and goes with them.
fn without_lines_of<'a>(source: &str, people: impl Iterator<Item = &'a Username>) -> String {
    let names: Vec<_> = people.map(Username::as_str).collect();
    let is_theirs = |line: &str| {
        let item = line
            .trim_start()
            .strip_prefix("- ")
            .and_then(|item| item.split(" #").next());
        item.is_some_and(|item| names.contains(&item.trim().trim_matches(['"', '\'']).trim_start_matches('@')))
    };
    source.split_inclusive('\n').filter(|line| !is_theirs(line)).collect()
}

/// The comments of a file in their order. Text after ` #` inside quotes counts too, which only makes the check stricter.
fn comments(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let at = if line.trim_start().starts_with('#') {
            line.find('#')
        } else {
            line.find(" #").map(|at| at + 1)
        };
        at.map(|at| line[at..].trim_end())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::write::tests::any_charter;
    use super::super::{read, render_new};
    use super::*;

    fn people(names: &[&str]) -> Vec<Username> {
        names.iter().map(|name| Username::new(name).unwrap()).collect()
    }

    fn check(source: &str, change: Change, expected: &str) {
        assert_eq!(edit(source, &[change]).as_deref(), Ok(expected));
    }

    const HEAD: &str = "# ours\nname: 'X'\nextra: {a: 1} # kept\n";

    #[test]
    fn only_the_value_changes() {
        check(
            &format!("{HEAD}status:   active            # proposed | active\nfacilitators: [a, b]\n"),
            Change::Status(Status::Inactive),
            &format!("{HEAD}status:   inactive            # proposed | active\nfacilitators: [a, b]\n"),
        );
        check(
            &format!("{HEAD}status: active\nmerged_into: null\nfacilitators: [a, b]\n"),
            Change::MergedInto(FullPath::new("g/other")),
            &format!("{HEAD}status: active\nmerged_into: \"g/other\"\nfacilitators: [a, b]\n"),
        );
    }

    #[test]
    fn people_come_and_go_without_touching_the_others() {
        check(
            &format!("{HEAD}status: active\nfacilitators: [a, \"b\"]  # who runs it\n"),
            Change::Facilitators(people(&["b", "c"])),
            &format!("{HEAD}status: active\nfacilitators: [\"b\", \"c\"]  # who runs it\n"),
        );
        check(
            &format!("{HEAD}status: active\nfacilitators:\n  - a\n  - b # since May\njoin: open\n"),
            Change::Facilitators(people(&["b", "c"])),
            &format!("{HEAD}status: active\nfacilitators:\n  - b # since May\n  - c\njoin: open\n"),
        );
        check(
            &format!("{HEAD}status: active\nfacilitators: []\n"),
            Change::Facilitators(people(&["007"])),
            &format!("{HEAD}status: active\nfacilitators: ['007']\n"),
        );
    }

    #[test]
    fn line_ends_of_windows_stay() {
        check(
            "name: X\r\nstatus: active # so\r\nfacilitators: [a]\r\n",
            Change::Status(Status::Retired),
            "name: X\r\nstatus: retired # so\r\nfacilitators: [a]\r\n",
        );
    }

    #[test]
    fn a_missing_key_is_added() {
        let source = "name: X\nstatus: active\nfacilitators: [a]\n";
        let edited = edit(source, &[Change::MergedInto(FullPath::new("g/other"))]).unwrap();
        assert_eq!(read(edited.as_bytes()).unwrap().merged_into, FullPath::new("g/other"));
        assert!(edited.starts_with(source));
    }

    #[test]
    fn nothing_to_change_gives_the_same_bytes() {
        let source = "name:   X # odd\nstatus: 'active'\nfacilitators: [a]";
        assert_eq!(edit(source, &[Change::Status(Status::Active)]).as_deref(), Ok(source));
    }

    #[test]
    fn a_comment_goes_only_with_the_person_it_stands_beside() {
        check(
            &format!("{HEAD}status: active\nfacilitators:\n  - a # on leave\n  # since May\n  - b\n"),
            Change::Facilitators(people(&["b"])),
            &format!("{HEAD}status: active\nfacilitators:\n  # since May\n  - b\n"),
        );
        let source = "name: X\nstatus: active\nfacilitators: # both\n  [a, # the first\n   b]\n";
        let result = edit(source, &[Change::Facilitators(people(&["b"]))]);
        assert!(result.is_err() || result.is_ok_and(|text| text.contains("# both") && text.contains("# the first")));
    }

    #[test]
    fn a_broken_charter_is_not_edited() {
        let result = edit("name: X\nstatus: asleep\n", &[Change::Status(Status::Active)]);
        assert!(matches!(result, Err(Refused::Broken(findings)) if findings.len() == 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_edit_means_what_was_intended_and_nothing_else(
            charter in any_charter(),
            status in 0..4_usize,
            names in proptest::collection::hash_set("[a-z][a-z0-9]{0,5}", 0..4),
        ) {
            let source = render_new(&charter);
            let wanted: Vec<_> = names.iter().filter_map(|name| Username::new(name)).collect();
            let changes = [Change::Status(Status::ALL[status]), Change::Facilitators(wanted.clone())];
            let edited = edit(&source, &changes);
            prop_assert!(edited.is_ok(), "{:?}\n{}", edited, source);
            let again = read(edited.unwrap_or_default().as_bytes());
            let expected = Charter { status: Status::ALL[status], facilitators: wanted, ..charter };
            prop_assert_eq!(again, Ok(expected));
        }
    }
}
