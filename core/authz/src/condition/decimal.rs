//! Decimal texts in a context: what Go's `big.ParseFloat(text, 10, 64, ToNearestEven)` makes of
//! them, which is how OpenFGA reads `"1"` as a number.
//!
//! A value is first rounded to 64 bits, and only then looked at: it must be whole to become an
//! integer, and exactly a double to become one, so that `"0.5"` is a double and `"0.1"` is refused.

use super::number::int_of_double;

/// A number rounded to 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    size: Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Zero,
    /// `mantissa` times two to the power of `exponent`; the mantissa's highest bit is set.
    Number {
        mantissa: u64,
        exponent: i64,
    },
    /// A whole number beyond every double.
    Huge,
    /// `Inf`
    Infinite,
}

impl Decimal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES {
            return None;
        }
        let (is_negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest == b"Inf" || rest == b"inf" {
            return Some(Self { is_negative, size: Size::Infinite });
        }
        Some(Self { is_negative, size: Literal::parse(rest)?.size()? })
    }

    /// The integer, where it is whole; the nearest bound where it does not fit, as in OpenFGA.
    pub(super) fn to_int(self) -> Option<i64> {
        let magnitude = match self.size {
            Size::Zero => 0,
            Size::Infinite => return None,
            Size::Huge => u64::MAX,
            Size::Number { mantissa, exponent } => whole(mantissa, exponent)?,
        };
        let bound = if self.is_negative { i64::MIN } else { i64::MAX };
        Some(if self.is_negative {
            0_i64.checked_sub_unsigned(magnitude).unwrap_or(bound)
        } else {
            i64::try_from(magnitude).unwrap_or(bound)
        })
    }

    /// The double, where it is exactly one.
    pub(super) fn to_double(self) -> Option<f64> {
        let magnitude = match self.size {
            Size::Zero => 0.0,
            Size::Huge => return None,
            Size::Infinite => f64::INFINITY,
            Size::Number { mantissa, exponent } => exact_double(mantissa, exponent)?,
        };
        Some(if self.is_negative { -magnitude } else { magnitude })
    }
}

/// The integer of a JSON number: whole, and the nearest bound where it does not fit.
pub(super) fn int_of_number(number: f64) -> Option<i64> {
    (number.is_finite() && number.fract() == 0.0).then(|| int_of_double(number))
}

/// The whole number, `u64::MAX` where it does not fit, `None` where it is not whole.
fn whole(mantissa: u64, exponent: i64) -> Option<u64> {
    if exponent >= 0 {
        // The mantissa's highest bit is set: any shift to the left leaves 64 bits.
        return Some(if exponent == 0 { mantissa } else { u64::MAX });
    }
    let shift = u32::try_from(exponent.unsigned_abs()).ok().filter(|shift| *shift < 64)?;
    (mantissa.trailing_zeros() >= shift).then(|| mantissa.checked_shr(shift)).flatten()
}

fn exact_double(mantissa: u64, exponent: i64) -> Option<f64> {
    let zeros = mantissa.trailing_zeros();
    let odd = mantissa.checked_shr(zeros)?;
    let exponent = exponent.checked_add(i64::from(zeros))?;
    let width = i64::from(64_u32.checked_sub(odd.leading_zeros())?);
    let highest = exponent.checked_add(width)?.checked_sub(1)?;
    if width > 53 || highest > 1_023 || exponent < -1_074 {
        return None;
    }
    // Two exact steps: a power of two alone may lie below the smallest normal double.
    let half = exponent.checked_div(2)?;
    let rest = exponent.checked_sub(half)?;
    Some(super::number::double_of_uint(odd) * power_of_two(half)? * power_of_two(rest)?)
}

/// Two to a power from -1022 to 1023.
fn power_of_two(exponent: i64) -> Option<f64> {
    let biased = u64::try_from(exponent.checked_add(1_023)?).ok()?;
    Some(f64::from_bits(biased.checked_shl(52)?))
}

/// The parts of a text: digits, and the powers of ten and of two that they stand for.
struct Literal<'a> {
    digits: (&'a [u8], &'a [u8]),
    ten: i64,
    two: i64,
}

impl<'a> Literal<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (whole, rest) = digits_of(text);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits_of(rest),
            rest => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (ten, two) = match rest {
            [] => (0, 0),
            [b'e' | b'E', power @ ..] => (exponent_of(power)?, 0),
            [b'p' | b'P', power @ ..] => (0, exponent_of(power)?),
            _ => return None,
        };
        let scale = i64::try_from(fraction.len()).ok()?;
        Some(Self { digits: (whole, fraction), ten: ten.checked_sub(scale)?, two })
    }

    fn size(&self) -> Option<Size> {
        let digits = self.digits.0.iter().chain(self.digits.1);
        let mut significant = digits.copied().skip_while(|digit| *digit == b'0').peekable();
        if significant.peek().is_none() {
            return Some(Size::Zero);
        }
        if self.ten.unsigned_abs() > LARGEST_POWER || self.two.unsigned_abs() > LARGEST_POWER {
            return None;
        }
        let mut number = Big::from(0);
        let mut count = 0_i64;
        for digit in significant {
            number.multiply_add(10, u32::from(digit.wrapping_sub(b'0')))?;
            count = count.checked_add(1)?;
        }
        // A double lies below ten to the 309th and above ten to the -324th; two bits of slack in
        // the estimate of the power of two do no harm.
        let decimal_places = count.checked_add(self.ten)?;
        let binary_places = self.two.checked_mul(3)?.checked_div(10)?;
        let places = decimal_places.checked_add(binary_places)?;
        if places > 400 {
            return Some(Size::Huge);
        }
        if decimal_places.abs() > 400 {
            // Nearer to zero than every double, or ten and two pull apart: too long for `Big`.
            return None;
        }
        round(number, self.ten, self.two)
    }
}

fn digits_of(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

fn exponent_of(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_i64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })?;
    if is_negative { value.checked_neg() } else { Some(value) }
}

/// `number * 10^ten * 2^two`, rounded to 64 bits, half to even.
fn round(mut number: Big, ten: i64, two: i64) -> Option<Size> {
    let mut divisor = Big::from(1);
    let scaled = if ten < 0 { &mut divisor } else { &mut number };
    for _ in 0..ten.unsigned_abs() {
        scaled.multiply_add(10, 0)?;
    }
    // The quotient gets 65 or 66 bits: 64 to keep, and at least one to round by.
    let shift = 65_i64.checked_sub(number.width())?.checked_add(divisor.width())?;
    let shifted = if shift < 0 { &mut divisor } else { &mut number };
    shifted.shift_left(shift.unsigned_abs())?;
    let (quotient, is_exact) = number.divide(divisor)?;
    let width = i64::from(128_u32.checked_sub(quotient.leading_zeros())?);
    let dropped = u32::try_from(width.checked_sub(64)?).ok()?;
    let kept = quotient.checked_shr(dropped)?;
    let rest = quotient.checked_sub(kept.checked_shl(dropped)?)?;
    let half = 1_u128.checked_shl(dropped)?.checked_shr(1)?;
    let is_odd = kept & 1 == 1;
    let rounds_up = rest > half || (rest == half && (!is_exact || is_odd));
    let kept = kept.checked_add(u128::from(rounds_up))?;
    let carried = kept.leading_zeros() < 64;
    let mantissa = u64::try_from(if carried { kept.checked_shr(1)? } else { kept }).ok()?;
    let exponent =
        i64::from(dropped).checked_sub(shift)?.checked_add(i64::from(carried))?.checked_add(two)?;
    Some(Size::Number { mantissa, exponent })
}

/// A whole number of at most 2,048 bits, least significant word first.
#[derive(Clone)]
struct Big {
    words: [u32; WORDS],
}

impl Big {
    fn from(value: u32) -> Self {
        let mut words = [0; WORDS];
        if let Some(first) = words.first_mut() {
            *first = value;
        }
        Self { words }
    }

    fn multiply_add(&mut self, factor: u32, addend: u32) -> Option<()> {
        let mut carry = u64::from(addend);
        for word in &mut self.words {
            let product = u64::from(*word).checked_mul(u64::from(factor))?.checked_add(carry)?;
            *word = low_half(product);
            carry = product.checked_shr(32)?;
        }
        (carry == 0).then_some(())
    }

    /// How many bits up to the highest that is set.
    fn width(&self) -> i64 {
        let mut width = 0_i64;
        for (index, word) in (0_i64..).zip(&self.words) {
            if *word != 0 {
                let bits = i64::from(32_u32.saturating_sub(word.leading_zeros()));
                width = index.saturating_mul(32).saturating_add(bits);
            }
        }
        width
    }

    fn shift_left(&mut self, bits: u64) -> Option<()> {
        for _ in 0..bits {
            self.multiply_add(2, 0)?;
        }
        Some(())
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for word in self.words.iter_mut().rev() {
            let low = *word & 1;
            *word = (*word >> 1) | carry;
            carry = low << 31;
        }
    }

    fn is_at_least(&self, other: &Self) -> bool {
        self.words.iter().rev().cmp(other.words.iter().rev()).is_ge()
    }

    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (word, subtrahend) in self.words.iter_mut().zip(other.words) {
            let (difference, first) = word.overflowing_sub(subtrahend);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *word = difference;
            borrow = first || second;
        }
    }

    /// A quotient of at most 67 bits, and whether nothing is left.
    fn divide(mut self, mut divisor: Self) -> Option<(u128, bool)> {
        let mut quotient = 0_u128;
        divisor.shift_left(66)?;
        for _ in 0..67 {
            quotient = quotient.checked_mul(2)?;
            if self.is_at_least(&divisor) {
                self.subtract(&divisor);
                quotient = quotient.checked_add(1)?;
            }
            divisor.halve();
        }
        Some((quotient, self.words.iter().all(|word| *word == 0)))
    }
}

fn low_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// 64 digits and a power of 464 stay below 2,048 bits, the shift for the quotient included.
const WORDS: usize = 64;

/// Bytes of a text. Go sets no bound; a double needs 17 digits, an integer 20.
const TEXT_BYTES: usize = 64;

/// Powers from which Go refuses or underflows; no value near them is a number in CEL.
const LARGEST_POWER: u64 = 600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Option<i64> {
        Decimal::parse(text)?.to_int()
    }

    fn double(text: &str) -> Option<f64> {
        Decimal::parse(text)?.to_double()
    }

    #[test]
    fn whole_texts_are_integers() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("+7", 7),
            ("1.", 1),
            ("10.50e1", 105),
            ("1e3", 1_000),
            ("1p3", 8),
            ("2500e-2", 25),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9007199254740993", 9_007_199_254_740_993),
        ];
        for (text, expected) in cases {
            assert_eq!(int(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn whole_texts_beyond_an_integer_are_its_bounds_as_in_openfga() {
        for text in ["9223372036854775808", "18446744073709551615", "1e30", "1e500", "1p400"] {
            assert_eq!(int(text), Some(i64::MAX), "{text}");
        }
        for text in ["-9223372036854775809", "-1e30", "-1e500"] {
            assert_eq!(int(text), Some(i64::MIN), "{text}");
        }
    }

    #[test]
    fn a_fraction_below_64_bits_is_rounded_away() {
        assert_eq!(int("9223372036854775806.1"), Some(9_223_372_036_854_775_806));
        assert_eq!(int("9223372036854775806.3"), None);
        assert_eq!(int("0.99999999999999999999999"), Some(1));
        assert_eq!(int("0.9999999999"), None);
    }

    #[test]
    fn exact_texts_are_doubles() {
        let cases = [
            ("0.5", 0.5),
            ("-2.25", -2.25),
            ("1e22", 1e22),
            ("0.1000000000000000055511151231257827", 0.1),
            ("Inf", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("4.940656458412465441765687928682213723651e-324", 5e-324),
            ("1.7976931348623157081452742373170435679807e308", f64::MAX),
        ];
        for (text, expected) in cases {
            assert_eq!(double(text), Some(expected), "{text}");
        }
        assert_eq!(double("-0").map(f64::is_sign_negative), Some(true));
    }

    #[test]
    fn inexact_texts_are_no_doubles() {
        for text in [
            "0.1",
            "1e23",
            "1e-3",
            "9007199254740993",
            "1e400",
            "1e-400",
            "1e-500",
            "5e-324",
            "1p-2000",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            ".",
            "e1",
            "1e",
            "1e+",
            "1_000",
            "0x10",
            "1 ",
            " 1",
            "NaN",
            "infinity",
            "INF",
            "--1",
            "1.2.3",
            "1e1.5",
            "1e9223372036854775808",
            "1e700000000",
            "1e-700000000",
            "१",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn whole_json_numbers_are_integers() {
        assert_eq!(int_of_number(10.0), Some(10));
        assert_eq!(int_of_number(-0.0), Some(0));
        assert_eq!(int_of_number(10.5), None);
        assert_eq!(int_of_number(1e300), Some(i64::MAX));
        assert_eq!(int_of_number(-1e300), Some(i64::MIN));
        assert_eq!(int_of_number(f64::INFINITY), None);
    }
}
