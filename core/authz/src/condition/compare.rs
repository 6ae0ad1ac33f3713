//! Equality and order of values: CEL's, numbers across their kinds included.

use std::cmp::Ordering;

use super::number::{INT_END, UINT_END, double_of_int, double_of_uint};
use super::operator::{NO_OVERLOAD, no_overload};
use super::steps::{Steps, Trouble};
use super::stored::VALUE_LEVELS;
use super::value::{List, Map, Value};

/// `==`
///
/// An address compared with anything but an address and null is an error, as in OpenFGA. OpenFGA
/// takes such an error inside a list or map for equality; here it stays an error.
pub(super) fn equal(
    left: &Value<'_>,
    right: &Value<'_>,
    steps: &mut Steps<'_>,
) -> Result<bool, Trouble> {
    equal_within(left, right, steps, VALUE_LEVELS)
}

fn equal_within(
    left: &Value<'_>,
    right: &Value<'_>,
    steps: &mut Steps<'_>,
    levels: usize,
) -> Result<bool, Trouble> {
    let levels = levels.checked_sub(1).ok_or(Trouble::Problem("values are nested too deep"))?;
    Ok(match (left, right) {
        (Value::Error(problem), _) | (_, Value::Error(problem)) => {
            return Err(Trouble::Problem(problem));
        }
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            steps.take_bytes(left.len().min(right.len()))?;
            left == right
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => left.instant() == right.instant(),
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Address(left), Value::Address(right)) => left == right,
        (Value::Address(_), _) => return Err(Trouble::Problem(NO_OVERLOAD)),
        (Value::Type(left), Value::Type(right)) => left == right,
        (Value::List(left), Value::List(right)) => lists(left, right, steps, levels)?,
        (Value::Map(left), Value::Map(right)) => maps(left, right, steps, levels)?,
        _ => numbers(left, right) == Some(Ordering::Equal),
    })
}

fn lists(
    left: &List<'_>,
    right: &List<'_>,
    steps: &mut Steps<'_>,
    levels: usize,
) -> Result<bool, Trouble> {
    if left.len() != right.len() {
        return Ok(false);
    }
    let mut problem = None;
    for index in 0..left.len() {
        steps.take(1)?;
        let (Some(left), Some(right)) = (left.get(index), right.get(index)) else {
            return Err(Trouble::Problem(BROKEN));
        };
        match equal_within(&left, &right, steps, levels) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Trouble::Problem(found)) => problem = Some(found),
            Err(trouble) => return Err(trouble),
        }
    }
    problem.map_or(Ok(true), |problem| Err(Trouble::Problem(problem)))
}

fn maps<'a>(
    left: &Map<'a>,
    right: &Map<'a>,
    steps: &mut Steps<'_>,
    levels: usize,
) -> Result<bool, Trouble> {
    if left.len() != right.len() {
        return Ok(false);
    }
    steps.take(left.len())?;
    let mut problem = None;
    for key in left.keys().ok_or(Trouble::Problem(BROKEN))? {
        steps.take(1)?;
        let Some(right) = right.find(&key, steps)? else { return Ok(false) };
        let left = left.find(&key, steps)?.ok_or(Trouble::Problem(BROKEN))?;
        match equal_within(&left, &right, steps, levels) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Trouble::Problem(found)) => problem = Some(found),
            Err(trouble) => return Err(trouble),
        }
    }
    problem.map_or(Ok(true), |problem| Err(Trouble::Problem(problem)))
}

/// `<`, `<=`, `>`, `>=`: the order of two values of one kind, and of numbers of any. NaN has no order
/// to anything that has one: each of the four is false.
pub(super) fn order(
    left: &Value<'_>,
    right: &Value<'_>,
    steps: &mut Steps<'_>,
) -> Result<Option<Ordering>, Trouble> {
    if (is_nan(left) || is_nan(right)) && is_ordered(left) {
        return Ok(None);
    }
    Ok(Some(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            steps.take_bytes(left.len().min(right.len()))?;
            left.cmp(right)
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => left.instant().cmp(&right.instant()),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        _ => numbers(left, right).ok_or_else(|| no_overload(left))?,
    }))
}

const fn is_nan(value: &Value<'_>) -> bool {
    matches!(value, Value::Double(value) if value.is_nan())
}

const fn is_ordered(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::UInt(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Timestamp(_)
            | Value::Duration(_)
    )
}

/// The order of two numbers; `None` for NaN, and for what is no number.
pub(super) fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::UInt(left), Value::UInt(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::UInt(right)) => Some(int_and_uint(*left, *right)),
        (Value::UInt(left), Value::Int(right)) => Some(int_and_uint(*right, *left).reverse()),
        (Value::Int(left), Value::Double(right)) => {
            double_and_int(*right, *left).map(Ordering::reverse)
        }
        (Value::Double(left), Value::Int(right)) => double_and_int(*left, *right),
        (Value::UInt(left), Value::Double(right)) => {
            double_and_uint(*right, *left).map(Ordering::reverse)
        }
        (Value::Double(left), Value::UInt(right)) => double_and_uint(*left, *right),
        _ => None,
    }
}

fn int_and_uint(left: i64, right: u64) -> Ordering {
    u64::try_from(left).map_or(Ordering::Less, |left| left.cmp(&right))
}

/// cel-go's: by way of the nearest double, outside the range of an `int` by the range alone.
fn double_and_int(left: f64, right: i64) -> Option<Ordering> {
    if left < -INT_END {
        Some(Ordering::Less)
    } else if left > INT_END {
        Some(Ordering::Greater)
    } else {
        left.partial_cmp(&double_of_int(right))
    }
}

fn double_and_uint(left: f64, right: u64) -> Option<Ordering> {
    if left < 0.0 {
        Some(Ordering::Less)
    } else if left > UINT_END {
        Some(Ordering::Greater)
    } else {
        left.partial_cmp(&double_of_uint(right))
    }
}

const BROKEN: &str = "the code is broken";
