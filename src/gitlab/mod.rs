//! GitLab's API: what we read, what we write, and how it fails.
//!
//! A [`Client`] is set up once. It gives [`Reader`]s to everybody who looks (`observe`, `doctor`, `plan`, pages) and a
//! [`Writer`] to `apply` alone. This room knows GitLab and no community: it names no label, no file and no rule of ours.
//!
//! - The client sends, waits and repeats; [`LimitSettings`] says how fast.
//! - [`GitLabError`] is the one place where GitLab's many ways to fail become ours.
//! - The types GitLab sends are in [`wire`], the endpoints that the `gitlab` crate lacks in `endpoints`.
//!
//! Never here: following a redirect or a `Link`, sending the token elsewhere, printing a header or a body, sending a
//! creation again whose answer was lost, a list that is only a part.

mod answer;
mod client;
mod endpoints;
mod error;
mod exchange;
mod graphql;
mod limits;
mod operation;
mod origin;
mod query;
mod reader;
mod resolver;
mod stats;
mod stop;
pub mod wire;
mod writer;

pub use client::{BadClient, Client, ClientSettings, Permit};
pub use endpoints::hooks::HookOwner;
pub use error::{FieldMessage, GitLabError, Words};
pub use exchange::{Broken, Transport};
pub use graphql::{BoardListLabel, Glance, GlanceOf, Glances, OverviewFile, ProjectOverview, UserGlance};
pub use limits::LimitSettings;
pub use origin::BadAddress;
pub use reader::{GroupRef, IssueFilter, MergeRequestFilter, ProjectRef, Reader};
pub use stats::CallStats;
pub use stop::WriteStop;
pub use writer::{
    CreatedNote, FileAction, IssueChange, MergeRequestChange, NewCommit, NewHook, NewIssue, NewLabel, NewMergeRequest,
    NewProject, Start, Writer,
};
