//! `convenor init --remove`: takes back what `init` made, and only that.

use std::collections::BTreeMap;

use convenor_core::plan::init::HookSeen;
use convenor_core::plan::step::HookScope;
use convenor_core::plan::teardown::{self, Stays, TeardownSeen};
use convenor_core::thing::Thing;

use super::named;
use crate::apply::{Applier, Errand};
use crate::cli::print;
use crate::hooks::{MADE_HOOK, MADE_LABEL, MADE_TEMPLATE, OwnHooks};
use crate::observe::Observer;
use crate::store::MadeSetup;

/// What the journal names as the cause.
const CAUSE: &str = "convenor init --remove";

/// Takes one program's setup back, or only says what that would do.
///
/// # Errors
/// When GitLab does not answer as it should or refuses a step.
pub(super) async fn tear_down(
    observer: &Observer,
    own: &OwnHooks,
    made: &[MadeSetup],
    applier: Option<&Applier>,
) -> anyhow::Result<()> {
    let name = &observer.program().name;
    let seen = observe(observer, own, made).await?;
    let plan = teardown::plan(&seen);
    print(&format!("program {name}\n"));
    for step in &plan.steps {
        let words = named(step, &seen.setup);
        let Some(applier) = applier else {
            print(&format!("  would {words}\n"));
            continue;
        };
        let applied = applier
            .apply(
                Errand::of_command(&Thing::Program(name.clone()), CAUSE),
                std::slice::from_ref(step),
            )
            .await;
        if let Some(error) = applied.failed {
            return Err(error.into());
        }
        print(&format!("  done: {words}\n"));
    }
    if plan.steps.is_empty() {
        print("  nothing of it is left\n");
    }
    for stays in &plan.stays {
        print(&format!("  stays: {}\n", in_words(stays, &seen)));
    }
    Ok(())
}

async fn observe(observer: &Observer, own: &OwnHooks, made: &[MadeSetup]) -> anyhow::Result<TeardownSeen> {
    let setup = observer.setup(own).await?;
    let of_kind = |kind: &'static str| made.iter().filter(move |made| made.kind == kind);
    let mut places: Vec<HookScope> = setup
        .project_hooks
        .iter()
        .map(|(id, _)| HookScope::Project(*id))
        .collect();
    places.push(HookScope::Group(setup.group));
    places.extend(of_kind(MADE_HOOK).filter_map(|made| HookScope::parse(&made.place)));
    places.sort();
    places.dedup();
    let mut hooks: Vec<(HookScope, Vec<HookSeen>)> = Vec::new();
    for scope in places {
        let seen = match scope {
            HookScope::Group(group) => observer.group_hooks(group).await?,
            HookScope::Project(project) => observer.project_hooks(project).await?,
        };
        hooks.push((scope, seen.unwrap_or_default()));
    }
    let mut labels = BTreeMap::new();
    for made in of_kind(MADE_LABEL) {
        let Some(scope) = HookScope::parse(&made.place) else {
            continue;
        };
        let used = observer.label_use(scope, &made.object).await?;
        labels.insert((scope, made.object.clone()), used);
    }
    Ok(TeardownSeen {
        template_commit: of_kind(MADE_TEMPLATE).next().map(|made| made.mark.clone()),
        setup,
        hooks,
        labels,
    })
}

fn in_words(stays: &Stays, seen: &TeardownSeen) -> String {
    match stays {
        Stays::Hook(scope, hook) => {
            let path = seen
                .setup
                .paths
                .get(scope)
                .cloned()
                .unwrap_or_else(|| scope.to_string());
            format!("webhook {hook} of {path}: it sends here, but nothing tells that Convenor made it")
        }
        Stays::LabelInUse(label, 1) => format!("label {label}: an issue carries it"),
        Stays::LabelInUse(label, issues) => format!("label {label}: {issues} issues carry it"),
        Stays::Template(_) => "the issue template: it is not, or no longer, the one that Convenor made".to_owned(),
    }
}
