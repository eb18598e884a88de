//! Rules of the row's branch and merge request, on a small handbook that does what the steps say.

mod branches;
mod manners;
mod resting;

use jiff::Timestamp;
use url::Url;

use crate::ids::{CommitSha, IssueIid, MergeRequestIid, ProjectId, UserId, Username};
use crate::plan::change::concern;
use crate::plan::resync::Marks;
use crate::plan::seen::{
    BranchSeen, CommunitySeen, ListingSeen, MergeRequestSeen, MergeRequestState, OwnIssueSeen, PageSeen, PlaceSeen,
    ProjectSeen, Removals, Traffic, UserSeen,
};
use crate::plan::step::FileChange;
use crate::plan::{FileVersion, Plan, Remark, Step, Turn, community::plan};
use crate::program::{DraftPolicy, Handbook, Program, Visibility};
use crate::proposal::PersonState;
use crate::thing::ProgramName;
use crate::untrusted::Untrusted;

const BOT: UserId = UserId(1);
const SOMEBODY: UserId = UserId(5);

const PAGE: &str = "## Current\r\n\r\n| Subject | Facilitator |\r\n|---|---|\r\n| Agile | @bob |\r\n| Zen | @zoe |\r\n";

struct World {
    program: Program,
    seen: CommunitySeen,
}

impl World {
    fn new() -> Self {
        let handbook = Handbook::new("handbook/pages", "cop.md", "Current");
        let program = Program::new(ProgramName::new("cop").unwrap(), "cops", "cops/intake");
        Self {
            program: Program {
                handbooks: vec![handbook],
                ..program
            },
            seen: seen(),
        }
    }

    fn settle(&mut self) -> (Vec<&'static str>, Vec<Remark>) {
        let mut done = Vec::new();
        for _ in 0..5 {
            let plan = plan(&self.program, &self.seen);
            if plan.is_empty() {
                return (done, plan.report);
            }
            for step in plan.steps {
                done.push(step.kind());
                self.apply(step);
            }
        }
        panic!("does not settle: {done:?}");
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Commit {
                message,
                files,
                replaces,
                ..
            } => {
                let there = self.seen.listings[0].place.branch.as_ref();
                assert_eq!(
                    replaces,
                    there.map(|branch| branch.head.clone()),
                    "only a branch that was seen is made anew, as it was seen"
                );
                let [
                    FileChange::Update {
                        content, last_commit, ..
                    },
                ] = &files[..]
                else {
                    panic!("one file")
                };
                assert_eq!(
                    *last_commit,
                    self.page().last_commit,
                    "somebody else's change would be overwritten"
                );
                self.seen.listings[0].place.branch = Some(BranchSeen {
                    head: CommitSha("b".repeat(40)),
                    message: Untrusted::new(message.as_str()),
                    page: Some(FileVersion {
                        bytes: content.clone(),
                        last_commit: None,
                    }),
                    parent: None,
                    base_page: Some(self.page().bytes.clone()),
                });
            }
            Step::CreateMergeRequest { title, description, .. } => {
                let iid = MergeRequestIid(1 + self.seen.listings[0].place.merge_requests.len() as u64);
                self.seen.listings[0].place.merge_requests.insert(
                    0,
                    MergeRequestSeen {
                        iid,
                        state: MergeRequestState::Opened,
                        author: BOT,
                        closed_by: None,
                        title: Untrusted::new(title.as_str()),
                        description: Untrusted::new(description.as_str()),
                        web_url: url("handbook/pages/-/merge_requests/1"),
                        conflicts: None,
                        needs_rebase: false,
                        head: None,
                        created_at: Timestamp::UNIX_EPOCH,
                    },
                );
            }
            Step::UpdateMergeRequest { title, description, .. } => {
                self.newest().description = Untrusted::new(description.as_str());
                if let Some(title) = title {
                    self.newest().title = Untrusted::new(title.as_str());
                }
            }
            Step::CommentOnMergeRequest { .. } | Step::CreateNote { .. } => {}
            Step::UpdateIssue { description, .. } => {
                self.seen.issues[0].description = Untrusted::new(description.as_str());
            }
            Step::CloseMergeRequest { .. } => {
                self.newest().state = MergeRequestState::Closed;
                self.newest().closed_by = Some(BOT);
            }
            Step::CreateIssue { description, .. } => self.seen.issues.push(OwnIssueSeen {
                iid: IssueIid(3),
                open: true,
                closed_by: None,
                description: Untrusted::new(description.as_str()),
                web_url: url("cops/rust-at-work/-/issues/3"),
            }),
            Step::SetIssueState { close: true, .. } => self.seen.issues.clear(),
            other => panic!("nothing of this is due here: {other}"),
        }
    }

    fn page(&self) -> &FileVersion {
        self.seen.listings[0].page.file.as_ref().unwrap()
    }

    fn newest(&mut self) -> &mut MergeRequestSeen {
        &mut self.seen.listings[0].place.merge_requests[0]
    }

    fn on_branch(&self) -> String {
        String::from_utf8(
            self.seen.listings[0]
                .place
                .branch
                .as_ref()
                .unwrap()
                .page
                .as_ref()
                .unwrap()
                .bytes
                .clone(),
        )
        .unwrap()
    }

    /// Somebody else changes the page on the target branch.
    fn page_becomes(&mut self, text: &str) {
        let file = self.seen.listings[0].page.file.as_mut().unwrap();
        file.bytes = text.into();
        file.last_commit = Some(CommitSha("c".repeat(40)));
    }

    fn merge(&mut self) {
        self.newest().state = MergeRequestState::Merged;
        let merged = self.on_branch();
        self.page_becomes(&merged);
        self.seen.listings[0].place.branch = None;
    }

    fn charter(&mut self, facilitators: &str, status: &str) {
        self.seen.charter = Some(charter(facilitators, status));
    }
}

fn url(path: &str) -> Url {
    Url::parse(&format!("https://gitlab.example.com/{path}")).unwrap()
}

fn charter(facilitators: &str, status: &str) -> FileVersion {
    let text = format!(
        "name: Rust at Work\nsummary: Share.\nstatus: {status}\nfacilitators: [{facilitators}]\nproposal: cops/intake#12\n"
    );
    FileVersion {
        bytes: text.into(),
        last_commit: None,
    }
}

fn seen() -> CommunitySeen {
    let person = |id, name: &str| {
        (
            Username::new(name).unwrap(),
            PersonState::Active {
                id: UserId(id),
                name: Untrusted::new(name),
            },
        )
    };
    CommunitySeen {
        bot: UserSeen {
            id: BOT,
            username: Username::new("convenor-bot").unwrap(),
        },
        project: ProjectSeen {
            id: ProjectId(77),
            name: Untrusted::new("Rust at Work"),
            path: "rust-at-work".to_owned(),
            full_path: "cops/rust-at-work".to_owned(),
            description: Untrusted::default(),
            web_url: url("cops/rust-at-work"),
            archived: false,
            marked_for_deletion: false,
            creator: Some(BOT),
            created_at: None,
            empty: Some(false),
            default_branch: Some("main".to_owned()),
            visibility: Visibility::Public,
            topics: Vec::new(),
        },
        charter: Some(charter("darwinjs, brianwald", "active")),
        marks: Marks::default(),
        people: [person(21, "darwinjs"), person(22, "brianwald")].into(),
        issues: Vec::new(),
        proposal: None,
        listings: vec![ListingSeen {
            page: PageSeen {
                project: ProjectId(30),
                branch: "main".to_owned(),
                visibility: Visibility::Public,
                file: Some(FileVersion {
                    bytes: PAGE.into(),
                    last_commit: Some(CommitSha("a".repeat(40))),
                }),
            },
            place: PlaceSeen {
                name: "convenor/rust-at-work".to_owned(),
                ..PlaceSeen::default()
            },
            reviewers: Vec::new(),
            assignees: Vec::new(),
            traffic: Some(Traffic::default()),
        }],
        removals: Removals::default(),
        others: Vec::new(),
    }
}
