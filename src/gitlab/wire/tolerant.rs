//! Readers for what GitLab writes in more than one way.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// `null` and missing are the type's default (use with `#[serde(default)]`).
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A point in time as the API and the webhooks write it: `2026-01-16T05:56:22.123Z`, `2026-01-16 05:56:22 UTC`,
/// `2021-04-28 21:50:00 +0200`.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom("no point in time as GitLab writes them"))
}

/// Like [`time`], `None` for `null`, empty and missing (use with `#[serde(default)]`).
pub(super) fn time_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => parse(&text)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("no point in time as GitLab writes them")),
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let with_space = |format: &str| Timestamp::strptime(format, text).ok();
    let utc = || with_space_utc(text);
    text.parse()
        .ok()
        .or_else(utc)
        .or_else(|| with_space("%Y-%m-%d %H:%M:%S %z"))
}

fn with_space_utc(text: &str) -> Option<Timestamp> {
    let naive = text.strip_suffix(" UTC")?;
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", format!("{naive} +0000")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_gitlabs_ways_to_write_a_time_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(parse(text), Some(expected.parse().unwrap()), "{text}");
        check("2026-01-16T05:56:22Z", "2026-01-16T05:56:22Z");
        check("2026-01-16T05:56:22.123Z", "2026-01-16T05:56:22.123Z");
        check("2026-01-16T05:56:22.123+02:00", "2026-01-16T03:56:22.123Z");
        check("2026-01-16 05:56:22 UTC", "2026-01-16T05:56:22Z");
        check("2021-04-28 21:50:00 +0200", "2021-04-28T19:50:00Z");
        assert_eq!(parse("yesterday"), None);
    }
}
