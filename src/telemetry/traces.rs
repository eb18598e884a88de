//! Traces for an OpenTelemetry collector, when the settings name one: a delivery, the looks that it caused, their steps, the
//! calls of GitLab.
//!
//! A trace's ids are computed from the delivery's key. So nothing has to be stored or handed on: whoever looks, after a restart or
//! on another instance, finds the trace by the cause that stands in the work table. Spans hold what the log holds.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use convenor_core::thing::Thing;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider};
use sha2::{Digest as _, Sha256};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use url::Url;

/// How a cause begins that is a delivery; its key follows.
const DELIVERY: &str = "delivery ";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Whether spans go anywhere.
#[must_use]
pub fn are_on() -> bool {
    PROVIDER.get().is_some()
}

/// Starts sending spans to the collector at `endpoint` (OTLP over HTTP; `/v1/traces` is added), once for the process. `None` when
/// that cannot be, with the reason in the log: a service without traces is better than none.
pub(super) fn start(endpoint: &Url) -> Option<SdkTracer> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .with_headers(std::collections::HashMap::new())
        .build();
    let exporter = match exporter {
        Ok(exporter) => exporter,
        Err(error) => {
            tracing::error!(%error, "no traces: log.otlp_endpoint cannot be used");
            return None;
        }
    };
    let resource = Resource::builder()
        .with_service_name("convenor")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_id_generator(Ids)
        .with_resource(resource)
        .build();
    Some(PROVIDER.get_or_init(|| provider).tracer("convenor"))
}

/// Sends what waits, then no more. Takes a few seconds at most.
pub async fn stop() {
    let Some(provider) = PROVIDER.get() else { return };
    // It waits for its own thread, which must not hold up the runtime's.
    let stopped = tokio::task::spawn_blocking(|| provider.shutdown()).await;
    if let Ok(Err(error)) = stopped {
        tracing::warn!(%error, "the last spans did not reach the collector");
    }
}

/// A delivery was stored: the beginning of its trace.
pub fn delivered(key: &str, event: Option<&str>, took: Duration) {
    let Some(provider) = PROVIDER.get() else { return };
    let tracer = provider.tracer("convenor");
    let ended = now();
    let builder = tracer
        .span_builder("delivery")
        .with_kind(SpanKind::Server)
        .with_start_time(ended.checked_sub(took).unwrap_or(ended))
        .with_attributes([
            KeyValue::new("delivery", key.to_owned()),
            KeyValue::new("event", event.unwrap_or_default().to_owned()),
        ]);
    GIVEN.set(Some(ids(key)));
    let mut span = tracer.build_with_context(builder, &Context::new());
    GIVEN.set(None);
    span.end_with_timestamp(ended);
}

/// A look at a thing. It belongs to the trace of the delivery that is its cause, or of `origin`, a cause that goes further back.
#[must_use]
pub fn look(thing: &Thing, cause: &str, origin: Option<&str>) -> Span {
    let name = format!("look at a {}", thing.kind());
    let span = tracing::info_span!("look", otel.name = name, %thing, program = %thing.program(), cause);
    if let Some(key) = origin.and_then(delivery).or_else(|| delivery(cause)) {
        let (trace, parent) = ids(key);
        let parent = SpanContext::new(trace, parent, TraceFlags::SAMPLED, true, TraceState::default());
        // It fails only when nothing listens to spans.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    span
}

/// A step that changes GitLab.
#[must_use]
pub fn step(kind: &'static str) -> Span {
    tracing::info_span!("step", otel.name = kind, step = kind)
}

/// A call of GitLab, all its attempts together.
#[must_use]
pub fn call(operation: &'static str) -> Span {
    tracing::info_span!("call", otel.name = operation, otel.kind = "client", operation)
}

/// The key of the delivery that a cause begins with.
fn delivery(cause: &str) -> Option<&str> {
    let key = cause.strip_prefix(DELIVERY)?;
    Some(key.split(';').next().unwrap_or(key))
}

/// The trace of a delivery, and its first span.
fn ids(key: &str) -> (TraceId, SpanId) {
    let digest = Sha256::digest(key);
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    trace.copy_from_slice(&digest[..16]);
    span.copy_from_slice(&digest[16..24]);
    (TraceId::from_bytes(trace), SpanId::from_bytes(span))
}

thread_local! {
    /// What the next span of this thread is called, when that is given.
    static GIVEN: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Random ids, but for spans whose ids are given.
#[derive(Debug)]
struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        GIVEN
            .get()
            .map_or_else(|| RandomIdGenerator::default().new_trace_id(), |given| given.0)
    }

    fn new_span_id(&self) -> SpanId {
        GIVEN
            .get()
            .map_or_else(|| RandomIdGenerator::default().new_span_id(), |given| given.1)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a span's time is the machine's, whatever a test's clock says"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delivery_is_read_from_a_cause_however_far_it_went() {
        for (cause, key) in [
            ("delivery 0197-abc", Some("0197-abc")),
            ("delivery 0197-abc; look at proposal cop#1", Some("0197-abc")),
            ("schedule", None),
            ("convenor apply", None),
        ] {
            assert_eq!(delivery(cause), key, "{cause}");
        }
    }

    #[test]
    fn a_delivery_has_one_trace_and_two_deliveries_have_two() {
        assert_eq!(ids("a"), ids("a"));
        assert_ne!(ids("a").0, ids("b").0);
        assert!(ids("a").0 != TraceId::INVALID && ids("a").1 != SpanId::INVALID);
    }
}
