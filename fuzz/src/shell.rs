//! Fuzz targets of the shell: what comes in over the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use convenor::gitlab::{Broken, Client, ClientSettings, Transport};
use convenor::intake::Secrets;
use convenor::redact::Redactor;
use convenor::settings::Settings;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use jiff::Timestamp;
use secrecy::SecretString;

use super::core::Target;

/// All of them.
pub const TARGETS: [Target; 3] = [("verifier", verifier), ("errors", errors), ("redactor", redactor)];

const TOKEN: &str = "the-secret-token-of-the-fuzzer";
const SIGNING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NAMES: [&str; 5] = [
    "x-gitlab-token",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-gitlab-event",
];

/// The verifier: nobody gets in without knowing a secret.
pub fn verifier(bytes: &[u8]) {
    let (believed, headers, body) = judged(bytes);
    let knows = headers
        .get("x-gitlab-token")
        .is_some_and(|token| token.as_bytes() == TOKEN.as_bytes());
    let signed = headers.contains_key("webhook-signature");
    assert!(
        !believed || (knows && !signed) || is_the_vector(&headers, body),
        "{headers:?}"
    );
}

/// Whether the delivery that some bytes describe is believed; its headers and body. The first byte says which headers it has.
pub fn judged(bytes: &[u8]) -> (bool, HeaderMap, &[u8]) {
    let environment = [
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN),
        ("CONVENOR_WEBHOOK__SIGNING_TOKEN", SIGNING),
    ];
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let settings = Settings::parse("", &environment).expect("good settings");
    let secrets = Secrets::new(&settings.webhook).expect("secrets");
    let mut parts = bytes.split(|byte| *byte == 0xff);
    let which = parts.next().and_then(|part| part.first()).copied().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (at, name) in NAMES.into_iter().enumerate() {
        let value = parts.next().map(HeaderValue::from_bytes);
        if let (Some(Ok(value)), true) = (value, which & (1 << at) != 0) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    // A time at which a signature of the fuzzer's seeds would hold.
    let now = Timestamp::from_second(1_772_701_200).expect("a time");
    let body = parts.next().unwrap_or_default();
    let believed = match secrets.judge_head(&headers, now) {
        Err(_) => false,
        Ok(proof) => proof.holds_for(body),
    };
    (believed, headers, body)
}

/// The one signature that is known: the published vector, of which seeds are made.
fn is_the_vector(headers: &HeaderMap, body: &[u8]) -> bool {
    let is = |name: &str, value: &str| {
        headers
            .get(name)
            .is_some_and(|given| given.as_bytes() == value.as_bytes())
    };
    body == br#"{"a":1}"#
        && is("webhook-id", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f")
        && is("webhook-timestamp", "1772701200")
}

struct Answers(Vec<u8>);

#[async_trait]
impl Transport for Answers {
    async fn carry(&self, _: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let status = self.0.first().map_or(400, |byte| 200 + u16::from(*byte) * 3 / 2);
        let kind = match self.0.get(1).map(|byte| byte % 3) {
            Some(0) => "application/json",
            Some(1) => "text/html",
            _ => "text/plain",
        };
        let body = Bytes::copy_from_slice(self.0.get(2..).unwrap_or_default());
        // 429 waits, which is no matter of this target.
        let status = if status == 429 { 428 } else { status };
        Ok(Response::builder()
            .status(status)
            .header("content-type", kind)
            .body(body)
            .expect("an answer"))
    }
}

/// Error bodies: whatever comes is a value or a short error without control characters and without the token.
pub fn errors(bytes: &[u8]) {
    let mut settings = ClientSettings::new("https://gitlab.example.com".parse().expect("an address"), TOKEN.into());
    settings.first_pause = std::time::Duration::ZERO;
    let client = Client::over(Arc::new(Answers(bytes.to_vec())), &settings).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    if let Err(error) = runtime.block_on(client.reader().current_user()) {
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains(char::is_control), "{printed:?}");
        assert!(printed.len() < 20_000 && !printed.contains(TOKEN), "{printed}");
    }
}

/// The redactor: what it leaves has no secret, and texts without one pass as they are.
pub fn redactor(bytes: &[u8]) {
    let secret = SecretString::from(TOKEN);
    let redactor = Redactor::new([&secret]);
    let mut text = bytes.to_vec();
    let at = text.len() / 2;
    text.splice(at..at, TOKEN.bytes());
    for text in [bytes.to_vec(), text] {
        let cleaned = redactor.clean(&text);
        assert!(!cleaned.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()));
        let twice = redactor.clean(&cleaned).into_owned();
        assert_eq!(twice, cleaned.as_ref());
    }
}
