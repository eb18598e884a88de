//! Deliveries: handing them to the [`writer`](super::writer), reading them.

use convenor_core::thing::Thing;
use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{mpsc, oneshot};

use super::pools::on;
use super::writer::Waiting;
use super::{Store, StoreError, lock};

/// One authentic delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What a repeat of it would have too.
    pub key: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// `X-Gitlab-Event`.
    pub event: Option<String>,
    /// `X-Gitlab-Instance`.
    pub instance: Option<String>,
    /// What it is about, as far as it was understood.
    pub subject: Option<String>,
    /// Why it leads to no look, or to a look at everything.
    pub reason: Option<&'static str>,
    /// What to look at because of it.
    pub things: Vec<Thing>,
    /// Length of the body in bytes.
    pub body_bytes: u64,
    /// What is kept of the body: its beginning, all of it, or nothing.
    pub body: Vec<u8>,
}

/// Whether a delivery was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and its things are knocked at, in one transaction.
    New,
    /// A delivery of the same key is stored already; its things are knocked at soon.
    Repeat,
}

/// A delivery as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredDelivery {
    /// What a repeat of it would have too.
    pub key: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// `X-Gitlab-Event`.
    pub event: Option<String>,
    /// `X-Gitlab-Instance`.
    pub instance: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Why it led to no look, or to a look at everything.
    pub reason: Option<String>,
    /// Keys of the things that it knocked at.
    pub things: Vec<String>,
    /// Length of the body in bytes.
    pub body_bytes: i64,
}

impl Store {
    /// Stores a delivery and knocks at its things, durably and in one transaction, once per key.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at once when too many wait; else what the database said. Nothing is stored then.
    pub async fn accept_delivery(&self, delivery: Delivery) -> Result<Accepted, StoreError> {
        self.ask_writer(|answer| Waiting::New { delivery, answer }).await
    }

    /// Whether a delivery of this key, which came again, is stored already; its things are knocked at soon then. `false`: it may be, and has to be
    /// understood and handed to [`Store::accept_delivery`]; so has each after a write that failed, which tells whether the database takes writes again.
    ///
    /// # Errors
    /// As [`Store::accept_delivery`].
    pub async fn is_repeat(&self, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        if !lock(&self.inner.recent).has(key) || lock(&self.inner.fault).is_some() {
            return Ok(false);
        }
        let key = key.to_owned();
        self.ask_writer(|answer| Waiting::Again { key, now, answer }).await
    }

    /// Hands something to the writer and waits for what it says.
    async fn ask_writer<T>(
        &self,
        waiting: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Waiting,
    ) -> Result<T, StoreError> {
        let sender = lock(&self.inner.intake).clone().ok_or(StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        sender.try_send(waiting(answer)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        drop(sender);
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// The newest deliveries, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn list_deliveries(&self, limit: u32) -> Result<Vec<StoredDelivery>, StoreError> {
        const SQL: &str = "select key, received_at, event, instance, subject, reason, things, body_bytes from delivery \
                           order by received_at desc, key limit $1";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL).bind(i64::from(limit)).fetch_all(connection).await?;
                rows.iter().map(|row| stored!(row)).collect()
            },
            |tables| {
                let mut rows: Vec<_> = tables.deliveries.values().map(|(row, _)| row.clone()).collect();
                rows.sort_by(|one, other| other.received_at.cmp(&one.received_at).then(one.key.cmp(&other.key)));
                rows.truncate(limit as usize);
                Ok(rows)
            }
        )
    }

    /// The delivery of this key with what is kept of its body.
    ///
    /// # Errors
    /// What the database said.
    pub async fn delivery(&self, key: &str) -> Result<Option<(StoredDelivery, Vec<u8>)>, StoreError> {
        const SQL: &str = "select key, received_at, event, instance, subject, reason, things, body_bytes, body \
                           from delivery where key = $1";
        on!(
            self.pools(),
            read,
            |connection| {
                let row = sqlx::query(SQL).bind(key).fetch_optional(connection).await?;
                row.map(|row| Ok((stored!(row)?, row.try_get("body")?))).transpose()
            },
            |tables| Ok(tables.deliveries.get(key).cloned())
        )
    }
}

#[rustfmt::skip]
macro_rules! stored {
    ($row:expr) => {{
        let row = &$row;
        let things: String = row.try_get("things")?;
        Ok::<_, $crate::store::StoreError>($crate::store::StoredDelivery {
            key: row.try_get("key")?,
            received_at: $crate::store::from_ms("delivery", row.try_get("received_at")?)?,
            event: row.try_get("event")?,
            instance: row.try_get("instance")?,
            subject: row.try_get("subject")?,
            reason: row.try_get("reason")?,
            things: things.lines().map(str::to_owned).collect(),
            body_bytes: row.try_get("body_bytes")?,
        })
    }};
}
pub(super) use stored;
