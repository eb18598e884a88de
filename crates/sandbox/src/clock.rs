//! The sandbox's clock: the real time, or a virtual one that a test moves.

use jiff::{SignedDuration, Timestamp};

/// Which time the sandbox shows in its answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The machine's time.
    #[default]
    Real,
    /// A time that stands still until a test moves it; every change in GitLab still gets a later millisecond.
    Virtual(Timestamp),
}

impl Clock {
    /// The time now.
    pub(crate) fn now(self) -> Timestamp {
        match self {
            Self::Real => real_now(),
            Self::Virtual(at) => at,
        }
    }

    /// Moves a virtual clock; a real one becomes virtual at the new time.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        let now = self.now();
        *self = Self::Virtual(now.saturating_add(by).unwrap_or(now));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the sandbox's one clock")]
fn real_now() -> Timestamp {
    Timestamp::now()
}
