//! What was written down to be done is done soon after, or not at all.
//!
//! Whoever comes after a process that died waits as long as a call may take that was sent just after it was written down. A call may
//! wait for its turn for minutes, though, and a database for a disk. So before each is sent it is made sure that it was written
//! down a moment ago by somebody whose work it still is; else it is written down anew, or left.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use convenor_core::ids::{CommitSha, ProjectId};
use convenor_core::plan::Step;
use convenor_core::thing::Thing;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::gitlab::{Permit, Reader, Words, WriteStop};
use crate::store::{JournalId, Lease, Store};

/// What was written down counts so long. With the time to connect and GitLab's own minute it is less than what the brakes wait for.
/// So does what was seen of a branch that is made anew.
const FRESH: SignedDuration = SignedDuration::from_secs(3);

/// What was read before something is told counts so long, where it had to wait for a connection after that.
const READ_LATELY: SignedDuration = SignedDuration::from_secs(10);

/// A database that is slower than that so often in a row does not let anything be sent.
const MOST_RENEWALS: usize = 3;

/// What tells people's text to others: asked whether it may still be told.
#[async_trait]
pub trait MayTell: Send + Sync {
    /// Reads GitLab.
    ///
    /// # Errors
    /// Why nobody knows.
    async fn may_tell(&self) -> Result<bool, Words>;
}

impl fmt::Debug for dyn MayTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked")
    }
}

/// For the steps of one call.
pub(super) struct WrittenDown {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) stop: WriteStop,
    pub(super) thing: Thing,
    pub(super) lease: Option<Lease>,
    /// When the turn is somebody else's.
    pub(super) until: Option<Timestamp>,
    pub(super) entries: Vec<JournalId>,
    /// When they were.
    pub(super) at: Mutex<Timestamp>,
    /// For steps that tell something; asked for the first time before they were written down.
    pub(super) may_tell: Option<Arc<dyn MayTell>>,
    /// When that was asked last.
    pub(super) asked_at: Mutex<Timestamp>,
    /// Looked at each time before it is sent: GitLab takes no condition with a commit that makes a branch anew.
    pub(super) replaced: Vec<Replaced>,
    /// When they were.
    pub(super) seen_at: Mutex<Timestamp>,
    pub(super) reader: Reader,
}

/// A branch that is made anew, as long as nobody has pushed to it.
pub(super) struct Replaced {
    project: ProjectId,
    branch: String,
    head: CommitSha,
}

impl Replaced {
    pub(super) fn by(steps: &[&Step]) -> Vec<Self> {
        let mut replaced = Vec::new();
        for step in steps {
            if let Step::Commit {
                project,
                branch,
                replaces: Some(head),
                ..
            } = step
            {
                replaced.push(Self {
                    project: *project,
                    branch: branch.clone(),
                    head: head.clone(),
                });
            }
        }
        replaced
    }

    async fn is_as_it_was(&self, reader: &Reader) -> Result<(), Words> {
        let name = &self.branch;
        match reader.branch(self.project, name).await {
            Ok(Some(branch)) if branch.commit.id == self.head => Ok(()),
            Ok(Some(_)) => Err(Words::new(format!("somebody has just pushed to the branch {name}"))),
            Ok(None) => Err(Words::new(format!("somebody has just removed the branch {name}"))),
            Err(error) => Err(Words::new(format!(
                "nobody knows whether somebody has pushed to the branch {name}: {error}"
            ))),
        }
    }
}

impl WrittenDown {
    async fn may_still_be_told(&self) -> Result<(), Words> {
        let Some(may_tell) = &self.may_tell else { return Ok(()) };
        let mut asked_at = self.asked_at.lock().await;
        let now = self.clock.now();
        if now.duration_since(*asked_at) < FRESH {
            return Ok(());
        }
        match may_tell.may_tell().await {
            Ok(true) => *asked_at = now,
            Ok(false) => return Err(Words::new("meanwhile it may not be told any more")),
            Err(error) => {
                return Err(Words::new(format!(
                    "nobody knows whether it may still be told: {error}"
                )));
            }
        }
        Ok(())
    }

    async fn branches_are_as_they_were(&self) -> Result<(), Words> {
        for replaced in &self.replaced {
            replaced.is_as_it_was(&self.reader).await?;
        }
        *self.seen_at.lock().await = self.clock.now();
        Ok(())
    }

    async fn branches_were_seen_lately(&self, now: Timestamp) -> Result<(), Words> {
        if self.replaced.is_empty() || now.duration_since(*self.seen_at.lock().await) < FRESH {
            return Ok(());
        }
        Err(Words::new(
            "it waited too long after the look at the branch that it makes anew",
        ))
    }
}

#[async_trait]
impl Permit for WrittenDown {
    async fn confirm(&self) -> Result<(), Words> {
        let (told, pushed) = tokio::join!(self.may_still_be_told(), self.branches_are_as_they_were());
        told.and(pushed)
    }

    async fn renew(&self) -> Result<(), Words> {
        let asked_at = *self.asked_at.lock().await;
        if self.may_tell.is_some() && self.clock.now().duration_since(asked_at) >= READ_LATELY {
            return Err(Words::new("it waited too long to be told unread"));
        }
        let mut at = self.at.lock().await;
        for _ in 0..=MOST_RENEWALS {
            if let Some(reason) = self.stop.reason() {
                return Err(Words::new(reason));
            }
            let now = self.clock.now();
            if self.until.is_some_and(|until| until <= now) {
                return Err(Words::new("its turn is over"));
            }
            if now.duration_since(*at) < FRESH {
                return self.branches_were_seen_lately(now).await;
            }
            let renewed = self
                .store
                .journal_renew(&self.thing, &self.entries, self.lease.as_ref(), now);
            match renewed.await {
                Ok(true) => *at = now,
                Ok(false) => return Err(Words::new("it is somebody else's work by now")),
                Err(error) => {
                    return Err(Words::new(format!("the journal cannot be written: {error}")));
                }
            }
        }
        Err(Words::new("the journal takes too long to be written"))
    }
}
