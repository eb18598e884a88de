//! Which existing communities look like a proposed one.
use crate::untrusted::Untrusted;
/// x
#[derive(Clone, Debug)]
pub struct Candidate {
    /// n
    pub name: Untrusted,
    /// p
    pub purpose: Untrusted,
}
/// v
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// d
    Duplicate,
    /// r
    Related,
    /// d
    Distinct,
}
/// m
#[derive(Clone, Debug)]
pub struct Match {
    /// i
    pub index: usize,
    /// v
    pub verdict: Verdict,
}
/// r
#[must_use]
pub fn rank(_: &Candidate, _: &[Candidate]) -> Vec<Match> {
    Vec::new()
}
