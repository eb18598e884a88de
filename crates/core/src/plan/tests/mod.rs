//! Rules of the plans, on a small world that does what the steps say: observe, plan, apply, as the service does.

mod foreseen;
mod handover;
mod hostile;
mod judging;
mod making;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::ids::{
    AccessLevel, BoardId, BoardListId, GroupId, IssueIid, LabelId, MergeRequestIid, NoteId, ProjectId, UserId, Username,
};
use crate::plan::context::Context;
use crate::plan::labels::State;
use crate::plan::proposal::plan;
use crate::plan::seen::{
    BoardSeen, GroupSeen, InsideSeen, IssueSeen, LabelEventSeen, LabelSeen, MergeRequestSeen, MergeRequestState,
    NoteSeen, OwnIssueSeen, PageSeen, ProjectSeen, ProjectStanding, ProposalSeen, RivalSeen, Role, UserSeen,
};
use crate::plan::step::FileChange;
use crate::plan::wanted::Blueprint;
use crate::plan::{FileVersion, Plan, Remark, Step};
use crate::program::{ApprovalPolicy, Handbook, Program, Visibility};
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
            labels: Vec::new(),
            ..Handbook::new("handbook/pages", "cop.md", "Current")
        };
        let program = Program::new(ProgramName::new("cop").unwrap(), "cops", "cops/intake");
        let mut world = Self {
            program: Program {
                approval,
                handbooks: vec![handbook],
                ..program
            },
            blueprint: Blueprint::new(templates()).unwrap(),
            seen: seen(),
            seconds: 100,
        };
        world.seen.roles.insert(MAINTAINER, role(AccessLevel::MAINTAINER));
        world
    }

    fn now(&mut self) -> Timestamp {
        self.seconds += 10;
        time(self.seconds)
    }

    fn plan(&self) -> Plan {
        self.plan_as_seen(time(self.seconds))
    }

    /// What is due when all was read at this time.
    fn plan_as_seen(&self, looked_at: Timestamp) -> Plan {
        let context = Context {
            program: &self.program,
            blueprint: &self.blueprint,
            now: time(self.seconds),
        };
        let seen = ProposalSeen {
            looked_at,
            ..self.seen.clone()
        };
        plan(&context, &seen)
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
                    charter: None,
                    files: Vec::new(),
                    labels: Vec::new(),
                    boards: Vec::new(),
                    members: Some(BTreeMap::new()),
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
                FileChange::Create { path, .. } | FileChange::Update { path, .. } | FileChange::Delete { path, .. } => {
                    path
                }
            })),
            Step::CreateLabel { name, .. } => {
                let id = LabelId(1 + inside.labels.len() as u64);
                inside.labels.push(LabelSeen {
                    id,
                    name,
                    of_group: false,
                });
            }
            Step::CreateBoard { name, .. } => inside.boards.push(BoardSeen {
                id: BoardId(5),
                name: Untrusted::new(name),
                lists: Vec::new(),
            }),
            Step::CreateBoardList { label, .. } => {
                let lists = &mut inside.boards[0].lists;
                lists.push((BoardListId(lists.len() as u64), Some(label)));
            }
            Step::AddMember { user, level, .. } => {
                inside.members.as_mut().unwrap().insert(user, level);
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
        self.seen.pages[0].1 = vec![MergeRequestSeen {
            iid: MergeRequestIid(7),
            state,
            author: BOT,
            closed_by: None,
            title: Untrusted::new("docs"),
            description: Untrusted::default(),
            web_url: url("handbook/pages/-/merge_requests/7"),
            conflicts: None,
            needs_rebase: false,
            head: None,
            created_at: time(0),
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

fn role(level: AccessLevel) -> Role {
    Role { level, until: None }
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
        edited: false,
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

fn page() -> PageSeen {
    PageSeen {
        project: ProjectId(30),
        branch: "main".to_owned(),
        visibility: Visibility::Public,
        file: Some(FileVersion {
            bytes: PAGE.into(),
            last_commit: None,
        }),
    }
}

fn seen() -> ProposalSeen {
    ProposalSeen {
        made_before: BTreeMap::new(),
        looked_at: Timestamp::UNIX_EPOCH,
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
            author_in_use: true,
            author: user(PROPOSER),
            created_at: time(0),
            updated_at: time(0),
            web_url: url("cops/intake/-/issues/12"),
        },
        notes: Vec::new(),
        label_events: Vec::new(),
        roles: BTreeMap::new(),
        blocked: BTreeSet::new(),
        people: [person(21, "darwinjs"), person(22, "brianwald"), person(23, "alice")].into(),
        projects: vec![project(10, "Intake", "intake")],
        rivals: Vec::new(),
        acceptance: None,
        project: ProjectStanding::Free,
        refused_members: BTreeSet::new(),
        is_foreseen: false,
        inside: None,
        pages: vec![(page(), Vec::new())],
    }
}
