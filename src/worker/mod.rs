//! Who looks at what, and when again: leases, order, retries. It knows no rule of any community.
//!
//! A worker takes the thing that has been due longest (or, by turns, the newest of a crowd), lets a [`Looker`] look at it while it keeps the lease alive, and writes
//! down when to look next. Two workers never look at one thing: the lease is the thing's row, and an answer without it is
//! refused. A look that loses its lease is stopped at once.

mod backoff;
mod schedule;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use convenor_core::thing::Thing;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::settings::WorkerSettings;
use crate::store::{Claim, Order, Rest, Store, StoreError};
use crate::telemetry::metrics::{self, Ending};
use crate::telemetry::traces;

pub use schedule::{Retention, Schedule};

/// The net under the wake-ups: work that another process stored, or that became due by time, is seen this late at most.
const POLL: Duration = Duration::from_secs(1);

/// So long after a community's project was made, looks at it belong to the trace of its making.
const NEW_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Looks at things. One look observes, decides, acts, and says when to look again.
pub trait Looker: Send + Sync + 'static {
    /// Looks at the thing of a claim. The future is dropped when the lease is lost or time is up at a stop: every step has to
    /// be safe to repeat.
    fn look(&self, claim: &Claim) -> impl Future<Output = Look> + Send;
}

/// How a look ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// All is as it should be.
    Done {
        /// When to look next, from now.
        next: Duration,
        /// What the thing is like, when it is at rest.
        rest: Option<Rest>,
    },
    /// Time may mend it.
    Retry {
        /// How long whoever refused asked us to wait (`Retry-After`); such a look does not count as a failed attempt.
        after: Option<Duration>,
        /// What failed, with its causes.
        error: String,
    },
    /// A person has to mend it; nothing looks at the thing until an operator releases it.
    Hold {
        /// Why, and what would mend it.
        reason: String,
    },
}

/// Looks at whatever is due.
pub struct Worker<L> {
    store: Store,
    looker: Arc<L>,
    clock: Clock,
    settings: WorkerSettings,
    /// Claims so far: every other one goes to whoever came last.
    claims: Arc<AtomicUsize>,
}

impl<L> Clone for Worker<L> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            looker: self.looker.clone(),
            clock: self.clock.clone(),
            settings: self.settings,
            claims: self.claims.clone(),
        }
    }
}

/// What one step of a worker did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// At what it looked.
    pub thing: Thing,
    /// How that ended; `None` when the lease was lost meanwhile and somebody else looks.
    pub look: Option<Look>,
}

impl<L: Looker> Worker<L> {
    /// A worker that looks with `looker`.
    #[must_use]
    pub fn new(store: Store, looker: Arc<L>, clock: Clock, settings: WorkerSettings) -> Self {
        Self {
            store,
            looker,
            clock,
            settings,
            claims: Arc::default(),
        }
    }

    /// Looks at whatever is due, with as many tasks as the settings say, until `stop`; then ends the looks in hand.
    ///
    /// When the future is dropped the looks in hand are dropped too; their leases end by themselves.
    pub async fn run(&self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for _ in 0..self.settings.workers {
            let (worker, stop) = (self.clone(), stop.clone());
            tasks.spawn(async move { worker.run_one(stop).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Looks at the one thing that has been due longest, or, every other time while many wait, that came last; `None` when nothing
    /// is due. Tests and the demo run this until nothing is left, and never sleep.
    ///
    /// # Errors
    /// What the database said. A look that was done is then repeated when its lease has ended.
    pub async fn run_due_once(&self) -> Result<Option<Looked>, StoreError> {
        let Some(claim) = self.claim().await? else {
            return Ok(None);
        };
        // There may be more: another worker shall see at once.
        self.store.wake();
        self.look_at_claimed(claim).await.map(Some)
    }

    /// In two orders by turns, so that neither those who wait nor whoever comes next are starved by a crowd.
    async fn claim(&self) -> Result<Option<Claim>, StoreError> {
        let (now, lease) = (self.clock.now(), self.settings.lease);
        if self.claims.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            let newcomer = self.store.claim_first(Order::NewestFirst, now, lease).await?;
            if newcomer.is_some() {
                return Ok(newcomer);
            }
        }
        self.store.claim_first(Order::LongestDue, now, lease).await
    }

    /// Looks at this thing now, whatever else is due; `None` when somebody else looks at it, or it is held.
    ///
    /// # Errors
    /// As [`Worker::run_due_once`].
    pub async fn look_now(&self, thing: &Thing, cause: &str) -> Result<Option<Looked>, StoreError> {
        let now = self.clock.now();
        self.store.knock(std::slice::from_ref(thing), cause, now).await?;
        let Some(claim) = self.store.claim_thing(thing, now, self.settings.lease).await? else {
            return Ok(None);
        };
        self.look_at_claimed(claim).await.map(Some)
    }

    async fn look_at_claimed(&self, claim: Claim) -> Result<Looked, StoreError> {
        let began = Instant::now();
        let look = self.look_while_leased(&claim).await;
        let Some(look) = look else {
            tracing::warn!(thing = %claim.thing, "the lease was lost during a look; its answer is dropped");
            metrics::looked(&claim.thing, Ending::Unknown, began.elapsed());
            return Ok(Looked {
                thing: claim.thing,
                look: None,
            });
        };
        let kept = self.write_down(&claim, &look).await?;
        log_look(&claim, &look, began.elapsed());
        metrics::looked(&claim.thing, ending(&look), began.elapsed());
        Ok(Looked {
            thing: claim.thing,
            look: kept.then_some(look),
        })
    }

    async fn run_one(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.run_due_once().await {
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(StoreError::Closed) => return,
                Err(error) => tracing::error!(%error, "work could not be taken or written down"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.store.knocked() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Runs the look and keeps the lease alive; `None` when the lease is lost.
    async fn look_while_leased(&self, claim: &Claim) -> Option<Look> {
        let (looker, claimed) = (self.looker.clone(), claim.clone());
        let origin = self.origin(&claim.thing).await;
        let span = traces::look(&claim.thing, &claim.cause, origin.as_deref());
        // A task of its own: a panic in one look is that look's failure and nobody else's.
        let mut look = tokio::spawn(async move { looker.look(&claimed).await }.instrument(span));
        let _stop_when_dropped = AbortOnDrop(look.abort_handle());
        let beat = self.settings.lease / 3;
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                biased;
                ended = &mut look => return Some(ended.unwrap_or_else(|error| panicked(&error))),
                () = tokio::time::sleep(beat) => {}
            }
            match self.store.renew(claim, self.clock.now(), self.settings.lease).await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => return None,
                // The lease still holds for a while; with a beat to spare before it ends, the look has to stop.
                Err(error) if renewed.elapsed() + beat < self.settings.lease => {
                    tracing::warn!(%error, thing = %claim.thing, "a lease could not be prolonged");
                }
                Err(_) => return None,
            }
        }
    }

    /// What made a community that is new: the webhooks that GitLab sends about our own writes would else begin traces of their own.
    async fn origin(&self, thing: &Thing) -> Option<String> {
        let Thing::Community(_, project) = thing else {
            return None;
        };
        if !traces::are_on() {
            return None;
        }
        let since = self.clock.now().checked_sub(NEW_FOR).ok()?;
        let cause = self.store.cause_of_project(*project, since).await;
        // A trace is not worth a failed look.
        cause.unwrap_or_default()
    }

    /// `false` when the lease is lost.
    async fn write_down(&self, claim: &Claim, look: &Look) -> Result<bool, StoreError> {
        let now = self.clock.now();
        match look {
            Look::Done { next, rest } => {
                let next = later(now, *next);
                self.store.finish_as(claim, now, next, rest.as_ref()).await
            }
            Look::Hold { reason } => self.store.hold(claim, now, reason).await,
            Look::Retry { after: None, error } if claim.attempts + 1 >= self.settings.attempts => {
                self.store.give_up(claim, now, error).await
            }
            Look::Retry { after, error } => {
                let delay = backoff::delay(claim.attempts, *after, fastrand::f64());
                self.store.retry(claim, now, error, later(now, delay)).await
            }
        }
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panicked(error: &tokio::task::JoinError) -> Look {
    // Its own words may quote people's text; where it happened is logged by the panic itself.
    tracing::error!(panicked = error.is_panic(), "a look ended badly");
    Look::Retry {
        after: None,
        error: "the look ended badly; this is a fault of Convenor".to_owned(),
    }
}

fn later(now: Timestamp, delay: Duration) -> Timestamp {
    let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
    now.saturating_add(delay).unwrap_or(Timestamp::MAX)
}

fn ending(look: &Look) -> Ending {
    match look {
        Look::Done { .. } => Ending::Done,
        Look::Retry { .. } => Ending::Failed,
        Look::Hold { .. } => Ending::Held,
    }
}

fn log_look(claim: &Claim, look: &Look, took: Duration) {
    let thing = &claim.thing;
    let (program, kind, cause) = (thing.program(), thing.kind(), &claim.cause);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match look {
        Look::Done { next, .. } => {
            tracing::info!(%thing, %program, kind, cause, duration_ms, next_s = next.as_secs(), "looked");
        }
        Look::Retry { error, .. } => {
            tracing::warn!(%thing, %program, kind, cause, duration_ms, attempts = claim.attempts + 1, error, "a look failed");
        }
        Look::Hold { reason } => {
            tracing::error!(%thing, %program, kind, cause, duration_ms, reason, "held: a person has to mend this");
        }
    }
}
