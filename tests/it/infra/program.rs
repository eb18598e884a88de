//! The program itself: arguments, exit codes, what it prints.

use std::path::Path;
use std::process::{Command, Output};

use super::house::{Hands, TOKEN, open, proposal};

fn convenor(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_convenor"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("CONVENOR_DATABASE__URL", "sqlite://convenor.db")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn arguments_that_are_not_understood_are_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(convenor(folder.path(), &["frobnicate"]).status.code(), Some(2));
    assert_eq!(convenor(folder.path(), &["queue", "retry"]).status.code(), Some(2));
}

#[test]
fn version_help_and_completions_need_no_settings() {
    let folder = tempfile::tempdir().unwrap();
    let version = convenor(folder.path(), &["--version"]);
    assert_eq!(
        text(&version.stdout),
        format!("convenor {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(convenor(folder.path(), &["--help"]).status.success());
    for shell in ["bash", "zsh", "fish"] {
        let script = convenor(folder.path(), &["completions", shell]);
        assert!(
            script.status.success() && text(&script.stdout).contains("convenor"),
            "{shell}"
        );
    }
}

#[test]
fn serve_refuses_to_start_without_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let refused = convenor(folder.path(), &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("set CONVENOR_WEBHOOK__SECRET_TOKEN"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn all_faults_of_the_settings_are_printed_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mine.toml"),
        format!("[gitlab]\ntoken = \"{TOKEN}\"\n[server]\nlisten = 1\n"),
    )
    .unwrap();
    let refused = convenor(folder.path(), &["--config", "mine.toml", "queue", "list"]);
    assert_eq!(refused.status.code(), Some(1));
    let message = text(&refused.stderr);
    assert!(
        message.contains("gitlab.token: is a secret") && message.contains("server.listen: is a number"),
        "{message}"
    );
    assert!(!message.contains(TOKEN), "{message}");
}

#[tokio::test]
async fn the_queue_is_listed_retried_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (store, now) = (open(folder.path()).await, Hands::new().now());
    store.knock(&[proposal(1)], "test", now).await.unwrap();
    let claim = store
        .claim(now, std::time::Duration::from_secs(1))
        .await
        .unwrap()
        .unwrap();
    store.hold(&claim, now, "two boards").await.unwrap();
    store.close().await;
    let run = |arguments: &[&str]| {
        let output = convenor(folder.path(), arguments);
        (output.status.code(), text(&output.stdout))
    };
    let (code, listed) = run(&["queue"]);
    assert_eq!(
        (code, listed.as_str()),
        (Some(0), "held      proposal cop#1  two boards\n")
    );
    let (_, json) = run(&["queue", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[0]["thing"], &json[0]["state"]),
        (&"proposal cop#1".into(), &"held".into())
    );
    assert_eq!(
        run(&["queue", "retry", "--all"]),
        (Some(0), "will look at proposal cop#1\n".to_owned())
    );
    assert!(
        run(&["queue", "list"])
            .1
            .starts_with("ready     proposal cop#1  next look 20")
    );
    assert_eq!(run(&["queue", "drop", "proposal cop#1"]).0, Some(0));
    assert_eq!(run(&["queue", "drop", "proposal cop#1"]).0, Some(1));
    assert_eq!(run(&["queue", "list"]).1, "nothing to look at\n");
}

#[test]
fn the_demo_tells_the_whole_story() {
    let folder = tempfile::tempdir().unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_convenor"))
        .args(["demo", "--once"])
        .current_dir(folder.path())
        .env_clear()
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let story = text(&told.stdout);
    assert!(
        told.status.success() && story.contains("All of it happened"),
        "{story}{}",
        text(&told.stderr)
    );
    // A service that does not know its own address takes its webhooks for somebody else's.
    assert!(!story.contains("renew webhook"), "{story}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
