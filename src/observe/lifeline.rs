//! What the service lives on: how webhooks fare, and what became of the facilitators' accounts.

use std::collections::BTreeMap;

use convenor_core::charter;
use convenor_core::ids::{UserId, Username};
use convenor_core::lifeline::{Account, Health, HookHealth, Readers};
use convenor_core::plan::init::{self, InitSeen};
use convenor_core::plan::seen::{OwnIssueSeen, ProjectSeen};
use convenor_core::plan::step::HookScope;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::proposal::own_issues_seen;
use super::{ObserveError, Observer};
use crate::gitlab::wire::HookEvent;
use crate::gitlab::{GitLabError, HookOwner, IssueFilter};

/// Deliveries older than this were caught up with by a look at everything long ago.
const LATELY: SignedDuration = SignedDuration::from_hours(2);

/// Webhooks that are asked about at a time; the limits may allow fewer.
const AT_ONCE: usize = 8;

/// A community with the bytes of its charter.
#[derive(Clone, Debug)]
pub struct Chartered {
    /// Its project.
    pub project: ProjectSeen,
    /// Its charter on the default branch.
    pub charter: Vec<u8>,
}

impl Observer {
    /// The program's communities: projects of the group with a charter, neither archived nor about to be deleted.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn communities(&self) -> Result<Vec<Chartered>, ObserveError> {
        let places = self.places().await?;
        let group = &self.program.group;
        let overview = self
            .reader
            .group_overview(places.group.id, group, &[charter::PATH])
            .await?;
        let mut found = Vec::new();
        for project in self.group_projects().await? {
            if places.are_apart(project.id) || project.archived || project.marked_for_deletion {
                continue;
            }
            let files = overview.iter().find(|one| one.id == project.id).map(|one| &one.files);
            let charter = files.and_then(|files| files.first()).map(|file| file.bytes.clone());
            found.extend(charter.map(|charter| Chartered { project, charter }));
        }
        Ok(found)
    }

    /// How our webhooks fared lately, as far as GitLab tells.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn hook_health(&self, setup: &InitSeen, now: Timestamp) -> Result<Vec<HookHealth>, ObserveError> {
        let since = now.checked_sub(LATELY).unwrap_or(Timestamp::MIN);
        let ours: Vec<_> = init::hook_places(setup)
            .filter_map(|(scope, hooks)| Some((scope, init::our_hook(setup, scope, hooks?)?.id)))
            .collect();
        let health = stream::iter(ours)
            .map(|(scope, hook)| async move {
                let owner = match scope {
                    HookScope::Group(group) => HookOwner::Group(group),
                    HookScope::Project(project) => HookOwner::Project(project),
                };
                let events = match self.reader.hook_events(owner, hook).await {
                    Ok(events) => events,
                    // Older versions do not tell, and a hook may go at any time.
                    Err(GitLabError::NotFound { .. } | GitLabError::Forbidden { .. }) => Vec::new(),
                    Err(error) => return Err(ObserveError::from(error)),
                };
                let deliveries = health(events, since);
                Ok(HookHealth {
                    scope,
                    hook,
                    deliveries,
                })
            })
            .buffered(AT_ONCE);
        health.try_collect().await
    }

    /// Who may see the places that notices in the intake project are about, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn readers(&self) -> Result<Readers, ObserveError> {
        let places = self.places().await?;
        let intake = self.visibility_now(places.intake.id).await?;
        let group = self.reader.group(places.group.id).await?.visibility;
        let mut projects = BTreeMap::new();
        for handbook in &places.handbooks {
            let found = self.reader.project(handbook.id).await?;
            // Unlike the readers of a page: what cannot be seen is taken for the narrowest, for it is what is told.
            let visibility = found.and_then(|project| project.visibility).unwrap_or_default();
            projects.insert(handbook.id, visibility);
        }
        let communities = self.group_projects().await?.into_iter();
        projects.extend(communities.map(|project| (project.id, project.visibility)));
        projects.insert(places.intake.id, intake);
        Ok(Readers {
            intake,
            group,
            projects,
        })
    }

    /// What became of an account. `known` is the one that the name was last seen with.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn account(&self, name: &Username, known: Option<UserId>) -> Result<Account, ObserveError> {
        match self.reader.user_by_username(name).await? {
            Some(user) if user.bot => return Ok(Account::Bot),
            Some(user) if user.is_active() => {
                return Ok(match known.is_none_or(|known| known == user.id) {
                    true => Account::Active(user.id),
                    false => Account::Another,
                });
            }
            Some(_) => return Ok(Account::Blocked),
            None => {}
        }
        let Some(known) = known else { return Ok(Account::Gone) };
        let user = self.reader.user(known).await?;
        Ok(user.map_or(Account::Gone, |user| Account::Renamed(user.username)))
    }

    /// Issues in the intake project that we opened, closed ones too.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn own_intake_issues(&self) -> Result<Vec<OwnIssueSeen>, ObserveError> {
        let places = self.places().await?;
        let ours = IssueFilter {
            author_id: Some(places.bot.id),
            ..IssueFilter::default()
        };
        own_issues_seen(self.reader.issues(places.intake.id, &ours).await?, places.bot.id)
    }
}

fn health(mut events: Vec<HookEvent>, since: Timestamp) -> Health {
    events.retain(|event| event.created_at.is_none_or(|at| at >= since));
    events.sort_by_key(|event| (event.created_at, event.id));
    let mut health = Health::default();
    for event in events {
        health.last_at = event.created_at.or(health.last_at);
        // Redirects count as a success for GitLab, and reach nobody.
        if event.response_status.starts_with('2') {
            health.arrived += 1;
            health.failed_since = 0;
        } else {
            health.failed += 1;
            health.failed_since += 1;
            health.last_failure = Some(event.response_status);
        }
    }
    health
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_count_until_a_delivery_arrives_again() {
        let event = |id: u64, status: &str, at: &str| {
            let value = json!({ "id": id, "trigger": "push_hooks", "response_status": status, "created_at": at });
            serde_json::from_value::<HookEvent>(value).unwrap()
        };
        let events = vec![
            event(4, "internal error", "2026-01-01T10:03:00Z"),
            event(3, "401", "2026-01-01T10:02:00Z"),
            event(2, "200", "2026-01-01T10:01:00Z"),
            event(1, "500", "2026-01-01T10:00:00Z"),
            event(0, "500", "2025-12-01T10:00:00Z"),
        ];
        let health = health(events, "2026-01-01T09:00:00Z".parse().unwrap());
        assert_eq!((health.arrived, health.failed, health.failed_since), (1, 3, 2));
        assert_eq!(health.last_failure.as_deref(), Some("internal error"));
    }
}
