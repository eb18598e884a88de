//! The difference that an edit makes, as `diff -u` prints it.

use std::io::{IsTerminal as _, stdout};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use convenor_core::escape::TerminalText;
use convenor_core::untrusted::Untrusted;
use similar::TextDiff;

use super::file;

/// Lines around the changed one.
const CONTEXT: usize = 3;

/// Prints the difference: with colours to a terminal, else with its very bytes, so that `patch` can take it.
pub(super) fn print(page: &Path, before: &[u8], after: &[u8]) {
    let difference = unified(&page.display().to_string(), before, after);
    if stdout().is_terminal() {
        super::print(&coloured(&difference));
    } else {
        file::print(difference.as_bytes());
    }
}

/// Empty when nothing changed.
fn unified(page: &str, before: &[u8], after: &[u8]) -> String {
    if before == after {
        return String::new();
    }
    // Both are UTF-8: the page was parsed, and an edit gives text.
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    let page = page.trim_start_matches('/');
    diff.unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("a/{page}"), &format!("b/{page}"))
        .to_string()
}

fn coloured(difference: &str) -> String {
    let line = |line: &str| {
        let style = style(line);
        format!("{style}{}{style:#}\n", TerminalText::block(&Untrusted::new(line)))
    };
    difference.lines().map(line).collect()
}

fn style(line: &str) -> Style {
    match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => Style::new().bold(),
        [b'@', ..] => AnsiColor::Cyan.on_default(),
        [b'-', ..] => AnsiColor::Red.on_default(),
        [b'+', ..] => AnsiColor::Green.on_default(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_the_one_line_with_its_context() {
        let after = "1\n2\n3\n4\n5\nnew\n6\n7\n8\n9";
        let before = after.replace("new\n", "");
        assert_eq!(
            unified("p.md", before.as_bytes(), after.as_bytes()),
            "--- a/p.md\n+++ b/p.md\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+new\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn no_difference_prints_nothing() {
        assert_eq!(unified("p.md", b"a\r\n", b"a\r\n"), "");
    }
}
