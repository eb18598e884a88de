//! What whoever runs Convenor sees of it: logs to standard error, as text for people or as JSON, figures
//! ([`metrics`]), and spans for a collector ([`traces`]). None of them ever holds tokens, bodies or addresses of people.

pub mod metrics;
pub mod traces;

use std::io::IsTerminal;

use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::settings::{LogFormat, LogSettings};

/// Starts logging; a second call changes nothing. `verbosity` (`-v`, `-vv`) lowers the level for Convenor's own messages.
pub fn start(settings: &LogSettings, verbosity: u8) {
    let filter = match verbosity {
        0 => settings.filter.clone(),
        1 => format!("{},convenor=debug", settings.filter),
        _ => format!("{},convenor=trace", settings.filter),
    };
    let events = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let events = match settings.format {
        LogFormat::Text => events.boxed(),
        LogFormat::Json => events.json().with_current_span(false).boxed(),
    };
    // A line reads alone: it has the facts as fields of its own, so spans stay out of the log.
    let events = events.with_filter(EnvFilter::new(filter).and(filter_fn(|metadata| metadata.is_event())));
    let spans = settings.otlp_endpoint.as_ref().and_then(traces::start).map(|tracer| {
        let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("convenor"));
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours)
    });
    // It fails only when a subscriber is there already, which is then the one that was wanted.
    let _ = tracing_subscriber::registry().with(events).with(spans).try_init();
}
