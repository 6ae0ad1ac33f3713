//! Deltas: rows in their binary form.
//!
//! docs/snapshot-container.md#rows specifies the bytes. Rows follow one another without count or
//! padding; a delta without rows is a heartbeat. Each row has exactly one form.

mod decode;
#[cfg(feature = "builder")]
mod encode;

use std::fmt;

pub use self::decode::decode;
#[cfg(feature = "builder")]
pub use self::encode::encode;
use crate::container::BytesProblem;

/// Why bytes are no rows, or rows cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaProblem {
    /// The row's number, from 0.
    pub row: usize,
    /// What is wrong with it.
    pub problem: RowProblem,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowProblem {
    /// A name that must not be empty is.
    Empty,
    /// A text, a list or a context is longer than 65,535.
    Long,
    /// A time is above 2^53 - 1.
    Number,
    /// A byte that tells forms apart has no meaning there.
    Tag,
    /// More than 16,384 rows.
    TooMany,
    /// The bytes end within the row.
    Truncated,
    /// A text is not UTF-8.
    Utf8,
    /// `*` stands where the id of one object is needed.
    Wildcard,
}

impl From<BytesProblem> for RowProblem {
    fn from(problem: BytesProblem) -> Self {
        match problem {
            BytesProblem::Truncated => Self::Truncated,
            BytesProblem::Utf8 => Self::Utf8,
        }
    }
}

impl fmt::Display for DeltaProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}: {}", self.row, self.problem)
    }
}

impl std::error::Error for DeltaProblem {}

impl fmt::Display for RowProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "a name is empty",
            Self::Long => "a text or list is longer than 65,535",
            Self::Number => "a time is above 2^53 - 1",
            Self::Tag => "its form is unknown",
            Self::TooMany => "there are more than 16,384 rows",
            Self::Truncated => "the bytes end too early",
            Self::Utf8 => "a text is not UTF-8",
            Self::Wildcard => "`*` is no id",
        })
    }
}

impl std::error::Error for RowProblem {}

/// The byte that begins a row.
mod row_tag {
    pub(super) const DELETE_CREDENTIAL: u8 = 1;
    pub(super) const DELETE_IDENTITY: u8 = 2;
    pub(super) const DELETE_OBJECT: u8 = 3;
    pub(super) const DELETE_TUPLE: u8 = 4;
    pub(super) const PUT_CREDENTIAL: u8 = 5;
    pub(super) const PUT_IDENTITY: u8 = 6;
    pub(super) const PUT_OBJECT: u8 = 7;
    pub(super) const WRITE_TUPLE: u8 = 8;
}

/// The byte that begins a subject.
mod subject_tag {
    pub(super) const OBJECT: u8 = 0;
    pub(super) const USERSET: u8 = 1;
    pub(super) const WILDCARD: u8 = 2;
}

/// The byte before what may be absent.
mod presence {
    pub(super) const ABSENT: u8 = 0;
    pub(super) const PRESENT: u8 = 1;
}

/// The byte that begins a grant.
mod grant_tag {
    pub(super) const ALL: u8 = 0;
    pub(super) const LISTED: u8 = 1;
}

/// An object's id that would mean every object of the type.
const WILDCARD: &str = "*";
