//! Exact names, interned: an open-addressing table of words that point into one blob.

use std::hash::Hasher;
use std::ops::Range;

use siphasher::sip::SipHasher13;

use super::body::{Body, Section, Word, index, read, word_at};

/// A slot without a name.
pub(crate) const FREE: u32 = u32::MAX;
/// Words of the key before the slots.
pub(crate) const KEY_WORDS: usize = 4;

/// The names of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'s> {
    key: [u8; 16],
    slots: &'s [Word],
    offsets: &'s [Word],
    bytes: &'s [u8],
}

impl<'s> Names<'s> {
    pub(crate) fn open(body: &'s Body) -> Self {
        let (key, slots) = split_key(body.words(Section::Slots));
        let offsets = body.words(Section::NameOffsets);
        Self { key, slots, offsets, bytes: body.bytes(Section::Names) }
    }

    /// The number, over all types, of the name among those of a type.
    pub(crate) fn find(&self, type_index: u32, of_type: Range<u32>, id: &str) -> Option<u32> {
        let count = self.slots.len();
        let (start, fingerprint) = place(self.key, type_index, id.as_bytes(), count);
        let bits = number_bits(self.offsets.len());
        let mut position = start;
        // INVARIANT: a free slot exists (validated), so the search ends before it has gone round.
        for _ in 0..count {
            let slot = word_at(self.slots, position);
            if slot == FREE {
                return None;
            }
            let number = slot & low_bits(bits);
            let alike = slot >> bits == fingerprint_bits(fingerprint, bits);
            if alike && of_type.contains(&number) && self.bytes_of(number) == id.as_bytes() {
                return Some(number);
            }
            position = position.saturating_add(1);
            if position == count {
                position = 0;
            }
        }
        None
    }

    /// The name with this number.
    pub(crate) fn text(&self, number: u32) -> &'s str {
        std::str::from_utf8(self.bytes_of(number)).unwrap_or_default()
    }

    fn bytes_of(&self, number: u32) -> &'s [u8] {
        let start = word_at(self.offsets, index(number));
        let end = word_at(self.offsets, index(number).saturating_add(1));
        self.bytes.get(index(start)..index(end)).unwrap_or_default()
    }
}

/// The key before the slots, and the slots.
pub(crate) fn split_key(section: &[Word]) -> ([u8; 16], &[Word]) {
    let (key, slots) = section.split_at_checked(KEY_WORDS).unwrap_or_default();
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(key.as_flattened()) {
        *place = *byte;
    }
    (bytes, slots)
}

/// Where the search for a name starts, and its fingerprint.
pub(crate) fn place(key: [u8; 16], type_index: u32, id: &[u8], slots: usize) -> (usize, u32) {
    let mut hasher = SipHasher13::new_with_key(&key);
    hasher.write(&type_index.to_le_bytes());
    hasher.write(id);
    let hash = hasher.finish();
    let (high, low) = (hash >> 32, hash & u64::from(u32::MAX));
    let slots = u64::try_from(slots).unwrap_or_default();
    let start = high.saturating_mul(slots) >> 32;
    (usize::try_from(start).unwrap_or_default(), u32::try_from(low).unwrap_or_default())
}

/// Bits of a slot that hold the number; `names` counts one more than there are names, so that the
/// largest number is never all ones and no slot looks free.
pub(crate) fn number_bits(names: usize) -> u32 {
    let largest = u32::try_from(names).unwrap_or(u32::MAX);
    32_u32.saturating_sub(largest.leading_zeros()).clamp(1, 31)
}

/// The upper bits of a fingerprint that a slot has room for.
pub(crate) const fn fingerprint_bits(fingerprint: u32, bits: u32) -> u32 {
    fingerprint >> bits
}

/// The slot of a name.
#[cfg(feature = "builder")]
pub(crate) const fn slot(number: u32, fingerprint: u32, bits: u32) -> u32 {
    fingerprint_bits(fingerprint, bits) << bits | number
}

/// A mask of the lowest bits.
pub(crate) const fn low_bits(bits: u32) -> u32 {
    !(u32::MAX << bits)
}

/// The number in a slot.
pub(crate) const fn number_in(slot: &Word, bits: u32) -> u32 {
    read(slot) & low_bits(bits)
}
