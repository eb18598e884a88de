//! The webhook door.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use convenor::store::StoredDelivery;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use sha2::Sha256;

use super::database::Database;
use super::house::{Eyes, Hands, House, OF_NO_INTEREST, SIGNING, TOKEN, about_proposal, client, open, settings, until};

/// A service, a client, and what it stored.
struct Door {
    folder: tempfile::TempDir,
    house: House,
    hands: Hands,
}

impl Door {
    async fn open(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hands = Hands::new();
        let house = House::start(&settings(folder.path(), more), hands.clock(), Eyes::content()).await;
        Self { folder, house, hands }
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> StatusCode {
        let mut request = client().post(self.house.url("/webhooks/gitlab"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap().status()
    }

    /// Stops the service and shows what is in the file.
    async fn stored(self) -> Vec<StoredDelivery> {
        self.house.stop().await;
        let store = open(self.folder.path()).await;
        let deliveries = store.list_deliveries(1000).await.unwrap();
        store.close().await;
        deliveries
    }
}

fn sign(id: &str, seconds: i64, body: &[u8]) -> String {
    let key: Vec<u8> = (0..32).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn an_authentic_delivery_is_stored_before_the_answer() {
    let door = Door::open(&[]).await;
    let headers = [
        ("x-gitlab-token", TOKEN),
        ("x-gitlab-event", "Issue Hook"),
        ("x-gitlab-instance", "https://gitlab.example.com"),
        ("idempotency-key", "key-1"),
    ];
    assert_eq!(door.post(&headers, about_proposal(12)).await, StatusCode::OK);
    // Another connection sees it at once: it was committed before the answer.
    let reader = open(door.folder.path()).await;
    let (delivery, _) = reader.delivery("key-1").await.unwrap().unwrap();
    assert_eq!(delivery.event.as_deref(), Some("Issue Hook"));
    assert_eq!(delivery.instance.as_deref(), Some("https://gitlab.example.com"));
    assert_eq!(
        (delivery.reason, delivery.things),
        (None, vec!["proposal cop#12".to_owned()])
    );
    reader.close().await;
    door.house.stop().await;
}

#[tokio::test]
async fn a_repeat_is_answered_and_not_stored_again() {
    let door = Door::open(&[]).await;
    for uuid in ["a", "b", "c"] {
        let headers = [
            ("x-gitlab-token", TOKEN),
            ("idempotency-key", "same"),
            ("x-gitlab-event-uuid", uuid),
        ];
        assert_eq!(door.post(&headers, about_proposal(1)).await, StatusCode::OK);
    }
    assert_eq!(door.stored().await.len(), 1);
}

#[tokio::test]
async fn the_event_uuid_is_no_delivery_id() {
    let door = Door::open(&[]).await;
    for key in ["one", "two"] {
        let headers = [
            ("x-gitlab-token", TOKEN),
            ("idempotency-key", key),
            ("x-gitlab-event-uuid", "same"),
        ];
        assert_eq!(door.post(&headers, "{}").await, StatusCode::OK);
    }
    assert_eq!(door.stored().await.len(), 2);
}

#[tokio::test]
async fn without_a_key_the_body_tells_repeats() {
    let door = Door::open(&[]).await;
    for body in ["{}", "{}", r#"{"a":1}"#] {
        assert_eq!(door.post(&[("x-gitlab-token", TOKEN)], body).await, StatusCode::OK);
    }
    let stored = door.stored().await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|delivery| delivery.key.starts_with("sha256:")));
}

#[tokio::test]
async fn a_signature_is_accepted_and_a_wrong_one_is_not_saved_by_the_token() {
    let door = Door::open(&[("CONVENOR_WEBHOOK__SIGNING_TOKEN", SIGNING)]).await;
    let now = door.hands.now().as_second();
    let body = &*about_proposal(3);
    let post = async |id: &str, seconds: i64, signature: &str, body: &str| {
        let seconds = seconds.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", signature),
            ("x-gitlab-token", TOKEN),
        ];
        door.post(&headers, body.to_owned()).await
    };
    let good = sign("id-1", now, body.as_bytes());
    assert_eq!(post("id-1", now, &good, body).await, StatusCode::OK);
    assert_eq!(post("id-2", now, &good, body).await, StatusCode::UNAUTHORIZED);
    assert_eq!(post("id-1", now + 1, &good, body).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        post("id-1", now, &good, &about_proposal(4)).await,
        StatusCode::UNAUTHORIZED
    );
    let old = sign("id-3", now - 301, body.as_bytes());
    assert_eq!(post("id-3", now - 301, &old, body).await, StatusCode::UNAUTHORIZED);
    // A resend keeps the id and is signed anew.
    let again = sign("id-1", now + 60, body.as_bytes());
    assert_eq!(post("id-1", now + 60, &again, body).await, StatusCode::OK);
    assert_eq!(
        door.stored()
            .await
            .iter()
            .map(|delivery| delivery.key.as_str())
            .collect::<Vec<_>>(),
        ["id-1"]
    );
}

#[tokio::test]
async fn without_proof_nothing_is_stored() {
    let door = Door::open(&[]).await;
    for headers in [vec![], vec![("x-gitlab-token", "wrong")], vec![("x-gitlab-token", "")]] {
        assert_eq!(door.post(&headers, "{}").await, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    assert_eq!(door.stored().await, []);
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_the_body_is_sent() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let door = Door::open(&[]).await;
    let mut stream = tokio::net::TcpStream::connect(door.house.address).await.unwrap();
    let head = "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: wrong\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
}

#[tokio::test]
async fn what_is_of_no_interest_or_no_json_gets_a_2xx_and_is_noted() {
    let door = Door::open(&[]).await;
    let post = async |key: &str, body: &'static [u8]| {
        door.post(&[("x-gitlab-token", TOKEN), ("idempotency-key", key)], body)
            .await
    };
    assert_eq!(post("nothing", OF_NO_INTEREST.as_bytes()).await, StatusCode::OK);
    assert_eq!(post("unreadable", b"\xff{ not json").await, StatusCode::OK);
    assert_eq!(post("empty", b"").await, StatusCode::OK);
    let mut stored = door.stored().await;
    stored.sort_by(|one, other| one.key.cmp(&other.key));
    let seen: Vec<_> = stored
        .iter()
        .map(|row| (row.key.as_str(), row.reason.is_some(), row.things.join(",")))
        .collect();
    let program = "program cop".to_owned();
    assert_eq!(
        seen,
        [
            ("empty", true, program.clone()),
            ("nothing", true, String::new()),
            ("unreadable", true, program)
        ]
    );
}

#[tokio::test]
async fn a_body_is_kept_when_it_could_not_be_understood_or_when_told_to() {
    let proposal = about_proposal(12);
    let (odd, large) = ("{}", vec![b'x'; (25 << 20) + 1]);
    let bodies: [(&str, &[u8], usize); 4] = [
        ("understood", proposal.as_bytes(), 0),
        ("nothing", OF_NO_INTEREST.as_bytes(), 0),
        ("odd", odd.as_bytes(), odd.len()),
        ("large", &large, 2 << 10),
    ];
    for keep in ["unreadable", "all"] {
        let door = Door::open(&[("CONVENOR_DATABASE__KEEP_BODIES", keep)]).await;
        for (key, body, _) in bodies {
            let headers = [("x-gitlab-token", TOKEN), ("idempotency-key", key)];
            assert_eq!(door.post(&headers, body.to_vec()).await, StatusCode::OK);
        }
        let store = open(door.folder.path()).await;
        for (key, body, kept) in bodies {
            let kept = if kept == 0 && keep == "all" { body.len() } else { kept };
            let (delivery, stored) = store.delivery(key).await.unwrap().unwrap();
            assert_eq!(stored, &body[..kept], "{key} with {keep}");
            assert_eq!(delivery.body_bytes, body.len() as i64, "{key} with {keep}");
        }
        store.close().await;
        door.house.stop().await;
    }
}

#[tokio::test]
async fn a_chunked_body_is_read_like_any_other() {
    let door = Door::open(&[]).await;
    let text = about_proposal(5).into_bytes();
    let chunks: Vec<_> = text
        .chunks(7)
        .map(|chunk| Ok::<_, std::io::Error>(hyper::body::Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    let body = reqwest::Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(chunks)));
    assert_eq!(door.post(&[("x-gitlab-token", TOKEN)], body).await, StatusCode::OK);
    assert_eq!(door.stored().await[0].things, ["proposal cop#5"]);
}

#[tokio::test]
async fn a_body_of_25_mb_is_read_and_a_larger_one_is_a_reason_to_look_at_everything() {
    let door = Door::open(&[]).await;
    let body = |length: usize| {
        let mut body = about_proposal(6).into_bytes();
        body.truncate(body.len() - 1);
        body.extend_from_slice(br#","filler":""#);
        body.resize(length - 2, b'x');
        body.extend_from_slice(b"\"}");
        body
    };
    let headers = |key| [("x-gitlab-token", TOKEN), ("idempotency-key", key)];
    assert_eq!(door.post(&headers("largest"), body(25 << 20)).await, StatusCode::OK);
    assert_eq!(
        door.post(&headers("too-large"), body((25 << 20) + 1)).await,
        StatusCode::OK
    );
    let stored = door.stored().await;
    let find = |key: &str| stored.iter().find(|delivery| delivery.key == key).unwrap();
    assert_eq!(find("largest").things, ["proposal cop#6"]);
    assert_eq!(
        (find("too-large").reason.as_deref(), &find("too-large").things[..]),
        (
            Some("the body is too large, so everything is looked at"),
            &["program cop".to_owned()][..]
        )
    );
    assert_eq!(find("too-large").body_bytes, (25 << 20) + 1);
}

#[tokio::test]
async fn a_large_body_without_a_valid_signature_is_refused() {
    let door = Door::open(&[
        ("CONVENOR_WEBHOOK__SIGNING_TOKEN", SIGNING),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", ""),
    ])
    .await;
    let now = door.hands.now().as_second();
    let body = vec![b'x'; (25 << 20) + 1];
    let seconds = now.to_string();
    let post = async |signature: &str| {
        let headers = [
            ("webhook-id", "big"),
            ("webhook-timestamp", &*seconds),
            ("webhook-signature", signature),
        ];
        door.post(&headers, body.clone()).await
    };
    assert_eq!(post(&sign("big", now, b"another body")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(post(&sign("big", now, &body)).await, StatusCode::OK);
    assert_eq!(door.stored().await.len(), 1);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_a_503_and_a_red_readyz() {
    let door = Door::open(&[]).await;
    let ready = async || client().get(door.house.url("/readyz")).send().await.unwrap().status();
    assert_eq!(ready().await, StatusCode::OK);
    // Another process holds the file's write lock for longer than we wait.
    let path = door.folder.path().join("convenor.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let other = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let response = client()
        .post(door.house.url("/webhooks/gitlab"))
        .header("x-gitlab-token", TOKEN)
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
    drop(lock);
    assert_eq!(door.post(&[("x-gitlab-token", TOKEN)], "{}").await, StatusCode::OK);
    assert_eq!(ready().await, StatusCode::OK);
}

#[tokio::test]
async fn many_deliveries_at_once_are_all_stored() {
    let door = Door::open(&[]).await;
    let client = client();
    let posts = (0..300).map(|number| {
        let request = client
            .post(door.house.url("/webhooks/gitlab"))
            .header("x-gitlab-token", TOKEN)
            .header("idempotency-key", format!("key-{number}"))
            .body(about_proposal(number % 7));
        async move { request.send().await.unwrap().status() }
    });
    let statuses = futures_util::future::join_all(posts).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    assert_eq!(door.stored().await.len(), 300);
}

#[tokio::test]
async fn a_repeats_thing_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let eyes = Eyes::content();
    let house = House::start(&settings(folder.path(), &[]), Hands::new().clock(), eyes.clone()).await;
    let post = async || {
        let request = client()
            .post(house.url("/webhooks/gitlab"))
            .header("x-gitlab-token", TOKEN);
        let response = request
            .header("idempotency-key", "same")
            .body(about_proposal(9))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    };
    let looks = || eyes.seen().iter().filter(|thing| *thing == "proposal cop#9").count();
    post().await;
    until("the first look", async || (looks() == 1).then_some(())).await;
    post().await;
    until("the look for the repeat", async || (looks() == 2).then_some(())).await;
    house.stop().await;
}

#[tokio::test]
async fn a_repeat_is_no_2xx_when_nobody_can_see_whether_it_is_stored() {
    let database = Database::sqlite();
    let Database::Sqlite(folder) = &database else {
        unreachable!()
    };
    let house = House::start(&settings(folder.path(), &[]), Hands::new().clock(), Eyes::content()).await;
    let post = async || {
        let request = client()
            .post(house.url("/webhooks/gitlab"))
            .header("x-gitlab-token", TOKEN);
        let request = request.header("idempotency-key", "same").body(about_proposal(9));
        request.send().await.unwrap().status()
    };
    assert_eq!(post().await, StatusCode::OK);
    assert_eq!(post().await, StatusCode::OK);
    database.execute("alter table delivery rename to gone").await;
    assert_eq!(post().await, StatusCode::SERVICE_UNAVAILABLE);
    database.execute("alter table gone rename to delivery").await;
    assert_eq!(post().await, StatusCode::OK);
    house.stop().await;
}

#[tokio::test]
async fn other_paths_and_methods_are_no_500() {
    let door = Door::open(&[]).await;
    let client = client();
    for (method, path, expected) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/webhooks/gitlab", 405),
        ("POST", "/healthz", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/webhooks/gitlab/more", 404),
    ] {
        let request = client.request(method.parse().unwrap(), door.house.url(path));
        assert_eq!(
            request.send().await.unwrap().status().as_u16(),
            expected,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(&settings(folder.path(), &[]), Hands::new().clock(), Eyes::content()).await;
    for path in ["/webhooks/gitlab", "/healthz", "/readyz", "/", "/nowhere/<script>"] {
        let answer = client().get(house.url(path)).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert!(!answer.text().await.unwrap().contains('<'), "{path}");
    }
    house.stop().await;
}
