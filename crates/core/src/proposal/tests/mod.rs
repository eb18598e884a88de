//! Forms as people fill them in, and what is said about them.

mod fields;
mod hostile;
mod limits;

use std::collections::BTreeMap;

use super::*;
use crate::ids::UserId;

pub(super) const GOOD: &str = "\
## Focus topic

Agile Architecture

## Purpose and scope

We share how teams decide on architecture in small steps. Everybody may bring a case.

## Facilitators

@darwinjs, @brianwald

## Members

@alice and @bob

## Cadence

Monthly, first Tuesday, 16:00 UTC, 50 minutes

## Chat channel

#cp_agile_architecture

## Who can join

open

## Similar communities

We looked at `Clean Code`, which is about something else.

## Links

- [Reading list](https://example.com/list)
- https://example.com/talks
";

fn read(description: &str) -> Read {
    parse(&Untrusted::new("New community"), &Untrusted::new(description))
}

fn names(people: &[Username]) -> Vec<&str> {
    people.iter().map(Username::as_str).collect()
}

/// Field, severity and what was found, without zero-width breaks.
fn findings(read: &Read) -> Vec<String> {
    let line = |finding: &Finding| {
        format!(
            "{:?} {}: {}",
            finding.severity,
            finding.field.heading(),
            finding.found.as_str()
        )
        .replace('\u{200b}', "")
    };
    read.findings.iter().map(line).collect()
}

/// The good form with what stands under one heading replaced.
fn with(heading: &str, text: &str) -> Read {
    let mut form = String::new();
    let mut skipping = false;
    for line in GOOD.lines() {
        if let Some(found) = line.strip_prefix("## ") {
            skipping = found == heading;
            form.push_str(&format!("{line}\n\n"));
            if skipping {
                form.push_str(text);
                form.push_str("\n\n");
            }
        } else if !skipping {
            form.push_str(&format!("{line}\n"));
        }
    }
    read(&form)
}

#[test]
fn a_filled_form_is_read_without_findings() {
    let read = read(GOOD);
    assert_eq!(findings(&read), Vec::<String>::new());
    let form = read.form.unwrap();
    assert_eq!(form.name.as_str(), "Agile Architecture");
    assert_eq!(form.slug.as_str(), "agile-architecture");
    assert_eq!(
        form.description().as_str(),
        "We share how teams decide on architecture in small steps."
    );
    assert_eq!(names(&form.facilitators), ["darwinjs", "brianwald"]);
    assert_eq!(names(&form.members), ["alice", "bob"]);
    assert_eq!(
        form.cadence,
        Some(Untrusted::new("Monthly, first Tuesday, 16:00 UTC, 50 minutes"))
    );
    assert_eq!(
        form.chat_channel.as_ref().map(ChannelName::as_str),
        Some("cp_agile_architecture")
    );
    assert_eq!(form.join, Join::Open);
    assert_eq!(
        form.similar,
        Some(Untrusted::new(
            "We looked at Clean Code, which is about something else."
        ))
    );
    let links: Vec<(&str, &str)> = form
        .links
        .iter()
        .map(|link| (link.text.expose(), link.url.as_str()))
        .collect();
    assert_eq!(
        links,
        [
            ("Reading list", "https://example.com/list"),
            ("https://example.com/talks", "https://example.com/talks")
        ]
    );
    assert_eq!(form.people().len(), 4);
}

#[test]
fn the_empty_template_lacks_every_required_field() {
    let expected: Vec<String> = ["Focus topic", "Purpose and scope", "Facilitators", "Members"]
        .map(|heading| format!("Refusal {heading}: nothing is written under this heading"))
        .to_vec();
    let read = read(template());
    assert_eq!(findings(&read), expected);
    assert_eq!(read.understood.cadence, None);
    assert!(read.form.is_none() && read.understood.extra.is_empty());
    assert!(template().ends_with("\n/label ~\"cop::proposed\"\n"));
}

#[test]
fn a_filled_template_is_read_without_findings() {
    let mut filled = template().replace("/label ~\"cop::proposed\"\n", "");
    for (heading, text) in [
        ("Focus topic", "Rust at Work"),
        (
            "Purpose and scope",
            "Rust in production, from the first service to the last.",
        ),
        ("Facilitators", "@darwinjs @brianwald"),
        ("Members", "- @alice\n- @bob"),
    ] {
        let at = filled.find(&format!("## {heading}\n")).unwrap();
        let end = at + filled[at..].find("-->").unwrap() + 3;
        filled.insert_str(end, &format!("\n{text}"));
    }
    let read = read(&filled);
    assert_eq!(findings(&read), Vec::<String>::new(), "{filled}");
    assert_eq!(names(&read.form.unwrap().members), ["alice", "bob"]);
}

#[test]
fn headings_are_found_however_they_are_written() {
    for heading in [
        "# Focus topic",
        "###### FOCUS TOPIC ######",
        "Focus topic\n===",
        "Focus Topic:\n---",
        "## **Focus topic**",
        "## 1. Focus topic",
        "## Focus   topic (required)",
        "##  _Focus_ topic *",
        "## 🎯 Focus topic",
        "   ## Focus topic <!-- here -->",
    ] {
        let form = GOOD.replace("## Focus topic", heading);
        let read = read(&form);
        assert_eq!(findings(&read), Vec::<String>::new(), "{heading}");
        assert!(read.form.is_some(), "{heading}");
    }
}

#[test]
fn line_ends_and_order_make_no_difference() {
    assert_eq!(read(&GOOD.replace('\n', "\r\n")).form, read(GOOD).form);
    assert_eq!(read(&GOOD.replace('\n', "\r")).form, read(GOOD).form);
    let mut sections: Vec<&str> = GOOD.split("## ").filter(|part| !part.is_empty()).collect();
    sections.reverse();
    let turned = format!("## {}", sections.join("\n## "));
    assert_eq!(read(&turned).form, read(GOOD).form);
}

#[test]
fn what_is_in_code_quotes_or_comments_is_no_heading() {
    for hidden in [
        "```\n## Focus topic\nX Y Z\n```",
        "    ## Focus topic",
        "<!--\n## Focus topic\n-->",
        "> ## Focus topic\n> XYZ",
        "- ## Focus topic",
    ] {
        let form = format!("{hidden}\n\n{GOOD}");
        assert_eq!(findings(&read(&form)), Vec::<String>::new(), "{hidden}");
    }
}

#[test]
fn words_beside_a_comment_count() {
    for text in [
        "<!-- hint --> Rust at Work",
        "Rust at <!-- hint --> Work",
        "<!-- a -->\nRust at Work",
        "<!-- a\n\nb -->Rust at Work",
    ] {
        let topic = with("Focus topic", text).understood.topic.unwrap();
        assert_eq!(
            topic.expose().split_whitespace().collect::<Vec<_>>().join(" "),
            "Rust at Work",
            "{text}"
        );
    }
}

#[test]
fn a_comment_that_is_never_closed_hides_the_rest() {
    let read = read(&GOOD.replace("## Members", "<!-- ## Members"));
    assert!(
        findings(&read)
            .iter()
            .any(|finding| finding.contains("Refusal Members")),
        "{:?}",
        findings(&read)
    );
}

#[test]
fn a_missing_heading_is_said_and_a_near_one_is_named() {
    let read = read("# Purpose\n\nEverything\n\n# People\n\n# Members (at least three)\n\n@alice");
    let said: Vec<&str> = read.findings.iter().map(|finding| finding.mend.as_str()).collect();
    assert_eq!(
        said,
        [
            "write the community's name there, on one line; the title says `New community`",
            "name the heading `Purpose` so: `Purpose and scope`",
            "name who runs the community, as `@username`",
        ]
    );
    assert!(findings(&read)[0].contains("the heading is missing"));
}

#[test]
fn a_name_that_gitlab_refuses_gets_a_suggestion() {
    let check = |text: &str, expected: &str| {
        let mend = with("Focus topic", text).findings[0].mend.as_str().to_owned();
        assert!(mend.ends_with(&format!(", for example `{expected}`")), "{text}: {mend}");
    };
    check("R&D / Ops", "R and D - Ops");
    check("CI/CD", "CI-CD");
    check("Public Speaking (PS)", "Public Speaking PS");
    check("C# Guild", "C sharp Guild");
    check(".NET", "NET");
}

#[test]
fn a_heading_that_stands_there_twice_is_refused() {
    let read = read(&format!("{GOOD}\n# focus topic\n\nAnother\n"));
    assert_eq!(
        findings(&read),
        ["Refusal Focus topic: this heading stands there twice"]
    );
}

#[test]
fn unknown_headings_are_kept_and_end_the_section() {
    let read = read(&format!("{GOOD}\n## Budget\n\nNone, @nobody\n"));
    assert_eq!(findings(&read), Vec::<String>::new());
    assert_eq!(
        read.form.unwrap().extra,
        [(Untrusted::new("Budget"), Untrusted::new("None, @nobody"))]
    );
}

#[test]
fn a_smaller_heading_inside_the_purpose_belongs_to_it() {
    let read = with(
        "Purpose and scope",
        "Architecture.\n\n### Out of scope\n\nEverything that is no architecture.",
    );
    assert_eq!(findings(&read), Vec::<String>::new());
    assert_eq!(
        read.form.unwrap().purpose,
        Untrusted::new("Architecture.\n\nOut of scope\n\nEverything that is no architecture.")
    );
}

#[test]
fn a_description_of_more_than_256_kib_is_not_read() {
    let read = read(&"x".repeat(MAX_BYTES + 1));
    assert_eq!(
        findings(&read),
        ["Refusal The proposal: the description is longer than 256 KiB"]
    );
}

#[test]
fn people_are_checked_with_what_gitlab_says() {
    let form = read(GOOD).understood;
    let user = |name: &str| Username::new(name).unwrap();
    let active = PersonState::Active {
        id: UserId(1),
        name: Untrusted::new("Alice"),
    };
    let states = BTreeMap::from([
        (user("DarwinJS"), active.clone()),
        (user("brianwald"), PersonState::Blocked),
        (user("alice"), PersonState::Bot),
    ]);
    let found: Vec<String> = check_people(&form, &states)
        .iter()
        .map(|finding| finding.sentence().as_str().to_owned())
        .collect();
    assert_eq!(
        found,
        [
            "**Facilitators**: `@brianwald` has a blocked account; name somebody else.",
            "**Members**: `@alice` is a bot; name a person.",
            "**Members**: `@bob` is nobody's username here; check the spelling.",
        ]
    );
}

#[test]
fn an_approval_is_for_one_text() {
    let hash = |title: &str, text: &str| text_hash(&Untrusted::new(title), &Untrusted::new(text));
    assert_eq!(hash("a", "b\r\nc\r\n\n"), hash("a", "b\nc"));
    assert_ne!(hash("a", "b\nc"), hash("a", "b \nc"));
    assert_ne!(hash("ab", "c"), hash("a", "bc"));
    assert_ne!(hash("a", "b"), hash("A", "b"));
    assert_eq!(hash("a", "b").len(), 64);
}

#[test]
fn a_proposal_is_known_by_its_headings() {
    let looks = |text: &str| looks_like_proposal(&Untrusted::new("x"), &Untrusted::new(text));
    assert!(looks(template()));
    assert!(looks("# Focus topic\n# Members"));
    assert!(!looks("# Focus topic\n# focus topic"));
    assert!(!looks("Focus topic, Members"));
}

#[test]
fn every_finding_is_a_safe_sentence() {
    let read = with("Members", "`/close` @all, <img src=x>, | a ](x) **b**");
    for finding in &read.findings {
        let sentence = finding.sentence();
        assert!(
            crate::escape::gitlab::shown(sentence.as_str()).html.is_empty(),
            "{sentence:?}"
        );
    }
    assert!(!read.findings.is_empty());
}
