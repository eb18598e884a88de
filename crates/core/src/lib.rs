//! Convenor's pure core: what was observed goes in, what should be done comes out.
//!
//! Nothing here waits, reads a clock, draws lots, logs or knows HTTP or SQL; the list of
//! dependencies keeps it so. Text that people wrote arrives as [`untrusted::Untrusted`] and leaves
//! only through the renderer of one sink. Read on in [`plan`], where the parts come together.

pub mod adopt;
pub mod approval;
pub mod cadence;
pub mod charter;
pub mod command;
pub mod digest;
pub mod doctor;
pub mod escape;
pub mod ids;
pub mod knock;
pub mod lifeline;
pub mod plan;
pub mod program;
pub mod proposal;
pub mod render;
pub mod similarity;
pub mod slug;
pub mod table;
pub mod thing;
pub mod untrusted;
