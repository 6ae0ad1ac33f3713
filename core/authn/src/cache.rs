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
