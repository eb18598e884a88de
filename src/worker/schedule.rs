//! What happens without a webhook: every program is looked at from time to time, and old deliveries are forgotten.

use std::time::Duration;

use convenor_core::thing::Thing;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Forgotten, Store, StoreError};

/// How often it is looked for what is to be forgotten. One turn is bounded, so it comes more often than it has to.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// Knocks at every program at the start and then on a schedule.
pub struct Schedule {
    /// Where to knock.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Every program.
    pub programs: Vec<Thing>,
    /// What is knocked at only at the start: its looks name their next one.
    pub lifelines: Vec<Thing>,
    /// Time from one full look to the next.
    pub resync: Duration,
    /// What is kept, and how long.
    pub retention: Retention,
}

/// What is kept of what came in and what was done.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// How long deliveries are kept.
    pub deliveries: Duration,
    /// How many bytes they may take; the oldest go first.
    pub delivery_bytes: u64,
    /// How long the journal is kept.
    pub journal: Duration,
}

impl Schedule {
    /// Runs until `stop`. Every instance begins with a look at everything; after that they take turns.
    pub async fn run(&self, stop: CancellationToken) {
        let mut resync = tokio::time::interval(self.resync);
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
        for interval in [&mut resync, &mut housekeeping] {
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        let mut is_first = true;
        loop {
            let done = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = resync.tick() => self.knock_in_turn(std::mem::take(&mut is_first)).await,
                _ = housekeeping.tick() => self.forget().await,
            };
            match done {
                Ok(()) => {}
                Err(StoreError::Closed) => return,
                Err(error) => tracing::error!(%error, "the schedule could not be kept; it goes on at its next time"),
            }
        }
    }

    async fn knock_in_turn(&self, whoever: bool) -> Result<(), StoreError> {
        // A little less than the whole time: timers are not exact, and a turn that comes a moment early must count.
        let every = if whoever {
            Duration::ZERO
        } else {
            self.resync.mul_f64(0.9)
        };
        if self.store.take_turn("resync", self.clock.now(), every).await? {
            self.knock().await?;
        }
        if whoever {
            self.store.knock(&self.lifelines, "start", self.clock.now()).await?;
        }
        Ok(())
    }

    /// Asks for a look at every program now.
    ///
    /// # Errors
    /// What the database said.
    pub async fn knock(&self) -> Result<(), StoreError> {
        if self.programs.is_empty() {
            return Ok(());
        }
        self.store.knock(&self.programs, "schedule", self.clock.now()).await
    }

    /// Forgets deliveries and entries of the journal that are older than they are kept, and deliveries that are too many.
    /// Instances take turns.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.store.take_turn("forget", now, HOUSEKEEPING.mul_f64(0.9)).await? {
            return Ok(());
        }
        let Retention {
            deliveries,
            delivery_bytes,
            journal,
        } = self.retention;
        if let Some(before) = earlier(now, deliveries) {
            tell("old deliveries", self.store.forget_deliveries(before).await?);
        }
        if let Some(before) = earlier(now, journal) {
            tell("old entries of the journal", self.store.forget_journal(before).await?);
        }
        // The longest of them: it counts all deliveries.
        tell(
            "deliveries beyond their room",
            self.store.forget_beyond(delivery_bytes).await?,
        );
        Ok(())
    }
}

fn earlier(now: Timestamp, by: Duration) -> Option<Timestamp> {
    now.checked_sub(jiff::SignedDuration::try_from(by).ok()?).ok()
}

fn tell(what: &'static str, forgotten: Forgotten) {
    if forgotten.rows > 0 {
        let Forgotten { rows, more } = forgotten;
        tracing::info!(rows, more, "{what} were forgotten");
    }
}
