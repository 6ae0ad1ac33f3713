//! Writing values: the constants of code, and the context stored with a relationship.

use std::fmt;

use serde_json::{Map as JsonMap, Value as Json};

use super::code::Code;
use super::kind::{Kind, TypeCode};
use super::steps::Steps;
use super::stored::VALUE_LEVELS;
use super::value::{List, Map, Text, Value};
use super::{CodeError, ParameterType, context};

/// Encodes the context stored with a relationship, typed by the parameters of its condition.
///
/// # Errors
/// [`ContextError`] for a value of the wrong type, and for one that is no parameter: OpenFGA refuses
/// both when a relationship is written.
pub fn encode_context(
    code: &[u8],
    context: &JsonMap<String, Json>,
) -> Result<Vec<u8>, ContextError> {
    let code = Code::read(code).map_err(ContextError::Code)?;
    let is_known = |name: &str| code.parameters().any(|(known, _)| known == name);
    if let Some(name) = context.keys().find(|name| !is_known(name)) {
        return Err(ContextError::Unknown { parameter: name.clone() });
    }
    let mut bytes = Vec::new();
    for (index, (name, of)) in (0_u16..).zip(code.parameters()) {
        let Some(json) = context.get(name) else { continue };
        let error = || ContextError::Type {
            parameter: name.to_owned(),
            expected: of.decode().unwrap_or(ParameterType::Any),
        };
        // Nobody waits for the encoding: as many steps as it takes.
        let mut steps = u32::MAX;
        let value = context::checked(json, of, &mut Steps::new(&mut steps));
        let value = value.ok().flatten().ok_or_else(error)?;
        bytes.extend(index.to_le_bytes());
        write(&mut bytes, &value, of, VALUE_LEVELS)
            .ok_or_else(|| ContextError::Size { parameter: name.to_owned() })?;
    }
    Ok(bytes)
}

/// Why a context cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextError {
    /// The condition's code is broken.
    Code(CodeError),
    /// A value is nested too deep or too large.
    Size {
        /// The parameter's name.
        parameter: String,
    },
    /// A value does not have its parameter's type.
    Type {
        /// The parameter's name.
        parameter: String,
        /// The parameter's type.
        expected: ParameterType,
    },
    /// The condition has no such parameter.
    Unknown {
        /// The name.
        parameter: String,
    },
}

impl fmt::Display for ContextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(error) => write!(formatter, "the condition's code: {error}"),
            Self::Size { parameter } => {
                write!(formatter, "the value of parameter `{parameter}` is too large or deep")
            }
            Self::Type { parameter, expected } => {
                write!(formatter, "the value of parameter `{parameter}` is no {expected}")
            }
            Self::Unknown { parameter } => {
                write!(formatter, "the condition has no parameter `{parameter}`")
            }
        }
    }
}

impl std::error::Error for ContextError {}

impl fmt::Display for ParameterType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Double => "double",
            Self::Duration => "duration",
            Self::Int => "int",
            Self::IpAddress => "ipaddress",
            Self::List(inner) => return write!(formatter, "list<{inner}>"),
            Self::Map(inner) => return write!(formatter, "map<{inner}>"),
            Self::String => "string",
            Self::Timestamp => "timestamp",
            Self::UInt => "uint",
        };
        formatter.write_str(name)
    }
}

/// The bytes of a type: one for every level.
pub(super) fn type_code(of: &ParameterType) -> Vec<u8> {
    let (kind, inner) = match of {
        ParameterType::Any => (Kind::Any, None),
        ParameterType::Bool => (Kind::Bool, None),
        ParameterType::Double => (Kind::Double, None),
        ParameterType::Duration => (Kind::Duration, None),
        ParameterType::Int => (Kind::Int, None),
        ParameterType::IpAddress => (Kind::IpAddress, None),
        ParameterType::List(inner) => (Kind::List, Some(inner)),
        ParameterType::Map(inner) => (Kind::Map, Some(inner)),
        ParameterType::String => (Kind::String, None),
        ParameterType::Timestamp => (Kind::Timestamp, None),
        ParameterType::UInt => (Kind::UInt, None),
    };
    let mut bytes = vec![kind.code()];
    bytes.extend(inner.iter().flat_map(|inner| type_code(inner)));
    bytes
}

/// Writes a value in the form that `stored` describes; `None` where it is too deep or too large, or
/// is no value of the type.
pub(super) fn write(
    bytes: &mut Vec<u8>,
    value: &Value<'_>,
    of: TypeCode<'_>,
    levels: usize,
) -> Option<()> {
    let levels = levels.checked_sub(1)?;
    let kind = value.kind()?;
    let inner = if of.kind() == Kind::Any {
        bytes.push(kind.code());
        TypeCode::ANY
    } else {
        (of.kind() == kind).then(|| of.inner())?
    };
    match value {
        Value::Null => {}
        Value::Bool(value) => bytes.push(u8::from(*value)),
        Value::Int(value) | Value::Duration(value) => bytes.extend(value.to_le_bytes()),
        Value::UInt(value) => bytes.extend(value.to_le_bytes()),
        Value::Double(value) => bytes.extend(value.to_bits().to_le_bytes()),
        Value::String(text) => write_block(bytes, text.as_str().as_bytes())?,
        Value::Timestamp(time) => {
            bytes.extend(time.seconds.to_le_bytes());
            bytes.extend(time.nanoseconds.to_le_bytes());
            bytes.extend(time.offset.to_le_bytes());
        }
        Value::Address(address) => {
            bytes.push(if address.is_v4 { 4 } else { 6 });
            bytes.extend(address.bits.to_le_bytes());
        }
        Value::Type(kind) => bytes.push(kind.code()),
        Value::List(list) => write_list(bytes, list, inner, levels)?,
        Value::Map(map) => write_map(bytes, map, inner, levels)?,
        Value::Error(_) => return None,
    }
    Some(())
}

fn write_list(bytes: &mut Vec<u8>, list: &List<'_>, of: TypeCode<'_>, levels: usize) -> Option<()> {
    let mut elements = Vec::with_capacity(list.len());
    for index in 0..list.len() {
        let mut element = Vec::new();
        write(&mut element, &list.get(index)?, of, levels)?;
        elements.push(element);
    }
    write_elements(bytes, &elements)
}

fn write_map(bytes: &mut Vec<u8>, map: &Map<'_>, of: TypeCode<'_>, levels: usize) -> Option<()> {
    let mut steps = u32::MAX;
    let mut steps = Steps::new(&mut steps);
    let mut entries = Vec::with_capacity(map.len());
    for key in map.keys()? {
        let Value::String(name) = key else { return None };
        let value = map.field(name.as_str(), &mut steps).ok()??;
        entries.push((Text::as_str(&name).to_owned(), value));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut elements = Vec::with_capacity(entries.len());
    for (name, value) in &entries {
        let mut element = Vec::new();
        write_block(&mut element, name.as_bytes())?;
        write(&mut element, value, of, levels)?;
        elements.push(element);
    }
    write_elements(bytes, &elements)
}

/// A block: its length, the count, the offsets, the elements.
fn write_elements(bytes: &mut Vec<u8>, elements: &[Vec<u8>]) -> Option<()> {
    let mut block = Vec::new();
    block.extend(u32::try_from(elements.len()).ok()?.to_le_bytes());
    let mut offset = 0_u32;
    for element in elements {
        block.extend(offset.to_le_bytes());
        offset = offset.checked_add(u32::try_from(element.len()).ok()?)?;
    }
    block.extend(elements.iter().flatten());
    write_block(bytes, &block)
}

fn write_block(bytes: &mut Vec<u8>, block: &[u8]) -> Option<()> {
    bytes.extend(u32::try_from(block.len()).ok()?.to_le_bytes());
    bytes.extend(block);
    Some(())
}
