//! Convenor's shell: all that waits, fails or costs. What it decides is decided in [`convenor_core`].

pub mod apply;
pub mod assemble;
pub mod cli;
pub mod clock;
pub mod gitlab;
pub mod hooks;
pub mod intake;
pub mod look;
pub mod observe;
pub mod redact;
pub mod server;
pub mod settings;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod templates;
pub mod worker;
