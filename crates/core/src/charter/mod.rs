//! The charter: a community's own record, `.gitlab/community.yml`, edited by people.
//!
//! [`read`] takes the file's bytes and gives a [`Charter`] or everything that is wrong with it, line by line. [`render_new`]
//! writes the first one; after that the file is people's, and [`edit`] changes single values of it, keeping comments,
//! order and unknown keys, or refuses. Nothing here decides what a charter ought to say.

mod edit;
mod finding;
mod read;
mod tree;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cadence::{self, Cadence};
use crate::ids::{IssueIid, Username};
use crate::proposal::{ChannelName, Proposal};
use crate::untrusted::Untrusted;

pub use crate::proposal::Join;
pub use edit::{Change, Refused, edit};
pub use finding::{Finding, Problem};
pub use read::{MOST_BYTES, read};
pub use write::{cadence_mapping, render_new, yaml_text};
pub(crate) use write::{is_invisible, username};

/// Where the charter lies in a community's project.
pub const PATH: &str = ".gitlab/community.yml";

/// What a community says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// The community's name.
    pub name: Untrusted,
    /// What it is for, in a sentence; blank when not said.
    pub summary: Untrusted,
    /// Whether it is alive.
    pub status: Status,
    /// Who runs it, in the charter's order; empty: nobody at present.
    pub facilitators: Vec<Username>,
    /// Who may join.
    pub join: Join,
    /// When it meets.
    pub cadence: Cadence,
    /// Its chat channel, with or without `#`.
    pub chat: Option<Untrusted>,
    /// The proposal that it came from.
    pub proposal: Option<IssueReference>,
    /// The community that took it in.
    pub merged_into: Option<FullPath>,
    /// Further reading.
    pub links: Vec<Link>,
}

impl Charter {
    /// The first charter of a community, from its accepted proposal.
    ///
    /// What the cadence says that cannot be understood is left out here; [`cadence::read`] gives the findings for it.
    #[must_use]
    pub fn of_proposal(proposal: &Proposal, chat: &ChannelName, issue: Option<IssueReference>) -> Self {
        let cadence = proposal.cadence.as_ref().map(|text| cadence::read(text).cadence);
        Self {
            name: proposal.name.untrusted(),
            summary: proposal.summary.clone(),
            status: Status::Active,
            facilitators: proposal.facilitators.clone(),
            join: proposal.join.clone(),
            cadence: cadence.unwrap_or_default(),
            chat: Some(Untrusted::new(format!("#{}", chat.as_str()))),
            proposal: issue,
            merged_into: None,
            links: proposal.links.iter().map(Link::of_proposal).collect(),
        }
    }
}

/// `status` of a charter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not yet accepted.
    Proposed,
    /// Alive.
    Active,
    /// Gone quiet; may be revived.
    Inactive,
    /// Ended.
    Retired,
}

impl Status {
    /// All of them, in the order of a community's life.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Active, Self::Inactive, Self::Retired];

    /// The word in the charter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Retired => "retired",
        }
    }

    /// The status for a word in any case; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(word.trim()))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An issue by its project's path and its number: `group/project#12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IssueReference {
    /// Full path of the project.
    pub project: FullPath,
    /// The issue's number in it.
    pub iid: IssueIid,
}

impl IssueReference {
    /// Takes `group/project#12`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (project, iid) = text.trim().rsplit_once('#')?;
        let iid = iid.parse().ok().filter(|iid| *iid > 0)?;
        Some(Self {
            project: FullPath::new(project)?,
            iid: IssueIid(iid),
        })
    }
}

impl fmt::Display for IssueReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.project, self.iid)
    }
}

/// The full path of a group or project, `group/subgroup/project`: safe wherever it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullPath(String);

impl FullPath {
    /// Takes at least two parts of letters, digits, `_`, `-` and `.` as GitLab's `Gitlab::PathRegex` allows them;
    /// `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = text.len() <= 1024 && text.contains('/') && text.split('/').all(is_path_part);
        good.then(|| Self(text.to_owned()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FullPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One entry of `links`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is called; `None`: by its address.
    pub title: Option<Untrusted>,
    /// Its address, as people wrote it: to be checked by whoever shows it.
    pub url: Untrusted,
}

impl Link {
    fn of_proposal(link: &crate::proposal::Link) -> Self {
        let url = Untrusted::new(link.url.as_str());
        Self {
            title: Some(link.text.clone()).filter(|text| *text != url && !text.is_blank()),
            url,
        }
    }

    /// Takes `[title](url)` or an address; `None` for blank text.
    #[must_use]
    pub fn parse(text: &Untrusted) -> Option<Self> {
        let line = text.expose().trim();
        let pair = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|rest| rest.split_once("]("));
        match pair {
            Some((title, url)) => Some(Self {
                title: Some(Untrusted::new(title.trim())),
                url: Untrusted::new(url.trim()),
            }),
            None if line.is_empty() => None,
            None => {
                let url = line
                    .strip_prefix('<')
                    .and_then(|rest| rest.strip_suffix('>'))
                    .unwrap_or(line);
                Some(Self {
                    title: None,
                    url: Untrusted::new(url),
                })
            }
        }
    }
}

fn is_path_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begin = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lower = part.to_ascii_lowercase();
    part.starts_with(begin)
        && part.len() <= 255
        && part.chars().all(allowed)
        && !(lower.ends_with('.') || lower.ends_with(".git") || lower.ends_with(".atom"))
}

/// Who may join: `open`, `request` (in any case) or a sentence; blank text is the default.
fn join_of(text: &Untrusted) -> Join {
    match text.expose().trim().trim_end_matches('.').to_ascii_lowercase().as_str() {
        "" | "open" => Join::Open,
        "request" => Join::Request,
        _ => Join::Sentence(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_reference_reads_back_as_written() {
        let text = "gitlab-com/customer-success/communities-of-practice/intake#12";
        assert_eq!(IssueReference::parse(text).unwrap().to_string(), text);
        for text in [
            "intake#12",
            "a/b",
            "a/b#0",
            "a/b#x",
            "a//b#1",
            "a/../b#1",
            "a/b#1 /close",
        ] {
            assert!(IssueReference::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_link_may_be_markdown_or_an_address() {
        let link = Link::parse(&Untrusted::new("[Notes](https://example.com/a_(b))")).unwrap();
        assert_eq!(link.title.unwrap().expose(), "Notes");
        assert_eq!(link.url.expose(), "https://example.com/a_(b)");
        let link = Link::parse(&Untrusted::new("<https://example.com>")).unwrap();
        assert_eq!((link.title, link.url.expose()), (None, "https://example.com"));
    }
}
