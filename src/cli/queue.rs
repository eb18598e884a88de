//! `convenor queue`: what is pending, failed or held.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;

use super::{Context, print, print_json};
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
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at a thing again now, or at all that failed or are held
    Retry {
        /// Its key, as `list` shows it, for example "proposal cop#12"
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        thing: Option<String>,
        /// All that failed or are held
        #[arg(long)]
        all: bool,
    },
    /// Forget a thing until somebody knocks again
    Drop {
        /// Its key, as `list` shows it
        thing: String,
    },
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.store().await?;
    let done = act(args.action.unwrap_or(Action::List { json: false }), &store).await;
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(action: Action, store: &Store) -> anyhow::Result<()> {
    match action {
        Action::List { json } => list(store, json).await,
        Action::Retry { thing: Some(thing), .. } => retry(store, &thing).await,
        Action::Retry { thing: None, .. } => retry_all(store).await,
        Action::Drop { thing } => drop_thing(store, &thing).await,
    }
}

async fn list(store: &Store, json: bool) -> anyhow::Result<()> {
    let work = store.list_work().await?;
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

fn line(row: &Work) -> String {
    let state = match (row.state, row.looking) {
        (WorkState::Held, _) => "held",
        (WorkState::Failed, _) => "failed",
        (WorkState::Ready, true) => "looking",
        (WorkState::Ready, false) if row.attempts > 0 => "retrying",
        (WorkState::Ready, false) => "ready",
    };
    let due = match (row.state, row.due_at) {
        (WorkState::Ready, Some(due)) => format!("  next look {due:.0}"),
        _ => String::new(),
    };
    let why = row
        .reason
        .iter()
        .chain(&row.last_error)
        .map(|text| text.escape_debug().to_string());
    let mut why: Vec<String> = why.collect();
    why.dedup();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("  {}", why.join(": "))
    };
    format!("{state:<8}  {}{due}{why}", row.thing)
}

async fn retry(store: &Store, key: &str) -> anyhow::Result<()> {
    let thing: Thing = key.parse()?;
    if !store.release(&thing, Clock::system().now()).await? {
        bail!("nothing is known of {thing}; see `convenor queue list`");
    }
    print(&format!("will look at {thing}\n"));
    Ok(())
}

async fn retry_all(store: &Store) -> anyhow::Result<()> {
    let work = store.list_work().await?;
    let stuck: Vec<_> = work.iter().filter(|row| row.state != WorkState::Ready).collect();
    if stuck.is_empty() {
        print("nothing failed and nothing is held\n");
    }
    for row in stuck {
        retry(store, &row.thing)
            .await
            .with_context(|| format!("{} could not be released", row.thing))?;
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
