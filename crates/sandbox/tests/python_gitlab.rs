//! A client that nobody here wrote, `python-gitlab` from PyPI, against the sandbox.

use gitlab_sandbox::{Config, Sandbox};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has the client: `.ci/install` makes it, tests load nothing from anywhere.
fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let python = target.join("ci/python/bin/python");
    python.exists().then_some(python)
}

#[test]
fn python_gitlab_finds_a_gitlab() {
    let Some(python) = python() else {
        let checked = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        assert!(
            !checked,
            "python-gitlab is not there; where CI is set this is a failure"
        );
        // Not `eprintln!`: the test passes, and the test runner would keep what it printed to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED python_gitlab_finds_a_gitlab: .ci/install was not run"
        );
        return;
    };
    let gitlab = Sandbox::start(Config::default()).unwrap();
    gitlab.add_user("second");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_gitlab_conformance.py");
    let run = Command::new(python)
        .arg(script)
        .env("GITLAB_TEST_URL", gitlab.url())
        .env("GITLAB_TEST_TOKEN", gitlab.add_token("owner"))
        .env("GITLAB_TEST_SECOND_USER", "second")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(gitlab.calls().len() >= 200, "{said}");
    assert_eq!(gitlab.violations(), Vec::<String>::new());
}
