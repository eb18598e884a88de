//! What one call is for: its stable name, whether it changes anything, and which limit counts it.

/// Whether a call changes anything at GitLab, which decides whether it may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Safe to repeat at any time.
    Reads,
    /// Repeated only when it provably did not arrive.
    Writes,
}

/// The limit of GitLab's that a call counts for, beside the one for all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quota {
    /// Only the general one.
    General,
    /// Creation of notes: 60 a minute on GitLab.com, and each one may send mails.
    Notes,
}

/// One kind of call; the name is stable, for logs, counts and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    pub(crate) quota: Quota,
}

impl Operation {
    pub(crate) const fn reads(name: &'static str) -> Self {
        Self {
            name,
            effect: Effect::Reads,
            quota: Quota::General,
        }
    }

    pub(crate) const fn writes(name: &'static str) -> Self {
        Self {
            name,
            effect: Effect::Writes,
            quota: Quota::General,
        }
    }

    pub(crate) const fn counted_as(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }
}
