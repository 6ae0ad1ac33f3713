//! What look-ups hash: a tag, and the exact bytes of what is looked up.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::snapshot::Object;

/// What may be looked up. Equal bytes under two tags are two keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'k> {
    /// An identity's object.
    Object(Object),
    /// An issuer's subject.
    Subject { issuer: &'k str, name: &'k str },
    /// An issuer's client.
    Client { issuer: &'k str, name: &'k str },
    /// A credential's public id.
    Credential(&'k str),
    /// The SHA-256 of a client certificate.
    Thumbprint(&'k [u8; 32]),
}

impl Key<'_> {
    /// The tag: the first byte that is hashed, and the lowest two bits of an entry.
    pub(super) const fn tag(&self) -> u8 {
        match self {
            Self::Object(_) | Self::Credential(_) => 0,
            Self::Subject { .. } | Self::Thumbprint(_) => 1,
            Self::Client { .. } => 2,
        }
    }

    /// SipHash-1-3 over the tag and the key's bytes. An issuer's length stands before it, so that
    /// no part of an issuer can pass for a part of a name.
    pub(super) fn hash(&self, key: [u8; 16]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&key);
        hasher.write(&[self.tag()]);
        match self {
            Self::Object(object) => {
                object.to_words().iter().for_each(|word| hasher.write(&word.to_le_bytes()));
            }
            Self::Subject { issuer, name } | Self::Client { issuer, name } => {
                let length = u32::try_from(issuer.len()).unwrap_or(u32::MAX);
                hasher.write(&length.to_le_bytes());
                hasher.write(issuer.as_bytes());
                hasher.write(name.as_bytes());
            }
            Self::Credential(id) => hasher.write(id.as_bytes()),
            Self::Thumbprint(thumbprint) => hasher.write(thumbprint.as_slice()),
        }
        hasher.finish()
    }
}

/// The bucket of a hash: its highest bits.
pub(super) fn bucket(hash: u64, bits: u32) -> usize {
    let bucket = hash.checked_shr(64_u32.saturating_sub(bits)).unwrap_or_default();
    usize::try_from(bucket).unwrap_or_default()
}

/// The fingerprint of a hash: its lowest 32 bits.
pub(super) fn fingerprint(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `contract/peers/snapshot_reader`, a second implementation of SipHash-1-3.
    #[test]
    fn buckets_and_fingerprints_are_those_of_another_implementation() {
        let [issuer, name] = ["https://login.example", "anne"];
        let keys = [
            Key::Credential("cred-1"),
            Key::Subject { issuer, name },
            Key::Client { issuer, name },
        ];
        let secret = std::array::from_fn(|at| u8::try_from(at).unwrap_or_default());
        let places =
            keys.map(|key| key.hash(secret)).map(|hash| (bucket(hash, 5), fingerprint(hash)));
        assert_eq!(places, [(20, 0x3e58_58c5), (13, 0x1d8b_b7a2), (31, 0x6db4_4a63)]);
    }
}
