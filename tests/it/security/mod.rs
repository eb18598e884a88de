//! Hostile text and hostile people against the whole house. `docs/security.md` says which of these holds what.

mod adoption;
mod approving;
mod confidential;
mod fuzzing;
mod logs;
mod long_texts;
mod papers;
mod poison;
mod resources;
mod secrets;
mod served;

use super::{canary, town};
