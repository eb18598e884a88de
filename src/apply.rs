//! Carrying out the steps of a plan, journalled. It chooses nothing.
//!
//! Before each step its intent is written down, after it how it ended. A step that does not end well ends the batch: what is due
//! then is decided by looking again, never by sending again. Steps that need nothing of each other go side by side, and several
//! of one kind in one call where GitLab has one ([`packing`]); each stays a step of its own, in the journal and in its outcome.

mod ledger;
mod packing;
mod permit;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use convenor_core::ids::{ProjectId, UserId};
use convenor_core::plan::Step;
use convenor_core::plan::foreseen::Answer;
use convenor_core::thing::Thing;
use futures_util::future::join_all;
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::gitlab::wire::RotatedToken;
use crate::gitlab::{GitLabError, WriteStop, Writer};
use crate::hooks::HookSecrets;
use crate::store::{Intent, JournalId, Lease, StepEnd, StepState, Store, StoreError};
use crate::telemetry::metrics::{self, Ending};
use crate::telemetry::traces;

pub use packing::{Packing, at_once};
pub use permit::MayTell;
use permit::{Replaced, WrittenDown};

/// So many calls are under way at a time, at most: each of them may turn out to have been done by a process that died.
const MOST_AT_ONCE: usize = 8;

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
    /// Until when it may be sent; `None`: as long as the lease is held.
    pub until: Option<Timestamp>,
    /// Asked again when what tells people's text had to wait; `None`: it is nobody's text.
    pub may_tell: Option<&'a Arc<dyn MayTell>>,
}

impl<'a> Errand<'a> {
    /// What a command asks for, with nobody else at it.
    #[must_use]
    pub fn of_command(thing: &'a Thing, cause: &'a str) -> Self {
        Self {
            thing,
            cause,
            lease: None,
            until: None,
            may_tell: None,
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
    /// The one that it has to come after failed.
    #[error("{step}: not sent, because the one before it failed")]
    NotSent {
        /// The step, in its own words.
        step: String,
    },
    /// GitLab took a comment of ours for commands and kept nothing of it.
    #[error("{step}: GitLab kept no comment; its text was taken for commands")]
    OnlyCommands {
        /// The step, in its own words.
        step: String,
    },
}

impl ApplyError {
    /// Whether looking again tells more than the error: it may be there already, it may have been done after all, or
    /// something has changed just before it was sent.
    #[must_use]
    pub fn is_worth_another_look(&self) -> bool {
        match self {
            Self::GitLab { source, .. } => {
                self.is_withheld() || source.is_already_there() || source.is_outcome_unknown()
            }
            _ => false,
        }
    }

    /// Whether it was not sent because of what has changed just before.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        matches!(
            self,
            Self::GitLab {
                source: GitLabError::Withheld { .. },
                ..
            }
        )
    }

    /// Whether GitLab refused what was sent, and not that it was sent to this place or by us.
    #[must_use]
    pub fn is_about_the_values(&self) -> bool {
        matches!(
            self,
            Self::GitLab {
                source: GitLabError::Invalid { .. },
                ..
            }
        )
    }
}

/// How a batch went.
#[derive(Debug, Default)]
pub struct Applied {
    /// How many steps were done.
    pub done: usize,
    /// Whom GitLab refused to add, and in which words.
    pub refused: BTreeMap<UserId, ApplyError>,
    /// What GitLab said of those that were done, by their place among the steps.
    pub answers: Vec<(usize, Answer)>,
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
        }
    }

    /// What stops all writing.
    #[must_use]
    pub fn stop(&self) -> &WriteStop {
        self.writer.stop()
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
        let mut applied = Applied::default();
        for (index, step) in steps.iter().enumerate() {
            let one = self
                .apply_together(errand, std::slice::from_ref(step), Packing::Single)
                .await;
            applied.done += one.done;
            applied.refused.extend(one.refused);
            applied
                .answers
                .extend(one.answers.into_iter().map(|(_, answer)| (index, answer)));
            applied.failed = one.failed;
            if applied.failed.is_some() {
                break;
            }
        }
        applied
    }

    /// Carries out steps that need nothing of each other side by side; those that GitLab takes in one call go in one. All intents
    /// of those that are under way at a time are written down in one transaction before, and all ends in one after.
    pub async fn apply_together(&self, errand: Errand<'_>, steps: &[Step], packing: Packing) -> Applied {
        let mut applied = Applied::default();
        let calls = packing::calls(steps, packing);
        for side_by_side in calls.chunks(MOST_AT_ONCE) {
            if let Err(error) = self
                .side_by_side(errand, steps, (side_by_side, packing), &mut applied)
                .await
            {
                applied.failed = Some(error);
            }
            if applied.failed.is_some() {
                break;
            }
        }
        applied
    }

    async fn side_by_side(
        &self,
        errand: Errand<'_>,
        steps: &[Step],
        (calls, packing): (&[Vec<usize>], Packing),
        applied: &mut Applied,
    ) -> Result<(), ApplyError> {
        if let Some(reason) = self.stop().reason() {
            return Err(ApplyError::Stopped(reason));
        }
        let begun: Vec<usize> = calls.iter().flatten().copied().collect();
        let of = |indices: &[usize]| -> Vec<&Step> { indices.iter().filter_map(|&index| steps.get(index)).collect() };
        let at = self.clock.now();
        let entries = self.begin(errand, &of(&begun), at).await?;
        let mut unused = entries.iter();
        let under_way = calls.iter().map(|call| {
            let steps = of(call);
            let span = traces::step(steps.first().map_or("", |step| step.kind()));
            let entries: Vec<JournalId> = unused.by_ref().take(call.len()).cloned().collect();
            let permitted = self.permitted(errand, entries, at, &steps);
            async move { permitted.unless_stopped(errand.thing, &steps, packing).await }.instrument(span)
        });
        let results: Vec<_> = join_all(under_way).await.into_iter().flatten().collect();
        let ends = entries.into_iter().zip(&results).map(|(id, result)| end_of(id, result));
        let ends: Vec<StepEnd> = ends.collect();
        for (step, end) in of(&begun).into_iter().zip(&ends) {
            metrics::stepped(step.kind(), ending(end.state));
        }
        // Should this fail, the entries stay pending: that is true, and the next look finds out.
        self.store.journal_end_all(&ends, self.clock.now()).await?;
        for (index, result) in begun.into_iter().zip(results) {
            if let Some(step) = steps.get(index) {
                self.note_end(errand.thing, (index, step), result, applied);
            }
        }
        Ok(())
    }

    /// The same for one call, whose steps were written down then.
    fn permitted(&self, errand: Errand<'_>, entries: Vec<JournalId>, at: Timestamp, steps: &[&Step]) -> Self {
        let tells = steps.iter().any(|step| step.tells());
        let permit = WrittenDown {
            store: self.store.clone(),
            clock: self.clock.clone(),
            stop: self.stop().clone(),
            thing: errand.thing.clone(),
            lease: errand.lease.cloned(),
            until: errand.until,
            entries,
            at: at.into(),
            may_tell: errand.may_tell.filter(|_| tells).cloned(),
            asked_at: at.into(),
            replaced: Replaced::by(steps),
            seen_at: at.into(),
            reader: self.writer.reader(),
        };
        Self {
            writer: self.writer.with_permit(Arc::new(permit)),
            ..self.clone()
        }
    }

    /// One call, unless writing has been stopped.
    async fn unless_stopped(
        &self,
        thing: &Thing,
        steps: &[&Step],
        packing: Packing,
    ) -> Vec<Result<Answer, ApplyError>> {
        if let Some(reason) = self.stop().reason() {
            let stopped = || Err(ApplyError::Stopped(reason.clone()));
            return steps.iter().map(|_| stopped()).collect();
        }
        self.carry_out_call(thing, steps, packing).await
    }

    async fn begin(&self, errand: Errand<'_>, steps: &[&Step], at: Timestamp) -> Result<Vec<JournalId>, ApplyError> {
        let words: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let intents: Vec<Intent<'_>> = steps
            .iter()
            .zip(&words)
            .map(|(step, words)| Intent {
                thing: errand.thing,
                cause: errand.cause,
                kind: step.kind(),
                step: words,
                lease: errand.lease,
            })
            .collect();
        let entries = self.store.journal_begin_all(&intents, at).await?;
        entries.ok_or(ApplyError::LeaseLost)
    }

    /// Tells how a step ended, and keeps what counts of it.
    fn note_end(
        &self,
        thing: &Thing,
        (index, step): (usize, &Step),
        result: Result<Answer, ApplyError>,
        applied: &mut Applied,
    ) {
        if let Some(progress) = &self.progress {
            let outcome = result.as_ref().map_or_else(Outcome::Failed, |_| Outcome::Done);
            progress(thing, step, outcome);
        }
        match (result, step) {
            (Ok(answer), _) => {
                tracing::info!(%thing, kind = step.kind(), %answer, "done: {step}");
                applied.done += 1;
                applied.answers.push((index, answer));
            }
            (Err(error), Step::AddMember { user, .. }) if is_refusal(&error) => {
                tracing::warn!(%thing, %error, "GitLab refuses: {step}");
                applied.refused.insert(*user, error);
            }
            (Err(ApplyError::NotSent { .. }), _) if applied.failed.is_some() => {}
            // Of several the one counts that looking again does not mend.
            (Err(error), _) if applied.failed.as_ref().is_none_or(ApplyError::is_worth_another_look) => {
                applied.failed = Some(error);
            }
            (Err(_), _) => {}
        }
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

    /// Does it; gives what GitLab says of it.
    async fn carry_out(&self, thing: &Thing, step: &Step) -> Result<Answer, ApplyError> {
        if let Step::RecordAcceptance(acceptance) = step {
            self.store.record_acceptance(thing, acceptance).await?;
            return Ok(Answer::Nothing);
        }
        if let Step::RememberPeople(people) = step {
            for (name, account) in people {
                self.store.remember_person(name, *account, self.clock.now()).await?;
            }
            return Ok(Answer::Nothing);
        }
        let failed = |source| ApplyError::GitLab {
            step: step.to_string(),
            source,
        };
        let answer = self.write(step).await.map_err(failed)?;
        let answer = answer.ok_or_else(|| ApplyError::OnlyCommands { step: step.to_string() })?;
        self.keep(thing, step, &answer).await?;
        Ok(answer)
    }

    /// Keeps what our own store has to know of what was made.
    async fn keep(&self, thing: &Thing, step: &Step, answer: &Answer) -> Result<(), ApplyError> {
        let (name, now) = (answer.to_string(), self.clock.now());
        if let (Step::CreateProject { .. }, Ok(id)) = (step, name.parse()) {
            self.store.remember_project(thing, ProjectId(id), now).await?;
        }
        ledger::note(&self.store, thing, step, &name, now).await?;
        Ok(())
    }
}

fn end_of(id: JournalId, result: &Result<Answer, ApplyError>) -> StepEnd {
    let (state, result) = match result {
        Ok(Answer::Nothing) => (StepState::Done, None),
        Ok(answer) => (StepState::Done, Some(answer.to_string())),
        Err(error) if is_unknown(error) => (StepState::Unknown, Some(error.to_string())),
        Err(error) => (StepState::Failed, Some(error.to_string())),
    };
    StepEnd { id, state, result }
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

/// A store that failed says nothing of GitLab, which may have done it.
fn is_unknown(error: &ApplyError) -> bool {
    match error {
        ApplyError::GitLab { source, .. } => source.is_outcome_unknown(),
        ApplyError::Store(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_whose_answer_our_store_could_not_keep_did_not_fail() {
        assert!(is_unknown(&ApplyError::Store(StoreError::Full)), "GitLab has done it");
        assert!(!is_unknown(&ApplyError::NotSent { step: String::new() }));
    }
}
