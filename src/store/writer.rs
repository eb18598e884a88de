//! The one writer of deliveries: it stores them together with the work that they cause, many in one transaction.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use convenor_core::thing::Thing;
use sqlx::Row;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::deliveries::{Accepted, Delivery};
use super::pools::{Pools, in_transaction, portions};
use super::work::{Knocks, write_knocks};
use super::{StoreError, lock, to_ms};

/// Deliveries that may wait to be stored; a further one is refused, so that memory stays bounded.
pub(super) const QUEUE: usize = 1024;
/// Deliveries in one transaction. More would not be faster and would hold other writers off.
const BATCH: usize = 256;
/// After so many rows SQLite's log is copied beside the writer: a quarter of what makes the writer copy it by itself.
const ROWS_BETWEEN_COPIES: usize = 400;
/// How long the knocks of repeated deliveries may wait for company: they cause no flush of their own.
const REPEATS_WAIT: Duration = Duration::from_secs(1);

const INSERT: &str = "insert into delivery \
     (key, received_at, event, instance, subject, reason, things, body_bytes, body) ";

/// A delivery that waits for its transaction, and who waits for the answer.
pub(super) struct Waiting {
    pub(super) delivery: Delivery,
    pub(super) answer: oneshot::Sender<Result<Accepted, StoreError>>,
}

/// Takes whatever waits each time a transaction ends: under load many deliveries share one flush, alone none waits.
pub(super) struct Writer {
    pub(super) pools: Pools,
    pub(super) knocked: Arc<Notify>,
    pub(super) fault: Arc<Mutex<Option<StoreError>>>,
    pub(super) copies: Copies,
}

/// When SQLite's log was copied last, and whether it is being copied.
pub(super) struct Copies {
    rows: AtomicUsize,
    one_at_a_time: Arc<Semaphore>,
}

impl Default for Copies {
    fn default() -> Self {
        Self {
            rows: AtomicUsize::new(0),
            one_at_a_time: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Writer {
    /// Ends when all senders are gone and everything is written.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut repeats = Repeats::default();
        loop {
            let wait = tokio::time::sleep_until(repeats.deadline);
            let open = tokio::select! {
                biased;
                count = queue.recv_many(&mut batch, BATCH) => count > 0,
                () = wait, if !repeats.knocks.is_empty() => true,
            };
            if !open {
                repeats.deadline = Instant::now();
            }
            if !batch.is_empty() || repeats.are_due() {
                self.write(&mut batch, &mut repeats).await;
            }
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
                self.copy_log(batch.len());
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

    /// Has the log copied from time to time, while deliveries go on coming in.
    fn copy_log(&self, rows: usize) {
        let is_enough = self.copies.rows.fetch_add(rows, Ordering::Relaxed) + rows >= ROWS_BETWEEN_COPIES;
        if !is_enough || !matches!(self.pools, Pools::Sqlite(_)) {
            return;
        }
        let Ok(turn) = Arc::clone(&self.copies.one_at_a_time).try_acquire_owned() else {
            return;
        };
        self.copies.rows.store(0, Ordering::Relaxed);
        let pools = self.pools.clone();
        tokio::spawn(async move {
            if let Err(error) = pools.copy_log().await {
                tracing::debug!(%error, "the log of the database was not copied; the writer will");
            }
            drop(turn);
        });
    }

    async fn transaction(&self, batch: &[Waiting], repeats: &Repeats) -> Result<Written, StoreError> {
        let rows = each_key_once(batch);
        // As a rule all are new, and the number of stored rows says so. Only where some are and some are not does each
        // have to be named, which costs more.
        match self.try_transaction(batch, &rows, repeats, false).await? {
            Some(written) => Ok(written),
            None => self
                .try_transaction(batch, &rows, repeats, true)
                .await?
                .ok_or(StoreError::Busy),
        }
    }

    /// `None`, and nothing is written, when it has to be `named` which rows are new.
    async fn try_transaction(
        &self,
        batch: &[Waiting],
        rows: &[&Delivery],
        repeats: &Repeats,
        named: bool,
    ) -> Result<Option<Written>, StoreError> {
        in_transaction!(
            &self.pools,
            |transaction| {
                let mut stored = HashSet::with_capacity(rows.len());
                let mut count = 0;
                for rows in portions(rows) {
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
                    query.push(" on conflict (key) do nothing");
                    if named {
                        for row in query
                            .push(" returning key")
                            .build()
                            .fetch_all(&mut *transaction)
                            .await?
                        {
                            stored.insert(row.try_get::<String, _>("key")?);
                        }
                    } else {
                        count += query.build().execute(&mut *transaction).await?.rows_affected();
                    }
                }
                if !named && count == rows.len() as u64 {
                    stored.extend(rows.iter().map(|delivery| delivery.key.clone()));
                } else if !named && count > 0 {
                    return Ok(None);
                }
                let mut knocks = Knocks::default();
                let accepted: Vec<_> = batch
                    .iter()
                    .map(|waiting| accept(&waiting.delivery, &mut stored, &mut knocks))
                    .collect();
                if repeats.are_due() || !knocks.is_empty() {
                    knocks.add_all(&repeats.knocks);
                }
                write_knocks!(transaction, knocks);
                Ok(Some(Written {
                    accepted,
                    knocked: !knocks.is_empty(),
                }))
            },
            |tables| {
                let deliveries: Vec<_> = batch.iter().map(|waiting| &waiting.delivery).collect();
                let accepted = tables.accept(&deliveries);
                let mut knocks = Knocks::default();
                let new = deliveries
                    .iter()
                    .zip(&accepted)
                    .filter(|(_, accepted)| **accepted == Accepted::New);
                new.for_each(|(delivery, _)| knock_for(delivery, &mut knocks));
                if repeats.are_due() || !knocks.is_empty() {
                    knocks.add_all(&repeats.knocks);
                }
                tables.knock(&knocks);
                Ok(Some(Written {
                    accepted,
                    knocked: !knocks.is_empty(),
                }))
            }
        )
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
    fn are_due(&self) -> bool {
        !self.knocks.is_empty() && Instant::now() >= self.deadline
    }

    fn add(&mut self, delivery: &Delivery) {
        if self.knocks.is_empty() {
            self.deadline = Instant::now() + REPEATS_WAIT;
        }
        knock_for(delivery, &mut self.knocks);
    }
}
