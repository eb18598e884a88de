//! The state of a proposal, as one label of `cop::…`.

use std::fmt;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Opened with the template.
    Proposed,
    /// Its author has to mend something.
    NeedsInfo,
    /// Valid; an approver decides.
    Ready,
    /// Approved; being made.
    Approved,
    /// Done.
    Active,
    /// An approver said no.
    Declined,
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Proposed,
        Self::NeedsInfo,
        Self::Ready,
        Self::Approved,
        Self::Active,
        Self::Declined,
    ];

    /// The label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Proposed => "cop::proposed",
            Self::NeedsInfo => "cop::needs-info",
            Self::Ready => "cop::ready",
            Self::Approved => "cop::approved",
            Self::Active => "cop::active",
            Self::Declined => "cop::declined",
        }
    }

    /// The label's colour, `#RRGGBB`.
    #[must_use]
    pub fn color(self) -> &'static str {
        match self {
            Self::Proposed => "#6699cc",
            Self::NeedsInfo => "#ed9121",
            Self::Ready => "#00b140",
            Self::Approved => "#009966",
            Self::Active => "#330066",
            Self::Declined => "#808080",
        }
    }

    /// The label's description.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Proposed => "A new community of practice is proposed",
            Self::NeedsInfo => "The proposal waits for its author",
            Self::Ready => "The proposal is complete and waits for an approver",
            Self::Approved => "The community is being set up",
            Self::Active => "The community is up and listed",
            Self::Declined => "The proposal was declined",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Whether an issue with these labels is a proposal.
#[must_use]
pub fn is_proposal(labels: &[String]) -> bool {
    State::ALL
        .iter()
        .any(|state| labels.iter().any(|label| label == state.label()))
}

/// What has to change so that `wanted` is the only state among `labels`: the label to add, and those to remove.
///
/// Both go into one call, because labels exclude each other by scope only on some editions of GitLab.
#[must_use]
pub fn change(labels: &[String], wanted: State) -> (Option<&'static str>, Vec<&'static str>) {
    let has = |state: State| labels.iter().any(|label| label == state.label());
    let remove = State::ALL
        .into_iter()
        .filter(|state| *state != wanted && has(*state))
        .map(State::label)
        .collect();
    ((!has(wanted)).then(|| wanted.label()), remove)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[&str], wanted: State, add: Option<&str>, remove: &[&str]) {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(change(&labels, wanted), (add, remove.to_vec()));
    }

    #[test]
    fn one_state_at_a_time() {
        check(
            &["cop::proposed", "other"],
            State::Ready,
            Some("cop::ready"),
            &["cop::proposed"],
        );
        check(&["cop::ready", "cop::proposed"], State::Ready, None, &["cop::proposed"]);
        check(&["cop::ready"], State::Ready, None, &[]);
        check(&[], State::Declined, Some("cop::declined"), &[]);
    }

    #[test]
    fn a_label_of_another_scope_makes_no_proposal() {
        assert!(!is_proposal(&["cops::proposed".to_owned(), "cop::other".to_owned()]));
        assert!(is_proposal(&["x".to_owned(), "cop::needs-info".to_owned()]));
    }
}
