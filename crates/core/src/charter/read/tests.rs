use super::super::Join;
use super::*;

const EXAMPLE: &str = "\
name: Agile Architecture
summary: One sentence.
status: active            # proposed | active | inactive | retired
facilitators: [darwinjs, brianwald]
join: open
cadence: { every: month, on: first tuesday, at: \"16:00\", timezone: UTC, minutes: 50 }
chat: \"#cp_agile_architecture\"
proposal: gitlab-com/customer-success/communities-of-practice/intake#12
merged_into: null
links: []
";

fn check(source: &str, expected: &[(Option<u64>, &str, Problem)]) {
    let findings = read(source.as_bytes()).expect_err(source);
    let got: Vec<_> = findings
        .iter()
        .map(|f| (f.line, f.key.as_str(), f.problem.clone()))
        .collect();
    assert_eq!(got, expected, "{source}");
}

#[test]
fn the_charter_of_the_specification_is_understood() {
    let charter = read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(charter.name.expose(), "Agile Architecture");
    assert_eq!(charter.status, Status::Active);
    assert_eq!(
        charter.facilitators.iter().map(Username::as_str).collect::<Vec<_>>(),
        ["darwinjs", "brianwald"]
    );
    assert_eq!(charter.join, Join::Open);
    assert_eq!(
        charter.cadence.describe(),
        "Monthly, first Tuesday, 16:00 UTC, 50 minutes"
    );
    assert_eq!(charter.chat.unwrap().expose(), "#cp_agile_architecture");
    assert_eq!(charter.proposal.unwrap().iid.0, 12);
    assert_eq!((charter.merged_into, charter.links), (None, vec![]));
}

#[test]
fn a_short_charter_has_the_defaults() {
    let charter = read(b"name: X\nstatus: active\nfacilitators:\n").unwrap();
    assert_eq!((charter.cadence, charter.join), (Cadence::default(), Join::Open));
}

#[test]
fn scalars_that_look_like_numbers_or_truth_values_stay_as_written() {
    for name in ["1.10", "0x10", "no", "true", "1e3", "012", "2026-01-01"] {
        let charter = read(format!("name: {name}\nstatus: active\nfacilitators: [\"007\"]\n").as_bytes()).unwrap();
        assert_eq!(charter.name.expose(), name);
        assert_eq!(charter.facilitators[0].as_str(), "007");
    }
}

#[test]
fn all_mistakes_are_found_at_once_with_their_lines() {
    let source = "name: \"\"\nstatus: sleeping\nfacilitators:\n  - a b\n  - bob\n  - Bob\ncadence:\n  every: moon\n  on: first tuesday\n  at: 1600\n  timezone: Mars/Base\n  minutes: 2\nproposal: 12\nlinks: here\n";
    let every = "`week`, `2 weeks`, `month`, `quarter` or the like";
    check(
        source,
        &[
            (Some(1), "name", Problem::Expected("a name")),
            (
                Some(2),
                "status",
                Problem::Expected("`proposed`, `active`, `inactive` or `retired`"),
            ),
            (Some(4), "facilitators", Problem::NotAUsername),
            (Some(6), "facilitators", Problem::ListedTwice),
            (Some(8), "cadence.every", Problem::Expected(every)),
            (
                Some(10),
                "cadence.at",
                Problem::Expected("a time of day such as `\"16:00\"`"),
            ),
            (
                Some(11),
                "cadence.timezone",
                Problem::Expected("a time zone such as `UTC` or `Europe/Berlin`"),
            ),
            (
                Some(12),
                "cadence.minutes",
                Problem::Expected("a number of minutes from 5 to 1440"),
            ),
            (
                Some(13),
                "proposal",
                Problem::Expected("an issue such as `group/intake#12`"),
            ),
            (
                Some(14),
                "links",
                Problem::Expected("a list of addresses, or of entries with `title` and `url`"),
            ),
        ],
    );
}

#[test]
fn what_has_to_be_there_is_asked_for() {
    check(
        "join: open\n",
        &[
            (None, "name", Problem::Missing),
            (None, "status", Problem::Missing),
            (None, "facilitators", Problem::Missing),
        ],
    );
}

#[test]
fn broken_yaml_is_one_finding_with_its_line() {
    check("name: X\nname: Y\n", &[(Some(2), "", Problem::DuplicateKey)]);
    check("name: X\nfacilitators: [@bob]\n", &[(Some(2), "", Problem::NotYaml)]);
    check("name: &a X\nsummary: *a\n", &[(Some(1), "", Problem::Aliases)]);
    check("name: X\n<<: {status: active}\n", &[(Some(2), "", Problem::Aliases)]);
    check("- a\n- b\n", &[(Some(1), "", Problem::NotAMapping)]);
    check("just words\n", &[(Some(1), "", Problem::NotAMapping)]);
}

/// Each name would be a call of GitLab in every look.
#[test]
fn a_charter_names_at_most_100_facilitators() {
    let charter = |people: usize| {
        let names: Vec<String> = (0..people).map(|at| format!("person{at}")).collect();
        format!("name: X\nstatus: active\nfacilitators: [{}]\n", names.join(", "))
    };
    assert_eq!(read(charter(100).as_bytes()).unwrap().facilitators.len(), 100);
    check(
        &charter(101),
        &[(Some(3), "facilitators", Problem::Expected("at most 100 usernames"))],
    );
}

#[test]
fn large_deep_and_foreign_files_are_refused_quickly() {
    let large = format!("name: {}\n", "x".repeat(MOST_BYTES));
    check(&large, &[(None, "", Problem::TooLarge)]);
    assert_eq!(read(b"name: \xff\n").unwrap_err()[0].problem, Problem::NotUtf8);
    let deep = format!("name: {}{}\n", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(read(deep.as_bytes()).unwrap_err()[0].problem, Problem::NotYaml);
    assert!(read(b"").is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "(name|status|links|cadence|: |\\[|\\]|\\{|\\}|\n|  |- |'|\"|#|[a-z@&*<|>]){0,40}") {
        let _ = read(text.as_bytes());
    }
}
