use url::Url;

use super::*;
use crate::charter::read as read_charter;
use crate::ids::{MergeRequestIid, UserId};
use crate::plan::Step;
use crate::plan::seen::MergeRequestState;
use crate::plan::step::FileChange;
use crate::program::Visibility;
use crate::proposal::PersonState;

const BOT: UserId = UserId(1);
const PERSON: UserId = UserId(5);

fn username(name: &str) -> Username {
    Username::new(name).unwrap()
}

fn candidate(path: &str, name: &str) -> CandidateSeen {
    CandidateSeen {
        project: ProjectSeen {
            id: ProjectId(7),
            name: Untrusted::new(name),
            path: path.to_owned(),
            full_path: format!("acme/cops/{path}"),
            description: Untrusted::new("What we do.\n\nAnd more."),
            web_url: Url::parse(&format!("https://gitlab.example.com/acme/cops/{path}")).unwrap(),
            archived: false,
            marked_for_deletion: false,
            creator: None,
            created_at: None,
            empty: Some(false),
            default_branch: Some("main".to_owned()),
            visibility: Visibility::Public,
            topics: Vec::new(),
        },
        charter: None,
        maintainers: vec![username("vera")],
        branch: None,
        merge_requests: Vec::new(),
    }
}

/// A page whose one row is this line, in front of one project.
fn seen(row: &str, candidate: CandidateSeen) -> AdoptSeen {
    let handbook = Handbook::new("acme/handbook", "cop.md", "Current");
    let text = format!("## Current\n\n| Subject | Facilitator |\n| --- | --- |\n{row}\n");
    let page = PageSeen {
        project: ProjectId(3),
        branch: "main".to_owned(),
        visibility: Visibility::Public,
        file: Some(FileVersion {
            bytes: text.into_bytes(),
            last_commit: None,
        }),
    };
    let active = |id, name: &str| PersonState::Active {
        id: UserId(id),
        name: Untrusted::new(name),
    };
    AdoptSeen {
        bot: UserSeen {
            id: BOT,
            username: username("convenor-bot"),
        },
        pages: vec![(handbook, page)],
        projects: vec![candidate],
        people: People::from([
            (username("bart"), active(8, "Bart")),
            (username("gone"), PersonState::Missing),
        ]),
    }
}

/// The charter that would be committed, and what the merge request says.
fn proposed(seen: &AdoptSeen) -> Option<(Charter, String)> {
    let steps = charter::steps(seen, &seen.projects[0]);
    let mut text = None;
    let mut words = None;
    for step in steps {
        match step {
            Step::Commit { files, branch, .. } => {
                assert_eq!(branch, charter::BRANCH);
                let [FileChange::Create { content, .. }] = &files[..] else {
                    panic!("{files:?}")
                };
                text = Some(read_charter(content).unwrap());
            }
            Step::CreateMergeRequest { description, .. } => words = Some(description.as_str().to_owned()),
            other => panic!("{other}"),
        }
    }
    text.zip(words)
}

fn facilitators(seen: &AdoptSeen) -> Vec<String> {
    let (charter, _) = proposed(seen).unwrap();
    charter
        .facilitators
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect()
}

#[test]
fn facilitators_come_from_the_row_else_from_the_projects_maintainers() {
    let of = |row| facilitators(&seen(row, candidate("rust", "Rust")));
    assert_eq!(of("| Rust | @bart |"), ["bart"]);
    assert_eq!(of("| Go | @bart |"), ["vera"], "no row of its own");
    assert_eq!(
        of("| Rust | TBD |"),
        Vec::<String>::new(),
        "the row says that nobody runs it"
    );
    assert_eq!(
        of("| Rust | @gone |"),
        Vec::<String>::new(),
        "nor is somebody else put in their place"
    );
}

#[test]
fn what_cannot_be_told_is_asked_in_the_merge_request() {
    let (charter, words) = proposed(&seen("| Rust (inactive) | @bart, @gone |", candidate("rust", "rust"))).unwrap();
    assert_eq!((charter.status, charter.name.expose()), (Status::Inactive, "Rust"));
    assert_eq!(charter.summary.expose(), "What we do.");
    assert!(words.contains("- [ ] the account of gone"), "{words}");
    assert!(words.contains("@bart"), "{words}");
}

#[test]
fn a_name_that_would_be_something_else_in_yaml_stays_a_name() {
    for name in ["null", "x: [y", "\"quoted\"", "- a", "#1"] {
        let (charter, _) = proposed(&seen("| Go | @bart |", candidate("x", name))).unwrap();
        assert_eq!(charter.name.expose(), name);
    }
}

fn branch(of: &AdoptSeen, message_is_ours: bool) -> CharterBranchSeen {
    let steps = charter::steps(of, &of.projects[0]);
    let Some(Step::Commit { files, message, .. }) = steps.into_iter().next() else {
        panic!("a commit is due first")
    };
    let [FileChange::Create { content, .. }] = &files[..] else {
        panic!("{files:?}")
    };
    CharterBranchSeen {
        head: CommitSha("b".repeat(40)),
        message: Untrusted::new(if message_is_ours { message.as_str() } else { "Our own" }),
        charter: Some(FileVersion {
            bytes: content.clone(),
            last_commit: None,
        }),
    }
}

fn kinds(seen: &AdoptSeen) -> Vec<&'static str> {
    charter::steps(seen, &seen.projects[0]).iter().map(Step::kind).collect()
}

#[test]
fn a_broken_run_goes_on_and_a_persons_branch_is_theirs() {
    let mut seen = seen("| Rust | @bart |", candidate("rust", "Rust"));
    assert_eq!(kinds(&seen), ["commit", "create_merge_request"]);
    seen.projects[0].branch = Some(branch(&seen, true));
    assert_eq!(kinds(&seen), ["create_merge_request"]);
    seen.projects[0].project.description = Untrusted::new("Something else.");
    assert_eq!(
        kinds(&seen),
        ["commit", "create_merge_request"],
        "the branch is ours to rebuild"
    );
    seen.projects[0].branch = None;
    seen.projects[0].branch = Some(branch(&seen, false));
    assert_eq!(kinds(&seen), Vec::<&str>::new());
    assert_eq!(report_kinds(&seen), [Kind::UnlinkedRow, Kind::CharterRefused]);
}

fn report_kinds(seen: &AdoptSeen) -> Vec<Kind> {
    let name = crate::thing::ProgramName::new("cop").unwrap();
    let program = Program::new(name, "acme/cops", "acme/cops/intake");
    report(&program, seen)
        .findings
        .iter()
        .map(|finding| finding.kind)
        .collect()
}

fn merge_request(seen: &AdoptSeen, state: MergeRequestState, closed_by: Option<UserId>) -> MergeRequestSeen {
    let (_, description) = proposed(seen).unwrap();
    MergeRequestSeen {
        iid: MergeRequestIid(1),
        state,
        author: BOT,
        closed_by,
        title: Untrusted::default(),
        description: Untrusted::new(description),
        web_url: Url::parse("https://gitlab.example.com/x").unwrap(),
        conflicts: None,
        needs_rebase: false,
        head: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_persons_no_counts_until_the_facts_change() {
    let fresh = seen("| Rust | @bart |", candidate("rust", "Rust"));
    let with = |state, closed_by| {
        let mut seen = fresh.clone();
        seen.projects[0].merge_requests = vec![merge_request(&fresh, state, closed_by)];
        seen
    };
    for state in [MergeRequestState::Opened, MergeRequestState::Merged] {
        assert_eq!(kinds(&with(state, None)), Vec::<&str>::new(), "{state:?}");
    }
    let closed = with(MergeRequestState::Closed, Some(PERSON));
    assert_eq!(kinds(&closed), Vec::<&str>::new());
    let mut changed = closed;
    changed.projects[0].project.description = Untrusted::new("Something else.");
    assert_eq!(kinds(&changed), ["commit", "create_merge_request"]);
}

#[test]
fn nothing_is_proposed_where_nothing_can_be() {
    let with = |change: fn(&mut CandidateSeen)| {
        let mut seen = seen("| Go | @bart |", candidate("rust", "Rust"));
        change(&mut seen.projects[0]);
        kinds(&seen)
    };
    assert_eq!(with(|seen| seen.project.archived = true), Vec::<&str>::new());
    assert_eq!(with(|seen| seen.project.empty = Some(true)), Vec::<&str>::new());
    assert_eq!(
        with(|seen| seen.charter = Some(b"name: x\n".to_vec())),
        Vec::<&str>::new()
    );
}

#[test]
fn every_page_with_a_table_is_compared() {
    let mut seen = seen("| Rust | @bart |", candidate("rust", "Rust"));
    seen.projects[0].charter = Some(b"name: Rust\nstatus: active\nfacilitators: [bart]\n".to_vec());
    let mut second = seen.pages[0].clone();
    second.0.page = "other.md".to_owned();
    second.1.file = Some(FileVersion {
        bytes: b"## Current\n\n| Subject | Facilitator |\n| --- | --- |\n| Go | @bart |\n".to_vec(),
        last_commit: None,
    });
    seen.pages.push(second);
    let found = report_kinds(&seen);
    assert_eq!(
        found,
        [Kind::UnlinkedRow, Kind::RowWithoutProject, Kind::ProjectWithoutRow]
    );
}
