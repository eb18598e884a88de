//! The next meeting after a moment.

use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp};

use super::{Cadence, Day, Every, Nth};

// A Monday: weeks are counted from it when a cadence names no day to count from.
const FIRST_MONDAY: Date = Date::constant(1970, 1, 5);

impl Cadence {
    /// When the next meeting begins, strictly after `after`; `None` while day or time are not set.
    ///
    /// The time of day stays the same through changes of the clock. A time that a change of the clock skips is moved
    /// forward by the gap, one that happens twice means the first (RFC 5545, 3.3.5).
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let at = self.at?;
        let rules = self.timezone.rules();
        let mut date = after.to_zoned(rules.clone()).date().yesterday().ok()?;
        // The first meeting day on or after yesterday may already be over, and so may the one after it.
        for _ in 0..3 {
            date = self.next_date(date)?;
            let begin = rules.to_ambiguous_timestamp(date.to_datetime(at)).compatible().ok()?;
            if begin > after {
                return Some(begin);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The next day of a meeting, `from` itself included; `None` while the day is not set or does not fit the rhythm.
    #[must_use]
    pub fn next_date(&self, from: Date) -> Option<Date> {
        let from = self.from.map_or(from, |first| first.max(from));
        match (self.every, self.on?) {
            (Every::Weeks(weeks), Day::Weekday(weekday)) => self.next_in_weeks(from, weeks, weekday),
            (Every::Months(months), day @ (Day::NthWeekday(..) | Day::OfMonth(_))) => {
                self.next_in_months(from, months, day)
            }
            _ => None,
        }
    }

    fn next_in_weeks(&self, from: Date, weeks: u8, weekday: Weekday) -> Option<Date> {
        let anchor = monday_of(self.from.unwrap_or(FIRST_MONDAY))?;
        let ahead = i64::from(monday_distance(weekday));
        let mut monday = monday_of(from)?;
        let past = (days_between(anchor, monday)? / 7).rem_euclid(i64::from(weeks));
        if past != 0 {
            monday = monday
                .checked_add(Span::new().try_weeks(i64::from(weeks) - past).ok()?)
                .ok()?;
        }
        let date = monday.checked_add(Span::new().try_days(ahead).ok()?).ok()?;
        if date >= from {
            return Some(date);
        }
        date.checked_add(Span::new().try_weeks(i64::from(weeks)).ok()?).ok()
    }

    fn next_in_months(&self, from: Date, months: u8, day: Day) -> Option<Date> {
        let step = i64::from(months);
        let anchor = self.from.map_or(0, month_number);
        let mut month = month_number(from);
        month += (anchor - month).rem_euclid(step);
        let date = day_in_month(month, day)?;
        if date >= from {
            Some(date)
        } else {
            day_in_month(month + step, day)
        }
    }
}

fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

fn day_in_month(month: i64, day: Day) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let first = Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
    match day {
        Day::NthWeekday(nth, weekday) => first.nth_weekday_of_month(nth_number(nth), weekday).ok(),
        Day::OfMonth(day) => first
            .with()
            .day(i8::try_from(day).ok()?.min(first.days_in_month()))
            .build()
            .ok(),
        Day::Weekday(_) => None,
    }
}

fn nth_number(nth: Nth) -> i8 {
    match nth {
        Nth::First => 1,
        Nth::Second => 2,
        Nth::Third => 3,
        Nth::Fourth => 4,
        Nth::Last => -1,
    }
}

fn monday_distance(weekday: Weekday) -> i8 {
    weekday.to_monday_zero_offset()
}

fn monday_of(date: Date) -> Option<Date> {
    date.checked_sub(Span::new().try_days(i64::from(monday_distance(date.weekday()))).ok()?)
        .ok()
}

fn days_between(from: Date, to: Date) -> Option<i64> {
    from.until(to).ok().map(|span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::untrusted::Untrusted;

    fn check(cadence: &str, after: &str, expected: Option<&str>) {
        let reading = read(&Untrusted::new(cadence));
        assert!(reading.findings.is_empty(), "{cadence}: {:?}", reading.findings);
        let next = reading.cadence.next(after.parse().unwrap());
        assert_eq!(
            next.map(|at| at.to_string()).as_deref(),
            expected,
            "{cadence} after {after}"
        );
    }

    #[test]
    fn without_day_or_time_there_is_no_next_meeting() {
        check("Monthly", "2026-01-01T00:00:00Z", None);
        check("Monthly, first Tuesday", "2026-01-01T00:00:00Z", None);
        check("Monthly, 16:00 UTC", "2026-01-01T00:00:00Z", None);
    }

    #[test]
    fn the_next_meeting_is_strictly_later() {
        check(
            "Monthly, first Tuesday, 16:00 UTC",
            "2026-01-06T15:59:59Z",
            Some("2026-01-06T16:00:00Z"),
        );
        check(
            "Monthly, first Tuesday, 16:00 UTC",
            "2026-01-06T16:00:00Z",
            Some("2026-02-03T16:00:00Z"),
        );
        check(
            "Weekly, Tuesday, 16:00 UTC",
            "2026-01-06T16:00:00Z",
            Some("2026-01-13T16:00:00Z"),
        );
        check(
            "Monthly, last Friday, 09:00 UTC",
            "2026-01-30T10:00:00Z",
            Some("2026-02-27T09:00:00Z"),
        );
    }

    #[test]
    fn the_time_of_day_stays_through_changes_of_the_clock() {
        check(
            "Weekly, Monday, 16:00 Europe/Berlin",
            "2026-03-23T16:00:00Z",
            Some("2026-03-30T14:00:00Z"),
        );
        check(
            "Weekly, Monday, 16:00 Europe/Berlin",
            "2026-10-19T16:00:00Z",
            Some("2026-10-26T15:00:00Z"),
        );
    }

    #[test]
    fn a_skipped_time_moves_forward_and_a_doubled_one_is_the_first() {
        check(
            "Monthly, last Sunday, 02:30 Europe/Berlin",
            "2026-03-01T12:00:00Z",
            Some("2026-03-29T01:30:00Z"),
        );
        check(
            "Monthly, last Sunday, 02:30 Europe/Berlin",
            "2026-10-01T12:00:00Z",
            Some("2026-10-25T00:30:00Z"),
        );
    }

    #[test]
    fn the_day_is_the_day_of_the_zone() {
        check(
            "Weekly, Monday, 08:00 Pacific/Auckland",
            "2026-01-04T12:00:00Z",
            Some("2026-01-04T19:00:00Z"),
        );
        check(
            "Weekly, Monday, 20:00 America/Los_Angeles",
            "2026-01-06T02:00:00Z",
            Some("2026-01-06T04:00:00Z"),
        );
    }

    #[test]
    fn other_weeks_and_months_are_counted_from_the_named_day() {
        check(
            "Every two weeks, Tuesday, 16:00 UTC, from 2026-01-06",
            "2026-01-07T00:00:00Z",
            Some("2026-01-20T16:00:00Z"),
        );
        check(
            "Every two weeks, Tuesday, 16:00 UTC, from 2026-01-13",
            "2026-01-07T00:00:00Z",
            Some("2026-01-13T16:00:00Z"),
        );
        check(
            "Quarterly, first Monday, 10:00 UTC",
            "2026-01-06T00:00:00Z",
            Some("2026-04-06T10:00:00Z"),
        );
        check(
            "Quarterly, first Monday, 10:00 UTC, from 2026-02-01",
            "2026-01-06T00:00:00Z",
            Some("2026-02-02T10:00:00Z"),
        );
    }

    #[test]
    fn other_weeks_go_on_evenly_through_the_turn_of_the_year() {
        let cadence = read(&Untrusted::new("Biweekly, Tuesday, 16:00 UTC")).cadence;
        let mut at: jiff::Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let first = cadence.next(at).unwrap();
        at = first;
        for _ in 0..30 {
            let next = cadence.next(at).unwrap();
            assert_eq!(next.duration_since(at).as_hours(), 14 * 24);
            at = next;
        }
    }

    #[test]
    fn a_day_that_a_month_lacks_is_its_last() {
        check(
            "Monthly on the 31st, 10:00 UTC",
            "2026-02-01T00:00:00Z",
            Some("2026-02-28T10:00:00Z"),
        );
    }
}
