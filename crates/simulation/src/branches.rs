//! A branch that somebody pushed to is theirs.
//!
//! GitLab takes no condition with a commit that makes a branch anew, so what is pushed while that call is under way is lost, whatever
//! the program does. What it could have seen just before it sent the call has to be kept.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;

use crate::rules::Write;
use crate::sim::{Sim, Who};
use crate::town::HANDBOOK;

/// A branch is looked at so shortly before it is made anew. In between the intent may be renewed, which takes as long as the database does.
const LATELY: Duration = Duration::from_millis(100);

/// Who pushed to branches, and who looked at them.
#[derive(Default)]
pub(crate) struct Branches {
    /// When a person last did, by the branch.
    pushed: BTreeMap<String, Instant>,
    /// When each replica last saw a branch as it was.
    seen: BTreeMap<(usize, String), Instant>,
    /// When it was last told of it, perhaps what had been.
    told: BTreeMap<(usize, String), Instant>,
}

/// A person pushed to a branch.
pub(crate) fn was_pushed(sim: &Sim, branch: &str) {
    let now = Instant::now();
    sim.locked().memories.branches.pushed.insert(branch.to_owned(), now);
}

/// A read was answered truly.
pub(crate) fn was_seen(sim: &Sim, who: Who, path: &str) {
    if let Some(branch) = branch_of(path) {
        let now = Instant::now();
        let branches = &mut sim.locked().memories.branches;
        branches.seen.insert((who.replica, branch), now);
    }
}

/// A read was answered.
pub(crate) fn was_told(sim: &Sim, who: Who, path: &str) {
    if let Some(branch) = branch_of(path) {
        let now = Instant::now();
        let branches = &mut sim.locked().memories.branches;
        branches.told.insert((who.replica, branch), now);
    }
}

/// A replica is about to send this.
pub(crate) fn is_sent(sim: &Sim, who: Who, request: &Request<Bytes>) {
    if !request.uri().path().ends_with("/repository/commits") {
        return;
    }
    let write = Write::of(request);
    let branch = write.field("branch").to_owned();
    let is_the_page = write.project() == Some(sim.locked().memories.handbook);
    if !is_the_page || !sim.world.branches(HANDBOOK).contains(&branch) {
        return;
    }
    let commits = sim.world.commits(HANDBOOK, &branch).unwrap_or_default();
    let is_a_persons = |author: &str| !author.eq_ignore_ascii_case("convenor bot");
    if !commits.first().is_some_and(|head| is_a_persons(&head.author_name)) {
        return;
    }
    if !write.is_forced() {
        // Where a branch is to start, GitLab refuses when there is one.
        if write.field("start_branch").is_empty() {
            sim.violated(format!("a commit was put on top of a person's on {branch}"));
        }
        return;
    }
    let (pushed, seen, told) = {
        let branches = &sim.locked().memories.branches;
        let ours = (who.replica, branch.clone());
        (
            branches.pushed.get(&branch).copied(),
            branches.seen.get(&ours).copied(),
            branches.told.get(&ours).copied(),
        )
    };
    let could_be_seen = pushed.is_none_or(|pushed| seen.is_none_or(|seen| pushed <= seen));
    let lately = LATELY + Duration::from_millis(sim.locked().faults.commit_time());
    let looked_lately = told.is_some_and(|told| told.elapsed() <= lately || sim.stood_still(who, told));
    if could_be_seen || !looked_lately {
        sim.violated(format!("a person's commit on {branch} was pushed over"));
    }
}

/// The branch that a read is about.
fn branch_of(path: &str) -> Option<String> {
    let (_, name) = path.split_once("/repository/branches/")?;
    Some(name.replace("%2F", "/"))
}
