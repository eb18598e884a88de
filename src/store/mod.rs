//! What must survive: deliveries, the work that they caused, the journal of steps, accepted proposals.
//!
//! A [`Store`] is a cheap handle. It decides nothing and holds no transaction open across anything else. Times are handed
//! in. Work is one row per thing: many knocks make one look, a look holds a lease that ends, and every answer of a look
//! is refused when its lease is not the row's any more. Deliveries go through one [`writer`], which puts all
//! that wait into one transaction: they share one flush of the disk.
//!
//! The SQL text is the same for every database; what differs between them is in [`pools`], and in [`arrivals`] for deliveries, which somebody
//! waits for.

mod acceptances;
mod arrivals;
mod deliveries;
mod depth;
mod durability;
mod error;
mod journal;
mod knocks;
mod ledger;
mod listing;
mod memory;
mod pools;
mod recent;
mod rest;
mod retention;
mod standing;
mod turns;
mod waiting;
mod work;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::settings::DatabaseUrl;

/// Kept for a thing and given back, never read here.
pub use convenor_core::plan::Rest;
pub use deliveries::{Accepted, Delivery, StoredDelivery};
pub use depth::QueueDepth;
pub use error::StoreError;
pub use journal::{Intent, JournalEntry, JournalId, NOT_DUE, StepEnd, StepState};
pub use ledger::MadeSetup;
pub use listing::{DeliveryFilter, JournalFilter};
pub use memory::{Gate, Memory};
pub use retention::Forgotten;
pub use work::{Claim, Lease, Order, Work, WorkState};

use pools::{Pools, on};
use recent::Recent;
use writer::{Waiting, Writer};

/// Handle to the database; clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pools: Pools,
    /// `None` once the store is closing.
    intake: Mutex<Option<mpsc::Sender<Waiting>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Told when work may be due.
    knocked: Arc<Notify>,
    /// The last write's fault, until a write succeeds again.
    fault: Arc<Mutex<Option<StoreError>>>,
    /// Keys of deliveries that were stored a moment ago.
    recent: Arc<Mutex<Recent>>,
}

impl Store {
    /// Opens the database, checks it, and brings its tables up to date. A SQLite file is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or cannot be written to.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Ok(Self::on(Pools::open(url).await?))
    }

    /// A store on tables in memory, for simulations.
    #[must_use]
    pub fn in_memory(memory: &Memory) -> Self {
        let store = Self::on(Pools::Memory(memory.clone()));
        memory.announce_to(store.inner.knocked.clone());
        store
    }

    fn on(pools: Pools) -> Self {
        let knocked = Arc::new(Notify::new());
        let fault = Arc::new(Mutex::new(None));
        let recent = Arc::new(Mutex::new(Recent::default()));
        let (sender, receiver) = mpsc::channel(writer::QUEUE);
        let writer = Writer {
            pools: pools.clone(),
            knocked: knocked.clone(),
            fault: fault.clone(),
            recent: recent.clone(),
            copies: writer::Copies::default(),
        };
        let writer = tokio::spawn(writer.run(receiver));
        tokio::spawn(pools.clone().listen(knocked.clone()));
        let inner = Inner {
            pools,
            intake: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            knocked,
            fault,
            recent,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Opens a database that is there; a command that only looks must not make an empty one where the settings are wrong.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or as [`Store::open`].
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => Err(StoreError::Missing(path.display().to_string())),
            DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_) => Self::open(url).await,
        }
    }

    /// Writes what waits, then closes. Later calls say [`StoreError::Closed`].
    pub async fn close(&self) {
        lock(&self.inner.intake).take();
        let writer = lock(&self.inner.writer).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the writer of deliveries ended badly");
        }
        self.inner.pools.close().await;
    }

    /// Whether the database answers and the last write went well.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check(&self) -> Result<(), StoreError> {
        if lock(&self.inner.intake).is_none() {
            return Err(StoreError::Closed);
        }
        on!(
            self.pools(),
            read,
            |connection| sqlx::query("select 1").execute(connection).await.map(drop),
            |_tables| Ok(())
        )?;
        let is_well = lock(&self.inner.fault).is_none();
        // After a fault somebody has to try first, and a service that says it is not ready gets no deliveries.
        if is_well { Ok(()) } else { self.probe().await }
    }

    /// Writes a row that means nothing, to see whether the database takes it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn try_write(&self) -> Result<(), StoreError> {
        self.probe().await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        const SQL: &str = "insert into probe (id, at) values (1, 1) on conflict (id) do update set at = probe.at + 1";
        let result = on!(
            self.pools(),
            write,
            |connection| sqlx::query(SQL).execute(connection).await.map(drop),
            |_tables| Ok(())
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// Writes a whole copy of a SQLite database as it is now to a file that is not there yet. Our own writers wait
    /// meanwhile; other processes write on.
    ///
    /// # Errors
    /// When the file cannot be written, or the database is no SQLite file.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let Pools::Sqlite(sides) = self.pools() else {
            return Err(StoreError::NotSqlite);
        };
        let mut connection = sides.write.acquire().await?;
        pools::make_private(file).await.map_err(sqlx::Error::Io)?;
        // SQLite's own way to copy a database in use (https://www.sqlite.org/lang_vacuum.html, "VACUUM INTO"); it takes an empty file.
        let name = file.to_string_lossy().into_owned();
        let copied = sqlx::query("vacuum into $1").bind(name).execute(&mut *connection).await;
        if copied.is_err() {
            // It is ours, and no copy.
            let _ = tokio::fs::remove_file(file).await;
        }
        Ok(copied.map(drop)?)
    }

    /// Waits until work may have come in; a permit is kept for one waiter.
    pub async fn knocked(&self) {
        self.inner.knocked.notified().await;
    }

    /// Wakes one that waits in [`Store::knocked`].
    pub fn wake(&self) {
        self.inner.knocked.notify_one();
    }

    fn pools(&self) -> &Pools {
        &self.inner.pools
    }

    /// Remembers how a write went, for [`Store::check`].
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        *lock(&self.inner.fault) = result.as_ref().err().cloned();
        result
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// A panic while the lock was held leaves these values whole: they are only ever replaced.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As the tables keep times.
fn to_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn from_ms(table: &'static str, ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::Row {
        table,
        value: ms.to_string(),
        expected: "time",
    })
}
