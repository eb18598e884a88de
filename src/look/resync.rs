//! The look at a whole program: reads at once what its communities are like, and asks for looks at those that are not as they were.

use std::collections::BTreeSet;
use std::time::Duration;

use convenor_core::plan::resync::Known;
use convenor_core::thing::Thing;

use super::{PlanError, Planner};
use crate::observe::Observer;

/// The group's projects are listed so often at least, whatever GitLab's count of them says.
const LISTED_EVERY: Duration = Duration::from_secs(3600);

impl Planner {
    /// What of a program has to be looked at: its open proposals, its pages, and communities that may have changed.
    pub(super) async fn resync(&self, observer: &Observer) -> Result<Vec<Thing>, PlanError> {
        let program = observer.program();
        let proposals = observer.proposal_iids().await?;
        let known = self.known(observer).await?;
        let seen = observer.overview(&known).await?;
        let mut communities = seen.due(&known);
        let due = communities.len();
        let listing = format!("list {}", program.name);
        if !seen.is_whole() || self.store.take_turn(&listing, self.clock.now(), LISTED_EVERY).await? {
            let ids: BTreeSet<_> = known.iter().map(|known| known.project).collect();
            let all = observer.community_ids().await?;
            communities.extend(all.into_iter().filter(|id| !ids.contains(id)));
        }
        tracing::info!(
            program = %program.name,
            known = known.len(),
            read = seen.projects.len(),
            changed = due,
            new = communities.len() - due,
            "compared what is with what was looked at"
        );
        let name = &program.name;
        let proposals = proposals.into_iter().map(|issue| Thing::Proposal(name.clone(), issue));
        let communities = communities.into_iter().map(|id| Thing::Community(name.clone(), id));
        let handbook = (!program.handbooks.is_empty()).then(|| Thing::Handbook(name.clone()));
        Ok(proposals.chain(communities).chain(handbook).collect())
    }

    /// What is known of the program's communities. The intake and the handbook are none, whoever asked for a look at them.
    async fn known(&self, observer: &Observer) -> Result<Vec<Known>, PlanError> {
        let places = observer.places().await?;
        let mut known = self.store.known_communities(&observer.program().name).await?;
        known.retain(|known| !places.are_apart(known.project));
        Ok(known)
    }
}
