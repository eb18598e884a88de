//! Reading a proposal: the Markdown in, the form and all findings out.
//!
//! Nothing here asks GitLab: whether the people exist is checked with what was observed ([`check_people`]). Who may approve is
//! decided in [`crate::approval`], what would be created in [`crate::plan`].

mod accounts;
mod check;
mod finding;
mod people;
mod sections;
mod sentence;
mod template;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use url::Url;

pub use accounts::{PersonState, check_people};
pub use finding::{Field, Finding, Severity};
pub use template::template;

use crate::escape::{PlainLine, ProjectName, clean};
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// Longer descriptions are not read: no community needs more words, and every look would pay for them.
pub const MAX_BYTES: usize = 256 * 1024;

/// The most characters of the summary, which becomes the project's description and stands in the charter.
const MAX_SUMMARY: usize = 500;

/// A complete proposal: every required field is there and keeps its rule. Only [`parse`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The community's name, as GitLab allows it for the project.
    pub name: ProjectName,
    /// The last part of the project's path.
    pub slug: Slug,
    /// `Purpose and scope`: the words, without Markdown but for `- ` before list items.
    pub purpose: Untrusted,
    /// The purpose's first sentence, at most 500 characters.
    pub summary: Untrusted,
    /// In the order in which they were named, each once.
    pub facilitators: Vec<Username>,
    /// In the order in which they were named, each once; may repeat facilitators.
    pub members: Vec<Username>,
    /// Raw text; [`crate::cadence`] reads it.
    pub cadence: Option<Untrusted>,
    /// Without `#`; `None`: the program's default.
    pub chat_channel: Option<ChannelName>,
    /// Who can join.
    pub join: Join,
    /// What was looked at before proposing.
    pub similar: Option<Untrusted>,
    /// Links, https only.
    pub links: Vec<Link>,
    /// Sections under other headings: heading and words.
    pub extra: Vec<(Untrusted, Untrusted)>,
}

/// `Who can join`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// Everybody, by themselves.
    #[default]
    Open,
    /// Whoever a facilitator lets in.
    Request,
    /// A sentence that says how.
    Sentence(Untrusted),
}

/// One entry of `Links`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its words; the address itself when it had none.
    pub text: Untrusted,
    /// Always https, without a password in it.
    pub url: Url,
}

/// The name of a chat channel without `#`: lower-case ASCII letters, digits, `-` and `_`, at most 80; safe wherever it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ChannelName(String);

impl ChannelName {
    /// Takes `name` or `#name`; `None` when it breaks the rule of the type.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let name = text.strip_prefix('#').unwrap_or(text);
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        ((1..=80).contains(&name.len()) && name.chars().all(allowed)).then(|| Self(name.to_owned()))
    }

    /// The program's prefix and the slug with `_` for `-`, cut to 80 characters; a prefix that breaks the rule is left out.
    #[must_use]
    pub fn default_for(prefix: &str, slug: &Slug) -> Self {
        let slug = slug.as_str().replace('-', "_");
        let full: String = format!("{prefix}{slug}").chars().take(80).collect();
        Self::new(&full).unwrap_or(Self(slug))
    }

    /// The name without `#`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was understood of each field, also when others are at fault; for the comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// `Focus topic` as it was written.
    pub topic: Option<Untrusted>,
    /// The topic as a project's name.
    pub name: Option<ProjectName>,
    /// The path made from the topic.
    pub slug: Option<Slug>,
    /// `Purpose and scope`.
    pub purpose: Option<Untrusted>,
    /// `Facilitators`.
    pub facilitators: Vec<Username>,
    /// `Members`.
    pub members: Vec<Username>,
    /// `Cadence`.
    pub cadence: Option<Untrusted>,
    /// `Chat channel`.
    pub chat_channel: Option<ChannelName>,
    /// `Who can join`.
    pub join: Join,
    /// `Similar communities`.
    pub similar: Option<Untrusted>,
    /// `Links`.
    pub links: Vec<Link>,
    /// Sections under other headings.
    pub extra: Vec<(Untrusted, Untrusted)>,
}

/// The result of reading an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The proposal, unless a finding refuses it.
    pub form: Option<Proposal>,
    /// What was understood anyway.
    pub understood: Understood,
    /// All findings, in the order of the form.
    pub findings: Vec<Finding>,
}

impl Read {
    /// Whether a finding stands in the way.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Refusal)
    }
}

impl Proposal {
    /// Facilitators and members, each once.
    #[must_use]
    pub fn people(&self) -> BTreeSet<Username> {
        self.facilitators.iter().chain(&self.members).cloned().collect()
    }

    /// The project's description.
    #[must_use]
    pub fn description(&self) -> PlainLine {
        PlainLine::new(&self.summary, MAX_SUMMARY)
    }
}

/// Reads an issue's title and description. The title is never taken for the name, it only
/// helps to say what is missing.
#[must_use]
pub fn parse(title: &Untrusted, description: &Untrusted) -> Read {
    let (understood, mut findings) = check::read(title, description);
    findings.sort_by_key(|finding| (finding.field, finding.severity));
    let refused = findings.iter().any(|finding| finding.severity == Severity::Refusal);
    let form = if refused { None } else { complete(&understood) };
    Read {
        form,
        understood,
        findings,
    }
}

fn complete(understood: &Understood) -> Option<Proposal> {
    let purpose = understood.purpose.clone()?;
    Some(Proposal {
        name: understood.name.clone()?,
        slug: understood.slug.clone()?,
        summary: Untrusted::new(clean::cut(&sentence::first_sentence(purpose.expose()), MAX_SUMMARY)),
        purpose,
        facilitators: understood.facilitators.clone(),
        members: understood.members.clone(),
        cadence: understood.cadence.clone(),
        chat_channel: understood.chat_channel.clone(),
        join: understood.join.clone(),
        similar: understood.similar.clone(),
        links: understood.links.clone(),
        extra: understood.extra.clone(),
    })
}

/// Whether the text is a filled form, whatever its labels say: it has two of the form's headings, or one and the title begins as
/// the template's name does.
#[must_use]
pub fn looks_like_proposal(title: &Untrusted, description: &Untrusted) -> bool {
    let named = title.expose().trim_start().to_lowercase().starts_with("new community");
    sections::known_headings(description.expose()) >= if named { 1 } else { 2 }
}

/// What an approval is for: the SHA-256 of title and description in hexadecimal digits. Line ends and blank lines at the end make
/// no difference, everything else does.
#[must_use]
pub fn text_hash(title: &Untrusted, description: &Untrusted) -> String {
    let same = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned();
    let mut hash = Sha256::new();
    let title = same(title.expose());
    hash.update((title.len() as u64).to_be_bytes());
    hash.update(title);
    hash.update(same(description.expose()));
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests;
