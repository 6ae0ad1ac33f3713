//! Timestamps: an instant with nanoseconds, and the offset that its text had.

use super::duration;

/// An instant. The offset shows in the text form and nowhere else: equality and order ignore it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timestamp {
    /// Seconds since 1970.
    pub(super) seconds: i64,
    /// Nanoseconds after them.
    pub(super) nanoseconds: u32,
    /// Seconds east of UTC.
    pub(super) offset: i32,
}

impl Timestamp {
    /// When, and nothing of where.
    pub(super) const fn instant(self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }

    pub(super) const fn from_seconds(seconds: i64) -> Option<Self> {
        if seconds < FIRST_SECOND || seconds > LAST_SECOND {
            return None;
        }
        Some(Self { seconds, nanoseconds: 0, offset: 0 })
    }

    /// The sum, `None` outside the years 1 to 9999.
    pub(super) fn plus(self, nanoseconds: i64) -> Option<Self> {
        let sum = i64::from(self.nanoseconds).checked_add(nanoseconds.checked_rem(SECOND)?)?;
        let seconds = self
            .seconds
            .checked_add(nanoseconds.checked_div(SECOND)?)?
            .checked_add(sum.div_euclid(SECOND))?;
        Self::from_seconds(seconds)?;
        let nanoseconds = u32::try_from(sum.rem_euclid(SECOND)).ok()?;
        Some(Self { seconds, nanoseconds, offset: self.offset })
    }

    /// The duration between, `None` where it does not fit.
    pub(super) fn minus(self, other: Self) -> Option<i64> {
        let seconds = self.seconds.checked_sub(other.seconds)?.checked_mul(SECOND)?;
        let rest = i64::from(self.nanoseconds).checked_sub(i64::from(other.nanoseconds))?;
        seconds.checked_add(rest)
    }

    /// What CEL's `timestamp("…")` reads: RFC 3339 to the letter, in the years 1 to 9999.
    pub(super) fn parse_strict(text: &str) -> Option<Self> {
        if !is_strict(text.as_bytes()) {
            return None;
        }
        Self::parse(text).filter(|time| Self::from_seconds(time.seconds).is_some())
    }

    /// What Go's `time.Parse(time.RFC3339, …)` reads: also an hour of one digit, a comma before the
    /// fraction, and offsets up to 24:60.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES {
            return None;
        }
        let mut text = Text(text.as_bytes());
        let year = text.number(4, 0, 9999)?;
        text.take(b'-')?;
        let month = text.number(2, 1, 12)?;
        text.take(b'-')?;
        let day = text.number(2, 1, days_in(year, month))?;
        text.take(b'T')?;
        let hour_digits = if text.0.get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
        let hour = text.number(hour_digits, 0, 23)?;
        text.take(b':')?;
        let minute = text.number(2, 0, 59)?;
        text.take(b':')?;
        let second = text.number(2, 0, 59)?;
        let nanoseconds = text.fraction()?;
        let offset = text.offset()?;
        let days = days_since_1970(year, month, day)?;
        let of_day = hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?;
        let seconds = days.checked_mul(DAY)?.checked_add(of_day)?.checked_add(second)?;
        let seconds = seconds.checked_sub(offset)?;
        Some(Self { seconds, nanoseconds, offset: i32::try_from(offset).ok()? })
    }

    /// The parts of the calendar and the clock, `offset` seconds east of UTC.
    pub(super) fn civil(self, offset: i32) -> Option<Civil> {
        let local = self.seconds.checked_add(i64::from(offset))?;
        let days = local.div_euclid(DAY);
        let of_day = local.rem_euclid(DAY);
        let (year, month, day) = date_of(days)?;
        let new_year = days_since_1970(year, 1, 1)?;
        Some(Civil {
            year,
            month,
            day,
            day_of_year: days.checked_sub(new_year)?,
            // 1970-01-01 was a Thursday.
            day_of_week: days.checked_add(4)?.rem_euclid(7),
            hour: of_day.checked_div(3_600)?,
            minute: of_day.checked_div(60)?.checked_rem(60)?,
            second: of_day.checked_rem(60)?,
        })
    }

    /// RFC 3339 with the offset that it was read with and no more digits than it needs.
    pub(super) fn write(self, text: &mut String) -> Option<()> {
        use std::fmt::Write;
        let civil = self.civil(self.offset)?;
        let Civil { year, month, day, hour, minute, second, .. } = civil;
        write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}").ok()?;
        if self.nanoseconds != 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(text, ".{}", digits.trim_end_matches('0')).ok()?;
        }
        let minutes = self.offset.checked_div(60)?;
        if minutes == 0 {
            text.push('Z');
            return Some(());
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        let (hours, minutes) = (minutes.checked_div(60)?, minutes.checked_rem(60)?);
        write!(text, "{sign}{hours:02}:{minutes:02}").ok()
    }
}

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// From 0.
    pub(super) day_of_year: i64,
    /// From 0, which is Sunday.
    pub(super) day_of_week: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn take(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == expected).then_some(())
    }

    fn number(&mut self, digits: usize, least: i64, most: i64) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let value = number.iter().try_fold(0_i64, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'))?;
            value.checked_mul(10)?.checked_add(i64::from(digit))
        })?;
        (least <= value && value <= most).then_some(value)
    }

    /// Nanoseconds; digits after the ninth are dropped.
    fn fraction(&mut self) -> Option<u32> {
        let [b'.' | b',', digit, ..] = self.0 else { return Some(0) };
        if !digit.is_ascii_digit() {
            return Some(0);
        }
        let digits = self.0.get(1..)?;
        let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        let (digits, rest) = digits.split_at_checked(end)?;
        self.0 = rest;
        let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
        padded.copied().try_fold(0_u32, |value, digit| {
            value.checked_mul(10)?.checked_add(u32::from(digit.wrapping_sub(b'0')))
        })
    }

    /// Seconds east of UTC; nothing may follow.
    fn offset(&mut self) -> Option<i64> {
        if self.0 == b"Z" {
            return Some(0);
        }
        let (sign, rest) = self.0.split_first()?;
        self.0 = rest;
        let hours = self.number(2, 0, 24)?;
        self.take(b':')?;
        let minutes = self.number(2, 0, 60)?;
        let seconds = hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)?;
        match (sign, self.0) {
            (b'+', []) => Some(seconds),
            (b'-', []) => seconds.checked_neg(),
            _ => None,
        }
    }
}

/// The forms of RFC 3339 alone: two digits for an hour, a point, offsets up to 23:59.
fn is_strict(text: &[u8]) -> bool {
    let hour_is_full = text.get(13) == Some(&b':');
    let has_comma = text.contains(&b',');
    let offset = text.len().checked_sub(6).and_then(|start| text.get(start..));
    let offset_is_strict = match offset {
        Some([b'+' | b'-', tens, ones, b':', minute, _]) => {
            (*tens, *ones) <= (b'2', b'3') && *minute < b'6'
        }
        _ => true,
    };
    hour_is_full && !has_comma && offset_is_strict
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

const fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = if month > 2 { year } else { year.checked_sub(1)? };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = month.checked_add(9)?.rem_euclid(12);
    let of_year =
        month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let leap_days = of_era.checked_div(4)?.checked_sub(of_era.checked_div(100)?)?;
    let day_of_era = of_era.checked_mul(365)?.checked_add(leap_days)?.checked_add(of_year)?;
    era.checked_mul(ERA_DAYS)?.checked_add(day_of_era)?.checked_sub(DAYS_TO_1970)
}

/// Howard Hinnant's `civil_from_days`.
fn date_of(days: i64) -> Option<(i64, i64, i64)> {
    let days = days.checked_add(DAYS_TO_1970)?;
    let era = days.div_euclid(ERA_DAYS);
    let of_era = days.rem_euclid(ERA_DAYS);
    let year_of_era = of_era
        .checked_sub(of_era.checked_div(1_460)?)?
        .checked_add(of_era.checked_div(36_524)?)?
        .checked_sub(of_era.checked_div(146_096)?)?
        .checked_div(365)?;
    let leap_days = year_of_era.checked_div(4)?.checked_sub(year_of_era.checked_div(100)?)?;
    let of_year = of_era.checked_sub(year_of_era.checked_mul(365)?.checked_add(leap_days)?)?;
    let month = of_year.checked_mul(5)?.checked_add(2)?.checked_div(153)?;
    let before_month = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?;
    let day = of_year.checked_sub(before_month)?.checked_add(1)?;
    let month = month.checked_add(2)?.rem_euclid(12).checked_add(1)?;
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    let year = if month <= 2 { year.checked_add(1)? } else { year };
    Some((year, month, day))
}

/// Seconds and their fraction in the shortest decimal form, as CEL writes a duration.
pub(super) fn write_duration(nanoseconds: i64, text: &mut String) -> Option<()> {
    use std::fmt::Write;
    write!(text, "{}s", duration::in_units(nanoseconds, SECOND)?).ok()
}

const SECOND: i64 = 1_000_000_000;

const DAY: i64 = 86_400;

const ERA_DAYS: i64 = 146_097;

const DAYS_TO_1970: i64 = 719_468;

/// 0001-01-01T00:00:00Z: the first second of a CEL timestamp.
const FIRST_SECOND: i64 = -62_135_596_800;

/// 9999-12-31T23:59:59Z: the last second of a CEL timestamp.
const LAST_SECOND: i64 = 253_402_300_799;

/// Bytes of a text. Go sets no bound; nine digits of fraction need 35 bytes.
const TEXT_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(i64, u32, i32)> {
        Timestamp::parse(text).map(|time| (time.seconds, time.nanoseconds, time.offset))
    }

    fn strict(text: &str) -> bool {
        Timestamp::parse_strict(text).is_some()
    }

    #[test]
    fn instants_are_read_with_their_offset() {
        let cases = [
            ("1970-01-01T00:00:00Z", (0, 0, 0)),
            ("2023-01-01T00:00:00Z", (1_672_531_200, 0, 0)),
            ("2000-02-29T23:59:59.5+01:30", (951_863_399, 500_000_000, 5_400)),
            ("0001-01-01T00:00:00Z", (FIRST_SECOND, 0, 0)),
            ("9999-12-31T23:59:59.9999999999Z", (LAST_SECOND, 999_999_999, 0)),
            ("0000-01-01T00:00:00Z", (-62_167_219_200, 0, 0)),
            ("1969-12-31T23:59:59-00:00", (-1, 0, 0)),
            ("2023-01-01T5:00:00Z", (1_672_549_200, 0, 0)),
            ("2023-01-01T00:00:00,25Z", (1_672_531_200, 250_000_000, 0)),
            ("2023-01-01T00:00:00+24:60", (1_672_441_200, 0, 90_000)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2023-0914",
            "2023-01-01",
            "2023-01-01T00:00:00",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-32T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:60Z",
            "2023-01-01t00:00:00Z",
            "2023-01-01T00:00:00z",
            "2023-01-01 00:00:00Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00Zx",
            "2023-01-01T00:00:00+25:00",
            "2023-01-01T00:00:00+00:61",
            "2023-01-01T00:00:00+0000",
            "+023-01-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_function_reads_rfc_3339_alone() {
        assert!(strict("2023-01-01T00:00:00.123456789+23:59"));
        for text in [
            "2023-01-01T5:00:00Z",
            "2023-01-01T00:00:00,25Z",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00+00:60",
            "0000-12-31T23:59:59Z",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert!(!strict(text), "{text}");
        }
    }

    #[test]
    fn the_calendar_runs_both_ways() {
        for days in (-719_528..2_932_897).step_by(13) {
            let (year, month, day) = date_of(days).expect("a date");
            assert_eq!(days_since_1970(year, month, day), Some(days), "{year}-{month}-{day}");
        }
        assert_eq!(date_of(0), Some((1970, 1, 1)));
        assert_eq!(date_of(11_016), Some((2000, 2, 29)));
    }

    #[test]
    fn parts_are_those_of_the_offset() {
        let time = Timestamp::parse("2020-12-31T23:30:15.25Z").expect("a time");
        assert_eq!(
            time.civil(0),
            Some(Civil {
                year: 2020,
                month: 12,
                day: 31,
                day_of_year: 365,
                day_of_week: 4,
                hour: 23,
                minute: 30,
                second: 15
            })
        );
        let later = time.civil(3_600).expect("parts");
        assert_eq!((later.year, later.day_of_year, later.day_of_week, later.hour), (2021, 0, 5, 0));
    }

    #[test]
    fn sums_stay_in_the_years_1_to_9999() {
        let last = Timestamp::parse("9999-12-31T23:59:59.999999999Z").expect("a time");
        assert_eq!(last.plus(1).map(Timestamp::instant), None);
        assert_eq!(last.plus(0).map(Timestamp::instant), Some(last.instant()));
        let first = Timestamp::parse("0001-01-01T00:00:00Z").expect("a time");
        assert_eq!(first.plus(-1).map(Timestamp::instant), None);
        assert_eq!(first.plus(-0).map(Timestamp::instant), Some((FIRST_SECOND, 0)));
        assert_eq!(last.minus(first), None);
        assert_eq!(last.minus(last.plus(-5).expect("a time")), Some(5));
    }

    #[test]
    fn the_text_keeps_the_offset() {
        for text in [
            "2023-01-01T00:00:00Z",
            "2023-01-01T00:00:00.5+02:00",
            "2023-01-01T00:00:00.000000001-00:30",
        ] {
            let mut written = String::new();
            Timestamp::parse(text).expect("a time").write(&mut written).expect("a text");
            assert_eq!(written, text);
        }
    }

    #[test]
    fn a_duration_is_written_in_seconds() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1_500_000_000, "1.5s"),
            (-1, "-0.000000001s"),
            (5_400_000_000_000, "5400s"),
        ] {
            let mut text = String::new();
            write_duration(nanoseconds, &mut text).expect("a text");
            assert_eq!(text, expected);
        }
    }
}
