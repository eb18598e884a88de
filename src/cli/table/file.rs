//! Reading the page and writing it back.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(super) fn is_stdin(page: &Path) -> bool {
    page == Path::new("-")
}

pub(super) fn read(page: &Path) -> anyhow::Result<Vec<u8>> {
    if !is_stdin(page) {
        return fs::read(page).with_context(|| format!("cannot read the page {}", page.display()));
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Ok(bytes)
}

/// Prints the page as it is: no byte of it may be taken for a colour.
pub(super) fn print(page: &[u8]) {
    let mut out = io::stdout().lock();
    crate::cli::note_output(out.write_all(page).and_then(|()| out.flush()));
}

/// Puts other bytes in the place of the file's, all or none: they are written beside it and then renamed. Permissions
/// stay, and a symbolic link stays one.
pub(super) fn replace(page: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let target = fs::canonicalize(page).with_context(|| format!("cannot find the page {}", page.display()))?;
    let beside = beside(&target);
    let written = write_new(&beside, bytes, &target).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        // What is half written is in nobody's way.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write the page {}", page.display()))
}

fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn write_new(path: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::metadata(like)?.permissions())?;
    file.sync_all()
}
