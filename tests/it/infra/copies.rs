//! Health, copies of the database, manual pages: what an operator's scripts call.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::database::Database;
use super::house::{Hands, TOKEN, client, open, proposal};
use super::process::{Served, post};

fn convenor(folder: &Path, database: &str, more: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_convenor"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("CONVENOR_DATABASE__URL", database)
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code(), said)
}

#[test]
fn health_tells_a_service_that_is_ready_from_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    let served = Served::start(&database);
    let health = |address: &str| {
        let listen = [("CONVENOR_SERVER__LISTEN", address)];
        convenor(folder.path(), &database.address(), &listen, &["health"])
    };
    assert_eq!(health(&served.address), (Some(0), "ready\n".to_owned()));
    let port = served.address.split(':').next_back().unwrap();
    assert_eq!(
        health(&format!("0.0.0.0:{port}")).0,
        Some(0),
        "a service on every address is asked on this machine"
    );
    let address = served.address.clone();
    drop(served);
    let (code, said) = health(&address);
    assert!(code == Some(1) && said.contains("is the service running?"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_while_serving_holds_everything_and_is_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    let served = Served::start(&database);
    let http = client();
    for key in ["first", "second"] {
        assert_eq!(post(&http, &served.address, key, TOKEN).await, Some(200));
    }
    let run = |database: &str, arguments: &[&str]| convenor(folder.path(), database, &[], arguments);
    let (code, said) = run(&database.address(), &["backup", "copy.db"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(post(&http, &served.address, "third", TOKEN).await, Some(200));
    let others_may = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(
        others_may(&folder.path().join("copy.db")),
        0,
        "it holds what not everybody may read"
    );
    let original = database.address().replace("sqlite://", "");
    for file in [original.clone(), format!("{original}-wal")] {
        assert_eq!(others_may(Path::new(&file)), 0, "{file}");
    }
    let copy = format!("sqlite://{}", folder.path().join("copy.db").display());
    let (code, listed) = run(&copy, &["deliveries", "list"]);
    assert_eq!(code, Some(0), "{listed}");
    assert!(
        listed.contains("first") && listed.contains("second") && !listed.contains("third"),
        "{listed}"
    );
    let (code, said) = run(&database.address(), &["backup", "copy.db"]);
    assert!(code == Some(1) && said.contains("is there already"), "{said}");
    for code in [0, 1] {
        let (found, said) = run(&database.address(), &["backup", "a\u{1b}[2Jcopy\n.db"]);
        assert!(
            found == Some(code) && !said.contains('\u{1b}') && said.lines().count() == 1,
            "it steers the terminal: {said:?}"
        );
    }
    let (code, said) = run("sqlite://nowhere.db", &["backup", "other.db"]);
    assert!(code == Some(1) && said.contains("there is no database at"), "{said}");
    assert!(!folder.path().join("nowhere.db").exists() && !folder.path().join("other.db").exists());
}

#[test]
fn a_database_that_is_not_ours_to_copy_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = convenor(folder.path(), "postgres://x@127.0.0.1/x", &[], &["backup", "copy.db"]);
    assert!(code == Some(1) && said.contains("pg_dump"), "{said}");
}

#[tokio::test]
async fn what_postgresql_dumps_and_restores_is_whole() {
    let (Some(from), Some(to)) = (Database::postgres().await, Database::postgres().await) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("convenor.dump");
    let store = from.open().await;
    store.knock(&[proposal(7)], "test", Hands::new().now()).await.unwrap();
    store.close().await;
    let ran = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let file = dump.to_str().unwrap();
    ran(
        "pg_dump",
        &["--format=custom", &format!("--file={file}"), &from.address()],
    );
    ran(
        "pg_restore",
        &[&format!("--dbname={}", to.address()), "--clean", "--if-exists", file],
    );
    let restored = to.open().await;
    assert_eq!(restored.list_work().await.unwrap()[0].thing, proposal(7).to_string());
    restored.close().await;
}

#[tokio::test]
async fn doctor_says_when_a_power_cut_could_take_back_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let durable = async |database: Database| {
        database.open().await.close().await;
        let (_, said) = convenor(folder.path(), &database.address(), &[], &["doctor", "--json"]);
        // The log comes behind it.
        let mut values = serde_json::Deserializer::from_str(&said).into_iter::<serde_json::Value>();
        let checks = values.next().unwrap().unwrap();
        let mut checks = checks.as_array().unwrap().iter();
        let check = checks.find(|check| check["name"] == "database.durable").unwrap();
        (
            check["level"].as_str().unwrap().to_owned(),
            check["evidence"].as_str().unwrap().to_owned(),
        )
    };
    let (level, evidence) = durable(Database::sqlite()).await;
    assert!(level == "ok" && evidence.contains("synchronous=2"), "{evidence}");
    // The server of these tests runs as no server should: without flushing anything to the disk.
    if let Some(database) = Database::postgres().await {
        let (level, evidence) = durable(database).await;
        assert!(level == "error" && evidence.contains("fsync=off"), "{level} {evidence}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let (code, page) = convenor(folder.path(), "sqlite://x.db", &[], &["man"]);
    assert!(
        code == Some(0) && page.starts_with(".ie") && page.contains(".TH convenor"),
        "{page}"
    );
    let (code, said) = convenor(folder.path(), "sqlite://x.db", &[], &["man", "--dir", "pages"]);
    assert_eq!(code, Some(0), "{said}");
    for command in ["", "-serve", "-doctor", "-table", "-table-add", "-queue-retry"] {
        let page = folder.path().join(format!("pages/convenor{command}.1"));
        assert!(page.exists(), "{}", page.display());
    }
}

#[tokio::test]
async fn an_empty_variable_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.close().await;
    let file = folder.path().join("url");
    std::fs::write(
        &file,
        format!("sqlite://{}\n", folder.path().join("convenor.db").display()),
    )
    .unwrap();
    let from_file = [("CONVENOR_DATABASE__URL_FILE", file.to_str().unwrap())];
    let (code, said) = convenor(folder.path(), "", &from_file, &["queue", "list"]);
    assert_eq!((code, said.as_str()), (Some(0), "nothing to look at\n"));
}
