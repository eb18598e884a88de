//! Commits, branches, files, comparisons.

use base64::Engine as _;
use convenor_core::ids::CommitSha;
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use serde::Deserialize;

use super::tolerant::{or_default, time_or_none};

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: CommitSha,
    /// The whole message.
    #[serde(default, deserialize_with = "or_default")]
    pub message: Untrusted,
    /// Who is said to have written it.
    #[serde(default, deserialize_with = "or_default")]
    pub author_name: Untrusted,
    /// Their address; anybody can write anything there.
    #[serde(default, deserialize_with = "or_default")]
    pub author_email: Untrusted,
    /// Who is said to have made the commit.
    #[serde(default, deserialize_with = "or_default")]
    pub committer_email: Untrusted,
    /// The commits before it.
    #[serde(default, deserialize_with = "or_default")]
    pub parent_ids: Vec<CommitSha>,
    /// When it was made, as it says itself.
    #[serde(default, deserialize_with = "time_or_none")]
    pub committed_date: Option<Timestamp>,
    /// Its page.
    #[serde(default, deserialize_with = "or_default")]
    pub web_url: String,
}

/// A branch with its newest commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its head.
    pub commit: Commit,
    /// Whether pushes to it are restricted.
    #[serde(default, deserialize_with = "or_default")]
    pub protected: bool,
    /// Whether it is the project's default branch.
    #[serde(default, deserialize_with = "or_default")]
    pub default: bool,
    /// Whether the token's user may push to it.
    #[serde(default)]
    pub can_push: Option<bool>,
}

/// What one ref has that another has not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Comparison {
    /// Commits of `to` that `from` has not, oldest first.
    #[serde(default, deserialize_with = "or_default")]
    pub commits: Vec<Commit>,
    /// The files that differ.
    #[serde(default, deserialize_with = "or_default")]
    pub diffs: Vec<FileDiff>,
    /// Whether GitLab gave up, so that the lists may be incomplete.
    #[serde(default, deserialize_with = "or_default")]
    pub compare_timeout: bool,
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FileDiff {
    /// Its path before.
    pub old_path: String,
    /// Its path after.
    pub new_path: String,
    /// The difference in unified form, without file headers.
    #[serde(default, deserialize_with = "or_default")]
    pub diff: Untrusted,
    /// It was added.
    #[serde(default, deserialize_with = "or_default")]
    pub new_file: bool,
    /// It was removed.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted_file: bool,
}

/// A file of a repository, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// The last commit that touched this file: the value to compare and swap with.
    pub last_commit_id: CommitSha,
    /// Names the content.
    pub blob_id: String,
    /// The commit of the ref that was asked for; it moves with every other file too.
    pub commit_id: CommitSha,
}

/// The same as GitLab sends it.
#[derive(Deserialize)]
pub(crate) struct WireFile {
    content: String,
    #[serde(default, deserialize_with = "or_default")]
    encoding: String,
    last_commit_id: CommitSha,
    #[serde(default, deserialize_with = "or_default")]
    blob_id: String,
    commit_id: CommitSha,
    #[serde(default)]
    size: Option<usize>,
}

impl WireFile {
    /// Decodes the content; `None` when it does not decode to as many bytes as GitLab says.
    pub(crate) fn decode(self) -> Option<RepositoryFile> {
        let bytes = if self.encoding == "base64" {
            let packed: String = self.content.split_ascii_whitespace().collect();
            base64::engine::general_purpose::STANDARD.decode(packed).ok()?
        } else {
            self.content.into_bytes()
        };
        let whole = self.size.is_none_or(|size| size == bytes.len());
        whole.then_some(RepositoryFile {
            bytes,
            last_commit_id: self.last_commit_id,
            blob_id: self.blob_id,
            commit_id: self.commit_id,
        })
    }
}
