//! What people do, whatever happens around them: they wait for what they were promised, then take the next step.

use std::sync::Arc;
use std::time::Duration;

use gitlab_sandbox::World;
use tokio::time::{Instant, sleep};

use crate::post;
use crate::sim::Sim;
use crate::town::{COMMUNITY, GROUP, HANDBOOK, INTAKE};

/// The charter's place in a community's project.
pub(crate) const CHARTER: &str = convenor_core::charter::PATH;

/// The name of the proposal.
pub(crate) const NAME: &str = "Rust at Work";

/// A story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// A proposal is opened, approved, made into a project, and its row is merged.
    Found,
    /// The charter names another facilitator, and the row follows.
    Change,
    /// The charter says that the community is retired, and the row goes.
    Retire,
    /// Many charters say so at once: somebody's script went wrong, and not all rows may go.
    Purge,
    /// Many communities come to the page; where `Purge` begins.
    Gather,
}

impl Story {
    /// Those that are told with faults.
    pub const ALL: [Self; 4] = [Self::Found, Self::Change, Self::Retire, Self::Purge];

    /// Those whose end is the same, whatever happens in between.
    pub const CORE: [Self; 3] = [Self::Found, Self::Change, Self::Retire];
}

/// Communities of the stories with many.
pub(crate) const MANY: usize = 8;
/// Rows of [`MANY`] that may be proposed for removal within a day: a quarter, but three at least.
pub(crate) const MOST_REMOVALS: usize = 3;

fn one_of_many(number: usize) -> String {
    format!("{GROUP}/cop-{number}")
}

fn charter_of(number: usize) -> String {
    format!(
        "name: \"Cop {number}\"\nsummary: \"One of many.\"\nstatus: active\nfacilitators: [darwinjs]\njoin: open\n\
         chat: null\nproposal: null\nmerged_into: null\nlinks: []\n"
    )
}

/// The proposal's form with a purpose.
pub(crate) fn form(name: &str, purpose: &str) -> String {
    format!(
        "### Focus topic\n\n{name}\n\n### Purpose and scope\n\n{purpose}\n\n### Facilitators\n\n@darwinjs, @brianwald\n\n\
         ### Members\n\n@alice @bob\n\n### Cadence\n\nMonthly, first Tuesday, 16:00 UTC, 50 minutes\n"
    )
}

/// The purpose that is approved.
pub(crate) const PURPOSE: &str =
    "Share what we learn while we use Rust in production. Everybody who writes Rust, or would like to, is welcome.";

/// How long people wait for anything.
#[derive(Clone, Copy)]
pub(crate) struct Patience(pub(crate) Duration);

/// Tells the story; `Err` says for what somebody waited in vain.
pub(crate) async fn tell(sim: &Arc<Sim>, story: Story, patience: Patience) -> Result<(), String> {
    match story {
        Story::Found => found(sim, patience).await,
        Story::Change => {
            edit_charter(
                sim,
                "facilitators: [darwinjs, brianwald]",
                "facilitators: [darwinjs, alice]",
            )?;
            merged(sim, patience, |page| page.contains("alice")).await
        }
        Story::Retire => {
            edit_charter(sim, "status: active", "status: retired")?;
            merged(sim, patience, |page| !page.contains("rust-at-work")).await
        }
        Story::Gather => gather(sim, patience).await,
        Story::Purge => purge(sim, patience).await,
    }
}

async fn gather(sim: &Arc<Sim>, patience: Patience) -> Result<(), String> {
    for number in 1..=MANY {
        let path = one_of_many(number);
        let made = sim
            .world
            .add_project_with(&path, "public", &[(CHARTER, &charter_of(number))]);
        made.map_err(|refused| format!("{path} could not be made: {refused:?}"))?;
    }
    did(sim, "owner makes many communities");
    merged(sim, patience, |page| {
        (1..=MANY).all(|number| page.contains(&format!("cop-{number})")))
    })
    .await
}

async fn purge(sim: &Arc<Sim>, patience: Patience) -> Result<(), String> {
    for number in 1..=MANY {
        let path = one_of_many(number);
        let text = charter_of(number).replace("status: active", "status: retired");
        let pushed = sim
            .person("owner")
            .and_then(|owner| owner.push_file(&path, "main", CHARTER, text));
        pushed.map_err(|refused| format!("{path} could not be retired: {refused:?}"))?;
        did(sim, "owner retires one of many");
    }
    until(sim, patience, "as many removals are proposed as may be", |world| {
        // One that a fault cut off counts as proposed for a day, on the safe side: then there are fewer than may be.
        let least = if sim.locked().counts.faults == 0 {
            MOST_REMOVALS
        } else {
            1
        };
        removals(world) >= least
    })
    .await?;
    // Then no more than may be, for as long as anybody looks.
    sleep(Duration::from_secs(3 * 3600)).await;
    Ok(())
}

/// Merge requests that take a row away.
pub(crate) fn removals(world: &World) -> usize {
    let requests = world.merge_requests(HANDBOOK).unwrap_or_default();
    requests
        .iter()
        .filter(|request| request.title.starts_with("docs: remove"))
        .count()
}

async fn found(sim: &Arc<Sim>, patience: Patience) -> Result<(), String> {
    let opened = sim
        .person("proposer")
        .and_then(|proposer| proposer.open_issue(INTAKE, "New community", &form(NAME, PURPOSE), &["cop::proposed"]));
    let iid = opened.map_err(|refused| format!("the proposal could not be opened: {refused:?}"))?;
    did(sim, "proposer opens the proposal");
    until(sim, patience, "the proposal is complete", |world| {
        world
            .issue(INTAKE, iid)
            .is_ok_and(|issue| issue.labels.iter().any(|label| label == "cop::ready"))
    })
    .await?;
    approve(sim, iid);
    merged(sim, patience, |page| page.contains("rust-at-work")).await?;
    until(sim, patience, "the proposal is active and closed", |world| {
        world
            .issue(INTAKE, iid)
            .is_ok_and(|issue| issue.state == "closed" && issue.labels.iter().any(|label| label == "cop::active"))
    })
    .await
}

/// The maintainer approves the text as it is.
pub(crate) fn approve(sim: &Arc<Sim>, iid: u64) {
    let Ok(issue) = sim.world.issue(INTAKE, iid) else {
        return;
    };
    let commented = sim
        .person("maintainer")
        .and_then(|maintainer| maintainer.comment(INTAKE, iid, "@convenor-bot approve"));
    if commented.is_ok() {
        sim.locked()
            .memories
            .approved
            .push(issue.description.unwrap_or_default());
        did(sim, "maintainer approves the proposal");
    }
}

fn edit_charter(sim: &Arc<Sim>, from: &str, to: &str) -> Result<(), String> {
    let text = sim
        .world
        .text(COMMUNITY, "main", CHARTER)
        .ok_or("there is no charter")?;
    if !text.contains(from) {
        return Err(format!("the charter has no {from:?}:\n{text}"));
    }
    let pushed = sim
        .person("darwinjs")
        .and_then(|facilitator| facilitator.push_file(COMMUNITY, "main", CHARTER, text.replace(from, to)));
    pushed.map_err(|refused| format!("the charter could not be edited: {refused:?}"))?;
    did(sim, "darwinjs edits the charter");
    Ok(())
}

/// Waits for the merge request and merges it, until the page is as it should be.
async fn merged(sim: &Arc<Sim>, patience: Patience, is_right: fn(&str) -> bool) -> Result<(), String> {
    until(sim, patience, "the page is as it should be", |world| {
        let page = world.text(HANDBOOK, "main", crate::town::PAGE_PATH);
        if page.is_some_and(|page| is_right(&page)) {
            return true;
        }
        let open = world.merge_requests(HANDBOOK).unwrap_or_default();
        for request in open.iter().filter(|request| request.state == "opened") {
            if sim
                .person("maintainer")
                .and_then(|person| person.merge(HANDBOOK, request.iid))
                .is_ok()
            {
                sim.locked().memories.merged += 1;
                did(sim, "maintainer merges");
            }
        }
        false
    })
    .await
}

/// Somebody did something: GitLab tells about it.
pub(crate) fn did(sim: &Arc<Sim>, what: &str) {
    sim.tell(None, || what.to_owned(), what);
    post::collect(sim);
}

async fn until(
    sim: &Arc<Sim>,
    patience: Patience,
    what: &str,
    mut is_so: impl FnMut(&World) -> bool,
) -> Result<(), String> {
    let began = Instant::now();
    let mut pause = 2;
    while !is_so(&sim.world) {
        if began.elapsed() > patience.0 {
            return Err(format!("waited in vain: {what}"));
        }
        sleep(Duration::from_secs(pause)).await;
        pause = (pause * 2).min(60);
        sim.sync();
    }
    Ok(())
}
