//! Malformed rows stay and are reported; a repair is a merge request of its own, and only when somebody asks for it.

use convenor::observe::{Asked, Repair};
use convenor_core::thing::{ProgramName, Thing};

use super::town::{FORM, HANDBOOK, PAGE, PAGE_PATH, Town};

const BRANCH: &str = "convenor/_repair";

fn handbook() -> Thing {
    Thing::Handbook(ProgramName::new("cop").unwrap())
}

async fn asks(town: &Town, page: Repair) {
    let asked = Asked {
        repair: Some(page),
        ..Asked::default()
    };
    town.applies(&handbook(), asked).await;
}

#[tokio::test]
async fn a_malformed_row_is_reported_and_stays() {
    let town = Town::new().await;
    town.opens("proposer", FORM);
    town.settle().await;
    town.merges();
    town.settle().await;
    town.resync().await;
    assert!(town.page("main").contains("| Defending against GitHub]| @darwinjs |"));
    let report = town.report(&handbook()).await;
    for part in ["content/cop.md, line 10: ", "stays as it is", "convenor apply --repair"] {
        assert!(report.contains(part), "{report}");
    }
    assert_eq!(town.open(), []);
}

#[tokio::test]
async fn when_asked_one_merge_request_mends_it_and_is_kept_true() {
    let town = Town::new().await;
    asks(&town, Repair::Page("content/other.md".to_owned())).await;
    assert_eq!(town.open(), [], "another page was meant");
    asks(&town, Repair::Page(PAGE_PATH.to_owned())).await;
    let merge_request = town.merge_request();
    assert_eq!(merge_request.source_branch, BRANCH);
    let shown = town.shown_diff(merge_request.iid);
    assert_eq!(
        shown,
        [
            "-| Defending against GitHub]| @darwinjs |",
            "+| Defending against GitHub| @darwinjs |"
        ]
    );
    // Nobody asks again, and the page moves on.
    town.page_becomes(PAGE.replace("| Kubernetes", "| Elixir | @sam |\n| Kubernetes"));
    town.settle().await;
    assert_eq!(town.shown_diff(town.merge_request().iid), shown);
    town.merges();
    town.settle().await;
    town.resync().await;
    assert_eq!(town.open(), []);
    assert!(town.page("main").contains("| Defending against GitHub| @darwinjs |"));
}

#[tokio::test]
async fn a_persons_no_to_a_repair_counts() {
    let town = Town::new().await;
    asks(&town, Repair::Every).await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer
        .close_merge_request(HANDBOOK, town.merge_request().iid)
        .unwrap();
    town.settle().await;
    asks(&town, Repair::Every).await;
    assert_eq!(town.merge_requests().len(), 1);
}
