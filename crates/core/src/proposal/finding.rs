//! What is wrong with a field, what was found there, and what would mend it.

use crate::escape::Markdown;

/// A field of the form, in the form's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The description as a whole.
    Form,
    /// `Focus topic`
    FocusTopic,
    /// `Purpose and scope`
    Purpose,
    /// `Facilitators`
    Facilitators,
    /// `Members`
    Members,
    /// `Cadence`
    Cadence,
    /// `Chat channel`
    ChatChannel,
    /// `Who can join`
    Join,
    /// `Similar communities`
    Similar,
    /// `Links`
    Links,
}

impl Field {
    /// The fields that have a heading.
    pub const ALL: [Self; 9] = [
        Self::FocusTopic,
        Self::Purpose,
        Self::Facilitators,
        Self::Members,
        Self::Cadence,
        Self::ChatChannel,
        Self::Join,
        Self::Similar,
        Self::Links,
    ];

    /// The heading in the form.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Form => "The proposal",
            Self::FocusTopic => "Focus topic",
            Self::Purpose => "Purpose and scope",
            Self::Facilitators => "Facilitators",
            Self::Members => "Members",
            Self::Cadence => "Cadence",
            Self::ChatChannel => "Chat channel",
            Self::Join => "Who can join",
            Self::Similar => "Similar communities",
            Self::Links => "Links",
        }
    }

    /// Whether a proposal is refused without it.
    #[must_use]
    pub const fn required(self) -> bool {
        matches!(
            self,
            Self::FocusTopic | Self::Purpose | Self::Facilitators | Self::Members
        )
    }
}

/// Whether a finding stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The proposal waits until it is mended.
    Refusal,
    /// Worth saying; nothing waits for it.
    Note,
}

/// One thing that is wrong or worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub field: Field,
    /// Whether it stands in the way.
    pub severity: Severity,
    /// What was found: a clause in our words, with people's text quoted safely.
    pub found: Markdown,
    /// What would mend it: an imperative clause.
    pub mend: Markdown,
}

impl Finding {
    /// A finding that stands in the way.
    #[must_use]
    pub fn refusal(field: Field, found: Markdown, mend: Markdown) -> Self {
        Self {
            field,
            severity: Severity::Refusal,
            found,
            mend,
        }
    }

    /// A finding that is only said.
    #[must_use]
    pub fn note(field: Field, found: Markdown, mend: Markdown) -> Self {
        Self {
            field,
            severity: Severity::Note,
            found,
            mend,
        }
    }

    /// The finding as one list item's text: `**Field**: what was found; the mend.`
    #[must_use]
    pub fn sentence(&self) -> Markdown {
        Markdown::new()
            .words("**")
            .words(self.field.heading())
            .words("**: ")
            .append(&self.found)
            .words("; ")
            .append(&self.mend)
            .words(".")
    }
}
