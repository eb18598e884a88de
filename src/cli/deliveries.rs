//! `convenor deliveries`: what came in.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;

use super::{Context, print, print_json};
use crate::clock::Clock;
use crate::store::{Store, StoredDelivery};

/// Arguments of `convenor deliveries`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The newest deliveries (this is the default)
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// One delivery with what is kept of its body
    Show {
        /// Its key, as `list` shows it
        key: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look again at the things that a delivery was about
    Replay {
        /// Its key, as `list` shows it
        key: String,
    },
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.store().await?;
    let done = act(args.action.unwrap_or(Action::List { limit: 20, json: false }), &store).await;
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(action: Action, store: &Store) -> anyhow::Result<()> {
    match action {
        Action::List { limit, json } => list(store, limit, json).await,
        Action::Show { key, json } => show(store, &key, json).await,
        Action::Replay { key } => replay(store, &key).await,
    }
}

async fn list(store: &Store, limit: u32, json: bool) -> anyhow::Result<()> {
    let deliveries = store.list_deliveries(limit).await?;
    if json {
        return print_json(&deliveries);
    }
    if deliveries.is_empty() {
        print("no deliveries\n");
    }
    for delivery in &deliveries {
        print(&format!("{}\n", line(delivery)));
    }
    Ok(())
}

fn line(delivery: &StoredDelivery) -> String {
    let StoredDelivery {
        key,
        received_at,
        event,
        subject,
        reason,
        ..
    } = delivery;
    let what = subject.as_deref().or(event.as_deref()).unwrap_or("-").escape_debug();
    let reason = reason
        .as_deref()
        .map(|reason| format!("  ({reason})"))
        .unwrap_or_default();
    format!("{received_at:.0}  {key}  {what}{reason}")
}

async fn show(store: &Store, key: &str, json: bool) -> anyhow::Result<()> {
    let (delivery, body) = find(store, key).await?;
    let text = String::from_utf8_lossy(&body);
    if json {
        return print_json(&serde_json::json!({ "delivery": delivery, "body": text }));
    }
    print(&format!("{}\n", line(&delivery)));
    print(&format!(
        "instance  {}\n",
        delivery.instance.as_deref().unwrap_or("-").escape_debug()
    ));
    for thing in &delivery.things {
        print(&format!("knocked at  {thing}\n"));
    }
    let kept = if body.len() as i64 == delivery.body_bytes {
        ""
    } else {
        ", of which the beginning is kept"
    };
    print(&format!("body  {} bytes{kept}\n", delivery.body_bytes));
    // What a terminal would act on is shown, not sent: bodies are people's text.
    let shown: String = text
        .chars()
        .map(|c| {
            if c.is_control() && !matches!(c, '\n' | '\t') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    print(&format!("{shown}\n"));
    Ok(())
}

async fn replay(store: &Store, key: &str) -> anyhow::Result<()> {
    let (delivery, _) = find(store, key).await?;
    let things: Vec<Thing> = delivery.things.iter().filter_map(|thing| thing.parse().ok()).collect();
    if things.is_empty() {
        bail!("delivery {key} was about nothing that is looked at; there is nothing to replay");
    }
    let cause = format!("replay of delivery {}", delivery.key);
    store.knock(&things, &cause, Clock::system().now()).await?;
    for thing in things {
        print(&format!("will look at {thing}\n"));
    }
    Ok(())
}

async fn find(store: &Store, key: &str) -> anyhow::Result<(StoredDelivery, Vec<u8>)> {
    let found = store.delivery(key).await?;
    found.with_context(|| format!("no delivery has the key `{key}`; see `convenor deliveries list`"))
}
