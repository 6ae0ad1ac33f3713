//! CEL's conversion functions: `int(…)`, `string(…)` and the others.

#![expect(clippy::wildcard_enum_match_arm, reason = "all other kinds of values are one error")]

use std::fmt::Write;
use std::rc::Rc;

use super::address::Address;
use super::duration;
use super::number::{
    INT_END, UINT_END, double_of_int, double_of_uint, int_of_double, uint_of_double,
};
use super::operator::{NO_OVERLOAD, OVERFLOW};
use super::steps::{Steps, Trouble};
use super::timestamp::{Timestamp, write_duration};
use super::value::{Text, Value};

type Converted<'a> = Result<Value<'a>, Trouble>;

const fn problem<T>(problem: &'static str) -> Result<T, Trouble> {
    Err(Trouble::Problem(problem))
}

/// `bool(…)`: Go's `strconv.ParseBool`.
pub(super) fn to_bool<'a>(value: Value<'a>) -> Converted<'a> {
    match value {
        Value::Bool(_) => Ok(value),
        Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            _ => problem("a text is no bool"),
        },
        _ => problem(NO_OVERLOAD),
    }
}

/// `int(…)`
pub(super) fn to_int<'a>(value: Value<'a>) -> Converted<'a> {
    Ok(Value::Int(match value {
        Value::Int(value) | Value::Duration(value) => value,
        Value::UInt(value) => i64::try_from(value).map_err(|_| Trouble::Problem(OVERFLOW))?,
        Value::Double(value) => int_within(value).ok_or(Trouble::Problem(OVERFLOW))?,
        Value::Timestamp(time) => time.seconds,
        Value::String(text) => {
            text.as_str().parse().map_err(|_| Trouble::Problem("a text is no int"))?
        }
        _ => return problem(NO_OVERLOAD),
    }))
}

/// `uint(…)`
pub(super) fn to_uint<'a>(value: Value<'a>) -> Converted<'a> {
    Ok(Value::UInt(match value {
        Value::UInt(value) => value,
        Value::Int(value) => u64::try_from(value).map_err(|_| Trouble::Problem(OVERFLOW))?,
        Value::Double(value) => uint_within(value).ok_or(Trouble::Problem(OVERFLOW))?,
        Value::String(text) => {
            let text = text.as_str();
            // Rust reads a plus sign before an unsigned number, Go does not.
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let value = digits.then(|| text.parse().ok()).flatten();
            value.ok_or(Trouble::Problem("a text is no uint"))?
        }
        _ => return problem(NO_OVERLOAD),
    }))
}

/// `double(…)`
pub(super) fn to_double<'a>(value: Value<'a>) -> Converted<'a> {
    Ok(Value::Double(match value {
        Value::Double(value) => value,
        Value::Int(value) => double_of_int(value),
        Value::UInt(value) => double_of_uint(value),
        Value::String(text) => {
            parse_double(text.as_str()).ok_or(Trouble::Problem("a text is no double"))?
        }
        _ => return problem(NO_OVERLOAD),
    }))
}

/// Go's `strconv.ParseFloat` but for hexadecimal texts: a number beyond the doubles is refused.
fn parse_double(text: &str) -> Option<f64> {
    if text.len() > NUMBER_BYTES {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_too_large = value.is_infinite() && has_digit;
    let is_signed_nan = value.is_nan() && text.len() > 3;
    (!is_too_large && !is_signed_nan).then_some(value)
}

/// `duration(…)`
pub(super) fn to_duration<'a>(value: Value<'a>) -> Converted<'a> {
    match value {
        Value::Duration(_) => Ok(value),
        Value::String(text) => match duration::parse(text.as_str()) {
            Some(nanoseconds) => Ok(Value::Duration(nanoseconds)),
            None => problem("a text is no duration"),
        },
        _ => problem(NO_OVERLOAD),
    }
}

/// `timestamp(…)`
pub(super) fn to_timestamp<'a>(value: Value<'a>) -> Converted<'a> {
    let time = match value {
        Value::Timestamp(_) => return Ok(value),
        Value::Int(seconds) => {
            Timestamp::from_seconds(seconds).ok_or(Trouble::Problem("a time is out of range"))?
        }
        Value::String(text) => Timestamp::parse_strict(text.as_str())
            .ok_or(Trouble::Problem("a text is no timestamp"))?,
        _ => return problem(NO_OVERLOAD),
    };
    Ok(Value::Timestamp(time))
}

/// `ipaddress(…)`
pub(super) fn to_address<'a>(value: &Value<'a>) -> Converted<'a> {
    match value {
        Value::String(text) => match Address::parse(text.as_str()) {
            Some(address) => Ok(Value::Address(address)),
            None => problem("a text is no IP address"),
        },
        _ => problem(NO_OVERLOAD),
    }
}

/// `string(…)`
pub(super) fn to_string<'a>(value: Value<'a>, steps: &mut Steps<'_>) -> Converted<'a> {
    let mut text = String::new();
    let written = match value {
        Value::String(_) => return Ok(value),
        Value::Bool(value) => {
            return Ok(Value::String(Text::Borrowed(if value { "true" } else { "false" })));
        }
        Value::Int(value) => write!(text, "{value}").ok(),
        Value::UInt(value) => write!(text, "{value}").ok(),
        Value::Double(value) => write_double(value, &mut text),
        Value::Timestamp(time) => time.write(&mut text),
        Value::Duration(nanoseconds) => write_duration(nanoseconds, &mut text),
        _ => return problem(NO_OVERLOAD),
    };
    written.ok_or(Trouble::Problem("a value has no text"))?;
    steps.take_memory(text.len())?;
    Ok(Value::String(Text::Owned(Rc::from(text))))
}

/// Go's `%g` with the fewest digits: an exponent below -4 and from 6 on.
fn write_double(value: f64, text: &mut String) -> Option<()> {
    if value.is_nan() {
        text.push_str("NaN");
        return Some(());
    }
    if value.is_infinite() {
        text.push_str(if value < 0.0 { "-Inf" } else { "+Inf" });
        return Some(());
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(text, "{digits}e{sign}{:02}", exponent.unsigned_abs()).ok();
    }
    write!(text, "{value}").ok()
}

/// The `int` towards zero, where cel-go takes it: the smallest is out.
fn int_within(value: f64) -> Option<i64> {
    (value > -INT_END && value < INT_END).then(|| int_of_double(value))
}

fn uint_within(value: f64) -> Option<u64> {
    (0.0..UINT_END).contains(&value).then(|| uint_of_double(value))
}

/// The `int` that equals a double, for keys and indices.
pub(super) fn lossless_int(value: f64) -> Option<i64> {
    int_within(value).filter(|_| value.fract() == 0.0)
}

/// The `uint` that equals a double, for keys.
pub(super) fn lossless_uint(value: f64) -> Option<u64> {
    uint_within(value).filter(|_| value.fract() == 0.0)
}

/// Bytes of a text that becomes a double; Go sets no bound.
const NUMBER_BYTES: usize = 1_024;
