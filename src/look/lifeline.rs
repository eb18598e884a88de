//! The look at what the service lives on.

use std::collections::BTreeMap;

use convenor_core::charter;
use convenor_core::doctor::TokenSeen;
use convenor_core::lifeline::{self, FacilitatorSeen, LifelineSeen};
use convenor_core::plan::{Plan, Premise};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{PlanError, Planner};
use crate::observe::{Chartered, Observer};

/// A webhook that was renewed within this time is not renewed again: GitLab shows only later what came of it.
const RENEWED_LATELY: SignedDuration = SignedDuration::from_mins(50);

impl Planner {
    pub(super) async fn lifeline(&self, observer: &Observer) -> Result<(Plan, Premise), PlanError> {
        let (program, now) = (observer.program(), self.clock.now());
        // What is told goes by this alone, so that a change before the telling makes the plan void.
        let readers = observer.readers().await?;
        let made = self.store.made_setup(&program.name).await?;
        let own = self.webhooks.clone().with_made(&made);
        let setup = observer.setup(&own).await?;
        let health = observer.hook_health(&setup, now).await?;
        let since = now.checked_sub(RENEWED_LATELY).unwrap_or(Timestamp::MIN);
        let renewed_lately = self.store.count_steps(&program.name, "update_hook", since).await?;
        let token = observer
            .reader()
            .token_self()
            .await
            .map_err(crate::observe::ObserveError::from)?;
        let places = observer.places().await?;
        let seen = LifelineSeen {
            bot: places.bot.id,
            intake: places.intake.id,
            issues: observer.own_intake_issues().await?,
            setup,
            health,
            renewed_lately,
            token: token.map(|token| TokenSeen {
                scopes: token.scopes,
                expires_at: token.expires_at,
            }),
            today: now.to_zoned(TimeZone::UTC).date(),
            facilitators: self.facilitators(observer).await?,
            readers: readers.clone(),
        };
        Ok((lifeline::plan(program, &seen), Premise::Lifeline(readers)))
    }

    async fn facilitators(&self, observer: &Observer) -> Result<Vec<FacilitatorSeen>, PlanError> {
        let mut seen = Vec::new();
        let mut accounts = BTreeMap::new();
        for Chartered { project, charter } in observer.communities().await? {
            let Ok(charter) = charter::read(&charter) else { continue };
            for username in charter.facilitators {
                let known = self.store.known_person(&username).await?;
                let account = match accounts.get(&username.key()) {
                    Some(account) => Clone::clone(account),
                    None => observer.account(&username, known).await?,
                };
                accounts.insert(username.key(), account.clone());
                seen.push(FacilitatorSeen {
                    community: charter.name.clone(),
                    project: project.id,
                    url: project.web_url.clone(),
                    username,
                    account,
                    known,
                });
            }
        }
        Ok(seen)
    }
}
