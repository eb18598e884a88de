//! `convenor init`: labels, issue template, webhooks. Safe to repeat; `--remove` takes back what it made.

mod remove;
mod secrets;
mod system_hook;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::ids::AccessLevel;
use convenor_core::plan::init::{self, InitNote, InitSeen, TEMPLATE_PATH, Wishes};
use convenor_core::plan::step::{FileChange, HookScope};
use convenor_core::proposal;
use convenor_core::thing::Thing;

use super::{Context, open_store, print};
use crate::apply::{Applier, Errand};
use crate::assemble;
use crate::clock::Clock;
use crate::hooks::OwnHooks;
use crate::observe::Observer;

/// What the journal names as the cause.
const CAUSE: &str = "convenor init";

/// Arguments of `convenor init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
    /// Only this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Replace an issue template that a person wrote, by a merge request
    #[arg(long)]
    replace_template: bool,
    /// Give every webhook of ours the secret of the settings anew, after the secret was changed
    #[arg(long)]
    renew_hooks: bool,
    /// Make a secret token for the webhooks and keep it in this file; one that is there stays
    #[arg(long, value_name = "FILE")]
    new_secret: Option<PathBuf>,
    /// Make a signing token for the webhooks (GitLab 19.0 and later) and keep it in this file; one that is there stays
    #[arg(long, value_name = "FILE")]
    new_signing_token: Option<PathBuf>,
    /// Write what an administrator needs to add one system hook into this file, and say how; adds nothing itself
    #[arg(long, value_name = "FILE")]
    system_hook: Option<PathBuf>,
    /// Take back what init made: webhooks, the issue template, labels that nobody uses
    #[arg(long, conflicts_with_all = ["replace_template", "renew_hooks", "new_secret", "new_signing_token", "system_hook"])]
    remove: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let made = secrets::make(&args)?;
    let mut settings = context.settings()?;
    let has_new_secret = secrets::add(made, &mut settings.webhook, &mut |line| print(line));
    settings.redactor.learn(&settings.secrets());
    if let Some(file) = &args.system_hook {
        system_hook::write(file, &settings, args.dry_run)?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = assemble::client(&settings)?;
    let clock = Clock::system();
    let mut store = None;
    let mut applier = None;
    if !args.dry_run {
        let opened = open_store(&settings).await?;
        applier = Some(assemble::applier(&settings, &client, opened.clone(), clock));
        store = Some(opened);
    } else if let Ok(opened) = crate::store::Store::open_existing(&settings.database.url).await {
        // What was made is remembered there; a dry run makes no database to look.
        store = Some(opened);
    }
    let wishes = Wishes {
        replace_template: args.replace_template,
        // Those that are there have the old one, or none.
        renew_hooks: args.renew_hooks || has_new_secret,
    };
    let chosen = |name: &str| args.program.as_deref().is_none_or(|wanted| wanted == name);
    let programs: Vec<_> = settings
        .programs
        .iter()
        .filter(|program| chosen(program.program.name.as_str()))
        .collect();
    match (&args.program, programs.is_empty()) {
        (Some(name), true) => bail!("the settings have no program {name:?}"),
        (None, true) => bail!("no [[program]] is configured; add one to the settings"),
        _ => {}
    }
    for program in programs {
        let name = &program.program.name;
        let observer = Observer::new(client.reader(), program.program.clone());
        let made = match &store {
            Some(store) => store.made_setup(name).await?,
            None => Vec::new(),
        };
        let own = OwnHooks::new(&settings).with_made(&made);
        let done = if args.remove {
            remove::tear_down(&observer, &own, &made, applier.as_ref()).await
        } else {
            set_up(&observer, &own, applier.as_ref(), wishes, &mut |line| print(line)).await
        };
        done.with_context(|| format!("program {name} ({}, {})", program.program.group, program.program.intake))?;
    }
    if let Some(store) = store {
        store.close().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets one program up, or only says what that would do when there is nobody to do it.
///
/// # Errors
/// When GitLab does not answer as it should or refuses a step, or the bot may not do what is due.
pub async fn set_up(
    observer: &Observer,
    own: &OwnHooks,
    applier: Option<&Applier>,
    wishes: Wishes,
    say: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<()> {
    let name = &observer.program().name;
    let seen = observer.setup(own).await?;
    let plan = init::plan(&seen, wishes);
    say(&format!("program {name}\n"));
    may(observer, &seen, &plan.steps, applier.is_none(), say).await?;
    for step in &plan.steps {
        let step_in_words = named(step, &seen);
        if let Some(applier) = applier {
            let applied = applier
                .apply(
                    Errand::of_command(&Thing::Program(name.clone()), CAUSE),
                    std::slice::from_ref(step),
                )
                .await;
            if let Some(error) = applied.failed {
                return Err(anyhow::Error::from(error).context(format!("could not {step_in_words}")));
            }
            say(&format!("  done: {step_in_words}\n"));
        } else {
            say(&format!("  would {step_in_words}\n"));
        }
    }
    if plan.steps.is_empty() {
        say("  everything is set up already\n");
    }
    for note in &plan.notes {
        say(&format!("  note: {}\n", in_words(*note, &seen)));
    }
    if plan.notes.contains(&InitNote::TemplateIsAPersons)
        && let Some(file) = &seen.template
    {
        say(&template_difference(&file.bytes));
    }
    Ok(())
}

/// The bot's role in the intake project has to suffice before anything is begun: half a setup helps nobody.
async fn may(
    observer: &Observer,
    seen: &InitSeen,
    steps: &[convenor_core::plan::Step],
    dry_run: bool,
    say: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<()> {
    use convenor_core::plan::Step;
    let needs = |step: &Step| match step {
        Step::Commit { branch, .. } if *branch == seen.branch => AccessLevel::MAINTAINER,
        Step::Commit { .. } | Step::CreateMergeRequest { .. } => AccessLevel::DEVELOPER,
        Step::CreateLabel { .. } => AccessLevel::REPORTER,
        _ => AccessLevel(0),
    };
    let Some(needed) = steps.iter().map(needs).max().filter(|needed| needed.0 > 0) else {
        return Ok(());
    };
    let role = observer.role_in_project(seen.intake).await?;
    if role.is_some_and(|role| role >= needed) {
        return Ok(());
    }
    let is = role.map_or("no member".to_owned(), |role| role.to_string());
    let what = format!(
        "the bot is {is} of {}, and what is due there needs {needed}; nothing was begun",
        observer.program().intake
    );
    if dry_run {
        say(&format!("  note: {what}\n"));
        return Ok(());
    }
    bail!("{what}")
}

/// The step with the paths of what it is about.
fn named(step: &convenor_core::plan::Step, seen: &InitSeen) -> String {
    let mut text = step.to_string();
    if let convenor_core::plan::Step::Commit { files, .. } = step {
        let files: Vec<&str> = files
            .iter()
            .map(|file| match file {
                FileChange::Create { path, .. } | FileChange::Update { path, .. } | FileChange::Delete { path, .. } => {
                    path.as_str()
                }
            })
            .collect();
        text.push_str(&format!(": {}", files.join(", ")));
    }
    for (scope, path) in &seen.paths {
        text = text.replace(&format!(" {scope} "), &format!(" {scope} ({path}) "));
        if text.ends_with(&format!(" {scope}")) {
            text.push_str(&format!(" ({path})"));
        }
    }
    text
}

fn in_words(note: InitNote, seen: &InitSeen) -> String {
    match note {
        InitNote::TemplateIsAPersons => format!(
            "{TEMPLATE_PATH} differs from Convenor's and stays; run `convenor init --replace-template` for a merge request \
             that replaces it"
        ),
        InitNote::ReplacementIsProposed => "a merge request that replaces the issue template waits for a merge".to_owned(),
        InitNote::NoHooks(project) => {
            let path = seen.paths.get(&HookScope::Project(project)).cloned();
            format!(
                "the webhooks of {} cannot be managed with this token; give the bot the Maintainer role there, or add the \
                 webhook by hand. Until then changes are found by the scheduled resync",
                path.unwrap_or_else(|| format!("project {project}"))
            )
        }
        InitNote::NoAddress => {
            "server.public_url is no address that GitLab could reach; set it and run `convenor init` again for the webhooks"
                .to_owned()
        }
        InitNote::NoSecret => "no webhook secret is configured, so no webhook was made: its deliveries would not be believed. \
                               `convenor init --new-secret FILE` makes one"
            .to_owned(),
    }
}

fn template_difference(theirs: &[u8]) -> String {
    let theirs = String::from_utf8_lossy(theirs);
    let diff = similar::TextDiff::from_lines(theirs.as_ref(), proposal::template());
    let mut text = String::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            similar::ChangeTag::Delete => "-",
            similar::ChangeTag::Insert => "+",
            similar::ChangeTag::Equal => " ",
        };
        let line = convenor_core::escape::TerminalText::line(&convenor_core::untrusted::Untrusted::new(
            change.value().trim_end_matches(['\r', '\n']),
        ));
        text.push_str(&format!("    {sign}{line}\n"));
    }
    text
}
