//! The maintainer of the handbook: one merge request per community, one line each, never in the way of anybody.

use convenor_core::ids::ProjectId;
use convenor_core::thing::{ProgramName, Thing};
use gitlab_sandbox::{Act, Change, Config, Effect, Fault};

use super::town::{FORM, GROUP, HANDBOOK, PAGE, PAGE_PATH, Town, one_more_line};

const BRANCH: &str = "convenor/rust-at-work";
const ELSEWHERE: &str = "content/groups/cop.md";

fn community(town: &Town, path: &str) -> Thing {
    let project = town.gitlab.project(&format!("{GROUP}/{path}")).unwrap();
    Thing::Community(ProgramName::new("cop").unwrap(), ProjectId(project.id))
}

/// A town whose page is this one, with a proposal that waits for the maintainer.
async fn proposed_on(page: &[u8]) -> (Town, u64) {
    let town = Town::new().await;
    if page != PAGE.as_bytes() {
        town.page_becomes(page);
    }
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    (town, iid)
}

async fn proposed() -> (Town, u64) {
    proposed_on(PAGE.as_bytes()).await
}

/// A merge request for this page adds one row before the row that begins with `next`, and nothing else.
async fn check_page(page: &[u8], next: &str, line_end: &str) {
    let (town, iid) = proposed_on(page).await;
    let after = town.page_bytes(BRANCH);
    let line = one_more_line(page, &after);
    assert!(line.starts_with("| [Rust at Work]("), "{line}");
    let whole = format!("{line}{line_end}{next}");
    assert!(
        after.windows(whole.len()).any(|window| window == whole.as_bytes()),
        "{}",
        String::from_utf8_lossy(&after)
    );
    let shown = town.shown_diff(town.merge_request().iid);
    assert_eq!(shown.len(), 1, "{shown:?}");
    town.merges();
    town.settle().await;
    assert_eq!(town.page_bytes("main"), after);
    assert_eq!(town.issue(iid).state, "closed");
}

#[tokio::test]
async fn one_line_is_added_and_every_other_byte_stays() {
    check_page(PAGE.as_bytes(), "| Security", "\n").await;
    check_page(PAGE.replace('\n', "\r\n").as_bytes(), "| Security", "\r\n").await;
    let other = "\u{feff}# Groups\n\n\n##   Current communities ##\nText | with pipes.\n\n\
                 | Subject | Facilitator |\n|:--|--:|\n| Agile ||\n| Zoology | “Zoë” Ã©\u{a0}|\n| Zither | 1 | 2 |\n\n\
                 ## Others\n| Subject | Facilitator |\n|---|---|\n| No | change |";
    check_page(other.as_bytes(), "| Zoology", "\n").await;
}

#[tokio::test]
async fn a_page_that_ends_with_its_table_and_no_line_break_gets_none_at_its_end() {
    let page = "## Current communities\n\n| Subject | Facilitator |\n|---|---|\n| Agile | @a |\n| Kubernetes | TBD |";
    let (town, _) = proposed_on(page.as_bytes()).await;
    let after = town.page(BRANCH);
    let row = after
        .strip_prefix(page)
        .and_then(|rest| rest.strip_prefix('\n'))
        .expect(&after);
    assert!(row.starts_with("| [Rust at Work](") && !row.contains('\n'), "{row}");
}

#[tokio::test]
async fn a_branch_follows_a_page_that_moves_on() {
    let (town, _) = proposed().await;
    // A neighbouring row: git takes that for a conflict.
    let page = PAGE.replace("| Security", "| Ruby | @sam |\n| Security");
    town.page_becomes(&page);
    town.settle().await;
    one_more_line(page.as_bytes(), &town.page_bytes(BRANCH));
    assert_eq!(town.shown_diff(town.merge_request().iid).len(), 1);
    // Somewhere else: nothing has to be done, and nothing is.
    let before = town.gitlab.commits(HANDBOOK, BRANCH).unwrap();
    let page = page.replace("Nothing yet", "Nothing so far");
    town.page_becomes(&page);
    town.settle().await;
    assert_eq!(town.gitlab.commits(HANDBOOK, BRANCH).unwrap(), before);
    assert_eq!(town.shown_diff(town.merge_request().iid).len(), 1);
    town.merges();
    town.settle().await;
    one_more_line(page.as_bytes(), &town.page_bytes("main"));
}

#[tokio::test]
async fn communities_that_are_merged_one_after_the_other_never_stay_in_conflict() {
    let names = [
        "Observability",
        "Rust at Work",
        "Rust Embedded",
        "Ruby",
        "Release Notes",
        "Zig",
        "Accessibility",
        "Rustaceans",
        "Python",
        "Testing",
    ];
    let town = Town::new().await;
    let issues = names.map(|name| town.opens("proposer", &FORM.replace("Rust at Work", name)));
    town.settle().await;
    assert_eq!(town.merge_requests().len(), names.len());
    let maintainer = town.gitlab.person("maintainer").unwrap();
    for merge_request in town.merge_requests() {
        let before = town.page_bytes("main");
        assert_eq!(
            town.shown_diff(merge_request.iid).len(),
            1,
            "{}",
            merge_request.source_branch
        );
        maintainer.merge(HANDBOOK, merge_request.iid).unwrap();
        one_more_line(&before, &town.page_bytes("main"));
        town.settle().await;
    }
    let page = town.page("main");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("/acme/cops/"));
    let listed: Vec<&str> = rows.filter_map(|row| row.split(['[', ']']).nth(1)).collect();
    let mut sorted = names.to_vec();
    sorted.sort_unstable_by_key(|name| name.to_lowercase());
    assert_eq!(listed, sorted);
    for iid in issues {
        assert_eq!(town.state(iid), ["cop::active"]);
    }
    assert_eq!(
        town.merge_requests().len(),
        names.len(),
        "one merge request per community"
    );
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_branch_that_a_person_pushed_to_is_theirs() {
    let (town, iid) = proposed().await;
    let theirs = town.page(BRANCH).replace("[Rust at Work]", "[Rust, at Work]");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.push_file(HANDBOOK, BRANCH, PAGE_PATH, &theirs).unwrap();
    town.settle().await;
    // Even when it conflicts with the target.
    town.page_becomes(PAGE.replace("| Security", "| Ruby | @sam |\n| Security"));
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page(BRANCH), theirs);
    let merge_request = town.merge_request();
    let description = merge_request.description.unwrap();
    assert!(description.contains("it is theirs now"), "{description}");
    let report = town.report(&community(&town, "rust-at-work")).await;
    assert!(report.contains("a person pushed to the branch"), "{report}");
    // They solve it by hand, in their own words.
    town.page_becomes(PAGE);
    town.merges();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.page("main"), theirs);
    assert_eq!(town.state(iid), ["cop::active"]);
    assert_eq!(town.issue(iid).state, "closed");
    assert_eq!(town.merge_requests().len(), 1);
}

/// The branch is to be made anew, because the page was edited; GitLab takes no condition with such a commit.
#[tokio::test]
async fn what_a_person_pushes_while_the_branch_is_about_to_be_made_anew_is_kept() {
    let (town, _) = proposed().await;
    let theirs = town.page(BRANCH).replace("[Rust at Work]", "[Rust, at Work]");
    let pushed = theirs.clone();
    let pushes = Act::new(move |world| {
        let maintainer = world.person("maintainer").unwrap();
        maintainer.push_file(HANDBOOK, BRANCH, PAGE_PATH, &pushed).unwrap();
    });
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let looked = Fault::new(Effect::After(pushes)).user("convenor-bot").method("GET");
    let looked = looked.path(&format!(
        "/projects/{handbook}/repository/branches/convenor(%2F|/)rust-at-work$"
    ));
    town.gitlab.add_fault(looked.unwrap().once());
    let edited = PAGE.replace("| Security", "| Ruby | @sam |\n| Security");
    town.page_becomes(edited);
    town.settle().await;
    assert_eq!(town.page(BRANCH), theirs);
    let description = town.merge_request().description.unwrap();
    assert!(description.contains("it is theirs now"), "{description}");
}

#[tokio::test]
async fn a_merge_request_that_a_person_closed_stays_closed_until_the_facts_change() {
    let (town, iid) = proposed().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer
        .close_merge_request(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    town.resync().await;
    town.page_becomes(PAGE.replace("| Security", "| Ruby | @sam |\n| Security"));
    town.settle().await;
    town.resync().await;
    assert_eq!(town.merge_requests().len(), 1);
    assert_eq!(town.merge_requests()[0].state, "closed");
    assert!(
        town.comment(iid).contains("closed by a person"),
        "{}",
        town.comment(iid)
    );
    assert_eq!(town.issue(iid).state, "opened");
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    assert_eq!(town.merge_requests().len(), 2);
    let shown = town.shown_diff(town.merge_request().iid);
    assert!(shown.len() == 1 && shown[0].contains("@alice"), "{shown:?}");
}

/// A page on which no row can be added: the comment and the operator's report say why, and the mended page is enough.
async fn held_back(page: &str, why: &str) {
    let (town, iid) = proposed_on(page.as_bytes()).await;
    assert_eq!(town.merge_requests(), []);
    assert_eq!(town.page("main"), page);
    assert_eq!(town.state(iid), ["cop::approved"]);
    assert!(
        town.comment(iid).contains("the page cannot be edited as it is"),
        "{}",
        town.comment(iid)
    );
    let proposal = Thing::Proposal(ProgramName::new("cop").unwrap(), convenor_core::ids::IssueIid(iid));
    for thing in [community(&town, "rust-at-work"), proposal] {
        let report = town.report(&thing).await;
        assert!(report.contains(why), "{report}");
    }
    town.page_becomes(PAGE);
    town.resync().await;
    town.added_line(BRANCH);
    assert!(
        town.comment(iid).contains("waits for a maintainer"),
        "{}",
        town.comment(iid)
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_edited_holds_only_its_row_back() {
    held_back(&PAGE.replace("## Current", "## Present"), "Current communities").await;
    held_back(&PAGE.replace("| Subject |", "| Theme |"), "Subject").await;
}

#[tokio::test]
async fn a_page_that_moved_away_holds_only_its_row_back() {
    let town = Town::new().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let moved = Change::Move(PAGE_PATH.to_owned(), ELSEWHERE.to_owned());
    maintainer.push(HANDBOOK, "main", &[moved], "Tidy up").unwrap();
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let report = town.report(&community(&town, "rust-at-work")).await;
    assert!(
        report.contains(PAGE_PATH) && report.contains("check `page`"),
        "{report}"
    );
    let back = Change::Move(ELSEWHERE.to_owned(), PAGE_PATH.to_owned());
    maintainer.push(HANDBOOK, "main", &[back], "Tidy up again").unwrap();
    town.resync().await;
    town.added_line(BRANCH);
    assert_eq!(town.state(iid), ["cop::approved"]);
}

/// Something happens to the call that opens the merge request.
async fn opening_meets(effect: Effect) {
    let town = Town::new().await;
    let opening = Fault::new(effect)
        .method("POST")
        .path("/merge_requests$")
        .unwrap()
        .once();
    town.gitlab.add_fault(opening);
    town.opens("proposer", FORM);
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    town.added_line(BRANCH);
    assert_eq!(town.merge_request().labels, ["communities-of-practice"]);
}

#[tokio::test]
async fn a_merge_request_whose_opening_is_in_doubt_is_found_again() {
    opening_meets(Effect::LoseAnswer).await;
    // Our own earlier request gets through at last: GitLab says 409 to the second.
    opening_meets(Effect::LoseAnswerWith(409)).await;
}

#[tokio::test]
async fn a_merge_request_that_a_person_opened_from_our_branch_is_enough() {
    let town = Town::new().await;
    let opens = Act::new(|world| {
        let maintainer = world.person("maintainer").unwrap();
        maintainer
            .open_merge_request(HANDBOOK, BRANCH, "Add Rust at Work", "By hand")
            .unwrap();
    });
    let opening = Fault::new(Effect::Before(opens))
        .method("POST")
        .path("/merge_requests$")
        .unwrap();
    town.gitlab.add_fault(opening.user("convenor-bot").once());
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    let merge_request = town.merge_request();
    assert_eq!(merge_request.author.username, "maintainer");
    assert_eq!(merge_request.description.as_deref(), Some("By hand"), "it is theirs");
    town.merges();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.state(iid), ["cop::active"]);
}

#[tokio::test]
async fn what_a_person_writes_between_our_look_and_our_commit_is_kept() {
    let edited = PAGE.replace("| Security | @sam (inactive) |", "| Security | @sue |");
    let town = Town::new().await;
    let theirs = edited.clone();
    let edits = Act::new(move |world| {
        let maintainer = world.person("maintainer").unwrap();
        maintainer.push_file(HANDBOOK, "main", PAGE_PATH, &theirs).unwrap();
    });
    let handbook = town.gitlab.project(HANDBOOK).unwrap().id;
    let commit = Fault::new(Effect::Before(edits)).method("POST");
    let commit = commit
        .path(&format!("/projects/{handbook}/repository/commits$"))
        .unwrap();
    town.gitlab.add_fault(commit.user("convenor-bot").once());
    town.opens("proposer", FORM);
    town.settle().await;
    one_more_line(edited.as_bytes(), &town.page_bytes(BRANCH));
    town.merges();
    one_more_line(edited.as_bytes(), &town.page_bytes("main"));
}

#[tokio::test]
async fn a_row_of_the_same_name_is_adopted_instead_of_doubled() {
    let page = PAGE.replace(
        "| Security",
        "| rust at work | [Dar](https://gitlab.example.com/darwinjs) and @brianwald |\n| Security",
    );
    let (town, iid) = proposed_on(page.as_bytes()).await;
    let shown = town.shown_diff(town.merge_request().iid);
    let [before, after] = &shown[..] else {
        panic!("one line changes: {shown:?}")
    };
    assert!(before.starts_with("-| rust at work |"), "{before}");
    assert!(
        after.starts_with("+| [Rust at Work](") && after.contains("/acme/cops/rust-at-work)"),
        "{after}"
    );
    let people = "[Dar](https://gitlab.example.com/darwinjs) and @brianwald |";
    assert!(
        after.ends_with(people),
        "the same people in the page's own words: {after}"
    );
    town.merges();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::active"]);
    assert_eq!(town.page("main").to_lowercase().matches("rust at work").count(), 1);
}

#[tokio::test]
async fn on_a_page_with_more_readers_a_private_project_is_not_named() {
    let private = &[("visibility", "\"private\"")];
    let town = Town::with(Config::default(), private).await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    assert_eq!(town.merge_requests(), []);
    assert!(
        town.comment(iid).contains("does not name private projects"),
        "{}",
        town.comment(iid)
    );
    assert_eq!(town.state(iid), ["cop::active"]);
}
