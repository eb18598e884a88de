//! Canary secrets through the whole story, at the most talkative log, with a proxy in front of GitLab that repeats them in every
//! refusal and points elsewhere: they are found nowhere, and nothing goes elsewhere.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gitlab_sandbox::{Config, Sandbox};
use http::{HeaderMap, Method, Response};
use serde_json::json;
use warp::Filter;

use super::canary::{everything_in, spelled};
use super::served::Installation;
use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE_PATH, people};

const HOOK_SECRET: &str = "hook-canary/0123456789+abcdef=";

fn assert_nowhere(place: &str, text: &[u8], secrets: &[&str]) {
    for secret in secrets {
        for spelling in spelled(secret) {
            let at = text
                .windows(spelling.len())
                .position(|window| window == spelling.as_bytes());
            let around = at.map(|at| {
                String::from_utf8_lossy(&text[at.saturating_sub(200)..(at + 200).min(text.len())]).into_owned()
            });
            assert_eq!(around, None, "{spelling} is in {place}");
        }
    }
}

/// A proxy between us and GitLab, which now and then does what misconfigured ones do.
struct Proxy {
    gitlab: String,
    /// Another host, to which nobody has any business to go.
    elsewhere: String,
    http: reqwest::Client,
    calls: AtomicUsize,
    /// How many calls it may still spoil.
    spoils: AtomicUsize,
    /// Whether a secret came in any other place than its header.
    misplaced: Mutex<Vec<String>>,
    token: String,
}

impl Proxy {
    async fn answer(
        self: Arc<Self>,
        method: Method,
        path: String,
        query: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response<Vec<u8>> {
        self.note_misplaced(&path, &query, &headers, &body);
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let spoils = call % 4 == 3
            && self
                .spoils
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        if spoils {
            return self.spoiled(call / 4, &headers, &body);
        }
        let question = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{question}{query}", self.gitlab);
        let mut forwarded = self.http.request(method, url).headers(headers);
        if !body.is_empty() {
            forwarded = forwarded.body(body);
        }
        let answer = forwarded.send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if !["transfer-encoding", "content-length", "connection", "link"].contains(&name.as_str()) {
                response = response.header(name, value);
            }
        }
        // "The next page is over there."
        response = response.header("link", format!("<{}/api/v4/next?page=2>; rel=\"next\"", self.elsewhere));
        response.body(answer.bytes().await.unwrap().to_vec()).unwrap()
    }

    fn note_misplaced(&self, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) {
        let mut seen = vec![format!("{path}?{query}").into_bytes(), body.to_vec()];
        seen.extend(
            headers
                .iter()
                .filter(|(name, _)| *name != "private-token")
                .map(|(_, value)| value.as_bytes().to_vec()),
        );
        for text in seen {
            if spelled(&self.token)
                .iter()
                .any(|spelling| text.windows(spelling.len()).any(|window| window == spelling.as_bytes()))
            {
                self.misplaced
                    .lock()
                    .unwrap()
                    .push(format!("{path}: {}", String::from_utf8_lossy(&text)));
            }
        }
    }

    /// A refusal that repeats what was sent, in one of the shapes that refusals have.
    fn spoiled(&self, number: usize, headers: &HeaderMap, body: &[u8]) -> Response<Vec<u8>> {
        let token = headers.get("private-token").unwrap().to_str().unwrap();
        let sent = String::from_utf8_lossy(body);
        let words = format!(
            "you sent {token} = {} = {}, and {HOOK_SECRET} in {sent}",
            STANDARD.encode(token),
            STANDARD.encode(format!("bot:{token}"))
        );
        let json = |status: u16, value: serde_json::Value| (status, "application/json", value.to_string());
        let (status, kind, text) = match number % 10 {
            0 => json(400, json!({ "message": { "base": [words] } })),
            1 => json(401, json!({ "message": words })),
            2 => json(
                403,
                json!({ "error": "insufficient_scope", "error_description": words, "scope": token }),
            ),
            3 => json(403, json!({ "message": words })),
            4 => json(409, json!({ "message": [words] })),
            5 => json(422, json!({ "error": words })),
            6 => (500, "text/html", format!("<html>{words}</html>")),
            7 => (502, "text/plain", words),
            8 => (200, "text/html", format!("<html>{words}</html>")),
            _ => (302, "text/html", words),
        };
        let mut response = Response::builder().status(status).header("content-type", kind);
        if status == 302 {
            response = response.header(
                "location",
                format!("{}/api/v4/user?private_token={token}", self.elsewhere),
            );
        }
        response.body(text.into_bytes()).unwrap()
    }
}

async fn open_proxy(gitlab: &Sandbox, elsewhere: &str, token: &str) -> (Arc<Proxy>, String) {
    let proxy = Arc::new(Proxy {
        gitlab: gitlab.url().to_owned(),
        elsewhere: elsewhere.to_owned(),
        http: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap(),
        calls: AtomicUsize::new(0),
        spoils: AtomicUsize::new(0),
        misplaced: Mutex::default(),
        token: token.to_owned(),
    });
    let shared = proxy.clone();
    let route = warp::any()
        .map(move || shared.clone())
        .and(warp::method())
        .and(warp::path::full().map(|path: warp::path::FullPath| path.as_str().to_owned()))
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .then(Proxy::answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(warp::serve(route).incoming(listener).run());
    (proxy, address)
}

/// A host that counts who comes.
async fn open_elsewhere() -> (Arc<AtomicUsize>, String) {
    let visits = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let counted = visits.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (visits, address)
}

fn settings(proxy: &str) -> String {
    format!(
        "[gitlab]\nurl = \"{proxy}\"\nrate_share = \"100%\"\n[schedule]\nresync = \"1s\"\n\
         [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\n\
         [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n"
    )
}

/// News of the proposal: nobody waits for the pauses after failed looks.
fn knock(installation: &Installation) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    // Not more than a few times a second.
    if !number.is_multiple_of(10) {
        return;
    }
    let body = json!({
        "object_kind": "issue", "project": { "path_with_namespace": INTAKE }, "object_attributes": { "iid": 1 }
    });
    let body = body.to_string();
    let head = format!(
        "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {HOOK_SECRET}\r\nidempotency-key: knock-{number}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = std::net::TcpStream::connect(&installation.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_repeated_anywhere_and_nothing_goes_elsewhere() {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    let token = people(&gitlab);
    let (visits, elsewhere) = open_elsewhere().await;
    let (proxy, url) = open_proxy(&gitlab, &elsewhere, &token).await;
    let variables = [
        ("CONVENOR_GITLAB__TOKEN", token.as_str()),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", HOOK_SECRET),
    ];
    let installation = Installation::new(&settings(&url), &variables);
    let mut printed = installation.run(&["init"]);
    let served = installation.serve();
    // Each shape of refusal once.
    proxy.spoils.store(10, Ordering::SeqCst);
    gitlab
        .person("proposer")
        .unwrap()
        .open_issue(INTAKE, "New community", FORM, &["cop::proposed"])
        .unwrap();
    served.until("everything is spoiled", |_| {
        knock(&installation);
        proxy.spoils.load(Ordering::SeqCst) == 0
    });
    for command in [
        ["queue", "list"],
        ["queue", "--json"],
        ["deliveries", "list"],
        ["plan", "--json"],
    ] {
        printed += &installation.run(&command);
    }
    served.until("the community is there", |_| {
        knock(&installation);
        gitlab.merge_requests(HANDBOOK).is_ok_and(|found| !found.is_empty())
    });
    proxy.spoils.store(10, Ordering::SeqCst);
    for command in [
        &["doctor"][..],
        &["doctor", "--json"],
        &["plan"],
        &["apply"],
        &["init"],
        &["-vv", "similar", "Rust"],
    ] {
        printed += &installation.run(command);
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for route in [
        "/",
        "/metrics",
        "/readyz",
        "/healthz",
        "/operations",
        "/webhooks/gitlab",
    ] {
        let answer = http
            .get(format!("http://{}{route}", installation.address))
            .send()
            .await
            .unwrap();
        assert!(answer.headers().contains_key("content-security-policy"), "{route}");
        printed += &format!("{:?}{}", answer.headers().clone(), answer.text().await.unwrap());
    }
    let log = served.log();
    assert!(
        log.contains("GitLab answered") && log.contains("a look failed"),
        "little was logged"
    );
    assert!(
        log.contains("[secret]") || printed.contains("[secret]"),
        "nothing was ever repeated: this proves little"
    );
    drop(served);
    let secrets = [token.as_str(), HOOK_SECRET];
    assert_nowhere("the log", log.as_bytes(), &secrets);
    assert_nowhere("what commands and pages print", printed.as_bytes(), &secrets);
    assert_nowhere("the database and its folder", &installation.kept(), &secrets);
    assert_nowhere("GitLab's texts", everything_in(&gitlab).as_bytes(), &secrets);
    assert_eq!(
        *proxy.misplaced.lock().unwrap(),
        Vec::<String>::new(),
        "the token stood elsewhere than in its header"
    );
    assert_eq!(visits.load(Ordering::SeqCst), 0, "somebody went elsewhere");
}

#[test]
fn settings_print_no_secret() {
    let environment = [
        ("CONVENOR_GITLAB__TOKEN", "glpat-canary-0123456789"),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", HOOK_SECRET),
        (
            "CONVENOR_WEBHOOK__SIGNING_TOKEN",
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        (
            "CONVENOR_DATABASE__URL",
            "postgres://convenor:canary-of-the-database@localhost/convenor",
        ),
    ];
    let environment = environment
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let settings = convenor::settings::Settings::parse("", &environment).unwrap();
    let secrets = settings.secrets();
    let printed = format!(
        "{settings:?} {secrets:?} {:?}",
        convenor::redact::Redactor::new(&secrets)
    );
    for secret in ["glpat-canary", HOOK_SECRET, "AAECAwQF", "canary-of-the-database"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
    assert_eq!(secrets.len(), 5, "the password of the database counts by itself");
}
