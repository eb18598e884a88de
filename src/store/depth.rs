//! How much work waits, for whoever watches.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;

use super::pools::on;
use super::{Store, StoreError, to_ms};

/// How many things are in which state, and how long the first of them has waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct QueueDepth {
    /// Looked at when they are due; nobody looks now.
    pub ready: u64,
    /// Somebody looks at them now.
    pub looking: u64,
    /// Too many looks failed.
    pub failed: u64,
    /// A person has to release them.
    pub held: u64,
    /// Of those that are ready: due, and nobody looks yet.
    pub due: u64,
    /// How long the one that waits longest has been due; zero when none is.
    pub oldest_due_age: Duration,
}

impl Store {
    /// How much work waits at `now`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn queue_depth(&self, now: Timestamp) -> Result<QueueDepth, StoreError> {
        const BY_STATE: &str = "select state, case when lease is null then 'waits' else 'held' end as lease, count(*) as things \
             from work group by 1, 2";
        const DUE: &str = "select count(*) as things, min(due_at) as oldest from work \
             where state = 'ready' and lease is null and due_at <= $1";
        let mut depth = QueueDepth::default();
        on!(self.pools(), read, |connection| {
            for row in sqlx::query(BY_STATE).fetch_all(&mut *connection).await? {
                let (state, lease): (String, String) = (row.try_get("state")?, row.try_get("lease")?);
                let things = positive(row.try_get("things")?);
                match (state.as_str(), lease.as_str()) {
                    ("held", _) => depth.held += things,
                    ("failed", _) => depth.failed += things,
                    (_, "held") => depth.looking += things,
                    _ => depth.ready += things,
                }
            }
            let row = sqlx::query(DUE).bind(to_ms(now)).fetch_one(connection).await?;
            depth.due = positive(row.try_get("things")?);
            let oldest: Option<i64> = row.try_get("oldest")?;
            depth.oldest_due_age = oldest.map_or(Duration::ZERO, |oldest| {
                Duration::from_millis(positive(to_ms(now).saturating_sub(oldest)))
            });
        });
        Ok(depth)
    }
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
