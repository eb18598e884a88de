//! A stateful fake GitLab over real HTTP, for testing clients and bots.
//!
//! State comes first: users, groups, projects with Git repositories, issues, merge requests. Every answer is derived from
//! it, with GitLab's rights, rules, codes and texts. It sends webhooks as GitLab does, can be made to fail in every way a
//! network can, and people can act on it in between. It knows GitLab and nothing else.
//!
//! ```
//! use gitlab_sandbox::{Config, Role, Sandbox};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gitlab = Sandbox::start(Config::default())?;
//! gitlab.add_group("communities")?;
//! gitlab.add_project("communities/intake")?;
//! gitlab.add_member("communities", "alice", Role::Reporter)?;
//! let token = gitlab.add_token("bot");
//! gitlab.add_member("communities", "bot", Role::Owner)?;
//!
//! let alice = gitlab.person("alice")?;
//! let issue = alice.open_issue("communities/intake", "New community: Rust", "We like Rust.", &["proposal"])?;
//!
//! // …the program under test talks to gitlab.url() with the token…
//! # let _ = token;
//! assert_eq!(gitlab.issue("communities/intake", issue)?.state, "opened");
//! assert_eq!(gitlab.violations(), Vec::<String>::new());
//! # Ok(())
//! # }
//! ```
//!
//! What is only approximated is listed in the crate's README.

mod calls;
mod clock;
mod config;
mod faults;
mod git;
mod graphql;
mod hooks;
mod http;
mod limits;
mod openapi;
mod pages;
mod people;
mod record;
mod routes;
mod seed;
mod server;
mod show;
mod state;
mod views;
mod world;

pub use calls::CallRecord;
pub use clock::Clock;
pub use config::{Config, Tier};
pub use faults::{Act, Effect, Fault};
pub use hooks::{HookWeather, PendingDelivery, SentDelivery};
pub use openapi::{Comparison, OpenApi};
pub use people::{Change, Person, Refused, Role};
pub use seed::{Seed, SeedError};
pub use server::{Exchange, Received, Sandbox};
pub use state::happenings::{AutoClosed, CrossReference, Notified, RanCommand};
pub use views::{
    BoardListView, BoardView, CommitView, DiffView, IssueView, LabelEventView, LabelView, MemberView, MergeRequestView,
    NoteView, PersonView, ProjectView,
};
pub use world::World;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after another thread panicked while it held the lock: a failed test must not hide behind that.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
