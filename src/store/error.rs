//! What can go wrong with the database, by what the reader would do about it.

use std::sync::Arc;

/// Why the database did not do what was asked. In every case nothing of it was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds it; time mends this.
    #[error("the database is busy; another process is writing to it")]
    Busy,
    /// No room on the disk; an operator mends this.
    #[error("the disk of the database is full; make room")]
    Full,
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
    /// Anything else; a fault of ours.
    #[error("the database refused a statement")]
    Statement(#[source] Arc<sqlx::Error>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => Self::Unavailable(Arc::new(error)),
            sqlx::Error::Database(database) => match database.code().as_deref().and_then(sqlite_kind) {
                Some(kind) => kind,
                None if database.code().as_deref().is_some_and(is_io) => Self::Unavailable(Arc::new(error)),
                None => Self::Statement(Arc::new(error)),
            },
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

/// SQLite's result codes, of which the low byte is the kind (<https://sqlite.org/rescode.html>).
fn sqlite_kind(code: &str) -> Option<StoreError> {
    match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(StoreError::Busy),
        8 => Some(StoreError::ReadOnly),
        11 | 26 => Some(StoreError::Corrupt(format!("SQLite's result code {code}"))),
        13 => Some(StoreError::Full),
        _ => None,
    }
}

/// Reading, writing or opening the file failed.
fn is_io(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 10 | 14))
}
