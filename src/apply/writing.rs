//! One step, one call: from the step's words to the API's.

use std::fmt::Display;

use convenor_core::plan::Step;
use convenor_core::plan::foreseen::{Answer, MadeProject};
use convenor_core::plan::provision;
use convenor_core::plan::step::{FileChange, HookScope};
use url::Url;

use super::Applier;
use crate::gitlab::{
    CreatedNote, FileAction, GitLabError, HookOwner, IssueChange, MergeRequestChange, NewCommit, NewIssue, NewLabel,
    NewMergeRequest, NewProject, Start, wire,
};

impl Applier {
    /// One write to GitLab; `None`: it was taken for commands only.
    pub(super) async fn write(&self, step: &Step) -> Result<Option<Answer>, GitLabError> {
        let writer = &self.writer;
        Ok(Some(match step {
            Step::RecordAcceptance(_) | Step::RememberPeople(_) => Answer::Nothing,
            Step::CreateProject {
                group,
                name,
                slug,
                description,
                visibility,
            } => {
                let project = NewProject {
                    name: name.clone(),
                    path: slug.clone(),
                    group: *group,
                    description: description.clone(),
                    visibility: *visibility,
                    topics: vec![provision::TOPIC.to_owned()],
                };
                project_made(writer.create_project(&project).await?)
            }
            Step::CreateNote { project, issue, body } => match writer.create_note(*project, *issue, body).await? {
                CreatedNote::Note(note) => Answer::Number(note.id.0),
                CreatedNote::OnlyCommands => return Ok(None),
            },
            Step::UpdateNote {
                project,
                issue,
                note,
                body,
            } => Answer::Number(writer.update_note(*project, *issue, *note, body).await?.id.0),
            Step::DeleteOwnNote { project, issue, note } => match writer.delete_note(*project, *issue, *note).await {
                // Gone already is what was wanted.
                Ok(()) | Err(GitLabError::NotFound { .. }) => named(note),
                Err(error) => return Err(error),
            },
            Step::SetIssueState {
                project,
                issue,
                add,
                remove,
                close,
            } => {
                let change = IssueChange {
                    add_labels: add.iter().map(|label| (*label).to_owned()).collect(),
                    remove_labels: remove.iter().map(|label| (*label).to_owned()).collect(),
                    open: close.then_some(false),
                    ..IssueChange::default()
                };
                named(writer.update_issue(*project, *issue, &change).await?.iid)
            }
            Step::Commit {
                project,
                branch,
                start,
                replaces,
                message,
                files,
            } => {
                let commit = NewCommit {
                    branch: branch.clone(),
                    start: start.clone().map(Start::Branch),
                    force: replaces.is_some(),
                    message: message.clone(),
                    actions: files.iter().map(action).collect(),
                };
                Answer::Commit(writer.commit(*project, &commit).await?.id)
            }
            Step::CreateLabel {
                project,
                name,
                color,
                description,
            } => {
                let label = new_label(name, color, description);
                Answer::Number(writer.create_project_label(*project, &label).await?.id.0)
            }
            Step::CreateGroupLabel {
                group,
                name,
                color,
                description,
            } => {
                let label = new_label(name, color, description);
                Answer::Number(writer.create_group_label(*group, &label).await?.id.0)
            }
            Step::DeleteHook { scope, hook } => match writer.delete_hook(owner(*scope), *hook).await {
                // Gone already is what was wanted.
                Ok(()) | Err(GitLabError::NotFound { .. }) => named(hook),
                Err(error) => return Err(error),
            },
            Step::DeleteLabel { scope, name } => match writer.delete_label(owner(*scope), name).await {
                Ok(()) | Err(GitLabError::NotFound { .. }) => named(name),
                Err(error) => return Err(error),
            },
            Step::TestHook { scope, hook } => {
                writer.test_hook(owner(*scope), *hook, "push_events").await?;
                Answer::Nothing
            }
            Step::CreateBoard { project, name } => Answer::Number(writer.create_board(*project, name).await?.id.0),
            Step::CreateBoardList {
                project, board, label, ..
            } => Answer::Number(writer.create_board_list(*project, *board, *label).await?.id.0),
            Step::AddMember {
                project, user, level, ..
            } => named(writer.add_member(*project, *user, *level).await?.id),
            Step::CreateIssue {
                project,
                title,
                description,
                confidential,
            } => {
                let issue = NewIssue {
                    title: title.clone(),
                    description: description.clone(),
                    labels: Vec::new(),
                    confidential: *confidential,
                };
                issue_made(&writer.create_issue(*project, &issue).await?)
            }
            Step::UpdateIssue {
                project,
                issue,
                title,
                description,
                open,
            } => {
                let change = IssueChange {
                    title: title.clone(),
                    description: Some(description.clone()),
                    open: *open,
                    ..IssueChange::default()
                };
                named(writer.update_issue(*project, *issue, &change).await?.iid)
            }
            Step::CommentOnMergeRequest {
                project,
                merge_request,
                body,
            } => match writer.create_merge_request_note(*project, *merge_request, body).await? {
                CreatedNote::Note(note) => Answer::Number(note.id.0),
                CreatedNote::OnlyCommands => return Ok(None),
            },
            Step::CreateMergeRequest { .. } | Step::UpdateMergeRequest { .. } | Step::CloseMergeRequest { .. } => {
                self.write_merge_request(step).await?
            }
            Step::CreateHook { scope, url } => {
                let hook = self.secrets.hook(url, matches!(scope, HookScope::Group(_)));
                named(writer.create_hook(owner(*scope), &hook).await?.id)
            }
            Step::UpdateHook { scope, hook, url } => {
                let renewed = self.secrets.hook(url, matches!(scope, HookScope::Group(_)));
                named(writer.update_hook(owner(*scope), *hook, &renewed).await?.id)
            }
        }))
    }

    async fn write_merge_request(&self, step: &Step) -> Result<Answer, GitLabError> {
        match step {
            Step::CreateMergeRequest {
                project,
                source,
                target,
                title,
                description,
                opening,
                ..
            } => {
                let wanted = NewMergeRequest {
                    source_branch: source.clone(),
                    target_branch: target.clone(),
                    title: title.clone(),
                    description: description.clone(),
                    labels: opening.labels.clone(),
                    reviewers: opening.reviewers.clone(),
                    assignees: opening.assignees.clone(),
                    remove_source_branch: opening.remove_source_branch,
                    squash: opening.squash,
                };
                Ok(merge_request_made(
                    &self.writer.create_merge_request(*project, &wanted).await?,
                ))
            }
            Step::UpdateMergeRequest {
                project,
                merge_request,
                title,
                description,
                removes_row: _,
            } => {
                let change = MergeRequestChange {
                    title: title.clone(),
                    description: Some(description.clone()),
                    ..MergeRequestChange::default()
                };
                let writer = &self.writer;
                let changed = writer.update_merge_request(*project, *merge_request, &change);
                Ok(named(changed.await?.iid))
            }
            Step::CloseMergeRequest {
                project,
                merge_request,
                description,
            } => {
                let change = MergeRequestChange {
                    description: Some(description.clone()),
                    open: Some(false),
                    ..MergeRequestChange::default()
                };
                let writer = &self.writer;
                let changed = writer.update_merge_request(*project, *merge_request, &change);
                Ok(named(changed.await?.iid))
            }
            _ => Ok(Answer::Nothing),
        }
    }
}

/// By its name only.
fn named(name: impl Display) -> Answer {
    Answer::Name(name.to_string())
}

/// Where an address cannot be read, nothing can be foreseen from it, and the name is enough.
fn project_made(project: wire::Project) -> Answer {
    let Ok(web_url) = Url::parse(&project.web_url) else {
        return named(project.id);
    };
    Answer::Project(Box::new(MadeProject {
        id: project.id,
        full_path: project.path_with_namespace,
        path: project.path,
        web_url,
        visibility: project.visibility,
        default_branch: project.default_branch,
        at: project.created_at,
    }))
}

fn issue_made(issue: &wire::Issue) -> Answer {
    match Url::parse(&issue.web_url) {
        Ok(web_url) => Answer::Issue {
            iid: issue.iid,
            web_url,
        },
        Err(_) => named(issue.iid),
    }
}

fn merge_request_made(made: &wire::MergeRequest) -> Answer {
    match Url::parse(&made.web_url) {
        Ok(web_url) => Answer::MergeRequest {
            iid: made.iid,
            web_url,
            at: made.created_at,
        },
        Err(_) => named(made.iid),
    }
}

fn action(file: &FileChange) -> FileAction {
    match file.clone() {
        FileChange::Create { path, content } => FileAction::Create { path, bytes: content },
        FileChange::Update {
            path,
            content,
            last_commit,
        } => FileAction::Update {
            path,
            bytes: content,
            last_commit_id: last_commit,
        },
        FileChange::Delete { path, last_commit } => FileAction::Delete {
            path,
            last_commit_id: last_commit,
        },
    }
}

fn new_label(name: &str, color: &str, description: &str) -> NewLabel {
    NewLabel {
        name: name.to_owned(),
        color: color.to_owned(),
        description: description.to_owned(),
    }
}

fn owner(scope: HookScope) -> HookOwner {
    match scope {
        HookScope::Group(group) => HookOwner::Group(group),
        HookScope::Project(project) => HookOwner::Project(project),
    }
}
