//! Reading what people write: `Monthly, first Tuesday, 16:00 UTC, 50 minutes` and its many variants.

use std::ops::RangeInclusive;

use jiff::civil::{Date, Time, Weekday};

use super::finding::{Finding, Problem};
use super::words::{count_word, day_of_month, duration, nth, time_of_day, weekday, words};
use super::zone::{self, Zone};
use super::{Cadence, Day, Every, Nth};
use crate::untrusted::Untrusted;

/// What was understood, and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// What was understood; the default where nothing was.
    pub cadence: Cadence,
    /// What was not understood or had to be guessed.
    pub findings: Vec<Finding>,
}

/// Reads a cadence. What is not understood becomes findings, and the rest still counts.
#[must_use]
pub fn read(text: &Untrusted) -> Reading {
    let words = words(text.expose());
    let mut reader = Reader {
        words: &words,
        at: 0,
        seen: Seen::default(),
        findings: Vec::new(),
        unknown: Vec::new(),
    };
    while reader.at < words.len() {
        reader.step();
    }
    reader.finish()
}

#[derive(Default)]
struct Seen {
    every: Option<Every>,
    day: Option<Day>,
    at: Option<Time>,
    zone: Option<Zone>,
    minutes: Option<u16>,
    from: Option<Date>,
}

struct Reader<'a> {
    words: &'a [String],
    at: usize,
    seen: Seen,
    findings: Vec<Finding>,
    unknown: Vec<String>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let start = self.at;
        let taken =
            self.every() || self.day() || self.minutes() || self.time() || self.zone() || self.from() || self.filler();
        if !taken {
            self.unknown.push(self.words[start].clone());
            self.at = start + 1;
        } else if !self.unknown.is_empty() && !FILLERS.contains(&self.words[start].as_str()) {
            self.close_unknown();
        }
    }

    fn finish(mut self) -> Reading {
        self.close_unknown();
        let every = self.seen.every.unwrap_or_else(|| match self.seen.day {
            Some(Day::Weekday(_)) => Every::Weeks(1),
            _ => Every::default(),
        });
        let mut day = self.seen.day;
        if let Some(wrong) = day.filter(|day| !day.fits(every)) {
            let problem = match wrong {
                Day::Weekday(_) => Problem::WhichWeek,
                _ => Problem::DayOfWeekNeeded,
            };
            self.findings.push(Finding {
                problem,
                found: Untrusted::new(wrong.phrase()),
            });
            day = None;
        }
        let cadence = Cadence {
            every,
            on: day,
            at: self.seen.at,
            // A zone without a time says nothing yet.
            timezone: self.seen.at.and(self.seen.zone.clone()).unwrap_or_default(),
            minutes: self.seen.minutes,
            from: self.seen.from,
        };
        Reading {
            cadence,
            findings: self.findings,
        }
    }

    fn close_unknown(&mut self) {
        if !self.unknown.is_empty() {
            let found = std::mem::take(&mut self.unknown).join(" ");
            self.note(Problem::NotUnderstood, &found);
        }
    }

    fn note(&mut self, problem: Problem, found: &str) {
        self.findings.push(Finding {
            problem,
            found: Untrusted::new(found),
        });
    }

    fn word(&self, ahead: usize) -> &str {
        self.words.get(self.at + ahead).map_or("", String::as_str)
    }

    fn phrase(&self, count: usize) -> String {
        self.words[self.at..(self.at + count).min(self.words.len())].join(" ")
    }

    fn every(&mut self) -> bool {
        let Some((every, used)) = self.rhythm() else {
            return false;
        };
        let found = self.phrase(used);
        // "Quarterly, first Monday of the month": a day's month is no second rhythm.
        let belongs_to_the_day = matches!(self.word(0), "of" | "in");
        self.at += used;
        if belongs_to_the_day {
            self.seen.every.get_or_insert(every);
        } else {
            keep(&mut self.seen.every, every).unwrap_or_else(|()| self.note(Problem::SaidTwice, &found));
        }
        true
    }

    fn rhythm(&self) -> Option<(Every, usize)> {
        let adverb = match self.word(0) {
            "weekly" => Some(Every::Weeks(1)),
            "biweekly" | "bi-weekly" | "fortnightly" | "fortnight" => Some(Every::Weeks(2)),
            "monthly" => Some(Every::Months(1)),
            "bimonthly" | "bi-monthly" => Some(Every::Months(2)),
            "quarterly" => Some(Every::Months(3)),
            "yearly" | "annually" | "annual" => Some(Every::Months(12)),
            _ => None,
        };
        if let Some(every) = adverb {
            return Some((every, 1));
        }
        let lead = match (self.word(0), self.word(1)) {
            ("every" | "each" | "per", _) => 1,
            ("once", "a" | "an" | "every" | "each" | "per") => 2,
            // "of the month", "in each quarter" after a day.
            ("of" | "in", "the" | "each" | "every" | "a") => 2,
            ("a", _) => 1,
            _ => return None,
        };
        self.counted_unit(lead).or_else(|| {
            let weekday = (self.word(0) == "every" || self.word(0) == "each").then(|| weekday(self.word(1)))?;
            // "Every Tuesday" says the rhythm; the weekday is left for the next step.
            weekday.map(|_| (Every::Weeks(1), 1))
        })
    }

    fn counted_unit(&self, lead: usize) -> Option<(Every, usize)> {
        let (count, used) = match count_word(self.word(lead)) {
            Some(count) => (count, lead + 1),
            None => (1, lead),
        };
        Every::parse(&format!("{count} {}", self.word(used))).map(|every| (every, used + 1))
    }

    fn day(&mut self) -> bool {
        if let ("every" | "each", "second" | "2nd" | "other", Some(day)) =
            (self.word(0), self.word(1), weekday(self.word(2)))
        {
            return self.every_second(day);
        }
        if matches!(self.word(0), "every" | "each") && nth(self.word(1)).is_some() {
            self.at += 1;
        }
        let several = nth(self.word(0)).is_some()
            && matches!(self.word(1), "and" | "&" | "+")
            && (nth(self.word(2)).is_some() || day_of_month(self.word(2)).is_some());
        if several {
            let found = self.phrase(4);
            self.note(Problem::SeveralDays, &found);
            self.at += 2;
            return true;
        }
        let (day, used) = if let (Some(nth), Some(weekday)) = (nth(self.word(0)), weekday(self.word(1))) {
            (Day::NthWeekday(nth, weekday), 2)
        } else if let Some(weekday) = weekday(self.word(0)) {
            (Day::Weekday(weekday), 1)
        } else if self.word(0).ends_with(|c: char| c.is_ascii_alphabetic())
            && let Some(day) = day_of_month(self.word(0))
        {
            (Day::OfMonth(day), 1)
        } else {
            return false;
        };
        let found = self.phrase(used);
        self.at += used;
        if keep(&mut self.seen.day, day).is_err() {
            self.note(Problem::SeveralDays, &found);
        }
        true
    }

    fn every_second(&mut self, day: Weekday) -> bool {
        let of_month = self.word(3) == "of" || self.seen.every.is_some_and(|every| matches!(every, Every::Months(_)));
        let other = self.word(1) == "other";
        let found = self.phrase(3);
        self.at += 3;
        if other {
            self.seen.every.get_or_insert(Every::Weeks(2));
            self.seen.day.get_or_insert(Day::Weekday(day));
        } else if of_month {
            self.seen.day.get_or_insert(Day::NthWeekday(Nth::Second, day));
        } else {
            self.note(Problem::OtherOrSecond, &found);
        }
        true
    }

    fn minutes(&mut self) -> bool {
        let Some((minutes, used)) = duration(self.word(0), self.word(1), self.word(2)) else {
            return false;
        };
        let found = self.phrase(used);
        self.at += used;
        if !LENGTHS.contains(&minutes) {
            self.note(Problem::NotUnderstood, &found);
        } else if keep(&mut self.seen.minutes, minutes).is_err() {
            self.note(Problem::SaidTwice, &found);
        }
        true
    }

    fn time(&mut self) -> bool {
        let word = self.word(0);
        if let Some((begin, end)) = word.split_once(['-', '–'])
            && let Some(end_at) = time_of_day(end, self.word(1))
        {
            let separate = matches!(self.word(1), "am" | "pm" | "a.m" | "p.m");
            let half = if separate {
                self.word(1)
            } else {
                end.trim_start_matches(|c: char| !c.is_ascii_alphabetic())
            };
            // "3-4pm" says the half of the day once for both, "11-1pm" only for the end.
            let begin_at = time_of_day(begin, half).filter(|at| *at < end_at);
            if let Some(begin_at) = begin_at.or_else(|| time_of_day(begin, "am")) {
                return self.time_range(begin_at, end_at, 1 + usize::from(separate));
            }
        }
        let Some((at, used)) = self.time_at(0) else {
            return false;
        };
        if matches!(self.word(used), "-" | "–" | "to" | "until" | "till")
            && let Some((end, more)) = self.time_at(used + 1)
        {
            return self.time_range(at, end, used + 1 + more);
        }
        let found = self.phrase(used);
        self.at += used;
        keep(&mut self.seen.at, at).unwrap_or_else(|()| self.note(Problem::SaidTwice, &found));
        true
    }

    fn time_at(&self, ahead: usize) -> Option<(Time, usize)> {
        let half = self.word(ahead + 1);
        let at = time_of_day(self.word(ahead), half)?;
        Some((at, 1 + usize::from(matches!(half, "am" | "pm" | "a.m" | "p.m"))))
    }

    fn time_range(&mut self, begin: Time, end: Time, used: usize) -> bool {
        let found = self.phrase(used);
        self.at += used;
        let minutes_of = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let length = (minutes_of(end) - minutes_of(begin)).rem_euclid(24 * 60);
        keep(&mut self.seen.at, begin).unwrap_or_else(|()| self.note(Problem::SaidTwice, &found));
        match u16::try_from(length) {
            Ok(length) if LENGTHS.contains(&length) => {
                self.seen.minutes.get_or_insert(length);
            }
            _ => self.note(Problem::NotUnderstood, &found),
        }
        true
    }

    fn zone(&mut self) -> bool {
        let word = self.word(0).to_owned();
        let pair = format!("{word} {}", self.word(1));
        let (zone, used, guessed) = if zone::ambiguous(&word) {
            self.note(Problem::AmbiguousZone, &word);
            self.at += 1;
            return true;
        } else if let Some(zone) = zone::everyday(&word) {
            let exact = matches!(zone.as_str(), "UTC" | "Etc/GMT");
            (zone, 1, !exact)
        } else if let Some(zone) = zone::offset(&word) {
            (zone, 1, false)
        } else if let Some(zone) = word.contains('/').then(|| Zone::new(&word)).flatten() {
            (zone, 1, false)
        } else if let Some(zone) = Zone::of_city(&pair) {
            (zone, 2, true)
        } else if let Some(zone) = (word.len() > 3).then(|| Zone::of_city(&word)).flatten() {
            (zone, 1, true)
        } else {
            return false;
        };
        self.at += used;
        if keep(&mut self.seen.zone, zone.clone()).is_err() {
            self.note(Problem::SaidTwice, &word);
        } else if guessed {
            self.note(Problem::ZoneTakenAs(zone), &word);
        }
        true
    }

    fn from(&mut self) -> bool {
        let lead = usize::from(matches!(self.word(0), "from" | "starting" | "since" | "beginning"));
        let lead = lead + usize::from(lead == 1 && matches!(self.word(1), "on" | "from"));
        let Ok(date) = self.word(lead).parse::<Date>() else {
            return false;
        };
        let found = self.phrase(lead + 1);
        self.at += lead + 1;
        keep(&mut self.seen.from, date).unwrap_or_else(|()| self.note(Problem::SaidTwice, &found));
        true
    }

    fn filler(&mut self) -> bool {
        if self.word(0) == "day" && self.phrase(4) == "day not yet set" {
            self.at += 4;
            return true;
        }
        let filler = FILLERS.contains(&self.word(0));
        self.at += usize::from(filler);
        filler
    }
}

// Meetings shorter than five minutes or longer than a day are slips of the pen.
const LENGTHS: RangeInclusive<u16> = 5..=1440;

const FILLERS: [&str; 32] = [
    "on",
    "at",
    "the",
    "of",
    "for",
    "long",
    "about",
    "approximately",
    "approx",
    "ca",
    "each",
    "every",
    "day",
    "time",
    "meeting",
    "meetings",
    "call",
    "sync",
    "session",
    "we",
    "meet",
    "and",
    "a",
    "an",
    "around",
    "month",
    "week",
    "in",
    "tbd",
    "from",
    "each time",
    "calls",
];

fn keep<T: PartialEq>(slot: &mut Option<T>, value: T) -> Result<(), ()> {
    match slot {
        Some(there) if *there != value => Err(()),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let reading = read(&Untrusted::new(text));
        let unclear: Vec<_> = reading
            .findings
            .iter()
            .filter(|finding| !matches!(finding.problem, Problem::ZoneTakenAs(_)))
            .map(|finding| (&finding.problem, finding.found.expose()))
            .collect();
        assert!(unclear.is_empty(), "{text}: {unclear:?}");
        assert_eq!(reading.cadence.describe(), expected, "{text}");
        let again = read(&Untrusted::new(reading.cadence.describe()));
        assert_eq!(again.cadence, reading.cadence, "{text}: the description reads back");
    }

    fn check_finding(text: &str, problem: &Problem, found: &str) {
        let reading = read(&Untrusted::new(text));
        let findings: Vec<_> = reading
            .findings
            .iter()
            .map(|f| (&f.problem, f.found.expose()))
            .collect();
        assert!(findings.contains(&(problem, found)), "{text}: {findings:?}");
    }

    #[test]
    fn the_usual_ways_of_saying_it_are_understood() {
        check(
            "Monthly, first Tuesday, 16:00 UTC, 50 minutes",
            "Monthly, first Tuesday, 16:00 UTC, 50 minutes",
        );
        check("monthly", "Monthly, day not yet set");
        check("", "Monthly, day not yet set");
        check(
            "Weekly on Thursdays at 9.30am London time",
            "Weekly, Thursday, 09:30 Europe/London",
        );
        check(
            "Every two weeks, Wednesday 4pm CET",
            "Every 2 weeks, Wednesday, 16:00 Europe/Brussels",
        );
        check(
            "biweekly, Wed, 16:00 Europe/Berlin, 1 hour",
            "Every 2 weeks, Wednesday, 16:00 Europe/Berlin, 60 minutes",
        );
        check("every other Friday at noon UTC", "Every 2 weeks, Friday, 12:00 UTC");
        check(
            "Last Thursday of the month, 15:00-15:50 UTC",
            "Monthly, last Thursday, 15:00 UTC, 50 minutes",
        );
        check(
            "The 2nd Tuesday of each month at 3pm ET for 45 min",
            "Monthly, second Tuesday, 15:00 America/New_York, 45 minutes",
        );
        check(
            "Quarterly, first Monday, 10:00 UTC+2",
            "Quarterly, first Monday, 10:00 Etc/GMT-2",
        );
        check(
            "once a month on the 15th, 1.5 hours",
            "Monthly, on the 15th, 90 minutes",
        );
        check("every Tuesday 11:00 UTC", "Weekly, Tuesday, 11:00 UTC");
        check(
            "first Tuesday every quarter, 3-4pm UTC",
            "Quarterly, first Tuesday, 15:00 UTC, 60 minutes",
        );
        check(
            "Third Friday, 14h30, Europe/Paris, half an hour",
            "Monthly, third Friday, 14:30 Europe/Paris, 30 minutes",
        );
        check("every 6 months", "Every 6 months, day not yet set");
        check("Quarterly, first Monday of the month", "Quarterly, first Monday");
        check("each fortnight on Mondays", "Every 2 weeks, Monday");
        check("Tuesdays, 4 p.m. UTC", "Weekly, Tuesday, 16:00 UTC");
    }

    #[test]
    fn what_is_not_understood_is_kept_and_the_rest_counts() {
        check_finding(
            "Monthly, when the moon is full, 16:00 UTC",
            &Problem::NotUnderstood,
            "when moon is full",
        );
        let reading = read(&Untrusted::new("Monthly, when the moon is full, 16:00 UTC"));
        assert_eq!(reading.cadence.describe(), "Monthly, day not yet set, 16:00 UTC");
        check_finding("Monthly, Tuesday", &Problem::WhichWeek, "Tuesday");
        check_finding("Weekly, first Tuesday", &Problem::DayOfWeekNeeded, "first Tuesday");
        check_finding("every second Tuesday", &Problem::OtherOrSecond, "every second tuesday");
        check_finding("Monthly, first Tuesday, 16:00 IST", &Problem::AmbiguousZone, "ist");
        check_finding("Monthly, 25:00 UTC", &Problem::NotUnderstood, "25:00");
        check_finding("Monthly, 16:00 UTC, 17:00 UTC", &Problem::SaidTwice, "17:00");
        check_finding("1st and 3rd Tuesday", &Problem::SeveralDays, "1st and 3rd tuesday");
        check_finding("Monthly, 99999 minutes", &Problem::NotUnderstood, "99999 minutes");
    }

    #[test]
    fn a_guessed_zone_is_said() {
        let zone = Zone::new("Europe/Brussels").unwrap();
        check_finding("weekly, Monday, 4pm CEST", &Problem::ZoneTakenAs(zone), "cest");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,80}") {
            let reading = read(&Untrusted::new(text));
            proptest::prop_assert_eq!(read(&Untrusted::new(reading.cadence.describe())).cadence, reading.cadence);
        }
    }
}
