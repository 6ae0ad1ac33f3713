//! Values during an evaluation: borrowed from the code, the stored context or the request wherever
//! they can be.

use std::rc::Rc;

use serde_json::Value as Json;

use super::address::Address;
use super::context;
use super::kind::{Kind, TypeCode};
use super::steps::{Steps, Trouble};
use super::stored::{EncodedList, EncodedMap};
use super::timestamp::Timestamp;

/// A value, or the error that took its place: CEL's `||` and `&&` absorb errors, so an error is
/// carried until something needs it.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    String(Text<'a>),
    Timestamp(Timestamp),
    /// Nanoseconds.
    Duration(i64),
    Address(Address),
    /// What `type(…)` gives.
    Type(Kind),
    List(List<'a>),
    Map(Map<'a>),
    /// One phrase, lower case.
    Error(&'static str),
}

impl Value<'_> {
    /// The kind; an error has none.
    pub(super) const fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::UInt(_) => Kind::UInt,
            Self::Double(_) => Kind::Double,
            Self::String(_) => Kind::String,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Duration(_) => Kind::Duration,
            Self::Address(_) => Kind::IpAddress,
            Self::Type(_) => Kind::Type,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Error(_) => return None,
        })
    }
}

/// A string.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Rc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// A list.
#[derive(Clone, Debug)]
pub(super) enum List<'a> {
    Encoded(EncodedList<'a>),
    /// A request's list; every element was found to have the type.
    Json(&'a [Json], TypeCode<'a>),
    Built(Rc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Encoded(list) => list.len(),
            Self::Json(items, _) => items.len(),
            Self::Built(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Encoded(list) => list.get(index),
            Self::Json(items, element) => context::typed(items.get(index)?, *element),
            Self::Built(items) => items.get(index).cloned(),
        }
    }
}

/// A map.
#[derive(Clone, Debug)]
pub(super) enum Map<'a> {
    Encoded(EncodedMap<'a>),
    /// A request's map; every value was found to have the type.
    Json(&'a serde_json::Map<String, Json>, TypeCode<'a>),
    Built(Rc<Vec<(Value<'a>, Value<'a>)>>),
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Encoded(map) => map.len(),
            Self::Json(members, _) => members.len(),
            Self::Built(entries) => entries.len(),
        }
    }

    /// The value of a name: keys of contexts are strings.
    pub(super) fn field(&self, name: &str, steps: &mut Steps<'_>) -> Found<'a> {
        match self {
            Self::Encoded(map) => Ok(map.find(name)),
            Self::Json(members, value) => {
                Ok(members.get(name).and_then(|member| context::typed(member, *value)))
            }
            Self::Built(entries) => {
                steps.take(entries.len())?;
                let mut entries = entries.iter();
                let entry = entries
                    .find(|(key, _)| matches!(key, Value::String(key) if key.as_str() == name));
                Ok(entry.map(|(_, value)| value.clone()))
            }
        }
    }

    /// The value of a key. A number finds the key of another kind that is equal to it, as in cel-go:
    /// a `uint` finds an `int`, a double finds either.
    pub(super) fn find(&self, key: &Value<'a>, steps: &mut Steps<'_>) -> Found<'a> {
        if let Value::String(name) = key {
            return self.field(name.as_str(), steps);
        }
        let Self::Built(entries) = self else { return Ok(None) };
        steps.take(entries.len())?;
        let entry = entries.iter().find(|(candidate, _)| same_key(candidate, key));
        Ok(entry.map(|(_, value)| value.clone()))
    }

    /// The keys, in some order.
    pub(super) fn keys(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Self::Encoded(map) => (0..map.len())
                .map(|index| map.key(index).map(|key| Value::String(Text::Borrowed(key))))
                .collect(),
            Self::Json(members, _) => {
                Some(members.keys().map(|key| Value::String(Text::Borrowed(key))).collect())
            }
            Self::Built(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
        }
    }
}

/// A lookup: the value, that there is none, or that steps ran out.
pub(super) type Found<'a> = Result<Option<Value<'a>>, Trouble>;

/// Whether a lookup of `key` finds `candidate`, which stands in the map.
fn same_key(candidate: &Value<'_>, key: &Value<'_>) -> bool {
    match (candidate, key) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::UInt(a), Value::UInt(b)) => a == b,
        (Value::String(a), Value::String(b)) => a.as_str() == b.as_str(),
        (Value::Int(a), Value::UInt(b)) => i64::try_from(*b) == Ok(*a),
        (Value::UInt(a), Value::Int(b)) => u64::try_from(*b) == Ok(*a),
        (Value::Int(a), Value::Double(b)) => super::conversion::lossless_int(*b) == Some(*a),
        (Value::UInt(a), Value::Double(b)) => super::conversion::lossless_uint(*b) == Some(*a),
        _ => false,
    }
}
