//! The one HTTP client for GitLab: time-outs, limits, repetition of what is safe to repeat, one origin.
//!
//! It implements the `gitlab` crate's [`RestClient`] and [`AsyncClient`], so that the crate's typed endpoints work over
//! it. The crate's own client has no time-outs, asks `GET /user` while it is built and repeats POSTs after a 5xx.
//! The token stands in one header, marked as sensitive, and is sent to one origin; redirects are never followed, and
//! an address that is not below the configured one is refused before anything is sent.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use gitlab::api::{ApiError, AsyncClient, RestClient};
use http::request::Builder;
use http::{HeaderValue, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

use super::error::{GitLabError, Words};
use super::limits::{self, LimitSettings, Limits};
use super::operation::{Effect, Operation};
use super::origin::{BadAddress, Origin};
use super::reader::Reader;
use super::stats::CallStats;
use super::writer::Writer;

/// Answers longer than this are refused: the largest we ask for is a page of 100 descriptions of up to 1 MB each.
const LONGEST_ANSWER: usize = 128 * 1024 * 1024;
/// A call is sent at most this often, counting every reason for repeating it.
const MOST_ATTEMPTS: u32 = 4;

/// What a [`Client`] needs to know.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// GitLab's address, such as `https://gitlab.example.com` or `https://example.com/gitlab`.
    pub url: Url,
    /// The bot's access token.
    pub token: SecretString,
    /// Time until a connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Time for one attempt, from the first byte sent to the last byte read.
    pub timeout: Duration,
    /// The pause before the first repetition of a call; each further one is twice as long, with some jitter.
    pub first_pause: Duration,
    /// Our share of GitLab's limits.
    pub limits: LimitSettings,
    /// Allows `http://` to other hosts than the loopback ones; the token is then readable on the way.
    pub allow_plain_http: bool,
}

impl ClientSettings {
    /// The defaults for a GitLab at `url`: 5 s to connect, 30 s per attempt, a quarter of the limits, no plain HTTP.
    #[must_use]
    pub fn new(url: Url, token: SecretString) -> Self {
        Self {
            url,
            token,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            first_pause: Duration::from_millis(250),
            limits: LimitSettings::default(),
            allow_plain_http: false,
        }
    }
}

/// The settings do not make a client.
#[derive(Debug, thiserror::Error)]
pub enum BadClient {
    /// The address is unusable.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The token is empty or holds characters that no header may hold; the token itself is not shown.
    #[error("the GitLab token is empty or holds spaces or line breaks; check the variable or file that it comes from")]
    Token,
    /// The TLS library or its certificates cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(Words),
}

/// A cheap clone of the one connection to GitLab. Gives a [`Reader`] and, to the one who applies plans, a [`Writer`].
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    origin: Origin,
    token: HeaderValue,
    timeout: Duration,
    first_pause: Duration,
    limits: Limits,
    stats: CallStats,
}

impl std::fmt::Debug for Shared {
    /// Only the origin: the rest is secret or noise.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitLab")
            .field("origin", &self.origin.to_string())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Sets the client up without asking GitLab anything, so that an unreachable GitLab does not keep us from starting.
    ///
    /// # Errors
    /// When the address is no `https` address (or `http` where that is not allowed) or the token cannot be sent.
    pub fn new(settings: &ClientSettings) -> Result<Self, BadClient> {
        let origin = Origin::new(&settings.url, settings.allow_plain_http)?;
        let token = sensitive(&settings.token)?;
        let http = build_http(settings, &origin)?;
        let shared = Shared {
            http,
            origin,
            token,
            timeout: settings.timeout,
            first_pause: settings.first_pause,
            limits: Limits::new(settings.limits.clone()),
            stats: CallStats::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// What only looks.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// What only changes. Whoever holds none cannot change anything.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// The calls made so far.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        &self.shared.stats
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    pub(crate) fn call(&self, operation: Operation) -> Call<'_> {
        Call {
            client: self,
            operation,
        }
    }

    /// Sends a request, waits for our turn before and repeats it where that is safe. The answer may have any status.
    async fn send(&self, operation: Operation, request: &Request<Vec<u8>>) -> Result<Response<Bytes>, GitLabError> {
        let url = self.shared.origin.admit(operation.name, request.uri())?;
        let mut attempt = 1;
        loop {
            self.take_turn(operation).await?;
            let outcome = self.exchange(operation, request, &url, attempt).await;
            let Some(pause) = self.pause_before_repeating(operation, attempt, &outcome) else {
                return outcome.map_err(|broken| broken.into_error(operation));
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn take_turn(&self, operation: Operation) -> Result<(), GitLabError> {
        let admitted = self.shared.limits.admit(operation.quota).await;
        admitted.map_err(|too_long| {
            tracing::debug!(
                operation = operation.name,
                wait_s = too_long.wait.as_secs(),
                "GitLab call put off: limit"
            );
            GitLabError::RateLimited {
                call: operation.name,
                retry_after: too_long.wait,
            }
        })
    }

    /// One attempt, logged and counted.
    async fn exchange(
        &self,
        operation: Operation,
        request: &Request<Vec<u8>>,
        url: &Url,
        attempt: u32,
    ) -> Result<Response<Bytes>, Broken> {
        let _slot = self.shared.limits.slot().await;
        let started = Instant::now();
        let outcome = self.attempt(request, url.clone()).await;
        self.shared.stats.record(operation.name);
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (method, name) = (request.method().as_str(), operation.name);
        match &outcome {
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::debug!(
                    method,
                    operation = name,
                    status,
                    duration_ms,
                    attempt,
                    "GitLab answered {name}: {status}"
                );
                self.shared.limits.learn(answer.headers());
                if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                    self.shared
                        .limits
                        .pause(jittered(limits::retry_after(answer.headers())));
                }
            }
            Err(broken) => {
                let cause = broken.cause();
                tracing::debug!(method, operation = name, %cause, duration_ms, attempt, "no answer of GitLab to {name}: {cause}");
            }
        }
        outcome
    }

    async fn attempt(&self, request: &Request<Vec<u8>>, url: Url) -> Result<Response<Bytes>, Broken> {
        let mut builder = self
            .shared
            .http
            .request(request.method().clone(), url)
            .headers(request.headers().clone())
            .header("PRIVATE-TOKEN", self.shared.token.clone())
            .timeout(self.shared.timeout);
        if !request.body().is_empty() {
            builder = builder.body(request.body().clone());
        }
        let answer = builder.send().await.map_err(|error| Broken::from(&error))?;
        read_whole(answer).await
    }

    /// How long to wait before sending it again; `None` when what came is the result.
    fn pause_before_repeating(
        &self,
        operation: Operation,
        attempt: u32,
        outcome: &Result<Response<Bytes>, Broken>,
    ) -> Option<Duration> {
        if attempt >= MOST_ATTEMPTS {
            return None;
        }
        let reads = operation.effect == Effect::Reads;
        match outcome {
            // The shared pause of the limits does the waiting; a longer one than allowed ends in `RateLimited`.
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                (limits::retry_after(answer.headers()) <= self.shared.limits.longest_wait()).then_some(Duration::ZERO)
            }
            Ok(answer) if answer.status().is_server_error() => reads.then(|| self.back_off(attempt)),
            Ok(_) => None,
            // Nothing was sent, so even a creation may be tried again.
            Err(Broken::NotConnected(_)) => Some(self.back_off(attempt)),
            Err(Broken::Lost(_)) => reads.then(|| self.back_off(attempt)),
        }
    }

    fn back_off(&self, attempt: u32) -> Duration {
        jittered(self.shared.first_pause * 2_u32.saturating_pow(attempt - 1))
    }
}

/// One operation over the client, for the endpoints of the `gitlab` crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    client: &'a Client,
    operation: Operation,
}

impl RestClient for Call<'_> {
    type Error = GitLabError;

    fn rest_endpoint(&self, endpoint: &str) -> Result<Url, ApiError<Self::Error>> {
        self.client
            .shared
            .origin
            .below_api(self.operation.name, endpoint)
            .map_err(ApiError::client)
    }

    fn instance_endpoint(&self, endpoint: &str) -> Result<Url, ApiError<Self::Error>> {
        self.client
            .shared
            .origin
            .below_root(self.operation.name, endpoint)
            .map_err(ApiError::client)
    }
}

#[async_trait]
impl AsyncClient for Call<'_> {
    async fn rest_async(&self, request: Builder, body: Vec<u8>) -> Result<Response<Bytes>, ApiError<Self::Error>> {
        let unsendable = |error: http::Error| GitLabError::Unsendable {
            call: self.operation.name,
            cause: Words::new(error.to_string()),
        };
        let request = request
            .body(body)
            .map_err(|error| ApiError::client(unsendable(error)))?;
        self.client
            .send(self.operation, &request)
            .await
            .map_err(ApiError::client)
    }
}

/// An attempt that brought no answer.
#[derive(Debug)]
enum Broken {
    /// No connection stood, so nothing was sent.
    NotConnected(Words),
    /// Something may have been sent, and no whole answer came.
    Lost(Words),
}

impl Broken {
    fn from(error: &reqwest::Error) -> Self {
        let cause = cause_of(error);
        // A request that cannot be built was not sent either.
        if error.is_connect() || error.is_builder() {
            Self::NotConnected(cause)
        } else {
            Self::Lost(cause)
        }
    }

    fn cause(&self) -> &Words {
        match self {
            Self::NotConnected(cause) | Self::Lost(cause) => cause,
        }
    }

    fn into_error(self, operation: Operation) -> GitLabError {
        let call = operation.name;
        match (self, operation.effect) {
            (Self::Lost(cause), Effect::Writes) => GitLabError::OutcomeUnknown { call, cause },
            (Self::Lost(cause) | Self::NotConnected(cause), _) => GitLabError::Unreachable { call, cause },
        }
    }
}

/// The innermost reason, which names no address: "connection refused", "operation timed out".
fn cause_of(error: &reqwest::Error) -> Words {
    if error.is_timeout() {
        return Words::new(if error.is_connect() {
            "no connection in time"
        } else {
            "no answer in time"
        });
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // Without a source the error is reqwest's own sentence, which ends in the URL; its kind is enough.
    let own = std::ptr::addr_eq(innermost, error);
    Words::new(if own {
        "the HTTP exchange failed".to_owned()
    } else {
        innermost.to_string()
    })
}

async fn read_whole(mut answer: reqwest::Response) -> Result<Response<Bytes>, Broken> {
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Broken::Lost(cause_of(&error)))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Broken::Lost(Words::new("the answer is too long")));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = Response::new(body.freeze());
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    Ok(whole)
}

/// Up to a quarter longer, so that many waiters do not return at once.
fn jittered(pause: Duration) -> Duration {
    pause + pause.mul_f64(fastrand::f64() / 4.0)
}

fn sensitive(token: &SecretString) -> Result<HeaderValue, BadClient> {
    let text = token.expose_secret();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadClient::Token);
    }
    let mut value = HeaderValue::from_str(text).map_err(|_| BadClient::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn build_http(settings: &ClientSettings, origin: &Origin) -> Result<reqwest::Client, BadClient> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("convenor/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout)
        .referer(false);
    if origin.is_loopback() {
        // A proxy of the environment has no business between two programs of one machine.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| BadClient::Http(cause_of(&error)))
}

/// Reads the header that tells GitLab's clock.
pub(crate) fn server_date(answer: &Response<Bytes>) -> Option<jiff::Timestamp> {
    limits::server_date(answer.headers())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "glpat-canary-0123456789";

    fn settings(token: &str) -> ClientSettings {
        ClientSettings::new(
            Url::parse("https://gitlab.example.com").unwrap(),
            SecretString::from(token),
        )
    }

    #[test]
    fn the_token_is_in_no_debug_print() {
        let settings = settings(TOKEN);
        let client = Client::new(&settings).unwrap();
        for printed in [
            format!("{settings:?}"),
            format!("{client:?}"),
            format!("{:?}", client.reader()),
            format!("{:?}", client.writer()),
            format!("{:?}", client.call(Operation::reads("x"))),
            format!("{:?}", client.shared.token),
        ] {
            assert!(!printed.contains("canary"), "{printed}");
        }
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_refused_without_being_shown() {
        for token in ["", "canary canary", "canary\n", "canaryü"] {
            let error = Client::new(&settings(token)).unwrap_err();
            assert!(matches!(error, BadClient::Token));
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
