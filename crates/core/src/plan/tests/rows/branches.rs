//! Whose the branch is, and what becomes of its merge request.

use super::*;

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
    let about = concern(&world.seen.listings[0].place.merge_requests[0], BOT).unwrap();
    assert_eq!(
        (about.items[0].community, about.items[0].proposal),
        (ProjectId(77), Some(IssueIid(12)))
    );
}

#[test]
fn a_branch_whose_merge_request_was_not_opened_is_used() {
    let mut world = World::new();
    world.settle();
    world.seen.listings[0].place.merge_requests.clear();
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
    // Once is enough: GitLab's word about the new branch comes late.
    assert_eq!(world.settle().0, ["commit"]);
}

#[test]
fn a_branch_that_a_person_pushed_to_is_theirs() {
    let mut world = World::new();
    world.settle();
    let branch = world.seen.listings[0].place.branch.as_mut().unwrap();
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
    world.seen.listings[0]
        .place
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
    world.seen.listings[0].place.merge_requests.clear();
    let branch = world.seen.listings[0].place.branch.as_mut().unwrap();
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
