//! `convenor plan` and `convenor apply`: what is due, and doing it once.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use convenor_core::plan::{Plan, Step};
use convenor_core::thing::{ProgramName, Thing};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Context, open_store, print, print_json};
use crate::apply::{Outcome, Progress};
use crate::assemble;
use crate::clock::Clock;
use crate::look::{GitLabLooker, Planner};
use crate::observe::{Asked, Repair};
use crate::settings::Settings;
use crate::worker::{Look, Worker};

/// Arguments of `convenor plan`.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Only this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `convenor apply`.
#[derive(Debug, clap::Args)]
pub(super) struct ApplyArgs {
    /// Only this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Propose removals of rows beyond the limit of a day
    #[arg(long)]
    allow_removals: bool,
    /// Propose to mend malformed rows where the mend is certain, on this page (its path) or on all
    #[arg(long, value_name = "PAGE")]
    repair: Option<Option<String>>,
}

/// The exit code of a plan that is not empty.
const CHANGES: u8 = 2;

/// What is due for one thing, as `--json` shows it.
#[derive(Debug, Serialize)]
struct Planned {
    thing: String,
    steps: Vec<Due>,
    report: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Due {
    kind: &'static str,
    step: String,
}

impl Planned {
    fn new(thing: &Thing, plan: &Plan) -> Self {
        Self {
            thing: thing.to_string(),
            steps: plan
                .steps
                .iter()
                // What only we remember is nobody's change.
                .filter(|step| !matches!(step, Step::RememberPeople(_)))
                .map(|step| Due {
                    kind: step.kind(),
                    step: step.to_string(),
                })
                .collect(),
            report: plan.report.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Shows what is due. Exits 0 when nothing is, 2 when something is.
pub(super) async fn plan(args: PlanArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let store = open_store(&settings).await?;
    let client = assemble::client(&settings)?;
    let planner = assemble::planner(&settings, &client, store, Clock::system())?;
    let mut planned = Vec::new();
    for thing in things(&planner, &settings, args.program.as_deref()).await? {
        planned.push(Planned::new(&thing, &planner.plan(&thing).await?));
    }
    let changes = planned.iter().any(|planned| !planned.steps.is_empty());
    if args.json {
        print_json(&planned)?;
    } else {
        print(&in_words(&planned));
    }
    Ok(if changes {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}

/// A page that no program has would be mended by nobody, without a word.
fn check_repair(planner: &Planner) -> anyhow::Result<()> {
    let Some(Repair::Page(page)) = planner.repair() else {
        return Ok(());
    };
    let mut known = planner.observers().flat_map(|observer| &observer.program().handbooks);
    if known.any(|handbook| handbook.page == *page) {
        return Ok(());
    }
    let pages: Vec<&str> = planner
        .observers()
        .flat_map(|observer| &observer.program().handbooks)
        .map(|handbook| handbook.page.as_str())
        .collect();
    bail!(
        "--repair {page:?}: the settings name no such page; they name {}",
        pages.join(", ")
    );
}

fn in_words(planned: &[Planned]) -> String {
    let mut text = String::new();
    for planned in planned {
        text.push_str(&planned.thing);
        text.push('\n');
        for due in &planned.steps {
            text.push_str(&format!("  + {}\n", due.step));
        }
        for remark in &planned.report {
            text.push_str(&format!("  . {remark}\n"));
        }
    }
    let steps: usize = planned.iter().map(|planned| planned.steps.len()).sum();
    text.push_str(&match steps {
        0 => "Nothing to do.\n".to_owned(),
        1 => "1 step is due; what comes after it shows once it is done.\n".to_owned(),
        many => format!("{many} steps are due; what comes after them shows once they are done.\n"),
    });
    text
}

/// Does once what is due, with progress. Exits 1 when something could not be done; the rest is done all the same.
pub(super) async fn apply(args: ApplyArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let store = open_store(&settings).await?;
    let client = assemble::client(&settings)?;
    let clock = Clock::system();
    let planner = assemble::planner(&settings, &client, store.clone(), clock.clone())?;
    let planner = planner.asked(Asked {
        removals: args.allow_removals,
        repair: args.repair.map(|page| page.map_or(Repair::Every, Repair::Page)),
    });
    check_repair(&planner)?;
    let things = things(&planner, &settings, args.program.as_deref()).await?;
    let bar = progress_bar(things.len());
    store.knock(&things, "convenor apply", clock.now()).await?;
    let looker = assemble::looker(&settings, &client, planner, store.clone(), clock.clone()).with_progress(show(&bar));
    let worker = Worker::new(store, Arc::new(looker), clock, settings.worker);
    let failed = look_at_all(&worker, &bar).await?;
    bar.finish_and_clear();
    if failed > 0 {
        bail!(
            "{failed} of the things above could not be brought about; run `convenor apply` again once the causes are mended"
        );
    }
    print("Everything that was due is done.\n");
    Ok(ExitCode::SUCCESS)
}

/// Looks at whatever is due, as a worker does: with a lease, so that a service on the same database does not look at the same
/// thing. Gives the number of things whose last look failed.
async fn look_at_all(worker: &Worker<GitLabLooker>, bar: &ProgressBar) -> anyhow::Result<usize> {
    let mut failed = BTreeSet::new();
    for _ in 0..MOST_TURNS {
        while let Some(looked) = worker.run_due_once().await? {
            bar.set_message(looked.thing.to_string());
            match looked.look {
                Some(Look::Retry { error, .. } | Look::Hold { reason: error }) => {
                    bar.suspend(|| print(&format!("{}: not yet: {error}\n", looked.thing)));
                    failed.insert(looked.thing);
                }
                Some(Look::Done { .. }) | None => {
                    failed.remove(&looked.thing);
                }
            }
            bar.inc(1);
        }
        if failed.is_empty() {
            break;
        }
        tokio::time::sleep(TURN).await;
    }
    Ok(failed.len())
}

/// What failed is given so many further turns…
const MOST_TURNS: u32 = 5;
/// …this far apart.
const TURN: Duration = Duration::from_secs(2);

fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    let bar = ProgressBar::new(length as u64);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

fn show(bar: &ProgressBar) -> Progress {
    let bar = bar.clone();
    Arc::new(move |thing, step, outcome| {
        let sign = match outcome {
            Outcome::Done => "done",
            Outcome::Failed(_) => "not done",
        };
        bar.suspend(|| print(&format!("{thing}: {sign}: {step}\n")));
    })
}

/// Every thing of the programs, in a stable order; webhooks and facilitators come after the communities that they belong to.
async fn things(planner: &Planner, settings: &Settings, only: Option<&str>) -> anyhow::Result<Vec<Thing>> {
    let mut names: Vec<ProgramName> = settings
        .programs
        .iter()
        .map(|program| program.program.name.clone())
        .collect();
    if let Some(only) = only {
        names.retain(|name| name.as_str() == only);
        if names.is_empty() {
            bail!("the settings have no program {only:?}");
        }
    }
    let mut things = Vec::new();
    for name in names {
        let members = planner.plan(&Thing::Program(name.clone())).await?;
        things.extend(members.knocks);
        things.push(Thing::Lifeline(name));
    }
    Ok(things)
}
