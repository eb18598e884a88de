//! From an approved proposal to a project and its line.

use super::*;

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
    let members = world.seen.inside.as_ref().unwrap().members.as_ref().unwrap();
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
    inside.members = Some(BTreeMap::new());
    inside.boards.clear();
    assert_eq!(world.settle().0, Vec::<&str>::new());
}

#[test]
fn labels_that_were_just_made_and_are_not_seen_yet_are_waited_for() {
    for comes_back in [true, false] {
        let mut world = World::new(ApprovalPolicy::Never);
        while world.seen.inside.as_ref().is_none_or(|inside| inside.boards.is_empty()) {
            for step in world.plan().steps {
                if let Step::CreateLabel { .. } = step {
                    world.seen.made_before.insert(step.to_string(), time(world.seconds));
                }
                world.apply(step);
            }
        }
        let labels = std::mem::take(&mut world.seen.inside.as_mut().unwrap().labels);
        assert_eq!((labels.len(), world.seen.made_before.len()), (4, 4));
        let (done, last) = world.settle();
        assert!(done.iter().all(|kind| !kind.starts_with("create_")), "{done:?}");
        assert!(world.comment().contains("\"made\":false"), "{}", world.comment());
        let read_at = time(world.seconds);
        let until = last.look_by.unwrap();
        assert!(until > read_at && until <= time(world.seconds + 125), "{until}");
        if comes_back {
            world.seen.inside.as_mut().unwrap().labels = labels;
        } else {
            // Nothing lags behind for so long: a person took them away. But what was read before shows that at no time.
            world.seconds += 130;
            assert!(world.plan_as_seen(read_at).is_empty());
        }
        let (done, _) = world.settle();
        let lists = done.iter().filter(|kind| **kind == "create_board_list").count();
        assert_eq!(lists, if comes_back { 4 } else { 0 }, "{done:?}");
        assert_eq!(world.plan().look_by, None);
        assert!(!done.contains(&"create_label"), "{done:?}");
        assert!(world.comment().contains("\"made\":true"), "{}", world.comment());
    }
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
fn the_first_agenda_is_for_the_day_on_the_communitys_own_calendar() {
    let mut world = World::new(ApprovalPolicy::Never);
    // 00:30 on a Tuesday in Tokyo is still Monday in UTC.
    let form = format!("{FORM}\n### Cadence\n\nMonthly, first Tuesday, 00:30 Asia/Tokyo, 50 minutes\n");
    world.seen.issue.description = Untrusted::new(form);
    for _ in 0..2 {
        for step in world.plan().steps {
            world.apply(step);
        }
    }
    let issues = &world.seen.inside.as_ref().unwrap().issues;
    let agenda = issues
        .iter()
        .find(|issue| issue.description.expose().contains("convenor:agenda"))
        .unwrap();
    let text = agenda.description.expose();
    assert!(text.contains("2023-12-05"), "{text}");
}
