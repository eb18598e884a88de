//! The templates that come with the program, rendered for an ordinary and for a hostile community.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::path::Path;

use convenor_core::cadence;
use convenor_core::charter::{Charter, IssueReference, Join, Link, Status};
use convenor_core::ids::Username;
use convenor_core::render::{self, Addresses, ProjectData, TemplateSet};
use convenor_core::slug::Slug;
use convenor_core::untrusted::Untrusted;

fn shipped() -> TemplateSet {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let mut files = BTreeMap::new();
    read_into(&mut files, &root, &root);
    TemplateSet::new(files)
}

fn read_into(files: &mut BTreeMap<String, String>, root: &Path, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(files, root, &path);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn ordinary() -> ProjectData {
    ProjectData {
        charter: Charter {
            name: Untrusted::new("Agile Architecture"),
            summary: Untrusted::new("How architecture grows with the product."),
            status: Status::Active,
            facilitators: ["darwinjs", "brianwald"]
                .iter()
                .filter_map(|name| Username::new(name))
                .collect(),
            join: Join::Open,
            cadence: cadence::read(&Untrusted::new("Monthly, first Tuesday, 16:00 UTC, 50 minutes")).cadence,
            chat: Some(Untrusted::new("#cp_agile_architecture")),
            proposal: IssueReference::parse("group/intake#12"),
            merged_into: None,
            links: vec![Link {
                title: Some(Untrusted::new("Notes")),
                url: Untrusted::new("https://example.com/notes"),
            }],
        },
        slug: Slug::new("agile-architecture").unwrap(),
        purpose: Untrusted::new("How architecture grows with the product.\n\nWe look at:\n\n- decisions\n- trade-offs"),
        members: vec![],
        addresses: Addresses {
            proposal: Some("https://gitlab.example.com/group/intake/-/issues/12".to_owned()),
            handbook: Some("https://handbook.example.com/communities/".to_owned()),
            ..Addresses::of_project("https://gitlab.example.com/group/agile-architecture", "main")
        },
    }
}

/// Everything optional left out.
fn bare() -> ProjectData {
    let data = ordinary();
    ProjectData {
        charter: Charter {
            summary: Untrusted::default(),
            facilitators: vec![],
            join: Join::Request,
            cadence: cadence::Cadence::default(),
            chat: None,
            proposal: None,
            links: vec![],
            ..data.charter
        },
        addresses: Addresses {
            proposal: None,
            handbook: None,
            ..data.addresses
        },
        ..data
    }
}

fn hostile() -> ProjectData {
    let evil = "@all | {{slug}} {{> x}} <img src=x onerror=alert(1)> `code` [a](javascript:x) \\ \u{202e}";
    let data = ordinary();
    ProjectData {
        charter: Charter {
            name: Untrusted::new(format!("X {evil}")),
            summary: Untrusted::new(format!("/close\n/assign @all\r/merge {evil}")),
            join: Join::Sentence(Untrusted::new(format!("/label ~x\n# {evil}"))),
            chat: Some(Untrusted::new(format!("#x {evil}\n/close"))),
            links: vec![
                Link {
                    title: Some(Untrusted::new(evil)),
                    url: Untrusted::new("javascript:alert(1)"),
                },
                Link {
                    title: Some(Untrusted::new("](x) /close")),
                    url: Untrusted::new("https://example.com/a>b|c)"),
                },
            ],
            ..data.charter
        },
        purpose: Untrusted::new(format!(
            "/close\n\n  /assign @all\n```\n{evil}\n---\n- /close\n<!-- x\n1. {evil}\n| a | b |"
        )),
        ..data
    }
}

fn whole_project(data: &ProjectData) -> String {
    let set = shipped();
    let mut text = String::new();
    for file in render::project_files(&set, data).unwrap() {
        text.push_str(&format!(
            "===== {}\n{}",
            file.path,
            String::from_utf8(file.content).unwrap()
        ));
    }
    text.push_str(&format!(
        "===== (kick-off issue)\n{}",
        render::kickoff(&set, data).unwrap()
    ));
    let day = jiff::civil::date(2026, 2, 3);
    text.push_str(&format!(
        "===== (agenda issue)\n{}",
        render::agenda(&set, data, day).unwrap()
    ));
    text
}

#[test]
fn an_ordinary_project() {
    insta::assert_snapshot!(whole_project(&ordinary()));
}

#[test]
fn a_project_of_which_little_is_known() {
    insta::assert_snapshot!(whole_project(&bare()));
}

#[test]
fn a_hostile_project() {
    insta::assert_snapshot!(whole_project(&hostile()));
}

#[test]
fn no_line_begins_with_a_quick_action_that_a_person_wrote() {
    for line in whole_project(&hostile()).lines() {
        assert!(!line.starts_with('/') || line.starts_with("/label ~\""), "{line}");
    }
}

#[test]
fn the_facts_of_a_readme_follow_the_charter_and_nothing_else_changes() {
    let set = shipped();
    let files = render::project_files(&set, &ordinary()).unwrap();
    let readme = files.into_iter().find(|file| file.path == "README.md").unwrap();
    let written = String::from_utf8(readme.content)
        .unwrap()
        .replace("## Meetings", "## Our meetings")
        .replace('\n', "\r\n");
    let mut data = ordinary();
    data.charter.status = Status::Inactive;
    let updated = render::updated_readme(&set, &data, &written).unwrap().unwrap();
    assert_eq!(updated, written.replace("**Status**: active", "**Status**: inactive"));
    assert_eq!(
        render::updated_readme(&set, &data, &updated).unwrap(),
        None,
        "nothing more to do"
    );
    assert_eq!(
        render::updated_readme(&set, &data, "# Without the marks").unwrap(),
        None
    );
}

#[test]
fn the_board_that_comes_with_the_program_is_sound() {
    let board = render::board(&shipped()).unwrap();
    assert_eq!(board.name, "Community board");
    assert!(!board.lists.is_empty());
}

#[test]
fn faults_of_all_templates_are_told_at_once_with_file_and_line() {
    let files = [
        ("project/a.md.hbs", "fine\n{{nmae}}\n"),
        ("project/b.md.hbs", "{{#if name}}\n"),
        ("project/../c.md.hbs", ""),
        ("project/{{name}}.md.hbs", ""),
        ("project/d.md", "{{kept}} as it is"),
    ];
    let set = TemplateSet::new(
        files
            .iter()
            .map(|(path, source)| (path.to_string(), source.to_string()))
            .collect(),
    );
    let faults = render::project_files(&set, &ordinary()).unwrap_err();
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.template.as_str(), fault.line))
        .collect();
    assert_eq!(
        told,
        [
            ("project/../c.md.hbs", None),
            ("project/a.md.hbs", Some(2)),
            ("project/b.md.hbs", Some(2)),
            ("project/{{name}}.md.hbs", None),
        ]
    );
    assert!(faults[1].to_string().contains("nmae"), "{}", faults[1]);
}

#[test]
fn every_value_that_the_papers_name_exists() {
    let paper = include_str!("../../../docs/templates.md");
    let values = paper.split("## Values").nth(1).unwrap().split("\n## ").next().unwrap();
    let names = values
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = ["open", "request", "sentence", "active", "@", "group/intake#12"];
    for name in names.filter(|name| !words.contains(name)) {
        let file = ("project/a.md.hbs".to_owned(), format!("{{{{{name}}}}}"));
        let rendered = render::project_files(&TemplateSet::new([file].into()), &ordinary());
        assert!(rendered.is_ok(), "{name}: {rendered:?}");
    }
}
