//! A client that nobody here wrote, `python-gitlab` from PyPI, against the sandbox.

use gitlab_sandbox::{Config, Sandbox};
use std::path::{Path, PathBuf};
use std::process::Command;

const CLIENT: &str = "python-gitlab==8.6.0";

/// A Python with the client in an environment of its own; none when this machine cannot have one.
fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-gitlab");
    let python = home.join("bin/python");
    let has_client = |python: &Path| {
        Command::new(python)
            .args(["-c", "import gitlab"])
            .output()
            .is_ok_and(|out| out.status.success())
    };
    if has_client(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output().ok()?;
    let installed = Command::new(home.join("bin/pip"))
        .args(["install", "--quiet", CLIENT])
        .output()
        .ok()?;
    (made.status.success() && installed.status.success() && has_client(&python)).then_some(python)
}

#[test]
fn python_gitlab_finds_a_gitlab() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: python3 with venv and {CLIENT} cannot be had here");
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
