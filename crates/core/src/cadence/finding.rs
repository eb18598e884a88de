//! What can be unclear in a cadence, in words that tell how to mend it.

use super::zone::Zone;
use crate::untrusted::Untrusted;

/// One thing that was not understood or had to be guessed; a note to the person, never a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is the matter.
    pub problem: Problem,
    /// The words of the person that it is about.
    pub found: Untrusted,
}

/// What can be the matter with a cadence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The words say nothing that a calendar can hold.
    NotUnderstood,
    /// A weekday in a rhythm of months.
    WhichWeek,
    /// "Every second Tuesday": each other week, or the second one of a month.
    OtherOrSecond,
    /// A day of the month, or the first, second … weekday, in a rhythm of weeks.
    DayOfWeekNeeded,
    /// The abbreviation is used in several parts of the world.
    AmbiguousZone,
    /// An everyday abbreviation was taken as this zone.
    ZoneTakenAs(Zone),
    /// Said twice, and not the same; the first was taken.
    SaidTwice,
    /// More meetings in a cycle than one.
    SeveralDays,
}

impl Problem {
    /// What is the matter and what would mend it, without the person's own words.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::NotUnderstood => "not understood; write it like `Monthly, first Tuesday, 16:00 UTC, 50 minutes`".into(),
            Self::WhichWeek => "which week of the month? Write `first Tuesday` or `last Tuesday`".into(),
            Self::OtherOrSecond => {
                "each other week, or the second one of the month? Write `every two weeks, Tuesday` or `monthly, second Tuesday`".into()
            }
            Self::DayOfWeekNeeded => "which day of the week? Write `weekly, Tuesday`".into(),
            Self::AmbiguousZone => "used for several time zones; write a name such as `Asia/Kolkata`".into(),
            Self::ZoneTakenAs(zone) => format!("taken as the time zone `{zone}`; write another name if that is wrong"),
            Self::SaidTwice => "said twice; the first one counts".into(),
            Self::SeveralDays => "only one meeting in a cycle can be kept; choose one".into(),
        }
    }
}
