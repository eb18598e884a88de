//! `convenor doctor`: what is wrong with the installation, and what would mend it.
//!
//! It only looks. `--deliver` is the exception: GitLab then sends one test delivery, which is looked for in the database.

mod delivery;
mod program;

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use convenor_core::doctor::{self, Check, Level, RateSeen, TokenSeen};
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, print, print_json, render};
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Client;
use crate::settings::{DatabaseUrl, Settings};
use crate::store::{Store, StoreError};

/// Arguments of `convenor doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Have GitLab send one test delivery, and see whether it arrives; `convenor serve` has to run
    #[arg(long)]
    deliver: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs all checks. Exits 1 when one ended with an error.
pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let mut checks = Vec::new();
    match context.settings() {
        Err(faults) => checks.extend(
            faults
                .0
                .into_iter()
                .map(|fault| Check::error("settings", format!("{}: {}", fault.key, fault.problem), fault.mend)),
        ),
        Ok(settings) => {
            checks.push(Check::fine("settings", "are understood"));
            of_installation(&settings, args.deliver, &mut checks).await;
        }
    }
    if args.json {
        print_json(&checks)?;
    } else {
        checks.iter().for_each(|check| print(&in_words(check)));
        print(&summary(&checks));
    }
    let broken = checks.iter().any(|check| check.level == Level::Error);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn of_installation(settings: &Settings, deliver: bool, checks: &mut Vec<Check>) {
    checks.push(doctor::secrets(
        &lengths(&settings.webhook.secret_tokens),
        settings.webhook.signing_tokens.len(),
    ));
    let gitlab_is_here = matches!(
        settings.gitlab.url.host_str(),
        Some("localhost" | "127.0.0.1" | "[::1]")
    );
    checks.push(doctor::public_url(&settings.server.public_url, gitlab_is_here));
    let store = of_database(settings, checks).await;
    for program in &settings.programs {
        checks.push(match assemble::blueprint(program) {
            Ok(_) => Check::fine("templates", "can be read").of(&program.program),
            Err(error) => Check::error("templates", format!("{error:#}"), "mend the template set").of(&program.program),
        });
        checks.push(match render::try_templates(settings, program) {
            Ok(files) => Check::fine("templates.render", format!("give {files} files")).of(&program.program),
            Err(error) => {
                let mend = "mend the template; `convenor render` shows what it gives";
                Check::error("templates.render", format!("{error:#}"), mend).of(&program.program)
            }
        });
    }
    if settings.programs.is_empty() {
        checks.push(Check::error(
            "programs",
            "no [[program]] is configured",
            "add one to the settings",
        ));
    }
    match assemble::client(settings) {
        Err(error) => checks.push(Check::error(
            "gitlab",
            format!("{error:#}"),
            "mend `[gitlab]` in the settings",
        )),
        Ok(client) => of_gitlab(settings, &client, store.as_ref(), deliver, checks).await,
    }
    if let Some(store) = store {
        store.close().await;
    }
}

/// Opens the database when there is one: looking must not make it.
async fn of_database(settings: &Settings, checks: &mut Vec<Check>) -> Option<Store> {
    let store = match Store::open_existing(&settings.database.url).await {
        Ok(store) => store,
        Err(StoreError::Missing(path)) => {
            let mend =
                "nothing before the first start; else check `database.url` and the folder that the command runs in";
            checks.push(Check::warning("database", format!("there is no {path} yet"), mend));
            return None;
        }
        Err(error) => {
            let mend = "mend `database.url`, its folder's rights, or the disk";
            checks.push(Check::error("database", error.to_string(), mend));
            return None;
        }
    };
    let kind = match &settings.database.url {
        DatabaseUrl::Sqlite(path) => format!("{} is whole", path.display()),
        DatabaseUrl::Postgres(_) => "PostgreSQL answers".to_owned(),
    };
    checks.push(match store.try_write().await {
        Ok(()) => Check::fine("database", format!("{kind} and can be written")),
        Err(error) => Check::error(
            "database",
            error.to_string(),
            "mend its rights, or make room on its disk",
        ),
    });
    match store.durability().await {
        Ok(durability) => checks.push(doctor::durable(&durability)),
        Err(error) => checks.push(Check::error(
            "database.durable",
            error.to_string(),
            "see whether the database answers",
        )),
    }
    match store.queue_depth(Clock::system().now()).await {
        Ok(depth) => checks.push(doctor::queue(depth.held, depth.failed)),
        Err(error) => checks.push(Check::error(
            "queue",
            error.to_string(),
            "see whether the database answers",
        )),
    }
    Some(store)
}

async fn of_gitlab(
    settings: &Settings,
    client: &Client,
    store: Option<&Store>,
    deliver: bool,
    checks: &mut Vec<Check>,
) {
    let reader = client.reader();
    let url = &settings.gitlab.url;
    match reader.current_user().await {
        Ok(user) => {
            let found = format!("{url} knows the token as that of {}", user.username.as_str());
            checks.push(Check::fine("gitlab", found));
            checks.extend(doctor::account(user.is_admin));
        }
        Err(error) => {
            let mend = "check gitlab.url, the network and the token";
            checks.push(Check::error("gitlab", format!("{url}: {error}"), mend));
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
    match reader.version().await {
        Ok(version) => {
            checks.push(doctor::version(&version.version));
            checks.push(doctor::clock(version.server_date, Clock::system().now()));
        }
        Err(error) => {
            let mend = "make sure by hand that it is 17.4 or later, and that the clocks agree";
            checks.push(Check::warning("gitlab.version", error.to_string(), mend));
        }
    }
    for program in &settings.programs {
        program::check(settings, program, client, store, deliver, checks).await;
    }
    let rate = client
        .rate_limit()
        .map(|(limit, remaining)| RateSeen { limit, remaining });
    checks.push(doctor::rate(rate));
}

fn lengths(secrets: &[SecretString]) -> Vec<usize> {
    secrets.iter().map(|secret| secret.expose_secret().len()).collect()
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

fn summary(checks: &[Check]) -> String {
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    format!(
        "{} checks: {} ok, {} to watch, {} to mend\n",
        checks.len(),
        count(Level::Ok),
        count(Level::Warning),
        count(Level::Error)
    )
}
