//! `convenor completions`.

use std::process::ExitCode;

use clap::CommandFactory as _;

/// Arguments of `convenor completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "convenor", &mut script);
    super::print(&String::from_utf8(script)?);
    Ok(ExitCode::SUCCESS)
}
