//! Lists for an operator's eyes: deliveries and the journal, by what they ask for.

use convenor_core::ids::ProjectId;
use jiff::Timestamp;
use sqlx::Row;

use super::deliveries::{StoredDelivery, stored};
use super::journal::{JournalEntry, entry};
use super::pools::on;
use super::{Store, StoreError, to_ms};

/// Which deliveries; the default is all of them.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only those that came in at this time or later.
    pub since: Option<Timestamp>,
    /// Only those whose `X-Gitlab-Event` contains this, whatever its case.
    pub event: Option<String>,
    /// Only those that knocked at this thing.
    pub thing: Option<String>,
    /// Only those that led to no look, or to a look at everything.
    pub unclear: bool,
}

/// Which steps of the journal; the default is all of them.
#[derive(Clone, Debug, Default)]
pub struct JournalFilter {
    /// Only those begun at this time or later.
    pub since: Option<Timestamp>,
    /// Only those of one of these things.
    pub things: Vec<String>,
    /// Only those of this program.
    pub program: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those in this state.
    pub state: Option<String>,
    /// Only those whose cause contains this.
    pub cause: Option<String>,
}

/// Rows are read in portions while a filter that is no column leaves some out.
const PORTION: i64 = 500;

impl Store {
    /// The newest deliveries that the filter lets through, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn find_deliveries(
        &self,
        filter: &DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<StoredDelivery>, StoreError> {
        const SQL: &str = "select key, received_at, event, instance, subject, reason, things, body_bytes from delivery \
             where received_at >= $1 order by received_at desc, key limit $2 offset $3";
        let since = filter.since.map_or(i64::MIN, to_ms);
        let mut found = Vec::new();
        let mut offset = 0;
        loop {
            let rows: Vec<StoredDelivery> = on!(self.pools(), read, |connection| {
                let query = sqlx::query(SQL).bind(since).bind(PORTION).bind(offset);
                let rows = query.fetch_all(connection).await?;
                rows.iter().map(|row| stored!(row)).collect::<Result<_, StoreError>>()?
            });
            let read = rows.len();
            found.extend(rows.into_iter().filter(|delivery| filter.admits(delivery)));
            if found.len() >= limit as usize || read < PORTION as usize {
                found.truncate(limit as usize);
                return Ok(found);
            }
            offset += PORTION;
        }
    }

    /// The newest steps that the filter lets through, newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn find_journal(&self, filter: &JournalFilter, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        const SQL: &str = "select id, thing, cause, kind, step, state, result, at, ended_at from journal \
             where at >= $1 order by id desc limit $2 offset $3";
        let since = filter.since.map_or(i64::MIN, to_ms);
        let mut found = Vec::new();
        let mut offset = 0;
        loop {
            let rows: Vec<JournalEntry> = on!(self.pools(), read, |connection| {
                let query = sqlx::query(SQL).bind(since).bind(PORTION).bind(offset);
                let rows = query.fetch_all(connection).await?;
                rows.iter().map(|row| entry!(row)).collect::<Result<_, StoreError>>()?
            });
            let read = rows.len();
            found.extend(rows.into_iter().filter(|entry| filter.admits(entry)));
            if found.len() >= limit as usize || read < PORTION as usize {
                found.truncate(limit as usize);
                return Ok(found);
            }
            offset += PORTION;
        }
    }

    /// Keys of the proposals that this project was made for: their steps are part of the community's story.
    ///
    /// # Errors
    /// What the database said.
    pub async fn proposals_of(&self, project: ProjectId) -> Result<Vec<String>, StoreError> {
        let id = i64::try_from(project.0).unwrap_or(i64::MAX);
        on!(self.pools(), read, |connection| {
            let rows = sqlx::query("select proposal from made_project where project = $1")
                .bind(id)
                .fetch_all(connection)
                .await?;
            Ok(rows
                .iter()
                .map(|row| row.try_get("proposal"))
                .collect::<Result<_, sqlx::Error>>()?)
        })
    }
}

impl DeliveryFilter {
    fn admits(&self, delivery: &StoredDelivery) -> bool {
        let event = delivery.event.as_deref().unwrap_or_default().to_lowercase();
        self.event
            .as_ref()
            .is_none_or(|wanted| event.contains(&wanted.to_lowercase()))
            && self
                .thing
                .as_ref()
                .is_none_or(|wanted| delivery.things.contains(wanted))
            && (!self.unclear || delivery.reason.is_some())
    }
}

impl JournalFilter {
    fn admits(&self, entry: &JournalEntry) -> bool {
        let program = |wanted: &String| {
            let thing = entry.thing.parse::<convenor_core::thing::Thing>();
            thing.is_ok_and(|thing| thing.program().as_str() == wanted)
        };
        (self.things.is_empty() || self.things.contains(&entry.thing))
            && self.program.as_ref().is_none_or(program)
            && self.kind.as_ref().is_none_or(|kind| entry.kind == *kind)
            && self.state.as_ref().is_none_or(|state| entry.state.as_str() == state)
            && self.cause.as_ref().is_none_or(|cause| entry.cause.contains(cause))
    }
}
