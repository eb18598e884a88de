//! Facilitators whose accounts were blocked, renamed or are gone.

use url::Url;

use crate::escape::{Markdown, Title};
use crate::ids::{UserId, Username};
use crate::plan::Step;
use crate::plan::notice::Notice;
use crate::untrusted::Untrusted;

/// A facilitator whom a charter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilitatorSeen {
    /// The community's name.
    pub community: Untrusted,
    /// Its project.
    pub url: Url,
    /// The name in the charter.
    pub username: Username,
    /// What GitLab says of it.
    pub account: Account,
    /// The account that the name was last seen with.
    pub known: Option<UserId>,
}

/// What became of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// In use.
    Active(UserId),
    /// Blocked, deactivated or banned.
    Blocked,
    /// The account that the name belonged to has another name now.
    Renamed(Username),
    /// No account of that name, and none that is known to have had it.
    Gone,
    /// A bot.
    Bot,
}

/// Accounts that are new to us, or that have another name's place.
pub(super) fn remember(facilitators: &[FacilitatorSeen]) -> Option<Step> {
    let mut new: Vec<(Username, UserId)> = facilitators
        .iter()
        .filter_map(|facilitator| match facilitator.account {
            Account::Active(id) if facilitator.known != Some(id) => Some((facilitator.username.clone(), id)),
            _ => None,
        })
        .collect();
    new.sort_by_key(|(name, _)| name.key());
    new.dedup();
    (!new.is_empty()).then_some(Step::RememberPeople(new))
}

/// What is to be said of the facilitators, if anything.
pub(super) fn notice(facilitators: &[FacilitatorSeen]) -> Option<Notice> {
    let mut text =
        Markdown::new().words("These facilitators cannot be reached under the name in their community's charter:\n\n");
    let mut found = false;
    for facilitator in facilitators {
        let words = match &facilitator.account {
            Account::Active(_) => continue,
            Account::Blocked => Markdown::new().words("the account is blocked or not in use"),
            Account::Bot => Markdown::new().words("the account is a bot's"),
            Account::Gone => Markdown::new().words("there is no account of that name"),
            Account::Renamed(name) => Markdown::new()
                .words("the account is called ")
                .username_code(name)
                .words(" now"),
        };
        found = true;
        text = text
            .words("- ")
            .link(&facilitator.community, &facilitator.url)
            .words(": ")
            .username_code(&facilitator.username)
            .words(": ")
            .append(&words)
            .words("\n");
    }
    let text = text.words("\nEdit `facilitators` in the charter, `.gitlab/community.yml`; the handbook follows.\n");
    found.then(|| Notice {
        title: Title::new().words("Facilitators who cannot be reached"),
        text,
        confidential: true,
    })
}
