//! Time zones by name, from the database that comes with the program.

use std::fmt;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

// The machine's own zone files are not asked: the same text must mean the same moment everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The name of a zone of the IANA time zone database, as the database spells it. The default is `UTC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(String);

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl Zone {
    /// Takes a name of the database in any case (`europe/berlin`), or `Z`; `None` when the database has no such zone.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("z") || name.eq_ignore_ascii_case("utc") {
            return Some(Self::default());
        }
        let zone = ZONES.get(name).ok()?;
        zone.iana_name().map(|name| Self(name.to_owned()))
    }

    /// The zone whose name ends in this city (`berlin`, `new york`); `None` when there is not exactly one.
    #[must_use]
    pub fn of_city(city: &str) -> Option<Self> {
        let wanted = city.trim().replace(' ', "_");
        let mut found = ZONES.available().filter(|name| {
            let name = name.as_str();
            name.rsplit_once('/')
                .is_some_and(|(area, last)| area != "Etc" && last.eq_ignore_ascii_case(&wanted))
        });
        let zone = found.next()?;
        found.next().is_none().then(|| Self(zone.as_str().to_owned()))
    }

    /// The name as the database spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules behind the name.
    #[must_use]
    pub fn rules(&self) -> TimeZone {
        // Every way in has looked the name up already, so UTC is never really the answer here.
        ZONES.get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people mean by an everyday abbreviation; they are no names of zones, and several are used in two places.
pub(super) fn everyday(abbreviation: &str) -> Option<Zone> {
    let name = match abbreviation {
        "utc" | "z" | "zulu" => "UTC",
        "gmt" => "Etc/GMT",
        "bst" | "wet-uk" => "Europe/London",
        "wet" | "west" => "Europe/Lisbon",
        "cet" | "cest" | "mez" | "mesz" => "Europe/Brussels",
        "eet" | "eest" => "Europe/Athens",
        "msk" => "Europe/Moscow",
        "et" | "est" | "edt" | "eastern" => "America/New_York",
        "ct" | "cdt" | "central" => "America/Chicago",
        "mt" | "mst" | "mdt" | "mountain" => "America/Denver",
        "pt" | "pst" | "pdt" | "pacific" => "America/Los_Angeles",
        "jst" => "Asia/Tokyo",
        "sgt" => "Asia/Singapore",
        "hkt" => "Asia/Hong_Kong",
        "aest" | "aedt" => "Australia/Sydney",
        "awst" => "Australia/Perth",
        "nzst" | "nzdt" => "Pacific/Auckland",
        _ => return None,
    };
    Zone::new(name)
}

/// Abbreviations that are everyday in more than one part of the world: nobody can tell which is meant.
pub(super) fn ambiguous(abbreviation: &str) -> bool {
    matches!(abbreviation, "ist" | "cst" | "ast" | "sst" | "amt" | "gst")
}

/// The zone for `utc+2`, `gmt-5`, `+02:00`: whole hours only, for the database names no others.
pub(super) fn offset(text: &str) -> Option<Zone> {
    let text = text
        .strip_prefix("utc")
        .or_else(|| text.strip_prefix("gmt"))
        .unwrap_or(text);
    let (sign, rest) = match text.split_at_checked(1)? {
        // The database counts the other way round: Etc/GMT-2 is two hours ahead of Greenwich.
        ("+", rest) => ('-', rest),
        ("-", rest) => ('+', rest),
        _ => return None,
    };
    let hours = rest.strip_suffix(":00").unwrap_or(rest).parse::<u8>().ok()?;
    if hours == 0 {
        Zone::new("UTC")
    } else {
        Zone::new(&format!("Etc/GMT{sign}{hours}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_named_as_the_database_spells_them() {
        assert_eq!(Zone::new("europe/berlin").unwrap().as_str(), "Europe/Berlin");
        assert!(Zone::new("Europe/Atlantis").is_none());
        assert_eq!(Zone::of_city("new york").unwrap().as_str(), "America/New_York");
        assert!(Zone::of_city("atlantis").is_none());
    }

    #[test]
    fn every_abbreviation_names_a_zone_that_exists() {
        for text in [
            "utc", "gmt", "bst", "wet", "cet", "eet", "msk", "et", "ct", "mt", "pt", "jst", "sgt", "hkt",
        ] {
            assert!(everyday(text).is_some(), "{text}");
        }
        for text in ["aest", "awst", "nzst"] {
            assert!(everyday(text).is_some(), "{text}");
        }
    }

    #[test]
    fn an_offset_ahead_of_utc_is_ahead_of_utc() {
        let seconds = offset("utc+2")
            .unwrap()
            .rules()
            .to_offset(jiff::Timestamp::UNIX_EPOCH)
            .seconds();
        assert_eq!(seconds, 7200);
        assert!(offset("utc+5:30").is_none());
    }
}
