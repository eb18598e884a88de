//! Sending webhooks: the headers GitLab puts on them, time-outs, and what may happen on the way.

use super::{Delivery, Hook, Past};
use crate::state::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A webhook that waits to be sent, exactly as it will be: tests that need no network hand it to the receiver themselves.
#[derive(Debug, Clone)]
pub struct PendingDelivery {
    /// The delivery's number; [`crate::Sandbox::answer_delivery`] takes it.
    pub id: u64,
    /// Where it goes.
    pub url: String,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A webhook that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentDelivery {
    /// The delivery's number.
    pub id: u64,
    /// The value of `X-Gitlab-Event`.
    pub event: String,
    /// The value of `Idempotency-Key`.
    pub idempotency_key: String,
    /// The receiver's answer; none when there was none within the time-out.
    pub status: Option<u16>,
}

/// The headers of one sending: id, times and signature are made anew each time, the idempotency key stays.
pub(crate) fn headers(state: &mut State, hook: &Hook, delivery: &Delivery, now: Timestamp) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| headers.push((name.to_owned(), value));
    put("Content-Type", "application/json".to_owned());
    put("User-Agent", format!("GitLab/{}", state.config.version));
    put("X-Gitlab-Event", delivery.event.clone());
    put("X-Gitlab-Instance", state.url.clone());
    put("X-Gitlab-Webhook-UUID", state.uuid());
    put("X-Gitlab-Event-UUID", delivery.event_uuid.clone());
    put("Idempotency-Key", delivery.idempotency_key.clone());
    if let Some(token) = hook.token.as_deref().filter(|t| !t.is_empty()) {
        put("X-Gitlab-Token", token.replace(['\r', '\n'], ""));
    }
    if let Some(key) = &hook.signing_key {
        let timestamp = now.as_second().to_string();
        put(
            "webhook-signature",
            signature(key, &delivery.idempotency_key, &timestamp, &delivery.body),
        );
        put("webhook-id", delivery.idempotency_key.clone());
        put("webhook-timestamp", timestamp);
    }
    for (name, value) in &hook.custom_headers {
        if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            headers.push((name.clone(), value.clone()));
        }
    }
    headers
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
pub(crate) fn signature(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Sends webhooks over real HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: reqwest::Client,
}

impl Sender {
    pub(crate) fn new(timeout: std::time::Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client })
    }

    /// Sends everything that waits and everything that this sets off, one after the other.
    pub(crate) async fn send_waiting(&self, state: &Arc<Mutex<State>>) -> Vec<SentDelivery> {
        let mut sent = Vec::new();
        loop {
            let (batch, delay) = take_batch(state);
            if batch.is_empty() {
                return sent;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            for delivery in batch {
                sent.extend(self.send(state, delivery).await);
            }
        }
    }

    /// Sends one delivery and writes down what came of it; nothing when its hook is gone.
    pub(crate) async fn send(&self, state: &Arc<Mutex<State>>, delivery: Delivery) -> Option<SentDelivery> {
        let (url, headers) = prepared(state, &delivery)?;
        let started = Instant::now();
        let mut request = self.client.post(&url).body(delivery.body.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let (status, body, error) = match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                (Some(status), answer.text().await.unwrap_or_default(), None)
            }
            Err(error) => (None, String::new(), Some(error.without_url().to_string())),
        };
        let sent = SentDelivery {
            id: delivery.id,
            event: delivery.event.clone(),
            idempotency_key: delivery.idempotency_key.clone(),
            status,
        };
        let mut state = crate::locked(state);
        let at = state.today();
        state.record_delivery(Past {
            delivery,
            url,
            request_headers: headers,
            status,
            response_body: body.chars().take(8192).collect(),
            error,
            at,
            duration: started.elapsed().as_secs_f64(),
        });
        Some(sent)
    }
}

fn prepared(state: &Arc<Mutex<State>>, delivery: &Delivery) -> Option<(String, Vec<(String, String)>)> {
    let mut state = crate::locked(state);
    let hook = state.hook(delivery.owner, delivery.hook)?.clone();
    let now = state.today();
    let headers = headers(&mut state, &hook, delivery, now);
    Some((hook.url, headers))
}

/// Takes what waits off the queue, as the weather lets it through.
pub(crate) fn take_batch(state: &Arc<Mutex<State>>) -> (Vec<Delivery>, std::time::Duration) {
    let mut state = crate::locked(state);
    let weather = state.hook_log.weather.clone();
    let waiting = std::mem::take(&mut state.hook_log.waiting);
    let mut through: VecDeque<Delivery> = VecDeque::new();
    for delivery in waiting {
        if state.random.f64() < weather.lose {
            let text = format!("lost on the way: {} to hook {}", delivery.event, delivery.hook);
            state.hook_log.dropped.push(text);
            continue;
        }
        if state.random.f64() < weather.double {
            through.push_back(delivery.clone());
        }
        through.push_back(delivery);
    }
    let mut batch: Vec<Delivery> = through.into();
    for at in 1..batch.len() {
        if state.random.f64() < weather.swap {
            batch.swap(at - 1, at);
        }
    }
    (batch, weather.delay())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_agree_with_the_published_example() {
        let key: Vec<u8> = (0..32).collect();
        let id = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
        let expected = "v1,2eTaaJH84SLO5lMy23Bty0pclCP/m6Ugv9nv2qOgPyg=";
        assert_eq!(signature(&key, id, "1772701200", r#"{"a":1}"#), expected);
    }
}
