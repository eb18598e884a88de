//! The one HTTP client for GitLab: time-outs, limits, repetition of what is safe to repeat, one origin.
//!
//! It implements the `gitlab` crate's [`RestClient`] and [`AsyncClient`], so that the crate's typed endpoints work over
//! it. The crate's own client has no time-outs, asks `GET /user` while it is built and repeats POSTs after a 5xx.
//! The token stands in one header, marked as sensitive, and is sent to one origin; redirects are never followed, and
//! an address that is not below the configured one is refused before anything is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gitlab::api::{ApiError, AsyncClient, RestClient};
use http::request::Builder;
use http::{Request, Response, StatusCode};
use secrecy::SecretString;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use super::error::{GitLabError, Words};
use super::exchange::{Broken, Exchange, Transport};
use super::limits::{self, Documented, LimitSettings, Limits};
use super::operation::{Effect, Operation};
use super::origin::{BadAddress, Origin};
use super::reader::Reader;
use super::stats::CallStats;
use super::stop::WriteStop;
use super::writer::Writer;
use crate::redact::Redactor;
use crate::telemetry::{metrics, traces};

/// A call is sent at most this often, counting every reason for repeating it.
const MOST_ATTEMPTS: u32 = 4;

/// How long a service waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

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
    /// Whether to use GraphQL where it saves calls; where this GitLab does not serve it, REST does the same.
    pub graphql: bool,
    /// Knows the other secrets that calls carry, such as those of webhooks, and is told the token: no error repeats them.
    pub redactor: Redactor,
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
            graphql: true,
            redactor: Redactor::default(),
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
    /// How long a call may wait for its turn.
    longest_wait: Duration,
    permit: Permits,
}

struct Shared {
    exchange: Exchange,
    origin: Origin,
    first_pause: Duration,
    limits: Limits,
    stats: CallStats,
    graphql: AtomicBool,
    /// So many projects GitLab lets us read at a time, as far as it said.
    page: AtomicUsize,
    stop: WriteStop,
}

/// Asked before anything is sent that changes something: whether it may still be.
#[async_trait]
pub trait Permit: Send + Sync {
    /// Asked after it has waited for its turn, also for the one that GitLab named in a 429. May ask GitLab itself: it holds up nobody else.
    ///
    /// # Errors
    /// Why it must not be sent any more.
    async fn confirm(&self) -> Result<(), Words>;

    /// Asked last, with a connection in hand: takes little time, and does not ask GitLab.
    ///
    /// # Errors
    /// Why it must not be sent any more.
    async fn renew(&self) -> Result<(), Words>;
}

#[derive(Clone, Default)]
struct Permits(Option<Arc<dyn Permit>>);

impl std::fmt::Debug for Permits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "asked" } else { "not asked" })
    }
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
        let exchange = Exchange::new(settings, &origin)?;
        Ok(Self::with(settings, origin, exchange))
    }

    /// The same over another transport than HTTP. Everything else stays: limits, pauses, what is repeated and what is not.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn over(transport: Arc<dyn Transport>, settings: &ClientSettings) -> Result<Self, BadClient> {
        let origin = Origin::new(&settings.url, settings.allow_plain_http)?;
        let exchange = Exchange::over(transport, settings)?;
        Ok(Self::with(settings, origin, exchange))
    }

    fn with(settings: &ClientSettings, origin: Origin, exchange: Exchange) -> Self {
        let documented = Documented::of_host(settings.url.host_str().unwrap_or_default());
        let shared = Shared {
            exchange,
            origin,
            first_pause: settings.first_pause,
            limits: Limits::new(settings.limits.clone(), documented),
            stats: CallStats::default(),
            graphql: AtomicBool::new(settings.graphql),
            page: AtomicUsize::new(usize::MAX),
            stop: WriteStop::default(),
        };
        Self {
            shared: Arc::new(shared),
            longest_wait: settings.limits.longest_wait,
            permit: Permits::default(),
        }
    }

    /// The same, for a service: where nobody sits and waits, a call may wait for its turn for minutes. It keeps its place in the
    /// line then, which costs GitLab nothing; to look again from the beginning would cost calls.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            longest_wait: PATIENCE,
            ..self
        }
    }

    /// The same, asking before each write.
    pub(in crate::gitlab) fn with_permit(&self, permit: Arc<dyn Permit>) -> Self {
        Self {
            permit: Permits(Some(permit)),
            ..self.clone()
        }
    }

    /// What stops all writing with this token.
    pub(in crate::gitlab) fn stop(&self) -> &WriteStop {
        &self.shared.stop
    }

    /// Every further call, of every clone, carries this token: the one before was rotated.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn use_token(&self, token: &SecretString) -> Result<(), BadClient> {
        self.shared.exchange.use_token(token)
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

    /// GitLab's limit of calls a minute and what is left of it, as it said last; `None`: it states none.
    #[must_use]
    pub fn rate_limit(&self) -> Option<(u64, u64)> {
        self.shared.limits.told()
    }

    /// Whether GraphQL is worth asking.
    pub(crate) fn has_graphql(&self) -> bool {
        self.shared.graphql.load(Ordering::Relaxed)
    }

    /// Leaves GraphQL alone from now on; whether that is news.
    pub(crate) fn forget_graphql(&self) -> bool {
        self.shared.graphql.swap(false, Ordering::Relaxed)
    }

    /// The largest page that GitLab has not found too complex.
    pub(crate) fn largest_page(&self) -> usize {
        self.shared.page.load(Ordering::Relaxed)
    }

    /// Asks for no larger pages from now on.
    pub(crate) fn limit_page(&self, size: usize) {
        self.shared.page.fetch_min(size, Ordering::Relaxed);
    }

    pub(crate) fn call(&self, operation: Operation) -> Call<'_> {
        Call {
            client: self,
            operation,
        }
    }

    /// Sends a request, waits for our turn before and repeats it where that is safe. The answer may have any status.
    async fn send(&self, operation: Operation, request: &Request<Bytes>) -> Result<Response<Bytes>, GitLabError> {
        let url = self.shared.origin.admit(operation.name, request.uri())?;
        let mut attempt = 1;
        loop {
            let slot = self.take_turn(operation).await?;
            if let Some(permit) = self.permit_of(operation) {
                let call = operation.name;
                let renewed = permit.renew().await;
                renewed.map_err(|cause| GitLabError::Withheld { call, cause })?;
            }
            let outcome = self.exchange(operation, request, &url, attempt).await;
            drop(slot);
            let Some(pause) = self.pause_before_repeating(operation, attempt, &outcome) else {
                return outcome.map_err(|broken| self.named(broken.into_error(operation)));
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    fn permit_of(&self, operation: Operation) -> Option<&Arc<dyn Permit>> {
        self.permit.0.as_ref().filter(|_| operation.effect == Effect::Writes)
    }

    /// Whoever reads that GitLab cannot be reached wants to know which one was meant.
    fn named(&self, error: GitLabError) -> GitLabError {
        match error {
            GitLabError::Unreachable { call, cause } => GitLabError::Unreachable {
                call,
                cause: Words::new(format!("{cause} ({})", self.shared.origin)),
            },
            other => other,
        }
    }

    /// Waits until we may ask and a slot is free. Asks again after waiting for the slot: GitLab may have said 429 to
    /// another call meanwhile.
    async fn take_turn(&self, operation: Operation) -> Result<Option<SemaphorePermit<'_>>, GitLabError> {
        let limits = &self.shared.limits;
        loop {
            limits
                .admit(operation.quota, self.longest_wait)
                .await
                .map_err(|too_long| {
                    let wait_s = too_long.wait.as_secs();
                    tracing::debug!(
                        operation = operation.name,
                        wait_s,
                        "GitLab call {} put off: limit",
                        operation.name
                    );
                    GitLabError::RateLimited {
                        call: operation.name,
                        retry_after: too_long.wait,
                    }
                })?;
            if let Some(permit) = self.permit_of(operation) {
                let call = operation.name;
                let confirmed = permit.confirm().await;
                confirmed.map_err(|cause| GitLabError::Withheld { call, cause })?;
            }
            let slot = limits.slot().await;
            if !limits.is_paused() {
                return Ok(slot);
            }
        }
    }

    /// One attempt, logged and counted.
    async fn exchange(
        &self,
        operation: Operation,
        request: &Request<Bytes>,
        url: &Url,
        attempt: u32,
    ) -> Result<Response<Bytes>, Broken> {
        let started = Instant::now();
        let outcome = self.shared.exchange.attempt(request, url).await;
        self.shared.stats.record(operation.name);
        let took = started.elapsed();
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let status = outcome.as_ref().ok().map(|answer| answer.status().as_u16());
        metrics::called(operation.name, status, took);
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
                if answer.status() == StatusCode::UNAUTHORIZED {
                    self.shared.stop.set(format!(
                        "{name}: GitLab does not accept the token (401); mend gitlab.token"
                    ));
                }
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
                (limits::retry_after(answer.headers()) <= self.longest_wait).then_some(Duration::ZERO)
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
            .body(Bytes::from(body))
            .map_err(|error| ApiError::client(unsendable(error)))?;
        self.client
            .send(self.operation, &request)
            .instrument(traces::call(self.operation.name))
            .await
            .map_err(ApiError::client)
    }
}

/// Up to a quarter longer, so that many waiters do not return at once.
fn jittered(pause: Duration) -> Duration {
    pause + pause.mul_f64(fastrand::f64() / 4.0)
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

    #[tokio::test]
    async fn endpoints_of_the_crate_work_over_it_by_the_crates_own_means() {
        use gitlab::api::{AsyncQuery, Pagination, groups, paged, users};
        use wiremock::matchers::path;

        let server = wiremock::MockServer::start().await;
        for (place, body) in [
            ("/gitlab/api/v4/user", serde_json::json!({ "id": 9 })),
            ("/gitlab/api/v4/groups/3/members/all", serde_json::json!([{ "id": 5 }])),
        ] {
            let answer = wiremock::ResponseTemplate::new(200).set_body_json(body);
            wiremock::Mock::given(path(place))
                .respond_with(answer)
                .mount(&server)
                .await;
        }
        let url = format!("{}/gitlab", server.uri()).parse().unwrap();
        let client = Client::new(&ClientSettings::new(url, TOKEN.into())).unwrap();
        let call = client.call(Operation::reads("test"));
        let user: serde_json::Value = users::CurrentUser::builder()
            .build()
            .unwrap()
            .query_async(&call)
            .await
            .unwrap();
        assert_eq!(user["id"], 9);
        let members = groups::members::AllGroupMembers::builder().group(3).build().unwrap();
        let members: Vec<serde_json::Value> = paged(members, Pagination::All).query_async(&call).await.unwrap();
        assert_eq!(members[0]["id"], 5);
    }
}
