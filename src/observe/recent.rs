//! Long listings, kept from one look to those that follow closely: with a thousand proposals open, each look would read ten pages.
//!
//! A listing that fits on one page is never kept: it costs one call, as asking for what is new does.

use std::collections::BTreeMap;
use std::time::Duration;

use convenor_core::ids::{IssueIid, ProjectId};
use convenor_core::plan::labels;
use convenor_core::plan::seen::RivalSeen;
use convenor_core::proposal as form;
use convenor_core::untrusted::Untrusted;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{ObserveError, Observer, address};
use crate::gitlab::{IssueFilter, wire};

/// As many as GitLab puts on a page.
const PAGE: usize = 100;
/// So much of another proposal is read, in characters: its name and purpose stand at the top, and every look at one proposal reads
/// all others.
const MOST_OF_A_RIVAL: usize = 8 * 1024;
/// A database that follows GitLab's own may be so far behind.
const OVERLAP: SignedDuration = SignedDuration::from_secs(10);
/// After so long all is read again: GitLab does not say what was deleted since.
const WHOLE_AGAIN: Duration = Duration::from_secs(600);

/// The open proposals of an intake, while there are more than a page of them.
#[derive(Debug, Default)]
pub(super) struct OpenProposals(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    whole: Instant,
    /// When the last of them changed, by GitLab's clock.
    newest: Timestamp,
    proposals: BTreeMap<IssueIid, RivalSeen>,
}

impl Observer {
    /// Other open proposals of the program, with what they ask for.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub(super) async fn rivals(&self, intake: ProjectId, own: IssueIid) -> Result<Vec<RivalSeen>, ObserveError> {
        let others = |proposals: &BTreeMap<IssueIid, RivalSeen>| {
            let others = proposals.values().filter(|rival| rival.iid != own);
            others.cloned().collect::<Vec<_>>()
        };
        // Looks at the same time share what one of them reads.
        let mut kept = self.open_proposals.0.lock().await;
        if let Some(kept) = kept.as_mut().filter(|kept| kept.whole.elapsed() < WHOLE_AGAIN) {
            let news = IssueFilter {
                updated_after: Some(kept.newest.saturating_sub(OVERLAP).unwrap_or(kept.newest)),
                ..IssueFilter::default()
            };
            kept.take_in(self.reader.issues(intake, &news).await?)?;
            return Ok(others(&kept.proposals));
        }
        let was_long = kept.take().is_some();
        // Where it is short, nobody waits for anybody.
        let held = was_long.then_some(kept);
        let open = IssueFilter {
            opened: true,
            ..IssueFilter::default()
        };
        let whole = Instant::now();
        let issues = self.reader.issues(intake, &open).await?;
        let is_long = issues.len() > PAGE;
        let mut read = Kept {
            whole,
            newest: Timestamp::MIN,
            proposals: BTreeMap::new(),
        };
        read.take_in(issues)?;
        let others = others(&read.proposals);
        if is_long {
            let mut kept = match held {
                Some(held) => held,
                None => self.open_proposals.0.lock().await,
            };
            *kept = Some(read);
        }
        Ok(others)
    }
}

/// Names and addresses of the group's projects, while there are more than a page of them.
#[derive(Debug, Default)]
pub(super) struct Neighbours(Mutex<Option<(Instant, Vec<Neighbour>)>>);

/// A project by its name and address.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub(super) id: ProjectId,
    pub(super) name: Untrusted,
    pub(super) web_url: Url,
}

impl Observer {
    /// The group's projects, to tell whose row a row is; nothing of them is shown to anybody, so they may be some minutes old.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub(super) async fn neighbours(&self) -> Result<Vec<Neighbour>, ObserveError> {
        let mut kept = self.neighbours.0.lock().await;
        if let Some((_, names)) = kept
            .as_ref()
            .filter(|(read, names)| read.elapsed() < kept_for(names.len()))
        {
            return Ok(names.clone());
        }
        let was_long = kept.take().is_some();
        let held = was_long.then_some(kept);
        let read = Instant::now();
        let projects = self.group_projects().await?.into_iter();
        let names: Vec<Neighbour> = projects
            .map(|project| Neighbour {
                id: project.id,
                name: project.name,
                web_url: project.web_url,
            })
            .collect();
        if names.len() > PAGE {
            let mut kept = match held {
                Some(held) => held,
                None => self.neighbours.0.lock().await,
            };
            *kept = Some((read, names.clone()));
        }
        Ok(names)
    }
}

/// So long that reading them takes ten calls a minute.
fn kept_for(projects: usize) -> Duration {
    let pages = u32::try_from(projects.div_ceil(PAGE)).unwrap_or(u32::MAX);
    Duration::from_secs(6).saturating_mul(pages)
}

impl Kept {
    /// Issues as they are now, open or closed.
    fn take_in(&mut self, issues: Vec<wire::Issue>) -> Result<(), ObserveError> {
        for issue in issues {
            self.newest = self.newest.max(issue.updated_at);
            self.proposals.remove(&issue.iid);
            if issue.state == wire::IssueState::Opened && labels::is_proposal(&issue.labels) && !issue.confidential {
                let read = rival(&issue)?;
                self.proposals.extend(read.map(|rival| (issue.iid, rival)));
            }
        }
        Ok(())
    }
}

/// What an issue asks for; `None` when it names no topic.
fn rival(issue: &wire::Issue) -> Result<Option<RivalSeen>, ObserveError> {
    let understood = form::parse(&issue.title, &issue.description.first(MOST_OF_A_RIVAL)).understood;
    let Some(name) = understood.topic else {
        return Ok(None);
    };
    Ok(Some(RivalSeen {
        iid: issue.iid,
        name,
        purpose: understood.purpose.unwrap_or_default(),
        web_url: address(&issue.web_url, "an issue")?,
    }))
}
