//! Verified tokens, remembered: bounded, and emptied with every change of trust.
//!
//! An entry is found by the audience and the end of the token, which is its signature's, and answers
//! for the very bytes that were verified and no others. What depends on the moment or on the connection
//! (`exp`, `nbf`, `cnf`, the age of the key set) is looked at again by the caller.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::limits;
use crate::verified_token::VerifiedToken;

#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    entries: HashMap<Place, Entry>,
    /// Oldest first.
    order: VecDeque<Place>,
    bytes: usize,
}

/// The audience, from which the issuers that it accepts follow, and the end of a token: a thousand
/// bytes need not be hashed to find it. Two tokens of one end take turns.
type Place = (usize, [u8; 32]);

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
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
        let entry = self.entries.get(&place(audience, token))?;
        (*entry.text == *token).then_some(())?;
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
        let place = place(audience, token);
        let entry = Entry { text: token.into(), token: verified, verified_at: now };
        self.bytes = self.bytes.saturating_add(token.len());
        match self.entries.insert(place, entry) {
            Some(before) => self.bytes = self.bytes.saturating_sub(before.text.len()),
            None => self.order.push_back(place),
        }
        while self.order.len() > limits::CACHE_ENTRIES || self.bytes > limits::CACHE_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.order.pop_front().and_then(|place| self.entries.remove(&place));
        // INVARIANT: bytes are those of the tokens in `order`; where there is none, none are left.
        self.bytes = oldest.map_or(0, |entry| self.bytes.saturating_sub(entry.text.len()));
    }
}

fn place(audience: usize, token: &[u8]) -> Place {
    let mut end = [0; 32];
    for (to, from) in end.iter_mut().zip(token.iter().rev()) {
        *to = *from;
    }
    (audience, end)
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
    fn tokens_of_one_end_are_not_taken_for_each_other() {
        let mut cache = TokenCache::default();
        let token = |first: &str| format!("{first}.{}", "s".repeat(40)).into_bytes();
        let (one, other) = (token("one"), token("other"));
        cache.remember(0, &one, verified("alice"), 1000);
        assert_eq!(found(&cache, 0, &other, 1000), None);
        cache.remember(0, &other, verified("bob"), 1000);
        assert_eq!(found(&cache, 0, &one, 1000), None);
        assert_eq!(found(&cache, 0, &other, 1000), Some("bob".to_owned()));
        assert_eq!((cache.order.len(), cache.bytes), (1, other.len()));
        // Nor is one whose end is that of a longer one, nor one that only seems to end with zeros.
        cache.remember(0, b"a", verified("carol"), 1000);
        assert_eq!(found(&cache, 0, b"\0a", 1000), None);
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
