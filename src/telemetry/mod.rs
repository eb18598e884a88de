//! What whoever runs Convenor sees of it: logs to standard error, as text for people or as JSON, and figures ([`metrics`]). Neither
//! ever holds tokens, bodies or addresses of people.

pub mod metrics;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogSettings};

/// Starts logging; a second call changes nothing. `verbosity` (`-v`, `-vv`) lowers the level for Convenor's own messages.
pub fn start(settings: &LogSettings, verbosity: u8) {
    let filter = match verbosity {
        0 => settings.filter.clone(),
        1 => format!("{},convenor=debug", settings.filter),
        _ => format!("{},convenor=trace", settings.filter),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // It fails only when a subscriber is there already, which is then the one that was wanted.
    let _ = match settings.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().with_current_span(false).try_init(),
    };
}
