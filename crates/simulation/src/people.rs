//! People who do something else in between.

use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use crate::branches;
use crate::rules;
use crate::sim::Sim;
use crate::stories::{self, CHARTER, NAME, PURPOSE, did, form};
use crate::town::{BOT, COMMUNITY, HANDBOOK, INTAKE, PAGE_PATH};

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The author changes the purpose, which nobody has approved.
    EditProposal,
    /// The author changes it back.
    RestoreProposal,
    /// The maintainer approves whatever stands there.
    Approve,
    /// The maintainer declines.
    Decline,
    /// The author closes the issue.
    CloseIssue,
    /// The author makes the issue confidential, with a secret in its text.
    Confide,
    /// An outsider pastes a copy of our comment, marker and all.
    ForgeComment,
    /// A maintainer deletes our comment.
    DeleteComment,
    /// Somebody adds a label of the wrong state.
    WrongLabel,
    /// A maintainer edits prose above the table.
    EditPage,
    /// A maintainer edits another row.
    EditRow,
    /// A maintainer pushes a commit to our branch.
    PushToBranch,
    /// A maintainer closes our merge request.
    CloseMergeRequest,
    /// A maintainer deletes our branch.
    DeleteBranch,
    /// The owner archives the project.
    Archive,
    /// The owner deletes the project.
    Delete,
    /// A facilitator edits a comment in the charter.
    TouchCharter,
    /// A facilitator breaks the charter.
    BreakCharter,
    /// The owner deletes the board.
    DeleteBoard,
    /// The owner removes a member.
    RemoveMember,
    /// Somebody makes a project of the same path first.
    TakePath,
    /// From now on another program sets another label whenever we set ours.
    Fight,
}

impl Act {
    pub(crate) const ALL: [Self; 22] = [
        Self::EditProposal,
        Self::RestoreProposal,
        Self::Approve,
        Self::Decline,
        Self::CloseIssue,
        Self::Confide,
        Self::ForgeComment,
        Self::DeleteComment,
        Self::WrongLabel,
        Self::EditPage,
        Self::EditRow,
        Self::PushToBranch,
        Self::CloseMergeRequest,
        Self::DeleteBranch,
        Self::Archive,
        Self::Delete,
        Self::TouchCharter,
        Self::BreakCharter,
        Self::DeleteBoard,
        Self::RemoveMember,
        Self::TakePath,
        Self::Fight,
    ];

    /// Does it, if GitLab lets them.
    pub(crate) fn happen(self, sim: &Arc<Sim>) {
        let done = self.attempt(sim);
        if done.is_some() {
            sim.locked().memories.happened.push(self);
            did(sim, &format!("meanwhile: {self:?}"));
        }
    }

    fn attempt(self, sim: &Arc<Sim>) -> Option<()> {
        let world = &sim.world;
        let iid = world.issues(INTAKE).ok()?.first()?.iid;
        let proposer = sim.person("proposer").ok()?;
        let maintainer = sim.person("maintainer").ok()?;
        let owner = sim.person("owner").ok()?;
        match self {
            Self::EditProposal => proposer
                .describe_issue(
                    INTAKE,
                    iid,
                    &form(
                        NAME,
                        "UNAPPROVED words that nobody has read, long enough for a purpose.",
                    ),
                )
                .ok(),
            Self::RestoreProposal => proposer.describe_issue(INTAKE, iid, &form(NAME, PURPOSE)).ok(),
            Self::Approve => {
                stories::approve(sim, iid);
                Some(())
            }
            Self::Decline => maintainer
                .comment(INTAKE, iid, "@convenor-bot decline Not now.")
                .ok()
                .map(drop),
            Self::CloseIssue => proposer.close_issue(INTAKE, iid).ok(),
            Self::Confide => {
                let text = form(
                    NAME,
                    "CANARY: a secret purpose that only members may read, long enough to be one.",
                );
                proposer
                    .edit_issue(INTAKE, iid, json!({ "confidential": true, "description": text }))
                    .ok()?;
                sim.locked().memories.confidential_since.get_or_insert(sim.now());
                Some(())
            }
            Self::ForgeComment => {
                let notes = world.notes(INTAKE, iid).ok()?;
                let ours = notes.iter().find(|note| note.author.username == BOT)?;
                let outsider = sim.person("outsider").ok()?;
                let note = outsider.comment(INTAKE, iid, &ours.body).ok()??;
                sim.locked().memories.forged.push((iid, note, ours.body.clone()));
                Some(())
            }
            Self::DeleteComment => {
                let notes = world.notes(INTAKE, iid).ok()?;
                let ours = notes.iter().find(|note| note.author.username == BOT)?;
                owner.delete_comment(INTAKE, iid, ours.id).ok()
            }
            Self::WrongLabel => maintainer.add_labels(INTAKE, iid, &["cop::declined"]).ok(),
            Self::EditPage => edit_page(sim, "## Current communities", "Welcome!\n\n## Current communities"),
            Self::EditRow => edit_page(sim, "| Kubernetes | TBD |", "| Kubernetes | @kim |"),
            Self::PushToBranch => {
                let branch = our_branch(sim)?;
                let page = world.text(HANDBOOK, &branch, PAGE_PATH)?;
                let page = page.replace("Nothing yet", "Somebody was here. Nothing yet");
                maintainer.push_file(HANDBOOK, &branch, PAGE_PATH, page).ok()?;
                branches::was_pushed(sim, &branch);
                Some(())
            }
            Self::CloseMergeRequest => {
                let requests = world.merge_requests(HANDBOOK).ok()?;
                let open = requests.iter().find(|request| request.state == "opened")?;
                maintainer.close_merge_request(HANDBOOK, open.iid).ok()?;
                let closed = rules::Closed {
                    at: sim.now(),
                    branch: open.source_branch.clone(),
                    said: rules::line(open.description.as_deref().unwrap_or_default()).to_owned(),
                    facts: rules::facts(sim),
                };
                sim.locked().memories.closed = Some(closed);
                Some(())
            }
            Self::DeleteBranch => maintainer.delete_branch(HANDBOOK, &our_branch(sim)?).ok(),
            Self::Archive => owner.archive_project(COMMUNITY).ok(),
            Self::Delete => owner.delete_project(COMMUNITY).ok(),
            Self::TouchCharter => charter(sim, |text| format!("# Edited by a person.\n{text}")),
            Self::BreakCharter => charter(sim, |text| text.replace("status: active", "status: [oh no")),
            Self::DeleteBoard => {
                let board = world.boards(COMMUNITY).ok()?.first()?.id;
                let project = world.project(COMMUNITY).ok()?.id;
                owner
                    .api(
                        "DELETE",
                        &format!("/projects/{project}/boards/{board}"),
                        serde_json::Value::Null,
                    )
                    .ok()?;
                if is_made(sim, iid) {
                    sim.locked().memories.board_gone = Some(Instant::now());
                }
                Some(())
            }
            Self::RemoveMember => {
                owner.remove_member(COMMUNITY, "bob").ok()?;
                if is_made(sim, iid) {
                    sim.locked().memories.member_gone = Some(Instant::now());
                }
                Some(())
            }
            Self::TakePath => {
                let id = owner.create_project(COMMUNITY).ok()?;
                sim.locked().memories.foreign.insert(id);
                Some(())
            }
            Self::Fight => {
                sim.locked().memories.fights_left = 60;
                strike_back(sim, iid)
            }
        }
    }
}

/// The other program sets its label.
pub(crate) fn strike_back(sim: &Arc<Sim>, iid: u64) -> Option<()> {
    let other = sim.person("maintainer").ok()?;
    other.set_labels(INTAKE, iid, &["cop::proposed"]).ok()?;
    did(sim, "the other program sets its label");
    Some(())
}

/// Whether our comment remembers that everything in the project was made.
fn is_made(sim: &Sim, iid: u64) -> bool {
    let notes = sim.world.notes(INTAKE, iid).unwrap_or_default();
    let ours = notes.into_iter().filter(|note| note.author.username == BOT);
    ours.into_iter().any(|note| note.body.contains("\"made\":true"))
}

fn edit_page(sim: &Sim, from: &str, to: &str) -> Option<()> {
    let page = sim.world.text(HANDBOOK, "main", PAGE_PATH)?;
    let page = page.contains(from).then(|| page.replacen(from, to, 1))?;
    let maintainer = sim.person("maintainer").ok()?;
    maintainer.push_file(HANDBOOK, "main", PAGE_PATH, page).ok().map(drop)
}

fn our_branch(sim: &Sim) -> Option<String> {
    let branches = sim.world.branches(HANDBOOK).into_iter();
    branches.into_iter().find(|branch| branch.starts_with("convenor/"))
}

fn charter(sim: &Sim, edit: impl FnOnce(&str) -> String) -> Option<()> {
    let text = sim.world.text(COMMUNITY, "main", CHARTER)?;
    let facilitator = sim.person("darwinjs").ok()?;
    facilitator
        .push_file(COMMUNITY, "main", CHARTER, edit(&text))
        .ok()
        .map(drop)
}

/// What people do in between, and at which call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Interference(Vec<(u64, Act)>);

impl Interference {
    /// Up to three acts within the first `calls` calls; as a rule none.
    pub(crate) fn draw(rng: &mut fastrand::Rng, calls: u64) -> Self {
        let many = [0, 0, 0, 1, 1, 2, 3][rng.usize(0..7)];
        Self(
            (0..many)
                .map(|_| (rng.u64(0..calls), Act::ALL[rng.usize(0..Act::ALL.len())]))
                .collect(),
        )
    }

    /// One act.
    pub(crate) fn one(call: u64, act: usize) -> Self {
        Self(vec![(call, Act::ALL[act % Act::ALL.len()])])
    }

    /// Two acts, one a while after the other.
    pub(crate) fn pair(call: u64, (first, second): (Act, Act)) -> Self {
        Self(vec![(call, first), (call + 12, second)])
    }

    /// How many kinds of acts there are.
    pub(crate) const KINDS: usize = Act::ALL.len();

    /// Acts that mean more together.
    pub(crate) const PAIRS: [(Act, Act); 4] = [
        (Act::PushToBranch, Act::EditRow),
        (Act::CloseMergeRequest, Act::EditRow),
        (Act::EditProposal, Act::Approve),
        (Act::DeleteBoard, Act::TouchCharter),
    ];

    /// These acts.
    pub(crate) fn these(acts: Vec<(u64, Act)>) -> Self {
        Self(acts)
    }

    /// These and those.
    pub(crate) fn with(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// What happens, and at which call.
    pub(crate) fn all(&self) -> &[(u64, Act)] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What happens at this call, and is over then.
    pub(crate) fn take(&mut self, call: u64) -> Vec<Act> {
        let (now, later) = std::mem::take(&mut self.0).into_iter().partition(|(at, _)| *at <= call);
        self.0 = later;
        let now: Vec<(u64, Act)> = now;
        now.into_iter().map(|(_, act)| act).collect()
    }
}
