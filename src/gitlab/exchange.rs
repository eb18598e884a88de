//! One request, one answer, over the one HTTP connection pool or over a transport that is handed in; nothing here waits for
//! a turn or repeats.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::LOCATION;
use http::{HeaderValue, Request, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::{BadClient, ClientSettings};
use super::error::{GitLabError, Words};
use super::operation::{Effect, Operation};
use super::origin::Origin;
use super::resolver::Guarded;
use crate::redact::Redactor;

/// Answers longer than this are refused: the largest we ask for is a page of 100 descriptions of up to 1 MB each.
const LONGEST_ANSWER: usize = 128 * 1024 * 1024;

/// So much of a refusal is read: GitLab says in a line what is wrong, proxies in a page.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// Carries a request to GitLab and its whole answer back. The service uses HTTP; a simulation puts itself in its place.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request, token and all, and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// Whether anything may have been sent.
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken>;
}

/// The way to GitLab, with what every request carries.
pub(crate) struct Exchange {
    transport: Arc<dyn Transport>,
    /// Another one comes when it was rotated.
    token: RwLock<HeaderValue>,
    /// Knows the rotated one too.
    redactor: Redactor,
}

/// HTTP, over one connection pool.
struct Http {
    client: reqwest::Client,
    timeout: Duration,
}

/// An attempt that brought no answer.
#[derive(Debug)]
pub enum Broken {
    /// No connection stood, so nothing was sent.
    NotConnected(Words),
    /// Something may have been sent, and no whole answer came.
    Lost(Words),
}

impl Exchange {
    pub(crate) fn new(settings: &ClientSettings, origin: &Origin) -> Result<Self, BadClient> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("convenor/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .dns_resolver(Guarded)
            .referer(false);
        if origin.is_loopback() {
            // A proxy of the environment has no business between two programs of one machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| BadClient::Http(cause_of(&error)))?;
        let timeout = settings.timeout;
        Self::over(Arc::new(Http { client, timeout }), settings)
    }

    pub(crate) fn over(transport: Arc<dyn Transport>, settings: &ClientSettings) -> Result<Self, BadClient> {
        let token = sensitive(&settings.token)?;
        let redactor = settings.redactor.clone();
        redactor.learn([&settings.token]);
        Ok(Self {
            transport,
            token: RwLock::new(token),
            redactor,
        })
    }

    /// Every further request carries this token.
    pub(crate) fn use_token(&self, token: &SecretString) -> Result<(), BadClient> {
        let header = sensitive(token)?;
        // Before it is sent anywhere, so that no answer and no line of the log can repeat it.
        self.redactor.learn([token]);
        // A panic while the lock was held leaves what it guards whole: it is only ever replaced.
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = header;
        Ok(())
    }

    /// Sends the request to `url`, which the caller has checked, and reads the whole answer.
    pub(crate) async fn attempt(&self, request: &Request<Bytes>, url: &Url) -> Result<Response<Bytes>, Broken> {
        let mut carried = request.clone();
        *carried.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|_| Broken::NotConnected(Words::new("the address cannot be sent")))?;
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner).clone();
        carried.headers_mut().insert("PRIVATE-TOKEN", token);
        let answer = self.transport.carry(carried).await?;
        Ok(if answer.status().is_success() {
            answer
        } else {
            self.without_secrets(answer)
        })
    }

    /// A refusal may repeat what was sent: header, body or address.
    fn without_secrets(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let redactor = &self.redactor;
        let mut answer = answer.map(|body| match redactor.clean(&body) {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(cleaned) => Bytes::from(cleaned),
        });
        if let Some(location) = answer.headers().get(LOCATION) {
            let cleaned = HeaderValue::from_bytes(&redactor.clean(location.as_bytes()));
            match cleaned {
                Ok(cleaned) => drop(answer.headers_mut().insert(LOCATION, cleaned)),
                Err(_) => drop(answer.headers_mut().remove(LOCATION)),
            }
        }
        answer
    }
}

#[async_trait]
impl Transport for Http {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Broken::NotConnected(Words::new("the address cannot be sent")))?;
        let mut builder = self
            .client
            .request(parts.method, url)
            .headers(parts.headers)
            .timeout(self.timeout);
        if !body.is_empty() {
            builder = builder.body(body);
        }
        let answer = builder.send().await.map_err(|error| Broken::from(&error))?;
        read_whole(answer).await
    }
}

impl Broken {
    fn from(error: &reqwest::Error) -> Self {
        let cause = cause_of(error);
        // A request that cannot be built was not sent either.
        if error.is_connect() || error.is_builder() {
            Self::NotConnected(cause)
        } else {
            Self::Lost(cause)
        }
    }

    pub(crate) fn cause(&self) -> &Words {
        match self {
            Self::NotConnected(cause) | Self::Lost(cause) => cause,
        }
    }

    pub(crate) fn into_error(self, operation: Operation) -> GitLabError {
        let call = operation.name;
        match (self, operation.effect) {
            (Self::Lost(cause), Effect::Writes) => GitLabError::OutcomeUnknown { call, cause },
            (Self::Lost(cause) | Self::NotConnected(cause), _) => GitLabError::Unreachable { call, cause },
        }
    }
}

async fn read_whole(mut answer: reqwest::Response) -> Result<Response<Bytes>, Broken> {
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let longest = if status.is_success() {
        LONGEST_ANSWER
    } else {
        LONGEST_REFUSAL
    };
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Broken::Lost(cause_of(&error)))? {
        if body.len() + chunk.len() > longest && !status.is_success() {
            body.extend_from_slice(&chunk[..longest - body.len()]);
            break;
        }
        if body.len() + chunk.len() > longest {
            return Err(Broken::Lost(Words::new("the answer is too long")));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = Response::new(body.freeze());
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    Ok(whole)
}

/// The innermost reason, which names no address: "connection refused", "operation timed out".
fn cause_of(error: &reqwest::Error) -> Words {
    if error.is_timeout() {
        return Words::new(if error.is_connect() {
            "no connection in time"
        } else {
            "no answer in time"
        });
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // Without a source the error is reqwest's own sentence, which ends in the URL; its kind is enough.
    let own = std::ptr::addr_eq(innermost, error);
    Words::new(if own {
        "the HTTP exchange failed".to_owned()
    } else {
        innermost.to_string()
    })
}

fn sensitive(token: &SecretString) -> Result<HeaderValue, BadClient> {
    let text = token.expose_secret();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadClient::Token);
    }
    let mut value = HeaderValue::from_str(text).map_err(|_| BadClient::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
