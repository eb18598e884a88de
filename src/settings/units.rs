//! Durations and sizes with their units, so that no number has to be guessed at.

use std::time::Duration;

/// Reads `"10m"`, `"90s"`, `"1h 30m"`, `"250ms"`, `"7d"`.
///
/// # Errors
/// What would do.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    const MEND: &str = "write a number with its unit (ms, s, m, h or d), for example \"30s\" or \"1h 30m\"";
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(MEND);
    }
    while !rest.is_empty() {
        let (count, unit, after) = leading_quantity(rest).ok_or(MEND)?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(86_400),
            _ => return Err(MEND),
        };
        let count = u32::try_from(count).map_err(|_| MEND)?;
        total = unit
            .checked_mul(count)
            .and_then(|part| total.checked_add(part))
            .ok_or(MEND)?;
        rest = after;
    }
    Ok(total)
}

/// Reads `"25 MiB"`, `"64KB"`, `"512 B"`, in bytes. The error says what would do.
pub(super) fn size(text: &str) -> Result<usize, &'static str> {
    const MEND: &str = "write a number with its unit (B, KB, KiB, MB, MiB or GiB), for example \"25 MiB\"";
    let (count, unit, after) = leading_quantity(text.trim()).ok_or(MEND)?;
    let unit: u64 = match unit {
        "B" => 1,
        "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(MEND),
    };
    if !after.is_empty() {
        return Err(MEND);
    }
    count
        .checked_mul(unit)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or(MEND)
}

/// The number and the unit at the beginning, and what follows them.
fn leading_quantity(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let count = text[..digits].parse().ok()?;
    let rest = text[digits..].trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    Some((count, &rest[..letters], rest[letters..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        for (text, millis) in [
            ("10m", 600_000),
            ("90s", 90_000),
            ("1h 30m", 5_400_000),
            ("250ms", 250),
            ("7d", 604_800_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "10",
            "m",
            "10 parsecs",
            "-1s",
            "1.5h",
            "99999999999999999999d",
            "4294967295d 4294967295d x",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_carry_their_unit() {
        for (text, bytes) in [
            ("25 MiB", 26_214_400),
            ("64KB", 64_000),
            ("512 B", 512),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "25", "MiB", "25 mib", "1 MiB 2 KiB", "99999999999999999 GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
