//! What GitLab sends, with the fields that are used and no others.
//!
//! Every field that GitLab leaves out for some roles, versions or editions is optional here; `null` and missing are the
//! same. Text that people write is [`Untrusted`](convenor_core::untrusted::Untrusted). Levels are numbers, because
//! GitLab adds new ones between the old.

mod board;
mod hook;
mod issue;
mod merge_request;
mod people;
mod project;
mod repository;
mod tolerant;

pub use board::{Board, BoardList, Label};
pub use hook::{Hook, HookEvent};
pub use issue::{Issue, IssueState, LabelEvent, LabelEventAction, LabelName, Note};
pub use merge_request::{DiffRefs, MergeRequest, MergeRequestState};
pub use people::{CurrentUser, Member, Person, RotatedToken, TokenSelf, User, Version};
pub use project::{Group, Namespace, Project};
pub use repository::{Branch, Commit, Comparison, FileDiff, RepositoryFile};

pub(crate) use repository::WireFile;
