//! Deliveries, and the one writer that stores them together with the work they cause.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use convenor_core::thing::Thing;
use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::pools::{Pools, in_transaction, on, portions};
use super::work::{Knocks, write_knocks};
use super::{Store, StoreError, from_ms, lock, to_ms};

/// Deliveries that may wait to be stored; a further one is refused, so that memory stays bounded.
pub(super) const QUEUE: usize = 1024;
/// Deliveries in one transaction. More would not be faster and would hold other writers off.
const BATCH: usize = 256;
/// How long the knocks of repeated deliveries may wait for company: they cause no flush of their own.
const REPEATS_WAIT: Duration = Duration::from_secs(1);

/// Rows that are deleted in one transaction: deliveries that come in wait for it.
const FORGOTTEN_AT_ONCE: i64 = 500;

const INSERT: &str = "insert into delivery \
     (key, received_at, event, instance, subject, reason, things, body_bytes, body) ";

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
    /// The body's beginning, or all of it.
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

/// A delivery that waits for its transaction, and who waits for the answer.
pub(super) struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Accepted, StoreError>>,
}

impl Store {
    /// Stores a delivery and knocks at its things, durably and in one transaction, once per key.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at once when too many wait; else what the database said. Nothing is stored then.
    pub async fn accept_delivery(&self, delivery: Delivery) -> Result<Accepted, StoreError> {
        let sender = lock(&self.inner.intake).clone().ok_or(StoreError::Closed)?;
        let (answer, accepted) = oneshot::channel();
        sender
            .try_send(Waiting { delivery, answer })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            })?;
        drop(sender);
        accepted.await.map_err(|_| StoreError::Closed)?
    }

    /// The newest deliveries, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn list_deliveries(&self, limit: u32) -> Result<Vec<StoredDelivery>, StoreError> {
        const SQL: &str = "select key, received_at, event, instance, subject, reason, things, body_bytes from delivery \
                           order by received_at desc, key limit $1";
        on!(self.pools(), read, |pool| {
            let rows = sqlx::query(SQL).bind(i64::from(limit)).fetch_all(pool).await?;
            rows.iter().map(|row| stored!(row)).collect()
        })
    }

    /// The delivery of this key with what is kept of its body.
    ///
    /// # Errors
    /// What the database said.
    pub async fn delivery(&self, key: &str) -> Result<Option<(StoredDelivery, Vec<u8>)>, StoreError> {
        const SQL: &str = "select key, received_at, event, instance, subject, reason, things, body_bytes, body \
                           from delivery where key = $1";
        on!(self.pools(), read, |pool| {
            let row = sqlx::query(SQL).bind(key).fetch_optional(pool).await?;
            row.map(|row| Ok((stored!(row)?, row.try_get("body")?))).transpose()
        })
    }

    /// Forgets deliveries that came in before `before`; gives their number.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "delete from delivery where key in \
             (select key from delivery where received_at < $1 order by received_at limit $2)";
        let mut forgotten = 0;
        loop {
            let result = on!(self.pools(), write, |pool| {
                let query = sqlx::query(SQL).bind(to_ms(before)).bind(FORGOTTEN_AT_ONCE);
                query.execute(pool).await.map(|done| done.rows_affected())
            });
            match self.noted(result.map_err(StoreError::from))? {
                0 => return Ok(forgotten),
                count => forgotten += count,
            }
        }
    }
}

#[rustfmt::skip]
macro_rules! stored {
    ($row:expr) => {{
        let row = &$row;
        let things: String = row.try_get("things")?;
        Ok::<_, StoreError>(StoredDelivery {
            key: row.try_get("key")?,
            received_at: from_ms("delivery", row.try_get("received_at")?)?,
            event: row.try_get("event")?,
            instance: row.try_get("instance")?,
            subject: row.try_get("subject")?,
            reason: row.try_get("reason")?,
            things: things.lines().map(str::to_owned).collect(),
            body_bytes: row.try_get("body_bytes")?,
        })
    }};
}
use stored;

/// Takes whatever waits each time a transaction ends: under load many deliveries share one flush, alone none waits.
pub(super) struct Writer {
    pub(super) pools: Pools,
    pub(super) knocked: Arc<Notify>,
    pub(super) fault: Arc<Mutex<Option<StoreError>>>,
}

impl Writer {
    /// Ends when all senders are gone and everything is written.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut repeats = Repeats::default();
        loop {
            let wait = tokio::time::sleep_until(repeats.deadline);
            let open = tokio::select! {
                count = queue.recv_many(&mut batch, BATCH) => count > 0,
                () = wait, if !repeats.knocks.is_empty() => true,
            };
            self.write(&mut batch, &mut repeats).await;
            if !open {
                return;
            }
        }
    }

    async fn write(&self, batch: &mut Vec<Waiting>, repeats: &mut Repeats) {
        let result = self.transaction(batch, repeats).await;
        *lock(&self.fault) = result.as_ref().err().cloned();
        match result {
            Ok(written) => {
                if written.knocked {
                    repeats.knocks.clear();
                    self.knocked.notify_one();
                }
                for (waiting, accepted) in batch.drain(..).zip(written.accepted) {
                    if accepted == Accepted::Repeat {
                        repeats.add(&waiting.delivery);
                    }
                    // Who asked may have gone: the delivery is stored all the same.
                    let _ = waiting.answer.send(Ok(accepted));
                }
            }
            Err(error) => {
                tracing::error!(%error, deliveries = batch.len(), "deliveries could not be stored");
                repeats.deadline = Instant::now() + REPEATS_WAIT;
                for waiting in batch.drain(..) {
                    let _ = waiting.answer.send(Err(error.clone()));
                }
            }
        }
    }

    async fn transaction(&self, batch: &[Waiting], repeats: &Repeats) -> Result<Written, StoreError> {
        let repeats_due = !repeats.knocks.is_empty() && Instant::now() >= repeats.deadline;
        let rows = each_key_once(batch);
        in_transaction!(&self.pools, |transaction| {
            let mut stored = HashSet::with_capacity(rows.len());
            for rows in portions(&rows) {
                let mut query = sqlx::QueryBuilder::new(INSERT);
                query.push_values(rows, |mut row, delivery| {
                    row.push_bind(&*delivery.key)
                        .push_bind(to_ms(delivery.received_at))
                        .push_bind(delivery.event.as_deref())
                        .push_bind(delivery.instance.as_deref())
                        .push_bind(delivery.subject.as_deref())
                        .push_bind(delivery.reason)
                        .push_bind(lines(&delivery.things))
                        .push_bind(i64::try_from(delivery.body_bytes).unwrap_or(i64::MAX))
                        .push_bind(&*delivery.body);
                });
                query.push(" on conflict (key) do nothing returning key");
                for row in query.build().fetch_all(&mut *transaction).await? {
                    stored.insert(row.try_get::<String, _>("key")?);
                }
            }
            let mut knocks = Knocks::default();
            let accepted: Vec<_> = batch
                .iter()
                .map(|waiting| accept(&waiting.delivery, &mut stored, &mut knocks))
                .collect();
            if repeats_due || !knocks.is_empty() {
                knocks.add_all(&repeats.knocks);
            }
            write_knocks!(transaction, knocks);
            Ok(Written {
                accepted,
                knocked: !knocks.is_empty(),
            })
        })
    }
}

/// The first delivery of each key, in the order of the keys, so that two writers never wait for each other in a circle.
fn each_key_once(batch: &[Waiting]) -> Vec<&Delivery> {
    let mut rows: Vec<_> = batch.iter().map(|waiting| &waiting.delivery).collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    rows.dedup_by(|one, other| one.key == other.key);
    rows
}

/// Takes the delivery's key from those that were stored just now: the first with the key is new, the others are repeats.
fn accept(delivery: &Delivery, stored: &mut HashSet<String>, knocks: &mut Knocks) -> Accepted {
    if !stored.remove(&delivery.key) {
        return Accepted::Repeat;
    }
    knock_for(delivery, knocks);
    Accepted::New
}

fn knock_for(delivery: &Delivery, knocks: &mut Knocks) {
    let cause = format!("delivery {}", delivery.key);
    for thing in &delivery.things {
        knocks.add(thing.to_string(), &cause, delivery.received_at);
    }
}

/// Keys of things, one a line.
fn lines(things: &[Thing]) -> String {
    let lines: Vec<String> = things.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

struct Written {
    accepted: Vec<Accepted>,
    knocked: bool,
}

/// Knocks of repeated deliveries, until they are written.
struct Repeats {
    knocks: Knocks,
    deadline: Instant,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            knocks: Knocks::default(),
            deadline: Instant::now(),
        }
    }
}

impl Repeats {
    fn add(&mut self, delivery: &Delivery) {
        if self.knocks.is_empty() {
            self.deadline = Instant::now() + REPEATS_WAIT;
        }
        knock_for(delivery, &mut self.knocks);
    }
}
