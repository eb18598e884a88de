//! Several handbook pages: tables of different shape, and a generated directory.

use gitlab_sandbox::Config;

use super::town::{FORM, HANDBOOK, PAGE, PAGE_PATH, Town, one_more_line, one_page};

const EMEA: &str = "content/emea.md";
const EMEA_PAGE: &str =
    "# EMEA\n\n## Groups\n\n| Group | Who | Meets | About |\n|---|---|---|---|\n| Kayaking | Kim | Fridays | Water |\n";
const LIST: &str = "content/all.md";
const LIST_PAGE: &str = "# All\r\n\r\nBefore.\r\n\r\n<!-- convenor directory begin -->\r\n<!-- convenor directory end -->\r\n\r\nAfter — ever\t\r\n";

async fn town() -> Town {
    let pages = format!(
        "{}\n[[program.handbook]]\nproject = \"{HANDBOOK}\"\npage = \"{EMEA}\"\nheading = \"Groups\"\nname = \"emea\"\n\
         labels = [\"emea\"]\ncolumns = {{ Group = \"**[{{{{name}}}}]({{{{url}}}})**\", Who = \"{{{{facilitators}}}}\", \
         Meets = \"{{{{cadence}}}}\", About = \"{{{{summary}}}}\" }}\n\
         [[program.handbook]]\ntype = \"directory\"\nproject = \"{HANDBOOK}\"\npage = \"{LIST}\"\n",
        one_page("").replace("[program.handbook]", "[[program.handbook]]"),
    );
    let town = Town::with_pages(Config::default(), &[], &pages).await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.push_file(HANDBOOK, "main", EMEA, EMEA_PAGE).unwrap();
    maintainer.push_file(HANDBOOK, "main", LIST, LIST_PAGE).unwrap();
    town.settle().await;
    town
}

fn merges(town: &Town, branch: &str) {
    let open = town.open();
    let found = open.iter().find(|mr| mr.source_branch == branch);
    let iid = found.unwrap_or_else(|| panic!("{branch} is not among {open:?}")).iid;
    town.gitlab.person("maintainer").unwrap().merge(HANDBOOK, iid).unwrap();
}

fn text(town: &Town, branch: &str, path: &str) -> String {
    town.gitlab.text(HANDBOOK, branch, path).unwrap()
}

#[tokio::test]
async fn each_page_has_its_own_columns_branch_and_merge_request() {
    let town = town().await;
    let empty = text(&town, "convenor/_directory_cop", LIST);
    assert!(empty.contains("No communities yet."), "{empty}");
    merges(&town, "convenor/_directory_cop");
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let mut branches: Vec<_> = town.open().into_iter().map(|mr| mr.source_branch).collect();
    branches.sort();
    let expected = [
        "convenor/_directory_cop",
        "convenor/rust-at-work",
        "convenor/rust-at-work_emea",
    ];
    assert_eq!(branches, expected);
    let line = one_more_line(
        EMEA_PAGE.as_bytes(),
        text(&town, "convenor/rust-at-work_emea", EMEA).as_bytes(),
    );
    assert!(
        line.starts_with("| **[Rust at Work](") && line.contains("| Monthly, first Tuesday"),
        "{line}"
    );
    town.added_line("convenor/rust-at-work");
    merges(&town, "convenor/rust-at-work");
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::approved"], "the other page waits");
    merges(&town, "convenor/rust-at-work_emea");
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::active"]);
    town.resync().await;
    assert_eq!(town.open().len(), 1, "the directory's");
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_directory_is_kept_true_between_its_markers() {
    let town = town().await;
    merges(&town, "convenor/_directory_cop");
    town.opens("proposer", FORM);
    town.settle().await;
    let new = text(&town, "convenor/_directory_cop", LIST);
    let (before, rest) = new.split_once("begin -->\r\n").unwrap();
    let (between, after) = rest.split_once("<!-- convenor directory end").unwrap();
    assert_eq!(
        format!("{before}begin -->\r\n<!-- convenor directory end{after}"),
        LIST_PAGE
    );
    assert!(
        between.contains("| [Rust at Work](") && between.contains("@darwinjs"),
        "{between}"
    );
    merges(&town, "convenor/_directory_cop");
    town.settle().await;
    town.resync().await;
    let open = town.open();
    assert!(
        open.iter().all(|mr| mr.source_branch != "convenor/_directory_cop"),
        "{open:?}"
    );
    // A charter changes, and so does the directory.
    let charter = town.charter("rust-at-work");
    town.charter_becomes("rust-at-work", &charter.replace("[darwinjs, brianwald]", "[alice]"));
    town.settle().await;
    assert!(text(&town, "convenor/_directory_cop", LIST).contains("@alice"));
}

#[tokio::test]
async fn what_a_person_said_no_to_is_not_generated_again_until_a_charter_changes() {
    let town = town().await;
    let found = town
        .open()
        .into_iter()
        .find(|mr| mr.source_branch == "convenor/_directory_cop");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.close_merge_request(HANDBOOK, found.unwrap().iid).unwrap();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.open(), []);
    town.opens("proposer", FORM);
    town.settle().await;
    assert!(text(&town, "convenor/_directory_cop", LIST).contains("[Rust at Work]("));
}

#[tokio::test]
async fn without_its_markers_the_page_is_left_alone_and_one_issue_says_so() {
    let town = town().await;
    merges(&town, "convenor/_directory_cop");
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.push_file(HANDBOOK, "main", LIST, "# All\n").unwrap();
    town.opens("proposer", FORM);
    town.settle().await;
    town.resync().await;
    assert_eq!(text(&town, "main", LIST), "# All\n");
    let issues = town.gitlab.issues(super::town::INTAKE).unwrap();
    let notices: Vec<_> = issues
        .iter()
        .filter(|issue| issue.title.contains("cannot be edited"))
        .collect();
    assert_eq!(notices.len(), 1, "{issues:?}");
    assert!(
        notices[0]
            .description
            .as_deref()
            .unwrap_or_default()
            .contains("convenor directory begin")
    );
    // The other pages go on.
    assert_eq!(town.open().len(), 2);
    assert_eq!(
        one_more_line(PAGE.as_bytes(), &town.page_bytes("convenor/rust-at-work"))
            .matches("Rust")
            .count(),
        1
    );
    assert!(town.gitlab.file(HANDBOOK, "main", PAGE_PATH).is_some());
}
