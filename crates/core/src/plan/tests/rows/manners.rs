//! What the merge request says, when it waits, and when it goes.

use super::*;

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
    assert_eq!(world.settle().0, ["close_merge_request", "comment_on_merge_request"]);
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
fn a_line_that_only_has_the_name_is_linked_with_a_warning_and_not_removed() {
    let named = PAGE.replace("| Zen |", "| Rust at Work | @ann |\r\n| Zen |");
    let mut world = World::new();
    world.seen.listings[0].page.file.as_mut().unwrap().bytes = named.into();
    world.charter("darwinjs, brianwald", "retired");
    assert_eq!(world.settle(), (vec![], vec![Remark::UpToDate]));
    world.charter("darwinjs, brianwald", "active");
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
    let description = world.newest().description.expose();
    assert!(
        description
            .contains("**No link in this line leads to the project: it was found by the name Rust at Work alone."),
        "{description}"
    );
    world.merge();
    world.charter("darwinjs, brianwald", "retired");
    assert_eq!(
        world.settle().0,
        ["commit", "propose_removal"],
        "linked by a maintainer"
    );
}

#[test]
fn a_new_project_at_an_address_that_a_community_left_gets_its_line_with_a_warning_only() {
    let mut world = World::new();
    world.settle();
    world.merge();
    world.seen.project.id = ProjectId(78);
    assert_eq!(world.settle(), (vec![], vec![Remark::UpToDate]));
    world.charter("darwinjs", "retired");
    let (done, report) = world.settle();
    assert_eq!(done, Vec::<&str>::new(), "the line is not its own");
    assert!(
        matches!(&report[..], [Remark::PageUnusable(why)] if why.contains("remove it by hand")),
        "{report:?}"
    );
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
    let description = world.newest().description.expose();
    assert!(
        description.contains("**The line was merged for another project, which had this address before."),
        "{description}"
    );
    world.merge();
    world.charter("darwinjs", "retired");
    assert_eq!(
        world.settle().0,
        ["commit", "propose_removal"],
        "a maintainer made it the new project's"
    );
    assert!(!world.newest().description.expose().contains("another project"));
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

/// Whoever takes over an address that a person's line links to has no right to the line.
#[test]
fn a_line_that_no_merge_request_made_is_changed_and_removed_with_a_warning() {
    let doubt = "**No merge request of Convenor's says whose line this is: it was found by its link alone.";
    for (status, step) in [("active", "create_merge_request"), ("retired", "propose_removal")] {
        let mut world = World::new();
        world.page_becomes(&PAGE.replace(
            "| Zen |",
            "| [Rust](https://gitlab.example.com/cops/rust-at-work) | @ann |\r\n| Zen |",
        ));
        world.charter("darwinjs", status);
        assert_eq!(world.settle().0, ["commit", step]);
        let description = world.newest().description.expose().to_owned();
        assert!(description.contains(doubt), "{description}");
    }
    let mut world = World::new();
    world.settle();
    world.merge();
    world.charter("darwinjs", "active");
    world.settle();
    assert!(
        !world.newest().description.expose().contains(doubt),
        "merged for it before"
    );
}

#[test]
fn an_open_merge_request_that_becomes_a_removal_counts_as_a_new_one() {
    let mut world = World::new();
    world.settle();
    world.merge();
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
    world.newest().title = Untrusted::new("A harmless change");
    world.charter("darwinjs", "retired");
    world.seen.removals.lately = 3;
    assert_eq!(world.settle(), (vec![], vec![Remark::RemovalsCapped]));
    assert!(world.on_branch().contains("Rust at Work"), "it stays what it was");
    world.seen.removals.lately = 2;
    assert_eq!(
        world.settle().0,
        ["propose_removal", "commit"],
        "said and counted first"
    );
    assert_eq!(
        world.newest().title.expose(),
        "docs: remove rust-at-work from the communities of practice"
    );
    world.seen.removals.lately = 3;
    assert_eq!(world.settle().1, [Remark::WaitsForMerge], "it is counted already");
}

#[test]
fn removals_that_only_gitlab_shows_count_too() {
    let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(90_000).unwrap());
    let since = Timestamp::from_second(50_000).unwrap();
    let ours = |lately| Removals {
        since,
        lately,
        allowed: false,
    };
    assert_eq!(ours(0).with_open([late, late, early]), ours(2), "within the day");
    assert_eq!(ours(3).with_open([late, late]), ours(3), "they are the same");
    let mut world = World::new();
    world.settle();
    assert!(!concern(world.newest(), BOT).unwrap().removes);
    world.merge();
    world.charter("darwinjs, brianwald", "retired");
    world.settle();
    assert!(concern(world.newest(), BOT).unwrap().removes);
}

#[test]
fn a_private_community_is_not_named_on_a_public_page() {
    let mut world = World::new();
    world.seen.project.visibility = Visibility::Private;
    assert_eq!(world.settle(), (vec![], vec![Remark::PrivateNotListed]));
    world.program.handbooks[0].list_private = true;
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
    assert_eq!(
        world.settle().0,
        ["commit", "create_merge_request", "set_issue_state", "create_note"]
    );
}

#[test]
fn no_issue_is_opened_or_closed_where_nobody_can_write() {
    let mut world = World::new();
    let good = world.seen.charter.clone();
    world.seen.charter = Some(FileVersion {
        bytes: b"name: [\n".to_vec(),
        last_commit: None,
    });
    world.seen.project.archived = true;
    assert_eq!(world.settle(), (vec![], vec![Remark::BrokenCharter]));
    world.seen.project.archived = false;
    assert_eq!(world.settle().0, ["create_issue"]);
    (world.seen.charter, world.seen.project.archived) = (good, true);
    let steps = world.settle().0;
    assert!(!steps.contains(&"set_issue_state"), "{steps:?}");
}

#[test]
fn a_charter_that_breaks_differently_updates_its_issue() {
    let mut world = World::new();
    for (charter, expected) in [("name: [\n", "create_issue"), ("status: active\n", "update_issue")] {
        world.seen.charter = Some(FileVersion {
            bytes: charter.into(),
            last_commit: None,
        });
        assert_eq!(world.settle().0, [expected], "{charter}");
    }
    let issue = world.seen.issues[0].description.expose();
    assert!(world.seen.issues.len() == 1 && issue.contains("name"), "{issue}");
}

#[test]
fn a_new_line_is_a_draft_until_a_facilitator_has_an_account() {
    let mut world = World::new();
    let people = std::mem::take(&mut world.seen.people);
    for name in ["darwinjs", "brianwald"] {
        world
            .seen
            .people
            .insert(Username::new(name).unwrap(), PersonState::Blocked);
    }
    let (done, report) = world.settle();
    assert_eq!(done, ["commit", "create_merge_request"]);
    assert!(
        matches!(report[..], [Remark::WaitsForMerge, Remark::Draft(_)]),
        "{report:?}"
    );
    assert!(world.newest().title.expose().starts_with("Draft: docs: add"));
    assert!(world.newest().description.expose().contains("It is a draft because"));
    world.seen.people = people;
    world.settle();
    let title = world.newest().title.expose().to_owned();
    assert_eq!(title, "docs: add rust-at-work to the communities of practice");
    assert!(!world.newest().description.expose().contains("It is a draft"));
}

#[test]
fn a_draft_that_a_person_made_or_unmade_stays_so() {
    let mut world = World::new();
    world.settle();
    let title = format!("Draft: {}", world.newest().title.expose());
    world.newest().title = Untrusted::new(title.as_str());
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "update_merge_request"]);
    assert_eq!(world.newest().title.expose(), title);
}

#[test]
fn a_title_that_a_person_wrote_stays() {
    let mut world = World::new();
    world.settle();
    world.newest().title = Untrusted::new("docs(cop): welcome Rust");
    assert_eq!(world.settle().0, Vec::<&str>::new());
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "update_merge_request"]);
    assert_eq!(world.newest().title.expose(), "docs(cop): welcome Rust");
}

#[test]
fn always_and_never_decide_about_drafts_too() {
    let mut world = World::new();
    world.program.handbooks[0].manners.draft = DraftPolicy::Always;
    world.settle();
    assert!(world.newest().title.expose().starts_with("Draft: "));
    world.newest().title = Untrusted::new("docs: add rust-at-work to the communities of practice");
    assert_eq!(world.settle().0, Vec::<&str>::new(), "a person made it ready");
    let mut world = World::new();
    world.program.handbooks[0].manners.draft = DraftPolicy::Never;
    world.seen.people.clear();
    world.settle();
    assert!(world.newest().title.expose().starts_with("docs: "));
}

#[test]
fn a_full_page_makes_a_new_merge_request_wait_and_keeps_the_others_true() {
    let mut world = World::new();
    world.seen.listings[0].traffic = Some(Traffic {
        open: 28,
        lately: 0,
        ahead: 2,
    });
    let (done, report) = world.settle();
    assert_eq!(done, Vec::<&str>::new());
    assert_eq!(
        report[0].to_string(),
        "waits: limit of merge requests: 28 of 30 are open (`max_open`), and 2 others go first"
    );
    world.seen.listings[0].traffic = Some(Traffic {
        open: 0,
        lately: 30,
        ahead: 0,
    });
    assert!(matches!(world.settle().1[..], [Remark::TooManyLately { .. }]));
    world.seen.listings[0].traffic = Some(Traffic {
        open: 29,
        lately: 29,
        ahead: 0,
    });
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
    world.seen.listings[0].traffic = None;
    world.charter("darwinjs", "active");
    assert_eq!(world.settle().0, ["commit", "update_merge_request"]);
}

#[test]
fn without_a_count_nothing_new_is_opened_where_there_is_a_limit() {
    let mut world = World::new();
    world.seen.listings[0].traffic = None;
    let found = plan(&world.program, &world.seen);
    assert!(found.is_empty());
    assert_eq!(found.turns.get(""), Some(&Turn::Unknown));
    let manners = &mut world.program.handbooks[0].manners;
    (manners.max_open, manners.max_per_hour) = (0, 0);
    assert_eq!(world.settle().0, ["commit", "create_merge_request"]);
}

#[test]
fn an_archived_project_loses_its_line_and_one_that_waits_for_deletion_its_merge_request() {
    let mut world = World::new();
    world.settle();
    world.seen.project.marked_for_deletion = true;
    let (done, report) = world.settle();
    assert_eq!(done, ["close_merge_request", "comment_on_merge_request"]);
    assert_eq!(report, [Remark::ProjectGone]);
    world.seen.project.marked_for_deletion = false;
    world.settle();
    world.merge();
    world.seen.project.archived = true;
    assert_eq!(world.settle().0, ["commit", "propose_removal"]);
    assert_eq!(world.on_branch(), PAGE);
}

#[test]
fn who_does_not_exist_is_not_linked_but_a_line_that_names_them_stays() {
    let mut world = World::new();
    let ghost = Username::new("brianwald").unwrap();
    world.settle();
    world.merge();
    world.seen.people.insert(ghost.clone(), PersonState::Missing);
    let (done, report) = world.settle();
    assert_eq!(done, Vec::<&str>::new(), "the line was right before");
    assert!(report.contains(&Remark::NoSuchPerson(ghost.clone())), "{report:?}");
    for state in [PersonState::Missing, PersonState::Bot] {
        let mut world = World::new();
        world.seen.people.insert(ghost.clone(), state);
        world.settle();
        assert!(!world.on_branch().contains("brianwald"), "{}", world.on_branch());
        let description = world.newest().description.expose();
        assert!(description.contains("no such person"), "{description}");
    }
}

#[test]
fn a_branch_behind_is_rebuilt_where_gitlab_asks_for_a_rebase() {
    let mut world = World::new();
    world.settle();
    world.newest().needs_rebase = true;
    world.seen.listings[0].place.target_head = Some(CommitSha("d".repeat(40)));
    let found = plan(&world.program, &world.seen);
    assert_eq!(found.steps[0].kind(), "commit");
    world.seen.listings[0].place.branch.as_mut().unwrap().parent = Some(CommitSha("d".repeat(40)));
    assert!(
        plan(&world.program, &world.seen).is_empty(),
        "GitLab has not looked again yet"
    );
}
