//! Verified tokens, remembered: bounded, and emptied with every change of trust.
//!
//! An entry is found by the audience and the whole token, signature included, so that nothing but
//! the very bytes that were verified is answered from it. What depends on the moment or on the
//! connection (`exp`, `nbf`, `cnf`, the age of the key set) is looked at again by the caller.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::limits;
use crate::verified_token::VerifiedToken;

#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    /// One map an audience: the issuers that it accepts follow from it.
    entries: HashMap<usize, HashMap<Arc<[u8]>, Entry>>,
    /// Oldest first.
    order: VecDeque<(usize, Arc<[u8]>)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    token: Arc<VerifiedToken>,
    verified_at: u64,
}

impl TokenCache {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The verified token, if it was verified within the last [`limits::CACHE_SECONDS`].
    pub(crate) fn find(
        &self,
        audience: usize,
        token: &[u8],
        now: u64,
    ) -> Option<Arc<VerifiedToken>> {
        let entry = self.entries.get(&audience)?.get(token)?;
        // A clock that went backwards gives no age: verify again.
        let age = now.checked_sub(entry.verified_at)?;
        (age <= limits::CACHE_SECONDS).then(|| Arc::clone(&entry.token))
    }

    pub(crate) fn remember(
        &mut self,
        audience: usize,
        token: &[u8],
        verified: Arc<VerifiedToken>,
        now: u64,
    ) {
        let entry = Entry { token: verified, verified_at: now };
        let known = self.entries.entry(audience).or_default();
        if let Some(entry_of_token) = known.get_mut(token) {
            *entry_of_token = entry;
            return;
        }
        let token: Arc<[u8]> = token.into();
        self.bytes = self.bytes.saturating_add(token.len());
        known.insert(Arc::clone(&token), entry);
        self.order.push_back((audience, token));
        while self.order.len() > limits::CACHE_ENTRIES || self.bytes > limits::CACHE_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((audience, token)) = self.order.pop_front() else {
            // INVARIANT: bytes are those of the tokens in `order`; none are left.
            self.bytes = 0;
            return;
        };
        self.bytes = self.bytes.saturating_sub(token.len());
        if let Some(known) = self.entries.get_mut(&audience) {
            known.remove(&token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(subject: &str) -> Arc<VerifiedToken> {
        Arc::new(VerifiedToken {
            issuer: String::new(),
            subject: subject.to_owned(),
            tenant: None,
            audiences: Vec::new(),
            client_id: None,
            token_id: None,
            issued_at: None,
            not_before: None,
            expires_at: 0,
            scopes: Vec::new(),
            roles: Vec::new(),
            actor: None,
            actor_history: Vec::new(),
            may_act: None,
            confirmation: None,
        })
    }

    fn found(cache: &TokenCache, audience: usize, token: &[u8], now: u64) -> Option<String> {
        cache.find(audience, token, now).map(|token| token.subject().to_owned())
    }

    #[test]
    fn an_entry_answers_its_audience_and_bytes_for_a_while() {
        let mut cache = TokenCache::default();
        cache.remember(0, b"a", verified("alice"), 1000);
        let alice = Some("alice".to_owned());
        assert_eq!(found(&cache, 0, b"a", 1000), alice);
        assert_eq!(found(&cache, 0, b"a", 1300), alice);
        assert_eq!(found(&cache, 0, b"a", 1301), None);
        assert_eq!(found(&cache, 0, b"a", 999), None);
        assert_eq!(found(&cache, 1, b"a", 1000), None);
        assert_eq!(found(&cache, 0, b"b", 1000), None);
        cache.remember(0, b"a", verified("alice"), 1301);
        assert_eq!(found(&cache, 0, b"a", 1601), alice);
        assert_eq!((cache.order.len(), cache.bytes), (1, 1));
        cache.clear();
        assert_eq!(found(&cache, 0, b"a", 1301), None);
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let mut cache = TokenCache::default();
        let name = |number: usize| number.to_be_bytes();
        (0..limits::CACHE_ENTRIES)
            .for_each(|number| cache.remember(number % 2, &name(number), verified("a"), 0));
        assert_eq!(found(&cache, 0, &name(0), 0), Some("a".to_owned()));
        cache.remember(0, b"one more", verified("a"), 0);
        assert_eq!(found(&cache, 0, &name(0), 0), None);
        assert_eq!(found(&cache, 1, &name(1), 0), Some("a".to_owned()));
        assert_eq!(cache.order.len(), limits::CACHE_ENTRIES);
        assert_eq!(cache.bytes, limits::CACHE_ENTRIES * 8);
    }

    #[test]
    fn the_oldest_of_too_long_ones_is_forgotten() {
        let mut cache = TokenCache::default();
        let long = |number: u8| vec![number; limits::CACHE_BYTES / 4];
        (0..4).for_each(|number| cache.remember(0, &long(number), verified("a"), 0));
        assert_eq!((cache.order.len(), cache.bytes), (4, limits::CACHE_BYTES));
        cache.remember(0, b"one more", verified("a"), 0);
        assert_eq!((cache.order.len(), cache.bytes), (4, limits::CACHE_BYTES / 4 * 3 + 8));
        assert_eq!(found(&cache, 0, &long(0), 0), None);
        assert_eq!(found(&cache, 0, &long(1), 0), Some("a".to_owned()));
    }
}
