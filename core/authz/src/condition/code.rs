//! The frame of a condition's code.
//!
//! 16 bytes of header: u8 version (1), u8 zero, u16 parameters, u16 local variables, u16 deepest
//! stack, u32 bytes of the parameter table, u32 bytes of instructions. Then the table: for every
//! parameter, in the order of the names, a u16 length and the name, a u8 length and the type. Then
//! the instructions. All little-endian, nothing after them.

use super::CodeError;
use super::kind::TypeCode;
use super::reader::Reader;

/// Code whose frame was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code<'a> {
    pub(super) parameters: u16,
    pub(super) locals: u16,
    pub(super) stack: u16,
    table: &'a [u8],
    pub(super) instructions: &'a [u8],
}

impl<'a> Code<'a> {
    pub(super) fn read(code: &'a [u8]) -> Result<Self, CodeError> {
        Self::read_frame(code)
            .ok_or(CodeError { at: 0, problem: "the header does not fit the bytes" })
    }

    fn read_frame(code: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(code);
        if reader.u16()? != VERSION {
            return None;
        }
        let (parameters, locals, stack) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let (table, instructions) = (reader.size()?, reader.size()?);
        let table = reader.bytes(table)?;
        let instructions = reader.bytes(instructions)?;
        let fits = code.len() <= super::limits::CONDITION_CODE_BYTES && reader.is_at_end();
        fits.then_some(Self { parameters, locals, stack, table, instructions })
    }

    /// The parameters in order. Ends early where the table is broken.
    pub(super) const fn parameters(&self) -> Parameters<'a> {
        Parameters { reader: Reader::new(self.table), left: self.parameters }
    }

    pub(super) fn parameter_type(&self, index: u16) -> Option<TypeCode<'a>> {
        self.parameters().nth(usize::from(index)).map(|(_, of)| of)
    }

    /// The place of an instruction within the code, for errors.
    pub(super) const fn place(&self, offset: usize) -> usize {
        self.table.len().saturating_add(HEADER_BYTES).saturating_add(offset)
    }

    /// Whether the table holds what the header says: names in strict order.
    pub(super) fn check_table(&self) -> Result<(), CodeError> {
        let mut parameters = self.parameters();
        let mut previous = "";
        for _ in 0..self.parameters {
            let at = parameters.reader.position().saturating_add(HEADER_BYTES);
            let error = |problem| CodeError { at, problem };
            let (name, _) =
                parameters.next().ok_or_else(|| error("a parameter does not have its form"))?;
            if name <= previous {
                return Err(error("the parameters are not in the order of their names"));
            }
            previous = name;
        }
        let at = parameters.reader.position().saturating_add(HEADER_BYTES);
        let is_whole = parameters.reader.is_at_end();
        is_whole.then_some(()).ok_or(CodeError { at, problem: "bytes follow the last parameter" })
    }
}

/// Names and types of parameters.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'a> {
    reader: Reader<'a>,
    left: u16,
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a str, TypeCode<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let length = usize::from(self.reader.u16()?);
        let name = std::str::from_utf8(self.reader.bytes(length)?).ok()?;
        let levels = usize::from(self.reader.u8()?);
        let of = TypeCode::parse(self.reader.bytes(levels)?)?;
        of.is_of_parameter().then_some((name, of))
    }
}

/// Version 1, and the zero after it.
pub(super) const VERSION: u16 = 1;

const HEADER_BYTES: usize = 16;
