//! A program's rules as values: the part of the settings that decisions need.

use serde::{Deserialize, Serialize};

use crate::ids::Username;
use crate::thing::ProgramName;

/// One group of communities with its intake project and its handbook page (`[[program]]` in the settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name, in keys, URLs and messages.
    pub name: ProgramName,
    /// Full path of the group in which communities' projects are made.
    pub group: String,
    /// Full path of the project whose issues are proposals.
    pub intake: String,
    /// Who has to approve what.
    pub approval: ApprovalPolicy,
    /// Users who may approve beside the group's Maintainers.
    pub approvers: Vec<Username>,
    /// The widest visibility of new projects; the group's own is the limit all the same.
    pub visibility: Visibility,
    /// Prefix of a community's chat channel when none is named.
    pub chat_prefix: String,
    /// Role that listed members get in the new project (facilitators get Maintainer).
    pub member_level: crate::ids::AccessLevel,
    /// The handbook page with the table of current communities; `None`: the program has no page.
    pub handbook: Option<Handbook>,
}

impl Program {
    /// A program with the defaults of the settings and no handbook page.
    #[must_use]
    pub fn new(name: ProgramName, group: &str, intake: &str) -> Self {
        Self {
            name,
            group: group.to_owned(),
            intake: intake.to_owned(),
            approval: ApprovalPolicy::default(),
            approvers: Vec::new(),
            visibility: Visibility::Public,
            chat_prefix: "cp_".to_owned(),
            member_level: crate::ids::AccessLevel::DEVELOPER,
            handbook: None,
        }
    }
}

/// `approval` of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalPolicy {
    /// A valid proposal by a member (Reporter or higher) is approved at once, others wait for an approver.
    #[default]
    Members,
    /// An approver always.
    Always,
    /// Valid is enough.
    Never,
}

/// A project's or group's visibility, from narrow to wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members only.
    #[default]
    Private,
    /// Everybody who is signed in.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// GitLab's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }
}

/// `[program.handbook]`: where the table stands and what its merge requests look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handbook {
    /// Full path of the handbook's project.
    pub project: String,
    /// Target branch; `None`: the project's default branch.
    pub branch: Option<String>,
    /// Path of the page in the repository.
    pub page: String,
    /// Text of the heading over the table.
    pub heading: String,
    /// Where a new row goes.
    pub order: RowOrder,
    /// Cell templates by header text (or its beginning); empty: the defaults for `Subject` and `Facilitator`.
    pub columns: Vec<(String, String)>,
    /// Who is asked to review.
    pub reviewers: Vec<Username>,
    /// Labels of the merge requests.
    pub labels: Vec<String>,
    /// Whether private projects are named on the page.
    pub list_private: bool,
}

/// `order` of a handbook page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowOrder {
    /// To its sorted place when the table is sorted, else to the end.
    #[default]
    Auto,
    /// To its sorted place, whether or not the table is sorted.
    Sorted,
    /// To the end.
    End,
}
