//! Facilitators whose accounts were blocked, renamed or are gone, or whose names somebody else has taken.

use url::Url;

use super::Readers;
use crate::escape::{Markdown, Title};
use crate::ids::{ProjectId, UserId, Username};
use crate::plan::Step;
use crate::plan::notice::Notice;
use crate::plan::step::HookScope;
use crate::untrusted::Untrusted;

/// A facilitator whom a charter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilitatorSeen {
    /// The community's name.
    pub community: Untrusted,
    /// Its project.
    pub project: ProjectId,
    /// The project's address.
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
    /// Another account than the one that the name was last seen with.
    Another,
}

/// Accounts that are new to us.
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

/// What is to be said of the facilitators, if anything. Of a community that not all its readers may see the notice says neither the
/// name nor who runs it.
pub(super) fn notice(facilitators: &[FacilitatorSeen], readers: &Readers) -> Option<Notice> {
    let mut text =
        Markdown::new().words("These facilitators cannot be reached under the name in their community's charter:\n\n");
    let mut found = false;
    for facilitator in facilitators {
        let scope = HookScope::Project(facilitator.project);
        let is_open = readers.may_read_of(scope);
        let Some(words) = what_became_of(&facilitator.account, is_open) else {
            continue;
        };
        found = true;
        text = text.words("- ");
        text = match is_open {
            true => text
                .link(&facilitator.community, &facilitator.url)
                .words(": ")
                .username_code(&facilitator.username)
                .words(": "),
            false => text
                .code(&Untrusted::new(scope.to_string()))
                .words(", which not everybody here may see: "),
        };
        text = text.append(&words).words("\n");
    }
    let text = text.words("\nEdit `facilitators` in the charter, `.gitlab/community.yml`; the handbook follows.\n");
    found.then(|| Notice {
        title: Title::new().words("Facilitators who cannot be reached"),
        text,
        confidential: true,
    })
}

/// `None`: nothing is wrong.
fn what_became_of(account: &Account, may_name: bool) -> Option<Markdown> {
    let text = Markdown::new();
    Some(match account {
        Account::Active(_) => return None,
        Account::Blocked => text.words("the account is blocked or not in use"),
        Account::Bot => text.words("the account is a bot's"),
        Account::Gone => text.words("there is no account of that name"),
        Account::Another => text.words("the name belongs to another account than before"),
        Account::Renamed(name) if may_name => text.words("the account is called ").username_code(name).words(" now"),
        Account::Renamed(_) => text.words("the account has another name now"),
    })
}
