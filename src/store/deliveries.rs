//! Deliveries, and the one writer that stores them together with the work they cause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use convenor_core::thing::Thing;
use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::pools::{Pools, in_transaction, on};
use super::{Store, StoreError, from_ms, lock, to_ms, work};

/// Deliveries that may wait to be stored; a further one is refused, so that memory stays bounded.
pub(super) const QUEUE: usize = 1024;
/// Deliveries in one transaction. More would not be faster and would hold other writers off.
const BATCH: usize = 256;
/// How long the knocks of repeated deliveries may wait for company: they cause no flush of their own.
const REPEATS_WAIT: Duration = Duration::from_secs(1);

/// Rows that are deleted in one transaction: deliveries that come in wait for it.
const FORGOTTEN_AT_ONCE: i64 = 500;

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
                () = wait, if !repeats.things.is_empty() => true,
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
                    repeats.things.clear();
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
        const SQL: &str = "insert into delivery \
             (key, received_at, event, instance, subject, reason, things, body_bytes, body) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (key) do nothing";
        let repeats_due = !repeats.things.is_empty() && Instant::now() >= repeats.deadline;
        in_transaction!(&self.pools, |transaction| {
            let mut written = Written {
                accepted: Vec::with_capacity(batch.len()),
                knocked: false,
            };
            let mut knocks = BTreeMap::new();
            for Waiting { delivery, .. } in batch {
                let things: BTreeSet<String> = delivery.things.iter().map(ToString::to_string).collect();
                let lines: Vec<&str> = things.iter().map(String::as_str).collect();
                let done = sqlx::query(SQL)
                    .bind(&delivery.key)
                    .bind(to_ms(delivery.received_at))
                    .bind(&delivery.event)
                    .bind(&delivery.instance)
                    .bind(&delivery.subject)
                    .bind(delivery.reason)
                    .bind(lines.join("\n"))
                    .bind(i64::try_from(delivery.body_bytes).unwrap_or(i64::MAX))
                    .bind(&delivery.body)
                    .execute(&mut *transaction)
                    .await?;
                let is_new = done.rows_affected() > 0;
                written
                    .accepted
                    .push(if is_new { Accepted::New } else { Accepted::Repeat });
                if is_new {
                    for thing in things {
                        add_knock(&mut knocks, thing, cause_of(delivery), delivery.received_at);
                    }
                }
            }
            if repeats_due || !knocks.is_empty() {
                for (thing, (cause, at)) in &repeats.things {
                    add_knock(&mut knocks, thing.clone(), cause.clone(), *at);
                }
            }
            for (thing, knock) in &knocks {
                sqlx::query(work::KNOCK)
                    .bind(thing)
                    .bind(to_ms(knock.at))
                    .bind(knock.count)
                    .bind(&knock.cause)
                    .execute(&mut *transaction)
                    .await?;
            }
            written.knocked = !knocks.is_empty();
            Ok(written)
        })
    }
}

struct Written {
    accepted: Vec<Accepted>,
    knocked: bool,
}

/// Knocks of repeated deliveries, until they are written.
struct Repeats {
    things: BTreeMap<String, (String, Timestamp)>,
    deadline: Instant,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            things: BTreeMap::new(),
            deadline: Instant::now(),
        }
    }
}

impl Repeats {
    fn add(&mut self, delivery: &Delivery) {
        if self.things.is_empty() {
            self.deadline = Instant::now() + REPEATS_WAIT;
        }
        for thing in &delivery.things {
            self.things
                .insert(thing.to_string(), (cause_of(delivery), delivery.received_at));
        }
    }
}

struct Knock {
    cause: String,
    at: Timestamp,
    count: i64,
}

fn add_knock(knocks: &mut BTreeMap<String, Knock>, thing: String, cause: String, at: Timestamp) {
    let knock = knocks.entry(thing).or_insert_with(|| Knock {
        cause: String::new(),
        at,
        count: 0,
    });
    knock.cause = cause;
    knock.at = knock.at.min(at);
    knock.count += 1;
}

fn cause_of(delivery: &Delivery) -> String {
    format!("delivery {}", delivery.key)
}
