//! When a community meets: what people write about it, as values, and the next date that follows from them.
//!
//! [`read`] understands the usual ways of saying it and keeps what it does not understand as findings; it never refuses.
//! The same values stand in the charter's `cadence` mapping, key by key. Nothing here reads a clock or the machine's zone
//! files: the moment is handed in and the zones come with the program.

mod finding;
mod next;
mod read;
mod words;
mod zone;

use std::fmt;

use jiff::civil::{Date, Time, Weekday};

pub use finding::{Finding, Problem};
pub use read::{Reading, read};
pub use zone::Zone;

/// How long a meeting is taken to last where its length is not said: GitLab's "speedy meeting" of an hour.
pub const USUAL_MINUTES: u16 = 50;

/// How often, on which day and when a community meets. The default is the specification's: monthly, the day not yet set.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cadence {
    /// How often.
    pub every: Every,
    /// On which day; `None`: not yet set.
    pub on: Option<Day>,
    /// At which time of day in `timezone`; `None`: not yet set.
    pub at: Option<Time>,
    /// Whose clock `at` is.
    pub timezone: Zone,
    /// How long, in minutes; `None`: not said (see [`USUAL_MINUTES`]).
    pub minutes: Option<u16>,
    /// A day from which weeks or months are counted, for those who do not meet every week or month.
    pub from: Option<Date>,
}

impl Cadence {
    /// The length of a meeting in minutes, said or usual.
    #[must_use]
    pub fn duration_minutes(&self) -> u16 {
        self.minutes.unwrap_or(USUAL_MINUTES)
    }

    /// The cadence as a sentence without a full stop: `Monthly, first Tuesday, 16:00 UTC, 50 minutes`.
    ///
    /// [`read`] gives the same cadence back. It holds nothing that a person wrote.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = self.every.adverb();
        match self.on {
            Some(day) => text.push_str(&format!(", {}", day.phrase())),
            None => text.push_str(", day not yet set"),
        }
        if let Some(at) = self.at {
            text.push_str(&format!(", {} {}", clock(at), self.timezone));
        }
        if let Some(minutes) = self.minutes {
            text.push_str(&format!(", {minutes} minutes"));
        }
        if let Some(from) = self.from {
            text.push_str(&format!(", from {from}"));
        }
        text
    }
}

/// A time of day as it stands in charters: `16:00`.
#[must_use]
pub fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// How often a community meets; its text form is the charter's `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Each so many weeks, 1 to 26.
    Weeks(u8),
    /// Each so many months, 1 to 24.
    Months(u8),
}

impl Default for Every {
    fn default() -> Self {
        Self::Months(1)
    }
}

impl Every {
    /// Reads `week`, `2 weeks`, `fortnight`, `month`, `3 months`, `quarter`, `year`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (count, unit) = match text.split_once(' ') {
            Some((count, unit)) => (count.parse::<u8>().ok()?, unit.trim()),
            None => (1, text.as_str()),
        };
        let every = match unit.strip_suffix('s').unwrap_or(unit) {
            "week" => Self::Weeks(count),
            "fortnight" => Self::Weeks(count.checked_mul(2)?),
            "month" => Self::Months(count),
            "quarter" => Self::Months(count.checked_mul(3)?),
            "year" => Self::Months(count.checked_mul(12)?),
            _ => return None,
        };
        every.in_range().then_some(every)
    }

    fn in_range(self) -> bool {
        match self {
            Self::Weeks(weeks) => (1..=26).contains(&weeks),
            Self::Months(months) => (1..=24).contains(&months),
        }
    }

    fn adverb(self) -> String {
        match self {
            Self::Weeks(1) => "Weekly".to_owned(),
            Self::Months(1) => "Monthly".to_owned(),
            Self::Months(3) => "Quarterly".to_owned(),
            Self::Months(12) => "Yearly".to_owned(),
            other => format!("Every {other}"),
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weeks(1) => f.write_str("week"),
            Self::Weeks(weeks) => write!(f, "{weeks} weeks"),
            Self::Months(1) => f.write_str("month"),
            Self::Months(3) => f.write_str("quarter"),
            Self::Months(12) => f.write_str("year"),
            Self::Months(months) => write!(f, "{months} months"),
        }
    }
}

/// The day on which a community meets; its text form is the charter's `on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// That day of the week; goes with weeks.
    Weekday(Weekday),
    /// The first, second, third, fourth or last such day of the month; goes with months.
    NthWeekday(Nth, Weekday),
    /// The day of the month, 1 to 31; in a shorter month its last day.
    OfMonth(u8),
}

impl Day {
    /// Reads `tuesday`, `first tuesday`, `last fri`, `15`, `15th`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let mut words = text.split_whitespace();
        let day = match (words.next()?, words.next()) {
            (weekday, None) if words::weekday(weekday).is_some() => Self::Weekday(words::weekday(weekday)?),
            (number, None) => Self::OfMonth(words::day_of_month(number)?),
            (nth, Some(weekday)) => Self::NthWeekday(words::nth(nth)?, words::weekday(weekday)?),
        };
        words.next().is_none().then_some(day)
    }

    /// Whether such a day exists in that rhythm: a plain weekday in weeks, the others in months.
    #[must_use]
    pub fn fits(self, every: Every) -> bool {
        matches!(self, Self::Weekday(_)) == matches!(every, Every::Weeks(_))
    }

    fn phrase(self) -> String {
        match self {
            Self::Weekday(weekday) => weekday_name(weekday).to_owned(),
            Self::NthWeekday(nth, weekday) => format!("{} {}", nth.as_str(), weekday_name(weekday)),
            Self::OfMonth(day) => format!("on the {day}{}", ordinal_ending(day)),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfMonth(day) => write!(f, "{day}"),
            other => f.write_str(&other.phrase().to_ascii_lowercase()),
        }
    }
}

/// Which one of a month's equal weekdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// The first.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// The last, whether the fourth or the fifth.
    Last,
}

impl Nth {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Last => "last",
        }
    }
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn ordinal_ending(day: u8) -> &'static str {
    match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
