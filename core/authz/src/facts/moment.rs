//! Moments: seconds since the epoch, or RFC 3339 in UTC.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) u64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("seconds since 1970 or a moment such as `2027-01-31T00:00:00Z`")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Moment, E> {
        Ok(Moment(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Moment, E> {
        u64::try_from(seconds).map(Moment).map_err(|_| E::custom("must not be before 1970"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        let moment = parse(text).map(Moment);
        moment.ok_or_else(|| E::custom("must be a moment such as `2027-01-31T00:00:00Z`"))
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, from 1970 on; leap seconds have no number of their own.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || day == 0 || day > days_of_month(year, month)? {
        return None;
    }
    let days = days_before(year, month)?.checked_add(day)?.checked_sub(1)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60)?.checked_add(second)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut read = |width: usize| {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok())?
    };
    let [first, second, third] = widths;
    let numbers = [read(first)?, read(second)?, read(third)?];
    parts.next().is_none().then_some(numbers)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_month(year: u64, month: u64) -> Option<u64> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: u64, month: u64) -> Option<u64> {
    // Every fourth year has a leap day, of a hundred not, of four hundred it has.
    let leap_days = |years: u64| (years / 4).checked_sub(years / 100)?.checked_add(years / 400);
    let years = year.checked_sub(1970)?;
    let leap = leap_days(year.checked_sub(1)?)?.checked_sub(leap_days(1969)?)?;
    let before = years.checked_mul(365)?.checked_add(leap)?;
    (1..month).try_fold(before, |days, month| days.checked_add(days_of_month(year, month)?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_moment_is_read_to_the_second() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-28T23:59:59Z", 951_782_399),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-11-21T17:30:05Z", 1_795_282_205),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_in_utc_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01T00:00:00.5Z",
            "2026-1-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
