//! Turns: what is done on a schedule, by one instance at a time.

use std::time::Duration;

use jiff::Timestamp;

use super::pools::on;
use super::{Store, StoreError, to_ms};

impl Store {
    /// Whether it is this instance's turn: `false` when another one took it less than `every` ago.
    ///
    /// # Errors
    /// What the database said.
    pub async fn take_turn(&self, name: &str, now: Timestamp, every: Duration) -> Result<bool, StoreError> {
        const SQL: &str = "insert into turn (name, at) values ($1, $2) \
             on conflict (name) do update set at = excluded.at where turn.at <= $3";
        let before = to_ms(now).saturating_sub(i64::try_from(every.as_millis()).unwrap_or(i64::MAX));
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL).bind(name).bind(to_ms(now)).bind(before);
                query.execute(connection).await.map(|done| done.rows_affected())
            },
            |tables| Ok(tables.take_turn(name, to_ms(now), before))
        );
        Ok(self.noted(result.map_err(StoreError::from))? > 0)
    }
}
