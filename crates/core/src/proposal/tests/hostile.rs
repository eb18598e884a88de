//! Forms that were written to break the reader: always an answer, always in time, never anything dangerous.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::escape::gitlab;

const PIECES: [&str; 70] = [
    "# ",
    "## Focus topic\n",
    "Focus topic\n---\n",
    "## Purpose and scope\n",
    "## Facilitators\n",
    "## Members\n",
    "## Links\n",
    "## Chat channel\n",
    "## Cadence\n",
    "## Who can join\n",
    "## Similar communities\n",
    "## Other\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "<!--",
    "-->",
    "<!-- ## Members -->",
    "```",
    "~~~",
    "    ",
    "\t",
    "> ",
    "- ",
    "1. ",
    "- [ ] ",
    "| a | b |\n|---|---|\n",
    "| ",
    "@alice",
    "@bob ",
    "@carol, ",
    "@all",
    "@a/b",
    "@",
    "@@",
    "a@b.c",
    "@_x_",
    "__",
    "*",
    "`",
    "``",
    "[",
    "](",
    ")",
    "[a](https://e.example)",
    "![x](javascript:a)",
    "<https://e.example/x>",
    "<a href=x>",
    "<b>",
    "https://gitlab.com/dave",
    "http://e.example",
    "\\",
    "&amp;",
    "&#64;all",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "\0",
    "Agile Architecture",
    "R&D",
    "Ä",
    "Я",
    "🦀",
    "/label ~x\n",
    "/close\n",
    "A sentence that is long enough to be a purpose. ",
    "e.g. ",
    "x",
    " ",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
        1 => any::<String>().prop_map(|text| text.chars().take(6).collect()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hostile_form_is_answered_safely(title in hostile(), text in hostile()) {
        let (title, text) = (Untrusted::new(title), Untrusted::new(text));
        let read = parse(&title, &text);
        prop_assert_eq!(&read, &parse(&title, &text));
        prop_assert_eq!(read.form.is_none(), read.refused(), "a form or a refusal, never both, never neither");
        for finding in &read.findings {
            let sentence = finding.sentence();
            let shown = gitlab::shown(sentence.as_str());
            prop_assert!(gitlab::actions_by_paragraph(sentence.as_str()).is_empty() && gitlab::actions_by_line(sentence.as_str()).is_empty());
            prop_assert!(shown.html.is_empty() && shown.links.is_empty(), "{:?}", sentence);
            for words in shown.texts {
                prop_assert!(gitlab::references(&words).is_empty(), "{:?}", words);
            }
        }
        if let Some(form) = read.form {
            prop_assert!(form.people().len() >= 3 && !form.facilitators.is_empty() && !form.members.is_empty());
            prop_assert!((3..=80).contains(&form.name.as_str().chars().count()));
            prop_assert!(form.links.iter().all(|link| link.url.scheme() == "https"));
        }
    }

    /// Nobody is named who does not stand in the text.
    #[test]
    fn people_are_never_made_up(text in hostile()) {
        let form = parse(&Untrusted::default(), &Untrusted::new(text.as_str())).understood;
        let lower = text.to_lowercase();
        for user in form.facilitators.iter().chain(&form.members) {
            prop_assert!(lower.contains(&user.key()) || text.contains('&') || text.contains('\\') || text.contains('\0'), "{}", user.as_str());
        }
    }

    /// What is filled in is what is read.
    #[test]
    fn a_filled_form_reads_back(
        name in "[A-Z][a-z]{2,9}( [A-Z][a-z]{1,9}){0,3}",
        purpose in "[A-Z][a-z]{39,60}( [a-z]{1,9}){0,9}\\.",
        people in proptest::collection::btree_set("[a-z][a-z0-9]{1,8}([._-][a-z0-9]{1,8})?", 3..9),
        line_end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let people: Vec<Username> = people.iter().filter_map(|name| Username::new(name)).collect();
        prop_assume!(people.len() >= 3 && !["none", "tbd", "todo", "lead", "and", "me", "all", "here"].contains(&people[0].as_str()));
        let list = |people: &[Username]| people.iter().map(|user| format!("- @{}", user.as_str())).collect::<Vec<_>>().join("\n");
        let text = format!(
            "## Members\n{}\n## Focus topic\n\n{name}\n### Purpose and Scope:\n{purpose}\n\nFacilitators\n---\n{}\n",
            list(&people[1..]), list(&people[..1]),
        );
        let read = parse(&Untrusted::new("x"), &Untrusted::new(text.replace('\n', line_end)));
        let form = read.form;
        prop_assume!(!read.findings.iter().any(|finding| finding.found.as_str().contains("keeps this path")));
        prop_assert!(form.is_some(), "{:?}", read.findings);
        let form = form.unwrap();
        prop_assert_eq!(form.name.as_str(), name);
        prop_assert_eq!(form.summary.expose(), &purpose);
        prop_assert_eq!(&form.facilitators[..], &people[..1]);
        prop_assert_eq!(&form.members[..], &people[1..]);
    }
}

/// Time grows with the length and not with its square. An eighth of the largest form takes some 30 ms in a debug build (the largest
/// one 270 ms, measured); a reader that needs the square of the length would take a minute.
#[test]
fn long_forms_are_read_in_time() {
    let form = GOOD;
    for piece in [
        "[",
        "![",
        "](",
        "[a](",
        "*",
        "**a ",
        "_",
        "`",
        "`a``",
        "<",
        "<!--",
        "<!-- a -->",
        "<!-- a -->\n",
        "<a ",
        "&",
        "\\",
        "@",
        "@a ",
        "@a,",
        "a,",
        "a@b ",
        "> ",
        "- ",
        "-\n",
        " - a\n",
        "1. ",
        "# a\n",
        "## Members\n",
        "a\n---\n",
        "| a ",
        "|a|\n|-|\n",
        "~~~\n",
        "```a\n",
        "\n",
        " ",
        "\t",
        "(",
        "()",
        "https://a.example ",
        "e.g. ",
        ". ",
        "x",
        "Я",
        "/label x\n",
        "[a]: b\n",
        "[a][a] ",
        "&amp;",
        "\u{301}",
        "🦀",
    ] {
        for heading in ["## Members", "## Links"] {
            let room = (MAX_BYTES / 8 - form.len()) / piece.len() - 2;
            let text = form.replacen(heading, &format!("{heading}\n\n{}", piece.repeat(room)), 1);
            assert!(text.len() <= MAX_BYTES);
            let begin = Instant::now();
            let read = parse(&Untrusted::new("x"), &Untrusted::new(text));
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(3), "{piece:?} under {heading}: {took:?}");
            assert!(
                read.findings.len() < 200,
                "{piece:?} under {heading}: {} findings",
                read.findings.len()
            );
        }
    }
}
