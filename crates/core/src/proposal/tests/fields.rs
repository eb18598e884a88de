//! The rule of each field.

use super::*;

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
fn the_purpose_keeps_its_lists() {
    let read = with(
        "Purpose and scope",
        "We **meet** for:\n\n* [talks](https://e.example)\n* code\n  reviews\n\nAnd more.\n\n1. a\n",
    );
    assert_eq!(
        read.understood.purpose,
        Some(Untrusted::new(
            "We meet for:\n\n- talks\n- code\nreviews\n\nAnd more.\n\n- a"
        ))
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
    check("- An item. More\n- Another", "An item.");
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
    check("alice and bob & carol", &["alice", "bob", "carol"]);
    check("Leads:\n- @alice\n- @bob, etc.", &["alice", "bob"]);
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
    check("@alice and bob", &["`bob` is no username"]);
    check("me, @bob", &["`me` is no username"]);
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
    let read = with("Members", "@alice, @bob\n\nWe are looking for more people.");
    assert_eq!(
        findings(&read),
        ["Note Members: `We are looking for more people` is no username"]
    );
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
fn long_lists_are_refused_once() {
    let people: String = (0..101).map(|number| format!("@user{number} ")).collect();
    assert_eq!(
        findings(&with("Members", &people)),
        ["Refusal Members: more than 100 people are named"]
    );
    let links: String = (0..51)
        .map(|number| format!("- https://example.com/{number}\n"))
        .collect();
    let read = with("Links", &links);
    assert_eq!(findings(&read), ["Refusal Links: more than 50 links"]);
    assert_eq!(read.understood.links.len(), 50);
    let words: String = (0..14).map(|_| "no name,").collect();
    assert_eq!(
        findings(&with("Members", &words)).last().unwrap(),
        "Refusal Members: 4 more words name nobody"
    );
}
