//! What whoever runs Convenor sees of it: logs to standard error, as text for people or as JSON, figures
//! ([`metrics`]), and spans for a collector ([`traces`]). None of them ever holds tokens, bodies or addresses of people.
//!
//! Whoever logs people's text makes a [`convenor_core::escape::LogText`] of it first. [`Lines`] is what is left for texts that
//! nobody thought of: errors of libraries, names in settings.

pub mod metrics;
pub mod traces;

use std::io::{self, IsTerminal, Write};

use convenor_core::escape::{ascii_json, log_line};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::redact::Redactor;
use crate::settings::{LogFormat, LogSettings};

/// Starts logging; a second call changes nothing. `verbosity` (`-v`, `-vv`) lowers the level for Convenor's own messages;
/// `redactor` knows the secrets.
pub fn start(settings: &LogSettings, verbosity: u8, redactor: Redactor) {
    let filter = match verbosity {
        0 => settings.filter.clone(),
        1 => format!("{},convenor=debug", settings.filter),
        _ => format!("{},convenor=trace", settings.filter),
    };
    let lines = Lines {
        format: settings.format,
        redactor,
        to: io::stderr,
    };
    let events = tracing_subscriber::fmt::layer()
        .with_writer(lines)
        .with_ansi(io::stderr().is_terminal());
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
    let started = tracing_subscriber::registry().with(events).with(spans).try_init();
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Where it happened, and the words only when they are ours: the others may quote people's text.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let words = panic.payload().downcast_ref::<&'static str>();
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, words, "this is a fault of Convenor");
}

/// Writes each event as one line: no secrets, no line ends, nothing that steers a terminal but colours.
#[derive(Clone, Debug)]
pub struct Lines<W> {
    /// How the lines are spelled.
    pub format: LogFormat,
    /// What may not stand in them.
    pub redactor: Redactor,
    /// Makes what they are written to.
    pub to: W,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            format: self.format,
            redactor: self.redactor.clone(),
            to: self.to.make_writer(),
        }
    }
}

/// One event on its way.
#[derive(Debug)]
pub struct Line<W> {
    format: LogFormat,
    redactor: Redactor,
    to: W,
}

impl<W: Write> Write for Line<W> {
    /// The subscriber hands over each event whole.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = match self.format {
            LogFormat::Text => log_line(text),
            LogFormat::Json => ascii_json(text),
        };
        line.push('\n');
        self.to.write_all(&self.redactor.clean(line.as_bytes()))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
