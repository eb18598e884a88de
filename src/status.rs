//! What the service says of itself: whether it lives, whether it can work, and its figures.
//!
//! Three small pages for load balancers and Prometheus. They hold no text of people and nothing secret; whether the world may see
//! `/metrics` is the proxy's decision.

use http::{HeaderValue, StatusCode, header};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::clock::Clock;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::{Kept, Metrics};

/// The text format that Prometheus reads.
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What is asked for the answers.
#[derive(Clone)]
pub struct Status {
    /// Whether it can be written to, and how much waits in it.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What was counted.
    pub metrics: Metrics,
}

/// `GET /healthz`, `GET /readyz` and `GET /metrics`.
pub fn routes(status: Status) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let handed = warp::any().map(move || status.clone());
    let alive = warp::path!("healthz")
        .and(warp::get())
        .map(|| text(StatusCode::OK, "alive\n".to_owned()));
    // In boxes: every connection has room for the largest future of all routes.
    let ready = warp::path!("readyz")
        .and(warp::get())
        .and(handed.clone())
        .then(|status| Box::pin(ready(status)));
    let figures = warp::path!("metrics")
        .and(warp::get())
        .and(handed)
        .then(|status| Box::pin(figures(status)));
    alive.or(ready).unify().or(figures).unify()
}

/// 200 while deliveries can be stored; else 503 with the reason. GitLab's troubles do not count: deliveries are then still welcome.
async fn ready(status: Status) -> Response {
    match status.store.check().await {
        Ok(()) => text(StatusCode::OK, "ready\n".to_owned()),
        Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, format!("the database: {error}\n")),
    }
}

async fn figures(status: Status) -> Response {
    let kept = kept(&status).await;
    if let Err(error) = &kept {
        tracing::warn!(%error, "the database does not say how much work waits");
    }
    let mut response = text(StatusCode::OK, status.metrics.render(kept.as_ref().ok()));
    response.headers_mut().insert(header::CONTENT_TYPE, PROMETHEUS);
    response
}

/// What the database knows; GitLab is not asked.
async fn kept(status: &Status) -> Result<Kept, StoreError> {
    Ok(Kept {
        depth: status.store.queue_depth(status.clock.now()).await?,
        standings: status.store.standings().await?,
    })
}

fn text(status: StatusCode, text: String) -> Response {
    warp::reply::with_status(text, status).into_response()
}
