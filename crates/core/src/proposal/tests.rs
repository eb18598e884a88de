//! Forms as people fill them in, and what is said about them.

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
fn the_focus_topic_is_one_line_of_3_to_80_characters() {
    let check = |text: &str, expected: &[&str]| {
        let expected: Vec<String> = expected
            .iter()
            .map(|found| format!("Refusal Focus topic: {found}"))
            .collect();
        assert_eq!(findings(&with("Focus topic", text)), expected, "{text}");
    };
    check("**Agile** `Architecture`", &[]);
    check("- Agile Architecture", &[]);
    check("[Agile](https://example.com) Architecture", &[]);
    check("TBD", &["nothing is written under this heading"]);
    check("_No response_", &["nothing is written under this heading"]);
    check("Go", &["it has 2 characters"]);
    check(&"long ".repeat(12), &[]);
    check(
        &"very ".repeat(20),
        &["it has 99 characters", "the path would be longer than 63 characters"],
    );
    check("One\n\nTwo", &["it has more than one line"]);
    check("R&D / Ops", &["GitLab does not allow `&`, `/` in a project's name"]);
    check("R&amp;D", &["GitLab does not allow `&` in a project's name"]);
    check(
        "Rust <b>x</b>",
        &["GitLab does not allow `<`, `>`, `/` in a project's name"],
    );
    check("Архитектура", &["a path cannot hold `А`"]);
    check("wikis", &["GitLab keeps this path for itself"]);
}

#[test]
fn the_purpose_has_at_least_40_characters() {
    let check = |text: &str, expected: &[&str]| {
        let expected: Vec<String> = expected
            .iter()
            .map(|found| format!("Refusal Purpose and scope: {found}"))
            .collect();
        assert_eq!(findings(&with("Purpose and scope", text)), expected, "{text}");
    };
    check("Too short.", &["it has only 10 characters"]);
    check(&"x".repeat(39), &["it has only 39 characters"]);
    check(&"x".repeat(40), &[]);
    check(&format!("x{}y", " ".repeat(60)), &["it has only 3 characters"]);
    check(
        "<!-- at least 40 characters, please, and not fewer -->",
        &["nothing is written under this heading"],
    );
}

#[test]
fn the_first_sentence_is_the_description() {
    let check = |text: &str, expected: &str| assert_eq!(sentence::first_sentence(text), expected, "{text}");
    check("One. Two.", "One.");
    check(
        "See e.g. the list, v1.2 and i.e. more. Then.",
        "See e.g. the list, v1.2 and i.e. more.",
    );
    check("Is it? Yes.", "Is it?");
    check("No end\n\nNext paragraph.", "No end");
    check("Lines\ngo on. And on.", "Lines go on.");
    check("Dr. Who and J. Smith meet. Often.", "Dr. Who and J. Smith meet.");
    check("日本語。次。", "日本語。");
    check("About ASP.NET and .NET. Others too.", "About ASP.NET and .NET.");
}

#[test]
fn people_are_found_however_they_are_written() {
    let check = |text: &str, expected: &[&str]| {
        let read = with("Members", text);
        assert_eq!(names(&read.understood.members), expected, "{text}");
        assert_eq!(findings(&read), Vec::<String>::new(), "{text}");
    };
    check("@alice @bob", &["alice", "bob"]);
    check("@alice,@bob;@carol", &["alice", "bob", "carol"]);
    check("- @alice\n- @bob.\n* @a_b-c.d", &["alice", "bob", "a_b-c.d"]);
    check("1. alice\n2. bob", &["alice", "bob"]);
    check("alice, bob", &["alice", "bob"]);
    check("`@alice` and `bob`", &["alice", "bob"]);
    check("@alice and bob & carol", &["alice", "bob", "carol"]);
    check("Alice Smith @alice – until May, Bob (he) @bob", &["alice", "bob"]);
    check("Alice Smith (@alice), Bob Jones (@bob)", &["alice", "bob"]);
    check(
        "[Alice](https://gitlab.example.com/alice), [Bob (@bob)](https://other.example/b)",
        &["alice", "bob"],
    );
    check("https://gitlab.com/alice\n<https://gitlab.com/bob>", &["alice", "bob"]);
    check("Lead: @alice, and @bob (until May)", &["alice", "bob"]);
    check("@Alice, @alice, @ALICE", &["Alice"]);
    check("**@alice**, *@bob*, _@carol_", &["alice", "bob", "carol"]);
    check("@__x__ and @a_b_", &["__x__", "a_b_"]);
    check("- [ ] @alice\n- [x] @bob", &["alice", "bob"]);
    check(
        "| who | what |\n|---|---|\n| @alice | back end |\n| front | @bob |",
        &["alice", "bob"],
    );
    check("```\n@alice\n@bob\n```", &["alice", "bob"]);
}

#[test]
fn what_names_nobody_is_said() {
    let check = |text: &str, expected: &[&str]| {
        let expected: Vec<String> = expected
            .iter()
            .map(|found| format!("Refusal Members: {found}"))
            .collect();
        assert_eq!(findings(&with("Members", text)), expected, "{text}");
    };
    check("@alice, Bob Jones", &["`Bob Jones` is no username"]);
    check("@alice, the whole team", &["`the whole team` is no username"]);
    check("@alice, bob@example.com", &["`bob@example.com` is an e-mail address"]);
    check("@alice, <bob@example.com>", &["`bob@example.com` is an e-mail address"]);
    check("@alice @all", &["`@all` stands for many people"]);
    check("@alice @group/sub", &["`@group/sub` stands for many people"]);
    check(
        "@alice [Bob](https://social.example/bob)",
        &["the link `Bob` names no user"],
    );
    check(
        "@alice https://social.example/bob",
        &["`https://social.example/bob` is no username"],
    );
    check("@", &["nothing is written under this heading"]);
    check("TBD", &["nothing is written under this heading"]);
}

#[test]
fn a_word_behind_a_mention_is_never_dropped_in_silence() {
    assert_eq!(names(&with("Members", "*@alice*s").understood.members), ["alice"]);
    let read = with("Members", "@alice bob");
    assert_eq!(
        findings(&read),
        ["Note Members: `bob` beside a mention is not read as a person"]
    );
}

#[test]
fn quick_actions_that_were_not_run_are_no_text() {
    let read = with("Links", "/label ~\"cop::proposed\"\n/assign @alice");
    assert_eq!(findings(&read), Vec::<String>::new());
    let read = with(
        "Links",
        "- [a](https://example.com)\n\n```\n/label x\n```\n/r/rust is a place",
    );
    assert_eq!(read.understood.links.len(), 1);
    let read = with("Members", "/cc @carol\n@alice");
    assert_eq!(names(&read.understood.members), ["alice"]);
}

#[test]
fn one_facilitator_is_a_note() {
    let read = with("Facilitators", "@darwinjs");
    assert_eq!(findings(&read), ["Note Facilitators: only one facilitator is named"]);
    assert!(read.form.is_some());
}

#[test]
fn three_different_people_are_needed() {
    let check = |text: &str, expected: &[&str]| assert_eq!(findings(&with("Members", text)), expected, "{text}");
    check("@alice", &[]);
    check(
        "@DarwinJS",
        &["Refusal Members: facilitators and members are 2 different people"],
    );
}

#[test]
fn a_chat_channel_is_one_name() {
    let check = |text: &str, expected: Result<&str, &str>| {
        let read = with("Chat channel", text);
        let found = findings(&read).join("").replace("Refusal Chat channel: ", "");
        assert_eq!(found, expected.err().unwrap_or_default(), "{text}");
        assert_eq!(
            read.understood.chat_channel.as_ref().map(ChannelName::as_str),
            expected.ok(),
            "{text}"
        );
    };
    check("cp_rust", Ok("cp_rust"));
    check("`#CP_Rust`", Ok("cp_rust"));
    check("Slack: #cp_rust.", Ok("cp_rust"));
    check("#a or #b", Err("`#a or #b` is no channel's name"));
    check("<!channel>", Err("`<!channel>` is no channel's name"));
}

#[test]
fn a_channel_of_its_own_comes_from_prefix_and_slug() {
    let slug = Slug::new("agile-architecture").unwrap();
    assert_eq!(ChannelName::default_for("cp_", &slug).as_str(), "cp_agile_architecture");
    assert_eq!(ChannelName::default_for("C P", &slug).as_str(), "agile_architecture");
    let long = Slug::new(&"a".repeat(63)).unwrap();
    assert_eq!(ChannelName::default_for(&"p".repeat(30), &long).as_str().len(), 80);
}

#[test]
fn who_can_join_is_open_request_or_a_sentence() {
    let check = |text: &str, expected: Join| assert_eq!(with("Who can join", text).understood.join, expected, "{text}");
    check("", Join::Open);
    check("Open.", Join::Open);
    check("`REQUEST`", Join::Request);
    check("Ask Alice", Join::Sentence(Untrusted::new("Ask Alice")));
}

#[test]
fn links_are_https() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(findings(&with("Links", text)), expected, "{text}");
    };
    check("- [a](https://example.com)", &[]);
    check(
        "- [a](http://example.com)",
        &["Refusal Links: `http://example.com` is no https address"],
    );
    check(
        "- [a](javascript:alert(1))",
        &["Refusal Links: `javascript:alert(1)` is no https address"],
    );
    check(
        "- [a](//example.com)",
        &["Refusal Links: `//example.com` is no https address"],
    );
    check(
        "- [a](https://u:p@example.com)",
        &["Refusal Links: `https://u:p@example.com` is no https address"],
    );
    check("our wiki", &["Note Links: no link is found in it"]);
    check("none", &[]);
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
    let form = read(GOOD).form.unwrap();
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
