//! The post: webhooks on their way from GitLab to one of the replicas, some lost, some twice, some late.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use gitlab_sandbox::PendingDelivery;

use crate::faults::DeliveryFault;
use crate::sim::Sim;

/// Takes what GitLab wants to send and sets it on its way.
pub(crate) fn collect(sim: &Arc<Sim>) {
    for delivery in sim.world.take_deliveries() {
        let (number, fault, wait) = {
            let mut guard = sim.locked();
            let inner = &mut *guard;
            let number = inner.counts.deliveries;
            inner.counts.deliveries += 1;
            let fault = inner.faults.delivery(number, &mut inner.rng);
            inner.counts.faults += u64::from(fault.is_some());
            let wait = if inner.jitter { inner.rng.u64(10..3_000) } else { 100 };
            (number, fault, wait)
        };
        let times = match fault {
            Some(DeliveryFault::Lost) => 0,
            Some(DeliveryFault::Doubled) => 2,
            Some(DeliveryFault::Delayed) | None => 1,
        };
        let wait = match fault {
            Some(DeliveryFault::Delayed) => Duration::from_secs(90),
            _ => Duration::from_millis(wait),
        };
        if let Some(fault) = fault {
            sim.tell(None, || format!("delivery {number}: {fault:?}"), number);
        }
        if times == 0 {
            sim.world.answer_delivery(delivery.id, Some(200));
            continue;
        }
        let sim = sim.clone();
        tokio::spawn(async move {
            for _ in 0..times {
                sleep(wait).await;
                let status = deliver(&sim, &delivery).await;
                sim.tell(
                    None,
                    || format!("delivery {number} to a door -> {status:?}"),
                    (number, status),
                );
                // GitLab never sends again; that it counts failures is tested elsewhere, and here it would only hide bugs.
                sim.world.answer_delivery(delivery.id, Some(200));
            }
        });
    }
}

/// To a replica that stands; the balancer knows which.
async fn deliver(sim: &Arc<Sim>, delivery: &PendingDelivery) -> Option<u16> {
    let door = {
        let mut guard = sim.locked();
        let inner = &mut *guard;
        let open: Vec<_> = inner
            .replicas
            .iter()
            .filter_map(|replica| replica.door.clone())
            .collect();
        if open.is_empty() {
            return None;
        }
        let chosen = if inner.jitter {
            inner.rng.usize(0..open.len())
        } else {
            0
        };
        open[chosen].clone()
    };
    door.knock(&delivery.headers, &delivery.body).await
}
