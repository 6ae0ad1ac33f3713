//! The rows of one object, together: where each ends, and the subjects.
//!
//! Rows section: one block an object of every type that stores relationships, type by type, in the
//! order of the objects. A block starts with one number for each of the type's columns (its
//! relations that store something, in their order): how many subjects the rows up to and with this
//! one have. These ends take one, two or four bytes each, as the type's entry says, and zero bytes
//! up to the next multiple of four. The subjects follow, row after row, one word each. An object
//! without any subject has a block of no words.
//!
//! Offsets section: where each block starts, in words from the start of the rows section, and once
//! more where the last one ends.
//!
//! Conditioned section, two words for each conditional relationship in the order of the rows: where
//! its subject lies in the rows section, in words, and where its context starts in the contexts
//! section, in bytes; it ends where the next one starts.

use std::ops::Range;

use super::body::{Word, index};

/// How the blocks of a type are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockLayout {
    /// Relations that store something.
    pub(crate) columns: u32,
    pub(crate) width: Width,
    /// Words before the subjects.
    pub(crate) header_words: usize,
}

/// Where the rows of one relation lie.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowPlace {
    /// Where the offsets of its type's blocks start.
    pub(crate) first_offset: usize,
    /// Objects of its type in the body.
    pub(crate) objects: u32,
    pub(crate) layout: BlockLayout,
    pub(crate) column: u32,
}

/// Bytes of one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Width {
    #[default]
    One,
    Two,
    Four,
}

impl Width {
    pub(crate) const fn from_bytes(bytes: u32) -> Option<Self> {
        match bytes {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            _ => None,
        }
    }

    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// The smallest that holds an end.
    #[cfg(feature = "builder")]
    pub(crate) const fn of(end: usize) -> Self {
        match end {
            0..=0xff => Self::One,
            0x100..=0xffff => Self::Two,
            _ => Self::Four,
        }
    }
}

impl BlockLayout {
    pub(crate) fn new(columns: u32, width: Width) -> Self {
        let header_words = index(columns).saturating_mul(width.bytes()).div_ceil(4);
        Self { columns, width, header_words }
    }

    /// The words of a row within its block; `None` where the block has none.
    #[inline]
    pub(crate) fn row(self, block: &[Word], column: u32) -> Option<Range<usize>> {
        let ends = block.as_flattened();
        let end = self.end(ends, column)?;
        let start = match column.checked_sub(1) {
            Some(before) => self.end(ends, before)?,
            None => 0,
        };
        let header = self.header_words;
        Some(header.saturating_add(start)..header.saturating_add(end))
    }

    /// Subjects up to and with a column.
    #[inline]
    pub(crate) fn end(self, ends: &[u8], column: u32) -> Option<usize> {
        let at = index(column);
        match self.width {
            Width::One => ends.get(at).copied().map(usize::from),
            Width::Two => {
                let end = ends.as_chunks::<2>().0.get(at)?;
                Some(usize::from(u16::from_le_bytes(*end)))
            }
            Width::Four => {
                ends.as_chunks::<4>().0.get(at).map(|end| index(u32::from_le_bytes(*end)))
            }
        }
    }
}
