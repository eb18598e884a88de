//! The journal: an intent is written before each step that changes GitLab, its end after it.

use std::collections::BTreeMap;

use convenor_core::ids::{NoteId, ProjectId};
use convenor_core::plan::status;
use convenor_core::thing::{ProgramName, Thing};
use jiff::Timestamp;
use sqlx::Row;
use uuid::{ContextV7, Uuid};

use super::pools::{in_transaction, on};
use super::work::Lease;
use super::{Store, StoreError, from_ms, lock, to_ms};

/// An entry of the journal; later entries of one process sort after earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct JournalId(pub(super) String);

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// About to be done; after a crash: nobody knows.
    Pending,
    /// Done.
    Done,
    /// Refused: nothing changed.
    Failed,
    /// The answer was lost: it may have been done.
    Unknown,
}

impl StepState {
    /// The word, as in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        match text {
            "pending" => Ok(Self::Pending),
            "done" => Ok(Self::Done),
            "failed" => Ok(Self::Failed),
            "unknown" => Ok(Self::Unknown),
            other => Err(StoreError::Row {
                table: "journal",
                value: other.to_owned(),
                expected: "step's state",
            }),
        }
    }
}

/// One step that was begun.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct JournalEntry {
    /// Its id.
    pub id: JournalId,
    /// Key of the thing that was looked at.
    pub thing: String,
    /// What caused the look.
    pub cause: String,
    /// The step's kind, as a word.
    pub kind: String,
    /// The step's sentence.
    pub step: String,
    /// How far it is.
    pub state: StepState,
    /// What came of it: an id, a link, an error.
    pub result: Option<String>,
    /// When it was begun.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A step that is about to be done.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// For which thing.
    pub thing: &'a Thing,
    /// What caused the look.
    pub cause: &'a str,
    /// The step's kind, as a word.
    pub kind: &'a str,
    /// The step's sentence.
    pub step: &'a str,
    /// The right to look at the thing, which must not have gone to somebody else; `None`: nobody shares the work.
    pub lease: Option<&'a Lease>,
}

/// How one of several steps ended.
#[derive(Clone, Debug)]
pub struct StepEnd {
    /// Its entry.
    pub id: JournalId,
    /// How it ended.
    pub state: StepState,
    /// What came of it.
    pub result: Option<String>,
}

impl Intent<'_> {
    fn lease(&self) -> &str {
        self.lease.map_or("", |lease| lease.0.as_str())
    }

    fn entry(&self, id: JournalId, at: Timestamp) -> JournalEntry {
        JournalEntry {
            id,
            thing: self.thing.to_string(),
            cause: self.cause.to_owned(),
            kind: self.kind.to_owned(),
            step: self.step.to_owned(),
            state: StepState::Pending,
            result: None,
            at,
            ended_at: None,
        }
    }
}

/// The result of a step that was not due any more when somebody looked: it was found done, or is not wanted.
pub const NOT_DUE: &str = "found by a later look";

static ORDER: std::sync::Mutex<Option<ContextV7>> = std::sync::Mutex::new(None);

impl Store {
    /// Writes down, durably, that a step is about to be done; `None` when the intent's lease is lost: somebody else looks at
    /// the thing now, and the step must not be done.
    ///
    /// # Errors
    /// What the database said; the step must then not be done either.
    pub async fn journal_begin(&self, intent: &Intent<'_>, at: Timestamp) -> Result<Option<JournalId>, StoreError> {
        let begun = self.journal_begin_all(std::slice::from_ref(intent), at).await?;
        Ok(begun.into_iter().flatten().next())
    }

    /// The same for steps that are carried out side by side, in one transaction: all of them are written down or none is.
    ///
    /// # Errors
    /// As [`Store::journal_begin`].
    pub async fn journal_begin_all(
        &self,
        intents: &[Intent<'_>],
        at: Timestamp,
    ) -> Result<Option<Vec<JournalId>>, StoreError> {
        let begun: Vec<(JournalId, &Intent<'_>)> =
            intents.iter().map(|intent| (JournalId(next_id(at)), intent)).collect();
        let is_written = self.write_intents(&begun, at).await;
        // Of one thing the lease is held for all intents or for none.
        let is_written = self.noted(is_written)?;
        Ok(is_written.then(|| begun.into_iter().map(|(id, _)| id).collect()))
    }

    async fn write_intents(&self, begun: &[(JournalId, &Intent<'_>)], at: Timestamp) -> Result<bool, StoreError> {
        // The lease is asked for by the statement that writes, so nobody can take it in between.
        const SQL: &str = "insert into journal (id, thing, cause, kind, step, state, at) \
             select $1, $2, $3, $4, $5, 'pending', $6 \
             where $7 = '' or exists (select 1 from work where thing = $2 and lease = $7)";
        in_transaction!(
            self.pools(),
            |transaction| {
                let mut written = 0;
                for (id, intent) in begun {
                    let query = sqlx::query(SQL)
                        .bind(&id.0)
                        .bind(intent.thing.to_string())
                        .bind(intent.cause)
                        .bind(intent.kind)
                        .bind(intent.step)
                        .bind(to_ms(at))
                        .bind(intent.lease());
                    written += query.execute(&mut *transaction).await?.rows_affected();
                }
                if written < begun.len() as u64 {
                    return Ok(false);
                }
                Ok(true)
            },
            |tables| {
                let may = |intent: &Intent<'_>| {
                    intent.lease.is_none() || tables.is_leased(&intent.thing.to_string(), intent.lease())
                };
                if !begun.iter().map(|(_, intent)| *intent).all(may) {
                    return Ok(false);
                }
                for (id, intent) in begun {
                    tables.journal.insert(id.0.clone(), intent.entry(id.clone(), at));
                }
                Ok(true)
            }
        )
    }

    /// Writes down that steps that were written down before are to be done only now; whether they may be: each of them still waits
    /// for its end, and the lease is held.
    ///
    /// # Errors
    /// As [`Store::journal_begin`].
    pub async fn journal_renew(
        &self,
        thing: &Thing,
        ids: &[JournalId],
        lease: Option<&Lease>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let result = self.renew_intents(thing, ids, lease, at).await;
        self.noted(result)
    }

    async fn renew_intents(
        &self,
        thing: &Thing,
        ids: &[JournalId],
        lease: Option<&Lease>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "update journal set at = $1 where id = $2 and state = 'pending' \
             and ($3 = '' or exists (select 1 from work where thing = $4 and lease = $3))";
        let lease = lease.map_or("", |lease| lease.0.as_str());
        in_transaction!(
            self.pools(),
            |transaction| {
                let mut renewed = 0;
                for id in ids {
                    let query = sqlx::query(SQL).bind(to_ms(at)).bind(&id.0);
                    let query = query.bind(lease).bind(thing.to_string());
                    renewed += query.execute(&mut *transaction).await?.rows_affected();
                }
                Ok(renewed == ids.len() as u64)
            },
            |tables| {
                let may = lease.is_empty() || tables.is_leased(&thing.to_string(), lease);
                let wait = ids.iter().all(|id| {
                    let entry = tables.journal.get(&id.0);
                    entry.is_some_and(|entry| entry.state == StepState::Pending)
                });
                if !may || !wait {
                    return Ok(false);
                }
                for id in ids {
                    if let Some(entry) = tables.journal.get_mut(&id.0) {
                        entry.at = at;
                    }
                }
                Ok(true)
            }
        )
    }

    /// A thing's steps begun since a time, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn journal_since(&self, thing: &Thing, since: Timestamp) -> Result<Vec<JournalEntry>, StoreError> {
        const SQL: &str = "select id, thing, cause, kind, step, state, result, at, ended_at from journal \
             where thing = $1 and at >= $2 order by id";
        on!(
            self.pools(),
            read,
            |connection| {
                let query = sqlx::query(SQL).bind(thing.to_string()).bind(to_ms(since));
                let rows = query.fetch_all(connection).await?;
                rows.iter().map(|row| entry!(row)).collect()
            },
            |tables| {
                let thing = thing.to_string();
                let of_thing = tables.journal.values();
                let of_thing = of_thing.filter(|entry| entry.thing == thing && entry.at >= since);
                Ok(of_thing.cloned().collect())
            }
        )
    }

    /// What caused the making of a project, when it was made by us since a time.
    ///
    /// # Errors
    /// What the database said.
    pub async fn cause_of_project(&self, project: ProjectId, since: Timestamp) -> Result<Option<String>, StoreError> {
        const SQL: &str = "select cause from journal where kind = 'create_project' and state = 'done' and result = $1 and at >= $2 \
             order by id desc limit 1";
        on!(self.pools(), read, |connection| {
            let query = sqlx::query(SQL).bind(project.0.to_string()).bind(to_ms(since));
            let rows = query.fetch_all(connection).await?;
            Ok(rows.first().map(|row| row.try_get("cause")).transpose()?)
        })
    }

    /// How many steps of one kind were begun for a program's things since a time and not refused.
    ///
    /// # Errors
    /// What the database said.
    pub async fn count_steps(&self, program: &ProgramName, kind: &str, since: Timestamp) -> Result<usize, StoreError> {
        const SQL: &str = "select thing from journal where kind = $1 and at >= $2 and state <> 'failed'";
        let things: Vec<String> = on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL)
                    .bind(kind)
                    .bind(to_ms(since))
                    .fetch_all(connection)
                    .await?;
                rows.iter()
                    .map(|row| row.try_get("thing"))
                    .collect::<Result<_, sqlx::Error>>()?
            },
            |tables| {
                let begun = tables.journal.values();
                let begun =
                    begun.filter(|entry| entry.kind == kind && entry.at >= since && entry.state != StepState::Failed);
                begun.map(|entry| entry.thing.clone()).collect()
            }
        );
        let of_program = |thing: &&String| thing.parse::<Thing>().is_ok_and(|thing| thing.program() == program);
        Ok(things.iter().filter(of_program).count())
    }

    /// The sentences of a thing's steps of some kinds that were surely done, as far as the journal reaches back, and when each was begun
    /// last.
    ///
    /// # Errors
    /// What the database said.
    pub async fn done_steps(&self, thing: &Thing, kinds: &[&str]) -> Result<BTreeMap<String, Timestamp>, StoreError> {
        const SQL: &str = "select kind, step, at from journal where thing = $1 and state = 'done' \
             and (result is null or result <> $2)";
        let done: Vec<(String, String, Timestamp)> = on!(
            self.pools(),
            read,
            |connection| {
                let query = sqlx::query(SQL).bind(thing.to_string()).bind(NOT_DUE);
                let rows = query.fetch_all(connection).await?;
                rows.iter()
                    .map(|row| {
                        Ok((
                            row.try_get("kind")?,
                            row.try_get("step")?,
                            from_ms("journal", row.try_get("at")?)?,
                        ))
                    })
                    .collect::<Result<_, StoreError>>()?
            },
            |tables| {
                let of_thing = tables.journal.values();
                let of_thing = of_thing.filter(|entry| entry.thing == thing.to_string());
                let done = of_thing.filter(|entry| entry.state == StepState::Done);
                let surely = done.filter(|entry| entry.result.as_deref() != Some(NOT_DUE));
                surely
                    .map(|entry| (entry.kind.clone(), entry.step.clone(), entry.at))
                    .collect()
            }
        );
        let mut made: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (_, step, at) in done.into_iter().filter(|(kind, ..)| kinds.contains(&kind.as_str())) {
            let last = made.entry(step).or_insert(at);
            *last = at.max(*last);
        }
        Ok(made)
    }

    /// The first of a thing's steps of one kind that was not refused, and when it was begun.
    ///
    /// # Errors
    /// What the database said.
    pub async fn first_begun(&self, thing: &Thing, kind: &str) -> Result<Option<(String, Timestamp)>, StoreError> {
        const SQL: &str = "select id, thing, cause, kind, step, state, result, at, ended_at from journal \
             where thing = $1 and kind = $2 and state <> 'failed' order by id limit 1";
        let first: Option<JournalEntry> = on!(
            self.pools(),
            read,
            |connection| {
                let query = sqlx::query(SQL).bind(thing.to_string()).bind(kind);
                let row = query.fetch_optional(connection).await?;
                let entry: Option<Result<JournalEntry, StoreError>> = row.as_ref().map(|row| entry!(row));
                entry.transpose()?
            },
            |tables| {
                let of_thing = tables.journal.values();
                let mut of_thing = of_thing.filter(|entry| entry.thing == thing.to_string() && entry.kind == kind);
                of_thing.find(|entry| entry.state != StepState::Failed).cloned()
            }
        );
        Ok(first.map(|entry| (entry.step, entry.at)))
    }

    /// The comment that was written last for a proposal, as far as the journal reaches back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn written_comment(&self, proposal: &Thing) -> Result<Option<NoteId>, StoreError> {
        const SQL: &str = "select kind, result from journal where thing = $1 and state = 'done' and result is not null \
             and kind in ($2, $3, $4) order by id desc";
        let [create, update, delete] = status::TALK;
        let done: Vec<(String, String)> = on!(
            self.pools(),
            read,
            |connection| {
                let query = sqlx::query(SQL).bind(proposal.to_string());
                let query = query.bind(create).bind(update).bind(delete);
                let rows = query.fetch_all(connection).await?;
                rows.iter()
                    .map(|row| Ok((row.try_get("kind")?, row.try_get("result")?)))
                    .collect::<Result<_, sqlx::Error>>()?
            },
            |tables| {
                let of_thing = tables.journal.values().rev();
                let of_thing = of_thing.filter(|entry| entry.thing == proposal.to_string());
                let done = of_thing.filter(|entry| entry.state == StepState::Done);
                let talk = done.filter(|entry| status::TALK.contains(&entry.kind.as_str()));
                talk.filter_map(|entry| Some((entry.kind.clone(), entry.result.clone()?)))
                    .collect()
            }
        );
        let done = done.iter().map(|(kind, result)| (kind.as_str(), result.as_str()));
        Ok(status::written(done))
    }

    /// Writes down how a step ended.
    ///
    /// # Errors
    /// What the database said; the entry then stays pending, which is true: nobody knows.
    pub async fn journal_end(
        &self,
        id: &JournalId,
        state: StepState,
        result: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let end = StepEnd {
            id: id.clone(),
            state,
            result: result.map(str::to_owned),
        };
        self.journal_end_all(&[end], at).await
    }

    /// Writes down how steps ended that were carried out side by side, in one transaction.
    ///
    /// # Errors
    /// As [`Store::journal_end`].
    pub async fn journal_end_all(&self, ends: &[StepEnd], at: Timestamp) -> Result<(), StoreError> {
        let result = self.write_ends(ends, at).await;
        self.noted(result)
    }

    async fn write_ends(&self, ends: &[StepEnd], at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "update journal set state = $1, result = $2, ended_at = $3 where id = $4";
        in_transaction!(
            self.pools(),
            |transaction| {
                for end in ends {
                    let query = sqlx::query(SQL)
                        .bind(end.state.as_str())
                        .bind(end.result.as_deref())
                        .bind(to_ms(at))
                        .bind(&end.id.0);
                    query.execute(&mut *transaction).await?;
                }
                Ok(())
            },
            |tables| {
                for end in ends {
                    if let Some(entry) = tables.journal.get_mut(&end.id.0) {
                        entry.state = end.state;
                        entry.result.clone_from(&end.result);
                        entry.ended_at = Some(at);
                    }
                }
                Ok(())
            }
        )
    }

    /// A thing's steps, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn journal_of(&self, thing: &Thing, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        const SQL: &str = "select id, thing, cause, kind, step, state, result, at, ended_at from journal \
             where thing = $1 order by id desc limit $2";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL)
                    .bind(thing.to_string())
                    .bind(i64::from(limit))
                    .fetch_all(connection)
                    .await?;
                rows.iter().map(|row| entry!(row)).collect()
            },
            |tables| {
                let of_thing = tables.journal.values().rev();
                let of_thing = of_thing.filter(|entry| entry.thing == thing.to_string());
                Ok(of_thing.take(limit as usize).cloned().collect())
            }
        )
    }

    /// Steps of a thing whose end is not known: pending from a look that was cut, or unknown. Oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn journal_open(&self, thing: &Thing) -> Result<Vec<JournalEntry>, StoreError> {
        const SQL: &str = "select id, thing, cause, kind, step, state, result, at, ended_at from journal \
             where thing = $1 and state in ('pending', 'unknown') order by id";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL).bind(thing.to_string()).fetch_all(connection).await?;
                rows.iter().map(|row| entry!(row)).collect()
            },
            |tables| Ok(tables.journal_open(&thing.to_string()))
        )
    }
}

macro_rules! entry {
    ($row:expr) => {{
        let row = $row;
        let state: String = row.try_get("state")?;
        let ended_at: Option<i64> = row.try_get("ended_at")?;
        Ok($crate::store::journal::JournalEntry {
            id: $crate::store::journal::JournalId(row.try_get("id")?),
            thing: row.try_get("thing")?,
            cause: row.try_get("cause")?,
            kind: row.try_get("kind")?,
            step: row.try_get("step")?,
            state: $crate::store::journal::StepState::read(&state)?,
            result: row.try_get("result")?,
            at: $crate::store::from_ms("journal", row.try_get("at")?)?,
            ended_at: ended_at.map(|at| $crate::store::from_ms("journal", at)).transpose()?,
        })
    }};
}
pub(super) use entry;

/// Writes down that an operator has looked at a thing: what was begun before counts no more against it.
pub(super) const RELEASED: &str = "insert into journal (id, thing, cause, kind, step, state, at, ended_at) \
     values ($1, $2, 'operator', 'release', 'an operator released it', 'done', $3, $3)";

/// What [`RELEASED`] writes.
pub(super) fn released(id: &str, thing: &Thing, at: Timestamp) -> JournalEntry {
    let intent = Intent {
        thing,
        cause: "operator",
        kind: "release",
        step: "an operator released it",
        lease: None,
    };
    JournalEntry {
        state: StepState::Done,
        ended_at: Some(at),
        ..intent.entry(JournalId(id.to_owned()), at)
    }
}

/// A UUID of version 7 (RFC 9562): sorts by the time, and by a counter inside one millisecond.
pub(super) fn next_id(at: Timestamp) -> String {
    let mut order = lock(&ORDER);
    let context = order.get_or_insert_with(ContextV7::new);
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanoseconds)).to_string()
}
