//! How a sandbox behaves: tier, limits, clock, and the switches for things in which GitLab's installations differ.

use crate::Clock;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Which of GitLab's tiers the instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// No group hooks, no scoped-label exclusivity, one assignee, one reviewer.
    Free,
    /// With group hooks, scoped labels, several assignees and reviewers.
    #[default]
    Premium,
}

/// Settings of one sandbox. `Config::default()` is a Premium instance with the real clock, no rate limits and webhooks
/// sent at once.
#[derive(Debug, Clone)]
pub struct Config {
    /// The tier.
    pub tier: Tier,
    /// What `GET /version` says and the webhooks' `User-Agent` carries.
    pub version: String,
    /// Real or virtual time.
    pub clock: Clock,
    /// TCP port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Seed of everything random (faults by chance, lost webhooks): the same seed gives the same run.
    pub seed: u64,
    /// Time added to every answer.
    pub latency: Duration,
    /// Whether GitLab's rate limits are on.
    pub rate_limits: bool,
    /// Whether failing hooks are disabled (always on GitLab.com, a feature flag elsewhere).
    pub disable_failing_hooks: bool,
    /// Whether webhooks leave by themselves. When off, they wait for [`crate::Sandbox::deliver_hooks`].
    pub send_hooks: bool,
    /// How long a webhook's receiver may take.
    pub hook_timeout: Duration,
    /// How many reads of a fresh merge request still find `checking` before its status is known.
    pub merge_check_reads: u32,
    /// Whether `@name` inside a quote notifies. GitLab's versions differ; `true` is the dangerous answer.
    pub mentions_in_quotes_notify: bool,
    /// Whether `@all` notifies everybody in the project (self-managed before 18.8.5).
    pub at_all_notifies: bool,
    /// Days between marking a project for deletion and its real deletion.
    pub deletion_delay_days: i64,
    /// Whether 19.x's `/-/work_items/N` is used in the web addresses of issues.
    pub work_item_urls: bool,
    /// Folder in which every call with its answer and every webhook is written down, one file a sandbox, one JSON line each,
    /// to be compared with other papers. The environment variable `GITLAB_SANDBOX_RECORD` does the same from outside.
    pub record: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tier: Tier::Premium,
            version: "19.2.1-ee".to_owned(),
            clock: Clock::Real,
            port: 0,
            seed: 1,
            latency: Duration::ZERO,
            rate_limits: false,
            disable_failing_hooks: true,
            send_hooks: true,
            hook_timeout: Duration::from_secs(10),
            merge_check_reads: 1,
            mentions_in_quotes_notify: true,
            at_all_notifies: false,
            deletion_delay_days: 30,
            work_item_urls: false,
            record: None,
        }
    }
}

impl Config {
    /// A Free instance.
    #[must_use]
    pub fn free() -> Self {
        Self {
            tier: Tier::Free,
            ..Self::default()
        }
    }

    /// Nothing happens by itself: virtual time from `start` on, webhooks wait to be delivered. For tests that must give
    /// the same run twice.
    #[must_use]
    pub fn still(start: jiff::Timestamp) -> Self {
        Self {
            clock: Clock::Virtual(start),
            send_hooks: false,
            ..Self::default()
        }
    }
}
