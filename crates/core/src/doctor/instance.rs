//! The installation and the GitLab that it talks to.

use jiff::{SignedDuration, Timestamp};
use url::{Host, Url};

use super::{Check, counted};

/// GitLab's clock and ours may differ by so much before signatures are refused (they are valid for 5 minutes either way).
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Older than this is not supported: the API lacks too much.
const OLDEST_MAJOR: u32 = 16;
/// From here on everything is there: deliveries have keys since 17.4.
const GOOD: (u32, u32) = (17, 4);

/// Checks that GitLab's clock and ours agree; `None`: GitLab did not tell the time.
#[must_use]
pub fn clock(gitlab: Option<Timestamp>, ours: Timestamp) -> Check {
    let Some(gitlab) = gitlab else {
        return Check::fine("clock", "GitLab does not tell its time");
    };
    let skew = ours.duration_since(gitlab).abs();
    let evidence = format!("{} s apart from GitLab's clock", skew.as_secs());
    if skew <= MOST_SKEW {
        Check::fine("clock", evidence)
    } else {
        Check::error(
            "clock",
            evidence,
            "set the machine's clock (NTP): signatures of deliveries are valid for 5 minutes",
        )
    }
}

/// Secrets shorter than this can be guessed; the same as the least that Standard Webhooks asks for.
const SHORTEST_SECRET: usize = 24;

/// Checks that deliveries can be believed. `tokens` are the lengths of the secret tokens.
#[must_use]
pub fn secrets(tokens: &[usize], signing_tokens: usize) -> Check {
    const NAME: &str = "webhook.secret";
    if tokens.is_empty() && signing_tokens == 0 {
        return Check::error(
            NAME,
            "no webhook secret is configured",
            "set CONVENOR_WEBHOOK__SECRET_TOKEN or CONVENOR_WEBHOOK__SIGNING_TOKEN; `serve` refuses to start without",
        );
    }
    let found = format!(
        "{}, {}",
        counted(tokens.len(), "secret token"),
        counted(signing_tokens, "signing token")
    );
    if tokens.iter().any(|length| *length < SHORTEST_SECRET) {
        let mend =
            format!("use at least {SHORTEST_SECRET} random characters, and run `convenor init` for the webhooks");
        return Check::warning(NAME, format!("{found}; one is so short that it can be guessed"), mend);
    }
    Check::fine(NAME, found)
}

/// Checks that this GitLab is one that Convenor knows. `version` is such as `19.2.1-ee`.
#[must_use]
pub fn version(version: &str) -> Check {
    const NAME: &str = "gitlab.version";
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Check::warning(
            NAME,
            "GitLab tells a version that is none",
            "make sure by hand that it is 17.4 or later",
        );
    };
    let evidence = format!("GitLab {major}.{minor}");
    if major < OLDEST_MAJOR {
        return Check::error(NAME, evidence, "upgrade GitLab to 17.4 or later");
    }
    if (major, minor) < GOOD {
        return Check::warning(
            NAME,
            evidence,
            "works, but repeated deliveries are not known again before 17.4; upgrade when you can",
        );
    }
    Check::fine(NAME, evidence)
}

/// What GitLab said of its rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSeen {
    /// Calls that it allows in a minute.
    pub limit: u64,
    /// Of these, what is left until the minute ends.
    pub remaining: u64,
}

/// Checks that the bot's user has calls left; `None`: this GitLab states no limit.
#[must_use]
pub fn rate(seen: Option<RateSeen>) -> Check {
    const NAME: &str = "gitlab.rate_limit";
    let Some(RateSeen { limit, remaining }) = seen else {
        return Check::fine(NAME, "GitLab states no limit of calls");
    };
    let evidence = format!("{remaining} of {limit} calls a minute are left");
    if remaining.saturating_mul(10) >= limit {
        return Check::fine(NAME, evidence);
    }
    Check::warning(
        NAME,
        evidence,
        "let nothing else use the bot's token, or lower `gitlab.rate_share`",
    )
}

/// Checks that GitLab and people could reach the public address.
#[must_use]
pub fn public_url(address: &str, gitlab_is_here: bool) -> Check {
    const NAME: &str = "server.public_url";
    let Ok(url) = Url::parse(address) else {
        return Check::error(
            NAME,
            "it is no address",
            "write it like \"https://convenor.example.com\"",
        );
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    };
    match (is_loopback, url.scheme()) {
        (true, _) if gitlab_is_here => Check::fine(NAME, format!("{address}, as GitLab is on this machine too")),
        (true, _) => Check::warning(
            NAME,
            format!("{address} is this machine itself, which GitLab cannot reach"),
            "set it to the address under which GitLab reaches this service; without webhooks changes are found only by the resync",
        ),
        (false, "https") => Check::fine(NAME, address),
        (false, _) => Check::warning(
            NAME,
            format!("{address} is not encrypted: the webhooks' secret travels readable"),
            "put a proxy with TLS before it and use https",
        ),
    }
}

/// How the database keeps what it said it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durability {
    /// What it was asked, with its answer, such as `synchronous=2`.
    pub evidence: String,
    /// Whether a power cut can take back what was acknowledged.
    pub may_lose: bool,
}

/// Checks that a 2xx to GitLab survives a power cut.
#[must_use]
pub fn durable(seen: &Durability) -> Check {
    const NAME: &str = "database.durable";
    if seen.may_lose {
        return Check::error(
            NAME,
            format!("a power cut may take back what was acknowledged ({})", seen.evidence),
            "switch the database's durability on (PostgreSQL: fsync, full_page_writes, synchronous_commit)",
        );
    }
    Check::fine(NAME, seen.evidence.clone())
}

/// Checks that nothing waits for an operator.
#[must_use]
pub fn queue(held: u64, failed: u64) -> Check {
    const NAME: &str = "queue";
    if held + failed == 0 {
        return Check::fine(NAME, "nothing failed and nothing is held");
    }
    Check::warning(
        NAME,
        format!("{held} held, {failed} failed"),
        "`convenor queue list` says why; mend that, then `convenor queue retry --all`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let of = |seconds| clock(Some(now + SignedDuration::from_secs(seconds)), now).level;
        assert_eq!(
            (of(-60), of(60), of(-61), of(61)),
            (Level::Ok, Level::Ok, Level::Error, Level::Error)
        );
    }

    #[test]
    fn without_a_secret_nothing_can_be_believed() {
        assert_eq!(secrets(&[], 0).level, Level::Error);
        assert_eq!(secrets(&[], 1).level, Level::Ok);
        assert_eq!(secrets(&[24], 0).level, Level::Ok);
        assert_eq!(secrets(&[24, 1], 1).level, Level::Warning);
    }

    #[test]
    fn old_versions_are_told_from_those_that_work() {
        for (text, level) in [
            ("19.2.1-ee", Level::Ok),
            ("17.4.0", Level::Ok),
            ("17.3.9-ce.0", Level::Warning),
            ("16.0.0", Level::Warning),
            ("15.11.13", Level::Error),
            ("unknown", Level::Warning),
        ] {
            assert_eq!(version(text).level, level, "{text}");
        }
    }

    #[test]
    fn a_tenth_of_the_calls_has_to_be_left() {
        let of = |remaining| rate(Some(RateSeen { limit: 100, remaining })).level;
        assert_eq!((of(100), of(10), of(9)), (Level::Ok, Level::Ok, Level::Warning));
        assert_eq!(rate(None).level, Level::Ok);
    }

    #[test]
    fn the_public_address_has_to_be_reachable_and_encrypted() {
        let of = |url, here| public_url(url, here).level;
        assert_eq!(of("https://convenor.example.com", false), Level::Ok);
        assert_eq!(of("http://convenor.example.com", false), Level::Warning);
        assert_eq!(of("http://127.0.0.1:8080", false), Level::Warning);
        assert_eq!(of("http://127.0.0.1:8080", true), Level::Ok);
    }

    #[test]
    fn what_may_be_lost_or_waits_is_told() {
        let of = |may_lose| {
            durable(&Durability {
                evidence: "x".to_owned(),
                may_lose,
            })
            .level
        };
        assert_eq!((of(false), of(true)), (Level::Ok, Level::Error));
        assert_eq!(
            (queue(0, 0).level, queue(1, 0).level, queue(0, 1).level),
            (Level::Ok, Level::Warning, Level::Warning)
        );
    }
}
