//! `convenor deliveries`: what came in.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;

use super::since::{self, Since};
use super::{Context, plain, print, print_json};
use crate::clock::Clock;
use crate::store::{DeliveryFilter, Store, StoredDelivery};

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
        #[command(flatten)]
        filter: Filter,
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
    /// Look again at the things that deliveries were about
    Replay {
        /// Their keys, as `list` shows them
        #[arg(required_unless_present = "since")]
        keys: Vec<String>,
        /// Those of all deliveries that match, instead of naming keys
        #[command(flatten)]
        filter: Filter,
        /// As JSON: the things that will be looked at
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Debug, Default, clap::Args)]
struct Filter {
    /// From this time on: how long ago (`2h`, `7d`), a day or a time
    #[arg(long, value_name = "WHEN", value_parser = since::parse)]
    since: Option<Since>,
    /// Whose `X-Gitlab-Event` contains this, for example `issue`
    #[arg(long, value_name = "TEXT")]
    event: Option<String>,
    /// Which were about this thing, for example "proposal cop#12"
    #[arg(long, value_name = "THING")]
    thing: Option<String>,
    /// Which led to no look, or to a look at everything
    #[arg(long)]
    unclear: bool,
}

impl Filter {
    fn read(&self) -> anyhow::Result<DeliveryFilter> {
        let thing = self.thing.as_deref().map(str::parse::<Thing>).transpose()?;
        Ok(DeliveryFilter {
            since: self.since.map(|since| since.before(Clock::system().now())),
            event: self.event.clone(),
            thing: thing.map(|thing| thing.to_string()),
            unclear: self.unclear,
        })
    }
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let action = args.action.unwrap_or(Action::List {
        filter: Filter::default(),
        limit: 20,
        json: false,
    });
    let store = context.store().await?;
    let done = act(action, &store).await;
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(action: Action, store: &Store) -> anyhow::Result<()> {
    match action {
        Action::List { filter, limit, json } => list(store, &filter.read()?, limit, json).await,
        Action::Show { key, json } => show(store, &key, json).await,
        Action::Replay { keys, filter, json } => replay(store, &keys, &filter.read()?, json).await,
    }
}

async fn list(store: &Store, filter: &DeliveryFilter, limit: u32, json: bool) -> anyhow::Result<()> {
    let deliveries = store.find_deliveries(filter, limit).await?;
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
    let what = plain(subject.as_deref().or(event.as_deref()).unwrap_or("-"));
    let reason = reason
        .as_deref()
        .map(|reason| format!("  ({reason})"))
        .unwrap_or_default();
    format!("{received_at:.0}  {}  {what}{reason}", plain(key))
}

async fn show(store: &Store, key: &str, json: bool) -> anyhow::Result<()> {
    let (delivery, body) = find(store, key).await?;
    let text = String::from_utf8_lossy(&body);
    let is_kept = !body.is_empty() || delivery.body_bytes == 0;
    if json {
        let body = is_kept.then_some(text);
        return print_json(&serde_json::json!({ "delivery": delivery, "body": body }));
    }
    print(&format!("{}\n", line(&delivery)));
    print(&format!(
        "instance  {}\n",
        plain(delivery.instance.as_deref().unwrap_or("-"))
    ));
    for thing in &delivery.things {
        print(&format!("knocked at  {thing}\n"));
    }
    let kept = if body.len() as i64 == delivery.body_bytes {
        ""
    } else if is_kept {
        ", of which the beginning is kept"
    } else {
        ", not kept (database.keep_bodies)"
    };
    print(&format!("body  {} bytes{kept}\n", delivery.body_bytes));
    if !is_kept {
        return Ok(());
    }
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

async fn replay(store: &Store, keys: &[String], filter: &DeliveryFilter, json: bool) -> anyhow::Result<()> {
    let mut deliveries = Vec::new();
    for key in keys {
        deliveries.push(find(store, key).await?.0);
    }
    if keys.is_empty() {
        deliveries = store.find_deliveries(filter, u32::MAX).await?;
    }
    let mut things: Vec<Thing> = Vec::new();
    for delivery in &deliveries {
        let about: Vec<Thing> = delivery.things.iter().filter_map(|thing| thing.parse().ok()).collect();
        let cause = format!("replay of delivery {}", delivery.key);
        store.knock(&about, &cause, Clock::system().now()).await?;
        things.extend(about);
    }
    things.sort();
    things.dedup();
    match (things.is_empty(), &deliveries[..]) {
        (true, [one]) => bail!(
            "delivery {} was about nothing that is looked at; there is nothing to replay",
            one.key
        ),
        (true, _) if !json => print("these deliveries were about nothing that is looked at\n"),
        _ => {}
    }
    if json {
        return print_json(&things.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    for thing in things {
        print(&format!("will look at {thing}\n"));
    }
    Ok(())
}

async fn find(store: &Store, key: &str) -> anyhow::Result<(StoredDelivery, Vec<u8>)> {
    let found = store.delivery(key).await?;
    found.with_context(|| format!("no delivery has the key `{key}`; see `convenor deliveries list`"))
}
