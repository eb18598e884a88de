//! Rules of the row's branch and merge request, on a small handbook that does what the steps say.

use url::Url;

use super::community::plan;
use super::row::concern;
use super::seen::{
    BranchSeen, CommunitySeen, MergeRequestSeen, MergeRequestState, OwnIssueSeen, PageSeen, ProjectSeen, Removals,
    UserSeen,
};
use super::step::FileChange;
use super::{FileVersion, Remark, Step};
use crate::ids::{CommitSha, IssueIid, MergeRequestIid, ProjectId, UserId, Username};
use crate::program::{Handbook, Program, RowOrder, Visibility};
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
        let handbook = Handbook {
            project: "handbook/pages".to_owned(),
            branch: None,
            page: "cop.md".to_owned(),
            heading: "Current".to_owned(),
            order: RowOrder::Auto,
            columns: Vec::new(),
            reviewers: Vec::new(),
            labels: vec!["communities-of-practice".to_owned()],
            list_private: false,
        };
        let program = Program::new(ProgramName::new("cop").unwrap(), "cops", "cops/intake");
        Self {
            program: Program {
                handbook: Some(handbook),
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
                message, files, force, ..
            } => {
                assert_eq!(
                    force,
                    self.seen.branch.is_some(),
                    "force only replaces a branch of ours"
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
                self.seen.branch = Some(BranchSeen {
                    head: CommitSha("b".repeat(40)),
                    message: Untrusted::new(message.as_str()),
                    page: Some(FileVersion {
                        bytes: content.clone(),
                        last_commit: None,
                    }),
                    base_page: Some(self.page().bytes.clone()),
                });
            }
            Step::CreateMergeRequest { title, description, .. } => {
                let iid = MergeRequestIid(1 + self.seen.merge_requests.len() as u64);
                self.seen.merge_requests.insert(
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
                    },
                );
            }
            Step::UpdateMergeRequest { description, .. } => {
                self.newest().description = Untrusted::new(description.as_str());
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
        self.seen.page.as_ref().unwrap().file.as_ref().unwrap()
    }

    fn newest(&mut self) -> &mut MergeRequestSeen {
        &mut self.seen.merge_requests[0]
    }

    fn on_branch(&self) -> String {
        String::from_utf8(self.seen.branch.as_ref().unwrap().page.as_ref().unwrap().bytes.clone()).unwrap()
    }

    /// Somebody else changes the page on the target branch.
    fn page_becomes(&mut self, text: &str) {
        let file = self.seen.page.as_mut().unwrap().file.as_mut().unwrap();
        file.bytes = text.into();
        file.last_commit = Some(CommitSha("c".repeat(40)));
    }

    fn merge(&mut self) {
        self.newest().state = MergeRequestState::Merged;
        let merged = self.on_branch();
        self.page_becomes(&merged);
        self.seen.branch = None;
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
        people: [person(21, "darwinjs"), person(22, "brianwald")].into(),
        issues: Vec::new(),
        page: Some(PageSeen {
            project: ProjectId(30),
            branch: "main".to_owned(),
            visibility: Visibility::Public,
            file: Some(FileVersion {
                bytes: PAGE.into(),
                last_commit: Some(CommitSha("a".repeat(40))),
            }),
        }),
        branch_name: "convenor/rust-at-work".to_owned(),
        branch: None,
        merge_requests: Vec::new(),
        reviewers: Vec::new(),
        removals: Removals::default(),
        others: Vec::new(),
    }
}

#[test]
fn a_new_community_gets_one_branch_and_one_merge_request() {
    let mut world = World::new();
    let (done, report) = world.settle();
    assert_eq!(done, ["commit", "create_merge_request"]);
    assert_eq!(report, [Remark::WaitsForMerge]);
    let branch = world.on_branch();
    let added: Vec<&str> = branch
        .split_inclusive('\n')
        .filter(|line| !PAGE.contains(*line))
        .collect();
    assert_eq!(added.len(), 1, "{added:?}");
    assert!(
        added[0].ends_with("\r\n") && branch.find(added[0]) < branch.find("| Zen"),
        "{branch}"
    );
    let about = concern(&world.seen.merge_requests[0], BOT).unwrap();
    assert_eq!((about.community, about.proposal), (ProjectId(77), Some(IssueIid(12))));
}

#[test]
fn a_branch_whose_merge_request_was_not_opened_is_used() {
    let mut world = World::new();
    world.settle();
    world.seen.merge_requests.clear();
    assert_eq!(world.settle().0, ["create_merge_request"]);
}

#[test]
fn after_the_merge_nothing_is_due() {
    let mut world = World::new();
    world.settle();
    world.merge();
    assert_eq!(world.settle(), (vec![], vec![Remark::UpToDate]));
}

#[test]
fn the_branch_is_rebuilt_when_another_row_came_next_to_ours() {
    let mut world = World::new();
    world.settle();
    world.page_becomes(&PAGE.replace("| Zen |", "| Python | @pia |\r\n| Zen |"));
    assert_eq!(world.settle().0, ["commit"]);
    assert!(world.on_branch().contains("| Python |"));
    assert!(world.on_branch().contains("Rust at Work"));
}

#[test]
fn the_branch_stays_while_it_merges_cleanly() {
    let mut world = World::new();
    world.settle();
    world.page_becomes(&format!("# A new title\r\n\r\n{PAGE}"));
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn a_conflict_that_gitlab_reports_is_believed() {
    let mut world = World::new();
    world.settle();
    world.page_becomes(&format!("# A new title\r\n\r\n{PAGE}"));
    world.newest().conflicts = Some(true);
    let step = plan(&world.program, &world.seen).steps.remove(0);
    assert_eq!(step.kind(), "commit");
}

#[test]
fn a_branch_that_a_person_pushed_to_is_theirs() {
    let mut world = World::new();
    world.settle();
    let branch = world.seen.branch.as_mut().unwrap();
    branch.message = Untrusted::new("Apply 1 suggestion");
    branch.page.as_mut().unwrap().bytes.extend(b"more\r\n");
    let (done, report) = world.settle();
    assert_eq!(done, ["update_merge_request"], "it says so in its merge request");
    assert_eq!(report, [Remark::BranchIsAPersons]);
    assert!(world.newest().description.expose().contains("it is theirs now"));
    world.page_becomes(&PAGE.replace("| Zen |", "| Python | @pia |\r\n| Zen |"));
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn an_amended_commit_of_ours_is_a_persons() {
    let mut world = World::new();
    world.settle();
    world
        .seen
        .branch
        .as_mut()
        .unwrap()
        .page
        .as_mut()
        .unwrap()
        .bytes
        .extend(b"more\r\n");
    assert_eq!(world.settle().1, [Remark::BranchIsAPersons]);
}

#[test]
fn a_branch_of_that_name_that_is_not_ours_is_left_alone() {
    let mut world = World::new();
    world.settle();
    world.seen.merge_requests.clear();
    let branch = world.seen.branch.as_mut().unwrap();
    branch.message = Untrusted::new("my own work");
    branch.page = None;
    assert_eq!(world.settle(), (vec![], vec![Remark::BranchIsAPersons]));
}

#[test]
fn a_merge_request_that_a_person_opened_from_our_branch_is_enough() {
    let mut world = World::new();
    world.settle();
    world.newest().author = SOMEBODY;
    world.newest().description = Untrusted::new("By hand");
    assert_eq!(world.settle(), (vec![], vec![Remark::WaitsForMerge]));
    world.page_becomes(&PAGE.replace("| Zen |", "| Python | @pia |\r\n| Zen |"));
    assert_eq!(world.settle().0, ["commit"], "our branch follows, their words stay");
    let merged_by_hand = world.on_branch();
    world.page_becomes(&merged_by_hand);
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn closed_by_a_person_stays_closed_until_the_facts_change() {
    let mut world = World::new();
    world.settle();
    world.newest().state = MergeRequestState::Closed;
    world.newest().closed_by = Some(SOMEBODY);
    assert_eq!(world.settle(), (vec![], vec![Remark::MergeRequestClosedByPerson]));
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
}

#[test]
fn a_merged_line_that_a_person_took_out_again_is_not_proposed_again() {
    let mut world = World::new();
    world.settle();
    world.merge();
    world.page_becomes(PAGE);
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn changed_facts_update_the_open_merge_request_in_place() {
    let mut world = World::new();
    world.settle();
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "update_merge_request"]);
    assert!(!world.on_branch().contains("brianwald"));
}

#[test]
fn a_merge_request_that_is_not_needed_any_more_is_closed() {
    let mut world = World::new();
    world.settle();
    let merged_by_hand = world.on_branch();
    world.page_becomes(&merged_by_hand);
    assert_eq!(world.settle().0, ["close_merge_request"]);
}

#[test]
fn an_inactive_community_is_marked_and_a_retired_one_is_taken_out() {
    let mut world = World::new();
    world.settle();
    world.merge();
    world.charter("darwinjs, brianwald", "inactive");
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
    assert!(world.on_branch().contains("(inactive)"), "{}", world.on_branch());
    world.merge();
    world.charter("darwinjs, brianwald", "retired");
    assert_eq!(world.settle().0, ["commit", "propose_removal"]);
    assert_eq!(world.on_branch(), PAGE);
}

#[test]
fn more_than_three_removals_a_day_wait_for_an_operator() {
    let mut world = World::new();
    world.settle();
    world.merge();
    world.charter("darwinjs, brianwald", "retired");
    world.seen.removals.lately = 3;
    assert_eq!(world.settle(), (vec![], vec![Remark::RemovalsCapped]));
    world.seen.removals.allowed = true;
    assert_eq!(world.settle().0, ["commit", "propose_removal"]);
    world.seen.removals.allowed = false;
    assert_eq!(
        world.settle().1,
        [Remark::WaitsForMerge],
        "what is proposed already is kept true"
    );
}

#[test]
fn a_private_community_is_not_named_on_a_public_page() {
    let mut world = World::new();
    world.seen.project.visibility = Visibility::Private;
    assert_eq!(world.settle(), (vec![], vec![Remark::PrivateNotListed]));
    world.program.handbook.as_mut().unwrap().list_private = true;
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
}

#[test]
fn a_page_without_the_heading_is_left_alone() {
    let mut world = World::new();
    world.page_becomes("## Past\n\n| Subject | Facilitator |\n|---|---|\n");
    let (done, report) = world.settle();
    assert_eq!(done, Vec::<&str>::new());
    assert!(
        matches!(&report[..], [Remark::PageUnusable(why)] if why.contains("Current")),
        "{report:?}"
    );
}

#[test]
fn a_project_without_a_charter_is_no_community() {
    let mut world = World::new();
    world.seen.charter = None;
    assert_eq!(world.settle(), (vec![], vec![Remark::NoCharter]));
}

#[test]
fn a_broken_charter_opens_one_issue_that_is_closed_once_it_is_mended() {
    let mut world = World::new();
    let good = world.seen.charter.clone();
    world.seen.charter = Some(FileVersion {
        bytes: b"name: [\n".to_vec(),
        last_commit: None,
    });
    assert_eq!(world.settle(), (vec!["create_issue"], vec![Remark::BrokenCharter]));
    world.seen.charter = good;
    assert_eq!(world.settle().0, ["commit", "create_merge_request", "set_issue_state"]);
}
