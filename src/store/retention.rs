//! Forgetting what is old, or too much: in small transactions, and a bounded number of them in one turn, because
//! deliveries that come in wait for each.

use jiff::Timestamp;
use sqlx::Row;

use super::memory::Tables;
use super::pools::on;
use super::{Store, StoreError, to_ms};

/// Rows that are deleted in one transaction.
const AT_ONCE: i64 = 500;
/// Bytes that a delivery takes beside its body, with its entries in the indexes.
const ROW: i64 = 512;
/// Transactions in one turn; what is left waits for the next.
const MOST_BATCHES: usize = 40;

/// What one turn of forgetting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows that are gone.
    pub rows: u64,
    /// Whether more is to be forgotten: the next turn should come soon.
    pub more: bool,
}

impl Store {
    /// Forgets deliveries that came in before `before`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<Forgotten, StoreError> {
        const SQL: &str = "delete from delivery where key in \
             (select key from delivery where received_at < $1 order by received_at limit $2)";
        self.forget(SQL, before, |tables, before| {
            let all = tables.deliveries.len();
            tables.deliveries.retain(|_, (row, _)| row.received_at >= before);
            all - tables.deliveries.len()
        })
        .await
    }

    /// Forgets entries of the journal that were begun before `before`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_journal(&self, before: Timestamp) -> Result<Forgotten, StoreError> {
        const SQL: &str = "delete from journal where id in (select id from journal where at < $1 order by at limit $2)";
        self.forget(SQL, before, |tables, before| {
            let all = tables.journal.len();
            tables.journal.retain(|_, entry| entry.at >= before);
            all - tables.journal.len()
        })
        .await
    }

    async fn forget(
        &self,
        sql: &'static str,
        before: Timestamp,
        in_memory: fn(&mut Tables, Timestamp) -> usize,
    ) -> Result<Forgotten, StoreError> {
        let mut rows = 0;
        for _ in 0..MOST_BATCHES {
            let result = on!(
                self.pools(),
                write,
                |connection| {
                    let query = sqlx::query(sql).bind(to_ms(before)).bind(AT_ONCE);
                    query.execute(connection).await.map(|done| done.rows_affected())
                },
                |tables| Ok(in_memory(tables, before) as u64)
            );
            let gone = self.noted(result.map_err(StoreError::from))?;
            rows += gone;
            if gone < AT_ONCE.unsigned_abs() {
                return Ok(Forgotten { rows, more: false });
            }
        }
        Ok(Forgotten { rows, more: true })
    }

    /// Bytes that deliveries take: [`ROW`] each, and what is kept of their bodies.
    ///
    /// # Errors
    /// What the database said.
    pub async fn delivery_bytes(&self) -> Result<u64, StoreError> {
        // PostgreSQL sums bigints as numeric, which is read as text.
        const SQL: &str = "select cast(coalesce(sum(length(body) + $1), 0) as bigint) as bytes from delivery";
        let bytes: i64 = on!(self.pools(), read, |connection| {
            sqlx::query(SQL)
                .bind(ROW)
                .fetch_one(connection)
                .await?
                .try_get("bytes")?
        });
        Ok(bytes.unsigned_abs())
    }

    /// Forgets the oldest deliveries until the others take at most `most` bytes.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_beyond(&self, most: u64) -> Result<Forgotten, StoreError> {
        let mut excess = self.delivery_bytes().await?.saturating_sub(most);
        let mut rows = 0;
        for _ in 0..MOST_BATCHES {
            if excess == 0 {
                return Ok(Forgotten { rows, more: false });
            }
            let (count, bytes) = self.oldest_worth(excess).await?;
            if count == 0 {
                return Ok(Forgotten { rows, more: false });
            }
            const SQL: &str = "delete from delivery where key in \
                 (select key from delivery order by received_at, key limit $1)";
            let result = on!(self.pools(), write, |connection| {
                let query = sqlx::query(SQL).bind(count);
                query.execute(connection).await.map(|done| done.rows_affected())
            });
            rows += self.noted(result.map_err(StoreError::from))?;
            excess = excess.saturating_sub(bytes);
        }
        Ok(Forgotten { rows, more: excess > 0 })
    }

    /// How many of the oldest deliveries make up this many bytes, and how many bytes they are; at most one batch.
    async fn oldest_worth(&self, excess: u64) -> Result<(i64, u64), StoreError> {
        const SQL: &str =
            "select cast(length(body) + $1 as bigint) as bytes from delivery order by received_at, key limit $2";
        let sizes: Vec<i64> = on!(self.pools(), read, |connection| {
            let rows = sqlx::query(SQL).bind(ROW).bind(AT_ONCE).fetch_all(connection).await?;
            rows.iter()
                .map(|row| row.try_get("bytes"))
                .collect::<Result<_, sqlx::Error>>()?
        });
        let (mut count, mut bytes) = (0, 0);
        for size in sizes {
            if bytes >= excess {
                break;
            }
            count += 1;
            bytes += size.unsigned_abs();
        }
        Ok((count, bytes))
    }
}
