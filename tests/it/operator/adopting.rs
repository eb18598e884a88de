//! `convenor adopt` on an organisation of communities in all states of disorder.

use convenor_core::charter;
use gitlab_sandbox::{Act, Config, Effect, Fault, Role};
use serde_json::Value;

use super::office::{GROUP, HANDBOOK, Office};

/// Rows of every kind: linked, only named, broken, doubled, of elsewhere, of the ended, with people who are gone.
const PAGE: &str = "\
# Communities of Practice

## Current communities

| Subject | Facilitator |
| ------- | ----------- |
| [Agile](URL/acme/cops/agile) | Lead: [Bart Zhang (@bzhang7)](URL/bzhang7), Co-Lead: @vera |
| [Containers](URL/elsewhere/containers) | @vera |
| [Data](URL/acme/cops/data) | [Vera (@vera)](URL/vera) |
| Defending against GitHub]| @bzhang7 |
| [Docs](URL/acme/cops/docs) | @vera |
| [FinOps](URL/acme/cops/finops) | @bzhang7 |
| [Golang](URL/acme/cops/golang) | @vera |
| Kubernetes | TBD |
| [Legacy](URL/acme/cops/legacy) | @vera |
| [Observability](URL/acme/cops/observability) | @gone, Somebody Unknown (inactive) |
| Rust | @vera |
| Value Streams | @vera |
| Value Streams | @bzhang7 |

After.
";

fn charter_of(name: &str, status: &str, facilitators: &str) -> String {
    format!("name: \"{name}\"\nstatus: {status}\nfacilitators: [{facilitators}]\n")
}

/// A dozen communities and more.
fn disorder() -> Office {
    let office = Office::with_page(Config::default(), "");
    for name in ["vera", "bzhang7"] {
        office.gitlab.add_user(name);
    }
    office.gitlab.add_user("gone");
    office.gitlab.set_user_state("gone", "blocked");
    let with_charter = |path: &str, name: &str, status: &str, facilitators: &str| {
        office.community(path, &[(charter::PATH, &charter_of(name, status, facilitators))])
    };
    office.community("agile", &[]);
    with_charter("data", "Data", "active", "vera");
    office.community("docs", &[(charter::PATH, "name: [\n")]);
    with_charter("finops", "FinOps", "active", "bzhang7, vera");
    office.community("golang", &[]);
    office.gitlab.admin().archive_project("acme/cops/golang").unwrap();
    office.community("kubernetes", &[]);
    with_charter("legacy", "Legacy", "retired", "vera");
    office.community("observability", &[]);
    with_charter("rust", "Rust", "active", "vera");
    with_charter("testing", "Testing", "active", "vera");
    office.community("ux", &[]);
    office
        .gitlab
        .add_member("acme/cops/ux", "bzhang7", Role::Maintainer)
        .unwrap();
    office
        .gitlab
        .add_member("acme/cops/ux", "vera", Role::Developer)
        .unwrap();
    let admin = office.gitlab.admin();
    admin.create_project("acme/cops/blank").unwrap();
    let public = serde_json::json!({ "visibility": "public" });
    admin.edit_project("acme/cops/blank", public).unwrap();
    let private = charter_of("Secret", "active", "vera");
    let files = [(charter::PATH, private.as_str())];
    office
        .gitlab
        .add_project_with("acme/cops/secret", "private", &files)
        .unwrap();
    let page = PAGE.replace("URL", office.gitlab.url());
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer
        .push_file(HANDBOOK, "main", super::office::PAGE, page)
        .unwrap();
    office.gitlab.forget_calls();
    office
}

/// Kind, and the last part of the path or the name, of every finding.
fn found(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| {
            let path = finding["project"]
                .as_str()
                .map(|path| path.rsplit('/').next().unwrap().to_owned());
            (text(&finding["kind"]), path.unwrap_or_else(|| text(&finding["name"])))
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned()))
        .collect()
}

#[test]
fn the_first_look_only_reports() {
    let office = disorder();
    let report = office.run(&["adopt", "--json"]).well().json();
    let report = &report[0];
    assert_eq!(
        (&report["program"], &report["rows"], &report["projects"]),
        (&"cop".into(), &13.into(), &13.into())
    );
    assert_eq!(report["agree"], serde_json::json!(["acme/cops/data"]));
    let expected = pairs(&[
        ("row-without-project", "Containers"),
        ("doubtful-row", "Defending against GitHub]"),
        ("row-without-project", "Defending against GitHub]"),
        ("disagreeing-cell", "finops"),
        ("ended-but-listed", "golang"),
        ("unlinked-row", "kubernetes"),
        ("ended-but-listed", "legacy"),
        ("unknown-person", "Observability"),
        ("unlinked-row", "rust"),
        ("row-without-project", "Value Streams"),
        ("doubled-row", "Value Streams"),
        ("row-without-project", "Value Streams"),
        ("missing-charter", "agile"),
        ("project-without-row", "blank"),
        ("empty-project", "blank"),
        ("broken-charter", "docs"),
        ("missing-charter", "kubernetes"),
        ("missing-charter", "observability"),
        ("project-without-row", "testing"),
        ("project-without-row", "ux"),
        ("missing-charter", "ux"),
    ]);
    assert_eq!(found(report), expected, "{report:#}");
    assert_eq!(office.writes(), 0, "it only looks");
    assert!(!office.folder.path().join("convenor.db").exists(), "and keeps nothing");
}

#[test]
fn the_report_in_words_names_line_project_evidence_and_mend() {
    let office = disorder();
    let words = office.run(&["adopt"]).well().out;
    for part in [
        "program cop: 13 projects, 13 rows, 1 agree",
        "disagreeing-cell     FinOps (acme/cops/finops; content/cop.md, line 12)",
        "+ | [FinOps](",
        "facilitators by its row: @bzhang7, @vera",
        "facilitators by the project's Maintainers: @bzhang7",
        "@gone has an account that is blocked",
        "mend: ",
        "would propose 8 of these changes, asking for each",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn without_a_terminal_nothing_is_written_unless_yes_is_said() {
    let office = disorder();
    let refused = office.run(&["adopt", "--write"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(office.writes(), 0);
}

#[test]
fn charters_and_rows_come_by_merge_request_and_only_once() {
    let office = disorder();
    let heads = |path: &str| office.gitlab.commits(&format!("{GROUP}/{path}"), "main").unwrap().len();
    let before: Vec<usize> = ["agile", "kubernetes", "observability", "ux", "docs"]
        .map(heads)
        .to_vec();
    let adopted = office.run(&["adopt", "--write", "--yes", "--json"]).well().json();
    assert_eq!(adopted[0]["done"].as_array().unwrap().len(), 8, "{adopted:#}");
    let after: Vec<usize> = ["agile", "kubernetes", "observability", "ux", "docs"]
        .map(heads)
        .to_vec();
    assert_eq!(before, after, "never a push to the default branch");

    for (path, facilitators, status) in [
        ("agile", "bzhang7,vera", "active"),
        ("kubernetes", "", "active"),
        ("observability", "", "inactive"),
        ("ux", "bzhang7", "active"),
    ] {
        let project = format!("{GROUP}/{path}");
        let proposed = office.gitlab.merge_requests(&project).unwrap();
        assert_eq!(proposed.len(), 1, "{path}");
        assert_eq!(proposed[0].source_branch, "convenor/charter");
        let text = office.gitlab.text(&project, "convenor/charter", charter::PATH).unwrap();
        let read = charter::read(text.as_bytes()).unwrap();
        let names: Vec<_> = read.facilitators.iter().map(|name| name.as_str()).collect();
        assert_eq!(
            (names.join(",").as_str(), read.status.as_str()),
            (facilitators, status),
            "{path}"
        );
    }
    let observability = &office.gitlab.merge_requests("acme/cops/observability").unwrap()[0];
    assert!(
        observability
            .description
            .as_deref()
            .unwrap()
            .contains("Somebody Unknown"),
        "{observability:?}"
    );
    let mut rows: Vec<_> = office
        .gitlab
        .merge_requests(HANDBOOK)
        .unwrap()
        .into_iter()
        .map(|request| request.source_branch)
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "convenor/finops",
            "convenor/legacy",
            "convenor/rust",
            "convenor/testing"
        ]
    );

    office.gitlab.forget_calls();
    let again = office.run(&["adopt", "--write", "--yes"]).well();
    assert_eq!(office.writes(), 0, "{again:?}");
    assert!(again.out.contains("charter-proposed"), "{}", again.out);
    assert_eq!(office.gitlab.violations(), Vec::<String>::new());
}

#[test]
fn one_community_can_be_adopted_alone() {
    let office = disorder();
    office.run(&["adopt", "--write", "--yes", "--community", "ux"]).well();
    assert_eq!(office.gitlab.merge_requests("acme/cops/ux").unwrap().len(), 1);
    assert_eq!(office.gitlab.merge_requests("acme/cops/agile").unwrap().len(), 0);
    assert_eq!(office.gitlab.merge_requests(HANDBOOK).unwrap().len(), 0);
}

#[test]
fn a_persons_no_and_a_persons_branch_are_left_alone() {
    let office = disorder();
    let charters = ["adopt", "--write", "--yes", "--community", "agile", "--community", "ux"];
    office.run(&charters).well();
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer.close_merge_request("acme/cops/agile", 1).unwrap();
    maintainer.close_merge_request("acme/cops/ux", 1).unwrap();
    let own = charter_of("Our own words", "active", "vera");
    maintainer
        .push_file("acme/cops/ux", "convenor/charter", charter::PATH, &own)
        .unwrap();
    office.gitlab.forget_calls();
    let again = office.run(&charters).well();
    assert_eq!(office.writes(), 0, "{again:?}");
    assert_eq!(again.out.matches("charter-refused").count(), 2, "{}", again.out);
    let text = office
        .gitlab
        .text("acme/cops/ux", "convenor/charter", charter::PATH)
        .unwrap();
    assert_eq!(text, own);
}

/// Everything is read before the first charter is written, which takes a while in a large organisation.
#[test]
fn what_a_person_pushes_while_adopt_reads_is_kept() {
    let office = disorder();
    let ux = ["adopt", "--write", "--yes", "--community", "ux"];
    office.run(&ux).well();
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer.close_merge_request("acme/cops/ux", 1).unwrap();
    // Other facilitators: a charter that nobody has refused, so the branch is made anew.
    office
        .gitlab
        .add_member("acme/cops/ux", "vera", Role::Maintainer)
        .unwrap();
    let own = charter_of("Our own words", "active", "vera");
    let pushed = own.clone();
    let pushes = Act::new(move |world| {
        let maintainer = world.person("maintainer").unwrap();
        maintainer
            .push_file("acme/cops/ux", "convenor/charter", charter::PATH, &pushed)
            .unwrap();
    });
    let ux_id = office.gitlab.project("acme/cops/ux").unwrap().id;
    let looked = Fault::new(Effect::After(pushes)).method("GET");
    let looked = looked.path(&format!("/projects/{ux_id}/merge_requests$")).unwrap();
    // Once for what is reported, once for what is written.
    office.gitlab.add_fault(looked.skip(1).once());
    let ran = office.run(&ux);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let why = "somebody has just pushed to the branch convenor/charter";
    assert!(ran.out.contains("\nnot done: ") && ran.out.contains(why), "{}", ran.out);
    assert_eq!(
        office.gitlab.text("acme/cops/ux", "convenor/charter", charter::PATH),
        Some(own)
    );
    assert_eq!(office.gitlab.merge_requests("acme/cops/ux").unwrap().len(), 1);
}

#[test]
fn a_merged_charter_brings_the_row() {
    let office = disorder();
    let ux = ["adopt", "--write", "--yes", "--community", "ux"];
    office.run(&ux).well();
    office
        .gitlab
        .person("maintainer")
        .unwrap()
        .merge("acme/cops/ux", 1)
        .unwrap();
    office.run(&ux).well();
    let rows = office.gitlab.merge_requests(HANDBOOK).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].description.as_deref().unwrap().contains("@bzhang7"), "{rows:?}");
}

#[test]
fn lost_answers_leave_exactly_one_of_everything() {
    for lost in 0..3 {
        let office = disorder();
        office
            .gitlab
            .add_fault(Fault::new(Effect::LoseAnswer).writes().skip(lost).once());
        office
            .run(&["adopt", "--write", "--yes", "--community", "agile"])
            .well();
        office.gitlab.clear_faults();
        assert_eq!(
            office.gitlab.merge_requests("acme/cops/agile").unwrap().len(),
            1,
            "write {lost}"
        );
        let commits = office.gitlab.commits("acme/cops/agile", "convenor/charter").unwrap();
        let ours = commits
            .iter()
            .filter(|commit| commit.message.contains("Convenor-Charter"))
            .count();
        assert_eq!(ours, 1, "write {lost}: {commits:?}");
    }
}

#[test]
fn a_bot_that_may_not_propose_says_so_and_goes_on() {
    let office = disorder();
    let refused = Fault::new(Effect::Forbidden)
        .writes()
        .path("/projects/[0-9]+/repository/commits$")
        .unwrap()
        .once();
    office.gitlab.add_fault(refused);
    let ran = office.run(&["adopt", "--write", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.out.matches("\nnot done: ").count(), 1, "{}", ran.out);
    assert_eq!(ran.out.matches("\ndone: ").count(), 7, "{}", ran.out);
}

#[test]
fn a_program_without_a_page_still_misses_its_charters() {
    let office = Office::with_page(Config::free(), "");
    office.community("alone", &[]);
    let text = std::fs::read_to_string(office.folder.path().join("convenor.toml")).unwrap();
    let without = text.split("[program.handbook]").next().unwrap();
    std::fs::write(office.folder.path().join("convenor.toml"), without).unwrap();
    let report = office.run(&["adopt", "--json"]).well().json();
    assert_eq!(found(&report[0]), pairs(&[("missing-charter", "alone")]));
    assert_eq!(report[0]["rows"], Value::Null);
}

#[test]
fn a_page_that_cannot_be_used_is_a_finding_and_no_error() {
    let office = Office::with_page(Config::default(), "# Nothing here\n");
    office.community("alone", &[]);
    let report = office.run(&["adopt", "--json"]).well().json();
    assert_eq!(
        found(&report[0]),
        pairs(&[("page-unusable", "handbook"), ("missing-charter", "alone")])
    );
}

#[test]
fn communities_of_subgroups_count_and_whatever_else_lies_there_is_nobodys_business() {
    let office = Office::with_page(Config::default(), "");
    office.gitlab.add_group_with("acme/cops/sub", "public").unwrap();
    office.gitlab.add_user("vera");
    let chartered = charter_of("Chartered", "active", "vera");
    office.community("sub/chartered", &[(charter::PATH, &chartered)]);
    office.community("sub/linked", &[]);
    office.community("sub/website", &[]);
    // The same last part of the path as another one's: its branch must not be that one's.
    office.community(
        "chartered",
        &[(charter::PATH, &charter_of("Namesake", "active", "vera"))],
    );
    let page = "## Current communities\n\n| Subject | Facilitator |\n| --- | --- |\n| [Linked](URL/acme/cops/sub/linked) | @vera |\n";
    let maintainer = office.gitlab.person("maintainer").unwrap();
    maintainer
        .push_file(
            HANDBOOK,
            "main",
            super::office::PAGE,
            page.replace("URL", office.gitlab.url()),
        )
        .unwrap();
    let report = office.run(&["adopt", "--json"]).well().json();
    assert_eq!(report[0]["projects"], 3, "{report:#}");
    let expected = [
        ("missing-charter", "linked"),
        ("project-without-row", "chartered"),
        ("project-without-row", "chartered"),
    ];
    let mut findings = found(&report[0]);
    findings.sort();
    assert_eq!(findings, pairs(&expected), "{report:#}");

    office.run(&["adopt", "--write", "--yes"]).well();
    assert_eq!(office.gitlab.merge_requests("acme/cops/sub/linked").unwrap().len(), 1);
    assert_eq!(office.gitlab.merge_requests("acme/cops/sub/website").unwrap().len(), 0);
    let rows = office.gitlab.merge_requests(HANDBOOK).unwrap();
    let mut branches: Vec<&str> = rows.iter().map(|row| row.source_branch.as_str()).collect();
    branches.sort_unstable();
    branches.dedup();
    assert_eq!(branches.len(), 2, "{branches:?}");
    let planned = office.run(&["plan"]);
    let id = office.gitlab.project("acme/cops/sub/chartered").unwrap().id;
    assert!(
        planned.out.contains(&format!("community cop/{id}\n")),
        "the full look finds it: {planned:?}"
    );
    assert_eq!(office.gitlab.violations(), Vec::<String>::new());
}
