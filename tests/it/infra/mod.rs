//! Intake, store, worker and server through their public doors: HTTP on loopback and a real SQLite file.
#![expect(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod arrivals;
mod copies;
pub(crate) mod database;
mod house;
mod intake;
mod kills;
mod permits;
mod process;
mod program;
mod server;
mod sharing;
mod standing;
mod store;
mod upgrade;
mod worker;
