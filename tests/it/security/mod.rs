//! Hostile text and hostile people against the whole house. `docs/security.md` says which of these holds what.

mod adoption;
mod approving;
mod confidential;
mod logs;
mod long_texts;
mod poison;
mod resources;
mod secrets;
mod served;

use super::town;
