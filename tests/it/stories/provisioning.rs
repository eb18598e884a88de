//! How many calls a community takes, and how many of them one after the other.

use std::time::Duration;

use convenor::store::{Memory, Store};
use gitlab_sandbox::{Act, Config, Effect, Fault};

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE, PAGE_PATH, Town};
use founding::{Founding, Meanwhile, found};

#[path = "../../../benches/provisioning/founding.rs"]
mod founding;

const LATENCY: Duration = Duration::from_millis(100);

/// In virtual time, which stands still but for the calls.
fn founded(graphql: bool) -> Founding {
    founded_while(graphql, None)
}

fn founded_while(graphql: bool, meanwhile: Meanwhile) -> Founding {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
    let founding = runtime.block_on(async {
        let store = Store::in_memory(&Memory::default());
        found(LATENCY, graphql, store, meanwhile).await
    });
    assert_eq!(founding.violations, Vec::<String>::new());
    founding
}

#[test]
fn a_community_takes_few_calls_and_fewer_one_after_the_other() {
    let founding = founded(true);
    let shown = format!("{:#?}", founding.calls);
    for call in founding.calls.iter().filter(|call| call.writes) {
        assert!(call.status < 300, "{} {}: {}", call.method, call.what, call.status);
    }
    let (reads, writes) = founding.until_done();
    assert_eq!((reads, writes), (24, 18), "{shown}");
    let (reads, writes) = founding.since_project();
    // Project; four labels; board; lists; commit; members of two roles; two issues; comment; branch, merge request, comment again.
    assert_eq!((reads, writes), (9, 16), "{shown}");
    assert_eq!(founding.depth(), (13, 8), "{shown}");
    assert_eq!(founding.afterwards(), 0, "{shown}");
    // The project with everything in it, and the comment that says so.
    assert!(
        founding.filled() - founding.project_began() < 5.5,
        "{}: {shown}",
        founding.filled()
    );
}

#[test]
fn without_graphql_the_same_comes_to_be() {
    let founding = founded(false);
    let shown = format!("{:#?}", founding.calls);
    let (reads, writes) = founding.since_project();
    // One document is tried; four lists have calls of their own then.
    assert_eq!((reads, writes), (9, 19), "{shown}");
    assert_eq!(founding.depth(), (14, 9), "{shown}");
    // The board takes longer than the row: the comment has the merge request at once, and the look that it brings about finds nothing due.
    assert_eq!(founding.afterwards(), 15, "{shown}");
}

/// A label of the group has the name of a list: no project may have another of that name, and the list shows the group's.
#[tokio::test]
async fn a_wave_that_was_done_in_part_is_finished_one_by_one() {
    let town = Town::new().await;
    town.gitlab
        .admin()
        .create_label(GROUP, "topic::decision", "#112233")
        .unwrap();
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let boards = town.gitlab.boards(&format!("{GROUP}/rust-at-work")).unwrap();
    let names: Vec<_> = boards[0].lists.iter().map(|list| list.label.name.as_str()).collect();
    assert!(names.contains(&"topic::decision"), "{names:?}");
}

#[tokio::test]
async fn labels_a_board_or_lists_whose_answer_is_lost_are_not_made_twice() {
    for path in ["/labels$", "/boards$", "/graphql$"] {
        let town = Town::with(Config::default(), &[]).await;
        let lost = Fault::new(Effect::LoseAnswer).method("POST").path(path).unwrap();
        town.gitlab.add_fault(lost.once());
        town.opens("proposer", FORM);
        town.settle().await;
        town.resync().await;
        town.has_exactly_one_of_everything("rust-at-work");
    }
}

/// GitLab's databases may be a minute behind: the board waits for its labels, and gets its lists as soon as they have to be seen.
#[tokio::test]
async fn labels_that_are_not_seen_yet_are_looked_for_when_they_must_be() {
    let town = Town::new().await;
    // The labels are read before they are made, because the project's answer is lost, and again after the board was made without its lists.
    let lost = Fault::new(Effect::LoseAnswer).method("POST").path("/projects$");
    town.gitlab.add_fault(lost.unwrap().once());
    let fails = Fault::new(Effect::Status(503)).writes().path("(/graphql|/lists)$");
    town.gitlab.add_fault(fails.unwrap().once());
    let behind = Fault::new(Effect::Stale).method("GET").path(r"/projects/\d+/labels$");
    town.gitlab.add_fault(behind.unwrap().skip(1));
    town.opens("proposer", FORM);
    town.settle().await;
    let lists = || {
        town.gitlab.boards(&format!("{GROUP}/rust-at-work")).unwrap()[0]
            .lists
            .len()
    };
    town.forward(Duration::from_secs(60));
    town.settle().await;
    assert_eq!(lists(), 0);
    town.gitlab.clear_faults();
    town.forward(Duration::from_secs(70));
    town.settle().await;
    assert_eq!(lists(), 4);
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn one_answer_that_the_project_is_gone_is_not_told() {
    let town = Town::new().await;
    let issue = town.opens("proposer", FORM);
    town.settle().await;
    let project = town.gitlab.project(&format!("{GROUP}/rust-at-work")).unwrap().id;
    let was_told = || {
        let writes = town.gitlab.writes();
        writes.iter().any(|call| call.params.to_string().contains("is gone"))
    };
    for (times, expected) in [(1, false), (100, true)] {
        let missing = Fault::new(Effect::NotFound).method("GET");
        let missing = missing.path(&format!("/projects/{project}$")).unwrap();
        town.gitlab.add_fault(missing.times(times));
        let alice = town.gitlab.person("alice").unwrap();
        alice.comment(INTAKE, issue, "How is it going?").unwrap();
        town.settle().await;
        assert_eq!(was_told(), expected, "{times}");
    }
}

#[tokio::test]
async fn lists_stand_in_the_order_of_the_template_with_and_without_graphql() {
    for graphql in [true, false] {
        let town = Town::new().await;
        if !graphql {
            let gone = Fault::new(Effect::Status(404))
                .method("POST")
                .path("/graphql$")
                .unwrap();
            town.gitlab.add_fault(gone);
        }
        town.opens("proposer", FORM);
        town.settle().await;
        let board = &town.gitlab.boards(&format!("{GROUP}/rust-at-work")).unwrap()[0];
        let names: Vec<_> = board.lists.iter().map(|list| list.label.name.clone()).collect();
        let template = std::fs::read_to_string("templates/board.toml").unwrap();
        let places: Vec<_> = names
            .iter()
            .map(|name| template.find(&format!("\"{name}\"")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{names:?}");
    }
}

/// The look at the proposal goes on with what it knew only while nobody else has said anything.
#[test]
fn a_word_that_is_said_while_the_merge_request_is_opened_is_heard() {
    let speaks: fn(&gitlab_sandbox::World, u64) = |world, issue| {
        let maintainer = world.person("maintainer").unwrap();
        maintainer.comment(INTAKE, issue, "Well done.").unwrap();
    };
    for (meanwhile, expected) in [(None, false), (Some(speaks), true)] {
        let founding = founded_while(true, meanwhile);
        let opened = founding
            .calls
            .iter()
            .position(|call| call.writes && call.what.ends_with("/merge_requests"));
        let later = &founding.calls[opened.unwrap()..];
        let reads_notes = later.iter().any(|call| !call.writes && call.what.contains("/notes?"));
        assert_eq!(reads_notes, expected, "{later:#?}");
    }
}

#[tokio::test]
async fn a_page_that_moves_on_while_the_community_is_made_keeps_both_lines() {
    let town = Town::new().await;
    let moves = Act::new(|world| {
        let page = PAGE.replace("| Kubernetes | TBD |", "| Kubernetes | TBD |\n| Zig | TBD |");
        world.admin().push_file(HANDBOOK, "main", PAGE_PATH, page).unwrap();
    });
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let fault = Fault::new(Effect::Before(moves)).user("convenor-bot").writes();
    let at_commit = format!("/projects/{handbook}/repository/commits");
    town.gitlab.add_fault(fault.path(&at_commit).unwrap().once());
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let page = town.gitlab.text(HANDBOOK, "convenor/rust-at-work", PAGE_PATH).unwrap();
    assert!(page.contains("| Zig |") && page.contains("Rust at Work"), "{page}");
}

#[tokio::test]
async fn a_branch_that_somebody_made_at_the_new_communitys_name_stays_theirs() {
    let town = Town::new().await;
    let maintainer = town.gitlab.admin();
    maintainer
        .create_branch(HANDBOOK, "convenor/rust-at-work", "main")
        .unwrap();
    let words = format!("{PAGE}\nTheirs.\n");
    maintainer
        .push_file(HANDBOOK, "convenor/rust-at-work", PAGE_PATH, &words)
        .unwrap();
    town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(
        town.gitlab.text(HANDBOOK, "convenor/rust-at-work", PAGE_PATH),
        Some(words)
    );
    assert!(town.merge_requests().is_empty(), "{:?}", town.merge_requests());
    assert_eq!(town.gitlab.projects(GROUP).unwrap().len(), 2, "intake and community");
}

#[tokio::test]
async fn what_a_person_closed_for_an_earlier_community_of_the_path_is_not_proposed_again() {
    let town = Town::new().await;
    let first = town.opens("proposer", FORM);
    town.settle().await;
    let admin = town.gitlab.admin();
    admin.close_merge_request(HANDBOOK, town.merge_request().iid).unwrap();
    admin.delete_project(&format!("{GROUP}/rust-at-work")).unwrap();
    admin.close_issue(INTAKE, first).unwrap();
    town.settle().await;
    let second = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.state(second), ["cop::approved"]);
    assert!(town.gitlab.project(&format!("{GROUP}/rust-at-work")).is_ok());
    let states: Vec<_> = town.merge_requests().into_iter().map(|mr| mr.state).collect();
    assert_eq!(states, ["closed"]);
}

/// The token ends while the community's look counts what others have open, and asks who sees the page.
#[tokio::test]
async fn a_token_that_ends_just_before_the_row_is_written_stops_all_writing() {
    let town = Town::new().await;
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let ends = Fault::new(Effect::Status(401)).user("convenor-bot").method("GET");
    let ends = ends.path(&format!("/projects/{handbook}$")).unwrap();
    // The proposal's look reads it first.
    town.gitlab.add_fault(ends.skip(1).once());
    town.opens("proposer", FORM);
    town.look_until_something_fails().await;
    let calls = town.gitlab.calls();
    let refused = calls.iter().position(|call| call.status == Some(401)).unwrap();
    assert!(calls[..refused].iter().any(|call| call.is_write()));
    let written: Vec<_> = calls[refused..].iter().filter(|call| call.is_write()).collect();
    assert!(written.is_empty(), "{written:?}");
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}
