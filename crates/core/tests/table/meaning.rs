//! What cells say: people in whatever wording, links to projects, whose row is whose, columns by template.

use std::collections::BTreeMap;

use convenor_core::escape::StoredText;
use convenor_core::ids::Username;
use convenor_core::program::Handbook;
use convenor_core::table::{
    Cell, ChangeKind, Finding, Known, Page, People, Person, Reconciled, RowFinding, WantedRow, links_to_project,
    reconcile, survey, without,
};
use convenor_core::untrusted::Untrusted;
use url::Url;

fn people(cell: &str) -> People {
    let page = format!(
        "# H\n\n| a | b |\n|---|---|\n| {} | x |\n",
        Cell::from_gfm(cell).unwrap().as_str()
    );
    let parsed = Page::parse(page.as_bytes()).unwrap();
    let said = parsed.table("H", None).unwrap().row(0).unwrap().said(0);
    People::read(&said)
}

/// The people of a cell as `Name @username (inactive)`, each part only when it is known.
#[track_caller]
fn check_people(cell: &str, expected: &[&str]) {
    let named: Vec<String> = people(cell)
        .named
        .iter()
        .map(|someone| {
            let name = someone
                .name
                .as_ref()
                .map(|name| StoredText::new(name).as_str().to_owned());
            let username = someone
                .username
                .as_ref()
                .map(|username| format!("@{}", username.as_str()));
            let inactive = someone.inactive.then(|| "(inactive)".to_owned());
            [name, username, inactive]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(named, expected, "{cell}");
}

#[test]
fn people_are_understood_in_any_wording() {
    check_people("@DarwinJS", &["@DarwinJS"]);
    check_people(
        "[Bart Zhang (@bzhang7)](https://gitlab.com/bzhang7)",
        &["Bart Zhang @bzhang7"],
    );
    check_people(
        "Lead: [Bart Zhang (@bzhang7)](https://gitlab.com/bzhang7), Co-Leads: [A B (@ab)](https://gitlab.com/ab), @cd",
        &["Bart Zhang @bzhang7", "A B @ab", "@cd"],
    );
    check_people("[Tim Z](https://gitlab.com/timz)", &["Tim Z @timz"]);
    check_people("[Tim Z](/company/team/#timz)", &["Tim Z @timz"]);
    check_people(
        "Ann (**[@ann](https://gitlab.com/ann)**), Bob (@bob)",
        &["Ann @ann", "Bob @bob"],
    );
    check_people("[Ann](mailto:ann@example.com) (@ann)", &["Ann @ann"]);
    check_people("@chris-short @kaslin", &["@chris-short", "@kaslin"]);
    check_people("Ann A and Bob B & @cy", &["Ann A", "Bob B", "@cy"]);
    check_people(
        "[Ann](https://gitlab.com/ann) and [Bob](https://gitlab.com/bob)",
        &["Ann @ann", "Bob @bob"],
    );
    check_people("Ann A<br>Bob B", &["Ann A", "Bob B"]);
    check_people(
        "<ul><li>{{< member-by-name \"Ann A\" >}}</li><li>{{< member-by-name \"Bob B\" >}}</li></ul>",
        &["Ann A", "Bob B"],
    );
    check_people("{{< member-by-gitlab \"ann\" >}}", &["@ann"]);
    check_people("Dr. Ann O'Neill (she/her)", &["Dr. Ann O'Neill"]);
    check_people("Jane Doe (TZ: CET)", &["Jane Doe"]);
    check_people("Lead: Ann A (backup: Bob)", &["Ann A"]);
    check_people("@ann, [Ann A (@Ann)](https://gitlab.com/ann)", &["@ann"]);
}

#[test]
fn a_person_is_one_however_often_and_by_whatever_address_they_are_named() {
    check_people("https://gitlab.com/ann", &["@ann"]);
    check_people(
        "Lead: https://gitlab.com/ann, https://gitlab.com/bob",
        &["@ann", "@bob"],
    );
    check_people(
        "[Ann A](https://gitlab.com/ann) ([@ann](https://gitlab.com/ann))",
        &["Ann A @ann"],
    );
    check_people("**Lead**: @ann<br>**Co-lead**: @bob", &["@ann", "@bob"]);
    check_people("@ann (EMEA), @bob (AMER)", &["@ann", "@bob"]);
    check_people("TBD, @ann", &["@ann"]);
    check_people("@ann/@bob", &["@ann", "@bob"]);
    check_people("`@ann`", &["@ann"]);
    check_people("<ann@example.com>", &["ann@example.com"]);
}

#[test]
fn inactive_belongs_to_the_person_before_it() {
    check_people(
        "[Ann A (@ann)](https://gitlab.com/ann) (inactive), @bob",
        &["Ann A @ann (inactive)", "@bob"],
    );
    check_people("@ann (Inactive)", &["@ann (inactive)"]);
}

#[test]
fn tbd_and_nothing_name_nobody() {
    for cell in ["TBD", "tbd", "", "-", "N/A", "Lead: TBD", "**TBD**", "—"] {
        assert!(people(cell).tbd, "{cell}");
    }
    assert!(!people("@tbd").tbd);
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn a_link_to_any_page_of_the_project_is_a_link_to_it() {
    let project = url("https://gitlab.example/cop/agile");
    for target in [
        "https://gitlab.example/cop/agile",
        "http://GitLab.example/CoP/Agile/",
        "https://gitlab.example/cop/agile.git",
        "https://gitlab.example/cop/agile/-/blob/main/README.md",
        "https://gitlab.example/cop/agile/-/",
        "https://gitlab.example/cop/agile/issues?x=y#z",
        "https://gitlab.example:443/cop/agile",
    ] {
        assert!(links_to_project(target, &project), "{target}");
    }
    for target in [
        "https://gitlab.example/cop/agile2",
        "https://gitlab.example/cop",
        "https://gitlab.example/cop/agile/sub",
        "https://gitlab.evil/cop/agile",
        "https://gitlab.example:8443/cop/agile",
        "/cop/agile",
        "javascript:alert(1)",
    ] {
        assert!(!links_to_project(target, &project), "{target}");
    }
}

fn handbook(columns: &[(&str, &str)]) -> Handbook {
    Handbook {
        columns: columns
            .iter()
            .map(|(header, template)| ((*header).to_owned(), (*template).to_owned()))
            .collect(),
        ..Handbook::new("h/h", "p.md", "H")
    }
}

fn wanted(name: &str, path: &str, people: &[&str]) -> WantedRow {
    let person = |username: &&str| Person {
        username: Username::new(username).unwrap(),
        display_name: Some(Untrusted::new(username.to_uppercase())),
        profile_url: url(&format!("https://gitlab.example/{username}")),
        inactive: false,
    };
    WantedRow {
        name: Untrusted::new(name),
        project_url: Some(url(&format!("https://gitlab.example/cop/{path}"))),
        facilitators: people.iter().map(person).collect(),
        inactive: false,
        fields: BTreeMap::from([("summary".to_owned(), Untrusted::new("One | two"))]),
    }
}

fn page(rows: &[&str]) -> String {
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("# H\n\n| Subject Focus | Facilitator(s) | Notes |\n| --- | --- | --- |\n{rows}")
}

/// What happens to the page: the kind and the line after, or `=` and the row that is right.
fn outcome(page: &str, handbook: &Handbook, row: &WantedRow, others: &[Known]) -> Result<String, Finding> {
    Ok(match reconcile(page.as_bytes(), handbook, row, others)? {
        Reconciled::UpToDate { row, .. } => format!("={row}"),
        Reconciled::Change { kind, edited } => {
            let kind = match kind {
                ChangeKind::Added => "+",
                ChangeKind::Changed => "~",
                ChangeKind::Adopted => "^",
            };
            format!("{kind}{} {}", edited.row, edited.after.unwrap())
        }
    })
}

#[track_caller]
fn check(rows: &[&str], row: &WantedRow, expected: &str) {
    assert_eq!(outcome(&page(rows), &handbook(&[]), row, &[]).unwrap(), expected);
}

#[test]
fn a_cell_is_written_only_when_it_means_something_else() {
    let row = wanted("Agile", "agile", &["ann", "bob"]);
    for same in [
        "| [Agile](https://gitlab.example/cop/agile) | @ann, @bob | note |",
        "| **[The Agile CoP](http://gitlab.example/cop/agile/)** | Bob: @bob and [Ann](https://gitlab.example/ann) | |",
        "|[agile](https://gitlab.example/cop/agile/-/issues)|BOB; ANN|x|",
    ] {
        check(&[same], &row, "=0");
    }
}

#[test]
fn names_are_the_same_with_accents_pronouns_and_case_but_not_in_another_script() {
    let cell = |said: &str| format!("| [Agile](https://gitlab.example/cop/agile) | {said} | |");
    let row = |display: &str| {
        let mut row = wanted("Agile", "agile", &["ann"]);
        row.facilitators[0].display_name = Some(Untrusted::new(display));
        row
    };
    check(&[&cell("Ann O'Neill")], &row("Ann O'Neill (she/her)"), "=0");
    check(&[&cell("ZOE MULLER (EMEA)")], &row("Zo\u{eb} M\u{fc}ller"), "=0");
    // Both are `Bei Jing` when they are spelled in Latin letters.
    let other = outcome(
        &page(&[&cell("\u{5317}\u{4eac}")]),
        &handbook(&[]),
        &row("\u{80cc}\u{666f}"),
        &[],
    );
    assert!(other.unwrap().starts_with('~'));
}

#[test]
fn inactive_since_a_day_is_inactive() {
    let mut row = wanted("Agile", "agile", &["ann"]);
    row.inactive = true;
    check(
        &["| [Agile](https://gitlab.example/cop/agile) | @ann (Inactive since May) | |"],
        &row,
        "=0",
    );
    check(
        &["| [Agile](https://gitlab.example/cop/agile) (inactive) | @ann | |"],
        &row,
        "=0",
    );
}

#[test]
fn a_new_person_is_written_behind_the_others_whose_wording_stays() {
    check(
        &["| [Agile](https://gitlab.example/cop/agile) | Lead: [A. (@ann)](https://gitlab.example/ann) | |"],
        &wanted("Agile", "agile", &["ann", "bob"]),
        "~0 | [Agile](https://gitlab.example/cop/agile) | Lead: [A. (@ann)](https://gitlab.example/ann), [BOB (@bob)](https://gitlab.example/bob) | |",
    );
}

#[test]
fn people_are_written_as_the_page_writes_people() {
    let rows = |cell: &str| vec![format!("| Kites | {cell} | |"), format!("| Zoo | {cell} | |")];
    let cases = [
        ("@x", "@ann"),
        ("[@x](https://gitlab.example/x)", "[@ann](https://gitlab.example/ann)"),
        ("[X Y](https://gitlab.example/x)", "[ANN](https://gitlab.example/ann)"),
        ("X Y (@x)", "ANN (@ann)"),
        ("TBD", "[ANN (@ann)](https://gitlab.example/ann)"),
    ];
    for (theirs, ours) in cases {
        let rows = rows(theirs);
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let expected = format!("+0 | [Agile](https://gitlab.example/cop/agile) | {ours} | |");
        check(&rows, &wanted("Agile", "agile", &["ann"]), &expected);
    }
}

#[test]
fn nobody_is_tbd_and_an_empty_cell_says_so_already() {
    check(
        &[],
        &wanted("Agile", "agile", &[]),
        "+0 | [Agile](https://gitlab.example/cop/agile) | TBD | |",
    );
    check(
        &["| [Agile](https://gitlab.example/cop/agile) | | |"],
        &wanted("Agile", "agile", &[]),
        "=0",
    );
}

#[test]
fn a_row_of_the_name_is_adopted_unless_it_is_anothers_or_doubled() {
    let row = wanted("Agile", "agile", &["ann"]);
    check(
        &["| agile | @ann | |"],
        &row,
        "^0 | [Agile](https://gitlab.example/cop/agile) | @ann | |",
    );
    let other = Known {
        name: Untrusted::new("Other"),
        project_url: Some(url("https://gitlab.example/cop/other")),
    };
    let others = [other];
    let linked = page(&["| [Agile](https://gitlab.example/cop/other) | @ann | |"]);
    assert!(
        outcome(&linked, &handbook(&[]), &row, &others)
            .unwrap()
            .starts_with('+')
    );
    let twin = [Known {
        name: Untrusted::new("AGILE"),
        project_url: None,
    }];
    assert!(
        outcome(&page(&["| Agile | @ann | |"]), &handbook(&[]), &row, &twin)
            .unwrap()
            .starts_with('+')
    );
    let doubled = outcome(
        &page(&["| Agile | @ann | |", "| Agile | @bob | |"]),
        &handbook(&[]),
        &row,
        &[],
    );
    assert_eq!(
        doubled.unwrap_err(),
        Finding::Ambiguous {
            name: "Agile".into(),
            lines: vec![5, 6]
        }
    );
}

#[test]
fn mail_addresses_are_no_links() {
    let text = |text: &str| Cell::text(&Untrusted::new(text)).as_str().to_owned();
    assert_eq!(text("Write to boss@evil.example!"), "Write to `boss@evil.example`!");
    assert_eq!(text("xmpp:a.b@c.d"), "`xmpp:a.b@c.d`");
    assert_eq!(
        text("Darwin (@darwinjs), me @ home, a@"),
        "Darwin (@darwinjs), me @ home, a@"
    );
}

#[test]
fn a_comment_in_a_cell_stays_when_the_cell_is_written() {
    check(
        &["| Agile <!-- was Scrum --> | @bob <!-- until May \\| June --><!-- ask --> | |"],
        &wanted("Agile", "agile", &["ann"]),
        "^0 | [Agile](https://gitlab.example/cop/agile) <!-- was Scrum --> | @ann <!-- until May \\| June --> <!-- ask --> | |",
    );
    check(
        &["| [Agile](https://gitlab.example/cop/agile) | @ann <!-- the first --> | |"],
        &wanted("Agile", "agile", &["ann", "bob"]),
        "~0 | [Agile](https://gitlab.example/cop/agile) | @ann <!-- the first -->, @bob | |",
    );
}

#[test]
fn a_row_that_leads_to_two_communities_is_neithers_unless_it_has_the_name_of_one() {
    let known = |name: &str, path: &str| Known {
        name: Untrusted::new(name),
        project_url: Some(url(&format!("https://gitlab.example/cop/{path}"))),
    };
    let (agile, docs) = (known("Agile", "agile"), known("Agile Docs", "agile-docs"));
    let both =
        page(&["| [Agile](https://gitlab.example/cop/agile) and [Scrum](https://gitlab.example/cop/scrum) | @ann | |"]);
    let scrum = known("Scrum", "scrum");
    for (name, path, other) in [("Agile", "agile", &scrum), ("Scrum", "scrum", &agile)] {
        let row = wanted(name, path, &["bob"]);
        let others = std::slice::from_ref(other);
        let shared = Finding::Shared {
            name: name.to_owned(),
            line: 5,
        };
        assert_eq!(outcome(&both, &handbook(&[]), &row, others), Err(shared.clone()));
        assert_eq!(without(both.as_bytes(), &handbook(&[]), &row, others), Err(shared));
    }
    let with_docs = page(&[
        "| [Agile](https://gitlab.example/cop/agile) ([docs](https://gitlab.example/cop/agile-docs)) | @ann | |",
    ]);
    let agiles = wanted("Agile", "agile", &["bob"]);
    let written = outcome(&with_docs, &handbook(&[]), &agiles, &[docs]).unwrap();
    assert!(written.starts_with("~0"), "{written}");
    let docs = wanted("Agile Docs", "agile-docs", &["bob"]);
    let found = outcome(&with_docs, &handbook(&[]), &docs, &[agile]);
    assert!(matches!(found, Err(Finding::Shared { .. })), "{found:?}");
}

/// What the other is called here, and whether it is one of ours at all, says nothing: the cell speaks of both.
#[test]
fn a_row_about_two_projects_is_neithers_though_nobody_knows_the_other() {
    for cell in [
        "[Agile](https://gitlab.example/cop/agile) / [Scrum](https://gitlab.example/cop/scrum)",
        "[Scrum](https://gitlab.example/other/scrum) and [Agile](https://gitlab.example/cop/agile)",
        "[Scrum](https://elsewhere.example/scrum) and [Agile](https://gitlab.example/cop/agile)",
        "[Scrum](../scrum), [Agile](https://gitlab.example/cop/agile)",
    ] {
        let both = page(&[&format!("| {cell} | @ann | |")]);
        let row = wanted("Agile", "agile", &["bob"]);
        let found = outcome(&both, &handbook(&[]), &row, &[]);
        assert!(matches!(found, Err(Finding::Shared { .. })), "{cell}: {found:?}");
        let removed = without(both.as_bytes(), &handbook(&[]), &row, &[]);
        assert!(matches!(removed, Err(Finding::Shared { .. })), "{cell}: {removed:?}");
    }
}

#[test]
fn a_row_of_the_same_name_leads_elsewhere_though_its_link_has_no_scheme() {
    let theirs = page(&["| [Agile](//gitlab.example/cop/victim) | @ann | |"]);
    let row = wanted("Agile", "agile", &["bob"]);
    let found = outcome(&theirs, &handbook(&[]), &row, &[]);
    assert!(matches!(found, Err(Finding::Elsewhere { .. })), "{found:?}");
}

#[test]
fn a_row_that_links_to_the_project_is_its_own_whatever_its_name() {
    check(
        &["| [Old name](https://gitlab.example/cop/agile) | @ann | keep |"],
        &wanted("New name", "agile", &["ann"]),
        "~0 | [New name](https://gitlab.example/cop/agile) | @ann | keep |",
    );
}

#[test]
fn columns_are_filled_by_their_templates() {
    let columns = [("notes", "{{summary}}"), ("Subject", "**{{name}}** [project]({{url}})")];
    let row = wanted("A|B", "ab", &["ann"]);
    let made = outcome(&page(&[]), &handbook(&columns), &row, &[]).unwrap();
    assert_eq!(
        made,
        "+0 | **A\\|B** [project](https://gitlab.example/cop/ab) | [ANN (@ann)](https://gitlab.example/ann) | One \\| two |"
    );
    // Marks may go, what is said counts.
    let again = made.strip_prefix("+0 ").unwrap().replace("**", "");
    assert_eq!(outcome(&page(&[&again]), &handbook(&columns), &row, &[]).unwrap(), "=0");
}

#[test]
fn columns_that_do_not_fit_are_findings() {
    let row = wanted("Agile", "agile", &[]);
    let found = |columns: &[(&str, &str)]| outcome(&page(&[]), &handbook(columns), &row, &[]).unwrap_err();
    assert!(matches!(found(&[("Chat", "{{chat}}")]), Finding::NoColumn { .. }));
    assert!(matches!(found(&[("Subject", "text")]), Finding::NoNameTemplate));
    assert!(matches!(
        found(&[("Notes", "{{nothing}}")]),
        Finding::BadTemplate { .. }
    ));
}

#[test]
fn a_page_that_may_not_name_the_project_gets_the_name_alone() {
    let mut row = wanted("Agile", "agile", &["ann"]);
    row.project_url = None;
    check(&["| Zoo | @x | |"], &row, "+0 | Agile | @ann | |");
}

#[test]
fn removing_takes_the_communitys_row_and_no_other() {
    let text = page(&[
        "| [Agile](https://gitlab.example/cop/agile) | @ann | |",
        "| Zoo | @x | |",
    ]);
    let row = wanted("Agile", "agile", &[]);
    let edited = without(text.as_bytes(), &handbook(&[]), &row, &[]).unwrap().unwrap();
    assert_eq!(edited.page, page(&["| Zoo | @x | |"]).as_bytes());
    assert_eq!(without(&edited.page, &handbook(&[]), &row, &[]).unwrap(), None);
    // A name alone takes no line away: a charter may call itself anything.
    let named = page(&["| Agile | @ann | |"]);
    assert_eq!(without(named.as_bytes(), &handbook(&[]), &row, &[]).unwrap(), None);
}

#[test]
fn the_survey_says_whose_each_row_is() {
    let text = page(&[
        "| [Agile](https://gitlab.example/cop/agile) | @ann | |",
        "| Containers | @bob | |",
        "| Knitting | Carol C | |",
        "| Knitting]| Carol C | |",
    ]);
    let communities = [
        wanted("Agile", "agile", &["ann"]),
        wanted("Containers", "containers", &["ann"]),
        wanted("New", "new", &[]),
    ];
    let survey = survey(text.as_bytes(), &handbook(&[]), &communities).unwrap();
    let owners: Vec<Option<(usize, bool, bool)>> = survey
        .rows
        .iter()
        .map(|row| {
            row.owner
                .as_ref()
                .map(|owner| (owner.community, owner.linked, owner.wanted_line.is_some()))
        })
        .collect();
    assert_eq!(owners, [Some((0, true, false)), Some((1, false, true)), None, None]);
    assert_eq!(survey.without_row, [2]);
    assert!(matches!(
        survey.rows[3].report.findings[..],
        [RowFinding::Malformed(_), RowFinding::SameName(2)]
    ));
}

/// A page with this one row, reconciled for the community Rust at `cop/rust`, beside Go at `cop/go`.
fn rust_on(row: &str) -> Result<Reconciled, Finding> {
    let page = format!("## H\n\n| Subject | Facilitator | Notes |\n|---|---|---|\n{row}\n");
    let wanted = wanted("Rust", "rust", &[]);
    let others = [Known {
        name: Untrusted::new("Go".to_owned()),
        project_url: Some("https://gitlab.example/cop/go".parse().unwrap()),
    }];
    reconcile(page.as_bytes(), &handbook(&[]), &wanted, &others)
}

#[test]
fn a_row_that_only_mentions_a_community_is_not_its_row() {
    for row in [
        "| [Go](https://gitlab.example/cop/go) | @ann | see also [Rust](https://gitlab.example/cop/rust) |",
        "| [Go](https://gitlab.example/cop/go) | @ann | [Rust](https://gitlab.example/cop/rust) |",
        "| Go | @ann | [Rust](https://gitlab.example/cop/rust) |",
        "| Elm | @ann | like [Rust](https://gitlab.example/cop/rust) |",
    ] {
        let reconciled = rust_on(row);
        assert!(
            matches!(
                reconciled,
                Ok(Reconciled::Change {
                    kind: ChangeKind::Added,
                    ..
                })
            ),
            "{row}: {reconciled:?}"
        );
    }
    let own = rust_on("| Rusty things | @ann | [project](https://gitlab.example/cop/rust) |");
    assert!(
        matches!(
            own,
            Ok(Reconciled::Change {
                kind: ChangeKind::Changed,
                ..
            })
        ),
        "{own:?}"
    );
}

#[test]
fn a_row_of_the_same_name_that_leads_to_another_project_is_for_people_to_decide() {
    let finding = rust_on("| [Rust](https://gitlab.example/other/rust) | @stranger | |").unwrap_err();
    assert_eq!((finding.kind(), finding.line()), ("elsewhere", 5));
    for row in [
        "| [Rust](https://www.rust-lang.org/learn/today) | @ann | |",
        "| [Rust](https://gitlab.example/cop) | @ann | |",
        "| Rust | @ann | |",
    ] {
        let reconciled = rust_on(row);
        assert!(
            matches!(
                reconciled,
                Ok(Reconciled::Change {
                    kind: ChangeKind::Adopted,
                    ..
                })
            ),
            "{row}: {reconciled:?}"
        );
    }
}

#[test]
fn paths_that_begin_like_a_page_are_projects_of_their_own() {
    let project = |path: &str| format!("https://gitlab.example/cop/{path}").parse().unwrap();
    for path in ["issues-guild", "boards-guild", "wikis", "tree-lovers"] {
        let here = format!("https://gitlab.example/cop/{path}/issues?scope=all");
        assert!(links_to_project(&here, &project(path)), "{path}");
        for other in ["merge_requests-guild", "boards", "issues"] {
            let there = format!("https://gitlab.example/cop/{other}");
            assert!(!links_to_project(&there, &project(path)), "{path} {other}");
        }
        assert!(
            !links_to_project("https://gitlab.example/cop", &project(path)),
            "{path}"
        );
    }
}
