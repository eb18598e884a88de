//! The words of a cadence one by one: days, counts, lengths and times of day.

use jiff::civil::{Time, Weekday};

use super::Nth;

/// The text's words in lower case, without the signs around them.
pub(super) fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '|' | '*' | '`' | '~'))
        .map(|word| word.trim_matches('_'))
        .map(|word| {
            if word.contains('/') {
                word
            } else {
                word.trim_end_matches(['.', ':', '!'])
            }
        })
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A small number, in figures or in words.
pub(super) fn count_word(word: &str) -> Option<u8> {
    Some(match word {
        "one" => 1,
        "two" | "second" | "2nd" | "other" => 2,
        "three" | "third" | "3rd" => 3,
        "four" => 4,
        "six" => 6,
        "eight" => 8,
        digits => digits.parse().ok()?,
    })
}

/// A length in minutes at the beginning of these words, and how many words it takes.
pub(super) fn duration(first: &str, second: &str, third: &str) -> Option<(u16, usize)> {
    if first == "half" && second == "an" && third == "hour" {
        return Some((30, 3));
    }
    if matches!(first, "an" | "one") && matches!(second, "hour" | "h") {
        return Some((60, 2));
    }
    let digits = first
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(first.len());
    let (number, glued) = first.split_at(digits);
    let (unit, used) = match glued.trim_start_matches('-') {
        "" => (second, 2),
        unit => (unit, 1),
    };
    match unit {
        "minutes" | "minute" | "min" | "mins" | "minuten" => number.parse().ok().map(|minutes| (minutes, used)),
        "hours" | "hour" | "hrs" | "hr" => hours(number).map(|minutes| (minutes, used)),
        // "1h" is a length, "16h" a time of day.
        "h" => hours(number)
            .filter(|minutes| *minutes <= 240)
            .map(|minutes| (minutes, used)),
        _ => None,
    }
}

fn hours(number: &str) -> Option<u16> {
    let (whole, half) = number.split_once('.').unwrap_or((number, "0"));
    let minutes = match half {
        "0" => 0,
        "25" => 15,
        "5" => 30,
        "75" => 45,
        _ => return None,
    };
    whole.parse::<u16>().ok()?.checked_mul(60)?.checked_add(minutes)
}

/// A time of day; `next` may be its half of the day.
pub(super) fn time_of_day(word: &str, next: &str) -> Option<Time> {
    match word {
        "noon" | "midday" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let (clock, half) = match word.strip_suffix("am").or_else(|| word.strip_suffix("a.m")) {
        Some(clock) => (clock, "am"),
        None => match word.strip_suffix("pm").or_else(|| word.strip_suffix("p.m")) {
            Some(clock) => (clock, "pm"),
            None => (word, next),
        },
    };
    let half = match half {
        "am" | "a.m" => Some(false),
        "pm" | "p.m" => Some(true),
        _ => None,
    };
    let (hour, minute) = match clock.split_once([':', '.', 'h']) {
        Some((hour, minute)) => (hour, minute),
        None if half.is_some() => (clock, "00"),
        None => return None,
    };
    let minute = if minute.is_empty() && clock.ends_with('h') {
        "00"
    } else {
        minute
    };
    if minute.len() != 2 {
        return None;
    }
    let hour = twenty_four(hour.parse().ok()?, half)?;
    Time::new(hour, minute.parse().ok()?, 0, 0).ok()
}

fn twenty_four(hour: i8, afternoon: Option<bool>) -> Option<i8> {
    match afternoon {
        None => Some(hour),
        Some(_) if !(1..=12).contains(&hour) => None,
        Some(false) => Some(hour % 12),
        Some(true) => Some(hour % 12 + 12),
    }
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim_end_matches('s').trim_end_matches('.') {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" | "wedne" => Weekday::Wednesday,
        "thursday" | "thu" | "thur" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

pub(super) fn nth(word: &str) -> Option<Nth> {
    Some(match word {
        "first" | "1st" => Nth::First,
        "second" | "2nd" => Nth::Second,
        "third" | "3rd" => Nth::Third,
        "fourth" | "4th" => Nth::Fourth,
        "last" => Nth::Last,
        _ => return None,
    })
}

pub(super) fn day_of_month(word: &str) -> Option<u8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = &word[digits.len()..];
    let day = digits.parse::<u8>().ok()?;
    (matches!(ending, "" | "st" | "nd" | "rd" | "th") && (1..=31).contains(&day)).then_some(day)
}
