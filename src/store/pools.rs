//! Connections: what differs between databases for all that is asked of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row, SqlSafeStr};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, Notify};

use super::StoreError;
use super::memory::Memory;
use super::work::Order;
use crate::settings::DatabaseUrl;

/// Runs `$body` with a connection of `$side` (`write` or `read`) of whichever database it is, or `$same`, which means the
/// same, on tables in memory. `?` inside `$body` leaves early. Without `$same`, which what only operators ask for needs not have,
/// tables in memory refuse.
macro_rules! on {
    ($pools:expr, $side:ident, |$connection:ident| $body:expr) => {
        $crate::store::pools::on!(@ $pools, $side, |$connection| $body, |_memory| {
            return Err($crate::store::StoreError::NotInMemory)
        })
    };
    ($pools:expr, $side:ident, |$connection:ident| $body:expr, |$tables:ident| $same:expr) => {
        $crate::store::pools::on!(@ $pools, $side, |$connection| $body, |memory| memory.$side(|$tables| $same).await?)
    };
    (@ $pools:expr, $side:ident, |$connection:ident| $body:expr, |$memory:ident| $in_memory:expr) => {
        match $pools {
            $crate::store::pools::Pools::Memory($memory) => $in_memory,
            $crate::store::pools::Pools::Sqlite(sides) => {
                let mut guard = sides.$side.acquire().await?;
                let $connection = &mut *guard;
                $body
            }
            $crate::store::pools::Pools::Postgres(sides) => {
                let mut guard = sides.$side.acquire().await?;
                let $connection = &mut *guard;
                $body
            }
        }
    };
}

/// Runs `$body` in one transaction that is committed when it succeeds, or `$same`, which means the same, on tables in memory.
/// `?` inside `$body` leaves without a trace.
macro_rules! in_transaction {
    ($pools:expr, |$transaction:ident| $body:expr, |$tables:ident| $same:expr) => {
        match $pools {
            $crate::store::pools::Pools::Memory(memory) => {
                let value = memory.write(|$tables| $same).await?;
                memory.announce();
                value
            }
            $crate::store::pools::Pools::Sqlite(sides) => {
                let mut guard = sides.write.acquire().await?;
                // Taking the write lock first: a read that turns into a write can fail half-way on SQLite.
                let mut $transaction = sqlx::Connection::begin_with(&mut *guard, "BEGIN IMMEDIATE").await?;
                let value = $body;
                $transaction.commit().await?;
                value
            }
            $crate::store::pools::Pools::Postgres(sides) => {
                let mut $transaction = sides.write.begin().await?;
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
    Sqlite(Sides<Writing, SqlitePool>),
    Postgres(Sides<PgPool, PgPool>),
    Memory(Memory),
}

/// SQLite has one writer at a time: one connection writes, others read beside it. PostgreSQL's two sides are one pool.
#[derive(Clone)]
pub(super) struct Sides<W, R> {
    pub(super) write: W,
    pub(super) read: R,
}

/// SQLite's one writing connection, first come, first served. A pool of one would ask the connection before and after
/// each use whether it still lives.
#[derive(Clone)]
pub(super) struct Writing(Arc<Mutex<Option<SqliteConnection>>>);

impl Writing {
    /// Waits for the connection.
    pub(super) async fn acquire(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, sqlx::Error> {
        MutexGuard::try_map(self.0.lock().await, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn close(&self) {
        if let Some(connection) = self.0.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database was not closed well; it will be checked at the next start");
        }
    }
}

/// Tells other processes, when the transaction commits, that work may be due.
pub(super) trait Announce {
    fn announce(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl Announce for SqliteConnection {
    async fn announce(&mut self) -> Result<(), sqlx::Error> {
        // A SQLite file is served by one process; what its commands store is seen at the next poll.
        Ok(())
    }
}

impl Announce for PgConnection {
    async fn announce(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(NOTIFY).execute(self).await.map(drop)
    }
}

/// Takes a row that is due: $1 is the lease, $2 its end, $3 now.
macro_rules! claim {
    ($which:literal, $skip_taken:literal) => {
        concat!(
            "update work set lease = $1, due_at = $2, asked_at = null where thing = \
             (select thing from work where state = 'ready' and due_at <= $3 ",
            $which,
            " limit 1",
            $skip_taken,
            ") returning thing, cause, attempts, knocks"
        )
    };
}

/// As [`super::work::Order`] says: it has just come ($4: who is due since before that waits), was not looked at a moment ago, and
/// others have waited long.
macro_rules! claim_newcomer {
    ($skip_taken:literal) => {
        claim!(
            "and attempts = 0 and (last_look_at is null or due_at - last_look_at >= 10000) \
             and exists (select 1 from work where state = 'ready' and due_at <= $4) order by due_at desc",
            $skip_taken
        )
    };
}

pub(super) const CHANNEL: &str = "convenor_work";
const NOTIFY: &str = "notify convenor_work";
/// How long to wait before listening again after a fault.
const LISTEN_PAUSE: Duration = Duration::from_secs(5);

/// Rows in portions whose sizes are powers of two, at most 64: so many statements are prepared once and used for ever.
pub(super) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << rows.len().checked_ilog2()?.min(6);
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

impl Pools {
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(Self::Sqlite(open_sqlite(path).await?)),
            DatabaseUrl::Postgres(url) => Ok(Self::Postgres(open_postgres(url).await?)),
        }
    }

    /// Copies what stands in SQLite's log into the file, beside whoever writes and reads (<https://sqlite.org/wal.html#ckpt>); what comes in
    /// meanwhile stays in the log. A connection that may change nothing may do that (<https://sqlite.org/pragma.html#pragma_query_only>).
    pub(super) async fn copy_log(&self) -> Result<(), sqlx::Error> {
        if let Self::Sqlite(sides) = self {
            let mut connection = sides.read.acquire().await?;
            sqlx::query("pragma wal_checkpoint(passive)")
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
            Self::Postgres(pools) => pools.write.close().await,
            Self::Memory(_) => {}
        }
    }

    /// The statement that takes the next row. Where many write at a time, rows that others are taking are skipped.
    pub(super) fn claim(&self, order: Order) -> &'static str {
        match (self, order) {
            (Self::Sqlite(_) | Self::Memory(_), Order::LongestDue) => claim!("order by due_at", ""),
            (Self::Sqlite(_) | Self::Memory(_), Order::NewestFirst) => claim_newcomer!(""),
            (Self::Postgres(_), Order::LongestDue) => claim!("order by due_at", " for update skip locked"),
            (Self::Postgres(_), Order::NewestFirst) => claim_newcomer!(" for update skip locked"),
        }
    }

    /// Wakes a worker whenever another process announces work; ends when the pool is closed. The poll is the net under it.
    pub(super) async fn listen(self, knocked: Arc<Notify>) {
        let Self::Postgres(pools) = self else { return };
        while !pools.write.is_closed() {
            let ended = listen_to(&pools.write, &knocked).await;
            if let (Err(error), false) = (ended, pools.write.is_closed()) {
                tracing::warn!(%error, "other instances' announcements are not heard; work is found by polling");
                tokio::time::sleep(LISTEN_PAUSE).await;
            }
        }
    }
}

async fn listen_to(pool: &PgPool, knocked: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        knocked.notify_one();
    }
}

async fn open_postgres(url: &SecretString) -> Result<Sides<PgPool, PgPool>, StoreError> {
    let options: PgConnectOptions = url.expose_secret().parse()?;
    let options = options.application_name("convenor").options([
        // A 2xx promises that the delivery survives the server's power cut, whatever the server's default is.
        ("synchronous_commit", "on"),
        // GitLab waits ten seconds for an answer; an error in time is better than silence.
        ("statement_timeout", "8s"),
        ("idle_in_transaction_session_timeout", "30s"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(5));
    let pool = pool.connect_with(options).await?;
    migrations().run(&pool).await?;
    Ok(Sides {
        write: pool.clone(),
        read: pool,
    })
}

async fn open_sqlite(path: &Path) -> Result<Sides<Writing, SqlitePool>, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        tokio::fs::create_dir_all(folder).await.map_err(sqlx::Error::Io)?;
    }
    // What is wrong with the place is said by whoever opens it.
    let _ = make_private(path).await;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits when the power fails (https://sqlite.org/pragma.html#pragma_synchronous).
        .synchronous(SqliteSynchronous::Full)
        // The writer copies the log into the file when it is that long, and starts it anew. Everybody waits meanwhile; so under load most of
        // it is copied before, beside the writer, and little is left to do here.
        .pragma("wal_autocheckpoint", "4000")
        // KiB, below zero (https://sqlite.org/pragma.html#pragma_cache_size), for each of five connections; the system keeps more of the file.
        .pragma("cache_size", "-1024")
        .busy_timeout(Duration::from_secs(2));
    // Migrations need no flush of their own: the first commit that promises anything flushes them with itself, and what a power cut
    // took before that is done again at the next start.
    let write = options.clone().synchronous(SqliteSynchronous::Normal);
    // A batch of deliveries is one long statement, and a slow disk would have each told in the log.
    let mut write = write.disable_statement_logging().connect().await?;
    quick_check(&mut write).await?;
    migrations().run(&mut write).await?;
    sqlx::query("pragma synchronous = full").execute(&mut write).await?;
    let pool = SqlitePoolOptions::new().max_connections(4).test_before_acquire(false);
    let read = pool.connect_lazy_with(options.create_if_missing(false).pragma("query_only", "on"));
    Ok(Sides {
        write: Writing(Arc::new(Mutex::new(Some(write)))),
        read,
    })
}

/// Makes an empty file that is its owner's alone: deliveries and accepted texts are not for everybody on the machine. SQLite gives the
/// files beside it the same rights.
pub(super) async fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).await.map(drop)
}

/// A damaged file is found at the start and not in the middle of a look.
async fn quick_check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query("pragma quick_check(1)").fetch_one(connection).await?;
    let answer: String = row.try_get(0)?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(StoreError::Corrupt(answer))
    }
}

/// The files of `migrations/`, oldest first: number, description, text. A released one never changes.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "intake and work",
        include_str!("../../migrations/0001_intake_and_work.sql"),
    ),
    (2, "turns", include_str!("../../migrations/0002_turns.sql")),
    (3, "operations", include_str!("../../migrations/0003_operations.sql")),
    (4, "waiting", include_str!("../../migrations/0004_waiting.sql")),
    (5, "rest", include_str!("../../migrations/0005_rest.sql")),
    (6, "standing", include_str!("../../migrations/0006_standing.sql")),
];

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
    fn portions_are_powers_of_two_and_leave_nothing_out() {
        for (count, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (7, vec![4, 2, 1]),
            (64, vec![64]),
            (131, vec![64, 64, 2, 1]),
        ] {
            let rows: Vec<usize> = (0..count).collect();
            assert_eq!(portions(&rows).map(<[_]>::len).collect::<Vec<_>>(), expected);
            assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
    }

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
