//! What can go wrong with the database, by what the reader would do about it.

use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;

/// Why the database did not do what was asked. In every case nothing of it was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds it; time mends this.
    #[error("the database is busy; another process is writing to it")]
    Busy,
    /// No room on the disk; an operator mends this.
    #[error("the disk of the database is full; make room")]
    Full,
    /// There is none; an operator mends this.
    #[error(
        "there is no database {0}; check `database.url` and the folder that the command runs in (`convenor serve` makes it)"
    )]
    Missing(String),
    /// It cannot be written to; an operator mends this.
    #[error("the database is read-only; check the file's and the folder's permissions")]
    ReadOnly,
    /// It is damaged; an operator mends this.
    #[error("the database is damaged ({0}); move it away and start anew, or restore a copy")]
    Corrupt(String),
    /// More comes in than can be written; time mends this.
    #[error("too many deliveries are waiting to be stored")]
    Overloaded,
    /// The service is stopping.
    #[error("the database is closed")]
    Closed,
    /// The disk or the connection failed.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The tables are not as this version expects them.
    #[error("the database's tables cannot be brought up to date")]
    Migration(#[source] Arc<sqlx::migrate::MigrateError>),
    /// A row holds what this version does not understand.
    #[error("table {table}: `{value}` is no {expected}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is there.
        value: String,
        /// What should be there.
        expected: &'static str,
    },
    /// Only a SQLite file can be copied by us.
    #[error("this database is no SQLite file")]
    NotSqlite,
    /// Tables in memory do what a service needs, not what operators ask of its database.
    #[error("tables in memory do not answer this")]
    NotInMemory,
    /// Anything else; a fault of ours.
    #[error("the database refused a statement")]
    Statement(#[source] Arc<sqlx::Error>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                Self::Unavailable(Arc::new(error))
            }
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                let is_postgres = database.try_downcast_ref::<PgDatabaseError>().is_some();
                match if is_postgres {
                    postgres_kind(&code)
                } else {
                    sqlite_kind(&code)
                } {
                    Kind::Busy => Self::Busy,
                    Kind::Full => Self::Full,
                    Kind::ReadOnly => Self::ReadOnly,
                    Kind::Corrupt => Self::Corrupt(format!("result code {code}")),
                    Kind::Unavailable => Self::Unavailable(Arc::new(error)),
                    Kind::Other => Self::Statement(Arc::new(error)),
                }
            }
            _ => Self::Statement(Arc::new(error)),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                Self::from(error)
            }
            error => Self::Migration(Arc::new(error)),
        }
    }
}

enum Kind {
    Busy,
    Full,
    ReadOnly,
    Corrupt,
    Unavailable,
    Other,
}

/// SQLite's result codes, of which the low byte is the kind (<https://sqlite.org/rescode.html>).
fn sqlite_kind(code: &str) -> Kind {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => Kind::Busy,
        Ok(8) => Kind::ReadOnly,
        Ok(11 | 26) => Kind::Corrupt,
        Ok(13) => Kind::Full,
        // Reading, writing or opening the file failed.
        Ok(10 | 14) => Kind::Unavailable,
        _ => Kind::Other,
    }
}

/// PostgreSQL's SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn postgres_kind(code: &str) -> Kind {
    match code {
        "53100" | "53200" => Kind::Full,
        "25006" => Kind::ReadOnly,
        // Too many connections, lock not available, statement timeout, deadlock, serialization.
        "53300" | "55P03" | "57014" | "40P01" | "40001" => Kind::Busy,
        "XX001" | "XX002" => Kind::Corrupt,
        code if code.starts_with("57P") || code.starts_with("08") || code.starts_with("28") => Kind::Unavailable,
        _ => Kind::Other,
    }
}
