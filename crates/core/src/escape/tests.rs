//! Hostile text against ports of what GitLab does with it, and against other parsers.

use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::gitlab::{self, Shown};
use super::*;
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// Pieces that do something somewhere; strings of them are better attackers than random characters.
const PIECES: [&str; 105] = [
    "/close",
    "/CLOSE",
    "/Label ~x",
    "/merge",
    "/approve ",
    "\\/close",
    " /close",
    "\t/close",
    "\r",
    "\n",
    "\r\n",
    "\n\r",
    "\n\n",
    "\u{2028}",
    "\u{2029}",
    "\u{85}",
    "\u{b}",
    "\u{c}",
    "\0",
    "\u{1b}[31m",
    "`",
    "``",
    "```",
    "````",
    "\n```\n",
    "\n~~~\n",
    "~~~",
    "<!--",
    "-->",
    "<!-- convenor:status {} -->",
    "<div>",
    "</div>",
    "<details>",
    "<img src=x onerror=alert(1)>",
    "<script>",
    "<pre>",
    "</pre>",
    "&lt;",
    "&#64;",
    "&#x2f;close",
    "@all",
    "@alice",
    "@group/sub",
    "@",
    "a@b.example",
    "#12",
    "#",
    "12",
    "!7",
    "~label",
    "~\"a b\"",
    "%m",
    "&3",
    "$4",
    "^alert#1",
    "GH-1",
    "ABC-12",
    "[issue:3]",
    "[vulnerability:1]",
    "*iteration:3",
    "group/project#3",
    "group/project>",
    "https://gitlab.example.com/g/p/-/issues/1",
    "http://x.example",
    "www.example.com",
    "WWW.",
    "ftp://x",
    "mailto:a@b.c",
    "javascript:alert(1)",
    "deadbeef12345678",
    "closes ",
    "Fixes: ",
    "implementing ",
    "Closes #12",
    "²Resolves: group/project#3",
    "fixes issue ABC-1",
    "[skip ci]",
    "[CI-skip]",
    "GL-12",
    "::include{file=.env}",
    "%{project_path}",
    ":tada:",
    ":100:",
    "{{ x }}",
    "{{< x >}}",
    "{% x %}",
    "{+ a +}",
    "[- b -]",
    "[[_TOC_]]",
    "[TOC]",
    "[^1]",
    "[^1]: x",
    "[a](https://e.example)",
    "![a](https://e.example)",
    "> ",
    ">>>\n",
    "- ",
    "1. ",
    "# ",
    "| a | b |\n|---|---|\n",
    "---\n",
    "===\n",
    "    ",
    "\u{202e}",
    "\u{200b}",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[ -~]{0,6}",
        1 => "\\PC{0,4}",
        1 => any::<String>().prop_map(|text| text.chars().take(5).collect()),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Proptest's default number of cases; `PROPTEST_CASES=1000000 cargo test --release -p convenor-core escape` for a long run.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn every_way(a: &str, b: &str) -> Vec<Markdown> {
    let (a, b) = (Untrusted::new(a), Untrusted::new(b));
    let url = Url::parse("https://gitlab.example.com/a_(b)?c=*d*").unwrap();
    let slug = Slug::new("rust-at-work").unwrap();
    let marker = Marker {
        kind: "status",
        data: json!({"a": a.expose(), "b": [b.expose()]}),
    };
    let all = Markdown::new()
        .words("### Found\n\n- ")
        .inline(&a)
        .words(" – ")
        .code(&b)
        .line()
        .words("- x `a` ")
        .inline(&b)
        .inline(&a)
        .words("\n\n")
        .quote(&a)
        .inline(&b)
        .words(" ")
        .link(&a, &url)
        .line()
        .fence("diff", &a)
        .paragraphs(&b)
        .username_code(&Username::new("alice").unwrap())
        .words(" ")
        .slug(&slug)
        .words(" ")
        .code(&a)
        .number(12)
        .marker(&marker);
    vec![
        Markdown::new().inline(&a),
        Markdown::new().inline(&a).inline(&b),
        Markdown::new().inline(&a).words("\n").inline(&b),
        Markdown::new().inline(&a).words(" ").inline(&b).number(12),
        Markdown::new().code(&a).inline(&b),
        Markdown::new().code(&a).code(&b),
        Markdown::new().quote(&a).inline(&b),
        Markdown::new().paragraphs(&a).inline(&b),
        Markdown::new().fence("", &a).inline(&b),
        Markdown::new().link(&a, &url).inline(&b),
        all,
    ]
}

/// Everything that must hold for a note, whatever people wrote.
fn harmless(note: &Markdown) -> Result<(), TestCaseError> {
    let text = note.as_str();
    prop_assert_eq!(gitlab::actions_by_paragraph(text), Vec::<String>::new(), "{:?}", text);
    prop_assert_eq!(gitlab::actions_by_line(text), Vec::<String>::new(), "{:?}", text);
    prop_assert_eq!(gitlab::acts_in_code(text), Vec::<String>::new(), "{:?}", text);
    let Shown { texts, links, html, .. } = gitlab::shown(text);
    for text in &texts {
        prop_assert_eq!(gitlab::references(text), Vec::<String>::new(), "{:?}", text);
        prop_assert_eq!(gitlab::closings(text), Vec::<String>::new(), "{:?}", text);
    }
    for link in &links {
        prop_assert!(
            link.starts_with("https://gitlab.example.com/a_%28b%29"),
            "{:?} in {:?}",
            link,
            text
        );
    }
    for html in &html {
        prop_assert!(html.starts_with("<!-- convenor:status "), "{:?} in {:?}", html, text);
    }
    let bad = text
        .chars()
        .find(|&c| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{2028}' | '\u{202e}'));
    prop_assert_eq!(bad, None);
    Ok(())
}

/// Template syntax of Hugo, Handlebars or Liquid.
fn templated(text: &str) -> bool {
    ["{{", "}}", "{%"].iter().any(|braces| text.contains(braces))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_note_with_hostile_text_does_nothing(a in hostile(), b in hostile()) {
        for note in every_way(&a, &b) {
            harmless(&note)?;
        }
    }

    #[test]
    fn the_marker_is_found_again(a in hostile(), b in hostile()) {
        let notes = every_way(&a, &b);
        let data = Marker::find(notes.last().unwrap().as_str(), "status");
        prop_assert_eq!(data, Some(json!({"a": a, "b": [b]})));
    }

    /// One line in, one line of plain words out: no list, heading, emphasis, table or anything else.
    #[test]
    fn inline_text_is_one_paragraph_of_plain_words(a in hostile()) {
        let note = Markdown::new().inline(&Untrusted::new(a));
        let shown = gitlab::shown(note.as_str());
        prop_assert!(shown.texts.len() <= 1, "{:?}", note);
        prop_assert_eq!(shown.blocks, Vec::<&str>::new(), "{:?}", note);
        prop_assert!(!templated(note.as_str()), "{:?}", note);
    }

    /// What is shown is what was written, but for space, invisible characters and the breaks.
    #[test]
    fn inline_text_reads_as_it_was_written(a in hostile()) {
        let note = Markdown::new().inline(&Untrusted::new(a.as_str()));
        let shown = gitlab::shown(note.as_str()).texts.concat().replace(inline::BREAK, "");
        prop_assert_eq!(shown, clean::one_line(&a));
    }

    #[test]
    fn code_reads_as_it_was_written(a in hostile()) {
        let note = Markdown::new().code(&Untrusted::new(a.as_str()));
        let html = comrak::markdown_to_html(note.as_str(), &gitlab::options()).replace(inline::BREAK, "");
        let line = clean::one_line(&a);
        let expected = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let pad = if expected.is_empty() { " " } else { "" };
        prop_assert_eq!(html, format!("<p><code>{pad}{expected}</code></p>\n"));
    }

    #[test]
    fn a_fence_holds_its_lines(a in hostile()) {
        let note = Markdown::new().fence("text", &Untrusted::new(a.as_str()));
        let shown = gitlab::shown(note.as_str());
        prop_assert_eq!(shown.blocks, vec!["code block"], "{:?}", note);
        prop_assert!(shown.texts.is_empty());
    }

    #[test]
    fn a_quote_ends_where_it_ends(a in hostile()) {
        let text = Untrusted::new(a.as_str());
        let note = Markdown::new().quote(&text).words("after");
        let shown = gitlab::shown(note.as_str());
        prop_assert_eq!(shown.texts.last().map(String::as_str), Some("after"));
        prop_assert!(shown.blocks.iter().all(|block| matches!(*block, "quote" | "list")), "{:?} {:?}", shown.blocks, note);
    }

    #[test]
    fn a_plain_line_is_one_short_line_without_references(a in hostile(), max in 1_usize..60) {
        let line = PlainLine::new(&Untrusted::new(a), max);
        prop_assert!(line.as_str().chars().count() <= max);
        prop_assert!(!line.as_str().contains(char::is_control));
        prop_assert_eq!(gitlab::references(line.as_str()), Vec::<String>::new());
        prop_assert!(gitlab::actions_by_line(line.as_str()).is_empty());
    }

    #[test]
    fn terminal_log_and_html_texts_control_nothing(a in hostile()) {
        let text = Untrusted::new(a);
        prop_assert!(!LogText::new(&text).to_string().contains(char::is_control));
        prop_assert!(!TerminalText::block(&text).to_string().contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
        prop_assert!(!HtmlText::block(&text).to_string().contains(['<', '>', '"', '\'']));
    }

    #[test]
    fn a_template_value_brings_no_structure(a in hostile()) {
        let text = Untrusted::new(a);
        for value in [TemplateValue::inline(&text), TemplateValue::paragraphs(&text), TemplateValue::quote(&text)] {
            let shown = gitlab::shown(value.as_str());
            prop_assert!(shown.html.is_empty() && shown.links.is_empty(), "{:?}", value);
            prop_assert!(!templated(value.as_str()), "{:?}", value);
            prop_assert!(shown.blocks.iter().all(|block| matches!(*block, "quote" | "list")), "{:?} {:?}", shown.blocks, value);
        }
    }
}

#[test]
fn what_reaches_the_page_is_pinned() {
    let check = |text: &str, expected: &str| {
        let note = Markdown::new().inline(&Untrusted::new(text));
        assert_eq!(note.as_str().replace('\u{200b}', "¦"), expected, "{text}");
    };
    check("Agile Architecture", "Agile Architecture");
    check(
        "It's good, isn't it? (Yes.) 10:30, 3-4",
        "It's good, isn't it? (Yes.) 10\\:30, 3-4",
    );
    check("/close it", "\\/¦close it");
    check("it closes", "it closes¦");
    check("a\n/merge", "a /merge");
    check("@all", "\\@¦all");
    check("𒐀:1", "𒐀\\:¦1");
    check("JIRA-12, A1-2, 3-4", "JIRA-¦12, A1-¦2, 3-4");
    check("R&D & C#", "R\\&¦D \\& C\\#¦");
    check("see #12, !7, ~bug", "see \\#¦12, \\!¦7, \\~¦bug");
    check("https://x.example", "https\\:¦/¦/x.example");
    check("1. one", "1\\. one");
    check("[TOC] [Toc x]", "\\[¦TOC\\] \\[Toc x\\]");
    check("- a -", "\\- a -");
    check("<b>*x*</b>", "\\<b¦\\>\\*x\\*\\</b¦\\>");
}

#[test]
fn neighbouring_pieces_make_nothing_together() {
    let check = |note: Markdown, expected: &str| assert_eq!(note.as_str().replace('\u{200b}', "¦"), expected);
    let text = |text: &str| Untrusted::new(text);
    check(Markdown::new().inline(&text("JIRA-")).number(12), "JIRA-¦12");
    check(
        Markdown::new().inline(&text("abcdef")).number(1_234_567),
        "abcdef¦1234567",
    );
    check(
        Markdown::new().inline(&text("www")).inline(&text(".example.com")),
        "www¦\\.example.com",
    );
    check(
        Markdown::new().inline(&text("it closes")).words(" #").number(1),
        "it closes¦ #1",
    );
    check(Markdown::new().words("#").inline(&text("12")), "#¦12");
    check(Markdown::new().words("a `b`").code(&text("c")), "a `b`¦`c`");
}

/// GitLab looks for closing words in the raw description, so a code block is no shelter: `Gitlab::ClosingIssueExtractor`.
#[test]
fn words_that_close_issues_are_broken_in_code_too() {
    let check = |text: &str, expected: &str| {
        let text = Untrusted::new(text);
        let shown = |note: Markdown| note.as_str().replace('\u{200b}', "¦");
        assert_eq!(shown(Markdown::new().code(&text)), format!("`{expected}`"));
        assert_eq!(
            shown(Markdown::new().fence("diff", &text)),
            format!("```diff\n{expected}\n```\n\n")
        );
    };
    check("+ | [Closes #1](x) |", "+ | [Closes¦ #1](x) |");
    check("Fixes: g/p#2 and ²resolved GL-3", "Fixes¦: g/p#2 and ²resolved¦ GL-3");
    check("implements https://x/-/issues/1", "implements¦ https://x/-/issues/1");
    check("x [skip ci] [CI_skip]", "x [¦skip ci] [¦CI_skip]");
    check("who closes the door; fixes all", "who closes the door; fixes all");
}

#[test]
fn a_links_own_brackets_skip_no_pipeline() {
    let url = Url::parse("https://gitlab.example.com/a/b").unwrap();
    for name in ["skip ci", "CI-skip", "[skip ci", "x [ci_skip", "[skip ci]"] {
        let text = Untrusted::new(name);
        for note in [
            Markdown::new().link(&text, &url),
            Markdown::new().inline(&text).words("]"),
            Markdown::new().code(&text).words("]"),
        ] {
            assert_eq!(gitlab::acts_in_code(note.as_str()), Vec::<String>::new(), "{name}");
        }
    }
    // Others keep their names as they are.
    let usual = Markdown::new().link(&Untrusted::new("CI skipping"), &url);
    assert!(usual.as_str().starts_with("[CI skipping]"), "{}", usual.as_str());
}

#[test]
fn paragraphs_keep_line_ends_and_lists() {
    let text = Untrusted::new("One\ntwo\n- a\n* *b*\n-\nthree\n\n\n- c\n# four");
    let note = Markdown::new().words("x").paragraphs(&text).words("y");
    assert_eq!(
        note.as_str(),
        "x\n\nOne\\\ntwo\n- a\n- \\*b\\*\n\n\\-\\\nthree\n\n\n- c\n\n\\# four\n\ny"
    );
}

#[test]
fn a_note_never_gets_too_long() {
    let long = Untrusted::new("#1\n".repeat(600_000));
    let note = Markdown::new()
        .quote(&long)
        .quote(&long)
        .quote(&long)
        .fence("", &long)
        .quote(&long)
        .quote(&long)
        .words("end");
    assert!(
        note.as_str().chars().count() <= 1_000_000,
        "{}",
        note.as_str().chars().count()
    );
    assert!(note.as_str().contains("(shortened)") && note.as_str().ends_with("end"));
}

#[test]
fn a_mention_is_only_made_on_purpose() {
    let alice = Username::new("alice").unwrap();
    assert_eq!(Markdown::new().mention(&alice).as_str(), "@alice");
    assert_eq!(Markdown::new().username_code(&alice).as_str(), "`@alice`");
}

#[test]
fn addresses_with_other_schemes_are_no_links() {
    let url = Url::parse("javascript:alert(1)").unwrap();
    let text = Untrusted::new("x");
    assert_eq!(Markdown::new().url(&url).as_str(), "`javascript:alert(1)`");
    assert_eq!(Markdown::new().link(&text, &url).as_str(), "x");
}

#[test]
fn titles_are_one_line_of_255_characters() {
    let slug = Slug::new(&"a".repeat(63)).unwrap();
    let title = (0..9).fold(Title::new().words("Add\n"), |title, _| {
        title.slug(&slug).words(" ").number(1)
    });
    assert_eq!(title.as_str().chars().count(), 255);
    assert!(title.as_str().starts_with("Add aaa"));
}

#[test]
fn trailers_stand_in_one_block_at_the_end() {
    let slug = Slug::new("rust-at-work").unwrap();
    let message = CommitMessage::new()
        .words("Add ")
        .slug(&slug)
        .words(" to the table\n\nAccepted: see the proposal.")
        .trailer_slug("Convenor-Community", &slug)
        .trailer_number("Convenor-Proposal", 12);
    let expected = "Add rust-at-work to the table\n\nAccepted: see the proposal.\n\n\
        Convenor-Community: rust-at-work\nConvenor-Proposal: 12";
    assert_eq!(message.as_str(), expected);
}

#[test]
fn a_project_name_is_accepted_or_refused_never_repaired() {
    let check = |text: &str, expected: Result<&'static str, NameProblem>| {
        let name = ProjectName::new(&Untrusted::new(text)).map(|name| name.as_str().to_owned());
        assert_eq!(name, expected.map(str::to_owned), "{text:?}");
    };
    check("  Agile   Architecture ", Ok("Agile Architecture"));
    check("C++ – 🦀 Größe", Ok("C++ – 🦀 Größe"));
    check("R&D / Ops & more", Err(NameProblem::Characters(vec!['&', '/'])));
    check("C#", Err(NameProblem::Characters(vec!['#'])));
    check("a\u{202e}b", Err(NameProblem::Characters(vec!['\u{202e}'])));
    check(".NET", Err(NameProblem::Beginning('.')));
    check("-", Err(NameProblem::Beginning('-')));
    check(" ", Err(NameProblem::Empty));
    check("x-deletion_scheduled-12", Err(NameProblem::Deleted));
    check(&"x".repeat(256), Err(NameProblem::TooLong));
}

#[test]
fn the_characters_that_are_not_allowed_are_named() {
    let problem = ProjectName::new(&Untrusted::new("R&D / `Ops`\u{7}")).unwrap_err();
    assert_eq!(
        problem.found().as_str(),
        "GitLab does not allow `&`, `/`, `` ` ``, an invisible character (number 7) in a project's name"
    );
}
