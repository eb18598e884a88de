//! The sections of the settings that are not programs, each with its defaults and limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::section::Section;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const MIB: usize = 1 << 20;

/// `[server]`.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How people and GitLab reach this service, without a trailing slash.
    pub public_url: String,
    /// Connections that may be open at a time; then the one that has waited longest for a request makes room.
    pub max_connections: usize,
    /// How long a client may take to send a request's head, and how long a connection may stay idle.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// Bytes of bodies held in memory at a time, all connections together.
    pub body_memory: usize,
    /// How long a stop waits for work in hand.
    pub stop_timeout: Duration,
}

/// `[database]`.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How long deliveries are kept; they serve to recognise repeats and to see what came in.
    pub keep_deliveries: Duration,
    /// How many bytes deliveries may take; the oldest go first.
    pub most_deliveries: usize,
    /// Whose bodies are kept.
    pub keep_bodies: KeepBodies,
    /// How long the journal is kept.
    pub keep_journal: Duration,
}

/// Which deliveries' bodies are kept. They hold people's names and confidential texts, and nothing is decided by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepBodies {
    /// Of those that could not be understood, so that somebody can see why.
    Unreadable,
    /// Of all.
    All,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// A SQLite file, made when it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by an address that may hold a password.
    Postgres(SecretString),
}

/// `[gitlab]`.
#[derive(Clone, Debug)]
pub struct GitLabSettings {
    /// The instance's address, without a trailing slash.
    pub url: Url,
    /// The token of the bot's user; needed as soon as there is a program.
    pub token: Option<SecretString>,
    /// The file that the token comes from; `None`: it comes from the environment.
    pub token_file: Option<PathBuf>,
    /// How long one call may take.
    pub timeout: Duration,
    /// The share of GitLab's rate limits to use at most, over 0 and at most 1.
    pub rate_share: f64,
}

/// `[webhook]`.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Accepted values of `X-Gitlab-Token`; several while one replaces another.
    pub secret_tokens: Vec<SecretString>,
    /// Accepted signing tokens (`whsec_…`); several while one replaces another.
    pub signing_tokens: Vec<SecretString>,
}

/// `[schedule]`.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleSettings {
    /// Time from one full look at every program to the next.
    pub resync: Duration,
    /// What is at rest is looked at anyway within this time.
    pub look_anyway: Duration,
    /// Time from one look at webhooks, token and facilitators to the next.
    pub lifeline: Duration,
}

/// `[worker]`.
#[derive(Clone, Copy, Debug)]
pub struct WorkerSettings {
    /// Looks at a time.
    pub workers: usize,
    /// Looks in a row that may fail before the thing waits for news or an operator.
    pub attempts: u32,
    /// How long a thing stays with a worker that shows no sign of life.
    pub lease: Duration,
    /// Writes to GitLab that one thing may cause within an hour; then it is held.
    pub writes_per_hour: usize,
}

/// `[log]`.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
    /// Where spans go: an OpenTelemetry collector's address, for OTLP over HTTP.
    pub otlp_endpoint: Option<Url>,
}

/// `format` of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) fn server(mut section: Section) -> ServerSettings {
    let listen = section.parsed("listen", SocketAddr::from(([127, 0, 0, 1], 8080)), |text| {
        text.parse::<SocketAddr>()
            .map_err(|_| "write an address and a port, for example \"127.0.0.1:8080\" or \"[::]:8080\"")
    });
    let public_url = section.parsed("public_url", format!("http://{listen}"), public_url);
    let settings = ServerSettings {
        listen,
        public_url,
        max_connections: section.whole("max_connections", 1024, 16..=65_536) as usize,
        header_timeout: section.duration("header_timeout", 75 * SECOND, SECOND..=600 * SECOND),
        body_timeout: section.duration("body_timeout", 10 * SECOND, SECOND..=600 * SECOND),
        body_memory: section.size("body_memory", 64 * MIB, MIB..=4096 * MIB),
        stop_timeout: section.duration("stop_timeout", 25 * SECOND, SECOND..=600 * SECOND),
    };
    section.finish();
    settings
}

pub(super) fn database(mut section: Section) -> DatabaseSettings {
    let url = section
        .delicate("url", has_password)
        .map(|text| database_url(text.expose_secret()));
    let url = url.unwrap_or_else(|| Ok(DatabaseUrl::Sqlite(PathBuf::from("data/convenor.db"))));
    let settings = DatabaseSettings {
        url: url.unwrap_or_else(|mend| {
            section.fault("url", "is not understood", mend);
            DatabaseUrl::Sqlite(PathBuf::new())
        }),
        keep_deliveries: section.duration("keep_deliveries", 7 * 24 * HOUR, HOUR..=3660 * 24 * HOUR),
        most_deliveries: section.size("most_deliveries", 1024 * MIB, MIB..=1024 * 1024 * MIB),
        keep_bodies: section.parsed("keep_bodies", KeepBodies::Unreadable, |text| match text {
            "unreadable" => Ok(KeepBodies::Unreadable),
            "all" => Ok(KeepBodies::All),
            _ => Err("choose \"unreadable\" or \"all\""),
        }),
        // Removals of rows are counted over a day, by the journal.
        keep_journal: section.duration("keep_journal", 365 * 24 * HOUR, 48 * HOUR..=36_600 * 24 * HOUR),
    };
    section.finish();
    settings
}

pub(super) fn gitlab(section: &mut Section) -> GitLabSettings {
    GitLabSettings {
        url: gitlab_url(section),
        token: section.secret("token"),
        token_file: section.text("token_file").map(PathBuf::from),
        timeout: section.duration("timeout", 30 * SECOND, SECOND..=300 * SECOND),
        rate_share: section.parsed("rate_share", 0.25, share),
    }
}

pub(super) fn webhook(mut section: Section) -> WebhookSettings {
    let secret_tokens = section.secrets("secret_token");
    let signing_tokens = section.secrets("signing_token");
    if !signing_tokens
        .iter()
        .all(|token| super::signing_key(token.expose_secret()).is_some())
    {
        section.fault(
            "signing_token",
            "is no signing token",
            "it is `whsec_` and the base64 of 32 bytes, as GitLab takes it; one a line",
        );
    }
    section.finish();
    WebhookSettings {
        secret_tokens,
        signing_tokens,
    }
}

pub(super) fn schedule(mut section: Section) -> ScheduleSettings {
    let settings = ScheduleSettings {
        resync: section.duration("resync", 600 * SECOND, SECOND..=7 * 24 * HOUR),
        look_anyway: section.duration("look_anyway", 7 * 24 * HOUR, HOUR..=90 * 24 * HOUR),
        lifeline: section.duration("lifeline", HOUR, 60 * SECOND..=7 * 24 * HOUR),
    };
    section.finish();
    settings
}

pub(super) fn worker(mut section: Section) -> WorkerSettings {
    let settings = WorkerSettings {
        workers: section.whole("workers", 4, 1..=64) as usize,
        attempts: section.whole("attempts", 8, 1..=100),
        lease: section.duration("lease", 30 * SECOND, 3 * SECOND..=HOUR),
        writes_per_hour: section.whole("writes_per_hour", 600, 10..=100_000) as usize,
    };
    section.finish();
    settings
}

pub(super) fn log(mut section: Section) -> LogSettings {
    let settings = LogSettings {
        filter: section.parsed("filter", super::DEFAULT_LOG_FILTER.to_owned(), log_filter),
        format: section.parsed("format", LogFormat::Text, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("choose \"text\" or \"json\""),
        }),
        otlp_endpoint: section.parsed("otlp_endpoint", None, |text| web_url(text).map(Some)),
    };
    section.finish();
    settings
}

/// The token travels with every call, so plain HTTP is for this machine only.
fn gitlab_url(section: &mut Section) -> Url {
    #[expect(clippy::expect_used, reason = "a constant that a test reads")]
    let default = Url::parse("https://gitlab.com").expect("a constant URL");
    section.parsed("url", default, |text| {
        let url = web_url(text)?;
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err("use https: the token would travel readable (http is only for this machine itself)");
        }
        Ok(url)
    })
}

fn public_url(text: &str) -> Result<String, &'static str> {
    web_url(text).map(|url| url.as_str().trim_end_matches('/').to_owned())
}

fn web_url(text: &str) -> Result<Url, &'static str> {
    const MEND: &str = "write an address such as \"https://gitlab.example.com\", without user, query and fragment";
    let url = Url::parse(text.trim().trim_end_matches('/')).map_err(|_| MEND)?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let good = matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain;
    good.then_some(url).ok_or(MEND)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `sqlite://data/convenor.db` is relative to the working directory, `sqlite:///var/lib/convenor.db` is not.
fn database_url(text: &str) -> Result<DatabaseUrl, &'static str> {
    const MEND: &str = "write \"sqlite://\" and the path of a file, for example \"sqlite://data/convenor.db\", \
                        or \"postgres://user@host/database\"";
    if let Some(rest) = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
    {
        // libpq knows addresses without a host, whose `?host=` is the folder of a socket; URLs with a user need one.
        let url = format!("postgres://{}", rest.replacen("@/", "@localhost/", 1));
        let good = url.parse::<sqlx::postgres::PgConnectOptions>().is_ok();
        return good.then(|| DatabaseUrl::Postgres(SecretString::from(url))).ok_or(MEND);
    }
    match text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
        Some(path) if !path.is_empty() && !path.starts_with(":memory:") => Ok(DatabaseUrl::Sqlite(PathBuf::from(path))),
        _ => Err(MEND),
    }
}

fn has_password(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return text.contains('@');
    };
    url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
}

fn share(text: &str) -> Result<f64, &'static str> {
    let percent = text
        .trim()
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok());
    match percent {
        Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("write a share of GitLab's limits from \"1%\" to \"100%\""),
    }
}

fn log_filter(text: &str) -> Result<String, &'static str> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err("write a level (error, warn, info, debug, trace) or pairs such as \"info,convenor::worker=debug\"")
        }
    }
}
