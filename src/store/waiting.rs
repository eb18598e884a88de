//! The line of those who wait to open a merge request on a handbook page: who came first goes first, also after a restart and with
//! several instances.

use convenor_core::thing::{ProgramName, Thing};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

use super::journal::next_id;
use super::pools::on;
use super::{Store, StoreError, to_ms};

/// Who has not looked again for so long has gone, and holds nobody up.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Stands in line, unless it does already; `true` when it came just now.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stand_in_line(&self, thing: &Thing, page: &str, now: Timestamp) -> Result<bool, StoreError> {
        const NEW: &str =
            "insert into waiting (thing, page, ticket, at) values ($1, $2, $3, $4) on conflict do nothing";
        const AGAIN: &str = "update waiting set at = $3 where thing = $1 and page = $2";
        let ticket = next_id(now);
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(NEW)
                    .bind(thing.to_string())
                    .bind(page)
                    .bind(&ticket)
                    .bind(to_ms(now));
                let came = query.execute(&mut *connection).await?.rows_affected() > 0;
                if !came {
                    let query = sqlx::query(AGAIN).bind(thing.to_string()).bind(page).bind(to_ms(now));
                    query.execute(&mut *connection).await?;
                }
                Ok::<bool, sqlx::Error>(came)
            },
            |tables| Ok(tables.stand_in_line(&thing.to_string(), page, &ticket, to_ms(now)))
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// How many of the program stand before this thing on this page; all of them when it does not stand there itself.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ahead_in_line(&self, thing: &Thing, page: &str, now: Timestamp) -> Result<usize, StoreError> {
        let line = self.line(thing.program(), now).await?;
        let before = line
            .iter()
            .filter(|(_, at)| at == page)
            .take_while(|(other, _)| other != thing);
        Ok(before.count())
    }

    /// Leaves the line on all pages but these; `true` when it stood in one.
    ///
    /// # Errors
    /// What the database said.
    pub async fn leave_line(&self, thing: &Thing, but: &[&str], now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "delete from waiting where thing = $1 and page = $2";
        let line = self.line(thing.program(), now).await?;
        let left = line
            .iter()
            .filter(|(other, page)| other == thing && !but.contains(&page.as_str()));
        let mut stood = false;
        for (_, page) in left {
            let result = on!(
                self.pools(),
                write,
                |connection| {
                    let query = sqlx::query(SQL).bind(thing.to_string()).bind(page);
                    query.execute(connection).await.map(drop)
                },
                |tables| {
                    tables.leave_line(&thing.to_string(), page);
                    Ok(())
                }
            );
            self.noted(result.map_err(StoreError::from))?;
            stood = true;
        }
        Ok(stood)
    }

    /// Who of a program waits, with the page, first come first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn line(&self, program: &ProgramName, now: Timestamp) -> Result<Vec<(Thing, String)>, StoreError> {
        const SQL: &str = "select thing, page from waiting where at >= $1 order by ticket";
        let since = now.checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
        let rows: Vec<(String, String)> = on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL).bind(to_ms(since)).fetch_all(connection).await?;
                rows.iter()
                    .map(|row| Ok((row.try_get("thing")?, row.try_get("page")?)))
                    .collect::<Result<_, sqlx::Error>>()?
            },
            |tables| tables.line(to_ms(since))
        );
        let things = rows
            .into_iter()
            .filter_map(|(thing, page)| Some((thing.parse::<Thing>().ok()?, page)));
        Ok(things.filter(|(thing, _)| thing.program() == program).collect())
    }
}
