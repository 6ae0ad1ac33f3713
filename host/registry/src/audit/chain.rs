//! The hash of a record: docs/audit.md#chain.

use ring::digest::{Context, SHA256};

use super::event::EventKind;

/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = 32;

/// A hash of the chain. Before the first record stand zeros.
pub(super) type Hash = [u8; HASH_BYTES];

/// What is hashed begins with its name: no other hash or signature of Mandate does so.
const DOMAIN: &[u8] = b"mandate audit record 1\n";

/// The hash of the record with this number, after the one with that hash. Every text is preceded by
/// its length, so that no two chains are spelled alike.
pub(super) fn hash(
    previous: &Hash,
    tenant: &str,
    sequence: u64,
    kind: EventKind,
    record: &str,
) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    context.update(previous);
    context.update(&sequence.to_be_bytes());
    for text in [tenant, kind.as_str(), record] {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        context.update(&length.to_be_bytes());
        context.update(text.as_bytes());
    }
    // INVARIANT: SHA-256 has 32 bytes, so the default is never taken.
    context.finish().as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mandate_authn::base64url;

    use super::*;

    #[test]
    fn the_hash_is_the_one_that_the_documentation_shows() {
        let first = hash(&[0; 32], "acme", 1, EventKind::Decision, r#"{"a":1}"#);
        // docs/audit.md#chain: computed there by ten lines of Python.
        assert_eq!(base64url::encode(&first), "SrF73YRT5hwzfx74bS0I_8cHi-wqGW7rhDp2dZky_Lg");
    }

    #[test]
    fn each_part_is_in_the_hash() {
        let hashes = [
            hash(&[0; 32], "acme", 1, EventKind::Decision, "{}"),
            hash(&[1; 32], "acme", 1, EventKind::Decision, "{}"),
            hash(&[0; 32], "acm", 1, EventKind::Decision, "{}"),
            hash(&[0; 32], "acme", 2, EventKind::Decision, "{}"),
            hash(&[0; 32], "acme", 1, EventKind::Change, "{}"),
            hash(&[0; 32], "acme", 1, EventKind::Decision, "{ }"),
        ];
        for (at, one) in hashes.iter().enumerate() {
            assert!(hashes[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
