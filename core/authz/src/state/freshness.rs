//! Whether what is in force may answer now.

use super::{State, StateRefusal};
use crate::container::Position;
use crate::limits;
use crate::snapshot::Snapshot;

/// What a question demands of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds since the epoch.
    pub now: u64,
    /// Seconds that may have passed since the newest signed issued-at.
    pub max_age: u64,
    /// Seconds that the signer's clock may be ahead of the host's.
    pub skew: u64,
    /// What the caller has seen happen and wants to be included.
    pub minimum: Option<Position>,
    /// The contract by which it is read; a check of relationships is made by none.
    pub contract: Option<[u32; 3]>,
}

impl Freshness {
    /// What is demanded where the contract says nothing else: 120 s, and the skew of tokens.
    #[must_use]
    pub const fn at(now: u64) -> Self {
        let max_age = limits::STATE_AGE_SECONDS;
        let skew = mandate_authn::limits::SKEW_SECONDS;
        Self { now, max_age, skew, minimum: None, contract: None }
    }
}

impl State {
    /// The snapshot that a decision may rest on: line 1 of the rule.
    ///
    /// # Errors
    /// [`StateRefusal::Missing`], or why the last load failed, while nothing is in force;
    /// [`StateRefusal::Raw`]; [`StateRefusal::Future`] or [`StateRefusal::Stale`] when its age is
    /// out of range; [`StateRefusal::Behind`] when the caller has seen more; [`StateRefusal::Skew`]
    /// when it was made under a contract that the reader's has no place for.
    pub fn fresh(&self, freshness: &Freshness) -> Result<&Snapshot, StateRefusal> {
        match self.meta() {
            Some(meta) if meta.raw => Err(StateRefusal::Raw),
            _ => self.fresh_or_raw(freshness),
        }
    }

    /// The snapshot that `relation-holds` and `list-objects` may read: raw ones too.
    ///
    /// # Errors
    /// As [`State::fresh`], without [`StateRefusal::Raw`].
    pub fn fresh_or_raw(&self, freshness: &Freshness) -> Result<&Snapshot, StateRefusal> {
        let Some(current) = &self.current else {
            return Err(self.refused.clone().unwrap_or(StateRefusal::Missing));
        };
        let Freshness { now, max_age, skew, minimum, contract } = *freshness;
        let issued_at = current.meta.issued_at;
        if issued_at.saturating_sub(now) > skew {
            return Err(StateRefusal::Future { issued_at, now });
        }
        if now.saturating_sub(issued_at) > max_age {
            return Err(StateRefusal::Stale { issued_at, now, max_age });
        }
        let snapshot = current.meta.contract_version;
        if let Some(contract) = contract.filter(|contract| !reads(*contract, snapshot)) {
            return Err(StateRefusal::Skew { snapshot, contract });
        }
        let position = current.meta.position;
        match minimum {
            Some(minimum) if minimum > position => Err(StateRefusal::Behind { minimum, position }),
            _ => Ok(&current.snapshot),
        }
    }
}

/// Whether what was made under one contract means the same under another: of the same major version,
/// and of no later minor one (contract/CONTRACT.md#versions).
const fn reads(contract: [u32; 3], snapshot: [u32; 3]) -> bool {
    let ([major, minor, _], [made_major, made_minor, _]) = (contract, snapshot);
    major == made_major && minor >= made_minor
}
