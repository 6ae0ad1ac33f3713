//! Encoded values: constants in code, and the context stored with a relationship.
//!
//! - bool: one byte, 0 or 1; int, uint, duration: 64 bits; double: its 64 bits;
//! - timestamp: i64 seconds, u32 nanoseconds, i32 offset; address: one byte 4 or 6, 128 bits;
//! - string: u32 length and UTF-8; type: one byte, its kind;
//! - list: a block (u32 length) of u32 count, a u32 offset for every element counted from the end of
//!   these offsets, the elements; map: the same with a string before every value, in the order of
//!   these strings;
//! - any: one byte, the kind, and the value, whose own elements are any.
//!
//! A stored context is, for every parameter that it gives in the order of the parameters, a u16 with
//! the parameter's number and its value. No bytes at all give nothing.

use super::CodeError;
use super::address::Address;
use super::code::Code;
use super::kind::{Kind, TypeCode};
use super::reader::Reader;
use super::timestamp::Timestamp;
use super::value::{List, Map, Text, Value};

/// A list's block after its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncodedList<'a> {
    block: &'a [u8],
    element: TypeCode<'a>,
}

impl<'a> EncodedList<'a> {
    pub(super) fn len(&self) -> usize {
        Reader::new(self.block).size().unwrap_or(0)
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        read_value(&mut element(self.block, index)?, self.element)
    }
}

/// A map's block after its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncodedMap<'a> {
    block: &'a [u8],
    value: TypeCode<'a>,
}

impl<'a> EncodedMap<'a> {
    pub(super) fn len(&self) -> usize {
        Reader::new(self.block).size().unwrap_or(0)
    }

    pub(super) fn key(&self, index: usize) -> Option<&'a str> {
        element(self.block, index)?.text()
    }

    pub(super) fn find(&self, name: &str) -> Option<Value<'a>> {
        let mut low = 0;
        let mut high = self.len();
        while low < high {
            let middle = low.checked_add(high.checked_sub(low)?.checked_div(2)?)?;
            let mut entry = element(self.block, middle)?;
            match entry.text()?.cmp(name) {
                std::cmp::Ordering::Less => low = middle.checked_add(1)?,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return read_value(&mut entry, self.value),
            }
        }
        None
    }
}

/// The place of an element of a list's or map's block.
fn element(block: &[u8], index: usize) -> Option<Reader<'_>> {
    let count = Reader::new(block).size()?;
    if index >= count {
        return None;
    }
    let data = count.checked_mul(4)?.checked_add(4)?;
    let offset = Reader::at(block, index.checked_mul(4)?.checked_add(4)?).size()?;
    Some(Reader::at(block, data.checked_add(offset)?))
}

/// The value of type `of` at the reader's place.
pub(super) fn read_value<'a>(reader: &mut Reader<'a>, of: TypeCode<'a>) -> Option<Value<'a>> {
    let kind = of.kind();
    let (kind, inner) = if kind == Kind::Any {
        (Kind::from_code(reader.u8()?)?, TypeCode::ANY)
    } else {
        (kind, of.inner())
    };
    Some(match kind {
        Kind::Any => return None,
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(reader.u8()? == 1),
        Kind::Double => Value::Double(f64::from_bits(reader.u64()?)),
        Kind::Duration => Value::Duration(reader.i64()?),
        Kind::Int => Value::Int(reader.i64()?),
        Kind::UInt => Value::UInt(reader.u64()?),
        Kind::IpAddress => Value::Address(read_address(reader)?),
        Kind::String => Value::String(Text::Borrowed(reader.text()?)),
        Kind::Timestamp => Value::Timestamp(Timestamp {
            seconds: reader.i64()?,
            nanoseconds: reader.u32()?,
            offset: reader.i32()?,
        }),
        Kind::Type => Value::Type(Kind::from_code(reader.u8()?)?),
        Kind::List => {
            Value::List(List::Encoded(EncodedList { block: reader.block()?, element: inner }))
        }
        Kind::Map => Value::Map(Map::Encoded(EncodedMap { block: reader.block()?, value: inner })),
    })
}

fn read_address(reader: &mut Reader<'_>) -> Option<Address> {
    let is_v4 = match reader.u8()? {
        4 => true,
        6 => false,
        _ => return None,
    };
    Some(Address { bits: reader.u128()?, is_v4 })
}

/// Reads past a value and checks it whole: every byte that [`read_value`] and the lists and maps that
/// it gives will look at.
pub(super) fn check_value<'a>(
    reader: &mut Reader<'a>,
    of: TypeCode<'a>,
    levels: usize,
) -> Result<(), &'static str> {
    let levels = levels.checked_sub(1).ok_or("a value is nested too deep")?;
    let mut ahead = *reader;
    let value = read_value(&mut ahead, of).ok_or("a value does not have its form")?;
    match value {
        Value::Bool(_) => {
            let last = ahead.position().checked_sub(1);
            let is_canonical = last.and_then(|at| reader.peek_at(at)).is_some_and(|byte| byte <= 1);
            is_canonical.then_some(()).ok_or("a bool is neither 0 nor 1")?;
        }
        Value::Timestamp(time) => {
            let in_range = time.nanoseconds < 1_000_000_000
                && time.seconds.unsigned_abs() <= TIMESTAMP_SECONDS
                && time.offset.unsigned_abs() <= TIMESTAMP_OFFSET;
            in_range.then_some(()).ok_or("a timestamp is out of range")?;
        }
        Value::Address(address) => {
            let in_range = if address.is_v4 {
                address.bits <= u128::from(u32::MAX)
            } else {
                address.bits >> 32 != 0xffff
            };
            in_range.then_some(()).ok_or("an address is not in its canonical form")?;
        }
        Value::Type(Kind::Any) => return Err("a type is no type of a value"),
        Value::List(List::Encoded(list)) => {
            check_elements(list.block, |entry| check_value(entry, list.element, levels))?
        }
        Value::Map(Map::Encoded(map)) => {
            let mut previous = None;
            check_elements(map.block, |entry| {
                let key = entry.text().ok_or("a key of a map is no text")?;
                if previous.is_some_and(|previous| previous >= key) {
                    return Err("the keys of a map are not in order");
                }
                previous = Some(key);
                check_value(entry, map.value, levels)
            })?;
        }
        Value::Null
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Double(_)
        | Value::String(_)
        | Value::Duration(_)
        | Value::Type(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Error(_) => {}
    }
    *reader = ahead;
    Ok(())
}

/// Checks that the elements of a block follow each other without a gap up to its end.
fn check_elements<'a>(
    block: &'a [u8],
    mut check: impl FnMut(&mut Reader<'a>) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    const BROKEN: &str = "a list or map does not have its form";
    let mut offsets = Reader::new(block);
    let count = offsets.size().ok_or(BROKEN)?;
    let start = count.checked_mul(4).and_then(|bytes| bytes.checked_add(4)).ok_or(BROKEN)?;
    if start > block.len() {
        return Err(BROKEN);
    }
    let mut elements = Reader::at(block, start);
    for _ in 0..count {
        let offset = offsets.size().and_then(|offset| offset.checked_add(start));
        if offset != Some(elements.position()) {
            return Err("an element is not where its offset says");
        }
        check(&mut elements)?;
    }
    if elements.is_at_end() { Ok(()) } else { Err("bytes follow the last element") }
}

/// Checks a stored context.
pub(super) fn check_context(code: &Code<'_>, stored: &[u8]) -> Result<(), CodeError> {
    let mut reader = Reader::new(stored);
    let mut next = 0;
    while !reader.is_at_end() {
        let at = reader.position();
        let error = |problem| CodeError { at, problem };
        let index = reader.u16().ok_or_else(|| error("a parameter's number is cut off"))?;
        if index < next {
            return Err(error("the parameters are not in order"));
        }
        let of = code.parameter_type(index).ok_or_else(|| error("there is no such parameter"))?;
        check_value(&mut reader, of, VALUE_LEVELS).map_err(error)?;
        next = index.saturating_add(1);
    }
    Ok(())
}

/// The parameters that a stored context gives, in order.
#[derive(Debug)]
pub(super) struct StoredContext<'a> {
    reader: Reader<'a>,
}

impl<'a> StoredContext<'a> {
    pub(super) const fn new(stored: &'a [u8]) -> Self {
        Self { reader: Reader::new(stored) }
    }

    /// The value of parameter `index`; to be asked for every parameter in order. `None` where the
    /// bytes are broken.
    pub(super) fn value(&mut self, index: u16, of: TypeCode<'a>) -> Option<Option<Value<'a>>> {
        if self.reader.is_at_end() {
            return Some(None);
        }
        let mut ahead = self.reader;
        if ahead.u16()? != index {
            return Some(None);
        }
        let value = read_value(&mut ahead, of)?;
        self.reader = ahead;
        Some(Some(value))
    }
}

/// Levels of lists and maps within one value.
pub(super) const VALUE_LEVELS: usize = 32;

/// Seconds from 1970 that a timestamp may lie away: the year 0 of Go's texts with an offset, and
/// those in which sums with a duration cannot overflow.
const TIMESTAMP_SECONDS: u64 = 253_402_400_000;

/// Seconds of the widest offset in a text: 24:60.
const TIMESTAMP_OFFSET: u32 = 90_000;
