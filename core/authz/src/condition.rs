//! Conditions on relationships: CEL, compiled natively to a small bytecode, evaluated with a step
//! count. No parser runs in the guest.
//!
//! A condition's code is one self-contained blob. [`validate`] it once, where it is loaded; after
//! that [`evaluate`] is total: it reads nothing that is not there, and ends within its steps.
//!
//! The meaning is that of OpenFGA v1.22, which is cel-go's with all optimizations on. What differs:
//!
//! - Refused when compiled: bytes, messages, patterns and time zones that are no constants, time zones
//!   other than `UTC` and fixed offsets, what a pattern may say beyond the common part of RE2 and
//!   `regex-syntax`, map keys other than bool, int, uint and string, names with a leading dot.
//! - An error where OpenFGA has an answer: addresses with a zone, texts of numbers beyond 64 bytes and
//!   of times and durations beyond 128, hexadecimal digits and underscores in `double(…)`, a map key
//!   of another kind that is only known at evaluation, a list or map that holds an address where the
//!   other holds something else (cel-go takes them for equal).
//! - Taken where OpenFGA refuses: `existsOne`, for `exists_one`, and macro variables named as cel-go
//!   names its own; both mean what they say.
//! - Steps: [`limits::CONDITION_STEPS`] in place of cel-go's cost.

mod address;
mod code;
mod compare;
#[cfg(feature = "builder")]
mod compile;
mod context;
mod conversion;
mod decimal;
mod duration;
#[cfg(feature = "builder")]
mod encode;
mod instruction;
mod kind;
mod machine;
mod number;
mod operator;
mod pattern;
mod reader;
mod steps;
mod stored;
mod timestamp;
mod validate;
mod value;

use std::fmt;

use serde_json::{Map, Value as Json};

#[cfg(feature = "builder")]
pub use compile::{ConditionError, Place, compile};
#[cfg(feature = "builder")]
pub use encode::{ContextError, encode_context};

use crate::limits;

/// Checks code from anywhere: every offset, jump, constant, slot and stack depth.
///
/// # Errors
/// [`CodeError`] for the first byte that does not hold.
pub fn validate(code: &[u8]) -> Result<(), CodeError> {
    validate::validate(code)
}

/// Checks the stored context of a relationship against the code of its condition.
///
/// # Errors
/// [`CodeError`] for the first byte that does not hold; its place is one of `stored`.
pub fn validate_context(code: &[u8], stored: &[u8]) -> Result<(), CodeError> {
    stored::check_context(&code::Code::read(code)?, stored)
}

/// Whether the condition holds.
///
/// A parameter's value is the relationship's own (`stored`), else the request's. As in OpenFGA every
/// parameter that the condition declares must be given, whether the expression needs it or not, and
/// must have its type. `steps` counts down, by one an instruction and more for work on long texts
/// and lists.
///
/// # Errors
/// [`ConditionFailure`]; each denies.
pub fn evaluate(
    code: &[u8],
    stored: &[u8],
    request: &Map<String, Json>,
    steps: &mut u32,
) -> Result<bool, ConditionFailure> {
    machine::evaluate(code, stored, request, steps)
}

/// The parameters of a condition, in the order of their names.
#[must_use]
pub fn parameters(code: &[u8]) -> Vec<(&str, ParameterType)> {
    let Ok(code) = code::Code::read(code) else { return Vec::new() };
    code.parameters().filter_map(|(name, of)| of.decode().map(|of| (name, of))).collect()
}

/// Why code, or a stored context, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeError {
    /// Bytes from the start.
    pub at: usize,
    /// One phrase, lower case.
    pub problem: &'static str,
}

impl fmt::Display for CodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.problem, self.at)
    }
}

impl std::error::Error for CodeError {}

/// The type of a condition's parameter: OpenFGA's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// `any`
    Any,
    /// `bool`
    Bool,
    /// `double`
    Double,
    /// `duration`
    Duration,
    /// `int`
    Int,
    /// `ipaddress`
    IpAddress,
    /// `list<T>`
    List(Box<Self>),
    /// `map<T>`
    Map(Box<Self>),
    /// `string`
    String,
    /// `timestamp`
    Timestamp,
    /// `uint`
    UInt,
}

/// Why a condition gave no answer. Each denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionFailure {
    /// The expression failed: overflow, division by zero, a key or index that is not there.
    Expression {
        /// One phrase, lower case.
        problem: &'static str,
    },
    /// Neither the relationship nor the request gives a parameter that was needed.
    Missing {
        /// The parameter's name.
        parameter: String,
    },
    /// More steps than the limit: `condition-steps`.
    Steps,
    /// A value does not have its parameter's type.
    Type {
        /// The parameter's name.
        parameter: String,
    },
}
