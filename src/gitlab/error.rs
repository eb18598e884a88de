//! How a call to GitLab fails, in types that callers match on.
//!
//! No variant holds a header, a token, a whole body or a URL. What GitLab says is somebody else's text (project names
//! and titles come back in it), so it is kept as [`Words`], which print shortened and without control characters.

use std::fmt;
use std::time::Duration;

use convenor_core::escape::LogText;
use convenor_core::ids::MergeRequestIid;
use convenor_core::untrusted::Untrusted;

/// What GitLab said, for people to read: prints on one line, escaped, cut after 200 characters.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Words(Untrusted);

impl Words {
    /// Takes GitLab's own words.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Untrusted::new(text))
    }

    /// The text as it came, to be searched.
    #[must_use]
    pub fn text(&self) -> &Untrusted {
        &self.0
    }

    /// Whether the words contain `needle`, without regard to ASCII case.
    #[must_use]
    pub fn contain(&self, needle: &str) -> bool {
        self.0.contains(needle)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_blank() {
            return f.write_str("no reason given");
        }
        write!(f, "{}", LogText::new(&self.0))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// The findings of one field of a refused request, such as `path`: `has already been taken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMessage {
    /// The field, in GitLab's spelling; empty when GitLab named none.
    pub field: Words,
    /// What is wrong with it.
    pub message: Words,
}

/// A call that did not do what was asked. `call` is the operation's stable name, such as `issues.get`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GitLabError {
    /// 401: the token is unknown, revoked or expired. Every further call fails alike.
    #[error("{call}: GitLab does not accept the token ({message}); give it a valid one")]
    Unauthorized {
        /// The operation.
        call: &'static str,
        /// GitLab's words.
        message: Words,
    },
    /// 403 `insufficient_scope`: the token is valid but was made for less.
    #[error("{call}: the token's scopes do not suffice; it needs `{scope}`")]
    InsufficientScope {
        /// The operation.
        call: &'static str,
        /// The scope that GitLab asks for.
        scope: Words,
    },
    /// 403 or 405: the thing may be seen, but not this be done with it (role, protection, archived project, quota).
    #[error("{call}: GitLab refuses it: {message}; check the bot's role there")]
    Forbidden {
        /// The operation.
        call: &'static str,
        /// GitLab's words.
        message: Words,
    },
    /// 404: it does not exist, or the token may not see it. GitLab says the same in both cases.
    #[error("{call}: not found, or not visible to the bot: {message}")]
    NotFound {
        /// The operation.
        call: &'static str,
        /// GitLab's words, which often name what was not found.
        message: Words,
    },
    /// 3xx: a project or group was renamed or moved. Redirects are never followed.
    #[error("{call}: it has moved to {location}; use its new path")]
    Moved {
        /// The operation.
        call: &'static str,
        /// Where GitLab points to; never to be requested as it is.
        location: Words,
    },
    /// 400 or 422 "has already been taken": a thing of that name or path is there.
    #[error("{call}: already taken: {}", Listed(fields))]
    Taken {
        /// The operation.
        call: &'static str,
        /// The taken fields with GitLab's words.
        fields: Vec<FieldMessage>,
    },
    /// 409: it exists already, or another change came first.
    #[error("{call}: in conflict with what is there: {message}")]
    Conflict {
        /// The operation.
        call: &'static str,
        /// GitLab's words.
        message: Words,
        /// The other merge request, when GitLab named one (`…already exists for this source branch: !7`).
        iid: Option<MergeRequestIid>,
    },
    /// 400, 412, 413, 422: GitLab does not take the request as it is; sending it again helps nothing.
    #[error("{call}: GitLab does not accept the request: {message}")]
    Invalid {
        /// The operation.
        call: &'static str,
        /// GitLab's words, all fields in one line.
        message: Words,
    },
    /// 429, or our own share of the limit is used up.
    #[error("{call}: too many requests; again in {} s", retry_after.as_secs_f64().ceil())]
    RateLimited {
        /// The operation.
        call: &'static str,
        /// How long to leave it.
        retry_after: Duration,
    },
    /// 5xx for a read, after repeated attempts.
    #[error("{call}: GitLab is not available (status {status}); time mends it")]
    Unavailable {
        /// The operation.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// When GitLab said when.
        retry_after: Option<Duration>,
    },
    /// No connection, or a read without an answer in time; nothing was changed.
    #[error("{call}: GitLab cannot be reached: {cause}; check the address and the network")]
    Unreachable {
        /// The operation.
        call: &'static str,
        /// The network's words.
        cause: Words,
    },
    /// A write that was not sent, because it waited and what it was decided by is no longer so; nothing was changed.
    #[error("{call}: not sent: {cause}")]
    Withheld {
        /// The operation.
        call: &'static str,
        /// What has become of it.
        cause: Words,
    },
    /// A write was sent and no readable answer came: it may or may not have happened. Look before sending it again.
    #[error("{call}: sent, but no readable answer came ({cause}); it may have happened")]
    OutcomeUnknown {
        /// The operation.
        call: &'static str,
        /// What came instead.
        cause: Words,
    },
    /// A read was answered, but not with what GitLab documents (HTML of a proxy, cut or foreign JSON).
    #[error("{call}: the answer is not what GitLab documents ({cause}); is this GitLab's address?")]
    Unreadable {
        /// The operation.
        call: &'static str,
        /// What is wrong with it; never the body itself.
        cause: Words,
    },
    /// A list whose pages do not add up to what GitLab promised; a part must never pass for the whole.
    #[error("{call}: read {read} of {promised} entries; the list is not whole")]
    Incomplete {
        /// The operation.
        call: &'static str,
        /// How many different entries came.
        read: usize,
        /// How many GitLab said there are.
        promised: usize,
    },
    /// The request was not sent, because it would have left GitLab's configured address or could not be put together.
    #[error("{call}: not sent: {cause}")]
    Unsendable {
        /// The operation.
        call: &'static str,
        /// Why.
        cause: Words,
    },
}

impl GitLabError {
    /// The operation's stable name.
    #[must_use]
    pub fn call(&self) -> &'static str {
        match self {
            Self::Unauthorized { call, .. }
            | Self::InsufficientScope { call, .. }
            | Self::Forbidden { call, .. }
            | Self::NotFound { call, .. }
            | Self::Moved { call, .. }
            | Self::Taken { call, .. }
            | Self::Conflict { call, .. }
            | Self::Invalid { call, .. }
            | Self::RateLimited { call, .. }
            | Self::Unavailable { call, .. }
            | Self::Unreachable { call, .. }
            | Self::Withheld { call, .. }
            | Self::OutcomeUnknown { call, .. }
            | Self::Unreadable { call, .. }
            | Self::Incomplete { call, .. }
            | Self::Unsendable { call, .. } => call,
        }
    }

    /// Whether a write may have happened although no answer says so: look it up before sending it again.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// Whether what should be made is there already (`Taken`, or a 409 that says so): observe again instead of failing.
    #[must_use]
    pub fn is_already_there(&self) -> bool {
        match self {
            Self::Taken { .. } => true,
            Self::Conflict { message, iid, .. } => iid.is_some() || message.contain("already exists"),
            Self::Invalid { message, .. } => message.contain("already exists"),
            _ => false,
        }
    }

    /// Whether time alone may mend it, so that the same look is worth repeating later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::Withheld { .. }
                | Self::OutcomeUnknown { .. }
                | Self::Unreadable { .. }
                | Self::Incomplete { .. }
        )
    }

    /// How long GitLab (or our own limit) asks to wait, when it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

struct Listed<'a>(&'a [FieldMessage]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, FieldMessage { field, message }) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let space = if field.text().is_blank() { "" } else { " " };
            let field = if space.is_empty() {
                String::new()
            } else {
                field.to_string()
            };
            write!(f, "{separator}{field}{space}{message}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_print_on_one_line_and_shortened() {
        let words = Words::new(format!("bad\n\u{1b}[31m{}", "x".repeat(500)));
        let printed = words.to_string();
        assert!(printed.starts_with("bad"), "{printed}");
        assert!(printed.chars().count() <= 201, "{printed}");
        assert!(!printed.contains(char::is_control), "{printed:?}");
        assert_eq!(Words::new(" \n").to_string(), "no reason given");
    }

    #[test]
    fn taken_names_each_field() {
        let taken = |field: &str, message: &str| FieldMessage {
            field: Words::new(field),
            message: Words::new(message),
        };
        let error = GitLabError::Taken {
            call: "projects.create",
            fields: vec![
                taken("name", "has already been taken"),
                taken("", "Label already exists"),
            ],
        };
        assert_eq!(
            error.to_string(),
            "projects.create: already taken: name has already been taken; Label already exists"
        );
    }
}
