//! Putting the parts together as the settings say. Every command, the demo and the tests begin here.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use convenor_core::plan::wanted::Blueprint;

use crate::apply::Applier;
use crate::clock::Clock;
use crate::gitlab::{Client, ClientSettings, LimitSettings, Transport};
use crate::hooks::{HookSecrets, OwnHooks};
use crate::look::{GitLabLooker, Planner};
use crate::observe::Observer;
use crate::settings::{ProgramSettings, Settings};
use crate::store::Store;
use crate::templates;

/// The connection to GitLab.
///
/// # Errors
/// When no token is configured, or the address cannot be used.
pub fn client(settings: &Settings) -> anyhow::Result<Client> {
    Client::new(&client_settings(settings)?).context(UNUSABLE)
}

/// The connection to GitLab over another transport than HTTP.
///
/// # Errors
/// As [`client`].
pub fn client_over(transport: Arc<dyn Transport>, settings: &Settings) -> anyhow::Result<Client> {
    Client::over(transport, &client_settings(settings)?).context(UNUSABLE)
}

const UNUSABLE: &str = "GitLab cannot be used as the settings say (gitlab.url, gitlab.token)";

fn client_settings(settings: &Settings) -> anyhow::Result<ClientSettings> {
    let Some(token) = settings.gitlab.token.clone() else {
        bail!("no GitLab token is configured; set CONVENOR_GITLAB__TOKEN or gitlab.token_file");
    };
    Ok(ClientSettings {
        timeout: settings.gitlab.timeout,
        limits: LimitSettings {
            share: settings.gitlab.rate_share,
            ..LimitSettings::default()
        },
        redactor: settings.redactor.clone(),
        ..ClientSettings::new(settings.gitlab.url.clone(), token)
    })
}

/// Who says what is due, for all programs.
///
/// # Errors
/// When a program's templates cannot be used.
pub fn planner(settings: &Settings, client: &Client, store: Store, clock: Clock) -> anyhow::Result<Planner> {
    let mut programs = Vec::new();
    for program in &settings.programs {
        let observer = Observer::new(client.reader(), program.program.clone());
        programs.push((observer, blueprint(program)?));
    }
    Ok(Planner::new(programs, store, clock).with_webhooks(OwnHooks::new(settings)))
}

/// What carries out the steps that a command asks for.
#[must_use]
pub fn applier(settings: &Settings, client: &Client, store: Store, clock: Clock) -> Applier {
    Applier::new(client.writer(), store, clock, HookSecrets::new(&settings.webhook))
}

/// Who does it.
#[must_use]
pub fn looker(settings: &Settings, client: &Client, planner: Planner, store: Store, clock: Clock) -> GitLabLooker {
    let applier = Applier::new(client.writer(), store, clock, HookSecrets::new(&settings.webhook));
    GitLabLooker::new(planner, applier, settings.schedule.resync)
        .with_anyway(settings.schedule.look_anyway)
        .with_lifeline(settings.schedule.lifeline)
        .with_budget(settings.worker.writes_per_hour)
}

/// A program's templates, checked.
///
/// # Errors
/// When the folder cannot be read or a template has a fault.
pub fn blueprint(program: &ProgramSettings) -> anyhow::Result<Blueprint> {
    let set = match &program.templates {
        Some(folder) => templates::from_dir(folder)?,
        None => templates::embedded()?,
    };
    let name = &program.program.name;
    Blueprint::new(set).with_context(|| format!("the templates of program {name} have a fault"))
}
