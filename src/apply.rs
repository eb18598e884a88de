//! Carrying out the steps of a plan, one at a time, journalled. It chooses nothing.
//!
//! Before each step its intent is written down, after it how it ended. The first step that does not end well ends the
//! batch: what is due then is decided by looking again, never by sending again.

mod ledger;
mod stop;

use std::collections::BTreeSet;
use std::sync::Arc;

use convenor_core::ids::{ProjectId, UserId};
use convenor_core::plan::Step;
use convenor_core::plan::provision;
use convenor_core::plan::step::{FileChange, HookScope};
use convenor_core::thing::Thing;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::gitlab::wire::RotatedToken;
use crate::gitlab::{
    CreatedNote, FileAction, GitLabError, HookOwner, IssueChange, MergeRequestChange, NewCommit, NewIssue, NewLabel,
    NewMergeRequest, NewProject, Start, Writer,
};
use crate::hooks::HookSecrets;
use crate::store::{Intent, Lease, StepState, Store, StoreError};
use crate::telemetry::metrics::{self, Ending};
use crate::telemetry::traces;

pub use stop::WriteStop;

/// Told about every step that ended.
pub type Progress = Arc<dyn Fn(&Thing, &Step, Outcome<'_>) + Send + Sync>;

/// How a step ended, for whoever shows progress.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Done.
    Done,
    /// Not done, or not known to be done.
    Failed(&'a ApplyError),
}

/// Carries out steps. The only room that holds a [`Writer`].
#[derive(Clone)]
pub struct Applier {
    writer: Writer,
    store: Store,
    clock: Clock,
    secrets: HookSecrets,
    progress: Option<Progress>,
    stop: WriteStop,
}

/// For whom steps are carried out.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// The thing.
    pub thing: &'a Thing,
    /// What caused the look, for the journal.
    pub cause: &'a str,
    /// The right to look at it; `None`: nobody shares the work.
    pub lease: Option<&'a Lease>,
}

impl<'a> Errand<'a> {
    /// What a command asks for, with nobody else at it.
    #[must_use]
    pub fn of_command(thing: &'a Thing, cause: &'a str) -> Self {
        Self {
            thing,
            cause,
            lease: None,
        }
    }
}

/// Why a batch ended early.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// GitLab refused, or nobody knows.
    #[error("{step}")]
    GitLab {
        /// The step, in its own words.
        step: String,
        /// GitLab's answer.
        #[source]
        source: GitLabError,
    },
    /// Our own store failed.
    #[error("the journal cannot be written")]
    Store(#[from] StoreError),
    /// Somebody else looks at the thing now.
    #[error("the lease was lost; another worker looks at it now")]
    LeaseLost,
    /// Nothing at all is written at present.
    #[error("nothing is written at present: {0}")]
    Stopped(String),
    /// GitLab took a comment of ours for commands and kept nothing of it.
    #[error("{step}: GitLab kept no comment; its text was taken for commands")]
    OnlyCommands {
        /// The step, in its own words.
        step: String,
    },
}

impl ApplyError {
    /// Whether looking again tells more than the error: it may be there already, or it may have been done after all.
    #[must_use]
    pub fn is_worth_another_look(&self) -> bool {
        matches!(self, Self::GitLab { source, .. } if source.is_already_there() || source.is_outcome_unknown())
    }
}

/// How a batch went.
#[derive(Debug, Default)]
pub struct Applied {
    /// How many steps were done.
    pub done: usize,
    /// Whom GitLab refused to add.
    pub refused: BTreeSet<UserId>,
    /// Why the batch ended before its end.
    pub failed: Option<ApplyError>,
}

impl Applier {
    /// An applier. `secrets` go into the webhooks that it makes.
    #[must_use]
    pub fn new(writer: Writer, store: Store, clock: Clock, secrets: HookSecrets) -> Self {
        Self {
            writer,
            store,
            clock,
            secrets,
            progress: None,
            stop: WriteStop::default(),
        }
    }

    /// What stops all writing.
    #[must_use]
    pub fn stop(&self) -> &WriteStop {
        &self.stop
    }

    /// The same, telling about every step.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Carries out the steps in their order, up to the first that fails. A person whom GitLab refuses to add is no failure of
    /// the batch: who they are is given back.
    pub async fn apply(&self, errand: Errand<'_>, steps: &[Step]) -> Applied {
        let thing = errand.thing;
        let mut applied = Applied::default();
        for step in steps {
            let span = traces::step(step.kind());
            let result = self.journalled(errand, step).instrument(span).await;
            if let Some(progress) = &self.progress {
                let outcome = result.as_ref().map_or_else(Outcome::Failed, |()| Outcome::Done);
                progress(thing, step, outcome);
            }
            match (result, step) {
                (Ok(()), _) => applied.done += 1,
                (Err(error), Step::AddMember { user, .. }) if is_refusal(&error) => {
                    tracing::warn!(%thing, %error, "GitLab refuses: {step}");
                    applied.refused.insert(*user);
                }
                (Err(error), _) => {
                    applied.failed = Some(error);
                    break;
                }
            }
        }
        applied
    }

    /// Makes a new token in place of the bot's own, journalled without it. The old one ends at once.
    ///
    /// # Errors
    /// When GitLab refuses, or nobody knows.
    pub async fn rotate_token(
        &self,
        thing: &Thing,
        cause: &str,
        expires_at: jiff::civil::Date,
    ) -> Result<RotatedToken, ApplyError> {
        let step = format!("rotate the bot's token, to end on {expires_at}");
        let intent = Intent {
            thing,
            cause,
            kind: "rotate_token",
            step: &step,
            lease: None,
        };
        let entry = self.store.journal_begin(&intent, self.clock.now()).await?;
        let entry = entry.ok_or(ApplyError::LeaseLost)?;
        let rotated = self.writer.rotate_own_token(expires_at).await;
        let (state, answer) = match &rotated {
            Ok(_) => (StepState::Done, String::new()),
            Err(error) if error.is_outcome_unknown() => (StepState::Unknown, error.to_string()),
            Err(error) => (StepState::Failed, error.to_string()),
        };
        // The token counts for more than the entry: whatever becomes of it, the token is handed out.
        if let Err(error) = self
            .store
            .journal_end(&entry, state, Some(&answer), self.clock.now())
            .await
        {
            tracing::warn!(%error, "the journal could not be written");
        }
        rotated.map_err(|source| ApplyError::GitLab { step, source })
    }

    async fn journalled(&self, errand: Errand<'_>, step: &Step) -> Result<(), ApplyError> {
        let thing = errand.thing;
        if let Some(reason) = self.stop.reason() {
            return Err(ApplyError::Stopped(reason));
        }
        let words = step.to_string();
        let intent = Intent {
            thing,
            cause: errand.cause,
            kind: step.kind(),
            step: &words,
            lease: errand.lease,
        };
        let entry = self.store.journal_begin(&intent, self.clock.now()).await?;
        let entry = entry.ok_or(ApplyError::LeaseLost)?;
        let result = self.carry_out(thing, step).await;
        let (state, answer) = match &result {
            Ok(answer) => (StepState::Done, answer.clone()),
            Err(error) if is_unknown(error) => (StepState::Unknown, Some(error.to_string())),
            Err(error) => (StepState::Failed, Some(error.to_string())),
        };
        if let Err(ApplyError::GitLab { source, .. }) = &result {
            self.stop.heed(source);
        }
        metrics::stepped(step.kind(), ending(state));
        // Should this fail, the entry stays pending: that is true, and the next look finds out.
        self.store
            .journal_end(&entry, state, answer.as_deref(), self.clock.now())
            .await?;
        match result {
            Ok(answer) => {
                tracing::info!(%thing, kind = step.kind(), answer, "done: {step}");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Does it; gives GitLab's name for what was made, for the journal.
    async fn carry_out(&self, thing: &Thing, step: &Step) -> Result<Option<String>, ApplyError> {
        if let Step::RecordAcceptance(acceptance) = step {
            self.store.record_acceptance(thing, acceptance).await?;
            return Ok(None);
        }
        if let Step::RememberPeople(people) = step {
            for (name, account) in people {
                self.store.remember_person(name, *account, self.clock.now()).await?;
            }
            return Ok(None);
        }
        let failed = |source| ApplyError::GitLab {
            step: step.to_string(),
            source,
        };
        let answer = self.write(step).await.map_err(failed)?;
        let answer = answer.ok_or_else(|| ApplyError::OnlyCommands { step: step.to_string() })?;
        if let (Step::CreateProject { .. }, Ok(id)) = (step, answer.parse()) {
            self.store
                .remember_project(thing, ProjectId(id), self.clock.now())
                .await?;
        }
        ledger::note(&self.store, thing, step, &answer, self.clock.now()).await?;
        Ok(Some(answer))
    }

    /// One write to GitLab; `None`: it was taken for commands only.
    async fn write(&self, step: &Step) -> Result<Option<String>, GitLabError> {
        let writer = &self.writer;
        Ok(Some(match step {
            Step::RecordAcceptance(_) | Step::RememberPeople(_) => String::new(),
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
                writer.create_project(&project).await?.id.to_string()
            }
            Step::CreateNote { project, issue, body } => match writer.create_note(*project, *issue, body).await? {
                CreatedNote::Note(note) => note.id.to_string(),
                CreatedNote::OnlyCommands => return Ok(None),
            },
            Step::UpdateNote {
                project,
                issue,
                note,
                body,
            } => writer.update_note(*project, *issue, *note, body).await?.id.to_string(),
            Step::DeleteOwnNote { project, issue, note } => match writer.delete_note(*project, *issue, *note).await {
                // Gone already is what was wanted.
                Ok(()) | Err(GitLabError::NotFound { .. }) => note.to_string(),
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
                writer.update_issue(*project, *issue, &change).await?.iid.to_string()
            }
            Step::Commit {
                project,
                branch,
                start,
                force,
                message,
                files,
            } => {
                let commit = NewCommit {
                    branch: branch.clone(),
                    start: start.clone().map(Start::Branch),
                    force: *force,
                    message: message.clone(),
                    actions: files.iter().map(action).collect(),
                };
                writer.commit(*project, &commit).await?.id.to_string()
            }
            Step::CreateLabel {
                project,
                name,
                color,
                description,
            } => writer
                .create_project_label(*project, &new_label(name, color, description))
                .await?
                .id
                .to_string(),
            Step::CreateGroupLabel {
                group,
                name,
                color,
                description,
            } => writer
                .create_group_label(*group, &new_label(name, color, description))
                .await?
                .id
                .to_string(),
            Step::DeleteHook { scope, hook } => match writer.delete_hook(owner(*scope), *hook).await {
                // Gone already is what was wanted.
                Ok(()) | Err(GitLabError::NotFound { .. }) => hook.to_string(),
                Err(error) => return Err(error),
            },
            Step::DeleteLabel { scope, name } => match writer.delete_label(owner(*scope), name).await {
                Ok(()) | Err(GitLabError::NotFound { .. }) => name.clone(),
                Err(error) => return Err(error),
            },
            Step::TestHook { scope, hook } => {
                writer.test_hook(owner(*scope), *hook, "push_events").await?;
                String::new()
            }
            Step::CreateBoard { project, name } => writer.create_board(*project, name).await?.id.to_string(),
            Step::CreateBoardList {
                project, board, label, ..
            } => writer.create_board_list(*project, *board, *label).await?.id.to_string(),
            Step::AddMember {
                project, user, level, ..
            } => writer.add_member(*project, *user, *level).await?.id.to_string(),
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
                writer.create_issue(*project, &issue).await?.iid.to_string()
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
                writer.update_issue(*project, *issue, &change).await?.iid.to_string()
            }
            Step::CommentOnMergeRequest {
                project,
                merge_request,
                body,
            } => match writer.create_merge_request_note(*project, *merge_request, body).await? {
                CreatedNote::Note(note) => note.id.to_string(),
                CreatedNote::OnlyCommands => return Ok(None),
            },
            Step::CreateMergeRequest { .. } | Step::UpdateMergeRequest { .. } | Step::CloseMergeRequest { .. } => {
                self.write_merge_request(step).await?
            }
            Step::CreateHook { scope, url } => writer
                .create_hook(
                    owner(*scope),
                    &self.secrets.hook(url, matches!(scope, HookScope::Group(_))),
                )
                .await?
                .id
                .to_string(),
            Step::UpdateHook { scope, hook, url } => writer
                .update_hook(
                    owner(*scope),
                    *hook,
                    &self.secrets.hook(url, matches!(scope, HookScope::Group(_))),
                )
                .await?
                .id
                .to_string(),
        }))
    }

    async fn write_merge_request(&self, step: &Step) -> Result<String, GitLabError> {
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
                Ok(self
                    .writer
                    .create_merge_request(*project, &wanted)
                    .await?
                    .iid
                    .to_string())
            }
            Step::UpdateMergeRequest {
                project,
                merge_request,
                title,
                description,
            } => {
                let change = MergeRequestChange {
                    title: title.clone(),
                    description: Some(description.clone()),
                    ..MergeRequestChange::default()
                };
                Ok(self
                    .writer
                    .update_merge_request(*project, *merge_request, &change)
                    .await?
                    .iid
                    .to_string())
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
                Ok(self
                    .writer
                    .update_merge_request(*project, *merge_request, &change)
                    .await?
                    .iid
                    .to_string())
            }
            _ => Ok(String::new()),
        }
    }
}

/// GitLab has said no, and would say so again.
fn is_refusal(error: &ApplyError) -> bool {
    matches!(
        error,
        ApplyError::GitLab {
            source: GitLabError::Invalid { .. } | GitLabError::Forbidden { .. } | GitLabError::NotFound { .. },
            ..
        }
    )
}

fn ending(state: StepState) -> Ending {
    match state {
        StepState::Done => Ending::Done,
        StepState::Failed => Ending::Failed,
        StepState::Pending | StepState::Unknown => Ending::Unknown,
    }
}

fn is_unknown(error: &ApplyError) -> bool {
    matches!(error, ApplyError::GitLab { source, .. } if source.is_outcome_unknown())
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
