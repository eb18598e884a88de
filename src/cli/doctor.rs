//! `convenor doctor`: what is wrong with the installation, and what would mend it.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use convenor_core::doctor::{self, Check, Level, TokenSeen};
use convenor_core::ids::AccessLevel;
use convenor_core::plan::wanted::Blueprint;
use convenor_core::program::Program;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, init, open_store, print, print_json};
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Reader;
use crate::observe::{ObserveError, Observer};
use crate::settings::Settings;

/// Arguments of `convenor doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs all checks. Exits 1 when one ended with an error.
pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let mut checks = of_installation(&settings).await;
    match assemble::client(&settings) {
        Err(error) => checks.push(Check::error(
            "gitlab",
            format!("{error:#}"),
            "mend `[gitlab]` in the settings",
        )),
        Ok(client) => of_gitlab(&settings, &client.reader(), &mut checks).await,
    }
    if args.json {
        print_json(&checks)?;
    } else {
        checks.iter().for_each(|check| print(&in_words(check)));
    }
    let broken = checks.iter().any(|check| check.level == Level::Error);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn of_installation(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![doctor::secrets(
        &lengths(&settings.webhook.secret_tokens),
        settings.webhook.signing_tokens.len(),
    )];
    checks.push(match open_store(settings).await {
        Ok(store) => {
            store.close().await;
            Check::fine("database", "can be written and is whole")
        }
        Err(error) => Check::error(
            "database",
            error.to_string(),
            "mend `database.url`, its folder's rights, or the disk",
        ),
    });
    for program in &settings.programs {
        checks.push(match assemble::blueprint(program) {
            Ok(_) => Check::fine("templates", "can be read").of(&program.program),
            Err(error) => Check::error("templates", format!("{error:#}"), "mend the template set").of(&program.program),
        });
    }
    if settings.programs.is_empty() {
        checks.push(Check::error(
            "programs",
            "no [[program]] is configured",
            "add one to the settings",
        ));
    }
    checks
}

async fn of_gitlab(settings: &Settings, reader: &Reader, checks: &mut Vec<Check>) {
    match reader.current_user().await {
        Ok(user) => checks.push(Check::fine(
            "gitlab",
            format!("the token is that of {}", user.username.as_str()),
        )),
        Err(error) => {
            checks.push(Check::error(
                "gitlab",
                error.to_string(),
                "check gitlab.url, the network and the token",
            ));
            return;
        }
    }
    let now = Clock::system().now();
    let token = reader.token_self().await.ok().flatten();
    let token = token.map(|token| TokenSeen {
        scopes: token.scopes,
        expires_at: token.expires_at,
    });
    checks.extend(doctor::token(token.as_ref(), now.to_zoned(TimeZone::UTC).date()));
    if let Ok(version) = reader.version().await {
        checks.push(Check::fine("gitlab.version", version.version));
        checks.push(doctor::clock(version.server_date, now));
    }
    for program in &settings.programs {
        let observer = Observer::new(reader.clone(), program.program.clone());
        // What is wrong with the templates was said above.
        let blueprint = assemble::blueprint(program).ok();
        match of_program(&observer, blueprint.as_ref(), settings).await {
            Ok(found) => checks.extend(found.into_iter().map(|check| check.of(&program.program))),
            Err(error) => checks.push(unreachable_program(&error, &program.program)),
        }
    }
}

fn lengths(secrets: &[SecretString]) -> Vec<usize> {
    secrets.iter().map(|secret| secret.expose_secret().len()).collect()
}

fn unreachable_program(error: &ObserveError, program: &Program) -> Check {
    Check::error(
        "program",
        error.to_string(),
        "mend the paths in the settings or the bot's membership",
    )
    .of(program)
}

async fn of_program(
    observer: &Observer,
    blueprint: Option<&Blueprint>,
    settings: &Settings,
) -> Result<Vec<Check>, ObserveError> {
    let setup = observer.setup(init::address(&settings.server.public_url)).await?;
    let places = observer.places().await?;
    let intake = observer.role_in_project(places.intake.id).await?;
    let mut checks = vec![
        doctor::role(observer.role_in_group().await?),
        doctor::project_role("role.intake", intake, AccessLevel::REPORTER),
    ];
    let mut known = Vec::new();
    for handbook in &places.handbooks {
        if known.contains(&handbook.id) {
            continue;
        }
        known.push(handbook.id);
        let role = observer.role_in_project(handbook.id).await?;
        checks.push(doctor::project_role("role.handbook", role, AccessLevel::DEVELOPER));
    }
    checks.extend(doctor::hooks(&setup));
    checks.push(doctor::labels(&setup.labels));
    if places.handbooks.is_empty() {
        checks.push(Check::fine("page", "the program has no handbook page"));
    }
    if let Some(blueprint) = blueprint {
        for (handbook, page) in observer.pages().await? {
            checks.extend(doctor::page(handbook, blueprint, &page));
        }
    }
    Ok(checks)
}

fn in_words(check: &Check) -> String {
    let style = Style::new().fg_color(Some(
        match check.level {
            Level::Ok => AnsiColor::Green,
            Level::Warning => AnsiColor::Yellow,
            Level::Error => AnsiColor::Red,
        }
        .into(),
    ));
    let about = if check.program.is_empty() {
        String::new()
    } else {
        format!(" ({})", check.program)
    };
    let mut text = format!(
        "{style}{:<7}{style:#} {}{about}: {}\n",
        check.level, check.name, check.evidence
    );
    if !check.mend.is_empty() {
        text.push_str(&format!("        mend: {}\n", check.mend));
    }
    text
}
