//! A page that cannot be edited: nothing is written, and one issue in the intake project says what would mend it.

use gitlab_sandbox::{Change, Effect, Fault, IssueView};

use super::town::{FORM, HANDBOOK, INTAKE, PAGE, PAGE_PATH, Town};

fn notices(town: &Town) -> Vec<IssueView> {
    let issues = town.gitlab.issues(INTAKE).unwrap().into_iter();
    issues.filter(|issue| issue.author.username == "convenor-bot").collect()
}

/// On this page nothing is written; one issue names what was found; it is closed once the page is mended, and the row follows.
async fn check(page: &[u8], found: &str, fault: Option<Fault>) {
    let town = Town::new().await;
    if let Some(fault) = fault {
        town.gitlab.add_fault(fault);
    }
    town.page_becomes(page);
    town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    town.resync().await;
    let issues = notices(&town);
    assert_eq!(issues.len(), 1, "{issues:?}");
    let description = issues[0].description.clone().unwrap_or_default();
    assert!(description.contains(found), "{description}");
    assert!(description.contains(PAGE_PATH), "{description}");
    assert_eq!(town.page_bytes("main"), page);
    assert_eq!(town.merge_requests(), []);
    town.page_becomes(PAGE);
    town.settle().await;
    assert_eq!(notices(&town)[0].state, "closed");
    town.added_line("convenor/rust-at-work");
    assert_eq!(notices(&town).len(), 1);
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn each_kind_of_unusable_page_is_named_in_one_issue() {
    let page = |from: &str, to: &str| PAGE.replace(from, to).into_bytes();
    check(
        &page("## Current", "## Present"),
        "no heading `Current communities`",
        None,
    )
    .await;
    check(&page("## Past", "## Current"), "stands on lines", None).await;
    check(
        &page("| ------- | ----------- |\n", ""),
        "no table under the heading",
        None,
    )
    .await;
    let doubled = PAGE.replace(
        "## Past",
        "| Subject | Facilitator |\n| --- | --- |\n| More | @x |\n\n## Past",
    );
    check(doubled.as_bytes(), "tables with the same header", None).await;
    let mut latin = PAGE.replace("Nothing", "Nichts für").into_bytes();
    let at = latin.windows(2).position(|two| two == "ü".as_bytes()).unwrap();
    latin.splice(at..at + 2, [0xfc]);
    check(&latin, "is not UTF-8", None).await;
    check(
        &page("| Subject |", "| Theme |"),
        "no column begins with `Subject`",
        None,
    )
    .await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_issue() {
    let losing = |effect| {
        let fault = Fault::new(effect).method("POST").path("/issues$").unwrap();
        fault.user("convenor-bot").once()
    };
    let page = PAGE.replace("## Current", "## Present");
    check(page.as_bytes(), "no heading", Some(losing(Effect::LoseAnswer))).await;
}

#[tokio::test]
async fn a_missing_page_is_named_too() {
    let town = Town::new().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let moved = Change::Move(PAGE_PATH.to_owned(), "content/elsewhere.md".to_owned());
    maintainer.push(HANDBOOK, "main", &[moved], "Tidy up").unwrap();
    town.settle().await;
    let issues = notices(&town);
    assert_eq!(issues.len(), 1);
    let description = issues[0].description.clone().unwrap();
    assert!(description.contains("has no file content/cop.md"), "{description}");
}

#[tokio::test]
async fn the_issue_follows_what_is_found_and_a_persons_close_counts() {
    let town = Town::new().await;
    town.page_becomes(PAGE.replace("## Current", "## Present"));
    town.settle().await;
    town.page_becomes(PAGE.replace("## Past", "## Current"));
    town.settle().await;
    let issue = notices(&town).remove(0);
    assert!(issue.description.as_deref().unwrap().contains("stands on lines"));
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.close_issue(INTAKE, issue.iid).unwrap();
    town.resync().await;
    assert_eq!(notices(&town)[0].state, "closed");
    town.page_becomes(PAGE.replace("## Current", "## Present"));
    town.settle().await;
    assert_eq!(notices(&town).len(), 1);
    assert_eq!(notices(&town)[0].state, "opened");
}

#[tokio::test]
async fn what_few_may_read_is_not_told_to_many() {
    let town = Town::new().await;
    let admin = town.gitlab.admin();
    admin
        .edit_project(HANDBOOK, serde_json::json!({ "visibility": "private" }))
        .unwrap();
    // The bot learns a project's visibility when it starts.
    let mut town = town;
    town.restart().await;
    town.page_becomes(PAGE.replace("## Current", "## Present"));
    town.settle().await;
    assert!(notices(&town)[0].confidential);
}
