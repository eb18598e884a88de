//! The one writer of deliveries: it stores them together with the work that they cause, many in one transaction.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::arrivals;
use super::deliveries::{Accepted, Delivery};
use super::knocks::Knocks;
use super::pools::Pools;
use super::recent::Recent;
use super::{StoreError, lock};

/// Deliveries that may wait to be stored; a further one is refused, so that memory stays bounded.
pub(super) const QUEUE: usize = 1024;
/// Deliveries in one transaction. More would not be faster and would hold other writers off.
const BATCH: usize = 256;
/// After so many rows SQLite's log is copied beside the writer. What is left when the log is full the writer copies while everybody waits, so
/// that more rows would make the longest wait longer, and fewer cost more processor time.
const ROWS_BETWEEN_COPIES: usize = 64;
/// How long the knocks of repeated deliveries may wait for company: however many there are, they cause one flush in that time.
const REPEATS_WAIT: Duration = Duration::from_secs(1);

/// What waits for the database, and who waits for the answer.
pub(super) enum Waiting {
    /// A delivery to be stored.
    New {
        delivery: Delivery,
        answer: oneshot::Sender<Result<Accepted, StoreError>>,
    },
    /// A delivery that came again: is its key stored?
    Again {
        key: String,
        now: Timestamp,
        answer: oneshot::Sender<Result<bool, StoreError>>,
    },
}

/// A delivery to be stored, and who waits for the answer.
type New = (Delivery, oneshot::Sender<Result<Accepted, StoreError>>);
/// A delivery that came again, when it did, and who waits for the answer.
type Again = (String, Timestamp, oneshot::Sender<Result<bool, StoreError>>);

/// Takes whatever waits each time a transaction ends: under load many deliveries share one flush, alone none waits.
pub(super) struct Writer {
    pub(super) pools: Pools,
    pub(super) knocked: Arc<Notify>,
    pub(super) fault: Arc<Mutex<Option<StoreError>>>,
    pub(super) recent: Arc<Mutex<Recent>>,
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
        let (mut new, mut again) = (Vec::with_capacity(batch.len()), Vec::new());
        for waiting in batch.drain(..) {
            match waiting {
                Waiting::New { delivery, answer } => new.push((delivery, answer)),
                Waiting::Again { key, now, answer } => again.push((key, now, answer)),
            }
        }
        let written = match new.is_empty() {
            true => Ok(()),
            false => self.write_new(new, repeats).await,
        };
        if !again.is_empty() {
            self.look_up(again, written, repeats).await;
        }
        // After the batch, which somebody waits for.
        if repeats.are_due() {
            self.write_repeats(repeats).await;
        }
    }

    async fn write_new(&self, mut batch: Vec<New>, repeats: &mut Repeats) -> Result<(), StoreError> {
        let mut rows = each_key_once(&mut batch);
        let result = arrivals::store(&self.pools, &mut rows).await;
        *lock(&self.fault) = result.as_ref().err().cloned();
        match result {
            Ok(mut new) => {
                let is_new = |delivery: &Delivery| !delivery.things.is_empty() && new.contains(&delivery.key);
                if batch.iter().any(|(delivery, _)| is_new(delivery)) {
                    self.knocked.notify_one();
                }
                self.copy_log(new.len());
                {
                    let mut recent = lock(&self.recent);
                    new.iter().for_each(|key| recent.add(key));
                }
                for (delivery, answer) in batch {
                    // The first with its key is new, the others are repeats.
                    let accepted = if new.remove(&delivery.key) {
                        Accepted::New
                    } else {
                        repeats.add(|knocks| knocks.add_delivery(&delivery));
                        Accepted::Repeat
                    };
                    // Who asked may have gone: the delivery is stored all the same.
                    let _ = answer.send(Ok(accepted));
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, deliveries = batch.len(), "deliveries could not be stored");
                for (_, answer) in batch {
                    let _ = answer.send(Err(error.clone()));
                }
                Err(error)
            }
        }
    }

    /// Where what came with them could not be `written`, they do not wait for the database once more.
    async fn look_up(&self, batch: Vec<Again>, written: Result<(), StoreError>, repeats: &mut Repeats) {
        let mut keys: Vec<&str> = batch.iter().map(|(key, ..)| key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = match written {
            Ok(()) => arrivals::known(&self.pools, &keys).await,
            Err(error) => Err(error),
        };
        match known {
            Ok(known) => {
                for (key, now, answer) in batch {
                    let things = known.get(&key);
                    if let Some(things) = things {
                        let things = things.lines().map(str::to_owned);
                        repeats.add(|knocks| knocks.add_things(&key, things, now));
                    }
                    let _ = answer.send(Ok(things.is_some()));
                }
            }
            Err(error) => {
                tracing::error!(%error, deliveries = batch.len(), "it could not be seen whether deliveries are stored");
                for (_, _, answer) in batch {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    async fn write_repeats(&self, repeats: &mut Repeats) {
        let result = repeats.knocks.write(&self.pools).await;
        *lock(&self.fault) = result.as_ref().err().cloned();
        match result {
            Ok(()) => {
                repeats.knocks.clear();
                self.knocked.notify_one();
            }
            Err(error) => {
                tracing::error!(%error, "looks that repeated deliveries ask for could not be stored yet");
                repeats.deadline = Instant::now() + REPEATS_WAIT;
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
}

/// The first delivery of each key, in the order of the keys, so that two writers never wait for each other in a circle.
fn each_key_once(batch: &mut [New]) -> Vec<&mut Delivery> {
    let mut rows: Vec<_> = batch.iter_mut().map(|(delivery, _)| delivery).collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    rows.dedup_by(|one, other| one.key == other.key);
    rows
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

    fn add(&mut self, add: impl FnOnce(&mut Knocks)) {
        if self.knocks.is_empty() {
            self.deadline = Instant::now() + REPEATS_WAIT;
        }
        add(&mut self.knocks);
    }
}
