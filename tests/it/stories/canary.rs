//! Every story is a search for its secrets, too: all that is logged at the most talkative level, all that is kept, shown and written into
//! GitLab is read, and no secret may be in it in any spelling. The sandbox's broken answers repeat the token, so each forced error is a
//! temptation.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlab_sandbox::Sandbox;
use tracing_subscriber::fmt::MakeWriter;

/// The secrets of all stories so far, each in all its spellings.
static SECRETS: RwLock<Vec<Vec<String>>> = RwLock::new(Vec::new());
/// What the log told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Lines that the log had.
static LINES: Mutex<usize> = Mutex::new(0);

/// A secret in the spellings in which it may travel, each without what depends on its neighbours.
pub(super) fn spelled(secret: &str) -> Vec<String> {
    let mut percent = String::new();
    let mut hex = String::new();
    for byte in secret.bytes() {
        write!(hex, "{byte:02x}").unwrap();
        if byte.is_ascii_alphanumeric() {
            percent.push(char::from(byte));
        } else {
            write!(percent, "%{byte:02X}").unwrap();
        }
    }
    let mut all = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        hex.to_uppercase(),
        hex,
    ];
    for before in ["", "x", "xx"] {
        let text = STANDARD.encode(format!("{before}{secret}"));
        all.push(text[4..text.len() - 4].to_owned());
    }
    all
}

/// From now on, this secret is searched for in everything that is logged.
pub(super) fn watch(secret: &str) {
    static STARTED: OnceLock<()> = OnceLock::new();
    let spellings = spelled(secret);
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if !secrets.contains(&spellings) {
        secrets.push(spellings);
    }
    drop(secrets);
    STARTED.get_or_init(|| {
        let all = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Read);
        tracing::subscriber::set_global_default(all.finish()).unwrap();
    });
}

/// The first secret in a text, with what stands around it.
fn found(text: &str) -> Option<String> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let at = secrets
        .iter()
        .flatten()
        .find_map(|spelling| text.find(spelling.as_str()))?;
    let begin = text.floor_char_boundary(at.saturating_sub(200));
    let end = text.ceil_char_boundary((at + 200).min(text.len()));
    Some(text[begin..end].to_owned())
}

/// A log that nobody sees and that is read to its end.
struct Read;

impl Write for Read {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if let Some(around) = found(&String::from_utf8_lossy(bytes)) {
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(around);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Read {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Fails when a secret stands in what a story left behind: the log, this folder with its database, or GitLab.
pub(super) fn nothing_told(folder: &Path, gitlab: &Sandbox) {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
    assert_eq!(told, None, "a secret is in the log");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let around = found(&String::from_utf8_lossy(&bytes));
        assert_eq!(around, None, "a secret is in {}", path.display());
    }
    assert_eq!(found(&everything_in(gitlab)), None, "a secret is in GitLab");
}

/// Fails when a secret stands in what we show.
pub(super) async fn shows_nothing(http: &reqwest::Client, door: &str) {
    for route in ["/", "/metrics", "/readyz"] {
        let answer = http.get(format!("{door}{route}")).send().await.unwrap();
        let text = format!("{:?} {}", answer.headers().clone(), answer.text().await.unwrap());
        assert_eq!(found(&text), None, "a secret is in {route}");
    }
}

/// All texts in GitLab.
pub(super) fn everything_in(gitlab: &Sandbox) -> String {
    let mut text = String::new();
    for project in gitlab.projects("acme").unwrap_or_default() {
        let path = &project.path_with_namespace;
        text.push_str(&format!("{project:?} {:?}", gitlab.merge_requests(path).unwrap()));
        for branch in gitlab.branches(path) {
            text.push_str(&format!("{:?}", gitlab.commits(path, &branch).unwrap()));
            for file in gitlab.paths(path, &branch) {
                text.extend(gitlab.text(path, &branch, &file));
            }
        }
        for issue in gitlab.issues(path).unwrap() {
            text.push_str(&format!("{issue:?} {:?}", gitlab.notes(path, issue.iid).unwrap()));
        }
    }
    text
}

/// The search finds what is there: else it would prove nothing.
#[test]
fn the_search_for_secrets_finds_them() {
    let secret = "glpat-a-secret-of-no-story-0123456789";
    watch(secret);
    for text in [
        format!("x{secret}y"),
        format!("{secret:?}"),
        STANDARD.encode(format!("bot:{secret}")),
        "%67x glpat%2Da%2Dsecret%2Dof%2Dno%2Dstory%2D0123456789".to_owned(),
    ] {
        assert!(found(&text).is_some(), "{text}");
    }
    assert_eq!(found("glpat-a-secret"), None);
    let before = *LINES.lock().unwrap();
    tracing::trace!(secret = "glpat-a-secret", "nothing");
    assert!(*LINES.lock().unwrap() > before, "nothing reads the log");
}
