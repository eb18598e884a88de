//! Whether the people of a proposal can take part, from what GitLab said about their accounts.

use std::collections::BTreeMap;

use super::{Field, Finding, Understood};
use crate::escape::Markdown;
use crate::ids::{UserId, Username};
use crate::untrusted::Untrusted;

/// What GitLab said about a username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonState {
    /// An account that can be added.
    Active {
        /// The account's id.
        id: UserId,
        /// Its display name.
        name: Untrusted,
    },
    /// Blocked, deactivated or banned.
    Blocked,
    /// No such account, or not visible to us.
    Missing,
    /// A bot or service account.
    Bot,
    /// Another account than the one that had the name when the text was read first: whoever wrote it meant somebody else.
    Another,
}

/// The findings about people once GitLab was asked, also when other fields are at fault; people that `states` does not name
/// count as missing.
#[must_use]
pub fn check_people(form: &Understood, states: &BTreeMap<Username, PersonState>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (field, people) in [
        (Field::Facilitators, &form.facilitators),
        (Field::Members, &form.members),
    ] {
        for user in people {
            let (found, mend) = match states.get(user).unwrap_or(&PersonState::Missing) {
                PersonState::Active { .. } => continue,
                PersonState::Blocked => (" has a blocked account", "name somebody else"),
                PersonState::Missing => (" is nobody's username here", "check the spelling"),
                PersonState::Bot => (" is a bot", "name a person"),
                PersonState::Another => (
                    " is another account than when this text was read first",
                    "edit the text, so that it says who is meant",
                ),
            };
            let found = Markdown::new().username_code(user).words(found);
            findings.push(Finding::refusal(field, found, Markdown::new().words(mend)));
        }
    }
    findings
}
