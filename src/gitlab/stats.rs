//! How many calls were made, by operation: for tests, the demo and metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts of the calls that one client sent, every attempt counted; cheap to read at any time.
#[derive(Debug, Default)]
pub struct CallStats {
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl CallStats {
    /// The number of calls of one operation, such as `notes.create`.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.locked().get(operation).copied().unwrap_or(0)
    }

    /// The number of all calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.locked().values().sum()
    }

    /// All counts by operation, in the order of their names.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, u64> {
        self.locked().clone()
    }

    pub(crate) fn record(&self, operation: &'static str) {
        *self.locked().entry(operation).or_default() += 1;
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        // A count is right even if another thread panicked while it held the lock.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
