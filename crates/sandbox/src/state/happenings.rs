//! What text and merges set off: commands that ran, people who were notified, references, issues that were closed. GitLab
//! keeps no such list; tests need it, to prove that nothing happened that nobody wanted.

use serde::Serialize;

/// A quick action that was found in a text and run with its author's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RanCommand {
    /// Who wrote the text.
    pub by: String,
    /// Where: `group/project#12` or `group/project!7`.
    pub thing: String,
    /// The command without its slash, in lower case.
    pub name: String,
    /// What followed it on its line.
    pub arguments: String,
    /// Whether it changed anything (rights and arguments were good, and the sandbox models it).
    pub effective: bool,
}

/// Somebody who got a notification because a text names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notified {
    /// Who was notified.
    pub user: String,
    /// Who wrote the text.
    pub by: String,
    /// Where.
    pub thing: String,
    /// Whether the mention stood in a block quote.
    pub quoted: bool,
}

/// A text that points to another issue or merge request, which shows it as "mentioned in …".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrossReference {
    /// Who wrote the text.
    pub by: String,
    /// Where the text stands; a commit is named by its short id.
    pub from: String,
    /// What it points to.
    pub to: String,
}

/// An issue that a merge or push closed by its closing words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AutoClosed {
    /// The issue.
    pub issue: String,
    /// The merge request or commit that closed it.
    pub because: String,
    /// Who merged or pushed.
    pub by: String,
}

/// All lists together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Happenings {
    pub(crate) commands: Vec<RanCommand>,
    pub(crate) notified: Vec<Notified>,
    pub(crate) references: Vec<CrossReference>,
    pub(crate) closed: Vec<AutoClosed>,
}
