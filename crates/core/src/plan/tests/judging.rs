//! What is wrong with a proposal, and who may decide about it.

use super::*;

#[test]
fn a_private_project_is_not_named_in_a_public_issue() {
    let mut world = World::new(ApprovalPolicy::Never);
    let secret = ProjectSeen {
        visibility: Visibility::Private,
        ..project(55, "Rust at Work", "canary")
    };
    world.seen.projects.push(secret);
    world.settle();
    assert_eq!(world.state(), ["other", "cop::needs-info"]);
    assert!(!world.comment().contains("canary"), "{}", world.comment());
}

#[test]
fn a_project_of_a_subgroup_takes_no_name_away() {
    for (full_path, state) in [
        ("cops/rust-at-work", "cop::needs-info"),
        ("cops/sub/rust-at-work", "cop::ready"),
    ] {
        let mut world = World::new(ApprovalPolicy::Always);
        world.seen.projects.push(ProjectSeen {
            full_path: full_path.to_owned(),
            ..project(55, "Rust at Work", "rust-at-work")
        });
        world.settle();
        assert_eq!(world.state(), ["other", state], "{full_path}");
    }
}

#[test]
fn unknown_people_are_named_together_with_the_other_faults() {
    let mut world = World::new(ApprovalPolicy::Never);
    let hasty = FORM.replace("@alice", "@nobody").replace(
        "Share what we learn while we use Rust in production. Everybody may ask.",
        "Rust.",
    );
    world.seen.issue.description = Untrusted::new(hasty);
    world.settle();
    assert!(world.comment().contains("nobody"), "{}", world.comment());
    assert!(world.comment().contains("40 characters"), "{}", world.comment());
}

#[test]
fn of_two_proposals_for_one_name_the_earlier_goes_first() {
    let rival = |iid| RivalSeen {
        iid: IssueIid(iid),
        name: Untrusted::new("rust at work"),
        purpose: Untrusted::default(),
        web_url: url("cops/intake/-/issues/3"),
    };
    for (iid, state) in [(3, "cop::needs-info"), (30, "cop::ready")] {
        let mut world = World::new(ApprovalPolicy::Always);
        world.seen.rivals = vec![rival(iid)];
        world.settle();
        assert_eq!(world.state(), ["other", state], "rival {iid}");
    }
}

#[test]
fn a_confidential_issue_becomes_nothing_public() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.seen.issue.confidential = true;
    let (done, last) = world.settle();
    assert_eq!(done, ["create_note"]);
    assert_eq!(last.report, [Remark::Confidential]);
    assert!(!world.comment().contains("Rust at Work"));
}

#[test]
fn an_approval_before_the_last_edit_does_not_count() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    world.edits(&FORM.replace("Everybody may ask", "Everybody may answer"));
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
    assert!(world.comment().contains("Please approve again"), "{}", world.comment());
    world.says(MAINTAINER, "@convenor-bot approve");
    world.settle();
    assert_eq!(world.state(), ["other", "cop::approved"]);
}

#[test]
fn an_edit_without_a_trace_in_the_notes_voids_earlier_approvals_too() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    world.says(MAINTAINER, "@convenor-bot approve");
    let at = world.now();
    world.seen.issue.description = Untrusted::new(FORM.replace("Everybody", "Nobody"));
    world.seen.issue.updated_at = at;
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
}

#[test]
fn a_label_set_by_whoever_may_not_proves_nothing() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.seen.issue.labels = vec!["cop::approved".to_owned()];
    world.seen.label_events = vec![LabelEventSeen {
        user: user(PROPOSER),
        label: "cop::approved".to_owned(),
        added: true,
        at: time(1),
    }];
    world.settle();
    assert_eq!(world.state(), ["cop::ready"]);
}

#[test]
fn a_maintainers_label_approves() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let at = world.now();
    let label = State::Approved.label().to_owned();
    world.seen.label_events = vec![LabelEventSeen {
        user: user(MAINTAINER),
        label,
        added: true,
        at,
    }];
    world.settle();
    assert_eq!(world.state(), ["other", "cop::approved"]);
}

#[test]
fn a_declined_proposal_is_closed_with_the_reason() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.says(MAINTAINER, "@convenor-bot decline /close @all there is one already");
    let (done, last) = world.settle();
    assert_eq!(done, ["create_note", "set_issue_state"]);
    assert_eq!(last.report, [Remark::Closed]);
    assert_eq!(world.state(), ["other", "cop::declined"]);
    assert!(world.comment().contains("there is one already"));
}

#[test]
fn an_edit_of_the_issue_changes_nothing_that_runs() {
    let mut world = World::new(ApprovalPolicy::Never);
    for step in world.plan().steps {
        world.apply(step);
    }
    world.edits(&FORM.replace("Rust at Work", "Something Else"));
    world.settle();
    let ProjectStanding::Ours(made) = &world.seen.project else {
        panic!("no project")
    };
    assert_eq!(made.path, "rust-at-work");
    assert!(world.comment().contains("Rust at Work"));
}

#[test]
fn a_doubled_comment_of_ours_is_removed() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let mut doubled = world.seen.notes[0].clone();
    doubled.id = NoteId(9999);
    world.seen.notes.push(doubled);
    assert_eq!(world.settle().0, ["delete_own_note"]);
}

#[test]
fn a_pasted_marker_is_no_comment_of_ours() {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    let mut pasted = world.seen.notes[0].clone();
    pasted.id = NoteId(1);
    pasted.author = user(PROPOSER);
    world.seen.notes.insert(0, pasted);
    assert_eq!(world.plan().steps, []);
}

#[test]
fn hostile_text_stays_text_in_the_comment() {
    let mut world = World::new(ApprovalPolicy::Always);
    let hostile = FORM.replace(
        "Share what we learn while we use Rust in production.",
        "/close\n/assign @root\n@all <img src=x> {{name}} | Closes #1 we learn about Rust in production",
    );
    world.seen.issue.description = Untrusted::new(hostile);
    world.settle();
    let comment = world.comment();
    assert!(
        !comment.lines().any(|line| line.trim_start().starts_with("/close")),
        "{comment}"
    );
    assert!(!comment.contains("@all"), "{comment}");
    assert!(!comment.contains("<img"), "{comment}");
}
