//! Arguments in, exit code out; one file per command.
//!
//! A command is a module with `Args` (its arguments) and `run(args, context)`. To add one: declare the module, add its line to
//! [`Command`], and its line to [`dispatch`]. A command fails with an error whose chain names the causes and the mend;
//! [`main`] prints it once and exits 1. Clap itself exits 2 when it does not understand the arguments.

mod adopt;
mod backup;
mod completions;
mod deliveries;
mod demo;
mod doctor;
mod health;
pub mod init;
mod journal;
mod man;
mod plan;
mod queue;
mod render;
mod rotate;
pub mod serve;
mod similar;
mod since;
mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};
use convenor_core::escape::{TerminalText, ascii_json, log_line};
use convenor_core::untrusted::Untrusted;

use crate::settings::{self, Settings, SettingsFaults};
use crate::store::{Store, StoreError};
use crate::telemetry;

/// Looks after an organisation's Communities of Practice on GitLab.
#[derive(Debug, Parser)]
#[command(
    name = "convenor",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    /// File of settings
    #[arg(long, global = true, value_name = "FILE", help = format!("File of settings [default: {}]", settings::DEFAULT_FILE))]
    config: Option<PathBuf>,
    /// Say more in the log (-vv: even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole story on a GitLab inside the process
    Demo(demo::Args),
    /// Take in webhooks, look after everything that is due, keep the schedule
    Serve(serve::Args),
    /// Set up labels, issue template and webhooks; safe to repeat
    Init(init::Args),
    /// Say what is wrong and what would mend it; exit code 1 on an error
    Doctor(doctor::Args),
    /// The first look at an organisation that already has communities; `--write` proposes charters and rows
    Adopt(adopt::Args),
    /// Show what would be done; exit code 0: nothing, 2: something
    Plan(plan::PlanArgs),
    /// Do once what is due, with progress
    Apply(plan::ApplyArgs),
    /// Show the project files that a proposal would give
    Render(render::Args),
    /// Show existing communities that look alike
    Similar(similar::Args),
    /// Show what came in, or look again at what a delivery was about
    Deliveries(deliveries::Args),
    /// Show what is pending, failed or held; try it again, release or drop it
    Queue(queue::Args),
    /// Show what was written to GitLab, when, why, and what came of it
    Journal(journal::Args),
    /// Make a new token for the bot and put it in the old one's place
    Rotate(rotate::Args),
    /// Show, check or edit the table of a local page
    Table(table::Args),
    /// Say whether the service on this machine can take in deliveries; exit code 1 when it cannot
    Health(health::Args),
    /// Copy the SQLite database, also while the service runs
    Backup(backup::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Init(args) => init::run(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Adopt(args) => adopt::run(args, context).await,
        Command::Plan(args) => plan::plan(args, context).await,
        Command::Apply(args) => plan::apply(args, context).await,
        Command::Render(args) => render::run(&args, context),
        Command::Similar(args) => similar::run(&args, context).await,
        Command::Deliveries(args) => deliveries::run(args, context).await,
        Command::Queue(args) => queue::run(args, context).await,
        Command::Journal(args) => journal::run(args, context).await,
        Command::Rotate(args) => rotate::run(args, context).await,
        Command::Table(args) => table::run(&args),
        Command::Health(args) => health::run(args, context).await,
        Command::Backup(args) => backup::run(args, context).await,
        Command::Man(args) => man::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// `--config`; `None`: the default file when it is there.
    pub config: Option<PathBuf>,
    /// How often `-v` was given.
    pub verbosity: u8,
}

impl Context {
    /// Reads the settings and starts the log as they say; where they say nothing, a command has its output to tell how it
    /// goes, and logs what is wrong alone.
    ///
    /// # Errors
    /// Everything that is wrong with the settings, at once.
    pub fn settings(&self) -> Result<Settings, SettingsFaults> {
        self.read(true)
    }

    /// The same for the service, whose log is what it has to tell.
    ///
    /// # Errors
    /// As [`Context::settings`].
    pub fn settings_of_the_service(&self) -> Result<Settings, SettingsFaults> {
        self.read(false)
    }

    fn read(&self, quietly: bool) -> Result<Settings, SettingsFaults> {
        let mut settings = Settings::load(self.config.as_deref(), &settings::environment())?;
        if quietly && self.verbosity == 0 && settings.log.filter == settings::DEFAULT_LOG_FILTER {
            "warn".clone_into(&mut settings.log.filter);
        }
        telemetry::start(&settings.log, self.verbosity, settings.redactor.clone());
        Ok(settings)
    }

    /// Reads the settings and opens their database, which has to be there.
    ///
    /// # Errors
    /// What is wrong with the settings or the database.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let settings = self.settings()?;
        Ok(Store::open_existing(&settings.database.url).await?)
    }
}

/// The program: reads the arguments, runs the command, prints an error once.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return tell(&told),
    };
    let context = Context {
        config: cli.config,
        verbosity: cli.verbose,
    };
    let result = dispatch(cli.command, &context).await;
    telemetry::traces::stop().await;
    let result = result.and_then(|code| match UNWRITTEN.get() {
        Some(error) => Err(anyhow::anyhow!("standard output could not be written: {error}")),
        None => Ok(code),
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints the help, or what is wrong with the arguments: they may come from a page or a script, and steer no terminal.
fn tell(told: &clap::Error) -> ExitCode {
    let words = told.render().ansi().to_string();
    for line in words.lines().map(log_line) {
        if told.use_stderr() {
            // Nobody reads it, then.
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        } else {
            print(&format!("{line}\n"));
        }
    }
    u8::try_from(told.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A text from the database on one line of a terminal; it can do nothing there.
fn plain(text: &str) -> TerminalText {
    TerminalText::line(&Untrusted::new(text))
}

/// Says on standard error what should be known beside the output.
fn note(text: &str) {
    let text = plain(text);
    // Nobody reads it, then.
    let _ = writeln!(anstream::stderr().lock(), "note: {text}");
}

/// Says on standard error what went wrong and why; text of people in it can do nothing to the terminal.
fn complain(error: &anyhow::Error) {
    let mut stderr = anstream::stderr().lock();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let shown = |text: String| TerminalText::block(&Untrusted::new(text));
    // When even standard error is gone, the exit code has to do.
    let _ = writeln!(stderr, "{red}error{red:#}: {}", shown(error.to_string()));
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  because {}", shown(cause.to_string()));
    }
}

async fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    Store::open(&settings.database.url).await
}

/// Why standard output could not be written, for the exit code: half a page must not pass for the whole.
static UNWRITTEN: OnceLock<std::io::Error> = OnceLock::new();

/// Prints to standard output; when a reader such as `head` has gone, the rest is nobody's.
fn print(text: &str) {
    print_bytes(text.as_bytes());
}

fn print_bytes(bytes: &[u8]) {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    note_output(written);
}

/// Remembers that standard output could not be written, unless its reader has gone.
fn note_output(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        // Only the first is told; the others follow from it.
        let _ = UNWRITTEN.set(error);
    }
}

/// Prints a value as JSON.
fn print_json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    print(&format!("{}\n", ascii_json(&serde_json::to_string_pretty(value)?)));
    Ok(())
}
