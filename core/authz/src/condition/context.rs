//! What a request's JSON means as a parameter: OpenFGA's conversions, type by type.
//!
//! Source: OpenFGA v1.22, `internal/condition/types`. Numbers are doubles first, whatever their
//! text; a string may stand for a number, never a number for a string; null is no value of any type
//! but `any`.

use serde_json::Value as Json;

use super::address::Address;
use super::decimal::{self, Decimal};
use super::duration;
use super::kind::{Kind, TypeCode};
use super::steps::{Steps, Trouble};
use super::timestamp::Timestamp;
use super::value::{List, Map, Text, Value};

/// The value, `None` where it does not have the type. Only the outermost level is looked at: see
/// [`checked`].
pub(super) fn typed<'a>(json: &'a Json, of: TypeCode<'a>) -> Option<Value<'a>> {
    Some(match (of.kind(), json) {
        (Kind::Any, _) => any(json)?,
        (Kind::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Kind::Double, Json::Number(value)) => Value::Double(value.as_f64()?),
        (Kind::Double, Json::String(text)) => Value::Double(Decimal::parse(text)?.to_double()?),
        (Kind::Int, _) => Value::Int(int(json)?),
        (Kind::UInt, _) => Value::UInt(u64::try_from(int(json)?).ok()?),
        (Kind::Duration, Json::String(text)) => Value::Duration(duration::parse(text)?),
        (Kind::Timestamp, Json::String(text)) => Value::Timestamp(Timestamp::parse(text)?),
        (Kind::IpAddress, Json::String(text)) => Value::Address(Address::parse(text)?),
        (Kind::String, Json::String(text)) => Value::String(Text::Borrowed(text)),
        (Kind::List, Json::Array(items)) => Value::List(List::Json(items, of.inner())),
        (Kind::Map, Json::Object(members)) => Value::Map(Map::Json(members, of.inner())),
        _ => return None,
    })
}

/// `int` and `uint` alike: OpenFGA reads a `uint` through an `int`.
fn int(json: &Json) -> Option<i64> {
    match json {
        Json::Number(value) => decimal::int_of_number(value.as_f64()?),
        Json::String(text) => Decimal::parse(text)?.to_int(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn any(json: &Json) -> Option<Value<'_>> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(value) => Value::Double(value.as_f64()?),
        Json::String(text) => Value::String(Text::Borrowed(text)),
        Json::Array(items) => Value::List(List::Json(items, TypeCode::ANY)),
        Json::Object(members) => Value::Map(Map::Json(members, TypeCode::ANY)),
    })
}

/// The value, `None` where it does not have the type at every level: OpenFGA converts a whole list
/// before it evaluates, and fails for any element. Every element costs a step.
pub(super) fn checked<'a>(
    json: &'a Json,
    of: TypeCode<'a>,
    steps: &mut Steps<'_>,
) -> Result<Option<Value<'a>>, Trouble> {
    let Some(value) = typed(json, of) else { return Ok(None) };
    let inner = of.inner();
    let elements_fit = match (of.kind(), json) {
        (Kind::List | Kind::Map, _) if inner.kind() == Kind::Any => true,
        (Kind::List, Json::Array(items)) => all_have_type(items.iter(), inner, steps)?,
        (Kind::Map, Json::Object(members)) => all_have_type(members.values(), inner, steps)?,
        _ => true,
    };
    Ok(elements_fit.then_some(value))
}

fn all_have_type<'a>(
    values: impl ExactSizeIterator<Item = &'a Json>,
    of: TypeCode<'a>,
    steps: &mut Steps<'_>,
) -> Result<bool, Trouble> {
    steps.take(values.len())?;
    for value in values {
        if checked(value, of, steps)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
