//! What may go wrong between GitLab and a webhook's receiver.

use serde::Deserialize;
use std::time::Duration;

/// How unreliable webhooks are. The default loses and doubles nothing and keeps the order. Chances are between 0 and 1 and
/// are drawn from the sandbox's seed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HookWeather {
    /// Chance that a delivery is lost.
    pub lose: f64,
    /// Chance that a delivery is sent twice (with the same `Idempotency-Key`).
    pub double: f64,
    /// Chance that a delivery changes places with the next one.
    pub swap: f64,
    /// Time that every delivery waits before it leaves, in milliseconds.
    pub delay_ms: u64,
}

impl HookWeather {
    /// Everything is lost: only a scheduled look can notice a change.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            lose: 1.0,
            ..Self::default()
        }
    }

    /// Everything comes twice.
    #[must_use]
    pub fn doubled() -> Self {
        Self {
            double: 1.0,
            ..Self::default()
        }
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}
