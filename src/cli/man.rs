//! `convenor man`: the manual pages, made from the same words as `--help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::print_bytes;

/// Arguments of `convenor man`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write a page for the program and one for each command into this folder, instead of printing the program's
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // The subcommand `help` and what clap adds to each command belong to the terminal.
    let command = super::Cli::command().disable_help_subcommand(true);
    match &args.dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            print_bytes(&page);
        }
        Some(folder) => {
            write_all(command, folder).with_context(|| format!("{} cannot be written", folder.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_all(command: clap::Command, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
