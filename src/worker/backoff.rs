//! How long to wait after a failed look.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Nobody sensible asks for more; a mistaken header must not stop a thing for good.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// Doubles with each failed attempt (`attempts` before this one), from 5 seconds to 15 minutes, of which `lot` (0 to 1)
/// draws the upper half, so that many things that failed together do not come back together. Never less than `asked`.
pub(super) fn delay(attempts: u32, asked: Option<Duration>, lot: f64) -> Duration {
    let lot = lot.clamp(0.0, 1.0);
    let doubled = FIRST
        .saturating_mul(2_u32.saturating_pow(attempts.min(16)))
        .min(LONGEST);
    match asked {
        None => doubled.mul_f64(0.5 + lot / 2.0),
        // A little later than asked, each at another time.
        Some(asked) => asked.min(LONGEST_ASKED) + FIRST.mul_f64(lot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        for (attempts, seconds) in [(0, 5), (1, 10), (2, 20), (3, 40), (7, 640), (8, 900), (1000, 900)] {
            assert_eq!(delay(attempts, None, 1.0), Duration::from_secs(seconds), "{attempts}");
            assert_eq!(
                delay(attempts, None, 0.0),
                Duration::from_secs(seconds) / 2,
                "{attempts}"
            );
        }
    }

    #[test]
    fn what_was_asked_for_is_never_undercut() {
        for asked in [0, 1, 60, 3600] {
            let asked = Duration::from_secs(asked);
            for lot in [0.0, 0.5, 1.0] {
                assert!(delay(5, Some(asked), lot) >= asked);
            }
        }
        assert!(delay(0, Some(Duration::MAX), 1.0) <= LONGEST_ASKED + FIRST);
    }
}
