//! `--since`: a time, or how long ago.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::settings;

/// A point in time as an operator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// At this time.
    At(Timestamp),
}

impl Since {
    /// The time that is meant.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(at) => at,
        }
    }
}

/// Reads `7d`, `2h`, `2026-01-31` (its beginning, UTC) or `2026-01-31T12:00:00Z`. For clap.
pub(super) fn parse(text: &str) -> Result<Since, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    if let Ok(date) = text.parse::<Date>() {
        let start = date.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        return Ok(Since::At(start.timestamp()));
    }
    let ago = settings::duration(text)
        .ok()
        .and_then(|ago| SignedDuration::try_from(ago).ok());
    ago.map(Since::Ago).ok_or_else(|| {
        "write how long ago (`2h`, `7d`), a day (`2026-01-31`) or a time (`2026-01-31T12:00:00Z`)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_named_in_three_ways() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("7d", "2026-01-25T00:00:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().before(now), expected.parse().unwrap(), "{text}");
        }
        assert!(parse("yesterday").is_err());
    }
}
