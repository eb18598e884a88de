//! The webhook door: check that a delivery comes from GitLab, store it, answer.
//!
//! It interprets nothing and never calls GitLab: which thing to look at is asked of a function that is handed in. A 2xx is
//! said only when the delivery is durably stored, and to everything authentic: GitLab pauses a hook after four other
//! answers. What cannot be read, or is too large to be, is noted, and every program is looked at instead.

mod body;
mod proof;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use convenor_core::knock::{self, Heard};
use convenor_core::program::Program;
use convenor_core::thing::Thing;
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

pub use body::{Budget, LARGEST_BODY, STORED_BODY};
pub use proof::{Forged, Secrets};

use body::{Body, BodyFault};
use proof::Proof;

use crate::clock::Clock;
use crate::store::{Accepted, Delivery, Store, StoreError};
use crate::telemetry::metrics::{self, DeliveryOutcome};
use crate::telemetry::traces;

/// When to come again after a 503. GitLab itself does not; proxies and people do.
const RETRY_AFTER: &str = "5";
/// Keys longer than this are no UUIDs of GitLab's; their digest serves as well.
const LONGEST_KEY: usize = 128;
/// Bodies from this size on are parsed beside the threads that answer.
const PARSED_ASIDE: usize = 256 << 10;

/// The address that a request came from, as the server saw it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// All that the door needs.
pub struct Intake {
    /// What proves a delivery.
    pub secrets: Secrets,
    /// Where it is stored.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Whose things a delivery may be about.
    pub programs: Vec<Program>,
    /// Memory for all bodies.
    pub budget: Budget,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// Whether the bodies of deliveries that were understood are kept too.
    pub keep_all_bodies: bool,
}

/// `POST /webhooks/gitlab`.
pub fn routes(
    intake: Arc<Intake>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::path!("webhooks" / "gitlab")
        .and(warp::post())
        .and(warp::any().map(move || intake.clone()))
        .and(warp::ext::optional::<Peer>())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        // In a box: it is large, and filters around it hand it on by value.
        .then(|intake, peer, headers, chunks| Box::pin(counted(intake, peer, headers, chunks)))
}

async fn counted<S, B>(intake: Arc<Intake>, peer: Option<Peer>, headers: HeaderMap, chunks: S) -> Response
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let began = Instant::now();
    let (outcome, response) = deliver(intake, peer, headers, chunks, began).await;
    metrics::delivered(outcome, began.elapsed());
    response
}

async fn deliver<S, B>(
    intake: Arc<Intake>,
    peer: Option<Peer>,
    headers: HeaderMap,
    chunks: S,
    began: Instant,
) -> (DeliveryOutcome, Response)
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf,
{
    let proof = match intake.secrets.judge_head(&headers, intake.clock.now()) {
        Ok(proof) => proof,
        Err(forged) => return refuse(forged, peer),
    };
    let mut signed = match proof {
        Proof::Given => None,
        Proof::Pending(signed) => Some(signed),
    };
    let mut key = Key::new(&headers, signed.is_some());
    let see = |bytes: &[u8]| {
        if let Some(signed) = &mut signed {
            signed.update(bytes);
        }
        key.update(bytes);
    };
    let body = match body::read(chunks, &intake.budget, intake.body_timeout, see).await {
        Ok(body) => body,
        Err(BodyFault::Slow) => return broken(StatusCode::REQUEST_TIMEOUT),
        Err(BodyFault::Broken) => return broken(StatusCode::BAD_REQUEST),
    };
    if signed.is_some_and(|signed| !signed.fits()) {
        return refuse(Forged::WrongSignature, peer);
    }
    let key = key.finish();
    match intake.store.is_repeat(&key, intake.clock.now()).await {
        Ok(true) => {
            tracing::debug!(delivery = ?key, "a delivery came in again");
            (DeliveryOutcome::Repeat, text(StatusCode::OK, String::new()))
        }
        Ok(false) => store(intake, &headers, key, body, began).await,
        Err(error) => not_stored(&error),
    }
}

/// Stores an authentic delivery and answers.
async fn store(
    intake: Arc<Intake>,
    headers: &HeaderMap,
    key: String,
    body: Body,
    began: Instant,
) -> (DeliveryOutcome, Response) {
    let event = header(headers, "x-gitlab-event");
    let is_whole = body.whole.is_some();
    let (body, heard) = hear(&intake, event.clone(), body).await;
    let (things, subject, reason, is_understood) = match heard {
        Some(Heard {
            things,
            subject,
            reason,
            is_understood,
        }) => (things, Some(subject.to_string()), reason, is_understood),
        None if is_whole => (
            everything(&intake.programs),
            None,
            Some("the body cannot be read, so everything is looked at"),
            false,
        ),
        None => (
            everything(&intake.programs),
            None,
            Some("the body is too large, so everything is looked at"),
            false,
        ),
    };
    let body_bytes = body.length;
    let (body, _memory) = if is_understood && !intake.keep_all_bodies {
        drop(body);
        (Vec::new(), None)
    } else {
        body.stored()
    };
    let delivery = Delivery {
        key,
        received_at: intake.clock.now(),
        event,
        instance: header(headers, "x-gitlab-instance"),
        subject,
        reason,
        things,
        body_bytes,
        body,
    };
    note(&delivery);
    let traced = traces::are_on().then(|| (delivery.key.clone(), delivery.event.clone()));
    match intake.store.accept_delivery(delivery).await {
        Ok(Accepted::New) => {
            if let Some((key, event)) = traced {
                traces::delivered(&key, event.as_deref(), began.elapsed());
            }
            (DeliveryOutcome::New, text(StatusCode::OK, String::new()))
        }
        Ok(Accepted::Repeat) => (DeliveryOutcome::Repeat, text(StatusCode::OK, String::new())),
        Err(error) => not_stored(&error),
    }
}

fn not_stored(error: &StoreError) -> (DeliveryOutcome, Response) {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"));
    response
        .headers_mut()
        .insert("retry-after", http::HeaderValue::from_static(RETRY_AFTER));
    (DeliveryOutcome::NotStored, response)
}

/// What the body says; `None` when it was not kept, or could not be understood even to the point of a panic.
async fn hear(intake: &Arc<Intake>, event: Option<String>, mut body: Body) -> (Body, Option<Heard>) {
    let Some(whole) = body.whole.take() else {
        return (body, None);
    };
    if whole.len() < PARSED_ASIDE {
        let heard = knock::things(event.as_deref(), &whole, &intake.programs);
        body.whole = Some(whole);
        return (body, Some(heard));
    }
    // A panic takes the rest with it.
    body.beginning = body::beginning(&whole);
    let aside = intake.clone();
    let parsed = tokio::task::spawn_blocking(move || {
        let heard = knock::things(event.as_deref(), &whole, &aside.programs);
        (whole, heard)
    });
    match parsed.await {
        Ok((whole, heard)) => {
            body.whole = Some(whole);
            (body, Some(heard))
        }
        Err(_) => (body, None),
    }
}

fn everything(programs: &[Program]) -> Vec<Thing> {
    programs
        .iter()
        .map(|program| Thing::Program(program.name.clone()))
        .collect()
}

/// What repeats of a delivery share.
enum Key {
    Given(String),
    OfBody(Sha256),
}

impl Key {
    /// A signature covers `webhook-id`, so that comes first when there is one. The header `X-Gitlab-Event-UUID` is no key:
    /// one value stands on many different events.
    fn new(headers: &HeaderMap, is_signed: bool) -> Self {
        let names = if is_signed {
            ["webhook-id", "idempotency-key"]
        } else {
            ["idempotency-key", "webhook-id"]
        };
        match names
            .iter()
            .find_map(|name| headers.get(*name))
            .map(http::HeaderValue::as_bytes)
        {
            None | Some([]) => Self::OfBody(Sha256::new()),
            Some(key) if key.len() <= LONGEST_KEY && key.iter().all(u8::is_ascii_graphic) => {
                Self::Given(String::from_utf8_lossy(key).into_owned())
            }
            Some(key) => Self::Given(format!("key-sha256:{}", hex::encode(Sha256::digest(key)))),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Self::OfBody(digest) = self {
            digest.update(bytes);
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Given(key) => key,
            Self::OfBody(digest) => format!("sha256:{}", hex::encode(digest.finalize())),
        }
    }
}

/// A header as text, shortened: it is only shown.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}

fn note(delivery: &Delivery) {
    let Delivery {
        key,
        subject,
        reason,
        body_bytes,
        things,
        ..
    } = delivery;
    if let (Some(reason), false) = (reason, things.is_empty()) {
        tracing::warn!(delivery = ?key, ?subject, body_bytes, reason, "an authentic delivery could not be read");
    } else {
        tracing::debug!(delivery = ?key, ?subject, body_bytes, things = things.len(), reason, "a delivery came in");
    }
}

/// One line, without anything that the sender chose.
fn refuse(forged: Forged, peer: Option<Peer>) -> (DeliveryOutcome, Response) {
    let peer = peer.map(|peer| peer.0);
    tracing::warn!(?peer, reason = forged.reason(), "delivery refused");
    (DeliveryOutcome::Refused, text(StatusCode::UNAUTHORIZED, String::new()))
}

fn broken(status: StatusCode) -> (DeliveryOutcome, Response) {
    (DeliveryOutcome::Broken, text(status, String::new()))
}

fn text(status: StatusCode, text: String) -> Response {
    warp::reply::with_status(text, status).into_response()
}
