//! Git objects and their names. Trees are kept flat (full path to file) and are folded into Git's nested trees only to
//! compute names and listings.

use super::NewCommit;
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Bytes with their Git name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self {
            id: name_of("blob", &bytes),
            bytes,
        })
    }

    /// The text, when it is text: no zero byte in the first 8,000, valid UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        let head = self.bytes.get(..8000).unwrap_or(&self.bytes);
        if head.contains(&0) {
            return None;
        }
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) blob: Arc<Blob>,
    pub(crate) executable: bool,
}

impl Entry {
    pub(crate) fn mode(&self) -> &'static str {
        if self.executable { "100755" } else { "100644" }
    }
}

/// All files of a commit by full path. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(Arc<BTreeMap<String, Entry>>);

/// One line of a directory listing.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) mode: &'static str,
}

impl Listed {
    pub(crate) fn is_tree(&self) -> bool {
        self.mode == "040000"
    }
}

impl Tree {
    pub(crate) fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.0.iter()
    }

    pub(crate) fn put(&mut self, path: &str, entry: Entry) {
        Arc::make_mut(&mut self.0).insert(path.to_owned(), entry);
    }

    pub(crate) fn remove(&mut self, path: &str) -> Option<Entry> {
        Arc::make_mut(&mut self.0).remove(path)
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        self.0
            .range(prefix.clone()..)
            .next()
            .is_some_and(|(p, _)| p.starts_with(&prefix))
    }

    /// What one directory (`""` is the root) holds, folders first, each with its Git name.
    pub(crate) fn list(&self, directory: &str) -> Vec<Listed> {
        let prefix = if directory.is_empty() {
            String::new()
        } else {
            format!("{directory}/")
        };
        let mut folders: BTreeMap<&str, ()> = BTreeMap::new();
        let mut files = Vec::new();
        for (path, entry) in self
            .0
            .range(prefix.clone()..)
            .take_while(|(p, _)| p.starts_with(&prefix))
        {
            match path[prefix.len()..].split_once('/') {
                Some((folder, _)) => {
                    folders.insert(folder, ());
                }
                None => files.push(Listed {
                    id: entry.blob.id.clone(),
                    name: path[prefix.len()..].to_owned(),
                    path: path.clone(),
                    mode: entry.mode(),
                }),
            }
        }
        let folders = folders.into_keys().map(|name| {
            let path = format!("{prefix}{name}");
            Listed {
                id: self.name(&path),
                name: name.to_owned(),
                path,
                mode: "040000",
            }
        });
        folders.chain(files).collect()
    }

    /// The Git name of one directory.
    fn name(&self, directory: &str) -> String {
        let mut listed = self.list(directory);
        // Git sorts folders as if their name ended in a slash.
        listed.sort_by_key(|l| {
            if l.is_tree() {
                format!("{}/", l.name)
            } else {
                l.name.clone()
            }
        });
        let mut bytes = Vec::new();
        for one in &listed {
            bytes.extend_from_slice(one.mode.trim_start_matches('0').as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(one.name.as_bytes());
            bytes.push(0);
            bytes.extend(hex::decode(&one.id).unwrap_or_default());
        }
        name_of("tree", &bytes)
    }
}

/// Who did something when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) when: Timestamp,
}

/// A commit with its whole tree.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) tree: Tree,
    pub(crate) parents: Vec<String>,
    pub(crate) message: String,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
}

impl Commit {
    pub(super) fn new(new: NewCommit) -> Self {
        let mut text = format!("tree {}\n", new.tree.name(""));
        for parent in &new.parents {
            let _ = writeln!(text, "parent {parent}");
        }
        let _ = writeln!(text, "author {}", signed(&new.author));
        let _ = write!(text, "committer {}\n\n{}", signed(&new.committer), new.message);
        Self {
            id: name_of("commit", text.as_bytes()),
            tree: new.tree,
            parents: new.parents,
            message: new.message,
            author: new.author,
            committer: new.committer,
        }
    }

    pub(crate) fn short_id(&self) -> &str {
        &self.id[..8]
    }

    /// The first line of the message, as GitLab shows it.
    pub(crate) fn title(&self) -> String {
        let line = self.message.lines().next().unwrap_or_default();
        match line.char_indices().nth(255) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line.to_owned(),
        }
    }
}

fn signed(who: &Signature) -> String {
    format!("{} <{}> {} +0000", who.name, who.email, who.when.as_second())
}

fn name_of(kind: &str, bytes: &[u8]) -> String {
    let mut sha = Sha1::new();
    sha.update(format!("{kind} {}\0", bytes.len()));
    sha.update(bytes);
    hex::encode(sha.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_named_as_git_names_them() {
        assert_eq!(
            Blob::new(b"hello\n".to_vec()).id,
            "ce013625030ba8dba906f756967f9e9ca394464a"
        );
    }

    #[test]
    fn trees_are_named_as_git_names_them() {
        // `git mktree` of one file `a` with the content "hello\n"
        let mut tree = Tree::default();
        tree.put(
            "a",
            Entry {
                blob: Blob::new(b"hello\n".to_vec()),
                executable: false,
            },
        );
        assert_eq!(tree.name(""), "0976950c1fdbcb52435a433913017bf044b3a58f");
        assert_eq!(Tree::default().name(""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }
}
