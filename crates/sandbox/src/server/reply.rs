//! Turning answers into bytes on the wire, whole or broken.

use crate::http::{Answer, Body};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::time::Duration;

const FLUSH: Duration = Duration::from_millis(10);

/// A body that may break off.
pub(super) type Stream = BoxBody<Bytes, io::Error>;

/// What goes out.
pub(super) enum Reply {
    /// A whole answer.
    Answer(Answer),
    /// An answer that breaks off in the middle.
    Cut(Answer),
    /// No answer: the connection closes.
    Nothing,
}

impl Reply {
    pub(super) fn into_response(self, head: bool, known: Option<&str>) -> Result<http::Response<Stream>, io::Error> {
        match self {
            Self::Nothing => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "a fault closed the connection",
            )),
            Self::Answer(answer) => whole(answer, head, known),
            Self::Cut(answer) => cut(answer),
        }
    }
}

fn whole(answer: Answer, head: bool, known: Option<&str>) -> Result<http::Response<Stream>, io::Error> {
    let (builder, bytes) = prepared(answer, known);
    let builder = builder.header("content-length", bytes.len());
    let bytes = if head { Bytes::new() } else { bytes };
    let body = Full::new(bytes).map_err(|never| match never {}).boxed();
    builder.body(body).map_err(io::Error::other)
}

fn cut(answer: Answer) -> Result<http::Response<Stream>, io::Error> {
    let (builder, bytes) = prepared(answer, None);
    let half = bytes.slice(..bytes.len() / 2);
    // The first half must have left before the connection breaks.
    let broken = stream::once(async {
        tokio::time::sleep(FLUSH).await;
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "a fault cut the answer",
        ))
    });
    let frames = stream::iter([Ok(Frame::data(half))]).chain(Box::pin(broken));
    builder
        .header("content-length", bytes.len())
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .map_err(io::Error::other)
}

/// Head and whole body of an answer. A good answer carries a weak `ETag`, as GitLab's do; where the caller knows it already
/// (`If-None-Match`), the answer is 304 without a body.
pub(super) fn prepared(answer: Answer, known: Option<&str>) -> (http::response::Builder, Bytes) {
    let mut builder = http::Response::builder();
    for (name, value) in &answer.headers {
        builder = builder.header(*name, value);
    }
    let (builder, bytes) = match answer.body {
        Body::Empty => (builder, Bytes::new()),
        Body::Bytes(kind, bytes) => (builder.header("content-type", kind), bytes),
        Body::Json(value) => (
            builder.header("content-type", "application/json"),
            escaped(&value.to_string()),
        ),
    };
    if answer.status != 200 {
        return (builder.status(answer.status), bytes);
    }
    let tag = tag(&bytes);
    let same = known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag || k.trim() == "*"));
    let builder = builder
        .header("etag", tag)
        .header("cache-control", "max-age=0, private, must-revalidate");
    if same {
        return (builder.status(304), Bytes::new());
    }
    (builder.status(200), bytes)
}

/// `W/"…"`, the same for the same bytes.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let first = hasher.finish();
    bytes.len().hash(&mut hasher);
    format!("W/\"{first:016x}{:016x}\"", hasher.finish())
}

/// GitLab's JSON has no bare `<`, `>` and `&`; they can only stand in strings, so a plain replacement is safe.
fn escaped(json: &str) -> Bytes {
    if !json.contains(['<', '>', '&']) {
        return Bytes::copy_from_slice(json.as_bytes());
    }
    Bytes::from(
        json.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026"),
    )
}
