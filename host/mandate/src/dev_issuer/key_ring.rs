//! The issuer's keys over time: one current key for each algorithm, and retired ones that stay
//! published until tokens they signed have expired.

use serde_json::{Value, json};

use crate::dev_issuer::signing_key::{KeyError, SigningAlgorithm, SigningKey};

/// Current and retired keys.
#[derive(Debug)]
pub(super) struct KeyRing {
    current: Vec<SigningKey>,
    retired: Vec<Retired>,
}

#[derive(Debug)]
struct Retired {
    key: SigningKey,
    /// Seconds since the epoch; from then on the key is no longer published.
    until: u64,
}

impl KeyRing {
    pub(super) fn generate() -> Result<Self, KeyError> {
        Ok(Self { current: generate_all()?, retired: Vec::new() })
    }

    /// Puts new keys in place. The old ones stay published for `overlap` seconds; with 0 they are
    /// gone at once, as after a leak.
    pub(super) fn rotate(&mut self, fresh: Vec<SigningKey>, overlap: u64, now: u64) {
        let until = now.saturating_add(overlap);
        let old = std::mem::replace(&mut self.current, fresh);
        if overlap == 0 {
            self.retired.clear();
            return;
        }
        self.retired.retain(|retired| retired.until > now);
        self.retired.extend(old.into_iter().map(|key| Retired { key, until }));
    }

    /// The key that signs now.
    pub(super) fn signing(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        self.current.iter().find(|key| key.algorithm() == algorithm)
    }

    /// The published key with this id.
    pub(super) fn published(&self, id: &str, now: u64) -> Option<&SigningKey> {
        self.all(now).find(|key| key.id() == id)
    }

    /// The JWK set (RFC 7517 section 5).
    pub(super) fn jwks(&self, now: u64) -> Value {
        json!({ "keys": self.all(now).map(SigningKey::jwk).collect::<Vec<_>>() })
    }

    fn all(&self, now: u64) -> impl Iterator<Item = &SigningKey> {
        let retired = self.retired.iter().filter(move |retired| retired.until > now);
        self.current.iter().chain(retired.map(|retired| &retired.key))
    }
}

/// One new key for each algorithm. Slow (RSA): call it outside the lock.
pub(super) fn generate_all() -> Result<Vec<SigningKey>, KeyError> {
    SigningAlgorithm::ALL.into_iter().map(SigningKey::generate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ring: &KeyRing, now: u64) -> Vec<String> {
        ring.all(now).map(|key| key.id().to_owned()).collect()
    }

    fn fresh() -> Vec<SigningKey> {
        vec![SigningKey::generate(SigningAlgorithm::EdDsa).unwrap()]
    }

    #[test]
    fn a_retired_key_is_published_until_the_overlap_ends() {
        let mut ring = KeyRing { current: fresh(), retired: Vec::new() };
        let old = ids(&ring, 0);
        ring.rotate(fresh(), 60, 1_000);
        let new = ring.signing(SigningAlgorithm::EdDsa).unwrap().id().to_owned();
        assert_eq!(ids(&ring, 1_059), [new.clone(), old[0].clone()]);
        assert_eq!(ids(&ring, 1_060), [new]);
    }

    #[test]
    fn without_overlap_every_old_key_is_gone_at_once() {
        let mut ring = KeyRing { current: fresh(), retired: Vec::new() };
        ring.rotate(fresh(), 60, 1_000);
        ring.rotate(fresh(), 0, 1_001);
        let new = ring.signing(SigningAlgorithm::EdDsa).unwrap().id().to_owned();
        assert_eq!(ids(&ring, 1_001), [new]);
    }
}
