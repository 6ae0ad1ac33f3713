//! What instructions do to values. An error among the operands is the result, the left one's first.

#![expect(clippy::wildcard_enum_match_arm, reason = "all other kinds of values are one error")]

use std::cmp::Ordering;
use std::rc::Rc;

use super::compare;
use super::conversion;
use super::duration;
use super::instruction::{Binary, Part, Unary};
use super::pattern::Pattern;
use super::steps::{Steps, Trouble};
use super::timestamp::Timestamp;
use super::value::{List, Map, Text, Value};

type Outcome<'a> = Result<Value<'a>, Trouble>;

/// CEL's name for operands that an operator has no meaning for.
pub(super) const NO_OVERLOAD: &str = "no such overload";

/// A number, time or duration that does not fit its type.
pub(super) const OVERFLOW: &str = "overflow";

const fn problem<'a>(problem: &'static str) -> Outcome<'a> {
    Err(Trouble::Problem(problem))
}

pub(super) fn unary<'a>(unary: Unary, operand: Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    if let Value::Error(error) = operand {
        return problem(error);
    }
    match unary {
        Unary::Not => match operand {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            _ => problem(NO_OVERLOAD),
        },
        Unary::Negate => negate(&operand),
        Unary::Size => size(&operand, steps),
        Unary::ToBool => conversion::to_bool(operand),
        Unary::ToDouble => conversion::to_double(operand),
        Unary::ToDuration => conversion::to_duration(operand),
        Unary::ToInt => conversion::to_int(operand),
        Unary::ToAddress => conversion::to_address(&operand),
        Unary::ToString => conversion::to_string(operand, steps),
        Unary::ToTimestamp => conversion::to_timestamp(operand),
        Unary::ToUInt => conversion::to_uint(operand),
        Unary::TypeOf => operand.kind().map_or(problem(NO_OVERLOAD), |kind| Ok(Value::Type(kind))),
    }
}

/// An operand that an operator has no meaning for. An address among values of unknown type makes
/// cel-go panic there, which no `||` absorbs.
pub(super) const fn no_overload(left: &Value<'_>) -> Trouble {
    match left {
        Value::Address(_) => Trouble::Fatal(NO_OVERLOAD),
        _ => Trouble::Problem(NO_OVERLOAD),
    }
}

fn negate<'a>(operand: &Value<'a>) -> Outcome<'a> {
    match operand {
        Value::Int(value) => fits(value.checked_neg().map(Value::Int)),
        Value::Duration(value) => fits(value.checked_neg().map(Value::Duration)),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(no_overload(other)),
    }
}

fn fits<'a>(value: Option<Value<'a>>) -> Outcome<'a> {
    value.ok_or(Trouble::Problem(OVERFLOW))
}

fn size<'a>(operand: &Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    let size = match operand {
        Value::String(text) => {
            steps.take_bytes(text.as_str().len())?;
            text.as_str().chars().count()
        }
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(no_overload(other)),
    };
    fits(i64::try_from(size).ok().map(Value::Int))
}

pub(super) fn binary<'a>(
    binary: Binary,
    left: Value<'a>,
    right: Value<'a>,
    steps: &mut Steps<'_>,
) -> Outcome<'a> {
    match binary {
        Binary::And => return logic(&left, &right, false),
        Binary::Or => return logic(&left, &right, true),
        _ => {}
    }
    if let Value::Error(error) = left {
        return problem(error);
    }
    if let Value::Error(error) = right {
        return problem(error);
    }
    match binary {
        Binary::Equal => compare::equal(&left, &right, steps).map(Value::Bool),
        Binary::NotEqual => not_equal(&left, &right, steps),
        Binary::Less => ordered(&left, &right, steps, Ordering::is_lt),
        Binary::LessOrEqual => ordered(&left, &right, steps, Ordering::is_le),
        Binary::Greater => ordered(&left, &right, steps, Ordering::is_gt),
        Binary::GreaterOrEqual => ordered(&left, &right, steps, Ordering::is_ge),
        Binary::Add => add(left, right, steps),
        Binary::Subtract => subtract(&left, &right),
        Binary::Multiply => multiply(&left, &right),
        Binary::Divide => divide(&left, &right),
        Binary::Remainder => remainder(&left, &right),
        Binary::In => is_in(&left, &right, steps),
        Binary::Index => index(&left, &right, steps),
        Binary::Contains | Binary::EndsWith | Binary::StartsWith => {
            search(binary, &left, &right, steps)
        }
        Binary::InCidr => in_cidr(&left, &right),
        Binary::Push => push(left, right, steps),
        Binary::And | Binary::Or => problem(NO_OVERLOAD),
    }
}

fn ordered<'a>(
    left: &Value<'a>,
    right: &Value<'a>,
    steps: &mut Steps<'_>,
    is_wanted: fn(Ordering) -> bool,
) -> Outcome<'a> {
    compare::order(left, right, steps).map(|order| Value::Bool(order.is_some_and(is_wanted)))
}

/// `&&` and `||`: the operand that decides, whatever the other is; else an error, the left first.
fn logic<'a>(left: &Value<'a>, right: &Value<'a>, deciding: bool) -> Outcome<'a> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => {
            Ok(Value::Bool(if deciding { *left || *right } else { *left && *right }))
        }
        (Value::Bool(value), other) | (other, Value::Bool(value)) => {
            if *value == deciding {
                Ok(Value::Bool(deciding))
            } else {
                as_error(other)
            }
        }
        (left, _) => as_error(left),
    }
}

fn as_error<'a>(operand: &Value<'a>) -> Outcome<'a> {
    match operand {
        Value::Error(error) => problem(error),
        _ => problem(NO_OVERLOAD),
    }
}

/// `!=`. Where an address stands on the left and something else on the right, `==` is an error and
/// `!=` true: so it is in OpenFGA.
fn not_equal<'a>(left: &Value<'a>, right: &Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    let differs_in_kind = matches!(left, Value::Address(_)) && !matches!(right, Value::Address(_));
    if differs_in_kind {
        return Ok(Value::Bool(true));
    }
    compare::equal(left, right, steps).map(|equal| Value::Bool(!equal))
}

fn add<'a>(left: Value<'a>, right: Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => fits(left.checked_add(right).map(Value::Int)),
        (Value::UInt(left), Value::UInt(right)) => fits(left.checked_add(right).map(Value::UInt)),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(left + right)),
        (Value::Duration(left), Value::Duration(right)) => {
            fits(left.checked_add(right).map(Value::Duration))
        }
        (Value::Timestamp(time), Value::Duration(duration))
        | (Value::Duration(duration), Value::Timestamp(time)) => {
            fits(time.plus(duration).map(Value::Timestamp))
        }
        (Value::String(left), Value::String(right)) => {
            let parts = [left.as_str(), right.as_str()];
            steps.take_memory(parts.iter().map(|part| part.len()).sum())?;
            Ok(Value::String(Text::Owned(Rc::from(parts.concat()))))
        }
        (Value::List(left), Value::List(right)) => concatenate(left, &right, steps),
        (left, _) => Err(no_overload(&left)),
    }
}

fn concatenate<'a>(left: List<'a>, right: &List<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    let mut items = elements(left, steps)?;
    steps.take(right.len())?;
    let added = Rc::make_mut(&mut items);
    for index in 0..right.len() {
        added.push(right.get(index).ok_or(Trouble::Problem(BROKEN))?);
    }
    Ok(Value::List(List::Built(items)))
}

/// The elements of a list to add to: its own where nothing else holds them, else a copy.
fn elements<'a>(list: List<'a>, steps: &mut Steps<'_>) -> Result<Rc<Vec<Value<'a>>>, Trouble> {
    if let List::Built(items) = list {
        let is_shared = Rc::strong_count(&items) > 1;
        steps.take(if is_shared { items.len() } else { 0 })?;
        return Ok(items);
    }
    steps.take(list.len())?;
    let items: Option<Vec<_>> = (0..list.len()).map(|index| list.get(index)).collect();
    items.map(Rc::new).ok_or(Trouble::Problem(BROKEN))
}

/// A list with one element more. An error on either side is the result.
pub(super) fn push<'a>(list: Value<'a>, element: Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    match (list, element) {
        (Value::Error(error), _) | (_, Value::Error(error)) => problem(error),
        (Value::List(list), element) => {
            let mut items = elements(list, steps)?;
            steps.take(1)?;
            Rc::make_mut(&mut items).push(element);
            Ok(Value::List(List::Built(items)))
        }
        _ => problem(NO_OVERLOAD),
    }
}

/// A map with one entry more, or another value for a key that it has.
pub(super) fn insert<'a>(
    map: Value<'a>,
    key: Value<'a>,
    value: Value<'a>,
    steps: &mut Steps<'_>,
) -> Outcome<'a> {
    for operand in [&map, &key, &value] {
        if let Value::Error(error) = operand {
            return problem(error);
        }
    }
    if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::String(_)) {
        return problem("a key of a map is no bool, int, uint or string");
    }
    let Value::Map(map) = map else { return problem(NO_OVERLOAD) };
    steps.take(map.len())?;
    steps.take(1)?;
    let mut entries = match map {
        Map::Built(entries) => entries,
        Map::Encoded(_) | Map::Json(..) if map.len() == 0 => Rc::default(),
        Map::Encoded(_) | Map::Json(..) => return problem(NO_OVERLOAD),
    };
    let place = Rc::make_mut(&mut entries);
    let is_same = |other: &Value<'_>| {
        other.kind() == key.kind() && compare::equal(other, &key, steps) == Ok(true)
    };
    let mut is_same = is_same;
    match place.iter_mut().find(|(other, _)| is_same(other)) {
        Some(entry) => entry.1 = value,
        None => place.push((key, value)),
    }
    Ok(Value::Map(Map::Built(entries)))
}

fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => fits(left.checked_sub(*right).map(Value::Int)),
        (Value::UInt(left), Value::UInt(right)) => fits(left.checked_sub(*right).map(Value::UInt)),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(left - right)),
        (Value::Duration(left), Value::Duration(right)) => {
            fits(left.checked_sub(*right).map(Value::Duration))
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            fits(left.minus(*right).map(Value::Duration))
        }
        (Value::Timestamp(left), Value::Duration(right)) => {
            fits(right.checked_neg().and_then(|back| left.plus(back)).map(Value::Timestamp))
        }
        (left, _) => Err(no_overload(left)),
    }
}

fn multiply<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => fits(left.checked_mul(*right).map(Value::Int)),
        (Value::UInt(left), Value::UInt(right)) => fits(left.checked_mul(*right).map(Value::UInt)),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(left * right)),
        (left, _) => Err(no_overload(left)),
    }
}

fn divide<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) | (Value::UInt(_), Value::UInt(0)) => problem(BY_ZERO),
        (Value::Int(left), Value::Int(right)) => fits(left.checked_div(*right).map(Value::Int)),
        (Value::UInt(left), Value::UInt(right)) => fits(left.checked_div(*right).map(Value::UInt)),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(left / right)),
        (left, _) => Err(no_overload(left)),
    }
}

fn remainder<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) | (Value::UInt(_), Value::UInt(0)) => problem(BY_ZERO),
        (Value::Int(left), Value::Int(right)) => fits(left.checked_rem(*right).map(Value::Int)),
        (Value::UInt(left), Value::UInt(right)) => fits(left.checked_rem(*right).map(Value::UInt)),
        (left, _) => Err(no_overload(left)),
    }
}

/// `in`: an element of a list, a key of a map. What cannot be compared is no element.
fn is_in<'a>(left: &Value<'a>, right: &Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    match right {
        Value::Map(map) => Ok(Value::Bool(map.find(left, steps)?.is_some())),
        Value::List(list) => {
            for index in 0..list.len() {
                steps.take(1)?;
                let element = list.get(index).ok_or(Trouble::Problem(BROKEN))?;
                match compare::equal(left, &element, steps) {
                    Ok(true) => return Ok(Value::Bool(true)),
                    Ok(false) | Err(Trouble::Problem(_)) => {}
                    Err(trouble) => return Err(trouble),
                }
            }
            Ok(Value::Bool(false))
        }
        _ => problem(NO_OVERLOAD),
    }
}

/// `[…]`: a number that is whole finds an element, whatever its kind.
fn index<'a>(left: &Value<'a>, right: &Value<'a>, steps: &mut Steps<'_>) -> Outcome<'a> {
    match left {
        Value::Map(map) => map.find(right, steps)?.ok_or(Trouble::Problem(NO_KEY)),
        Value::List(list) => {
            let place = match right {
                Value::Int(place) => Some(*place),
                Value::UInt(place) => i64::try_from(*place).ok(),
                Value::Double(place) => conversion::lossless_int(*place),
                _ => return problem("no index of a list"),
            };
            let place = place.and_then(|place| usize::try_from(place).ok());
            let element = place.filter(|place| *place < list.len());
            let element = element.ok_or(Trouble::Problem("no such index"))?;
            list.get(element).ok_or(Trouble::Problem(BROKEN))
        }
        _ => problem(NO_OVERLOAD),
    }
}

/// `.name`
pub(super) fn select<'a>(operand: &Value<'a>, name: &str, steps: &mut Steps<'_>) -> Outcome<'a> {
    match operand {
        Value::Map(map) => map.field(name, steps)?.ok_or(Trouble::Problem(NO_KEY)),
        other => as_error(other),
    }
}

/// `has(….name)`: what has no names at all has not this one, as in cel-go; a list is an error.
pub(super) fn has<'a>(operand: &Value<'a>, name: &str, steps: &mut Steps<'_>) -> Outcome<'a> {
    match operand {
        Value::Map(map) => Ok(Value::Bool(map.field(name, steps)?.is_some())),
        Value::List(_) | Value::Error(_) => as_error(operand),
        _ => Ok(Value::Bool(false)),
    }
}

fn search<'a>(
    binary: Binary,
    left: &Value<'a>,
    right: &Value<'a>,
    steps: &mut Steps<'_>,
) -> Outcome<'a> {
    let (Value::String(left), Value::String(right)) = (left, right) else {
        return problem(NO_OVERLOAD);
    };
    let (text, part) = (left.as_str(), right.as_str());
    Ok(Value::Bool(match binary {
        Binary::Contains => {
            steps.take_bytes(text.len().saturating_add(part.len()))?;
            text.contains(part)
        }
        Binary::EndsWith => {
            steps.take_bytes(part.len().min(text.len()))?;
            text.ends_with(part)
        }
        _ => {
            steps.take_bytes(part.len().min(text.len()))?;
            text.starts_with(part)
        }
    }))
}

fn in_cidr<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let (Value::Address(address), Value::String(network)) = (left, right) else {
        return problem(NO_OVERLOAD);
    };
    let answer = address.is_in(network.as_str());
    answer.map(Value::Bool).ok_or(Trouble::Problem("a text is no CIDR network"))
}

/// `matches(…)`
pub(super) fn matches<'a>(
    operand: &Value<'a>,
    pattern: &Pattern<'_>,
    steps: &mut Steps<'_>,
) -> Outcome<'a> {
    let text = match operand {
        Value::String(text) => text,
        Value::Error(error) => return problem(error),
        other => return Err(no_overload(other)),
    };
    let text = text.as_str();
    steps.take_bytes(text.len().saturating_mul(4))?;
    pattern.is_match(text).map(Value::Bool).ok_or(Trouble::Problem(BROKEN))
}

/// `getHours()` and the others.
pub(super) fn part<'a>(operand: &Value<'a>, part: Part, offset: i32) -> Outcome<'a> {
    let value = match operand {
        Value::Timestamp(time) => part_of_time(*time, part, offset),
        Value::Duration(nanoseconds) => match part {
            Part::Hours => duration::whole_units(*nanoseconds, 3_600_000_000_000),
            Part::Minutes => duration::whole_units(*nanoseconds, 60_000_000_000),
            Part::Seconds => duration::whole_units(*nanoseconds, 1_000_000_000),
            Part::Milliseconds => nanoseconds.checked_div(1_000_000),
            Part::Date
            | Part::DayOfMonth
            | Part::DayOfWeek
            | Part::DayOfYear
            | Part::FullYear
            | Part::Month => return problem(NO_OVERLOAD),
        },
        other => return as_error(other),
    };
    fits(value.map(Value::Int))
}

fn part_of_time(time: Timestamp, part: Part, offset: i32) -> Option<i64> {
    let civil = time.civil(offset)?;
    Some(match part {
        Part::Date => civil.day,
        Part::DayOfMonth => civil.day.checked_sub(1)?,
        Part::DayOfWeek => civil.day_of_week,
        Part::DayOfYear => civil.day_of_year,
        Part::FullYear => civil.year,
        Part::Month => civil.month.checked_sub(1)?,
        Part::Hours => civil.hour,
        Part::Minutes => civil.minute,
        Part::Seconds => civil.second,
        Part::Milliseconds => i64::from(time.nanoseconds.checked_div(1_000_000)?),
    })
}

const BY_ZERO: &str = "division by zero";

const NO_KEY: &str = "no such key";

const BROKEN: &str = "the code is broken";
