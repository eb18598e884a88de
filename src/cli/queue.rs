//! `convenor queue`: what is pending, failed or held.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;

use super::{Context, plain, print, print_json};
use crate::clock::Clock;
use crate::store::{Store, Work, WorkState};

/// Arguments of `convenor queue`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All things, held and failed ones first (this is the default)
    List {
        #[command(flatten)]
        filter: Filter,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at a thing again now, or at all that failed or are held
    Retry(Which),
    /// Release a thing that is held, or all of them: they are looked at again
    Release(Which),
    /// Forget a thing until somebody knocks again
    Drop {
        /// Its key, as `list` shows it
        thing: String,
    },
}

#[derive(Clone, Debug, Default, clap::Args)]
struct Filter {
    /// Only things in this state
    #[arg(long, value_parser = ["ready", "looking", "retrying", "failed", "held"])]
    state: Option<String>,
    /// Only things of this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Only things of this kind
    #[arg(long, value_parser = ["proposal", "community", "handbook", "program", "lifeline"])]
    kind: Option<String>,
}

impl Filter {
    fn admits(&self, row: &Work) -> bool {
        let thing = row.thing.parse::<Thing>().ok();
        let is = |wanted: &Option<String>, of: fn(&Thing) -> &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| thing.as_ref().is_some_and(|thing| of(thing) == wanted))
        };
        self.state.as_deref().is_none_or(|wanted| state(row) == wanted)
            && is(&self.program, |thing| thing.program().as_str())
            && is(&self.kind, Thing::kind)
    }
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").args(["thing", "all"]).required(true))]
struct Which {
    /// Its key, as `list` shows it, for example "proposal cop#12"
    thing: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// With `--all`: only those of this program
    #[arg(long, value_name = "P", requires = "all")]
    program: Option<String>,
    /// As JSON: the things that will be looked at
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.store().await?;
    let action = args.action.unwrap_or(Action::List {
        filter: Filter::default(),
        json: false,
    });
    let done = act(action, &store).await;
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(action: Action, store: &Store) -> anyhow::Result<()> {
    match action {
        Action::List { filter, json } => list(store, &filter, json).await,
        Action::Retry(which) => release(store, &which, &[WorkState::Failed, WorkState::Held]).await,
        Action::Release(which) => release(store, &which, &[WorkState::Held]).await,
        Action::Drop { thing } => drop_thing(store, &thing).await,
    }
}

async fn list(store: &Store, filter: &Filter, json: bool) -> anyhow::Result<()> {
    let mut work = store.list_work().await?;
    work.retain(|row| filter.admits(row));
    if json {
        return print_json(&work);
    }
    if work.is_empty() {
        print("nothing to look at\n");
    }
    for row in &work {
        print(&format!("{}\n", line(row)));
    }
    Ok(())
}

fn state(row: &Work) -> &'static str {
    match (row.state, row.looking) {
        (WorkState::Held, _) => "held",
        (WorkState::Failed, _) => "failed",
        (WorkState::Ready, true) => "looking",
        (WorkState::Ready, false) if row.attempts > 0 => "retrying",
        (WorkState::Ready, false) => "ready",
    }
}

fn line(row: &Work) -> String {
    let state = state(row);
    let due = match (row.state, row.due_at) {
        (WorkState::Ready, Some(due)) => format!("  next look {due:.0}"),
        _ => String::new(),
    };
    let why = row
        .reason
        .iter()
        .chain(&row.last_error)
        .map(|text| plain(text).to_string());
    let mut why: Vec<String> = why.collect();
    why.dedup();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("  {}", why.join(": "))
    };
    format!("{state:<8}  {}{due}{why}", row.thing)
}

/// Has things looked at again. One that is named is looked at in whatever state it is, unless only held ones are meant.
async fn release(store: &Store, which: &Which, stuck: &[WorkState]) -> anyhow::Result<()> {
    let filter = Filter {
        program: which.program.clone(),
        ..Filter::default()
    };
    let only_held = stuck == [WorkState::Held];
    let work = store.list_work().await?;
    let things: Vec<&Work> = match &which.thing {
        Some(key) => {
            let thing = key.parse::<Thing>()?.to_string();
            let row = work.iter().find(|row| row.thing == thing);
            let row = row.with_context(|| format!("nothing is known of {thing}; see `convenor queue list`"))?;
            if only_held && row.state != WorkState::Held {
                bail!(
                    "{thing} is not held, it is {}; `convenor queue retry` looks at it now",
                    state(row)
                );
            }
            vec![row]
        }
        None => work
            .iter()
            .filter(|row| stuck.contains(&row.state) && filter.admits(row))
            .collect(),
    };
    let mut released = Vec::new();
    for row in things {
        let thing: Thing = row.thing.parse()?;
        if store.release(&thing, Clock::system().now()).await? {
            released.push(row.thing.as_str());
        }
    }
    if which.json {
        return print_json(&released);
    }
    if released.is_empty() {
        print(if only_held {
            "nothing is held\n"
        } else {
            "nothing failed and nothing is held\n"
        });
    }
    for thing in released {
        print(&format!("will look at {thing}\n"));
    }
    Ok(())
}

async fn drop_thing(store: &Store, key: &str) -> anyhow::Result<()> {
    if !store.drop_work(key).await? {
        bail!("nothing is known of `{key}`; see `convenor queue list`");
    }
    print(&format!("forgot {key}\n"));
    Ok(())
}
