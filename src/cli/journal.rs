//! `convenor journal`: what was written to GitLab, when, why, and what came of it.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::ids::ProjectId;
use convenor_core::thing::Thing;

use super::since::{self, Since};
use super::{Context, plain, print, print_json};
use crate::assemble;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::store::{JournalEntry, JournalFilter, StepState, Store};

/// Arguments of `convenor journal`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this community: its project's id, its path, or its full path; what its proposal wrote is shown too
    #[arg(long, value_name = "X", conflicts_with = "thing")]
    community: Option<String>,
    /// Only this thing, as `convenor queue list` shows it, for example "proposal cop#12"
    #[arg(long, value_name = "THING")]
    thing: Option<String>,
    /// Only this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Only from this time on: how long ago (`2h`, `7d`), a day or a time
    #[arg(long, value_name = "WHEN", value_parser = since::parse)]
    since: Option<Since>,
    /// Only steps of this kind, for example `create_merge_request`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only steps in this state
    #[arg(long, value_parser = ["pending", "done", "failed", "unknown"])]
    state: Option<String>,
    /// Only steps whose cause contains this, for example a delivery's key
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    /// How many, the newest first
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let store = Store::open_existing(&settings.database.url).await?;
    let shown = show(&args, &settings, &store).await;
    store.close().await;
    shown.map(|()| ExitCode::SUCCESS)
}

async fn show(args: &Args, settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let things = match (&args.community, &args.thing) {
        (Some(community), _) => of_community(community, settings, store).await?,
        (None, Some(thing)) => vec![thing.parse::<Thing>()?.to_string()],
        (None, None) => Vec::new(),
    };
    let now = Clock::system().now();
    let filter = JournalFilter {
        since: args.since.map(|since| since.before(now)),
        things,
        program: args.program.clone(),
        kind: args.kind.clone(),
        state: args.state.clone(),
        cause: args.cause.clone(),
    };
    let entries = store.find_journal(&filter, args.limit).await?;
    if args.json {
        return print_json(&entries);
    }
    if entries.is_empty() {
        print("nothing was written\n");
    }
    for entry in &entries {
        print(&in_words(entry));
    }
    Ok(())
}

/// Keys of the community and of the proposals that its project was made for.
async fn of_community(text: &str, settings: &Settings, store: &Store) -> anyhow::Result<Vec<String>> {
    let project = match text.parse() {
        Ok(id) => ProjectId(id),
        Err(_) => project_at(text, settings).await?,
    };
    let programs = settings.programs.iter().map(|program| program.program.name.clone());
    let mut things: Vec<String> = programs
        .map(|name| Thing::Community(name, project).to_string())
        .collect();
    things.extend(store.proposals_of(project).await?);
    if things.is_empty() {
        bail!("the settings have no [[program]], so there is no community");
    }
    Ok(things)
}

/// The project at a full path, or at a path inside one of the programs' groups.
async fn project_at(path: &str, settings: &Settings) -> anyhow::Result<ProjectId> {
    let reader = assemble::client(settings)?.reader();
    let groups = settings.programs.iter().map(|program| &program.program.group);
    let inside = groups.map(|group| format!("{group}/{path}"));
    let mut paths: Vec<String> = inside.collect();
    if path.contains('/') {
        paths.insert(0, path.to_owned());
    }
    for path in &paths {
        let found = reader.project(path).await;
        if let Some(project) =
            found.with_context(|| format!("GitLab cannot be asked for {path}; name the project's id"))?
        {
            return Ok(project.id);
        }
    }
    bail!("GitLab shows no project {path:?}; give its full path, or its id if it is gone")
}

fn in_words(entry: &JournalEntry) -> String {
    let JournalEntry {
        thing,
        cause,
        step,
        state,
        result,
        at,
        ..
    } = entry;
    let answer = match (state, result.as_deref().filter(|result| !result.is_empty())) {
        (StepState::Done, Some(result)) => format!(" \u{2192} {}", plain(result)),
        (StepState::Done, None) => String::new(),
        (_, Some(result)) => format!(": {}", plain(result)),
        (StepState::Pending, None) => ": begun, and no end was written down".to_owned(),
        (_, None) => String::new(),
    };
    format!(
        "{at:.0}  {:<7}  {thing}: {}{answer}\n{:>31}because of {}\n",
        state.as_str(),
        plain(step),
        "",
        plain(cause)
    )
}
