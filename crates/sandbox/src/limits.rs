//! GitLab.com's rate limits: the outer limiter with its headers, and the application's own for single routes. Windows are
//! fixed, as GitLab's are.

use crate::http::{Answer, Refusal, Result};
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;

const OUTER_LIMIT: u64 = 2000;
const MINUTE: i64 = 60;

/// A limit of the application: method, routes, calls a window, seconds a window.
type Rule = (&'static str, &'static [&'static str], u64, i64);

const RULES: &[Rule] = &[
    (
        "POST",
        &[
            "/projects/:id/issues/:iid/notes",
            "/projects/:id/merge_requests/:iid/notes",
        ],
        60,
        MINUTE,
    ),
    ("POST", &["/projects/:id/issues"], 200, MINUTE),
    ("GET", &["/projects/:id"], 400, MINUTE),
    ("GET", &["/groups/:id/projects"], 600, MINUTE),
    ("GET", &["/groups/:id"], 400, MINUTE),
    ("GET", &["/projects"], 2000, 10 * MINUTE),
    ("GET", &["/users/:id"], 300, 10 * MINUTE),
    (
        "GET",
        &[
            "/projects/:id/repository/files/:path",
            "/projects/:id/repository/files/:path/raw",
        ],
        500,
        MINUTE,
    ),
    (
        "GET",
        &["/projects/:id/members/all", "/groups/:id/members/all"],
        200,
        MINUTE,
    ),
    (
        "POST",
        &[
            "/projects/:id/hooks/:hook/test/:trigger",
            "/projects/:id/hooks/:hook/events/:event/resend",
            "/groups/:id/hooks/:hook/test/:trigger",
            "/groups/:id/hooks/:hook/events/:event/resend",
        ],
        5,
        MINUTE,
    ),
    (
        "DELETE",
        &["/projects/:id/members/:user", "/groups/:id/members/:user"],
        60,
        MINUTE,
    ),
];

/// Calls counted by limit and user.
#[derive(Debug, Default, Clone)]
pub(crate) struct Limits {
    windows: HashMap<(usize, u64), Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: i64,
    calls: u64,
}

impl Limits {
    /// Counts a call of a user against one limit; gives the count and the end of the window.
    fn count(&mut self, limit: usize, user: u64, seconds: i64, now: Timestamp) -> (u64, i64) {
        let start = now.as_second() - now.as_second().rem_euclid(seconds);
        let window = self.windows.entry((limit, user)).or_insert(Window { start, calls: 0 });
        if window.start != start {
            *window = Window { start, calls: 0 };
        }
        window.calls += 1;
        (window.calls, start + seconds)
    }

    /// Counts calls of a user that were not seen.
    pub(crate) fn spend(&mut self, user: u64, calls: u64, now: Timestamp) {
        for _ in 0..calls {
            self.count(usize::MAX, user, MINUTE, now);
        }
    }

    /// The outer limiter: headers for the answer, or the plain-text 429.
    pub(crate) fn outer(&mut self, user: u64, now: Timestamp) -> std::result::Result<Headers, Answer> {
        let (calls, end) = self.count(usize::MAX, user, MINUTE, now);
        let headers = vec![
            ("ratelimit-limit", OUTER_LIMIT.to_string()),
            ("ratelimit-name", "throttle_authenticated_api".to_owned()),
            ("ratelimit-observed", calls.to_string()),
            ("ratelimit-remaining", OUTER_LIMIT.saturating_sub(calls).to_string()),
            ("ratelimit-reset", end.to_string()),
        ];
        if calls <= OUTER_LIMIT {
            return Ok(headers);
        }
        let mut answer = Answer {
            status: 429,
            ..Answer::bytes("text/plain", "Retry later\n")
        };
        answer.headers = headers;
        let reset = Timestamp::from_second(end).map(crate::show::time).unwrap_or_default();
        let wait = (end - now.as_second()).max(1).to_string();
        Err(answer.header("ratelimit-resettime", reset).header("retry-after", wait))
    }

    /// The application's limits: JSON, no `Retry-After`.
    pub(crate) fn application(&mut self, method: &str, route: &str, user: u64, now: Timestamp) -> Result<()> {
        for (at, (of, routes, most, seconds)) in RULES.iter().enumerate() {
            if *of == method && routes.contains(&route) && self.count(at, user, *seconds, now).0 > *most {
                return Err(too_many());
            }
        }
        Ok(())
    }
}

/// Headers that every answer carries while the outer limiter is on.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// 429 of the application limiter.
pub(crate) fn too_many() -> Refusal {
    let text = "This endpoint has been requested too many times. Try again later.";
    Refusal::message(429, json!({ "error": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_its_minute() {
        let mut limits = Limits::default();
        let route = "/projects/:id/issues/:iid/notes";
        let at = |second: i64| Timestamp::from_second(1_772_701_200 + second).unwrap();
        let mut post = |second: i64| limits.application("POST", route, 1, at(second)).is_ok();
        assert!((0..60).all(|_| post(0)));
        assert!(!post(59));
        assert!(post(60));
    }

    #[test]
    fn the_outer_limiter_says_when_to_come_back() {
        let mut limits = Limits::default();
        let now = Timestamp::from_second(1_772_701_210).unwrap();
        assert!((0..OUTER_LIMIT).all(|_| limits.outer(1, now).is_ok()));
        let refused = limits.outer(1, now).unwrap_err();
        assert!(refused.headers.contains(&("retry-after", "50".to_owned())));
        assert!(limits.outer(2, now).is_ok());
    }
}
