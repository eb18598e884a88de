//! Connections on which no request is in hand: new ones, slow ones and idle ones. The one that has waited longest goes when
//! there is no room for another, so that clients which never finish their requests keep nobody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// All connections that wait for a request, by how long they have waited.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    next: u64,
    connections: BTreeMap<u64, CancellationToken>,
}

impl Waiting {
    /// A connection that begins to wait.
    pub(super) fn enter(&self) -> Place {
        let place = Place {
            waiting: self.clone(),
            number: Mutex::new(None),
            sent_away: CancellationToken::new(),
        };
        place.wait();
        place
    }

    /// Sends the one away that has waited longest; `false` when none waits.
    pub(super) fn send_one_away(&self) -> bool {
        let Some((_, connection)) = self.lock().connections.pop_first() else {
            return false;
        };
        connection.cancel();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Every change of the queue is one step: a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place in the queue; it leaves when it is dropped.
pub(super) struct Place {
    waiting: Waiting,
    /// `None` while a request is in hand.
    number: Mutex<Option<u64>>,
    sent_away: CancellationToken,
}

impl Place {
    /// A request has come: nobody sends the connection away until it is answered.
    pub(super) fn leave(&self) {
        if let Some(number) = self.number().take() {
            self.waiting.lock().connections.remove(&number);
        }
    }

    /// The request is answered: the connection waits for the next, behind all others.
    pub(super) fn wait(&self) {
        let mut queue = self.waiting.lock();
        let number = queue.next;
        queue.next += 1;
        queue.connections.insert(number, self.sent_away.clone());
        drop(queue);
        *self.number() = Some(number);
    }

    /// Resolves when the connection has to make room.
    pub(super) async fn sent_away(&self) {
        self.sent_away.cancelled().await;
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_waited_longest_goes_first_and_one_with_a_request_never() {
        let waiting = Waiting::default();
        let [first, second, third] = [waiting.enter(), waiting.enter(), waiting.enter()];
        first.leave();
        assert!(waiting.send_one_away());
        assert!(second.sent_away.is_cancelled() && !first.sent_away.is_cancelled());
        first.wait();
        assert!(waiting.send_one_away());
        assert!(third.sent_away.is_cancelled());
        drop(first);
        assert!(!waiting.send_one_away());
    }
}
