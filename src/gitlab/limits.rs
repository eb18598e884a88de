//! How fast we may ask: token buckets at a share of GitLab's limits, a shared pause after a 429, a cap on concurrency.
//!
//! Time is tokio's monotonic clock; the wall clock of GitLab is only compared with itself (`RateLimit-Reset` against
//! the `Date` of the same answer). Limits and headers: GitLab's "Rate limits" and "GitLab.com settings" pages.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::sync::{Mutex as Line, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::answer::header_text;
use super::operation::Quota;
use crate::telemetry::metrics;

/// GitLab's application limits answer 429 without `Retry-After`; their window is a minute.
const UNTOLD_RETRY_AFTER: Duration = Duration::from_secs(60);
/// A header that asks for more than this is taken for this: GitLab's own bans last an hour at most.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Who has waited in vain is told to wait for this at least.
const SHORTEST_TOLD: Duration = Duration::from_secs(1);

/// How much of GitLab's limits we take.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSettings {
    /// Share of each limit that we use, above 0 and at most 1.
    pub share: f64,
    /// GitLab's limit of requests a minute, until its `RateLimit-Limit` header says another; `None`: as documented for
    /// the host.
    pub requests_per_minute: Option<u32>,
    /// GitLab's limit of new notes a minute; `None`: as documented for the host.
    pub notes_per_minute: Option<u32>,
    /// Most calls in flight at once.
    pub concurrency: usize,
    /// Longest wait for our turn; a call that would have to wait longer is `RateLimited` at once.
    pub longest_wait: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            share: 0.25,
            requests_per_minute: None,
            notes_per_minute: None,
            concurrency: 8,
            longest_wait: Duration::from_secs(20),
        }
    }
}

impl LimitSettings {
    /// No limit of our own, for a GitLab of one's own such as a sandbox; its 429 are still obeyed.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            share: 1.0,
            requests_per_minute: Some(u32::MAX),
            notes_per_minute: Some(u32::MAX),
            ..Self::default()
        }
    }
}

/// The limits that GitLab documents, for a host that has not told its own yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    requests_per_minute: u32,
    notes_per_minute: u32,
}

impl Documented {
    /// GitLab.com's settings for users, and the defaults of an own GitLab. There the general limit is off until an
    /// administrator switches it on, and is then told with every answer; the number is for politeness.
    pub(crate) fn of_host(host: &str) -> Self {
        if host == "gitlab.com" || host.ends_with(".gitlab.com") {
            Self {
                requests_per_minute: 2000,
                notes_per_minute: 60,
            }
        } else {
            Self {
                requests_per_minute: 10_000,
                notes_per_minute: 300,
            }
        }
    }
}

/// The limits shared by all clones of one client.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: LimitSettings,
    slots: Semaphore,
    state: Mutex<State>,
    /// Who waits for a turn, first come, first served; the one in front asks for it.
    line: Line<()>,
    notes_line: Line<()>,
}

#[derive(Debug)]
struct State {
    general: Bucket,
    notes: Bucket,
    paused_until: Option<Instant>,
    /// GitLab's limit and what is left of it, as it said last.
    told: Option<(u64, u64)>,
}

/// It would take too long until the next call is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    pub(crate) wait: Duration,
}

impl Limits {
    pub(crate) fn new(settings: LimitSettings, documented: Documented) -> Self {
        let now = Instant::now();
        let requests = settings.requests_per_minute.unwrap_or(documented.requests_per_minute);
        let notes = settings.notes_per_minute.unwrap_or(documented.notes_per_minute);
        let state = State {
            general: Bucket::new(settings.share, requests, now),
            notes: Bucket::new(settings.share, notes, now),
            paused_until: None,
            told: None,
        };
        Self {
            slots: Semaphore::new(settings.concurrency.max(1)),
            state: Mutex::new(state),
            line: Line::default(),
            notes_line: Line::default(),
            settings,
        }
    }

    /// Waits for our turn and takes it; gives up when that takes longer than `longest`, and at once when it surely would.
    pub(crate) async fn admit(&self, quota: Quota, longest: Duration) -> Result<(), TooLong> {
        let give_up = Instant::now() + longest;
        let line = match quota {
            Quota::General => &self.line,
            Quota::Notes => &self.notes_line,
        };
        let Ok(_in_front) = tokio::time::timeout_at(give_up, line.lock()).await else {
            let wait = self.locked().wait(quota, Instant::now());
            return Err(TooLong {
                wait: wait.max(SHORTEST_TOLD),
            });
        };
        loop {
            let now = Instant::now();
            let wait = self.locked().take(quota, now);
            if wait.is_zero() {
                return Ok(());
            }
            if now + wait > give_up {
                return Err(TooLong { wait });
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One of the slots for calls in flight; waits until one is free.
    pub(crate) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so the error cannot happen; no slot then means no cap.
        self.slots.acquire().await.ok()
    }

    /// Everybody waits: GitLab said 429.
    pub(crate) fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut state = self.locked();
        state.paused_until = Some(state.paused_until.map_or(until, |current| current.max(until)));
    }

    /// Whether everybody waits at this moment.
    pub(crate) fn is_paused(&self) -> bool {
        self.locked().paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes what the answer's headers say of the limit: its size, and whether it is used up until its reset.
    pub(crate) fn learn(&self, headers: &HeaderMap) {
        if let Some(limit) = number(headers, "ratelimit-limit").and_then(|n| u32::try_from(n).ok()) {
            let now = Instant::now();
            self.locked().general.resize(self.settings.share, limit.max(1), now);
        }
        let remaining = number(headers, "ratelimit-remaining");
        if let (Some(limit), Some(remaining)) = (number(headers, "ratelimit-limit"), remaining) {
            self.locked().told = Some((limit, remaining));
        }
        metrics::rate_limit(number(headers, "ratelimit-limit"), remaining);
        if remaining == Some(0)
            && let Some(length) = until_reset(headers)
        {
            self.pause(length);
        }
    }

    /// GitLab's limit of calls a minute and what is left of it, as it said last.
    pub(crate) fn told(&self) -> Option<(u64, u64)> {
        self.locked().told
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // The state is plain numbers: right even if another thread panicked while it held the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Zero when the call was counted and may go, else how long to wait before asking again.
    fn take(&mut self, quota: Quota, now: Instant) -> Duration {
        let wait = self.wait(quota, now);
        if wait.is_zero() {
            self.general.take();
            if quota == Quota::Notes {
                self.notes.take();
            }
        }
        wait
    }

    /// How long until a call may go.
    fn wait(&mut self, quota: Quota, now: Instant) -> Duration {
        let paused = self
            .paused_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let notes = match quota {
            Quota::General => Duration::ZERO,
            Quota::Notes => self.notes.wait(now),
        };
        paused.max(notes).max(self.general.wait(now))
    }
}

/// A token bucket that never lets more than `budget` calls through in any minute: half of them may come at once, and
/// the other half is the steady rate.
#[derive(Debug)]
struct Bucket {
    limit: u32,
    burst: f64,
    per_second: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(share: f64, limit: u32, now: Instant) -> Self {
        let budget = (share * f64::from(limit)).max(1.0);
        let burst = (budget / 2.0).max(1.0);
        Self {
            limit,
            burst,
            per_second: budget / 2.0 / 60.0,
            tokens: burst,
            filled: now,
        }
    }

    fn resize(&mut self, share: f64, limit: u32, now: Instant) {
        if limit != self.limit {
            let tokens = self.tokens;
            *self = Self::new(share, limit, now);
            self.tokens = tokens.min(self.burst);
        }
    }

    fn wait(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.filled = now;
        // A tiny deficit is rounding, not debt.
        if self.tokens > 1.0 - 1e-6 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((1.0 - self.tokens) / self.per_second).max(Duration::from_millis(1))
    }

    fn take(&mut self) {
        self.tokens -= 1.0;
    }
}

/// How long a 429 asks to wait: `Retry-After` in seconds, else a minute.
pub(crate) fn retry_after(headers: &HeaderMap) -> Duration {
    told_retry_after(headers).unwrap_or(UNTOLD_RETRY_AFTER)
}

/// `Retry-After` when the answer has one: seconds, or a date (RFC 9110, section 10.2.3) by the answer's own clock.
pub(crate) fn told_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = || number(headers, "retry-after").map(Duration::from_secs);
    let until = || time_until(headers, date(headers, "retry-after")?);
    seconds().or_else(until).map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let reset = i64::try_from(number(headers, "ratelimit-reset")?).ok()?;
    let wait = time_until(headers, Timestamp::from_second(reset).ok()?)?;
    Some(wait.min(UNTOLD_RETRY_AFTER))
}

fn time_until(headers: &HeaderMap, when: Timestamp) -> Option<Duration> {
    Duration::try_from(when.duration_since(server_date(headers)?)).ok()
}

/// GitLab's own clock: the answer's `Date`.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers, "date")
}

/// A date as HTTP writes it (RFC 9110, section 5.6.7).
fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(header_text(headers, name)?).ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    header_text(headers, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn limits(requests_per_minute: u32, longest_wait: u64) -> Limits {
        let settings = LimitSettings {
            requests_per_minute: Some(requests_per_minute),
            longest_wait: Duration::from_secs(longest_wait),
            ..LimitSettings::default()
        };
        Limits::new(settings, Documented::of_host("gitlab.com"))
    }

    async fn admit(limits: &Limits, quota: Quota) -> Result<(), TooLong> {
        limits.admit(quota, limits.settings.longest_wait).await
    }

    /// How many calls get through within a minute when there is always one waiting.
    async fn passed_in_a_minute(limits: &Limits, quota: Quota) -> u32 {
        let start = Instant::now();
        let mut passed = 0;
        while admit(limits, quota).await.is_ok() && start.elapsed() < Duration::from_secs(60) {
            passed += 1;
        }
        passed
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_calls_than_our_share() {
        let limits = limits(400, 600);
        let passed = passed_in_a_minute(&limits, Quota::General).await;
        assert!((95..=100).contains(&passed), "{passed} of 100");
    }

    #[tokio::test(start_paused = true)]
    async fn notes_have_a_limit_of_their_own() {
        let limits = limits(2000, 600);
        let passed = passed_in_a_minute(&limits, Quota::Notes).await;
        assert!((13..=15).contains(&passed), "{passed} of 15");
        admit(&limits, Quota::General).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_until_it_ends() {
        let limits = limits(2000, 600);
        limits.pause(Duration::from_secs(30));
        limits.pause(Duration::from_secs(5));
        let start = Instant::now();
        admit(&limits, Quota::General).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_bound_is_refused_at_once() {
        let limits = limits(2000, 20);
        limits.pause(Duration::from_secs(50));
        let start = Instant::now();
        assert_eq!(
            admit(&limits, Quota::General).await,
            Err(TooLong {
                wait: Duration::from_secs(50)
            })
        );
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_came_first_goes_first_and_reading_does_not_wait_for_notes() {
        let limits = std::sync::Arc::new(limits(2000, 600));
        while limits.locked().take(Quota::Notes, Instant::now()).is_zero() {}
        let order = std::sync::Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (limits, order) = (limits.clone(), order.clone());
            waiting.spawn(async move {
                admit(&limits, Quota::Notes).await.unwrap();
                order.lock().unwrap().push(number);
            });
        }
        tokio::task::yield_now().await;
        let start = Instant::now();
        admit(&limits, Quota::General).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        while waiting.join_next().await.is_some() {}
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_in_line_for_too_long_is_told_when_to_come_back() {
        let limits = limits(2000, 600);
        while limits.locked().take(Quota::Notes, Instant::now()).is_zero() {}
        // A turn every eight seconds, and half of the first has passed.
        let short = Duration::from_secs(10);
        let (first, second) = tokio::join!(limits.admit(Quota::Notes, short), limits.admit(Quota::Notes, short));
        assert!(first.is_ok());
        assert!(second.unwrap_err().wait >= SHORTEST_TOLD);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_is_learned_from_the_headers() {
        let limits = limits(2000, 600);
        limits.learn(&headers(&[("ratelimit-limit", "80"), ("ratelimit-remaining", "79")]));
        let passed = passed_in_a_minute(&limits, Quota::General).await;
        assert!((18..=20).contains(&passed), "{passed} of 20");
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_limit_pauses_until_its_reset_by_gitlabs_own_clock() {
        let limits = limits(2000, 600);
        limits.learn(&headers(&[
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1767225632"),
            ("date", "Thu, 01 Jan 2026 00:00:10 GMT"),
        ]));
        let start = Instant::now();
        admit(&limits, Quota::General).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(22));
    }

    #[test]
    fn an_own_gitlab_has_other_limits_than_gitlab_com() {
        assert_eq!(Documented::of_host("gitlab.com").notes_per_minute, 60);
        assert_eq!(Documented::of_host("gitlab.example.com").notes_per_minute, 300);
        assert_eq!(Documented::of_host("notgitlab.com").notes_per_minute, 300);
    }

    #[test]
    fn retry_after_may_be_a_date_by_gitlabs_own_clock() {
        let told = headers(&[
            ("retry-after", "Thu, 01 Jan 2026 00:00:40 GMT"),
            ("date", "Thu, 01 Jan 2026 00:00:10 GMT"),
        ]);
        assert_eq!(retry_after(&told), Duration::from_secs(30));
    }

    #[test]
    fn retry_after_is_a_minute_when_missing_or_senseless() {
        let check = |value: Option<&str>, expected: u64| {
            let headers = value.map_or_else(HeaderMap::new, |value| headers(&[("retry-after", value)]));
            assert_eq!(retry_after(&headers), Duration::from_secs(expected), "{value:?}");
        };
        check(None, 60);
        check(Some("7"), 7);
        check(Some("-1"), 60);
        check(Some("99999999999"), 3_600);
        check(Some("soon"), 60);
    }
}
