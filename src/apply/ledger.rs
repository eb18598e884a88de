//! What `init` made is written down, so that `init --remove` takes back that and nothing else.

use convenor_core::plan::Step;
use convenor_core::plan::init::TEMPLATE_PATH;
use convenor_core::plan::step::{FileChange, HookScope};
use convenor_core::thing::Thing;
use jiff::Timestamp;

use crate::hooks::{MADE_HOOK, MADE_LABEL, MADE_TEMPLATE};
use crate::store::{MadeSetup, Store, StoreError};

/// Writes down what a step made or took back. Only the setup of a program is of interest: what belongs to a community is
/// people's from the first day.
///
/// # Errors
/// What the database said.
pub(super) async fn note(
    store: &Store,
    thing: &Thing,
    step: &Step,
    answer: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (Thing::Program(program) | Thing::Lifeline(program)) = thing else {
        return Ok(());
    };
    match change(step, answer) {
        None => Ok(()),
        Some(Change::Made(made)) => store.remember_setup(program, &made, at).await,
        Some(Change::Gone(gone)) => store.forget_setup(program, &gone).await,
    }
}

enum Change {
    Made(MadeSetup),
    Gone(MadeSetup),
}

fn change(step: &Step, answer: &str) -> Option<Change> {
    let entry = |kind: &str, scope: HookScope, object: String| MadeSetup {
        kind: kind.to_owned(),
        place: scope.to_string(),
        object,
        mark: answer.to_owned(),
    };
    Some(match step {
        Step::CreateHook { scope, .. } => Change::Made(entry(MADE_HOOK, *scope, answer.to_owned())),
        Step::DeleteHook { scope, hook } => Change::Gone(entry(MADE_HOOK, *scope, hook.to_string())),
        Step::CreateLabel { project, name, .. } => {
            Change::Made(entry(MADE_LABEL, HookScope::Project(*project), name.clone()))
        }
        Step::CreateGroupLabel { group, name, .. } => {
            Change::Made(entry(MADE_LABEL, HookScope::Group(*group), name.clone()))
        }
        Step::DeleteLabel { scope, name } => Change::Gone(entry(MADE_LABEL, *scope, name.clone())),
        Step::Commit { project, files, .. } => {
            let template = |path: &str| (path == TEMPLATE_PATH).then_some(HookScope::Project(*project));
            match files.first()? {
                FileChange::Create { path, .. } => Change::Made(entry(MADE_TEMPLATE, template(path)?, path.clone())),
                FileChange::Delete { path, .. } => Change::Gone(entry(MADE_TEMPLATE, template(path)?, path.clone())),
                FileChange::Update { .. } => return None,
            }
        }
        _ => return None,
    })
}
