//! What texts set off, which calls came, how they fail, and how webhooks travel.

use super::World;
use crate::calls::CallRecord;
use crate::faults::Fault;
use crate::hooks::sending;
use crate::hooks::{HookWeather, Past, PendingDelivery, SentDelivery};
use crate::{AutoClosed, CrossReference, Notified, RanCommand, locked, routes};
use std::sync::Arc;

impl World {
    /// Every quick action that was found in a text, oldest first.
    #[must_use]
    pub fn commands(&self) -> Vec<RanCommand> {
        locked(&self.shared.state).happenings.commands.clone()
    }

    /// Everybody whom a text notified, oldest first.
    #[must_use]
    pub fn notified(&self) -> Vec<Notified> {
        locked(&self.shared.state).happenings.notified.clone()
    }

    /// Every reference from one thing to another, oldest first.
    #[must_use]
    pub fn references(&self) -> Vec<CrossReference> {
        locked(&self.shared.state).happenings.references.clone()
    }

    /// Every issue that closing words closed, oldest first.
    #[must_use]
    pub fn auto_closed(&self) -> Vec<AutoClosed> {
        locked(&self.shared.state).happenings.closed.clone()
    }

    /// All calls that came over HTTP so far.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        locked(&self.shared.log).calls.clone()
    }

    /// The calls after the one with this number (0: all), without a copy of the others.
    #[must_use]
    pub fn calls_after(&self, number: u64) -> Vec<CallRecord> {
        let log = locked(&self.shared.log);
        let from = log.calls.partition_point(|c| c.number <= number);
        log.calls.get(from..).unwrap_or_default().to_vec()
    }

    /// The calls that may have changed something.
    #[must_use]
    pub fn writes(&self) -> Vec<CallRecord> {
        locked(&self.shared.log)
            .calls
            .iter()
            .filter(|c| c.is_write())
            .cloned()
            .collect()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        locked(&self.shared.log).calls.clear();
    }

    /// Unknown routes and parameters that had no effect: what GitLab would have swallowed without a word.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        locked(&self.shared.log).violations.clone()
    }

    /// Every route that the sandbox serves, as method and pattern.
    #[must_use]
    pub fn routes(&self) -> Vec<(&'static str, &'static str)> {
        routes::patterns()
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        locked(&self.shared.faults).add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        locked(&self.shared.faults).clear();
    }

    /// Sets how reliable webhooks are.
    pub fn set_hook_weather(&self, weather: HookWeather) {
        locked(&self.shared.state).hook_log.weather = weather;
    }

    /// Sends everything that waits, and waits until it and all that it set off was answered. Nothing leaves a world without
    /// a server: there, [`World::take_deliveries`] gives what waits.
    pub async fn deliver_hooks(&self) -> Vec<SentDelivery> {
        let (Some(sender), Some(runtime)) = (self.sender(), &self.shared.runtime) else {
            return Vec::new();
        };
        let state = Arc::clone(&self.shared.state);
        let sent = runtime.spawn(async move { sender.send_waiting(&state).await });
        sent.await.unwrap_or_default()
    }

    /// Takes what waits, ready to be handed to a receiver without the network.
    #[must_use]
    pub fn take_deliveries(&self) -> Vec<PendingDelivery> {
        let (batch, _) = sending::take_batch(&self.shared.state);
        let mut state = locked(&self.shared.state);
        let now = state.today();
        let mut pending = Vec::new();
        for delivery in batch {
            let Some(hook) = state.hook(delivery.owner, delivery.hook).cloned() else {
                continue;
            };
            let headers = sending::headers(&mut state, &hook, &delivery, now);
            pending.push(PendingDelivery {
                id: delivery.id,
                url: hook.url,
                headers: headers.clone(),
                body: delivery.body.clone(),
            });
            state.hook_log.handed_out.insert(delivery.id, (delivery, headers));
        }
        pending
    }

    /// Says what the receiver answered to a delivery from [`World::take_deliveries`]; it counts for the hook's health.
    pub fn answer_delivery(&self, id: u64, status: Option<u16>) {
        let mut state = locked(&self.shared.state);
        let Some((delivery, headers)) = state.hook_log.handed_out.remove(&id) else {
            return;
        };
        let url = state
            .hook(delivery.owner, delivery.hook)
            .map(|h| h.url.clone())
            .unwrap_or_default();
        let at = state.today();
        state.record_delivery(Past {
            delivery,
            url,
            request_headers: headers,
            status,
            response_body: String::new(),
            error: None,
            at,
            duration: 0.0,
        });
    }

    /// How many webhooks wait to be sent.
    #[must_use]
    pub fn waiting_hooks(&self) -> usize {
        locked(&self.shared.state).hook_log.waiting.len()
    }

    /// Every webhook that was sent so far, with what came of it.
    #[must_use]
    pub fn sent_hooks(&self) -> Vec<SentDelivery> {
        let state = locked(&self.shared.state);
        let sent = state.hook_log.past.iter().map(|p| SentDelivery {
            id: p.delivery.id,
            event: p.delivery.event.clone(),
            idempotency_key: p.delivery.idempotency_key.clone(),
            status: p.status,
        });
        sent.collect()
    }

    /// Events that were dropped without a delivery, and why.
    #[must_use]
    pub fn dropped_hooks(&self) -> Vec<String> {
        locked(&self.shared.state).hook_log.dropped.clone()
    }

    pub(crate) fn notify(&self) {
        self.shared.wake.notify_one();
    }
}
