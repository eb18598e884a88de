//! Reading the page and writing it back.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use convenor_core::escape::TerminalText;
use convenor_core::table::MAX_PAGE_BYTES;
use convenor_core::untrusted::Untrusted;

pub(super) fn is_stdin(page: &Path) -> bool {
    page == Path::new("-")
}

/// Reads a page, and not much more than a page can have.
pub(super) fn read(page: &Path) -> anyhow::Result<Vec<u8>> {
    if is_stdin(page) {
        return whole(io::stdin().lock()).context("cannot read standard input");
    }
    let bytes = fs::File::open(page).and_then(whole);
    bytes.with_context(|| format!("cannot read the page {}", page.display()))
}

/// A byte more than the limit is enough for the refusal.
fn whole(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_PAGE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Prints the page as it is: no byte of it may be taken for a colour. A terminal gets no control characters: they are for files and
/// pipes.
pub(super) fn print(page: &[u8]) {
    let mut out = io::stdout().lock();
    let is_terminal = out.is_terminal();
    crate::cli::note_output(print_to(&mut out, is_terminal, page));
}

fn print_to(out: &mut impl io::Write, is_terminal: bool, page: &[u8]) -> io::Result<()> {
    if is_terminal {
        let page = Untrusted::new(String::from_utf8_lossy(page));
        return writeln!(out, "{}", TerminalText::block(&page));
    }
    out.write_all(page)?;
    out.flush()
}

/// Puts other bytes in the place of the file's, all or none: they are written beside it and then renamed. Permissions stay.
///
/// A file that is not a file of its own (a link, a device) or that changed meanwhile is left alone.
pub(super) fn replace(page: &Path, before: &[u8], after: &[u8]) -> anyhow::Result<()> {
    let about = fs::symlink_metadata(page).with_context(|| format!("cannot find the page {}", page.display()))?;
    anyhow::ensure!(
        about.is_file(),
        "{} is no ordinary file and is not written: name the file that it stands for",
        page.display()
    );
    let beside = beside(page);
    let written = write_new(&beside, after, about.permissions()).and_then(|()| {
        if fs::read(page)? != before {
            return Err(io::Error::other("it was changed meanwhile: run the command again"));
        }
        fs::rename(&beside, page)
    });
    if written.is_err() {
        // What is half written is in nobody's way.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write the page {}", page.display()))
}

fn beside(page: &Path) -> PathBuf {
    let name = page.file_name().unwrap_or_default().to_string_lossy();
    page.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// The permissions come before the content: nobody reads it in between.
fn write_new(path: &Path, bytes: &[u8], permissions: fs::Permissions) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(permissions)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_to_files_as_it_is_and_steers_no_terminal() {
        let page = "# CoPs\r\n\u{1b}[2J\u{202e}a\u{9b}31m\u{7}\r\nEnd.";
        let printed = |is_terminal| {
            let mut out = Vec::new();
            print_to(&mut out, is_terminal, page.as_bytes()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(printed(false), page);
        let shown = printed(true);
        assert!(shown.starts_with("# CoPs\n") && shown.ends_with("End.\n"), "{shown:?}");
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(steers), "{shown:?}");
    }
}
