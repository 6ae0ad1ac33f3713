//! The bytes of a snapshot's body: a section table, and words read in place.
//!
//! Everything is little-endian. docs/snapshot.md#body is the specification: three words (magic,
//! version, number of sections), the length of each section in bytes (a word each), and the
//! sections, each followed by zero bytes up to the next multiple of four.

use std::ops::Range;

use super::SnapshotError;

/// A little-endian word where it lies.
pub(crate) type Word = [u8; 4];

/// The sections of a body, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Strings,
    Types,
    Relations,
    Restrictions,
    Plans,
    Conditions,
    Code,
    Parents,
    Runs,
    Offsets,
    Rows,
    Conditioned,
    Contexts,
    NameOffsets,
    Names,
    Slots,
    Records,
}

impl Section {
    pub(crate) const ALL: [Self; 17] = [
        Self::Strings,
        Self::Types,
        Self::Relations,
        Self::Restrictions,
        Self::Plans,
        Self::Conditions,
        Self::Code,
        Self::Parents,
        Self::Runs,
        Self::Offsets,
        Self::Rows,
        Self::Conditioned,
        Self::Contexts,
        Self::NameOffsets,
        Self::Names,
        Self::Slots,
        Self::Records,
    ];

    /// Its name in docs/snapshot.md.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Strings => "strings",
            Self::Types => "types",
            Self::Relations => "relations",
            Self::Restrictions => "restrictions",
            Self::Plans => "plans",
            Self::Conditions => "conditions",
            Self::Code => "code",
            Self::Parents => "parents",
            Self::Runs => "runs",
            Self::Offsets => "offsets",
            Self::Rows => "rows",
            Self::Conditioned => "conditioned",
            Self::Contexts => "contexts",
            Self::NameOffsets => "name-offsets",
            Self::Names => "names",
            Self::Slots => "slots",
            Self::Records => "records",
        }
    }

    /// Its place in the table: what [`Section::ALL`] says, without a search.
    #[inline]
    const fn position(self) -> usize {
        match self {
            Self::Strings => 0,
            Self::Types => 1,
            Self::Relations => 2,
            Self::Restrictions => 3,
            Self::Plans => 4,
            Self::Conditions => 5,
            Self::Code => 6,
            Self::Parents => 7,
            Self::Runs => 8,
            Self::Offsets => 9,
            Self::Rows => 10,
            Self::Conditioned => 11,
            Self::Contexts => 12,
            Self::NameOffsets => 13,
            Self::Names => 14,
            Self::Slots => 15,
            Self::Records => 16,
        }
    }
}

/// `MSNB` in the first four bytes.
pub(crate) const MAGIC: u32 = u32::from_le_bytes(*b"MSNB");
/// The version of the body's format.
pub(crate) const VERSION: u32 = 1;
/// Words before the section table: magic, version, number of sections.
pub(crate) const PREAMBLE_WORDS: usize = 3;

/// A body whose section table was checked.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    sections: [Range<usize>; Section::ALL.len()],
}

impl Body {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Checks the preamble and the section table: sections in order, each starting at the next
    /// multiple of four after the one before, zero padding, nothing after the last.
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, SnapshotError> {
        let words = bytes.as_chunks::<4>().0;
        let count = u32::try_from(Section::ALL.len()).unwrap_or(u32::MAX);
        let preamble: Vec<u32> = words.iter().take(PREAMBLE_WORDS).map(read).collect();
        if preamble != [MAGIC, VERSION, count] {
            return Err(SnapshotError::new("preamble", "is not one of format version 1"));
        }
        let table = words.get(PREAMBLE_WORDS..).unwrap_or_default();
        let lengths: Vec<usize> =
            table.iter().take(Section::ALL.len()).map(|word| index(read(word))).collect();
        let mut at = PREAMBLE_WORDS.saturating_add(Section::ALL.len()).saturating_mul(4);
        let mut sections = [const { 0..0 }; Section::ALL.len()];
        for ((section, length), range) in Section::ALL.iter().zip(&lengths).zip(&mut sections) {
            let end = at.saturating_add(*length);
            let next = end.saturating_add(3) & !3;
            let padding = bytes.get(end..next);
            if padding.is_none_or(|padding| padding.iter().any(|byte| *byte != 0)) {
                return Err(SnapshotError::new(section.name(), "does not fit into the body"));
            }
            *range = at..end;
            at = next;
        }
        if lengths.len() != Section::ALL.len() || at != bytes.len() {
            return Err(SnapshotError::new("sections", "do not fill the body"));
        }
        Ok(Self { bytes, sections })
    }

    /// The bytes of a section.
    #[inline]
    pub(crate) fn bytes(&self, section: Section) -> &[u8] {
        let range = self.sections.get(section.position()).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    /// The words of a section.
    #[inline]
    pub(crate) fn words(&self, section: Section) -> &[Word] {
        self.bytes(section).as_chunks::<4>().0
    }

    /// The words of a section that consists of whole words.
    pub(crate) fn whole_words(&self, section: Section) -> Result<&[Word], SnapshotError> {
        let (words, rest) = self.bytes(section).as_chunks::<4>();
        if rest.is_empty() {
            Ok(words)
        } else {
            Err(SnapshotError::new(section.name(), "is not a multiple of four bytes"))
        }
    }

    /// Bytes of the whole body.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// A word's value.
#[inline]
pub(crate) const fn read(word: &Word) -> u32 {
    u32::from_le_bytes(*word)
}

/// A word as an index. Indices that do not fit are out of every range.
#[inline]
pub(crate) fn index(word: u32) -> usize {
    usize::try_from(word).unwrap_or(usize::MAX)
}

/// The word at a position.
///
/// INVARIANT: loading has validated every position that is read afterwards; zero is never met.
#[inline]
pub(crate) fn word_at(words: &[Word], position: usize) -> u32 {
    words.get(position).map_or(0, read)
}
