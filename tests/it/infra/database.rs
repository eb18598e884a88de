//! A database of its own for each test: a SQLite file, or a database of a PostgreSQL server that lives as long as the tests.
#![expect(clippy::print_stderr, reason = "what is skipped is said loudly")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use convenor::settings::DatabaseUrl;
use convenor::store::{Memory, Store};

/// A fresh database.
pub(super) enum Database {
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
    pub(super) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let Some(server) = server() else {
            let missing = "no PostgreSQL on this machine (initdb, postgres; as root also setpriv and a user postgres)";
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
    pub(super) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("convenor.db").display()),
            Self::Postgres(url) => url.clone(),
            Self::Memory(_) => panic!("tables in memory have no address"),
        }
    }

    pub(super) async fn open(&self) -> Store {
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

struct Server {
    folder: PathBuf,
    /// A shell that ends the server and removes its folder as soon as its standard input, which we hold, is closed.
    _keeper: Child,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!(
            "postgres://convenor@localhost/{database}?host={}",
            self.folder.display()
        )
    }
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
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
        "$0"/postgres -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c max_connections=300 >"$1/log" 2>&1 &
        server=$!
        for i in $(seq 200); do "$0"/pg_isready -q -h "$1" && break; sleep 0.05; done
        echo ready
        read -r nothing
        kill -INT $server; wait $server; cd /; rm -rf "$1"
    "#;
    let mut keeper = as_user(Path::new("/bin/sh"));
    keeper.arg("-c").arg(script).arg(&programs).arg(&folder);
    let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut ready = [0; 6];
    keeper.stdout.as_mut()?.read_exact(&mut ready).ok()?;
    Some(Server {
        folder,
        _keeper: keeper,
    })
}

/// The newest folder that has PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    let has_all = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready"]
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
