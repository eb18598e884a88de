//! How many merge requests a maintainer gets at a time: so many open, so many an hour, and who waited longest goes first.

use std::time::Duration;

use convenor_core::ids::ProjectId;
use convenor_core::thing::{ProgramName, Thing};

use super::town::{FORM, GROUP, HANDBOOK, Town};

const NAMES: [&str; 5] = ["Zig", "Observability", "Accessibility", "Testing", "Python"];

fn proposes(town: &Town, name: &str) -> u64 {
    town.opens("proposer", &FORM.replace("Rust at Work", name))
}

/// Branches of the open merge requests, oldest first.
fn open(town: &Town) -> Vec<String> {
    town.open().into_iter().map(|mr| mr.source_branch).collect()
}

fn branch(name: &str) -> String {
    format!("convenor/{}", name.to_lowercase())
}

fn community(town: &Town, name: &str) -> Thing {
    let project = town
        .gitlab
        .project(&format!("{GROUP}/{}", name.to_lowercase()))
        .unwrap();
    Thing::Community(ProgramName::new("cop").unwrap(), ProjectId(project.id))
}

/// One after the other, so that it is known who came first.
async fn proposed(town: &Town) {
    for name in NAMES {
        proposes(town, name);
        town.settle().await;
    }
}

#[tokio::test]
async fn so_many_are_open_and_who_waited_longest_goes_first() {
    let town = Town::with_manners("max_open = 2\n").await;
    proposed(&town).await;
    assert_eq!(open(&town), [branch(NAMES[0]), branch(NAMES[1])]);
    let report = town.report(&community(&town, NAMES[3])).await;
    assert!(
        report.contains("waits: limit of merge requests: 2 of 2 are open (`max_open`), and one other goes first"),
        "{report}"
    );
    let branches = town.gitlab.branches(HANDBOOK);
    assert!(
        !branches.contains(&branch(NAMES[2])),
        "who waits makes no branch: {branches:?}"
    );
    let maintainer = town.gitlab.person("maintainer").unwrap();
    for (waiting, next) in [(0, 2), (1, 3), (2, 4)] {
        // Whoever comes by in between does not take the place.
        let passing = community(&town, NAMES[4]);
        town.store.knock(&[passing], "passing", town.now()).await.unwrap();
        let merged = town
            .open()
            .into_iter()
            .find(|mr| mr.source_branch == branch(NAMES[waiting]))
            .unwrap();
        maintainer.merge(HANDBOOK, merged.iid).unwrap();
        town.settle().await;
        assert!(open(&town).contains(&branch(NAMES[next])), "{next}: {:?}", open(&town));
        assert!(open(&town).len() <= 2);
    }
    assert_eq!(town.merge_requests().len(), NAMES.len());
}

#[tokio::test]
async fn so_many_are_opened_within_an_hour() {
    let town = Town::with_manners("max_per_hour = 2\nmax_open = 0\n").await;
    proposed(&town).await;
    assert_eq!(open(&town).len(), 2);
    let report = town.report(&community(&town, NAMES[2])).await;
    assert!(
        report.contains("2 of 2 were opened within the last hour (`max_per_hour`)"),
        "{report}"
    );
    town.gitlab.advance(jiff::SignedDuration::from_mins(61));
    town.forward(Duration::from_secs(61 * 60));
    town.resync().await;
    assert_eq!(open(&town)[2..], [branch(NAMES[2]), branch(NAMES[3])]);
}

#[tokio::test]
async fn the_limit_holds_when_many_look_at_once() {
    let town = Town::with_manners("max_open = 3\n").await;
    for number in 0..8 {
        proposes(&town, &format!("Community {}", char::from(b'a' + number)));
    }
    town.settle_side_by_side().await;
    assert_eq!(open(&town).len(), 3);
    town.resync().await;
    assert_eq!(open(&town).len(), 3);
}

#[tokio::test]
async fn who_waits_keeps_the_place_over_a_restart() {
    let mut town = Town::with_manners("max_open = 2\n").await;
    proposed(&town).await;
    town.restart().await;
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.close_merge_request(HANDBOOK, town.open()[0].iid).unwrap();
    town.settle().await;
    assert_eq!(open(&town), [branch(NAMES[1]), branch(NAMES[2])]);
}
