//! Moments for people: UTC, and how far away they are.

/// The moment in UTC, `2026-01-01T00:00:00Z`, beside how far it is from `now`.
#[must_use]
pub fn described(seconds: u64, now: u64) -> String {
    format!("{} ({})", utc(seconds), relative(seconds, now))
}

/// Seconds since the epoch as RFC 3339 in UTC; past the year 9999 as the number.
#[must_use]
pub fn utc(seconds: u64) -> String {
    if seconds > LAST_OF_9999 {
        return format!("{seconds} s since 1970");
    }
    let (year, month, day) = date(seconds / DAY);
    let second = seconds % DAY;
    let (hour, minute) = (second / HOUR, second % HOUR / MINUTE);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % MINUTE)
}

/// How far a moment is from `now`, in its largest unit.
#[must_use]
pub fn relative(seconds: u64, now: u64) -> String {
    match (seconds.checked_sub(now), now.checked_sub(seconds)) {
        (Some(0), _) => "now".to_owned(),
        (Some(ahead), _) => format!("in {}", span(ahead)),
        (None, behind) => format!("{} ago", span(behind.unwrap_or(0))),
    }
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..MINUTE => (seconds, "s"),
        MINUTE..HOUR => (seconds / MINUTE, "min"),
        HOUR..DAY => (seconds / HOUR, "h"),
        DAY.. => (seconds / DAY, "d"),
    };
    format!("{count} {unit}")
}

/// The Gregorian date of a day counted from 1970-01-01, by years that begin in March, so that the
/// leap day comes last.
#[expect(clippy::arithmetic_side_effects, reason = "days before the year 10000 cannot overflow")]
fn date(day: u64) -> (u64, u64, u64) {
    const DAYS_FROM_0000_03_01: u64 = 719_468;
    const ERA: u64 = 146_097; // days of 400 years
    let shifted = day + DAYS_FROM_0000_03_01;
    let (era, of_era) = (shifted / ERA, shifted % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day_of_month)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
const LAST_OF_9999: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST_OF_9999, "9999-12-31T23:59:59Z"),
            (LAST_OF_9999 + 1, "253402300800 s since 1970"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }

    #[test]
    fn distance_has_one_unit() {
        for (seconds, text) in [
            (1_000_000, "now"),
            (1_000_059, "in 59 s"),
            (1_000_060, "in 1 min"),
            (999_999, "1 s ago"),
            (1_000_000 - 7_200, "2 h ago"),
            (1_000_000 + 86_400 * 3, "in 3 d"),
        ] {
            assert_eq!(relative(seconds, 1_000_000), text);
        }
    }
}
