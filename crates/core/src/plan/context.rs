//! What every plan of a program is made with, beside the observation.

use jiff::Timestamp;

use super::wanted::Blueprint;
use crate::program::Program;

/// What a plan is made with, beside the observation.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The program's rules.
    pub program: &'a Program,
    /// The templates of a new community.
    pub blueprint: &'a Blueprint,
    /// The time of the look.
    pub now: Timestamp,
}
