//! Commits made through the API: several actions, one commit or none.

use super::{State, names};
use crate::git::{Blob, Commit, Entry, NewCommit, Signature, Tree};
use crate::http::{Refusal, Result};
use std::sync::Arc;

/// One action of a commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileAction {
    /// `create`, `update`, `delete`, `move`, `chmod`
    pub(crate) action: String,
    pub(crate) file_path: String,
    pub(crate) previous_path: Option<String>,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) last_commit_id: Option<String>,
    pub(crate) execute_filemode: Option<bool>,
}

/// What a new commit is asked to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewFiles {
    pub(crate) branch: String,
    pub(crate) message: String,
    pub(crate) actions: Vec<FileAction>,
    pub(crate) start_branch: Option<String>,
    pub(crate) start_sha: Option<String>,
    pub(crate) force: bool,
    pub(crate) author_name: Option<String>,
    pub(crate) author_email: Option<String>,
}

impl State {
    /// Commits files to a branch, with all of GitLab's refusals in its order: rights, start point, each action.
    pub(crate) fn commit_files(&mut self, actor: u64, project: u64, new: NewFiles) -> Result<Arc<Commit>> {
        self.need_writable(project)?;
        self.need_to_push(actor, project, &new.branch)?;
        let start = self.start_of(project, &new)?;
        let tree = self.tree_after(project, start.as_ref(), &new.actions)?;
        let author = self.signature(actor);
        let committer = author.clone();
        let author = Signature {
            name: new.author_name.unwrap_or(author.name),
            email: new.author_email.unwrap_or(author.email),
            when: author.when,
        };
        let parents = start.iter().map(|c| c.id.clone()).collect();
        let commit = NewCommit {
            tree,
            parents,
            message: new.message,
            author,
            committer,
        };
        let commit = self.project_mut(project)?.repo.store(commit);
        self.need_to_force(project, &new.branch, &commit.id)?;
        self.update_branch(actor, project, &new.branch, Some(&commit.id))?;
        Ok(commit)
    }

    /// The commit that the new one grows from; none in an empty repository.
    fn start_of(&self, project: u64, new: &NewFiles) -> Result<Option<Arc<Commit>>> {
        let repo = &self.project(project)?.repo;
        let head = repo.branch(&new.branch);
        let no_branch = || Refusal::message(400, "You can only create or edit files when you are on a branch");
        let elsewhere = match (&new.start_sha, &new.start_branch) {
            (Some(sha), _) => {
                if sha.len() != 40 || !sha.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(Refusal::message(400, format!("Invalid start_sha '{sha}'")));
                }
                let found = repo.commit(sha);
                Some(found.ok_or_else(|| Refusal::message(400, format!("Cannot find start_sha '{sha}'")))?)
            }
            (None, Some(start)) if *start != new.branch => Some(repo.branch(start).ok_or_else(no_branch)?),
            _ => None,
        };
        if head.is_none() && !names::is_branch_name(&new.branch) {
            let text = format!(
                "Something went wrong when we tried to create '{}' for you: Branch name is invalid",
                new.branch
            );
            return Err(bad(&text));
        }
        match (elsewhere, head) {
            (Some(_), Some(_)) if !new.force => Err(Refusal::message(
                400,
                format!(
                    "A branch called '{}' already exists. Switch to that branch in order to make changes",
                    new.branch
                ),
            )),
            (Some(start), _) => Ok(Some(start)),
            (None, Some(head)) => Ok(Some(head)),
            (None, None) if repo.is_empty() && new.start_branch.is_none() => Ok(None),
            (None, None) => Err(no_branch()),
        }
    }

    fn tree_after(&self, project: u64, start: Option<&Arc<Commit>>, actions: &[FileAction]) -> Result<Tree> {
        let repo = &self.project(project)?.repo;
        let mut tree = start.map(|c| c.tree.clone()).unwrap_or_default();
        for action in actions {
            check_path(&action.file_path)?;
            if let (Some(start), Some(expected)) = (start, action.last_commit_id.as_deref())
                && action.action != "create"
            {
                let path = action.previous_path.as_deref().unwrap_or(&action.file_path);
                if start.tree.get(path).is_some() && repo.last_commit_for(start, path).id != expected {
                    return Err(bad(&format!(
                        "The file has changed since you started editing it: {path}"
                    )));
                }
            }
            apply(&mut tree, action)?;
        }
        Ok(tree)
    }

    /// The name and no-reply address under which somebody's API commits appear.
    pub(crate) fn signature(&mut self, user: u64) -> Signature {
        let when = self.now();
        let host = self
            .url
            .split("://")
            .nth(1)
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let user = self.users.get(&user);
        Signature {
            name: user.map(|u| u.name.clone()).unwrap_or_default(),
            email: user.map_or_else(String::new, |u| format!("{}-{}@users.noreply.{host}", u.id, u.username)),
            when,
        }
    }

    pub(crate) fn write_first_readme(&mut self, actor: u64, project: u64, branch: &str) -> Result<()> {
        let found = self.project(project)?;
        let text = match &found.description {
            Some(description) if !description.is_empty() => format!("# {}\n\n{description}\n", found.name),
            _ => format!("# {}\n", found.name),
        };
        let mut tree = Tree::default();
        tree.put(
            "README.md",
            Entry {
                blob: Blob::new(text.into_bytes()),
                executable: false,
            },
        );
        let author = self.signature(actor);
        let message = "Initial commit".to_owned();
        let commit = NewCommit {
            tree,
            parents: Vec::new(),
            message,
            committer: author.clone(),
            author,
        };
        let commit = self.project_mut(project)?.repo.store(commit);
        self.update_branch(actor, project, branch, Some(&commit.id))
    }
}

fn apply(tree: &mut Tree, action: &FileAction) -> Result<()> {
    let path = action.file_path.as_str();
    let missing = || bad("A file with this name doesn't exist");
    match action.action.as_str() {
        "create" => {
            check_free(tree, path)?;
            let executable = action.execute_filemode.unwrap_or(false);
            tree.put(
                path,
                Entry {
                    blob: Blob::new(action.content.clone().unwrap_or_default()),
                    executable,
                },
            );
        }
        "update" => {
            let executable = action
                .execute_filemode
                .unwrap_or(tree.get(path).ok_or_else(missing)?.executable);
            tree.put(
                path,
                Entry {
                    blob: Blob::new(action.content.clone().unwrap_or_default()),
                    executable,
                },
            );
        }
        "delete" => {
            tree.remove(path).ok_or_else(missing)?;
        }
        "move" => {
            let from = action
                .previous_path
                .as_deref()
                .ok_or_else(|| bad("You must provide a file path"))?;
            check_path(from)?;
            check_free(tree, path)?;
            let entry = tree.remove(from).ok_or_else(missing)?;
            let blob = action.content.clone().map_or(entry.blob, Blob::new);
            tree.put(
                path,
                Entry {
                    blob,
                    executable: entry.executable,
                },
            );
        }
        _ => {
            let entry = tree.get(path).ok_or_else(missing)?.clone();
            let executable = action.execute_filemode.unwrap_or(false);
            tree.put(
                path,
                Entry {
                    blob: entry.blob,
                    executable,
                },
            );
        }
    }
    Ok(())
}

/// No file stands where a new one goes, nor one where it needs a folder.
fn check_free(tree: &Tree, path: &str) -> Result<()> {
    let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
    if tree.get(path).is_some() || above.any(|folder| tree.get(folder).is_some()) {
        return Err(bad("A file with this name already exists"));
    }
    if tree.is_directory(path) {
        return Err(bad("A directory with this name already exists"));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<()> {
    if path.is_empty() {
        return Err(bad("You must provide a file path"));
    }
    if path
        .split('/')
        .any(|part| part == ".." || part == "." || part == ".git" || part.is_empty())
    {
        return Err(bad("Path cannot include directory traversal"));
    }
    Ok(())
}

fn bad(text: &str) -> Refusal {
    Refusal::message(400, text)
}
