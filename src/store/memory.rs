//! The same tables in memory, for simulations: the rules of the SQL, without a disk, a thread or a time of its own. The tests
//! of the store hold for it as they do for the databases.
//!
//! What is committed belongs to [`Memory`] and outlives every [`Store`](super::Store) on it, as a database's file outlives a
//! process. A [`Gate`] stands before and after each commit, so that a simulation can end the process at both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use convenor_core::approval::Acceptance;
use tokio::sync::Notify;

use super::deliveries::{Accepted, Delivery, StoredDelivery};
use super::journal::{JournalEntry, StepState};
use super::knocks::Knocks;
use super::rest::RestRow;
use super::work::{ECHO, Order, Work, WorkState};
use super::{StoreError, lock};

/// Stands at every commit.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Before a transaction.
    ///
    /// # Errors
    /// What the database is made to say; nothing of the transaction is then stored.
    async fn before(&self) -> Result<(), StoreError>;

    /// After the commit, before whoever asked knows of it.
    ///
    /// # Errors
    /// What the database is made to say; the transaction is stored all the same, as when a connection breaks at the wrong
    /// moment.
    async fn after(&self) -> Result<(), StoreError>;
}

/// Tables in memory. Clones share them.
#[derive(Clone, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
    /// As PostgreSQL's `NOTIFY`: a commit of one process wakes the workers of all.
    announced: Arc<Mutex<Vec<Arc<Notify>>>>,
    gate: Option<Arc<dyn Gate>>,
}

impl Memory {
    /// The same tables, whose commits go through this gate.
    #[must_use]
    pub fn behind(&self, gate: Arc<dyn Gate>) -> Self {
        Self {
            gate: Some(gate),
            ..self.clone()
        }
    }

    /// What is committed now, once more: what happens in one does not happen in the other.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            tables: Arc::new(Mutex::new(lock(&self.tables).clone())),
            ..Self::default()
        }
    }

    /// How many steps the journal holds.
    #[must_use]
    pub fn steps(&self) -> usize {
        lock(&self.tables).journal.len()
    }

    /// Whether any project is known to have been made for a proposal.
    #[must_use]
    pub fn knows_a_project(&self) -> bool {
        !lock(&self.tables).made_projects.is_empty()
    }

    pub(super) fn announce_to(&self, knocked: Arc<Notify>) {
        lock(&self.announced).push(knocked);
    }

    /// Wakes a worker of every process.
    pub(super) fn announce(&self) {
        for knocked in lock(&self.announced).iter() {
            knocked.notify_one();
        }
    }

    pub(super) async fn write<T>(&self, change: impl FnOnce(&mut Tables) -> T) -> Result<T, StoreError> {
        if let Some(gate) = &self.gate {
            gate.before().await?;
        }
        let value = change(&mut lock(&self.tables));
        if let Some(gate) = &self.gate {
            gate.after().await?;
        }
        Ok(value)
    }

    #[expect(clippy::unused_async, reason = "as the databases are read")]
    pub(super) async fn read<T>(&self, look: impl FnOnce(&mut Tables) -> T) -> Result<T, StoreError> {
        Ok(look(&mut lock(&self.tables)))
    }
}

/// All rows, by their keys. Times are milliseconds, as in SQL.
#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) deliveries: BTreeMap<String, (StoredDelivery, Vec<u8>)>,
    work: BTreeMap<String, Row>,
    pub(super) journal: BTreeMap<String, JournalEntry>,
    pub(super) acceptances: BTreeMap<String, Acceptance>,
    pub(super) made_projects: BTreeMap<String, u64>,
    /// By program, kind, place and object.
    pub(super) made_setup: BTreeMap<[String; 4], String>,
    /// Accounts by username.
    pub(super) known_people: BTreeMap<String, u64>,
    turns: BTreeMap<String, i64>,
    /// Thing and page; ticket and when it last looked.
    waiting: BTreeMap<(String, String), (String, i64)>,
}

/// A row of the work table.
#[derive(Clone)]
struct Row {
    due: i64,
    asked: Option<i64>,
    knocks: i64,
    attempts: i64,
    state: WorkState,
    cause: String,
    lease: Option<String>,
    reason: Option<String>,
    last_error: Option<String>,
    last_look: Option<i64>,
    rest: Option<String>,
}

/// How a look that failed leaves its row.
pub(super) struct BadEnd<'a> {
    pub(super) state: WorkState,
    pub(super) reason: Option<&'a str>,
    pub(super) error: &'a str,
    pub(super) due: i64,
}

impl Tables {
    /// Stores deliveries, each key once.
    pub(super) fn accept(&mut self, batch: &[&mut Delivery]) -> Vec<Accepted> {
        let mut accepted = Vec::with_capacity(batch.len());
        for delivery in batch {
            let is_new = !self.deliveries.contains_key(&delivery.key);
            if is_new {
                let row = (stored(delivery), delivery.body.clone());
                self.deliveries.insert(delivery.key.clone(), row);
            }
            accepted.push(if is_new { Accepted::New } else { Accepted::Repeat });
        }
        accepted
    }

    pub(super) fn knock(&mut self, knocks: &Knocks) {
        for (thing, due, count, cause) in knocks.rows() {
            match self.work.get_mut(thing) {
                Some(row) => row.knock(due, count, cause),
                None => {
                    self.work.insert(thing.to_owned(), Row::new(due, count, cause));
                }
            }
        }
    }

    pub(super) fn is_due(&self, now: i64) -> bool {
        let mut ready = self.work.values().filter(|row| row.state == WorkState::Ready);
        ready.any(|row| row.due <= now)
    }

    /// Takes the row that goes first: its key, cause, attempts and knocks.
    pub(super) fn claim(
        &mut self,
        order: Order,
        lease: &str,
        end: i64,
        now: i64,
        waits_since: i64,
    ) -> Option<(String, String, i64, i64)> {
        let due = |row: &Row, at| row.state == WorkState::Ready && row.due <= at;
        let is_crowded = self.work.values().any(|row| due(row, waits_since));
        let rows = self.work.iter_mut().filter(|(_, row)| due(row, now));
        let (key, row) = match order {
            Order::LongestDue => rows.min_by_key(|(_, row)| row.due)?,
            Order::NewestFirst if !is_crowded => return None,
            Order::NewestFirst => rows
                .filter(|(_, row)| row.attempts == 0 && row.last_look.is_none_or(|at| row.due - at >= ECHO))
                .max_by_key(|(_, row)| row.due)?,
        };
        row.lease = Some(lease.to_owned());
        row.due = end;
        row.asked = None;
        Some((key.clone(), row.cause.clone(), row.attempts, row.knocks))
    }

    fn leased(&mut self, thing: &str, lease: &str) -> Option<&mut Row> {
        self.work
            .get_mut(thing)
            .filter(|row| row.lease.as_deref() == Some(lease))
    }

    pub(super) fn is_leased(&mut self, thing: &str, lease: &str) -> bool {
        self.leased(thing, lease).is_some()
    }

    pub(super) fn renew(&mut self, thing: &str, lease: &str, end: i64) -> u64 {
        self.leased(thing, lease).map_or(0, |row| {
            row.due = end;
            1
        })
    }

    pub(super) fn finish(&mut self, thing: &str, lease: &str, (now, next): (i64, i64), rest: Option<String>) -> u64 {
        self.leased(thing, lease).map_or(0, |row| {
            row.due = row.asked.filter(|asked| *asked < next).unwrap_or(next);
            if row.asked.is_none() {
                "schedule".clone_into(&mut row.cause);
            }
            (row.lease, row.asked, row.attempts) = (None, None, 0);
            (row.last_error, row.reason, row.last_look) = (None, None, Some(now));
            row.rest = rest;
            1
        })
    }

    pub(super) fn end_badly(&mut self, thing: &str, lease: &str, now: i64, end: &BadEnd<'_>) -> u64 {
        self.leased(thing, lease).map_or(0, |row| {
            (row.lease, row.asked, row.due) = (None, None, end.due);
            row.attempts += 1;
            row.state = end.state;
            row.reason = end.reason.map(str::to_owned);
            row.last_error = Some(end.error.to_owned());
            row.last_look = Some(now);
            row.rest = None;
            1
        })
    }

    pub(super) fn hold_row(&mut self, key: &str, reason: &str) {
        if let Some(row) = self.work.get_mut(key) {
            row.lease = None;
            row.state = WorkState::Held;
            row.reason = Some(reason.to_owned());
        }
    }

    pub(super) fn release(&mut self, thing: &str, now: i64) -> u64 {
        self.work.get_mut(thing).map_or(0, |row| {
            (row.state, row.attempts, row.reason, row.due) = (WorkState::Ready, 0, None, now);
            1
        })
    }

    pub(super) fn drop_work(&mut self, key: &str) -> u64 {
        u64::from(self.work.remove(key).is_some())
    }

    pub(super) fn list_work(&self) -> Result<Vec<Work>, StoreError> {
        let mut rows: Vec<_> = self.work.iter().collect();
        let rank = |state| match state {
            WorkState::Held => 0,
            WorkState::Failed => 1,
            WorkState::Ready => 2,
        };
        rows.sort_by_key(|(key, row)| (rank(row.state), row.due, (*key).clone()));
        rows.into_iter().map(|(key, row)| row.shown(key)).collect()
    }

    pub(super) fn rests(&self, prefix: &str) -> Vec<RestRow> {
        let rows = self.work.iter().filter(|(thing, _)| thing.starts_with(prefix));
        rows.map(|(thing, row)| (thing.clone(), row.rest.clone(), row.last_look))
            .collect()
    }

    pub(super) fn next_due(&self) -> Option<i64> {
        let waiting = self.work.values();
        let waiting = waiting.filter(|row| row.state == WorkState::Ready && row.lease.is_none());
        waiting.map(|row| row.due).min()
    }

    pub(super) fn take_turn(&mut self, name: &str, now: i64, before: i64) -> u64 {
        if self.turns.get(name).is_some_and(|at| *at > before) {
            return 0;
        }
        self.turns.insert(name.to_owned(), now);
        1
    }

    /// `true` when it came just now.
    pub(super) fn stand_in_line(&mut self, thing: &str, page: &str, ticket: &str, now: i64) -> bool {
        let place = self.waiting.entry((thing.to_owned(), page.to_owned()));
        let mut came = false;
        let (_, at) = place.or_insert_with(|| {
            came = true;
            (ticket.to_owned(), now)
        });
        *at = now;
        came
    }

    pub(super) fn leave_line(&mut self, thing: &str, page: &str) {
        self.waiting.remove(&(thing.to_owned(), page.to_owned()));
    }

    /// Who has looked since, with the page, first come first.
    pub(super) fn line(&self, since: i64) -> Vec<(String, String)> {
        let mut line: Vec<_> = self.waiting.iter().filter(|(_, (_, at))| *at >= since).collect();
        line.sort_by(|(_, (one, _)), (_, (other, _))| one.cmp(other));
        line.into_iter().map(|(place, _)| place.clone()).collect()
    }

    /// A thing's steps whose end is not known, oldest first.
    pub(super) fn journal_open(&self, thing: &str) -> Vec<JournalEntry> {
        let is_open = |state| matches!(state, StepState::Pending | StepState::Unknown);
        let of_thing = self.journal.values();
        of_thing
            .filter(|entry| entry.thing == thing && is_open(entry.state))
            .cloned()
            .collect()
    }
}

impl Row {
    fn new(due: i64, knocks: i64, cause: &str) -> Self {
        Self {
            due,
            asked: None,
            knocks,
            attempts: 0,
            state: WorkState::Ready,
            cause: cause.to_owned(),
            lease: None,
            reason: None,
            last_error: None,
            last_look: None,
            rest: None,
        }
    }

    /// As [`super::knocks::KNOCK_AGAIN`] says.
    fn knock(&mut self, due: i64, count: i64, cause: &str) {
        self.knocks += count;
        cause.clone_into(&mut self.cause);
        if self.lease.is_some() {
            self.asked = Some(self.asked.map_or(due, |asked| asked.min(due)));
        } else {
            self.asked = None;
        }
        if self.state == WorkState::Failed {
            self.due = due;
            self.state = WorkState::Ready;
        } else if self.lease.is_none() && self.attempts == 0 {
            self.due = self.due.min(due);
        }
    }

    fn shown(&self, key: &str) -> Result<Work, StoreError> {
        let time = |ms: Option<i64>| ms.map(|ms| super::from_ms("work", ms)).transpose();
        let due = if self.lease.is_some() {
            self.asked
        } else {
            Some(self.due)
        };
        Ok(Work {
            thing: key.to_owned(),
            state: self.state,
            looking: self.lease.is_some(),
            due_at: time(due)?,
            knocks: self.knocks,
            attempts: self.attempts,
            cause: self.cause.clone(),
            reason: self.reason.clone(),
            last_error: self.last_error.clone(),
            last_look_at: time(self.last_look)?,
        })
    }
}

fn stored(delivery: &Delivery) -> StoredDelivery {
    StoredDelivery {
        key: delivery.key.clone(),
        received_at: delivery.received_at,
        event: delivery.event.clone(),
        instance: delivery.instance.clone(),
        subject: delivery.subject.clone(),
        reason: delivery.reason.map(str::to_owned),
        things: delivery.things.iter().map(ToString::to_string).collect(),
        body_bytes: i64::try_from(delivery.body_bytes).unwrap_or(i64::MAX),
    }
}
