//! Asking one endpoint: a value, perhaps a value, or a whole list.
//!
//! Lists are read to the end by our own page counter (a `Link` header is never followed) and checked against what
//! GitLab says there is: a part of a list never passes for the whole.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gitlab::api::{ApiError, AsyncClient, Endpoint};
use http::{HeaderMap, Request, Response, header};
use serde::de::DeserializeOwned;

use super::answer::{self, header_text};
use super::client::Client;
use super::error::{GitLabError, Words};
use super::operation::Operation;

/// GitLab's largest page.
const PER_PAGE: usize = 100;
/// Pages that are asked for at a time once their number is known; the limits may allow fewer.
const PAGES_AT_ONCE: usize = 8;
/// A list is read again from the start this often when its length changes meanwhile.
const MOST_READINGS: usize = 3;
/// GitLab serves no more than 50,000 rows by page number; more pages than this mean a loop.
const MOST_PAGES: usize = 1000;

/// Whether the totals that GitLab states count exactly what it lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// They do, so a difference means that something is missing.
    Exact,
    /// They count rows that are left out for us: GitLab filters notes and events after it has cut the pages
    /// (`lib/api/notes.rb`), so pages may be short and the sum smaller than the total. Such a list is believed when it is the same
    /// twice.
    CountsHidden,
}

/// Parameters that the crate's endpoint has no field for, or only with types of its own.
pub(crate) type Extra<'a> = [(&'a str, Cow<'a, str>)];

impl Client {
    /// The answer of a successful call, read as JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
    ) -> Result<T, GitLabError> {
        answer::read(operation, &self.raw(operation, endpoint, &[]).await?)
    }

    /// A call whose answer has no content worth reading (204 and the like).
    pub(crate) async fn tell(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
    ) -> Result<(), GitLabError> {
        answer::check(operation, &self.raw(operation, endpoint, &[]).await?)
    }

    /// The whole list. `key` tells the entries apart: one that moved to a later page meanwhile comes once.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
        extra: &Extra<'_>,
        total: Total,
        key: impl Fn(&T) -> u64,
    ) -> Result<Vec<T>, GitLabError> {
        let mut before: Option<Vec<u64>> = None;
        let mut reading = 1;
        loop {
            let is_last = reading == MOST_READINGS;
            reading += 1;
            let read = match self.list_once(operation, endpoint, extra, total, &key).await {
                Err(GitLabError::Incomplete { .. }) if !is_last => continue,
                other => other?,
            };
            if read.missing == 0 {
                return Ok(read.entries);
            }
            // What is hidden from us is missing each time; what did not come, is not.
            let now: Vec<u64> = read.entries.iter().map(&key).collect();
            if before.as_ref() == Some(&now) {
                return Ok(read.entries);
            }
            if is_last {
                return Err(incomplete(operation, now.len(), now.len() + read.missing));
            }
            before = Some(now);
        }
    }

    async fn list_once<T: DeserializeOwned>(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
        extra: &Extra<'_>,
        total: Total,
        key: impl Fn(&T) -> u64,
    ) -> Result<Reading<T>, GitLabError> {
        let mut list = Assembly::new(operation, total, key);
        let first = self.page(operation, endpoint, extra, 1).await?;
        let told = first.turn.pages.unwrap_or(1).min(MOST_PAGES);
        list.add(first)?;
        // The number of pages is known, so the others need not wait for one another.
        let mut rest = stream::iter(2..=told)
            .map(|number| self.page(operation, endpoint, extra, number))
            .buffered(PAGES_AT_ONCE);
        while let Some(page) = rest.next().await {
            list.add(page?)?;
        }
        for number in told + 1..=MOST_PAGES {
            if !list.more {
                break;
            }
            list.add(self.page(operation, endpoint, extra, number).await?)?;
        }
        list.whole()
    }

    async fn page<T: DeserializeOwned>(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
        extra: &Extra<'_>,
        number: usize,
    ) -> Result<Page<T>, GitLabError> {
        let mut parameters = extra.to_vec();
        parameters.push(("page", number.to_string().into()));
        parameters.push(("per_page", PER_PAGE.to_string().into()));
        let answer = self.raw(operation, endpoint, &parameters).await?;
        let entries: Vec<T> = answer::read(operation, &answer)?;
        let turn = Turn::of(answer.headers(), entries.len());
        Ok(Page { entries, turn })
    }

    /// Sends what the endpoint says. The answer may have any status.
    pub(crate) async fn raw(
        &self,
        operation: Operation,
        endpoint: &(impl Endpoint + Sync),
        extra: &Extra<'_>,
    ) -> Result<Response<Bytes>, GitLabError> {
        let call = self.call(operation);
        let unsendable = |error: ApiError<GitLabError>| own_error(operation, error);
        let mut url = endpoint
            .url_base()
            .endpoint_for(&call, &endpoint.endpoint())
            .map_err(unsendable)?;
        endpoint.parameters().add_to_url(&mut url);
        url.query_pairs_mut().extend_pairs(extra);
        if url.query() == Some("") {
            url.set_query(None);
        }
        let mut request = Request::builder().method(endpoint.method()).uri(url.as_str());
        let body = endpoint.body().map_err(|error| unsendable(error.into()))?;
        let body = body.map_or_else(Vec::new, |(kind, bytes)| {
            request = std::mem::take(&mut request).header(header::CONTENT_TYPE, kind);
            bytes
        });
        call.rest_async(request, body).await.map_err(unsendable)
    }
}

/// An endpoint of the `gitlab` crate; its builder refuses what the endpoint cannot be without.
pub(crate) fn built<E: Endpoint>(
    operation: Operation,
    endpoint: Result<E, impl std::fmt::Display>,
) -> Result<E, GitLabError> {
    endpoint.map_err(|error| GitLabError::Unsendable {
        call: operation.name,
        cause: Words::new(error.to_string()),
    })
}

fn own_error(operation: Operation, error: ApiError<GitLabError>) -> GitLabError {
    match error {
        ApiError::Client { source } => source,
        other => GitLabError::Unsendable {
            call: operation.name,
            cause: Words::new(other.to_string()),
        },
    }
}

/// A list while its pages arrive, in their order.
struct Assembly<T, K> {
    operation: Operation,
    total: Total,
    key: K,
    seen: HashSet<u64>,
    entries: Vec<T>,
    /// What the newest page says there is in all.
    promised: Option<usize>,
    /// Whether the newest page says that another follows.
    more: bool,
}

impl<T, K: Fn(&T) -> u64> Assembly<T, K> {
    fn new(operation: Operation, total: Total, key: K) -> Self {
        Self {
            operation,
            total,
            key,
            seen: HashSet::new(),
            entries: Vec::new(),
            promised: None,
            more: true,
        }
    }

    fn add(&mut self, page: Page<T>) -> Result<(), GitLabError> {
        let Page { entries, turn } = page;
        let key = &self.key;
        let seen = &mut self.seen;
        self.entries
            .extend(entries.into_iter().filter(|entry| seen.insert(key(entry))));
        let shrank = turn.total.zip(self.promised).is_some_and(|(now, before)| now < before);
        self.promised = turn.total.or(self.promised);
        self.more = turn.more;
        // An entry that left the list moved the ones behind it forward, past our place.
        if self.total == Total::Exact && (shrank || (turn.more && turn.short)) {
            return Err(self.incomplete());
        }
        Ok(())
    }

    fn whole(self) -> Result<Reading<T>, GitLabError> {
        let missing = self.promised.unwrap_or(0).saturating_sub(self.entries.len());
        if self.more || (self.total == Total::Exact && missing > 0) {
            return Err(self.incomplete());
        }
        Ok(Reading {
            entries: self.entries,
            missing,
        })
    }

    fn incomplete(&self) -> GitLabError {
        let read = self.entries.len();
        incomplete(self.operation, read, self.promised.unwrap_or(read + 1))
    }
}

fn incomplete(operation: Operation, read: usize, promised: usize) -> GitLabError {
    GitLabError::Incomplete {
        call: operation.name,
        read,
        promised,
    }
}

/// A list that was read to its end.
struct Reading<T> {
    entries: Vec<T>,
    /// So many more GitLab counts, which are hidden from us or did not come.
    missing: usize,
}

struct Page<T> {
    entries: Vec<T>,
    turn: Turn,
}

/// What one page says of the list.
struct Turn {
    more: bool,
    short: bool,
    total: Option<usize>,
    pages: Option<usize>,
}

impl Turn {
    /// `x-next-page` decides where it stands; else the relation `next` of `Link`; else whether the page is full.
    fn of(headers: &HeaderMap, entries: usize) -> Self {
        let per_page = number(headers, "x-per-page")
            .filter(|size| *size > 0)
            .unwrap_or(PER_PAGE);
        let told = header_text(headers, "x-next-page")
            .map(|next| !next.trim().is_empty())
            .or_else(|| header_text(headers, "link").map(|link| link.contains("rel=\"next\"")));
        Self {
            more: told.unwrap_or(entries >= per_page),
            short: entries < per_page,
            total: number(headers, "x-total"),
            pages: number(headers, "x-total-pages"),
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<usize> {
    header_text(headers, name)?.trim().parse().ok()
}
