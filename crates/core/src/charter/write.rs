//! Writing a charter for the first time.

use super::{Charter, Join};
use crate::cadence::{Cadence, clock};
use crate::ids::Username;

/// The whole file for a new community, with a comment where people would wonder.
///
/// Everything that a person wrote stands in double quotes; [`super::read`] gives back an equal charter.
#[must_use]
pub fn render_new(charter: &Charter) -> String {
    let Charter {
        name,
        summary,
        status,
        facilitators,
        join,
        cadence,
        chat,
        proposal,
        merged_into,
        links,
    } = charter;
    let join = match join {
        Join::Open => "open".to_owned(),
        Join::Request => "request".to_owned(),
        Join::Sentence(sentence) => yaml_text(sentence.expose()),
    };
    let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".to_owned());
    let links = if links.is_empty() {
        " []".to_owned()
    } else {
        links
            .iter()
            .map(|link| {
                let title = or_null(link.title.as_ref().map(|title| yaml_text(title.expose())));
                format!("\n  - {{ title: {title}, url: {} }}", yaml_text(link.url.expose()))
            })
            .collect()
    };
    format!(
        "# This community's own record. Change it here, and the handbook follows.\n\
         name: {}\n\
         summary: {}\n\
         status: {status}            # proposed | active | inactive | retired\n\
         facilitators: {}\n\
         join: {join}                # open | request | a sentence\n\
         cadence: {}\n\
         chat: {}\n\
         proposal: {}\n\
         merged_into: {}\n\
         links:{links}\n",
        yaml_text(name.expose()),
        yaml_text(summary.expose()),
        usernames(facilitators),
        cadence_mapping(cadence),
        or_null(chat.as_ref().map(|chat| yaml_text(chat.expose()))),
        or_null(proposal.as_ref().map(|issue| yaml_text(&issue.to_string()))),
        or_null(merged_into.as_ref().map(|path| yaml_text(path.as_str()))),
    )
}

/// Any text as a double-quoted YAML scalar on one line (YAML 1.2, 7.3.1), which reads back as the same text.
#[must_use]
pub fn yaml_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Controls, line separators, invisible and bidirectional marks would deceive who reads the file.
            c if c.is_control() || is_invisible(c) => quoted.push_str(&escaped(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn usernames(people: &[Username]) -> String {
    let names: Vec<_> = people.iter().map(username).collect();
    format!("[{}]", names.join(", "))
}

/// Bare where every YAML reader takes it for text, else quoted: `007`, `null` and `1e3` may be usernames.
pub(crate) fn username(person: &Username) -> String {
    let name = person.as_str();
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { name.to_owned() } else { yaml_text(name) }
}

/// A cadence as the charter's flow mapping: `{ every: month, on: first tuesday, at: "16:00", timezone: UTC }`.
#[must_use]
pub fn cadence_mapping(cadence: &Cadence) -> String {
    let Cadence {
        every,
        on,
        at,
        timezone,
        minutes,
        from,
    } = cadence;
    let mut fields = vec![format!("every: {every}")];
    fields.push(format!("on: {}", on.map_or("null".to_owned(), |day| day.to_string())));
    fields.push(format!(
        "at: {}",
        at.map_or("null".to_owned(), |at| format!("\"{}\"", clock(at)))
    ));
    fields.push(format!("timezone: {timezone}"));
    if let Some(minutes) = minutes {
        fields.push(format!("minutes: {minutes}"));
    }
    if let Some(from) = from {
        fields.push(format!("from: \"{from}\""));
    }
    format!("{{ {} }}", fields.join(", "))
}

/// Marks that take no room: soft hyphens, joiners, bidirectional controls, byte order marks, tags.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
        || !('\u{0}'..='\u{e0000}').contains(&c)
}

fn escaped(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..=0xff => format!("\\x{code:02X}"),
        0x100..=0xffff => format!("\\u{code:04X}"),
        _ => format!("\\U{code:08X}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::{FullPath, IssueReference, Link, Status, join_of, read};
    use super::*;
    use crate::cadence;
    use crate::ids::IssueIid;
    use crate::untrusted::Untrusted;

    pub(in super::super) fn any_charter() -> impl Strategy<Value = Charter> {
        let text = || "\\PC{0,12}|[\\x00-\\x7f]{0,12}|(null|~|- a|@all|'|\"|#x|: |\\{\\{x\\}\\}|%|&a|\\*a|<<|---|\\u{2028}|\\u{feff}){1,3}";
        let cadence = prop_oneof![
            Just("Monthly"),
            Just("Monthly, first Tuesday, 16:00 UTC, 50 minutes"),
            Just("Every two weeks, Friday, 09:30 Europe/Berlin, from 2026-01-02"),
        ];
        let people = proptest::collection::vec("[a-z0-9_][a-zA-Z0-9_-]{0,8}|null|no|1e3|007", 0..4);
        let links = proptest::collection::vec((proptest::option::of(text()), text()), 0..3);
        (
            text(),
            text(),
            0..4_usize,
            people,
            text(),
            cadence,
            proptest::option::of(text()),
            links,
        )
            .prop_map(|(name, summary, status, people, join, cadence, chat, links)| Charter {
                name: Untrusted::new(
                    format!("x{}", name.replace(['\n', '\r', '\u{b}', '\u{c}', '\u{85}'], " ")).trim(),
                ),
                summary: Untrusted::new(summary),
                status: Status::ALL[status],
                facilitators: distinct(people.iter().filter_map(|name| Username::new(name)).collect()),
                join: join_of(&Untrusted::new(join)),
                cadence: cadence::read(&Untrusted::new(cadence)).cadence,
                chat: chat.map(Untrusted::new).filter(|chat| !chat.is_blank()),
                proposal: FullPath::new("group/intake").map(|project| IssueReference {
                    project,
                    iid: IssueIid(12),
                }),
                merged_into: FullPath::new("group/other"),
                links: links
                    .into_iter()
                    .filter(|(_, url)| !url.trim().is_empty())
                    .map(|(title, url)| Link {
                        title: title
                            .filter(|title| !title.trim().is_empty())
                            .map(|title| Untrusted::new(title.trim())),
                        url: Untrusted::new(url.trim()),
                    })
                    .collect(),
            })
    }

    fn distinct(people: Vec<Username>) -> Vec<Username> {
        let mut kept: Vec<Username> = Vec::new();
        for person in people {
            if !kept.contains(&person) {
                kept.push(person);
            }
        }
        kept
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_new_charter_reads_back_as_itself(charter in any_charter()) {
            let source = render_new(&charter);
            let again = read(source.as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&charter), "{}", source);
            prop_assert!(source.lines().count() <= 11 + charter.links.len());
        }

        #[test]
        fn another_reader_understands_the_same_text(text in "\\PC{0,20}|[\\x00-\\x7f]{0,20}") {
            let read: Result<String, _> = serde_yaml::from_str(&yaml_text(&text));
            prop_assert_eq!(read.ok(), Some(text));
        }
    }
}
