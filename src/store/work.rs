//! The work table: what to look at, when, and who is looking.

use std::time::Duration;

use convenor_core::plan::Rest;
use convenor_core::thing::Thing;
use jiff::Timestamp;
use sqlx::Row;
use uuid::Uuid;

use super::journal::{RELEASED, next_id, released};
use super::knocks::Knocks;
use super::memory::BadEnd;
use super::pools::{Pools, in_transaction, on};
use super::{Store, StoreError, from_ms, to_ms};

/// Which of the things that are due goes first. One order alone would be unfair: whoever comes next would stand behind a crowd, or
/// the crowd would never have a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Who has been due longest.
    LongestDue,
    /// Who has come last, while somebody waits for more than ten seconds. Things do not count that were looked at a moment before they
    /// were knocked at again, as our own writes do when they come back as webhooks, nor those whose last look failed.
    NewestFirst,
}

/// Who has been due for so many milliseconds has waited long.
const LONG: i64 = 10_000;

/// A knock so many milliseconds after a look, at most, is taken for its echo.
pub(super) const ECHO: i64 = 10_000;

/// The right to look at a thing until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What to look at.
    pub thing: Thing,
    /// What caused it last, for the log.
    pub cause: String,
    /// Failed looks in a row before this one.
    pub attempts: u32,
    /// Knocks since the thing's row was made.
    pub knocks: i64,
    /// What every answer of the look is proven with.
    pub lease: Lease,
}

/// Proof of the right to look at a thing. Whoever takes the thing over makes another, and this one is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease(pub(super) String);

/// A thing's row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Work {
    /// The thing's key.
    pub thing: String,
    /// Ready, failed or held.
    pub state: WorkState,
    /// Whether somebody is looking at it now.
    pub looking: bool,
    /// When it is looked at next; `None` while somebody looks and nobody has knocked since they began.
    pub due_at: Option<Timestamp>,
    /// Knocks since the row was made.
    pub knocks: i64,
    /// Failed looks in a row.
    pub attempts: i64,
    /// What caused it last.
    pub cause: String,
    /// Why it is held or was given up.
    pub reason: Option<String>,
    /// How the last failed look failed.
    pub last_error: Option<String>,
    /// When the last look ended.
    pub last_look_at: Option<Timestamp>,
}

/// Whether a thing is looked at when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkState {
    /// It is.
    Ready,
    /// Too many looks failed; the next knock or an operator tries again.
    Failed,
    /// A look asked for a person; only an operator releases it.
    Held,
}

impl WorkState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

impl Store {
    /// Asks for a look at each thing at `due`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn knock(&self, things: &[Thing], cause: &str, due: Timestamp) -> Result<(), StoreError> {
        let result = self.knock_all(things, cause, due).await;
        self.noted(result)?;
        self.wake();
        Ok(())
    }

    async fn knock_all(&self, things: &[Thing], cause: &str, due: Timestamp) -> Result<(), StoreError> {
        let mut knocks = Knocks::default();
        for thing in things {
            knocks.add(thing.to_string(), cause, due);
        }
        knocks.write(self.pools()).await
    }

    /// Takes the thing that has been due longest, for `lease`; `None` when nothing is due.
    ///
    /// # Errors
    /// What the database said.
    pub async fn claim(&self, now: Timestamp, lease: Duration) -> Result<Option<Claim>, StoreError> {
        self.claim_first(Order::LongestDue, now, lease).await
    }

    /// Takes the thing that goes first, for `lease`; `None` when there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn claim_first(
        &self,
        order: Order,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        loop {
            let Some((key, claim)) = self.claim_row(order, now, lease).await? else {
                return Ok(None);
            };
            match claim {
                Some(claim) => return Ok(Some(claim)),
                // A key from another version: it must neither stop the others nor vanish.
                None => self.hold_row(&key, "its key is not understood by this version").await?,
            }
        }
    }

    /// Takes this thing, due or not; `None` when somebody looks at it now, it is held, or nobody ever knocked at it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn claim_thing(
        &self,
        thing: &Thing,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        // While somebody looks, `due_at` is the end of their lease.
        const SQL: &str = "update work set lease = $1, due_at = $2, asked_at = null where thing = $3 and state <> 'held' \
             and (lease is null or due_at <= $4) returning thing, cause, attempts, knocks";
        let token = Uuid::new_v4().simple().to_string();
        on!(self.pools(), write, |connection| {
            let query = sqlx::query(SQL).bind(&token).bind(lease_end(now, lease));
            let query = query.bind(thing.to_string()).bind(to_ms(now));
            let rows = query.fetch_all(connection).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let attempts: i64 = row.try_get("attempts")?;
            Ok(Some(Claim {
                thing: thing.clone(),
                cause: row.try_get("cause")?,
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                knocks: row.try_get("knocks")?,
                lease: Lease(token),
            }))
        })
    }

    async fn claim_row(
        &self,
        order: Order,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<(String, Option<Claim>)>, StoreError> {
        let waits_since = to_ms(now) - LONG;
        let token = Uuid::new_v4().simple().to_string();
        if let Pools::Memory(memory) = self.pools()
            && !memory.read(|tables| tables.is_due(to_ms(now))).await?
        {
            // An update of no row is no commit.
            return Ok(None);
        }
        on!(
            self.pools(),
            write,
            |connection| {
                // `fetch_all` runs the statement to its end, which is when SQLite commits.
                let query = sqlx::query(self.pools().claim(order));
                let query = query.bind(&token).bind(lease_end(now, lease)).bind(to_ms(now));
                let query = match order {
                    Order::LongestDue => query,
                    Order::NewestFirst => query.bind(waits_since),
                };
                let rows = query.fetch_all(connection).await?;
                let Some(row) = rows.first() else { return Ok(None) };
                let key: String = row.try_get("thing")?;
                let attempts: i64 = row.try_get("attempts")?;
                let claim = match key.parse() {
                    Err(_) => None,
                    Ok(thing) => Some(Claim {
                        thing,
                        cause: row.try_get("cause")?,
                        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                        knocks: row.try_get("knocks")?,
                        lease: Lease(token),
                    }),
                };
                Ok(Some((key, claim)))
            },
            |tables| Ok(tables
                .claim(order, &token, lease_end(now, lease), to_ms(now), waits_since)
                .map(|(key, cause, attempts, knocks)| {
                    let claim = key.parse().ok().map(|thing| Claim {
                        thing,
                        cause,
                        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                        knocks,
                        lease: Lease(token),
                    });
                    (key, claim)
                }))
        )
    }

    /// Prolongs the lease; `false` when it is lost, and the look has to stop.
    ///
    /// # Errors
    /// What the database said; the lease then ends as it was.
    pub async fn renew(&self, claim: &Claim, now: Timestamp, lease: Duration) -> Result<bool, StoreError> {
        const SQL: &str = "update work set due_at = $1 where thing = $2 and lease = $3";
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL)
                    .bind(lease_end(now, lease))
                    .bind(claim.thing.to_string())
                    .bind(&claim.lease.0);
                query.execute(connection).await.map(|done| done.rows_affected())
            },
            |tables| Ok(tables.renew(&claim.thing.to_string(), &claim.lease.0, lease_end(now, lease)))
        );
        Ok(result? > 0)
    }

    /// The look went well: the next one is at `next`, or when it was knocked at meanwhile, whichever is earlier.
    /// `false` when the lease is lost: somebody else looks.
    ///
    /// # Errors
    /// What the database said; the lease then ends by itself and the thing is looked at again.
    pub async fn finish(&self, claim: &Claim, now: Timestamp, next: Timestamp) -> Result<bool, StoreError> {
        self.finish_as(claim, now, next, None).await
    }

    /// The same for a thing that is at rest, with what it is like.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub async fn finish_as(
        &self,
        claim: &Claim,
        now: Timestamp,
        next: Timestamp,
        rest: Option<&Rest>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "update work set lease = null, attempts = 0, last_error = null, reason = null, rest = $5, \
             last_look_at = $1, due_at = case when asked_at < $2 then asked_at else $2 end, \
             cause = case when asked_at is null then 'schedule' else cause end, asked_at = null \
             where thing = $3 and lease = $4";
        let rest = rest.map(Rest::to_text);
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL).bind(to_ms(now)).bind(to_ms(next));
                let query = query.bind(claim.thing.to_string()).bind(&claim.lease.0).bind(rest);
                query.execute(connection).await.map(|done| done.rows_affected())
            },
            |tables| {
                let (thing, lease) = (claim.thing.to_string(), &claim.lease.0);
                Ok(tables.finish(&thing, lease, (to_ms(now), to_ms(next)), rest))
            }
        );
        Ok(self.noted(result.map_err(StoreError::from))? > 0)
    }

    /// The look failed: the next one is at `due`, whoever knocks. `false` when the lease is lost.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub async fn retry(&self, claim: &Claim, now: Timestamp, error: &str, due: Timestamp) -> Result<bool, StoreError> {
        self.end_badly(claim, now, WorkState::Ready, None, error, due).await
    }

    /// The look failed too often: the thing waits for a knock or an operator. `false` when the lease is lost.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub async fn give_up(&self, claim: &Claim, now: Timestamp, error: &str) -> Result<bool, StoreError> {
        let reason = format!("gave up after {} failed looks", claim.attempts.saturating_add(1));
        self.end_badly(claim, now, WorkState::Failed, Some(&reason), error, now)
            .await
    }

    /// The look cannot go on without a person: nothing looks at the thing until it is released.
    /// `false` when the lease is lost.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub async fn hold(&self, claim: &Claim, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
        self.end_badly(claim, now, WorkState::Held, Some(reason), reason, now)
            .await
    }

    async fn end_badly(
        &self,
        claim: &Claim,
        now: Timestamp,
        state: WorkState,
        reason: Option<&str>,
        error: &str,
        due: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "update work set lease = null, attempts = attempts + 1, state = $1, reason = $2, \
             last_error = $3, last_look_at = $4, due_at = $5, asked_at = null, rest = null where thing = $6 and lease = $7";
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL)
                    .bind(state.as_str())
                    .bind(reason)
                    .bind(error)
                    .bind(to_ms(now))
                    .bind(to_ms(due));
                let query = query.bind(claim.thing.to_string()).bind(&claim.lease.0);
                query.execute(connection).await.map(|done| done.rows_affected())
            },
            |tables| {
                let end = BadEnd {
                    state,
                    reason,
                    error,
                    due: to_ms(due),
                };
                Ok(tables.end_badly(&claim.thing.to_string(), &claim.lease.0, to_ms(now), &end))
            }
        );
        Ok(self.noted(result.map_err(StoreError::from))? > 0)
    }

    async fn hold_row(&self, key: &str, reason: &str) -> Result<(), StoreError> {
        const SQL: &str = "update work set lease = null, state = 'held', reason = $1 where thing = $2";
        on!(
            self.pools(),
            write,
            |connection| {
                sqlx::query(SQL).bind(reason).bind(key).execute(connection).await?;
            },
            |tables| tables.hold_row(key, reason)
        );
        Ok(())
    }

    /// An operator says: look at it again now, as if nothing had failed. `false` when there is no such row.
    ///
    /// # Errors
    /// What the database said.
    pub async fn release(&self, thing: &Thing, now: Timestamp) -> Result<bool, StoreError> {
        let result = self.release_row(thing, now).await;
        let released = self.noted(result)?;
        self.wake();
        Ok(released)
    }

    async fn release_row(&self, thing: &Thing, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "update work set state = 'ready', attempts = 0, reason = null, due_at = $1 where thing = $2";
        let id = next_id(now);
        in_transaction!(
            self.pools(),
            |transaction| {
                let query = sqlx::query(SQL).bind(to_ms(now)).bind(thing.to_string());
                let is_known = query.execute(&mut *transaction).await?.rows_affected() > 0;
                if is_known {
                    let query = sqlx::query(RELEASED).bind(&id).bind(thing.to_string()).bind(to_ms(now));
                    query.execute(&mut *transaction).await?;
                }
                Ok(is_known)
            },
            |tables| {
                let is_known = tables.release(&thing.to_string(), to_ms(now)) > 0;
                if is_known {
                    tables.journal.insert(id.clone(), released(&id, thing, now));
                }
                Ok(is_known)
            }
        )
    }

    /// An operator says: forget it until somebody knocks again. `false` when there is no such row.
    ///
    /// # Errors
    /// What the database said.
    pub async fn drop_work(&self, key: &str) -> Result<bool, StoreError> {
        let result = on!(
            self.pools(),
            write,
            |connection| {
                sqlx::query("delete from work where thing = $1")
                    .bind(key)
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected())
            },
            |tables| Ok(tables.drop_work(key))
        );
        Ok(self.noted(result.map_err(StoreError::from))? > 0)
    }

    /// Every thing's row: held and failed ones first, then by when they are due.
    ///
    /// # Errors
    /// What the database said.
    pub async fn list_work(&self) -> Result<Vec<Work>, StoreError> {
        const SQL: &str = "select thing, due_at, asked_at, knocks, attempts, state, cause, lease, reason, last_error, last_look_at \
             from work order by case state when 'held' then 0 when 'failed' then 1 else 2 end, due_at, thing";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL).fetch_all(connection).await?;
                rows.iter().map(|row| work!(row)).collect()
            },
            |tables| tables.list_work()
        )
    }

    /// When the next look is due, among those that nobody holds; `None` when there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "select min(due_at) as due_at from work where state = 'ready' and lease is null";
        let due: Option<i64> = on!(
            self.pools(),
            read,
            |connection| sqlx::query(SQL).fetch_one(connection).await?.try_get("due_at")?,
            |tables| tables.next_due()
        );
        due.map(|due| from_ms("work", due)).transpose()
    }
}

#[rustfmt::skip]
macro_rules! work {
    ($row:expr) => {{
        let row = $row;
        let state: String = row.try_get("state")?;
        let lease: Option<String> = row.try_get("lease")?;
        let due_at: Option<i64> = row.try_get(if lease.is_some() { "asked_at" } else { "due_at" })?;
        let last_look_at: Option<i64> = row.try_get("last_look_at")?;
        Ok(Work {
            thing: row.try_get("thing")?,
            state: state_of(&state)?,
            looking: lease.is_some(),
            due_at: due_at.map(|at| from_ms("work", at)).transpose()?,
            knocks: row.try_get("knocks")?,
            attempts: row.try_get("attempts")?,
            cause: row.try_get("cause")?,
            reason: row.try_get("reason")?,
            last_error: row.try_get("last_error")?,
            last_look_at: last_look_at.map(|at| from_ms("work", at)).transpose()?,
        })
    }};
}
use work;

fn lease_end(now: Timestamp, lease: Duration) -> i64 {
    to_ms(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

fn state_of(text: &str) -> Result<WorkState, StoreError> {
    match text {
        "ready" => Ok(WorkState::Ready),
        "failed" => Ok(WorkState::Failed),
        "held" => Ok(WorkState::Held),
        other => Err(StoreError::Row {
            table: "work",
            value: other.to_owned(),
            expected: "state",
        }),
    }
}
