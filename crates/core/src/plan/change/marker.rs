//! What a merge request of ours remembers, invisibly: whom it is about, which facts it proposes, what we last wrote in it.

use serde::{Deserialize, Serialize};

use super::Change;
use crate::digest::Digest;
use crate::escape::{Markdown, Marker};
use crate::ids::{IssueIid, ProjectId, UserId};
use crate::plan::seen::MergeRequestSeen;
use crate::plan::settled::Said;

/// Kind of the marker.
const MARKER: &str = "change";

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// One community's row.
    Row,
    /// Rows of several communities.
    Batch,
    /// Malformed rows.
    Repair,
    /// The generated directory.
    Directory,
    /// The generated block of a community's README.
    Readme,
}

/// One community in a change, and what the change says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The community.
    pub community: ProjectId,
    /// The proposal that it came from, when its issue is in the program's intake.
    pub proposal: Option<IssueIid>,
    /// A digest of what its row should say; wording and place are not in it.
    pub facts: Digest,
    /// The same for each single value, so that a later change can leave what is settled alone.
    #[serde(default)]
    pub said: Said,
}

/// The marker's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMarker {
    /// What the change is about.
    pub what: What,
    /// The page's name in the settings; empty for the main page.
    #[serde(default)]
    pub page: String,
    /// The communities that it is about.
    #[serde(default)]
    pub items: Vec<Item>,
    /// A digest of all that is proposed.
    pub facts: Digest,
    /// A digest of the description that we wrote.
    pub digest: Digest,
    /// A digest of the title that we wrote, without `Draft:`.
    pub title: Digest,
    /// Whether we made it a draft.
    #[serde(default)]
    pub draft: bool,
    /// Whether it removes a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removes: bool,
}

impl ChangeMarker {
    pub(super) fn of(change: &Change<'_>, description: &Markdown) -> Self {
        Self {
            what: change.what,
            page: change.page_name.to_owned(),
            items: change.items.clone(),
            facts: change.facts.clone(),
            digest: Digest::of(description.as_str().as_bytes()),
            title: Digest::of(change.words.title.as_str().as_bytes()),
            draft: change.draft,
            removes: change.removes_row,
        }
    }

    /// The description behind its marker.
    pub(super) fn before(&self, description: &Markdown) -> Markdown {
        let data = serde_json::to_value(self).unwrap_or_default();
        Markdown::new()
            .marker(&Marker { kind: MARKER, data })
            .append(description)
    }

    /// What it says of a community, value by value.
    #[must_use]
    pub fn said_of(&self, community: ProjectId) -> Option<Said> {
        let mut items = self.items.iter().filter(|item| item.community == community);
        items.next().map(|item| item.said.clone())
    }

    /// What a merge request remembers; says nothing of who wrote it.
    #[must_use]
    pub fn in_text(merge_request: &MergeRequestSeen) -> Option<Self> {
        let value = Marker::find(merge_request.description.expose(), MARKER)?;
        serde_json::from_value(value).ok()
    }
}

/// What a merge request is about, if it is ours.
#[must_use]
pub fn concern(merge_request: &MergeRequestSeen, bot: UserId) -> Option<ChangeMarker> {
    ChangeMarker::in_text(merge_request).filter(|_| merge_request.author == bot)
}
