//! The section's bytes: a header of sixteen words, then nine parts without gaps.
//!
//! docs/snapshot-records.md is the specification. Everything is little-endian and read in place.

use std::ops::Range;

/// A little-endian word where it lies.
pub(super) type Word = [u8; 4];
/// object, flags, scope, expiry, handles, holders, credentials.
pub(super) type IdentityRecord = [Word; 13];
/// issuer (a name's number), name (start, length), identity.
pub(super) type HolderRecord = [Word; 4];
/// type, number within the type.
pub(super) type HandleRecord = [Word; 2];
/// workspaces, boards, actions (each first name and count), modes.
pub(super) type ScopeRecord = [Word; 7];
/// start, length in the text.
pub(super) type NameRecord = [Word; 2];
/// identity, id, flags, thumbprint, token ids, client, subject, context key, expiry, revocation.
pub(super) type CredentialRecord = [Word; 26];
/// fingerprint; number and tag of what was hashed.
pub(super) type EntryRecord = [Word; 2];

/// The version of this format.
pub(super) const VERSION: u32 = 1;
/// Words of the header.
pub(super) const HEADER_WORDS: usize = 16;
/// Words of the header that say how long the parts are.
const COUNTS: usize = 11;
/// No scope, and `*` as the count of a grant.
pub(super) const NONE: u32 = u32::MAX;
/// No moment.
pub(super) const NEVER: u64 = u64::MAX;
/// Entries of one bucket of an index: what one look-up reads at most. Source: buckets hold four on
/// average, and under a secret key more than this is beyond chance.
pub(super) const BUCKET_ENTRIES: u32 = 64;
/// The largest index: 2^28 buckets.
pub(super) const INDEX_BITS: u32 = 28;

/// Bits of an identity's flags.
pub(super) mod identity_flags {
    /// Shift and mask of the kind: agent 0, service 1, user 2.
    pub(in super::super) const KIND: (u32, u32) = (0, 3);
    /// Shift and mask of the status: active 0, retired 1, suspended 2.
    pub(in super::super) const STATUS: (u32, u32) = (2, 3);
    /// Delegations may come from signed evidence.
    pub(in super::super) const ON_INVOKE: u32 = 1 << 4;
    /// One more handle after the tenants is the one user it acts for.
    pub(in super::super) const SOLE_USER: u32 = 1 << 5;
}

/// Bits of a credential's flags: which of its fields mean something.
pub(super) mod credential_flags {
    /// The thumbprint.
    pub(in super::super) const THUMBPRINT: u32 = 1;
    /// The client.
    pub(in super::super) const CLIENT: u32 = 1 << 1;
    /// The subject.
    pub(in super::super) const SUBJECT: u32 = 1 << 2;
    /// The public key.
    pub(in super::super) const CONTEXT_KEY: u32 = 1 << 3;
}

/// Bits of a scope's modes.
pub(super) mod mode_flags {
    /// `read`
    pub(in super::super) const READ: u32 = 1;
    /// `write`
    pub(in super::super) const WRITE: u32 = 1 << 1;
    /// `admin`
    pub(in super::super) const ADMIN: u32 = 1 << 2;
    /// `*`
    pub(in super::super) const ALL: u32 = 1 << 3;
}

/// Where each part lies, in words from the start of the section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) key: [u8; 16],
    pub(super) identities: Range<usize>,
    pub(super) holders: Range<usize>,
    pub(super) handles: Range<usize>,
    pub(super) scopes: Range<usize>,
    pub(super) names: Range<usize>,
    pub(super) credentials: Range<usize>,
    pub(super) identity_buckets: Range<usize>,
    pub(super) identity_entries: Range<usize>,
    pub(super) credential_buckets: Range<usize>,
    pub(super) credential_entries: Range<usize>,
    /// In bytes: the last part, which ends with the section.
    pub(super) text: Range<usize>,
}

impl Layout {
    /// Reads the header. The parts must fill the section exactly.
    pub(super) fn read(section: &[u8]) -> Result<Self, &'static str> {
        if section.is_empty() {
            return Ok(Self::default());
        }
        let (header, _) = words(section).split_first_chunk().ok_or("are cut short")?;
        let header: &[Word; HEADER_WORDS] = header;
        let (start, counts) = header.split_at(HEADER_WORDS - COUNTS);
        let ([version, key @ ..], Some(counts)) = (start, counts.as_array::<COUNTS>()) else {
            return Err("are cut short");
        };
        let [identities, holders, handles, scopes, names, credentials, rest @ ..] = counts;
        let [identity_bits, identity_entries, credential_bits, credential_entries, text] = rest;
        if read(version) != VERSION {
            return Err("are not of format version 1");
        }
        let mut parts = Parts { at: HEADER_WORDS };
        let layout = Self {
            key: key.as_flattened().try_into().map_err(|_| "are cut short")?,
            identities: parts.next::<IdentityRecord>(read(identities))?,
            holders: parts.next::<HolderRecord>(read(holders))?,
            handles: parts.next::<HandleRecord>(read(handles))?,
            scopes: parts.next::<ScopeRecord>(read(scopes))?,
            names: parts.next::<NameRecord>(read(names))?,
            credentials: parts.next::<CredentialRecord>(read(credentials))?,
            identity_buckets: parts.next::<Word>(buckets(read(identity_bits))?)?,
            identity_entries: parts.next::<EntryRecord>(read(identity_entries))?,
            credential_buckets: parts.next::<Word>(buckets(read(credential_bits))?)?,
            credential_entries: parts.next::<EntryRecord>(read(credential_entries))?,
            text: 0..0,
        };
        let start = parts.at.checked_mul(size_of::<Word>()).ok_or("are too long")?;
        let end = start.checked_add(index(read(text))).ok_or("are too long")?;
        if end != section.len() {
            return Err("do not fill their section");
        }
        Ok(Self { text: start..end, ..layout })
    }
}

struct Parts {
    at: usize,
}

impl Parts {
    /// The range of the next part: `count` records of type `R`, in words.
    fn next<R>(&mut self, count: u32) -> Result<Range<usize>, &'static str> {
        let length = index(count).checked_mul(size_of::<R>().div_euclid(size_of::<Word>()));
        let end = length.and_then(|length| self.at.checked_add(length)).ok_or("are too long")?;
        let start = std::mem::replace(&mut self.at, end);
        Ok(start..end)
    }
}

/// Words of a bucket table: one a bucket, and the end of the last.
fn buckets(bits: u32) -> Result<u32, &'static str> {
    if bits > INDEX_BITS {
        return Err("have an index that is too large");
    }
    Ok((1_u32 << bits).saturating_add(1))
}

/// The whole words of the bytes.
pub(super) const fn words(bytes: &[u8]) -> &[Word] {
    bytes.as_chunks::<4>().0
}

/// A word's value.
pub(super) const fn read(word: &Word) -> u32 {
    u32::from_le_bytes(*word)
}

/// A moment from two words; `None` where there is none.
pub(super) const fn moment(low: &Word, high: &Word) -> Option<u64> {
    let ([a, b, c, d], [e, f, g, h]) = (*low, *high);
    match u64::from_le_bytes([a, b, c, d, e, f, g, h]) {
        NEVER => None,
        seconds => Some(seconds),
    }
}

/// A word as an index. Indices that do not fit are out of every range.
pub(super) fn index(word: u32) -> usize {
    usize::try_from(word).unwrap_or(usize::MAX)
}

/// `count` elements from `first` on.
pub(super) fn slice<T>(all: &[T], first: u32, count: u32) -> Option<&[T]> {
    let first = index(first);
    all.get(first..first.checked_add(index(count))?)
}
