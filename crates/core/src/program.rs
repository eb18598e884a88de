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
    /// Its handbook pages: tables of current communities, and generated directories. Each has a name of its own.
    pub handbooks: Vec<Handbook>,
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
            handbooks: Vec::new(),
        }
    }

    /// Whether a project of this full path stands in the group itself, and not in one of its subgroups.
    #[must_use]
    pub fn holds_directly(&self, full_path: &str) -> bool {
        full_path
            .rsplit_once('/')
            .is_some_and(|(group, _)| group.eq_ignore_ascii_case(&self.group))
    }

    /// The pages with a table, where a community has a row.
    pub fn tables(&self) -> impl Iterator<Item = &Handbook> {
        self.handbooks
            .iter()
            .filter(|handbook| handbook.kind == PageKind::Table)
    }

    /// Whether a page is made from all communities together, so that a change of one concerns the page itself.
    #[must_use]
    pub fn has_joint_pages(&self) -> bool {
        self.handbooks.iter().any(Handbook::is_joint)
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
    /// Its name among the pages of one project: lower-case ASCII letters, digits and `-`. It is part of the names of its branches;
    /// empty for the page whose branches are `convenor/<slug>`.
    pub name: String,
    /// What is kept on it.
    pub kind: PageKind,
    /// Full path of the handbook's project.
    pub project: String,
    /// Target branch; `None`: the project's default branch.
    pub branch: Option<String>,
    /// Path of the page in the repository.
    pub page: String,
    /// Text of the heading over the table; empty for a directory.
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
    /// How its merge requests behave.
    pub manners: Manners,
}

impl Handbook {
    /// A page with a table and the defaults of the settings.
    #[must_use]
    pub fn new(project: &str, page: &str, heading: &str) -> Self {
        Self {
            name: String::new(),
            kind: PageKind::Table,
            project: project.to_owned(),
            branch: None,
            page: page.to_owned(),
            heading: heading.to_owned(),
            order: RowOrder::Auto,
            columns: Vec::new(),
            reviewers: Vec::new(),
            labels: vec!["communities-of-practice".to_owned()],
            list_private: false,
            manners: Manners::default(),
        }
    }

    /// Whether one merge request is made from all communities together.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        self.kind == PageKind::Directory || self.manners.batch
    }

    /// The branch for a community's row. `place` is the project's path below the program's group, such as `rust-at-work`.
    ///
    /// A slug has neither `_` nor `--`, so no two pages, places or [`joint_branch`](Self::joint_branch)es get the same name.
    #[must_use]
    pub fn row_branch(&self, place: &str) -> String {
        self.named(&place.replace('/', "--"))
    }

    /// The branch for a change that is about no single community; `what` says of which kind, e.g. `batch`.
    #[must_use]
    pub fn joint_branch(&self, what: &str) -> String {
        self.named(&format!("_{what}"))
    }

    fn named(&self, what: &str) -> String {
        if self.name.is_empty() {
            format!("convenor/{what}")
        } else {
            format!("convenor/{what}_{}", self.name)
        }
    }
}

/// `type` of a handbook page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageKind {
    /// A table that people keep too: one row a community, every other byte is theirs.
    #[default]
    Table,
    /// A directory that is generated between two markers.
    Directory,
}

/// How the merge requests of a page behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Who is assigned.
    pub assignees: Vec<Username>,
    /// Whether commits are squashed; `None`: as the project says.
    pub squash: Option<bool>,
    /// Whether the branch goes with the merge; `None`: as the project says.
    pub remove_source_branch: Option<bool>,
    /// When they are drafts.
    pub draft: DraftPolicy,
    /// Whether changes of rows go into one merge request together.
    pub batch: bool,
    /// So many may be open at a time; 0: any number.
    pub max_open: usize,
    /// So many may be opened within an hour; 0: any number.
    pub max_per_hour: usize,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            assignees: Vec::new(),
            squash: None,
            remove_source_branch: Some(true),
            draft: DraftPolicy::default(),
            batch: false,
            max_open: 30,
            max_per_hour: 30,
        }
    }
}

/// `draft` of a handbook page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DraftPolicy {
    /// While a community whose row is to be added is not ready.
    #[default]
    Unready,
    /// Every merge request begins as a draft; a person makes it ready.
    Always,
    /// No merge request is a draft of ours.
    Never,
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
