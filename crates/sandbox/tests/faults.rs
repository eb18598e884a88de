//! Faults as a client meets them, over real HTTP; limits; pages.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use gitlab_sandbox::{Act, Config, Effect, Fault, Role, Sandbox};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ISSUES: &str = "/projects/g%2Fp/issues";

struct Client {
    gitlab: Sandbox,
    token: String,
    http: reqwest::Client,
}

impl Client {
    fn new(config: Config) -> Self {
        let gitlab = Sandbox::start(config).unwrap();
        gitlab.add_project("g/p").unwrap();
        gitlab.add_member("g", "bot", Role::Owner).unwrap();
        let token = gitlab.add_token("bot");
        Self {
            gitlab,
            token,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    fn fault(&self, effect: Effect) {
        self.gitlab
            .add_fault(Fault::new(effect).path("/issues").unwrap().once());
    }

    async fn send(&self, method: &str, path: &str) -> reqwest::Result<reqwest::Response> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/api/v4{path}", self.gitlab.url());
        let mut request = self
            .http
            .request(method.clone(), url)
            .header("PRIVATE-TOKEN", &self.token);
        if method != "GET" {
            request = request.json(&json!({"title": "x"}));
        }
        request.send().await
    }

    fn opened(&self) -> usize {
        self.gitlab.issues("g/p").unwrap().len()
    }
}

/// Status (0: no answer), and how many issues there are afterwards.
async fn post_under(effect: Effect) -> (u16, usize) {
    let client = Client::new(Config::default());
    client.fault(effect);
    let status = client.send("POST", ISSUES).await.map_or(0, |a| a.status().as_u16());
    (status, client.opened())
}

#[tokio::test]
async fn some_faults_keep_the_effect_and_some_hide_it() {
    assert_eq!(post_under(Effect::Status(503)).await, (503, 0));
    assert_eq!(post_under(Effect::Disconnect).await, (0, 0));
    assert_eq!(post_under(Effect::RetryLater(7)).await, (429, 0));
    assert_eq!(post_under(Effect::TooManyRequests).await, (429, 0));
    assert_eq!(post_under(Effect::Html).await, (200, 0));
    assert_eq!(post_under(Effect::NotFound).await, (404, 0));
    assert_eq!(post_under(Effect::Forbidden).await, (403, 0));
    assert_eq!(post_under(Effect::RevokedToken).await, (401, 0));
    assert_eq!(post_under(Effect::LoseAnswer).await, (0, 1));
    assert_eq!(post_under(Effect::LoseAnswerWith(502)).await, (502, 1));
    assert_eq!(post_under(Effect::SlowAfter(1)).await, (201, 1));
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle() {
    let client = Client::new(Config::default());
    client.fault(Effect::CutAnswer);
    let answer = client.send("POST", ISSUES).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(answer.bytes().await.is_err());
    assert_eq!(client.opened(), 1);
}

#[tokio::test]
async fn slowness_is_before_or_after_the_effect() {
    let client = Client::new(Config {
        latency: Duration::from_millis(5),
        ..Config::default()
    });
    client.fault(Effect::SlowBefore(40));
    let started = Instant::now();
    client.send("GET", ISSUES).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(45));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_undo_what_it_asked_for() {
    let client = Client::new(Config::default());
    client.fault(Effect::SlowBefore(150));
    let gave_up = tokio::time::timeout(Duration::from_millis(30), client.send("POST", ISSUES)).await;
    assert!(gave_up.is_err());
    assert_eq!(client.opened(), 0);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(client.opened(), 1);
}

#[tokio::test]
async fn lists_can_be_short_and_stale() {
    let client = Client::new(Config::default());
    for _ in 0..3 {
        client.gitlab.admin().open_issue("g/p", "x", "", &[]).unwrap();
    }
    client.fault(Effect::ShortPage(1));
    let short = client.send("GET", ISSUES).await.unwrap();
    assert_eq!(short.headers()["x-total"], "3");
    assert_eq!(short.json::<Vec<Value>>().await.unwrap().len(), 1);
    client
        .gitlab
        .add_fault(Fault::new(Effect::Stale).path("/issues$").unwrap().skip(1));
    let read = async || {
        client
            .send("GET", ISSUES)
            .await
            .unwrap()
            .json::<Vec<Value>>()
            .await
            .unwrap()
            .len()
    };
    assert_eq!(read().await, 3);
    client.gitlab.admin().open_issue("g/p", "x", "", &[]).unwrap();
    assert_eq!(read().await, 3);
    client.gitlab.clear_faults();
    assert_eq!(read().await, 4);
}

#[tokio::test]
async fn a_person_can_act_in_between() {
    let client = Client::new(Config::default());
    let act = Act::new(|world| {
        world.admin().archive_project("g/p").unwrap();
    });
    client.fault(Effect::Before(act));
    assert_eq!(client.send("POST", ISSUES).await.unwrap().status(), 403);
    let calls = client.gitlab.calls();
    assert_eq!(
        (calls.len(), calls[0].user.as_deref()),
        (1, Some("bot")),
        "people's acts are not in the log"
    );
}

#[tokio::test]
async fn rate_limits_refuse_and_say_so() {
    let client = Client::new(Config {
        rate_limits: true,
        ..Config::still(jiff::Timestamp::UNIX_EPOCH)
    });
    let iid = client.gitlab.admin().open_issue("g/p", "x", "", &[]).unwrap();
    let notes = format!("{ISSUES}/{iid}/notes");
    let first = client.send("GET", &notes).await.unwrap();
    assert_eq!(
        (
            &first.headers()["ratelimit-limit"],
            &first.headers()["ratelimit-observed"]
        ),
        (&"2000".parse().unwrap(), &"1".parse().unwrap())
    );
    for _ in 0..200 {
        assert_eq!(client.send("POST", ISSUES).await.unwrap().status(), 201);
    }
    let refused = client.send("POST", ISSUES).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), refused.headers().get("retry-after")),
        (429, None)
    );
    client.gitlab.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(client.send("POST", ISSUES).await.unwrap().status(), 201);
}

#[tokio::test]
async fn pages_have_their_headers_and_links() {
    let client = Client::new(Config::default());
    for _ in 0..45 {
        client.gitlab.admin().open_issue("g/p", "x", "", &[]).unwrap();
    }
    let page = client.send("GET", &format!("{ISSUES}?page=2&labels=")).await.unwrap();
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        [
            "x-page",
            "x-per-page",
            "x-next-page",
            "x-prev-page",
            "x-total",
            "x-total-pages"
        ]
        .map(header),
        ["2", "20", "3", "1", "45", "3"]
    );
    assert!(
        header("link").contains("page=3&per_page=20>; rel=\"next\""),
        "{}",
        header("link")
    );
    let last = client
        .send("GET", &format!("{ISSUES}?page=3&per_page=500"))
        .await
        .unwrap();
    assert_eq!(
        (&last.headers()["x-per-page"], &last.headers()["x-next-page"]),
        (&"100".parse().unwrap(), &"".parse().unwrap())
    );
    let unknown = client.send("GET", &format!("{ISSUES}?stat=opened")).await.unwrap();
    assert_eq!(unknown.status(), 200);
    assert_eq!(
        client.gitlab.violations(),
        ["GET /projects/:id/issues: parameter `stat` has no effect"]
    );
    let raw = client.send("GET", "/projects/g/p").await.unwrap();
    assert_eq!(raw.json::<Value>().await.unwrap(), json!({"error": "404 Not Found"}));
}

#[tokio::test]
async fn pages_for_people_show_text_and_run_nothing() {
    let client = Client::new(Config::default());
    let evil = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>";
    let iid = client.gitlab.admin().open_issue("g/p", evil, evil, &["<b>"]).unwrap();
    client.gitlab.admin().comment("g/p", iid, evil).unwrap();
    client.gitlab.admin().push_file("g/p", "main", "evil.md", evil).unwrap();
    for path in [
        "",
        "/-/issues",
        "/-/issues/1",
        "/-/blob/main/evil.md",
        "/-/boards",
        "/-/commits/main",
        "/-/labels",
    ] {
        let page = client
            .http
            .get(format!("{}/g/p{path}", client.gitlab.url()))
            .send()
            .await
            .unwrap();
        assert_eq!(page.status(), 200, "{path}");
        assert!(
            page.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("default-src 'none'")
        );
        let text = page.text().await.unwrap();
        for bad in ["<script", "href=\"javascript:", "<img", "<b>\"", "onerror=alert(1)>"] {
            assert!(!text.contains(bad), "{path}: {bad}");
        }
    }
    let url = client.gitlab.issue("g/p", iid).unwrap().web_url;
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 200);
}
