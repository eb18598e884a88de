//! `convenor init`: labels, issue template, webhooks. Safe to repeat.

use std::process::ExitCode;

use convenor_core::plan::init::{self, InitNote, TEMPLATE_PATH};
use convenor_core::proposal;
use convenor_core::thing::Thing;
use url::Url;

use super::{Context, open_store, print};
use crate::apply::{Applier, Errand};
use crate::assemble;
use crate::clock::Clock;
use crate::hooks::HookSecrets;
use crate::observe::Observer;
use crate::settings::Settings;

/// Where GitLab delivers to, below the public address.
const INTAKE_PATH: &str = "webhooks/gitlab";

/// Arguments of `convenor init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, do nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace an issue template that a person wrote, by a merge request
    #[arg(long)]
    replace_template: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let client = assemble::client(&settings)?;
    let mut applier = None;
    if !args.dry_run {
        let (store, secrets) = (open_store(&settings).await?, HookSecrets::new(&settings.webhook));
        applier = Some(Applier::new(client.writer(), store, Clock::system(), secrets));
    }
    for program in &settings.programs {
        let observer = Observer::new(client.reader(), program.program.clone());
        set_up(
            &observer,
            &settings,
            applier.as_ref(),
            args.replace_template,
            &mut |line| print(line),
        )
        .await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets one program up, or only says what that would do when there is nobody to do it.
///
/// # Errors
/// When GitLab does not answer as it should or refuses a step.
pub async fn set_up(
    observer: &Observer,
    settings: &Settings,
    applier: Option<&Applier>,
    replace_template: bool,
    say: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<()> {
    let name = &observer.program().name;
    let seen = observer.setup(address(&settings.server.public_url)).await?;
    let plan = init::plan(&seen, replace_template);
    say(&format!("program {name}\n"));
    for step in &plan.steps {
        if let Some(applier) = applier {
            let applied = applier
                .apply(
                    Errand {
                        thing: &Thing::Program(name.clone()),
                        cause: "convenor init",
                        lease: None,
                    },
                    std::slice::from_ref(step),
                )
                .await;
            if let Some(error) = applied.failed {
                return Err(error.into());
            }
            say(&format!("  done: {step}\n"));
        } else {
            say(&format!("  would {step}\n"));
        }
    }
    if plan.steps.is_empty() {
        say("  everything is set up already\n");
    }
    for note in &plan.notes {
        say(&format!("  note: {}\n", in_words(*note)));
    }
    if plan.notes.contains(&InitNote::TemplateIsAPersons)
        && let Some(file) = &seen.template
    {
        say(&template_difference(&file.bytes));
    }
    Ok(())
}

/// Where deliveries should go. GitLab refuses addresses of one's own machine unless its administrator allows them, so such
/// an address is only used when GitLab itself is on this machine.
pub(super) fn address(public_url: &str) -> Option<Url> {
    let base = if public_url.ends_with('/') {
        public_url.to_owned()
    } else {
        format!("{public_url}/")
    };
    Url::parse(&base).ok()?.join(INTAKE_PATH).ok()
}

fn in_words(note: InitNote) -> String {
    match note {
        InitNote::TemplateIsAPersons => format!(
            "{TEMPLATE_PATH} differs from Convenor's and stays; run `convenor init --replace-template` for a merge request \
             that replaces it"
        ),
        InitNote::ReplacementIsProposed => "a merge request that replaces the issue template waits for a merge".to_owned(),
        InitNote::NoHooks(project) => format!(
            "the webhooks of project {project} cannot be managed with this token; give the bot the Maintainer role there, or \
             add the webhook by hand. Until then changes are found by the scheduled resync"
        ),
        InitNote::NoAddress => {
            "server.public_url is no address that GitLab could reach; set it and run `convenor init` again for the webhooks"
                .to_owned()
        }
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
