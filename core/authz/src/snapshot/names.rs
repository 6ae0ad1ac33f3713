//! Exact names, interned: an open-addressing table of words that point at records of names.
//!
//! Names section: one record an object, in the order of the objects' numbers (counted over all
//! types), each starting at a multiple of four: the number (a word), the length of the id in bytes
//! (two bytes), the id (UTF-8, at least one byte), zero bytes up to the next multiple of four.
//!
//! Name-offsets section: one word for every fourth object, the first included: where its record
//! starts, in words from the start of the names section.
//!
//! Slots section: a key of sixteen bytes, and a hash table of words, one more than there are names
//! at least. A word of all ones is free. Otherwise its lower `b` bits are where a record starts, in
//! words, and the upper `32 - b` bits are those of the fingerprint; `b` is the number of bits that
//! one more than the words of the names section has, at least 1 and at most 31.
//!
//! The hash of a name is SipHash-1-3 of the id. Its first key is the first half of the key as a
//! little-endian number, exclusive-or the number of the type; its second is the second half. The
//! lower half of the hash is the fingerprint; the upper half, times the number of slots, divided by
//! 2^32, is the slot at which the search starts. It goes on upwards, from the last to the first,
//! until a free slot. A record answers if its id is equal and its number is one of the type's: the
//! record says both, so that a name that is there costs two dependent reads.

use std::hash::BuildHasher;
use std::ops::Range;

use siphasher::sip::SipHasher13;

use super::body::{Body, Section, Word, index, read, word_at};

/// A slot without a name.
pub(crate) const FREE: u32 = u32::MAX;
/// Words of the key before the slots.
pub(crate) const KEY_WORDS: usize = 4;
/// Records from one entry of the name offsets to the next.
pub(crate) const SAMPLE: u32 = 4;
/// Bytes of an id: what two bytes count.
#[cfg(feature = "builder")]
pub(crate) const ID_BYTES: usize = 0xffff;

/// The key of the hash.
pub(crate) type Key = [u64; 2];

/// Hashes names that were added to a body as its own are: with its key, which nobody knows who
/// chooses names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByKey(Key);

impl ByKey {
    /// With the key of a slots section.
    pub(crate) fn of(slots: &[Word]) -> Self {
        Self(split_key(slots).0)
    }
}

impl BuildHasher for ByKey {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        let [first, second] = self.0;
        SipHasher13::new_with_keys(first, second)
    }
}

/// The names of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'s> {
    key: Key,
    /// Bits of a slot that say where the record is.
    bits: u32,
    slots: &'s [Word],
    records: &'s [Word],
}

/// One name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'s> {
    pub(crate) number: u32,
    pub(crate) id: &'s [u8],
    /// What follows the id up to the next record.
    pub(crate) padding: &'s [u8],
}

impl<'s> Names<'s> {
    #[inline]
    pub(crate) fn open(body: &'s Body) -> Self {
        let (key, slots) = split_key(body.words(Section::Slots));
        let records = body.words(Section::Names);
        let bits = position_bits(records.len());
        Self { key, bits, slots, records }
    }

    /// The number, over all types, of the name among those of a type.
    #[inline]
    pub(crate) fn find(&self, type_index: u32, of_type: Range<u32>, id: &str) -> Option<u32> {
        let (start, fingerprint) = place(self.key, type_index, id.as_bytes(), self.slots.len());
        let (upwards, before) = (self.slots.get(start..)?, self.slots.get(..start)?);
        // INVARIANT: a free slot exists (validated), so the search ends before it has gone round.
        for slot in upwards.iter().chain(before) {
            let slot = read(slot);
            if slot == FREE {
                return None;
            }
            if slot >> self.bits != fingerprint >> self.bits {
                continue;
            }
            let record = Record::at(self.records, index(slot & low_bits(self.bits)))?;
            if record.id == id.as_bytes() && of_type.contains(&record.number) {
                return Some(record.number);
            }
        }
        None
    }
}

/// The name with this number.
pub(crate) fn text(body: &Body, number: u32) -> &str {
    let (offsets, records) = (body.words(Section::NameOffsets), body.words(Section::Names));
    let mut at = index(word_at(offsets, index(number / SAMPLE)));
    for _ in 0..number % SAMPLE {
        let Some(record) = Record::at(records, at) else { return "" };
        at = at.saturating_add(record.words());
    }
    let id = Record::at(records, at).map(|record| record.id);
    std::str::from_utf8(id.unwrap_or_default()).unwrap_or_default()
}

impl<'s> Record<'s> {
    /// The record that starts at a word.
    #[inline]
    pub(crate) fn at(records: &'s [Word], at: usize) -> Option<Self> {
        let (number, rest) = records.get(at..)?.split_first()?;
        let (length, rest) = rest.as_flattened().split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        // What is left is a multiple of four with the padding before it.
        let padding = rest.get(..rest.len() % 4)?;
        Some(Self { number: read(number), id, padding })
    }

    /// Whether no byte of the id has its highest bit set, seen word by word; false where that
    /// cannot be told from the length before it.
    #[inline]
    pub(crate) fn is_surely_ascii(&self, records: &[Word], at: usize) -> bool {
        const HIGHEST: u32 = 0x8080_8080;
        let length_and_id = at.saturating_add(1)..at.saturating_add(self.words());
        let words = records.get(length_and_id).unwrap_or_default().iter();
        words.fold(0, |all, word| all | read(word)) & HIGHEST == 0
    }

    /// Words that it takes.
    pub(crate) const fn words(&self) -> usize {
        // The number and the length are six bytes; a slice is never as long as to overflow.
        self.id.len().saturating_add(9) / 4
    }
}

/// The key before the slots, and the slots.
#[inline]
pub(crate) fn split_key(section: &[Word]) -> (Key, &[Word]) {
    match section.split_first_chunk::<KEY_WORDS>() {
        Some((words, slots)) => {
            let [one, two, three, four] = words.map(|word| u64::from(read(&word)));
            ([two << 32 | one, four << 32 | three], slots)
        }
        None => ([0, 0], &[]),
    }
}

/// Where the search for a name starts, and its fingerprint.
#[inline]
pub(crate) fn place(
    [first, second]: Key,
    type_index: u32,
    id: &[u8],
    slots: usize,
) -> (usize, u32) {
    let hash = SipHasher13::new_with_keys(first ^ u64::from(type_index), second).hash(id);
    let (high, low) = (hash >> 32, hash & u64::from(u32::MAX));
    let slots = u64::try_from(slots).unwrap_or_default();
    let start = high.saturating_mul(slots) >> 32;
    (usize::try_from(start).unwrap_or_default(), u32::try_from(low).unwrap_or_default())
}

/// Bits of a slot that say where the record is, so that the largest is never all ones and no slot
/// looks free.
#[inline]
pub(crate) fn position_bits(words: usize) -> u32 {
    let largest = u32::try_from(words.saturating_add(1)).unwrap_or(u32::MAX);
    32_u32.saturating_sub(largest.leading_zeros()).clamp(1, 31)
}

/// The slot of a record.
#[cfg(feature = "builder")]
pub(crate) const fn slot(position: u32, fingerprint: u32, bits: u32) -> u32 {
    fingerprint >> bits << bits | position
}

/// A mask of the lowest bits.
#[inline]
pub(crate) const fn low_bits(bits: u32) -> u32 {
    !(u32::MAX << bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `contract/peers/snapshot_reader`, a second implementation of SipHash-1-3.
    #[test]
    fn a_search_starts_where_another_implementation_starts_it() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        assert_eq!(place(key, 0, b"anne", 1000), (539, 0xf57c_33b2));
        assert_eq!(place(key, 3, b"anne", 1000), (299, 0x0330_bd4c));
        assert_eq!(place(key, 0, "Ærø".as_bytes(), 7), (3, 0x6087_9e48));
    }
}
