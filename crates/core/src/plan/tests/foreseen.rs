//! What is foreseen is what would be observed.

use super::*;
use crate::plan::foreseen::{Answer, MadeProject, of_proposal};

/// What GitLab answers to a step that the world is about to do.
fn answer(world: &World, step: &Step) -> Answer {
    let inside = world.seen.inside.as_ref();
    match step {
        Step::CreateNote { .. } => Answer::Number(1000 + world.seen.notes.len() as u64),
        Step::CreateProject { slug, visibility, .. } => Answer::Project(Box::new(MadeProject {
            id: ProjectId(77),
            full_path: format!("cops/{}", slug.as_str()),
            path: slug.as_str().to_owned(),
            web_url: url(&format!("cops/{}", slug.as_str())),
            visibility: Some(*visibility),
            default_branch: Some("main".to_owned()),
            at: time(0),
        })),
        Step::CreateLabel { .. } => Answer::Number(1 + inside.unwrap().labels.len() as u64),
        Step::CreateBoard { .. } => Answer::Number(5),
        Step::CreateBoardList { .. } => Answer::Number(inside.unwrap().boards[0].lists.len() as u64),
        Step::CreateIssue { .. } => Answer::Issue {
            iid: IssueIid(1 + inside.unwrap().issues.len() as u64),
            web_url: url("cops/rust-at-work/-/issues/1"),
        },
        _ => Answer::Nothing,
    }
}

#[test]
fn a_plan_of_what_is_foreseen_is_the_plan_of_what_would_be_seen() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    let mut kinds = BTreeSet::new();
    loop {
        let plan = world.plan();
        let Some(step) = plan.steps.first().cloned() else { break };
        kinds.insert(step.kind());
        let given = answer(&world, &step);
        let foreseen = of_proposal(world.seen.clone(), &step, &given, time(world.seconds)).unwrap();
        world.apply(step);
        let mut foreseen = World {
            seen: foreseen,
            ..World::new(ApprovalPolicy::Always)
        };
        foreseen.seconds = world.seconds;
        if let Some(inside) = &mut foreseen.seen.inside {
            inside.members.get_or_insert_default();
        }
        world.seen.is_foreseen = true;
        assert_eq!(foreseen.plan().steps, world.plan().steps);
        assert_eq!(foreseen.plan().knocks, world.plan().knocks);
    }
    assert!(kinds.len() >= 9, "{kinds:?}");
}

#[test]
fn the_comment_waits_until_the_project_has_everything_only_while_all_goes_well() {
    let mut world = World::new(ApprovalPolicy::Never);
    while !matches!(world.seen.project, ProjectStanding::Ours(_)) {
        let step = world.plan().steps.remove(0);
        world.apply(step);
    }
    let talks = |world: &World| world.plan().steps.iter().any(Step::is_talk);
    assert!(talks(&world), "what was read is told");
    world.seen.is_foreseen = true;
    assert!(!talks(&world));
    let (done, _) = world.settle();
    assert_eq!(done.last(), Some(&"update_note"), "{done:?}");
}

#[test]
fn what_gitlab_made_otherwise_than_asked_has_to_be_looked_at() {
    let mut world = World::new(ApprovalPolicy::Never);
    while !matches!(world.plan().steps[0], Step::CreateProject { .. }) {
        let step = world.plan().steps.remove(0);
        world.apply(step);
    }
    let step = world.plan().steps.remove(0);
    let Answer::Project(made) = answer(&world, &step) else {
        unreachable!("a project is made");
    };
    let foreseen = |answer: Answer| of_proposal(world.seen.clone(), &step, &answer, time(0));
    assert!(foreseen(Answer::Project(made.clone())).is_some());
    for other in [
        MadeProject {
            visibility: Some(Visibility::Private),
            ..(*made).clone()
        },
        MadeProject {
            visibility: None,
            ..(*made).clone()
        },
        MadeProject {
            path: "rust-at-work1".to_owned(),
            ..(*made).clone()
        },
    ] {
        assert!(foreseen(Answer::Project(Box::new(other))).is_none());
    }
    assert!(foreseen(Answer::Name("77".to_owned())).is_none());
}

#[test]
fn a_project_whose_members_nobody_asked_for_is_not_made_yet() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.settle();
    let status_made = |world: &World| world.comment().contains("\"made\":true");
    assert!(status_made(&world));
    let mut world = World::new(ApprovalPolicy::Never);
    while world.seen.inside.as_ref().is_none_or(|inside| inside.boards.is_empty()) {
        let step = world.plan().steps.remove(0);
        world.apply(step);
    }
    world.seen.inside.as_mut().unwrap().members = None;
    world.settle();
    assert!(!status_made(&world), "{}", world.comment());
    assert!(world.plan().knocks.is_empty());
}
