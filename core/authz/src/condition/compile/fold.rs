//! Constants: what OpenFGA computes when it compiles a condition, and refuses there if it fails.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other values are of the kind that they say"
)]

use std::rc::Rc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr};

use super::{Checked, Refused};
use crate::condition::instruction::Unary;
use crate::condition::kind::{Kind, TypeCode};
use crate::condition::operator;
use crate::condition::steps::{Steps, Trouble};
use crate::condition::value::{List, Map, Text, Value};
use crate::condition::{encode, stored};

/// The value of an expression without variables that needs no operator; `None` for others.
///
/// # Errors
/// A conversion of a constant that fails: `timestamp("yesterday")`.
pub(super) fn constant<'e>(node: &'e IdedExpr) -> Checked<Option<Value<'e>>> {
    match &node.expr {
        Expr::Literal(literal) => Ok(literal_value(literal)),
        Expr::List(list) => {
            let mut elements = Vec::with_capacity(list.elements.len());
            for element in &list.elements {
                let Some(value) = constant(element)? else { return Ok(None) };
                elements.push(value);
            }
            Ok(Some(Value::List(List::Built(Rc::new(elements)))))
        }
        Expr::Map(map) => map_value(map),
        Expr::Call(call) => conversion(call, node.id),
        Expr::Ident(_)
        | Expr::Select(_)
        | Expr::Struct(_)
        | Expr::Comprehension(_)
        | Expr::Unspecified => Ok(None),
    }
}

fn literal_value(literal: &LiteralValue) -> Option<Value<'_>> {
    Some(match literal {
        LiteralValue::Boolean(value) => Value::Bool(value.into_inner()),
        LiteralValue::Bytes(_) => return None,
        LiteralValue::Double(value) => Value::Double(value.into_inner()),
        LiteralValue::Int(value) => Value::Int(value.into_inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(value) => Value::String(Text::Borrowed(value.inner())),
        LiteralValue::UInt(value) => Value::UInt(value.into_inner()),
    })
}

/// A map of which every key is a text: others are put together at evaluation.
fn map_value(map: &MapExpr) -> Checked<Option<Value<'_>>> {
    let mut entries: Vec<(Value<'_>, Value<'_>)> = Vec::with_capacity(map.entries.len());
    for entry in &map.entries {
        let EntryExpr::MapEntry(entry) = &entry.expr else { return Ok(None) };
        let Some(Value::String(key)) = constant(&entry.key)? else { return Ok(None) };
        let Some(value) = constant(&entry.value)? else { return Ok(None) };
        // The last value of a key is the one that counts.
        let is_other = |known: &Value<'_>| !matches!(known, Value::String(known) if known.as_str() == key.as_str());
        entries.retain(|(known, _)| is_other(known));
        entries.push((Value::String(key), value));
    }
    Ok(Some(Value::Map(Map::Built(Rc::new(entries)))))
}

fn conversion(call: &CallExpr, node: u64) -> Checked<Option<Value<'_>>> {
    let (None, [argument]) = (&call.target, call.args.as_slice()) else { return Ok(None) };
    if call.func_name == "dyn" {
        return constant(argument);
    }
    let Some(unary) = conversion_named(&call.func_name) else { return Ok(None) };
    let Some(operand) = constant(argument)? else { return Ok(None) };
    if matches!(operand, Value::Address(_)) {
        // No constant of OpenFGA's, so that it fails only at evaluation.
        return Ok(None);
    }
    let mut steps = u32::MAX;
    match operator::unary(unary, operand, &mut Steps::new(&mut steps)) {
        Ok(value) => Ok(Some(value)),
        // OpenFGA finds out about an address only at evaluation.
        Err(_) if unary == Unary::ToAddress => Ok(None),
        Err(Trouble::Problem(problem)) => {
            Err(Refused::new(node, format!("`{}(…)`: {problem}", call.func_name)))
        }
        Err(Trouble::Fatal(_) | Trouble::Steps) => Ok(None),
    }
}

/// The instruction of a conversion function.
pub(super) fn conversion_named(name: &str) -> Option<Unary> {
    Some(match name {
        "bool" => Unary::ToBool,
        "double" => Unary::ToDouble,
        "duration" => Unary::ToDuration,
        "int" => Unary::ToInt,
        "ipaddress" => Unary::ToAddress,
        "string" => Unary::ToString,
        "timestamp" => Unary::ToTimestamp,
        "uint" => Unary::ToUInt,
        _ => return None,
    })
}

/// A constant's type and bytes; `None` where it is too large.
pub(super) fn encoded(value: &Value<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let of = type_of(value)?;
    let mut bytes = Vec::new();
    encode::write(&mut bytes, value, TypeCode::parse(&of)?, stored::VALUE_LEVELS)?;
    Some((of, bytes))
}

/// The type of a constant: elements of one simple kind share it, others carry their own.
fn type_of(value: &Value<'_>) -> Option<Vec<u8>> {
    let kind = value.kind()?;
    let mut elements: Vec<Kind> = match value {
        Value::List(List::Built(items)) => items.iter().filter_map(Value::kind).collect(),
        Value::Map(Map::Built(entries)) => {
            entries.iter().filter_map(|(_, value)| value.kind()).collect()
        }
        // At the top level `any` says as much as a type that has no name.
        Value::Null | Value::Type(_) => return Some(vec![Kind::Any.code()]),
        _ => return Some(vec![kind.code()]),
    };
    elements.dedup();
    let is_simple =
        |kind: &Kind| !matches!(kind, Kind::Any | Kind::List | Kind::Map | Kind::Null | Kind::Type);
    let element = match elements.as_slice() {
        [only] if is_simple(only) => *only,
        _ => Kind::Any,
    };
    Some(vec![kind.code(), element.code()])
}
