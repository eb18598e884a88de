//! Tests that need a program which a machine may lack.

use std::io::Write as _;

/// Says that a test cannot run here, and why. Where `CI` is set nothing may go untested, so it fails instead.
pub(crate) fn skip(test: &str, why: &str) {
    let checked = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
    assert!(!checked, "{test}: {why}; where CI is set this is a failure");
    // Not `eprintln!`: the test passes, and the test runner would keep what it printed to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
