//! The HTTP server: a thread of its own, many keep-alive connections, graceful end when the sandbox is dropped.

mod api;
mod control;
mod exchange;
mod reply;

pub use exchange::{Exchange, Received};

use crate::http::Params;
use crate::world::World;
use crate::{Config, locked};
use api::Pace;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use reply::Reply;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const LARGEST_BODY: usize = 100 * 1024 * 1024;
const DRAIN: Duration = Duration::from_millis(200);

/// A running fake GitLab. It ends when it is dropped. All that can be done with it is on [`World`], to which it
/// dereferences.
#[derive(Debug)]
pub struct Sandbox {
    world: World,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Deref for Sandbox {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Sandbox {
    /// Starts a GitLab on 127.0.0.1 and answers when it is ready. It lives on a thread of its own, so that a test's runtime
    /// may be single-threaded, paused or absent.
    ///
    /// # Errors
    /// The port cannot be had, or the thread or its runtime cannot be started.
    pub fn start(config: Config) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, config.port)))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = World::new(config, url, Some(runtime.handle().clone()));
        let stop = CancellationToken::new();
        let (served, until) = (world.clone(), stop.clone());
        let thread = std::thread::Builder::new()
            .name("gitlab-sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(serve(listener, served, until));
            })?;
        Ok(Self {
            world,
            stop,
            thread: Some(thread),
        })
    }

    /// The world, to keep or hand to others.
    #[must_use]
    pub fn world(&self) -> World {
        self.world.clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, world: World, stop: CancellationToken) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let hooks = tokio::spawn(send_hooks(world.clone(), stop.clone()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, world.clone(), stop.clone()));
    }
    let _ = tokio::time::timeout(DRAIN, hooks).await;
}

async fn connection(stream: tokio::net::TcpStream, world: World, stop: CancellationToken) {
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = service_fn(move |request| {
        let world = world.clone();
        async move { handle(&world, request).await }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A connection that a fault closed ends with an error that is meant.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(DRAIN, connection).await;
        }
    }
}

/// Sends webhooks as they come, when they leave by themselves.
async fn send_hooks(world: World, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = world.shared.wake.notified() => {}
            () = stop.cancelled() => return,
        }
        let by_itself = {
            let state = locked(&world.shared.state);
            state.config.send_hooks && !state.hook_log.waiting.is_empty()
        };
        if by_itself && let Some(sender) = world.sender() {
            tokio::select! {
                _ = sender.send_waiting(&world.shared.state) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// One request as the rest of the server sees it.
pub(crate) struct Incomings {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Incomings {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// `If-None-Match`, where it counts.
    pub(crate) fn known_tag(&self) -> Option<&str> {
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        self.header("if-none-match").filter(|_| reads)
    }

    pub(crate) fn params(&self) -> crate::http::Result<Params> {
        Params::parse(&self.query, self.header("content-type").unwrap_or_default(), &self.body)
    }
}

async fn handle(world: &World, request: http::Request<Incoming>) -> Result<http::Response<reply::Stream>, io::Error> {
    let (parts, body) = request.into_parts();
    let limited = http_body_util::Limited::new(body, LARGEST_BODY);
    let body = limited.collect().await.map_err(io::Error::other)?.to_bytes();
    let incoming = Incomings {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    let latency = locked(&world.shared.state).config.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let head = incoming.method == "HEAD";
    let known = incoming.known_tag().map(str::to_owned);
    let reply = if incoming.path.starts_with("/api/") {
        // On a task of its own: a caller that gives up does not undo what it asked for.
        let world = world.clone();
        let answer = tokio::spawn(async move { api::answer(&world, &incoming, Pace::Real).await });
        answer.await.map_err(io::Error::other)?
    } else if incoming.path.starts_with("/sandbox/") {
        Reply::Answer(control::answer(world, &incoming).await)
    } else {
        Reply::Answer(crate::pages::answer(world, &incoming))
    };
    reply.into_response(head, known.as_deref())
}
