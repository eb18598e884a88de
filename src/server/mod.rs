//! The HTTP server: connections, time-outs, graceful stop.
//!
//! An accept loop of our own, because `warp::serve` has no header time-out, no cap on connections and no end of waiting.
//! When there is no room for another connection, one on which no request is in hand makes room ([`waiting`]).
//! HTTP/1 only: that is what GitLab speaks to webhooks, and telling versions apart waits for the client without a limit
//! (hyperium/hyper#3962).

mod waiting;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use waiting::Waiting;

use crate::intake::Peer;

/// How long to wait after the system refused a connection (out of files, usually), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The head of a request may be so long, and so much is read of it at a time: with [`Limits::connections`] this bounds the memory.
const LONGEST_HEAD: usize = 32 * 1024;

/// What a browser may do with an answer that says nothing of its own: nothing.
const RULES: [(HeaderName, HeaderValue); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// How patient the server is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at a time.
    pub connections: usize,
    /// How long the head of a request may take, also the wait for it on an open connection.
    pub header_timeout: Duration,
    /// How long a stop waits for requests in hand.
    pub drain: Duration,
}

/// Serves until `stop`, then answers what is in hand, at most for [`Limits::drain`].
pub async fn serve<F>(listener: TcpListener, routes: F, limits: Limits, stop: CancellationToken)
where
    F: Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static,
    F::Future: Send,
{
    let service = TowerToHyperService::new(warp::service(routes.recover(answer_rejection).unify()));
    let door = Door {
        listener,
        slots: Arc::new(Semaphore::new(limits.connections)),
        waiting: Waiting::default(),
    };
    let open = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(LONGEST_HEAD);
    while let Some((stream, peer, slot)) = door.next_connection(&stop).await {
        let place = Arc::new(door.waiting.enter());
        let (service, at_work) = (service.clone(), place.clone());
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            at_work.leave();
            request.extensions_mut().insert(Peer(peer));
            let (answer, at_work) = (service.call(request), at_work.clone());
            async move {
                let answer = answer.await;
                at_work.wait();
                answer.map(with_rules)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let stop = stop.clone();
        open.spawn(async move {
            let _slot = slot;
            tokio::pin!(connection);
            // A connection's end is the client's business, also when it ends badly.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = place.sent_away() => return,
                () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop(door.listener);
    open.close();
    if tokio::time::timeout(limits.drain, open.wait()).await.is_err() {
        tracing::warn!(connections = open.len(), "stopped while connections were still open");
    }
}

struct Door {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    waiting: Waiting,
}

impl Door {
    /// The next connection and its slot; `None` when it is time to stop.
    async fn next_connection(&self, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let accepted = async {
            let (stream, peer) = self.accept().await;
            if self.slots.available_permits() == 0 {
                self.waiting.send_one_away();
            }
            // The semaphore is never closed.
            let slot = self.slots.clone().acquire_owned().await.ok()?;
            Some((stream, peer, slot))
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            accepted = accepted => accepted,
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Answers are small and whole: nothing is gained by holding them back.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) => {
                    // Usually the process has no file descriptor left: somebody has to make room.
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.waiting.send_one_away();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Every answer, whichever route gave it, comes with rules for browsers.
fn with_rules(mut answer: Response) -> Response {
    for (name, value) in RULES {
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}

/// What no route took: 404 or 405, never warp's 500.
async fn answer_rejection(rejection: Rejection) -> Result<Response, Infallible> {
    let status = if rejection.is_not_found() {
        http::StatusCode::NOT_FOUND
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        http::StatusCode::METHOD_NOT_ALLOWED
    } else {
        http::StatusCode::BAD_REQUEST
    };
    Ok(warp::reply::with_status(String::new(), status).into_response())
}
