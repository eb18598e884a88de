//! Connections: all that differs between databases.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlSafeStr};

use super::StoreError;
use crate::settings::DatabaseUrl;

/// Runs `$body` with the pool of `$side` (`write` or `read`) of whichever database it is.
macro_rules! on {
    ($pools:expr, $side:ident, |$pool:ident| $body:expr) => {
        match $pools {
            $crate::store::pools::Pools::Sqlite(pools) => {
                let $pool = &pools.$side;
                $body
            }
        }
    };
}

/// Runs `$body` in one transaction that is committed when it succeeds. `?` inside leaves without a trace.
macro_rules! in_transaction {
    ($pools:expr, |$transaction:ident| $body:expr) => {
        match $pools {
            $crate::store::pools::Pools::Sqlite(pools) => {
                // Taking the write lock first: a read that turns into a write can fail half-way on SQLite.
                let mut $transaction = pools.write.begin_with("BEGIN IMMEDIATE").await?;
                let value = $body;
                $transaction.commit().await?;
                value
            }
        }
    };
}

pub(super) use {in_transaction, on};

/// Connections to the database.
#[derive(Clone)]
pub(super) enum Pools {
    Sqlite(SqlitePools),
}

/// SQLite has one writer at a time: one connection writes, others read beside it.
#[derive(Clone)]
pub(super) struct SqlitePools {
    pub(super) write: SqlitePool,
    pub(super) read: SqlitePool,
}

impl Pools {
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(Self::Sqlite(open_sqlite(path).await?)),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
        }
    }
}

async fn open_sqlite(path: &Path) -> Result<SqlitePools, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        tokio::fs::create_dir_all(folder).await.map_err(sqlx::Error::Io)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits when the power fails (https://sqlite.org/pragma.html#pragma_synchronous).
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(2));
    let pool = SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10));
    let write = pool.clone().max_connections(1).connect_with(options.clone()).await?;
    quick_check(&write).await?;
    migrations().run(&write).await?;
    let read = pool
        .max_connections(4)
        .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "on"));
    Ok(SqlitePools { write, read })
}

/// A damaged file is found at the start and not in the middle of a look.
async fn quick_check(pool: &SqlitePool) -> Result<(), StoreError> {
    let row = sqlx::query("pragma quick_check(1)").fetch_one(pool).await?;
    let answer: String = row.try_get(0)?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(StoreError::Corrupt(answer))
    }
}

/// The files of `migrations/`, oldest first: number, description, text. A released one never changes.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "intake and work",
    include_str!("../../migrations/0001_intake_and_work.sql"),
)];

fn migrations() -> Migrator {
    let read = |&(number, description, text): &(i64, &'static str, &'static str)| {
        Migration::new(
            number,
            description.into(),
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_listed() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let mut files: Vec<_> = folder
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS
            .iter()
            .map(|(number, description, _)| format!("{number:04}_{}.sql", description.replace(' ', "_")))
            .collect();
        assert_eq!(files, listed);
    }
}
