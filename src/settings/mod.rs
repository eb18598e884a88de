//! The only reader of the settings' file and of the environment.
//!
//! Everything is read once and checked whole: all faults are listed at once, each with its key and what would mend it.
//! Unknown keys are refused, durations and sizes carry their units, and secrets come only from the environment or from
//! files of their own; no error, log or `Debug` shows them. `config/convenor.example.toml` names every key.

mod faults;
mod handbook;
mod program;
mod section;
mod sections;
mod signing_key;
mod source;
mod units;

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use toml::Table;
use url::Url;

pub use faults::{Fault, SettingsFaults};
pub use program::ProgramSettings;
pub use sections::{
    DatabaseSettings, DatabaseUrl, GitLabSettings, KeepBodies, LogFormat, LogSettings, ScheduleSettings,
    ServerSettings, WebhookSettings, WorkerSettings,
};
pub use signing_key::signing_key;
pub use units::duration;

use crate::redact::Redactor;

use section::Section;
use source::Shared;

/// The file that is read when the command line names none.
pub const DEFAULT_FILE: &str = "config/convenor.toml";

/// What is logged when the settings say nothing.
pub const DEFAULT_LOG_FILTER: &str = "info";

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[server]`: where the service listens, and its limits.
    pub server: ServerSettings,
    /// `[database]`: where deliveries and work are kept.
    pub database: DatabaseSettings,
    /// `[gitlab]`: which GitLab, and how hard it may be asked.
    pub gitlab: GitLabSettings,
    /// `[webhook]`: how a delivery proves that it comes from GitLab.
    pub webhook: WebhookSettings,
    /// `[[program]]`: the groups of communities.
    pub programs: Vec<ProgramSettings>,
    /// `[schedule]`: what happens without a webhook.
    pub schedule: ScheduleSettings,
    /// `[worker]`: how many looks at a time, and how failed ones are tried again.
    pub worker: WorkerSettings,
    /// `[log]`: what goes to the log, and how.
    pub log: LogSettings,
    /// Takes the secrets among all these, and those that replace them later, out of texts.
    pub redactor: Redactor,
}

impl Settings {
    /// Reads `file` (`None`: [`DEFAULT_FILE`] when it is there) with the environment's `CONVENOR_<SECTION>__<KEY>` over it.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, SettingsFaults> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            // A container may be configured by its environment alone.
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(SettingsFaults(vec![Fault {
                    key: path.display().to_string(),
                    problem: format!("cannot be read ({error})"),
                    mend: "copy config/convenor.example.toml there, or name another file with --config".to_owned(),
                }]));
            }
        };
        Self::parse(&text, environment)
    }

    /// Reads the settings from a TOML text; what [`Settings::load`] does after reading the file.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, SettingsFaults> {
        let shared = Shared::default();
        let mut table = source::parse(text, &shared);
        source::overlay(&mut table, environment, &shared);
        let settings = read(table, &shared);
        settings.redactor.learn(&settings.secrets());
        let faults = std::mem::take(&mut shared.borrow_mut().faults);
        if faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsFaults(faults))
        }
    }

    /// Everything that must never be repeated: tokens, webhook secrets, the database's address and the password in it.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretString> {
        let mut secrets: Vec<SecretString> = self.gitlab.token.iter().cloned().collect();
        secrets.extend(self.webhook.secret_tokens.iter().cloned());
        secrets.extend(self.webhook.signing_tokens.iter().cloned());
        if let DatabaseUrl::Postgres(address) = &self.database.url {
            let parsed = Url::parse(address.expose_secret()).ok();
            secrets.extend(parsed.and_then(|url| url.password().map(SecretString::from)));
            secrets.push(address.clone());
        }
        secrets
    }
}

/// The token in its file, read again: it may have been rotated since the settings were read.
///
/// # Errors
/// When the file cannot be read. A file without a token is `None`.
pub fn token_of(file: &Path) -> std::io::Result<Option<SecretString>> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    Ok(line.map(SecretString::from))
}

/// The process's environment, the one place that reads it.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    // `vars_os`: a variable that is no UTF-8 text and is not ours must not stop the service.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn read(table: Table, shared: &Shared) -> Settings {
    let mut root = Section::root(table, shared);
    let server = sections::server(root.section("server"));
    let database = sections::database(root.section("database"));
    let mut gitlab_section = root.section("gitlab");
    let gitlab = sections::gitlab(&mut gitlab_section);
    let webhook = sections::webhook(root.section("webhook"));
    let programs = program::read_all(&mut root);
    if root.has("program")
        && gitlab.token.is_none()
        && !gitlab_section.has("token")
        && !gitlab_section.has("token_file")
    {
        gitlab_section.fault(
            "token",
            "is not set, and programs are configured",
            "set CONVENOR_GITLAB__TOKEN, or `token_file` to a file that holds the token of the bot's user",
        );
    }
    gitlab_section.finish();
    let schedule = sections::schedule(root.section("schedule"));
    let worker = sections::worker(root.section("worker"));
    let log = sections::log(root.section("log"));
    root.finish();
    Settings {
        server,
        database,
        gitlab,
        webhook,
        programs,
        schedule,
        worker,
        log,
        redactor: Redactor::default(),
    }
}

#[cfg(test)]
mod tests;
