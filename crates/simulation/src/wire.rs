//! The way to GitLab: the client's transport, with everything that can happen on it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use convenor::gitlab::{Broken, Transport, Words};
use http::{Request, Response};
use tokio::time::{Instant, sleep};

use crate::branches;
use crate::faults::CallFault;
use crate::post;
use crate::rules;
use crate::sim::{Sim, Who};

/// How long the client waits for an answer that does not come.
const TIME_OUT: Duration = Duration::from_secs(30);
/// GitLab gives up a request after a minute; later than this no effect appears.
const LATEST: u64 = 25;

/// A replica of GitLab's database that is further behind is not asked (`max_replication_lag_time`).
const MOST_LAG: Duration = Duration::from_secs(60);

/// So much of what a write sends is shown.
const MOST_SHOWN: usize = 1500;

/// One life's way to GitLab.
pub(crate) struct Wire {
    pub(crate) sim: Arc<Sim>,
    pub(crate) who: Who,
}

#[async_trait]
impl Transport for Wire {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let (sim, who) = (&self.sim, self.who);
        sim.awake(who).await;
        let began = Instant::now();
        let is_write = is_write(&request);
        if is_write {
            rules::begins(sim, who);
            branches::is_sent(sim, who, &request);
        }
        let (number, fault) = sim.next_call(is_write);
        for act in sim.acts_at(number) {
            act.happen(sim);
        }
        sim.some_time(200).await;
        sim.awake(who).await;
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let line = format!("{method} {}", shown(&request));
        let body = is_write.then(|| request.body().clone());
        let outcome = self.meet(fault, request, began).await;
        let status = outcome.as_ref().map_or(0, |answer| answer.status().as_u16());
        sim.tell(
            Some(who),
            || match fault {
                None => format!("#{number} {line} -> {status}"),
                Some(fault) => format!("#{number} {line} -> {status}  [{fault:?}]"),
            },
            (number, &line, status),
        );
        if let Some(body) = body {
            let words = || {
                let sent: String = String::from_utf8_lossy(&body).chars().take(MOST_SHOWN).collect();
                format!("#{number} sent {sent}")
            };
            sim.tell(Some(who), words, ());
        }
        sim.some_time(100).await;
        sim.awake(who).await;
        rules::was_answered(sim, who, &method, &path, status);
        outcome
    }
}

impl Wire {
    async fn meet(
        &self,
        fault: Option<CallFault>,
        request: Request<Bytes>,
        began: Instant,
    ) -> Result<Response<Bytes>, Broken> {
        let (sim, who) = (&self.sim, self.who);
        let Some(fault) = fault else {
            return effect(sim, Some(who), began, request);
        };
        match fault {
            CallFault::NotConnected => Err(Broken::NotConnected(Words::new("connection refused"))),
            CallFault::Unavailable => Ok(page(503)),
            CallFault::RetryLater => Ok(retry_later()),
            CallFault::TooMany => Ok(refusal(429, "This endpoint has been requested too many times.")),
            CallFault::Forbidden => Ok(refusal(403, "403 Forbidden")),
            CallFault::NotFound => Ok(refusal(404, "404 Project Not Found")),
            CallFault::Unauthorized => Ok(refusal(401, "401 Unauthorized")),
            CallFault::Html => Ok(page(200)),
            CallFault::LostAnswer | CallFault::CutAnswer => {
                let _ = effect(sim, Some(who), began, request);
                Err(lost())
            }
            CallFault::BadGateway => {
                let _ = effect(sim, Some(who), began, request);
                Ok(page(502))
            }
            // What has stood still has taken its time already, as in `Sim::freeze`.
            CallFault::Late if sim.stood_still(who, began) => {
                let _ = effect(sim, Some(who), began, request);
                Err(lost())
            }
            CallFault::Late => {
                let (late, after) = (sim.clone(), sim.locked().rng.u64(0..=LATEST));
                tokio::spawn(async move {
                    sleep(TIME_OUT + Duration::from_secs(after)).await;
                    late.tell(None, || "the late call has its effect".to_owned(), 1_u8);
                    let _ = effect(&late, None, began, request);
                });
                sleep(TIME_OUT).await;
                Err(lost())
            }
            CallFault::Stale => {
                let old = sim.locked().answers.get(&asked(&request)).cloned();
                let old = old.and_then(|(at, answer)| (at.elapsed() <= MOST_LAG).then_some(answer));
                old.map_or_else(|| effect(sim, Some(who), began, request), Ok)
            }
            CallFault::Short => effect(sim, Some(who), began, request).map(shortened),
            CallFault::CrashBefore => {
                sim.crash(who).await;
                Err(lost())
            }
            CallFault::CrashAfter => {
                let _ = effect(sim, Some(who), began, request);
                sim.crash(who).await;
                Err(lost())
            }
            CallFault::Freeze => {
                sim.freeze(who, began);
                sim.awake(who).await;
                effect(sim, Some(who), began, request)
            }
        }
    }
}

/// GitLab does what it is asked. `who`: the caller, while it still waits; `began`: when it sent it.
fn effect(
    sim: &Arc<Sim>,
    who: Option<Who>,
    began: Instant,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Broken> {
    sim.sync();
    // One that comes late was counted as one that may come.
    let still_counts = who.is_some();
    let key = asked(&request);
    if !is_write(&request) {
        let answer = sim.world.exchange(request).received.whole().ok_or_else(lost)?;
        rules::was_read(sim, who, &key, &answer);
        if answer.status().is_success() {
            sim.locked().answers.insert(key, (Instant::now(), answer.clone()));
        }
        return Ok(answer);
    }
    let path = request.uri().path().to_owned();
    let write = rules::Write::of(&request);
    rules::before(sim, &write);
    let answer = sim.world.exchange(request).received.whole().ok_or_else(lost)?;
    if answer.status().is_success() {
        sim.locked().counts.writes += u64::from(still_counts);
        forget_what_was_taken_meanwhile(sim, &path, began);
        rules::after(sim, who, &write, &answer);
    }
    post::collect(sim);
    Ok(answer)
}

/// A call that was under way already when a person took its thing away puts it back without anybody's will: GitLab takes no
/// condition with it.
fn forget_what_was_taken_meanwhile(sim: &Sim, path: &str, began: Instant) {
    let memories = &mut sim.locked().memories;
    if path.ends_with("/members") {
        memories.member_gone = memories.member_gone.filter(|gone| *gone < began);
    }
    if path.ends_with("/boards") {
        memories.board_gone = memories.board_gone.filter(|gone| *gone < began);
    }
}

fn is_write(request: &Request<Bytes>) -> bool {
    let is_query = || {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let document = body["query"].as_str().unwrap_or_default().trim_start();
        !document.starts_with("mutation")
    };
    request.method() != "GET" && !(request.uri().path().ends_with("/graphql") && is_query())
}

/// What a read asks for.
fn asked(request: &Request<Bytes>) -> String {
    format!("{}{}", request.uri(), String::from_utf8_lossy(request.body()))
}

fn shown(request: &Request<Bytes>) -> String {
    let uri = request.uri();
    let path = uri.path().trim_start_matches("/api/v4");
    uri.query()
        .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn lost() -> Broken {
    Broken::Lost(Words::new("connection closed before the answer"))
}

fn answer(status: u16, kind: &str, body: String) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    if let Ok(kind) = kind.parse() {
        answer.headers_mut().insert("content-type", kind);
    }
    answer
}

fn page(status: u16) -> Response<Bytes> {
    answer(
        status,
        "text/html",
        "<!DOCTYPE html><html><body>Sign in</body></html>".to_owned(),
    )
}

fn refusal(status: u16, message: &str) -> Response<Bytes> {
    let body = serde_json::json!({ "message": message });
    answer(status, "application/json", body.to_string())
}

fn retry_later() -> Response<Bytes> {
    let mut answer = answer(429, "text/plain", "Retry later\n".to_owned());
    answer
        .headers_mut()
        .insert("retry-after", http::HeaderValue::from_static("7"));
    answer
}

/// A list without its second half; the headers still tell how long it is.
fn shortened(answer: Response<Bytes>) -> Response<Bytes> {
    match serde_json::from_slice(answer.body()) {
        Ok(serde_json::Value::Array(mut rows)) => {
            rows.truncate(rows.len() / 2);
            answer.map(|_| Bytes::from(serde_json::Value::Array(rows).to_string()))
        }
        _ => answer,
    }
}
