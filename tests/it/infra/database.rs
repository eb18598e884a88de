//! A database of its own for each test: a SQLite file, or a database of a PostgreSQL server that lives as long as the tests.
#![expect(clippy::print_stderr, reason = "what is skipped is said loudly")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Memory, Store};

/// A fresh database.
pub(crate) enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(String),
    /// Tables in memory, as simulations use them.
    Memory(Memory),
}

impl Database {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// `None`, said loudly, where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let Some(server) = server() else {
            let missing =
                "no PostgreSQL on this machine (initdb, postgres, pg_ctl; as root also setpriv and a user postgres)";
            crate::skip::skip("a store on PostgreSQL", missing);
            return None;
        };
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        execute_on(&server.url("postgres"), format!("create database {name}")).await;
        Some(Self::Postgres(server.url(&name)))
    }

    /// As the settings give it.
    pub(super) fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(folder) => DatabaseUrl::Sqlite(folder.path().join("convenor.db")),
            Self::Postgres(url) => DatabaseUrl::Postgres(url.as_str().into()),
            Self::Memory(_) => panic!("tables in memory have no address"),
        }
    }

    /// As an operator writes it.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("convenor.db").display()),
            Self::Postgres(url) => url.clone(),
            Self::Memory(_) => panic!("tables in memory have no address"),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Memory(memory) => Store::in_memory(memory),
            _ => Store::open(&self.url()).await.unwrap(),
        }
    }

    /// Runs a statement beside the store.
    pub(super) async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("convenor.db"));
                let pool = sqlx::sqlite::SqlitePoolOptions::new()
                    .connect_with(options)
                    .await
                    .unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
                    .execute(&pool)
                    .await
                    .unwrap();
                pool.close().await;
            }
            Self::Postgres(url) => execute_on(url, sql.to_owned()).await,
            Self::Memory(_) => panic!("tables in memory speak no SQL"),
        }
    }
}

async fn execute_on(url: &str, sql: String) {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// A PostgreSQL server with a folder of its own; gone with its folder when it is dropped, or when the tests are killed.
pub(super) struct Server {
    folder: PathBuf,
    /// A shell that restarts the server at each line that it reads, and ends it as soon as its standard input is closed.
    keeper: Child,
}

impl Server {
    /// `None`, and why, where it cannot be started.
    pub(super) fn start(options: &str) -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new()
            .prefix("convenor-pg-")
            .tempdir()
            .unwrap()
            .keep();
        let is_root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
        if is_root {
            // PostgreSQL refuses to run as root.
            output(Command::new("chown").arg("postgres").arg(&folder))?;
        }
        let as_user = |program: &Path| {
            let mut command = if is_root {
                Command::new("setpriv")
            } else {
                Command::new(program)
            };
            if is_root {
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                    .arg(program);
            }
            command.current_dir("/");
            command
        };
        let data = folder.join("data");
        let initdb = [
            "--username=convenor",
            "--auth=trust",
            "--no-sync",
            "--no-locale",
            "--encoding=UTF8",
            "-D",
        ];
        output(as_user(&programs.join("initdb")).args(initdb).arg(&data))?;
        let script = r#"
            folder=$1
            options="-k $1 -c listen_addresses= -c max_connections=300 $2"
            control() { "$0"/pg_ctl -D "$folder/data" -l "$folder/log" -s -w "$@" </dev/null >/dev/null; }
            control -o "$options" start && echo ready
            while read -r mode; do control -o "$options" -m "$mode" restart && echo ready; done
            control -m immediate stop; cd /; rm -rf "$folder"
        "#;
        let mut keeper = as_user(Path::new("/bin/sh"));
        keeper.arg("-c").arg(script).arg(&programs).arg(&folder).arg(options);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut server = Self { folder, keeper };
        server.is_ready()?;
        Some(server)
    }

    /// Stops and starts it: `fast` as an administrator does, `immediate` as a crash does.
    pub(super) fn restart(&mut self, mode: &str) {
        let told = writeln!(self.keeper.stdin.as_mut().unwrap(), "{mode}");
        told.unwrap();
        self.is_ready().expect("PostgreSQL comes back");
    }

    fn is_ready(&mut self) -> Option<()> {
        let mut ready = [0; 6];
        self.keeper.stdout.as_mut()?.read_exact(&mut ready).ok()
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgres://convenor@localhost/{database}?host={}",
            self.folder.display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The server that all tests share which do nothing to it.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start("-c fsync=off")).as_ref()
}

/// The newest folder that has PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    let has_all = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_ctl"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(has_all)
}

/// What a command prints; `None`, and why, when it fails.
fn output(command: &mut Command) -> Option<String> {
    match command.output() {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            eprintln!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("{command:?}: {error}");
            None
        }
    }
}

/// How long a store may take to notice what another one did.
pub(super) const SOON: Duration = Duration::from_millis(500);

/// Makes a test of each function for each database.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::infra::database::Database::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(database) = crate::infra::database::Database::postgres().await {
                    super::$name(database).await;
                }
            })*
        }
    };
}
pub(super) use on_both_databases;

/// Runs the named tests on tables in memory, too.
macro_rules! and_in_memory {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::infra::database::Database::Memory(Default::default())).await;
            })*
        }
    };
}
pub(super) use and_in_memory;
