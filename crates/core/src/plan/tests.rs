//! Rules of the plans, on a small world that does what the steps say: observe, plan, apply, as the service does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::context::Context;
use super::labels::State;
use super::proposal::plan;
use super::seen::{
    BoardSeen, GroupSeen, InsideSeen, IssueSeen, LabelEventSeen, LabelSeen, MergeRequestSeen, MergeRequestState,
    NoteSeen, OwnIssueSeen, PageSeen, ProjectSeen, ProjectStanding, ProposalSeen, RivalSeen, UserSeen,
};
use super::step::FileChange;
use super::wanted::Blueprint;
use super::{FileVersion, Plan, Remark, Step};
use crate::ids::{
    AccessLevel, BoardId, BoardListId, GroupId, IssueIid, LabelId, MergeRequestIid, NoteId, ProjectId, UserId, Username,
};
use crate::program::{ApprovalPolicy, Handbook, Program, RowOrder, Visibility};
use crate::proposal::PersonState;
use crate::render::TemplateSet;
use crate::thing::{ProgramName, Thing};
use crate::untrusted::Untrusted;

const BOT: UserId = UserId(1);
const PROPOSER: UserId = UserId(2);
const MAINTAINER: UserId = UserId(3);

const FORM: &str = "### Focus topic\n\nRust at Work\n\n### Purpose and scope\n\nShare what we learn while we use Rust in \
                    production. Everybody may ask.\n\n### Facilitators\n\n@darwinjs @brianwald\n\n### Members\n\n@alice\n";

const PAGE: &str = "# Communities\n\n## Current\n\n| Subject | Facilitator |\n|---|---|\n| Agile | @bob |\n";

struct World {
    program: Program,
    blueprint: Blueprint,
    seen: ProposalSeen,
    seconds: i64,
}

impl World {
    fn new(approval: ApprovalPolicy) -> Self {
        let handbook = Handbook {
            project: "handbook/pages".to_owned(),
            branch: None,
            page: "cop.md".to_owned(),
            heading: "Current".to_owned(),
            order: RowOrder::Auto,
            columns: Vec::new(),
            reviewers: Vec::new(),
            labels: Vec::new(),
            list_private: false,
        };
        let program = Program::new(ProgramName::new("cop").unwrap(), "cops", "cops/intake");
        let mut world = Self {
            program: Program {
                approval,
                handbook: Some(handbook),
                ..program
            },
            blueprint: Blueprint::new(templates()).unwrap(),
            seen: seen(),
            seconds: 100,
        };
        world.seen.roles.insert(MAINTAINER, AccessLevel::MAINTAINER);
        world
    }

    fn now(&mut self) -> Timestamp {
        self.seconds += 10;
        time(self.seconds)
    }

    fn plan(&self) -> Plan {
        let context = Context {
            program: &self.program,
            blueprint: &self.blueprint,
            now: time(self.seconds),
        };
        plan(&context, &self.seen)
    }

    /// Observes, plans and applies until nothing is due; gives the steps' kinds and the last report.
    fn settle(&mut self) -> (Vec<&'static str>, Plan) {
        let mut done = Vec::new();
        for _ in 0..10 {
            let plan = self.plan();
            if plan.is_empty() {
                return (done, plan);
            }
            for step in plan.steps {
                done.push(step.kind());
                self.apply(step);
            }
        }
        panic!("does not settle: {done:?}");
    }

    fn apply(&mut self, step: Step) {
        let at = self.now();
        match step {
            Step::RecordAcceptance(acceptance) => self.seen.acceptance = Some(acceptance),
            Step::CreateNote { body, .. } => {
                let id = NoteId(1000 + self.seen.notes.len() as u64);
                self.seen.notes.push(note(id, BOT, body.as_str(), false, at));
            }
            Step::UpdateNote { note, body, .. } => {
                let known = self.seen.notes.iter_mut().find(|known| known.id == note).unwrap();
                known.body = Untrusted::new(body.as_str());
            }
            Step::DeleteOwnNote { note, .. } => self.seen.notes.retain(|known| known.id != note),
            Step::SetIssueState { add, remove, close, .. } => {
                let labels = &mut self.seen.issue.labels;
                labels.retain(|label| !remove.contains(&label.as_str()));
                labels.extend(add.map(ToOwned::to_owned));
                self.seen.issue.open &= !close;
            }
            Step::CreateProject { name, slug, .. } => {
                let made = project(77, name.as_str(), slug.as_str());
                self.seen.project = ProjectStanding::Ours(ProjectSeen {
                    empty: Some(true),
                    ..made
                });
                self.seen.inside = Some(InsideSeen {
                    files: Vec::new(),
                    labels: Vec::new(),
                    boards: Vec::new(),
                    members: BTreeMap::new(),
                    issues: Vec::new(),
                });
            }
            step => self.apply_inside(step),
        }
    }

    fn apply_inside(&mut self, step: Step) {
        let inside = self.seen.inside.as_mut().unwrap();
        match step {
            Step::Commit { files, .. } => inside.files.extend(files.into_iter().map(|file| match file {
                FileChange::Create { path, .. } | FileChange::Update { path, .. } | FileChange::Delete { path, .. } => path,
            })),
            Step::CreateLabel { name, .. } => {
                let id = LabelId(1 + inside.labels.len() as u64);
                inside.labels.push(LabelSeen { id, name });
            }
            Step::CreateBoard { name, .. } => inside.boards.push(BoardSeen {
                id: BoardId(5),
                name,
                lists: Vec::new(),
            }),
            Step::CreateBoardList { label, .. } => {
                let lists = &mut inside.boards[0].lists;
                lists.push((BoardListId(lists.len() as u64), Some(label)));
            }
            Step::AddMember { user, level, .. } => {
                inside.members.insert(user, level);
            }
            Step::CreateIssue { description, .. } => inside.issues.push(OwnIssueSeen {
                iid: IssueIid(1 + inside.issues.len() as u64),
                open: true,
                closed_by: None,
                description: Untrusted::new(description.as_str()),
                web_url: url("cops/rust-at-work/-/issues/1"),
            }),
            other => panic!("nothing of this is due here: {other}"),
        }
    }

    fn says(&mut self, user: UserId, text: &str) {
        let at = self.now();
        let id = NoteId(2000 + self.seen.notes.len() as u64);
        self.seen.notes.push(note(id, user, text, false, at));
    }

    fn edits(&mut self, description: &str) {
        let at = self.now();
        self.seen.issue.description = Untrusted::new(description);
        self.seen.issue.updated_at = at;
        let id = NoteId(2000 + self.seen.notes.len() as u64);
        self.seen
            .notes
            .push(note(id, PROPOSER, "changed the description", true, at));
    }

    fn state(&self) -> Vec<&str> {
        self.seen.issue.labels.iter().map(String::as_str).collect()
    }

    fn comment(&self) -> &str {
        let mut ours = self.seen.notes.iter().filter(|note| note.author.id == BOT);
        let comment = ours.next().expect("a comment").body.expose();
        assert!(ours.next().is_none(), "never a second comment");
        comment
    }

    fn opens_merge_request(&mut self, state: MergeRequestState) {
        self.seen.merge_requests = vec![MergeRequestSeen {
            iid: MergeRequestIid(7),
            state,
            author: BOT,
            closed_by: None,
            title: Untrusted::new("docs"),
            description: Untrusted::default(),
            web_url: url("handbook/pages/-/merge_requests/7"),
            conflicts: None,
        }];
    }
}

fn templates() -> TemplateSet {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    TemplateSet::new(files)
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_secs(second)
}

fn url(path: &str) -> Url {
    Url::parse(&format!("https://gitlab.example.com/{path}")).unwrap()
}

fn user(id: UserId) -> UserSeen {
    let name = match id {
        BOT => "convenor-bot",
        PROPOSER => "proposer",
        MAINTAINER => "maintainer",
        _ => "outsider",
    };
    UserSeen {
        id,
        username: Username::new(name).unwrap(),
    }
}

fn note(id: NoteId, author: UserId, body: &str, system: bool, at: Timestamp) -> NoteSeen {
    NoteSeen {
        id,
        author: user(author),
        body: Untrusted::new(body),
        system,
        internal: false,
        created_at: at,
    }
}

pub(super) fn project(id: u64, name: &str, path: &str) -> ProjectSeen {
    ProjectSeen {
        id: ProjectId(id),
        name: Untrusted::new(name),
        path: path.to_owned(),
        full_path: format!("cops/{path}"),
        description: Untrusted::default(),
        web_url: url(&format!("cops/{path}")),
        archived: false,
        marked_for_deletion: false,
        creator: Some(BOT),
        created_at: Some(time(0)),
        empty: Some(false),
        default_branch: Some("main".to_owned()),
        visibility: Visibility::Public,
        topics: Vec::new(),
    }
}

fn person(id: u64, name: &str) -> (Username, PersonState) {
    (
        Username::new(name).unwrap(),
        PersonState::Active {
            id: UserId(id),
            name: Untrusted::new(name),
        },
    )
}

fn seen() -> ProposalSeen {
    ProposalSeen {
        bot: user(BOT),
        group: GroupSeen {
            id: GroupId(9),
            web_url: url("groups/cops"),
            visibility: Visibility::Public,
        },
        intake: project(10, "Intake", "intake"),
        issue: IssueSeen {
            iid: IssueIid(12),
            title: Untrusted::new("New community: Rust at Work"),
            description: Untrusted::new(FORM),
            open: true,
            confidential: false,
            labels: vec!["cop::proposed".to_owned(), "other".to_owned()],
            author: user(PROPOSER),
            created_at: time(0),
            updated_at: time(0),
            web_url: url("cops/intake/-/issues/12"),
        },
        notes: Vec::new(),
        label_events: Vec::new(),
        roles: BTreeMap::new(),
        people: [person(21, "darwinjs"), person(22, "brianwald"), person(23, "alice")].into(),
        projects: vec![project(10, "Intake", "intake")],
        rivals: Vec::new(),
        acceptance: None,
        project: ProjectStanding::Free,
        refused_members: BTreeSet::new(),
        inside: None,
        page: Some(PageSeen {
            project: ProjectId(30),
            branch: "main".to_owned(),
            visibility: Visibility::Public,
            file: Some(FileVersion {
                bytes: PAGE.into(),
                last_commit: None,
            }),
        }),
        merge_requests: Vec::new(),
    }
}

#[test]
fn a_proposal_without_a_state_label_is_left_alone() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.issue.labels = vec!["other".to_owned()];
    let plan = world.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.report, [Remark::NotAProposal]);
}

#[test]
fn an_incomplete_proposal_gets_one_comment_and_the_label() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.issue.description = Untrusted::new("### Focus topic\n\nX\n");
    let (done, last) = world.settle();
    assert_eq!(done, ["create_note", "set_issue_state"]);
    assert_eq!(world.state(), ["other", "cop::needs-info"]);
    assert!(
        matches!(last.report[..], [Remark::NeedsInfo { findings: 4.. }]),
        "{:?}",
        last.report
    );
    assert!(world.comment().contains("Purpose and scope"), "{}", world.comment());
}

#[test]
fn a_mended_proposal_updates_the_same_comment() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.seen.issue.description = Untrusted::new("### Focus topic\n\nRust at Work\n");
    world.settle();
    world.edits(FORM);
    let (done, _) = world.settle();
    assert_eq!(done, ["update_note", "set_issue_state"]);
    assert_eq!(world.state(), ["other", "cop::ready"]);
    assert!(
        world.comment().contains("+| [Rust at Work]("),
        "the line is shown: {}",
        world.comment()
    );
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(PROPOSER, "any news?");
    assert_eq!(world.plan().steps, []);
}

#[test]
fn an_approved_proposal_becomes_a_project_with_everything() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    let (done, last) = world.settle();
    let count = |kind| done.iter().filter(|done| **done == kind).count();
    assert_eq!(
        &done[..4],
        ["record_acceptance", "update_note", "set_issue_state", "create_project"]
    );
    for (kind, times) in [
        ("create_project", 1),
        ("commit", 1),
        ("create_board", 1),
        ("create_label", 4),
        ("create_board_list", 4),
    ] {
        assert_eq!(count(kind), times, "{kind}");
    }
    assert_eq!(count("add_member"), 3);
    let members = &world.seen.inside.as_ref().unwrap().members;
    assert_eq!(members[&UserId(21)], AccessLevel::MAINTAINER);
    assert_eq!(members[&UserId(23)], AccessLevel::DEVELOPER);
    assert_eq!(
        last.knocks,
        [Thing::Community(ProgramName::new("cop").unwrap(), ProjectId(77))]
    );
    assert_eq!(world.state(), ["other", "cop::approved"]);
}

#[test]
fn a_person_whom_gitlab_refuses_does_not_hold_up_the_rest() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.refused_members.insert(UserId(23));
    let (done, last) = world.settle();
    assert_eq!(done.iter().filter(|kind| **kind == "add_member").count(), 2);
    assert_eq!(last.knocks.len(), 1, "the row is next");
    assert!(
        world.comment().contains("GitLab refused to add `@alice`"),
        "{}",
        world.comment()
    );
}

#[test]
fn the_proposal_is_closed_when_the_line_is_merged() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.settle();
    world.opens_merge_request(MergeRequestState::Opened);
    let (_, last) = world.settle();
    assert_eq!(last.report, [Remark::WaitsForMerge]);
    assert!(world.seen.issue.open);
    world.opens_merge_request(MergeRequestState::Merged);
    let (done, _) = world.settle();
    assert_eq!(done, ["update_note", "set_issue_state"]);
    assert!(!world.seen.issue.open);
    assert_eq!(world.state(), ["other", State::Active.label()]);
    assert!(world.comment().contains("Welcome"));
}

#[test]
fn what_a_person_removes_afterwards_stays_removed() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.settle();
    let inside = world.seen.inside.as_mut().unwrap();
    inside.members.clear();
    inside.boards.clear();
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn a_deleted_or_archived_project_is_not_made_again() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.settle();
    world.seen.project = ProjectStanding::Gone;
    world.seen.inside = None;
    let (done, last) = world.settle();
    assert_eq!(done, ["update_note"]);
    assert_eq!(last.report, [Remark::ProjectGone]);
}

#[test]
fn a_foreign_project_at_the_path_is_never_touched() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.project = ProjectStanding::Foreign(project(55, "Somebody's", "rust-at-work"));
    let (done, _) = world.settle();
    assert_eq!(done, ["create_note", "set_issue_state"]);
    assert_eq!(world.state(), ["other", "cop::needs-info"]);
    assert!(world.comment().contains("choose another name"));
}

#[test]
fn a_private_project_is_not_named_in_a_public_issue() {
    let mut world = World::new(ApprovalPolicy::Never);
    let secret = ProjectSeen {
        visibility: Visibility::Private,
        ..project(55, "Rust at Work", "canary")
    };
    world.seen.projects.push(secret);
    world.settle();
    assert_eq!(world.state(), ["other", "cop::needs-info"]);
    assert!(!world.comment().contains("canary"), "{}", world.comment());
}

#[test]
fn unknown_people_are_named_together_with_the_other_faults() {
    let mut world = World::new(ApprovalPolicy::Never);
    let hasty = FORM.replace("@alice", "@nobody").replace(
        "Share what we learn while we use Rust in production. Everybody may ask.",
        "Rust.",
    );
    world.seen.issue.description = Untrusted::new(hasty);
    world.settle();
    assert!(world.comment().contains("nobody"), "{}", world.comment());
    assert!(world.comment().contains("40 characters"), "{}", world.comment());
}

#[test]
fn of_two_proposals_for_one_name_the_earlier_goes_first() {
    let rival = |iid| RivalSeen {
        iid: IssueIid(iid),
        name: Untrusted::new("rust at work"),
        purpose: Untrusted::default(),
        web_url: url("cops/intake/-/issues/3"),
    };
    for (iid, state) in [(3, "cop::needs-info"), (30, "cop::ready")] {
        let mut world = World::new(ApprovalPolicy::Always);
        world.seen.rivals = vec![rival(iid)];
        world.settle();
        assert_eq!(world.state(), ["other", state], "rival {iid}");
    }
}

#[test]
fn a_confidential_issue_becomes_nothing_public() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.issue.confidential = true;
    let (done, last) = world.settle();
    assert_eq!(done, ["create_note"]);
    assert_eq!(last.report, [Remark::Confidential]);
    assert!(!world.comment().contains("Rust at Work"));
}

#[test]
fn an_approval_before_the_last_edit_does_not_count() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    world.edits(&FORM.replace("Everybody may ask", "Everybody may answer"));
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
    assert!(world.comment().contains("Please approve again"), "{}", world.comment());
    world.says(MAINTAINER, "@convenor-bot approve");
    world.settle();
    assert_eq!(world.state(), ["other", "cop::approved"]);
}

#[test]
fn an_edit_without_a_trace_in_the_notes_voids_earlier_approvals_too() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    let at = world.now();
    world.seen.issue.description = Untrusted::new(FORM.replace("Everybody", "Nobody"));
    world.seen.issue.updated_at = at;
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
}

#[test]
fn a_label_set_by_whoever_may_not_proves_nothing() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.seen.issue.labels = vec!["cop::approved".to_owned()];
    world.seen.label_events = vec![LabelEventSeen {
        user: user(PROPOSER),
        label: "cop::approved".to_owned(),
        added: true,
        at: time(1),
    }];
    world.settle();
    assert_eq!(world.state(), ["cop::ready"]);
}

#[test]
fn a_maintainers_label_approves() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let at = world.now();
    let label = State::Approved.label().to_owned();
    world.seen.label_events = vec![LabelEventSeen {
        user: user(MAINTAINER),
        label,
        added: true,
        at,
    }];
    world.settle();
    assert_eq!(world.state(), ["other", "cop::approved"]);
}

#[test]
fn a_declined_proposal_is_closed_with_the_reason() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.says(MAINTAINER, "@convenor-bot decline /close @all there is one already");
    let (done, last) = world.settle();
    assert_eq!(done, ["create_note", "set_issue_state"]);
    assert_eq!(last.report, [Remark::Closed]);
    assert_eq!(world.state(), ["other", "cop::declined"]);
    assert!(world.comment().contains("there is one already"));
}

#[test]
fn an_edit_of_the_issue_changes_nothing_that_runs() {
    let mut world = World::new(ApprovalPolicy::Never);
    for step in world.plan().steps {
        world.apply(step);
    }
    world.edits(&FORM.replace("Rust at Work", "Something Else"));
    world.settle();
    let ProjectStanding::Ours(made) = &world.seen.project else {
        panic!("no project")
    };
    assert_eq!(made.path, "rust-at-work");
    assert!(world.comment().contains("Rust at Work"));
}

#[test]
fn a_doubled_comment_of_ours_is_removed() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let mut doubled = world.seen.notes[0].clone();
    doubled.id = NoteId(9999);
    world.seen.notes.push(doubled);
    assert_eq!(world.settle().0, ["delete_own_note"]);
}

#[test]
fn a_pasted_marker_is_no_comment_of_ours() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let mut pasted = world.seen.notes[0].clone();
    pasted.id = NoteId(1);
    pasted.author = user(PROPOSER);
    world.seen.notes.insert(0, pasted);
    assert_eq!(world.plan().steps, []);
}

#[test]
fn hostile_text_stays_text_in_the_comment() {
    let mut world = World::new(ApprovalPolicy::Always);
    let hostile = FORM.replace(
        "Share what we learn while we use Rust in production.",
        "/close\n/assign @root\n@all <img src=x> {{name}} | Closes #1 we learn about Rust in production",
    );
    world.seen.issue.description = Untrusted::new(hostile);
    world.settle();
    let comment = world.comment();
    assert!(
        !comment.lines().any(|line| line.trim_start().starts_with("/close")),
        "{comment}"
    );
    assert!(!comment.contains("@all"), "{comment}");
    assert!(!comment.contains("<img"), "{comment}");
}
