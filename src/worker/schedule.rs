//! What happens without a webhook: every program is looked at from time to time, and old deliveries are forgotten.

use std::time::Duration;

use convenor_core::thing::Thing;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// How often old deliveries are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Knocks at every program at the start and then on a schedule.
pub struct Schedule {
    /// Where to knock.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Every program.
    pub programs: Vec<Thing>,
    /// Time from one full look to the next.
    pub resync: Duration,
    /// How long deliveries are kept.
    pub keep_deliveries: Duration,
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

    /// Forgets deliveries that are older than they are kept.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(&self) -> Result<(), StoreError> {
        let keep = jiff::SignedDuration::try_from(self.keep_deliveries).unwrap_or(jiff::SignedDuration::MAX);
        let Ok(before) = self.clock.now().checked_sub(keep) else {
            return Ok(());
        };
        let forgotten = self.store.forget_deliveries(before).await?;
        if forgotten > 0 {
            tracing::info!(deliveries = forgotten, "old deliveries were forgotten");
        }
        Ok(())
    }
}
