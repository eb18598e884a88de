//! What is handed over is what would be observed, or it is not handed over.

use super::*;
use crate::charter;
use crate::ids::CommitSha;
use crate::plan::foreseen::{Answer, of_community, of_proposal};
use crate::plan::handover::{self, Opened};
use crate::plan::seen::{CommunitySeen, Removals};
use crate::plan::{Turn, community};
use crate::program::PageKind;

const BRANCH: &str = "convenor/rust-at-work";

/// A proposal whose look has just written the charter.
fn chartered() -> World {
    let mut world = World::new(ApprovalPolicy::Never);
    loop {
        let step = world.plan().steps.remove(0);
        let is_commit = matches!(step, Step::Commit { .. });
        if is_commit {
            let answer = Answer::Commit(CommitSha("c".repeat(40)));
            let at = time(world.seconds);
            world.seen = of_proposal(world.seen, &step, &answer, at).unwrap();
            return world;
        }
        world.apply(step);
    }
}

fn handed(world: &World) -> Option<CommunitySeen> {
    handover::community(&world.program, &world.seen, Removals::default(), &[BRANCH.to_owned()])
}

#[test]
fn the_community_begins_with_the_charter_as_it_was_written_and_the_page_as_it_was_read() {
    let world = chartered();
    let community = handed(&world).unwrap();
    let file = community.charter.as_ref().unwrap();
    assert_eq!(file.last_commit, Some(CommitSha("c".repeat(40))));
    assert_eq!(charter::read(&file.bytes).unwrap().facilitators.len(), 2);
    assert_eq!(community.people.len(), 2, "those in the charter, and nobody else");
    assert_eq!(community.listings[0].page.file, world.seen.pages[0].0.file);
    assert!(
        community
            .others
            .iter()
            .all(|(_, url)| *url != community.project.web_url)
    );
    let plan = community::plan(&world.program, &community);
    assert_eq!(plan.turns.values().collect::<Vec<_>>(), [&Turn::Unknown]);
    assert_eq!(plan.knocks, [Thing::Proposal(world.program.name.clone(), IssueIid(12))]);
}

#[test]
fn nothing_is_handed_over_that_was_not_just_written_or_belongs_to_a_page_of_many() {
    let world = chartered();
    assert!(handed(&world).is_some());
    type Change = fn(&mut World);
    let changes: [(&str, Change); 6] = [
        ("a charter that was read", |world| {
            world.seen.inside.as_mut().unwrap().charter = None;
        }),
        ("somebody whose account was not asked for", |world| {
            world.seen.people.clear();
        }),
        ("a charter of another proposal", |world| {
            world.seen.issue.iid = IssueIid(13);
        }),
        ("a directory", |world| {
            world.program.handbooks[0].kind = PageKind::Directory;
        }),
        ("rows that go together", |world| {
            world.program.handbooks[0].manners.batch = true;
        }),
        ("a foreign project", |world| {
            let ProjectStanding::Ours(project) = world.seen.project.clone() else {
                unreachable!("it was made");
            };
            world.seen.project = ProjectStanding::Foreign(project);
        }),
    ];
    for (what, change) in changes {
        let mut world = chartered();
        change(&mut world);
        assert!(handed(&world).is_none(), "{what}");
    }
}

#[test]
fn the_community_is_told_once_its_charter_is_there_and_not_before() {
    let mut world = World::new(ApprovalPolicy::Never);
    while !matches!(world.plan().steps[0], Step::Commit { .. }) {
        assert!(world.plan().knocks.is_empty());
        let step = world.plan().steps.remove(0);
        world.apply(step);
    }
    assert!(world.plan().knocks.is_empty());
    let world = chartered();
    assert_eq!(
        world.plan().knocks,
        [Thing::Community(world.program.name.clone(), ProjectId(77))]
    );
}

#[test]
fn the_proposal_gets_back_what_its_last_words_are_about() {
    let mut world = chartered();
    let mut community = handed(&world).unwrap();
    assert!(Opened::of(&world.program, &community).is_none(), "nothing was opened");
    community.listings[0].traffic = Some(crate::plan::seen::Traffic::default());
    for step in community::plan(&world.program, &community).steps {
        let answer = match &step {
            Step::Commit { .. } => Answer::Commit(CommitSha("d".repeat(40))),
            _ => Answer::MergeRequest {
                iid: MergeRequestIid(7),
                web_url: url("handbook/pages/-/merge_requests/7"),
                at: time(200),
            },
        };
        community = of_community(community, &step, &answer).unwrap();
    }
    let opened = Opened::of(&world.program, &community).unwrap();
    world.settle();
    assert!(!world.comment().contains("merge_requests/7"));
    let before = world.seen.clone();
    world.seen = handover::proposal(world.seen, opened.clone()).unwrap();
    let plan = world.plan();
    assert!(matches!(&plan.steps[..], [Step::UpdateNote { body, .. }] if body.as_str().contains("merge_requests/7")));
    assert!(plan.knocks.is_empty(), "{:?}", plan.knocks);
    assert!(
        handover::proposal(world.seen.clone(), opened.clone()).is_none(),
        "what was read since, perhaps that it is merged, counts more"
    );
    let mut other = before;
    let ProjectStanding::Ours(project) = &mut other.project else {
        unreachable!("it was made");
    };
    project.id = ProjectId(78);
    assert!(handover::proposal(other, opened).is_none());
}
