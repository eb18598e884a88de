//! How proposals and communities stand, as it is kept for the figures.

use std::collections::BTreeMap;
use std::time::Duration;

use convenor_core::ids::ProjectId;
use convenor_core::plan::standing::Standing;
use convenor_core::thing::{ProgramName, Thing};

use super::database::{Database, on_both_databases};
use super::house::{Hands, proposal};

on_both_databases! { each_thing_counts_as_it_stood_last }

async fn each_thing_counts_as_it_stood_last(database: Database) {
    let (store, now) = (database.open().await, Hands::new().now());
    let community = Thing::Community(ProgramName::new("other").unwrap(), ProjectId(7));
    let things = [proposal(1), proposal(2), proposal(3), community.clone()];
    store.knock(&things, "test", now).await.unwrap();
    assert_eq!(store.standings().await.unwrap(), BTreeMap::new());
    for (thing, standing) in [
        (proposal(1), Some(Standing::Proposal("ready"))),
        (proposal(2), Some(Standing::Proposal("ready"))),
        (proposal(3), Some(Standing::Proposal("ready"))),
        (community.clone(), Some(Standing::Community("active", "waiting"))),
        (proposal(3), Some(Standing::Proposal("closed"))),
        (community, Some(Standing::Community("active", "listed"))),
        (proposal(2), None),
        // Nobody looks after this one (any more).
        (proposal(4), Some(Standing::Proposal("ready"))),
    ] {
        store.note_standing(&thing, standing).await.unwrap();
    }
    let counted = [
        (("cop".to_owned(), Standing::Proposal("closed")), 1),
        (("cop".to_owned(), Standing::Proposal("ready")), 1),
        (("other".to_owned(), Standing::Community("active", "listed")), 1),
    ];
    assert_eq!(store.standings().await.unwrap(), BTreeMap::from(counted));
    let claim = store.claim(now, Duration::from_secs(30)).await.unwrap().unwrap();
    assert!(store.finish(&claim, now, now).await.unwrap());
    let left: u64 = store.standings().await.unwrap().values().sum();
    assert_eq!(left, 3, "a look that has nothing to say of it leaves it");
}
