//! The same calls without a network: a whole request in, a whole answer (or its loss) out. For simulations and quick tests.

use super::api::{self, Pace};
use super::reply::{self, Reply};
use super::{Incomings, control};
use crate::locked;
use crate::world::World;
use bytes::Bytes;
use http::{Request, Response};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a caller would have seen of one call.
#[derive(Debug)]
pub struct Exchange {
    /// What came back.
    pub received: Received,
    /// How long it would have taken over a network: the latency of [`crate::Config`] and the faults that slow down. No time
    /// passes in process; a caller with a time-out compares, and moves the clock ([`World::advance`]) if it wants to.
    pub took: Duration,
}

/// What came back from a call in process.
#[derive(Debug)]
pub enum Received {
    /// The whole answer.
    Whole(Response<Bytes>),
    /// Head and the first half of the body; then the connection broke. The effect has happened.
    Cut(Response<Bytes>),
    /// The connection closed without an answer. Whether the effect has happened is for the caller to find out.
    Nothing,
}

impl Received {
    /// The whole answer, if there is one.
    #[must_use]
    pub fn whole(self) -> Option<Response<Bytes>> {
        match self {
            Self::Whole(response) => Some(response),
            Self::Cut(_) | Self::Nothing => None,
        }
    }
}

impl World {
    /// One HTTP request, answered on the spot with all its faults, its place in the log and its webhooks in the queue, as
    /// over a socket and by the same code. The address may be whole or begin with the path. It waits for nothing: slowness
    /// is told in [`Exchange::took`], and tests of webhooks join the others that wait for [`World::take_deliveries`].
    #[must_use]
    pub fn exchange(&self, request: Request<Bytes>) -> Exchange {
        let (parts, body) = request.into_parts();
        let call = Incomings {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        };
        let slow = AtomicU64::new(0);
        let reply = if call.path.starts_with("/api/") {
            at_once(api::answer(self, &call, Pace::Counted(&slow)))
        } else if call.path.starts_with("/sandbox/") {
            at_once(control::answer(self, &call)).map(Reply::Answer)
        } else {
            Some(Reply::Answer(crate::pages::answer(self, &call)))
        };
        let latency = locked(&self.shared.state).config.latency;
        Exchange {
            received: reply.map_or(Received::Nothing, |reply| received(reply, &call)),
            took: latency + Duration::from_millis(slow.load(Ordering::Relaxed)),
        }
    }
}

fn received(reply: Reply, call: &Incomings) -> Received {
    let head = call.method == "HEAD";
    let whole = |answer| {
        let (builder, bytes) = reply::prepared(answer, call.known_tag());
        builder.header("content-length", bytes.len()).body(bytes).ok()
    };
    let received = match reply {
        Reply::Nothing => None,
        Reply::Answer(answer) => whole(answer).map(Received::Whole),
        Reply::Cut(answer) => whole(answer)
            .map(|response| response.map(|bytes| bytes.slice(..bytes.len() / 2)))
            .map(Received::Cut),
    };
    match received {
        Some(Received::Whole(response)) if head => Received::Whole(response.map(|_| Bytes::new())),
        Some(received) => received,
        None => Received::Nothing,
    }
}

/// The value of a future that has nothing to wait for; none when it waits all the same.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
