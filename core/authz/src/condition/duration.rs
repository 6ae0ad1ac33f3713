//! Durations: Go's `time.Duration`, nanoseconds in 64 bits, and the text form of
//! `time.ParseDuration`.

use super::number::{double_of_int, double_of_uint, uint_of_double};

/// The nanoseconds of Go's text form: `1h30m`, `-1.5h`, `300ms`, `0`.
///
/// Unit by unit as Go adds them up, the rounding of fractions included.
pub(super) fn parse(text: &str) -> Option<i64> {
    if text.len() > TEXT_BYTES {
        return None;
    }
    let (negative, mut rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (part, after) = parse_part(rest)?;
        total = total.checked_add(part).filter(|total| *total <= LARGEST)?;
        rest = after;
    }
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// One number and its unit, in nanoseconds.
fn parse_part(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (whole, after_whole) = leading_digits(bytes);
    let value = whole_number(whole)?;
    let (fraction, after) = match after_whole {
        [b'.', rest @ ..] => leading_digits(rest),
        rest => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_end = after.iter().position(|byte| *byte == b'.' || byte.is_ascii_digit());
    let (unit, rest) = after.split_at_checked(unit_end.unwrap_or(after.len()))?;
    let unit = unit_nanoseconds(unit)?;
    let nanoseconds = value.checked_mul(unit).filter(|value| *value <= LARGEST)?;
    let (numerator, scale) = fraction_of(fraction);
    let extra = uint_of_double(double_of_uint(numerator) * (double_of_uint(unit) / scale));
    let nanoseconds = nanoseconds.checked_add(extra).filter(|value| *value <= LARGEST)?;
    Some((nanoseconds, rest))
}

fn leading_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn whole_number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = u64::from(digit.checked_sub(b'0')?);
        value.checked_mul(10)?.checked_add(digit).filter(|value| *value <= LARGEST)
    })
}

/// Digits after the point as a numerator and its scale; digits beyond what fits are dropped.
fn fraction_of(digits: &[u8]) -> (u64, f64) {
    let mut numerator = 0_u64;
    let mut scale = 1.0;
    for digit in digits {
        let fits = numerator <= (LARGEST - 1) / 10;
        let next = numerator
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit.wrapping_sub(b'0'))));
        match next.filter(|value| fits && *value <= LARGEST) {
            Some(value) => numerator = value,
            None => break,
        }
        scale *= 10.0;
    }
    (numerator, scale)
}

fn unit_nanoseconds(unit: &[u8]) -> Option<u64> {
    Some(match unit {
        b"ns" => 1,
        b"us" => 1_000,
        _ if unit == "µs".as_bytes() || unit == "μs".as_bytes() => 1_000,
        b"ms" => 1_000_000,
        b"s" => SECOND,
        b"m" => 60 * SECOND,
        b"h" => 3_600 * SECOND,
        _ => return None,
    })
}

/// Whole units of `unit` nanoseconds, by way of a double as Go counts them.
pub(super) fn whole_units(nanoseconds: i64, unit: i64) -> Option<i64> {
    Some(super::number::int_of_double(in_units(nanoseconds, unit)?))
}

/// Go's `Seconds()`, `Minutes()`, `Hours()`.
pub(super) fn in_units(nanoseconds: i64, unit: i64) -> Option<f64> {
    let whole = nanoseconds.checked_div(unit)?;
    let rest = nanoseconds.checked_rem(unit)?;
    Some(double_of_int(whole) + double_of_int(rest) / double_of_int(unit))
}

const SECOND: u64 = 1_000_000_000;

/// The magnitude of the smallest duration.
const LARGEST: u64 = 1 << 63;

/// Bytes of a text. Go sets no bound; every duration has a text below it, and parsing stays short.
const TEXT_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_text_forms_are_read() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("0s", 0),
            ("1h", 3_600_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("-1.5h", -5_400_000_000_000),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("300ms", 300_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("7ns", 7),
            ("2562047h47m16.854775807s", i64::MAX),
            ("-2562047h47m16.854775808s", i64::MIN),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.9223372036854775807h", 3_320_413_933_267),
            ("0.9223372036854775808h", 3_320_413_933_267),
            ("1s1s", 2_000_000_000),
        ];
        for (text, nanoseconds) in cases {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
        }
        let padded = |bytes: usize| format!("{:0>bytes$}", "5s");
        assert_eq!(parse(&padded(TEXT_BYTES)), Some(5_000_000_000));
        assert_eq!(parse(&padded(TEXT_BYTES + 1)), None);
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in [
            "",
            "3",
            "-",
            "s",
            ".",
            "-.",
            ".s",
            "+.s",
            "1d",
            "2sm",
            "1 h",
            "1h ",
            "\u{85}\u{85}",
            "9223372036854775808ns",
            "2562047h47m16.854775808s",
            "3000000h",
            "1e3s",
            "--1s",
            "1H",
            "18446744073709551616ns",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn hours_of_nearly_a_whole_hour_round_up_as_gos_double_does() {
        assert_eq!(
            whole_units(2_562_047 * 3_600_000_000_000 - 1, 3_600_000_000_000),
            Some(2_562_047)
        );
        assert_eq!(whole_units(-5_400_000_000_000, 3_600_000_000_000), Some(-1));
    }
}
