//! What people try, and what is told to whom.

use jiff::tz::TimeZone;

use super::*;

fn asked() -> World {
    let mut world = World::new(ApprovalPolicy::Always);
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
    world
}

/// A system note of GitLab's, with the text changed behind it.
fn changes_the_text_under(world: &mut World, note_text: &str) {
    let at = world.now();
    world.seen.issue.description = Untrusted::new(FORM.replace("Share what", "Hide what"));
    world.seen.issue.updated_at = at;
    let id = NoteId(3000 + world.seen.notes.len() as u64);
    world.seen.notes.push(note(id, PROPOSER, note_text, true, at));
}

#[test]
fn an_edit_that_hides_behind_a_ticked_task_is_an_edit() {
    // One edit, shown to us after the approval's own look at an earlier one, in one go with both.
    for words in [
        "marked the checklist item **x** as completed",
        "marked the task **x** as incomplete",
        "changed the description",
        "changed title from **a** to **b**",
    ] {
        let mut world = asked();
        world.edits(&FORM.replace("Share what", "Tell what"));
        world.says(MAINTAINER, "@convenor-bot approve");
        changes_the_text_under(&mut world, words);
        world.settle();
        assert_eq!(world.state(), ["other", "cop::ready"], "{words}");
    }
}

#[test]
fn the_reason_of_an_internal_note_is_not_told() {
    for internal in [false, true] {
        let mut world = asked();
        world.says(MAINTAINER, "@convenor-bot decline because of the Canarybird merger");
        world.seen.notes.last_mut().unwrap().internal = internal;
        world.settle();
        assert_eq!(world.state(), ["other", "cop::declined"]);
        assert_eq!(world.comment().contains("Canarybird"), !internal, "{}", world.comment());
    }
}

#[test]
fn an_edited_comment_is_answered_and_not_obeyed() {
    let mut world = asked();
    world.says(MAINTAINER, "@convenor-bot approve");
    world.seen.notes.last_mut().unwrap().edited = true;
    world.settle();
    assert_eq!(world.state(), ["other", "cop::ready"]);
    assert!(world.comment().contains("edited afterwards"), "{}", world.comment());
}

#[test]
fn a_membership_that_ends_today_gives_no_right() {
    let today = time(0).to_zoned(TimeZone::UTC).date();
    for (until, state) in [(today, "cop::ready"), (today.tomorrow().unwrap(), "cop::approved")] {
        let mut world = asked();
        let role = Role {
            level: AccessLevel::OWNER,
            until: Some(until),
        };
        world.seen.roles.insert(MAINTAINER, role);
        world.says(MAINTAINER, "@convenor-bot approve");
        world.settle();
        assert_eq!(world.state(), ["other", state], "{until}");
    }
}

#[test]
fn a_page_with_fewer_readers_than_the_issue_is_not_quoted_there() {
    for (visibility, told) in [
        (Visibility::Public, true),
        (Visibility::Internal, false),
        (Visibility::Private, false),
    ] {
        let mut world = World::new(ApprovalPolicy::Always);
        let page = &mut world.seen.pages[0].0;
        page.visibility = visibility;
        let text = format!("{PAGE}| Rusting at Work | @canarybird |\n| Rust at Work | @canarybird |\n");
        page.file.as_mut().unwrap().bytes = text.into();
        world.settle();
        let comment = world.comment();
        assert_eq!(comment.contains("canarybird"), told, "the row: {comment}");
        assert_eq!(comment.contains("Rusting"), told, "a neighbour: {comment}");
    }
}

#[test]
fn a_path_is_announced_once_and_with_its_time() {
    let mut world = World::new(ApprovalPolicy::Never);
    world.settle();
    let status = |world: &World| crate::plan::status::recorded_status(&world.seen.notes, BOT).unwrap();
    let announced = status(&world).announced_at.unwrap();
    assert_eq!(status(&world).path.as_deref(), Some("rust-at-work"));
    world.opens_merge_request(MergeRequestState::Opened);
    world.seconds += 1_000;
    world.settle();
    assert_eq!(status(&world).announced_at, Some(announced));
}
