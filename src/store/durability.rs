//! Whether what was acknowledged survives a power cut.

use convenor_core::doctor::Durability;
use sqlx::Row;

use super::pools::Pools;
use super::{Store, StoreError};

impl Store {
    /// Asks the database how it writes.
    ///
    /// # Errors
    /// What the database said.
    pub async fn durability(&self) -> Result<Durability, StoreError> {
        match self.pools() {
            Pools::Memory(_) => Err(StoreError::NotInMemory),
            Pools::Sqlite(sides) => {
                let mut connection = sides.write.acquire().await?;
                let row = sqlx::query("pragma synchronous").fetch_one(&mut *connection).await?;
                let synchronous: i64 = row.try_get(0)?;
                let row = sqlx::query("pragma journal_mode").fetch_one(&mut *connection).await?;
                let journal: String = row.try_get(0)?;
                // FULL is 2, EXTRA is 3 (https://sqlite.org/pragma.html#pragma_synchronous).
                Ok(Durability {
                    evidence: format!("SQLite, synchronous={synchronous}, journal_mode={journal}"),
                    may_lose: synchronous < 2,
                })
            }
            Pools::Postgres(sides) => {
                const SQL: &str = "select current_setting('fsync') as fsync, \
                     current_setting('full_page_writes') as pages, current_setting('synchronous_commit') as commits";
                let mut connection = sides.write.acquire().await?;
                let row = sqlx::query(SQL).fetch_one(&mut *connection).await?;
                let (fsync, pages): (String, String) = (row.try_get("fsync")?, row.try_get("pages")?);
                let commits: String = row.try_get("commits")?;
                Ok(Durability {
                    evidence: format!(
                        "PostgreSQL, fsync={fsync}, full_page_writes={pages}, synchronous_commit={commits}"
                    ),
                    may_lose: fsync != "on" || pages != "on" || commits == "off",
                })
            }
        }
    }
}
