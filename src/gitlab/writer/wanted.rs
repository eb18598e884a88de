//! What is to be made or changed, as values.

use convenor_core::escape::{CommitMessage, Markdown, PlainLine, ProjectName, Title};
use convenor_core::ids::{CommitSha, GroupId, UserId};
use convenor_core::program::Visibility;
use convenor_core::slug::Slug;
use secrecy::SecretString;
use url::Url;

use crate::gitlab::wire::Note;

/// A project to be made, empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// Display name, unique in the group without regard to case.
    pub name: ProjectName,
    /// Last segment of the path.
    pub path: Slug,
    /// The group that it goes into.
    pub group: GroupId,
    /// One line.
    pub description: PlainLine,
    /// Who may see it.
    pub visibility: Visibility,
    /// Topics.
    pub topics: Vec<String>,
}

/// A commit to be made: all actions or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// The branch that gets it.
    pub branch: String,
    /// Where the branch starts when it is to be made (or, with `force`, made anew); `None`: the branch as it is.
    pub start: Option<Start>,
    /// Replaces the branch: whatever was pushed to it is gone.
    pub force: bool,
    /// The message.
    pub message: CommitMessage,
    /// What happens to the files; at least one.
    pub actions: Vec<FileAction>,
}

/// Where a new branch starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the head of another branch.
    Branch(String),
    /// At a commit.
    Commit(CommitSha),
}

/// What a commit does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAction {
    /// Adds a file; fails when there is one.
    Create {
        /// Path in the repository.
        path: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Replaces a file's content; fails when there is none.
    Update {
        /// Path in the repository.
        path: String,
        /// Its new content.
        bytes: Vec<u8>,
        /// Fails when this is no longer the last commit that touched the file (compare and swap).
        last_commit_id: Option<CommitSha>,
    },
    /// Removes a file; fails when there is none.
    Delete {
        /// Path in the repository.
        path: String,
        /// Fails when this is no longer the last commit that touched the file.
        last_commit_id: Option<CommitSha>,
    },
}

/// A label to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLabel {
    /// Its name; no commas.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// What it is for; an operator's text, not a stranger's.
    pub description: String,
}

/// An issue to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssue {
    /// Title.
    pub title: Title,
    /// Description; lines that begin with `/` would be carried out as quick actions.
    pub description: Markdown,
    /// Names of existing labels; GitLab makes unknown ones without asking.
    pub labels: Vec<String>,
    /// Only for members and the author.
    pub confidential: bool,
}

/// What to change of an issue, all at once; what is `None` or empty stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueChange {
    /// Labels to put on.
    pub add_labels: Vec<String>,
    /// Labels to take off; wins over `add_labels`.
    pub remove_labels: Vec<String>,
    /// Open (`true`) or close (`false`).
    pub open: Option<bool>,
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Markdown>,
}

/// A merge request to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMergeRequest {
    /// Branch with the change; it must exist.
    pub source_branch: String,
    /// Branch that is to get it.
    pub target_branch: String,
    /// Title; `Draft:` in front makes it a draft.
    pub title: Title,
    /// Description; lines that begin with `/` would be carried out as quick actions.
    pub description: Markdown,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Who is asked to review; GitLab Free takes one.
    pub reviewers: Vec<UserId>,
    /// Who is assigned; GitLab Free takes one.
    pub assignees: Vec<UserId>,
    /// Whether the source branch goes with the merge; `None`: as the project says.
    pub remove_source_branch: Option<bool>,
    /// Whether the commits are squashed; `None`: as the project says.
    pub squash: Option<bool>,
}

/// What to change of a merge request, all at once; what is `None` or empty stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeRequestChange {
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Markdown>,
    /// Labels to put on.
    pub add_labels: Vec<String>,
    /// Labels to take off; wins over `add_labels`.
    pub remove_labels: Vec<String>,
    /// Reopen (`true`) or close (`false`).
    pub open: Option<bool>,
    /// The new set of reviewers.
    pub reviewers: Option<Vec<UserId>>,
    /// A new target.
    pub target_branch: Option<String>,
}

/// A webhook to be made, or what it is to become.
#[derive(Clone, Debug)]
pub struct NewHook {
    /// Where it sends to. Changing it makes GitLab forget the secret token, so send that along.
    pub url: Url,
    /// The secret for `X-Gitlab-Token`.
    pub token: Option<SecretString>,
    /// The key for signatures, `whsec_…`; GitLab before 19.0 ignores it: look at `signing_token_present` of the answer.
    pub signing_token: Option<SecretString>,
    /// Whether GitLab checks our TLS certificate.
    pub enable_ssl_verification: bool,
    /// What it is called in GitLab's list; GitLab before 17.1 ignores it.
    pub name: &'static str,
    /// What people read beside it, and we know it by; GitLab before 17.1 ignores it.
    pub description: &'static str,
    /// Every trigger that is to be on or off, such as `("issues_events", true)`.
    pub triggers: Vec<(&'static str, bool)>,
}

/// What became of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreatedNote {
    /// It is there.
    Note(Note),
    /// Its text was nothing but quick actions; GitLab carried them out and kept no note (202).
    OnlyCommands,
}
