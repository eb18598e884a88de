//! The stop of all writing: once GitLab does not accept the token any more, every further write would only count as an attack.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by everybody who writes with one token; the client sets it with the first answer that says so, whatever was asked and whoever
/// hears of it. Deliveries are taken in all the same: they are looked at once the token
/// works again.
#[derive(Clone, Debug, Default)]
pub struct WriteStop(Arc<Mutex<Option<String>>>);

impl WriteStop {
    /// Why nothing is written, if nothing is.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.locked().clone()
    }

    /// Stops for a reason.
    pub fn set(&self, reason: String) {
        let mut stop = self.locked();
        if stop.is_none() {
            tracing::error!(
                reason,
                "writing to GitLab is stopped until the token works again; deliveries are taken in"
            );
        }
        *stop = Some(reason);
    }

    /// The token works again.
    pub fn lift(&self) {
        if self.locked().take().is_some() {
            tracing::info!("the token works again; writing goes on");
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        // One value that is replaced as a whole: right even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
