//! Calls whose outcome is in doubt: the effect happened and the answer was lost, or nothing happened at all.

use convenor_core::escape::Marker;
use gitlab_sandbox::{Config, Effect, Fault};

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, Town};

/// Runs the main job up to the merge with these faults; everything has to be there exactly once.
async fn survives(faults: Vec<Fault>) {
    let town = Town::with(
        Config {
            seed: 7,
            ..Config::default()
        },
        &[],
    )
    .await;
    for fault in faults {
        town.gitlab.add_fault(fault);
    }
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.gitlab.clear_faults();
    town.has_exactly_one_of_everything("rust-at-work");
    town.added_line("convenor/rust-at-work");
    assert!(Marker::find(&town.comment(iid), "status").is_some());
    town.gitlab
        .person("maintainer")
        .unwrap()
        .merge(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    assert_eq!(town.issue(iid).state, "closed");
}

#[tokio::test]
async fn every_answer_to_a_write_is_lost_once_after_its_effect() {
    for effect in [Effect::LoseAnswer, Effect::CutAnswer, Effect::LoseAnswerWith(502)] {
        let writes = [
            "/projects$",
            "/notes",
            "/commits$",
            "/labels$",
            "/boards$",
            "/lists$",
            "/members",
            "/issues$",
            "/merge_requests$",
        ];
        let fault = |path: &&str| Fault::new(effect.clone()).method("POST").path(path).unwrap().once();
        survives(writes.iter().map(fault).collect()).await;
    }
}

#[tokio::test]
async fn every_second_write_fails_before_its_effect() {
    let fault = Fault::new(Effect::Status(502)).writes().chance(0.4).times(6);
    survives(vec![fault]).await;
}

#[tokio::test]
async fn connections_break_off_everywhere() {
    survives(vec![
        Fault::new(Effect::Disconnect).chance(0.1).times(15),
        Fault::new(Effect::LoseAnswer).writes().chance(0.3).times(8),
    ])
    .await;
}

#[tokio::test]
async fn gitlab_asks_for_patience() {
    survives(vec![Fault::new(Effect::RetryLater(1)).chance(0.1).times(5)]).await;
}

#[tokio::test]
async fn a_page_of_html_is_no_answer() {
    survives(vec![Fault::new(Effect::Html).chance(0.1).times(10)]).await;
}

/// GitLab's count of notes tells nothing about a part of the list, so our comment is asked for by its number before it counts as gone.
#[tokio::test]
async fn a_comment_that_the_list_of_notes_lacks_is_not_written_again() {
    for first_answer in [None, Some(Effect::LoseAnswer)] {
        let town = Town::new().await;
        if let Some(effect) = first_answer {
            let comment = Fault::new(effect).method("POST").path("/notes").unwrap();
            town.gitlab.add_fault(comment.once());
        }
        let iid = town.opens("proposer", FORM);
        town.settle().await;
        let nothing = Fault::new(Effect::ShortPage(0)).method("GET").path("/notes$").unwrap();
        town.gitlab.add_fault(nothing);
        town.resync().await;
        town.comment(iid);
        town.gitlab.clear_faults();
        let notes = town.gitlab.notes(INTAKE, iid).unwrap();
        let ours = notes
            .iter()
            .find(|note| note.author.username == "convenor-bot")
            .unwrap();
        let maintainer = town.gitlab.person("maintainer").unwrap();
        maintainer.delete_comment(INTAKE, iid, ours.id).unwrap();
        town.resync().await;
        town.comment(iid);
    }
}

/// Two calls for two roles fail and one for one person alone: all of them may be faults of the moment.
#[tokio::test]
async fn whom_gitlab_refuses_once_is_asked_for_again() {
    let town = Town::new().await;
    let fault = Fault::new(Effect::Status(404))
        .method("POST")
        .path("/members$")
        .unwrap();
    town.gitlab.add_fault(fault.times(3));
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let members = town.gitlab.members(&format!("{GROUP}/rust-at-work")).unwrap();
    for name in ["alice", "bob", "darwinjs", "brianwald"] {
        assert!(
            members.iter().any(|member| member.username == name),
            "{name}: {members:?}"
        );
    }
    assert!(
        !town.comment(iid).contains("could not be added"),
        "{}",
        town.comment(iid)
    );
}

#[tokio::test]
async fn whom_gitlab_refuses_again_is_left_out_and_named() {
    let town = Town::new().await;
    let fault = Fault::new(Effect::Status(404))
        .method("POST")
        .path("/members$")
        .unwrap();
    town.gitlab.add_fault(fault);
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let writes = town.gitlab.writes();
    let times = writes.iter().filter(|call| call.path.ends_with("/members")).count();
    // Both roles, then each of four people, in more than one look: a moment's fault leaves nobody out, and nobody is asked for without end.
    let each_look = 2 + 4;
    assert!((2 * each_look..=8 * each_look).contains(&times), "{times}");
    assert!(town.comment(iid).contains("@alice"), "{}", town.comment(iid));
}

/// What says that all was made is in our comment; whoever deletes that and a member did not ask for the member to come back.
#[tokio::test]
async fn what_a_person_took_away_stays_away_when_our_comment_goes_with_it() {
    let town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let project = format!("{GROUP}/rust-at-work");
    let admin = town.gitlab.admin();
    admin.remove_member(&project, "alice").unwrap();
    let notes = town.gitlab.notes(INTAKE, iid).unwrap();
    let ours = notes
        .iter()
        .find(|note| note.author.username == "convenor-bot")
        .unwrap();
    admin.delete_comment(INTAKE, iid, ours.id).unwrap();
    let proposer = town.gitlab.person("proposer").unwrap();
    proposer.comment(INTAKE, iid, "Where has it gone?").unwrap();
    town.settle().await;
    town.resync().await;
    // The comment is back, the member is not.
    assert!(Marker::find(&town.comment(iid), "status").is_some());
    let members = town.gitlab.members(&project).unwrap();
    let names: Vec<_> = members.iter().map(|member| member.username.as_str()).collect();
    assert!(names.contains(&"bob") && !names.contains(&"alice"), "{names:?}");
}

#[tokio::test]
async fn a_project_that_is_listed_and_at_once_not_there_is_not_taken_for_anothers() {
    let town = Town::with(Config::default(), &[]).await;
    let lost = Fault::new(Effect::LoseAnswer)
        .method("POST")
        .path("/projects$")
        .unwrap();
    town.gitlab.add_fault(lost.once());
    let path = format!("/projects/{}%2Frust-at-work$", GROUP.replace('/', "%2F"));
    let unseen = Fault::new(Effect::Status(404)).method("GET").path(&path).unwrap();
    town.gitlab.add_fault(unseen.times(8));
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.has_exactly_one_of_everything("rust-at-work");
    assert!(!town.comment(iid).contains("exists already"), "{}", town.comment(iid));
}
