//! Trust: a contract and the key sets of its issuers.

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::contract::{Contract, ContractFile, Issuer, read};
use crate::json::Json;
use crate::key_set::KeySet;
use crate::limits;
use crate::load_error::LoadError;
use crate::refusal::{KeysState, Refusal};
use crate::signature::{RingBackend, SignatureBackend, VerifyingKey};

/// Whom to trust, for what, with which keys. Replaced whole.
#[derive(Debug)]
pub struct Trust {
    audiences: Vec<Audience>,
    contract: Contract,
    /// One slot an issuer, in the contract's order.
    key_sets: Vec<Option<LoadedKeySet>>,
}

#[derive(Debug)]
struct Audience {
    name: String,
    issuers: Vec<usize>,
}

#[derive(Debug)]
struct LoadedKeySet {
    keys: KeySet,
    /// Seconds since the epoch; `None` for a set from a file, which does not age.
    fetched_at: Option<u64>,
}

/// The trust document as written: docs/abi.md#trust.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    contract: ContractFile,
    key_sets: Vec<KeySetFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySetFile {
    issuer: String,
    keys: serde_json::Value,
    fetched_at: Option<u64>,
}

impl Trust {
    /// Parses and checks a trust document.
    ///
    /// # Errors
    /// The first member that is wrong, in the contract or in a key set.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        Self::parse_with(text, &RingBackend)
    }

    /// [`Trust::parse`] with keys prepared by another backend.
    ///
    /// # Errors
    /// As [`Trust::parse`].
    pub fn parse_with(text: &str, backend: &dyn SignatureBackend) -> Result<Self, LoadError> {
        let file: TrustFile = read(text)?;
        let contract =
            Contract::from_file(file.contract).map_err(|error| error.under("contract"))?;
        let mut key_sets: Vec<Option<LoadedKeySet>> =
            contract.issuers().iter().map(|_| None).collect();
        for (position, file) in file.key_sets.into_iter().enumerate() {
            load_keys(&contract, &mut key_sets, &file, backend)
                .map_err(|error| error.under(&format!("key_sets[{position}]")))?;
        }
        let audience = |(name, app): (&str, &crate::contract::App)| Audience {
            name: name.to_owned(),
            issuers: app.issuers.clone(),
        };
        Ok(Self { audiences: contract.audiences().map(audience).collect(), contract, key_sets })
    }

    /// The contract.
    #[must_use]
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Replaces the key set of one issuer whole.
    pub(crate) fn load_keys(
        &mut self,
        issuer: &str,
        keys: &str,
        fetched_at: u64,
        backend: &dyn SignatureBackend,
    ) -> Result<(), LoadError> {
        let slot = slot(&self.contract, &mut self.key_sets, issuer)?;
        let json = Json::parse(keys.as_bytes(), limits::JSON_DEPTH)
            .map_err(|error| LoadError::new("keys", error.describe()))?;
        let keys = KeySet::from_json(&json, backend).map_err(|error| error.under("keys"))?;
        *slot = Some(LoadedKeySet { keys, fetched_at: Some(fetched_at) });
        Ok(())
    }

    /// The key set of one issuer is still the newest.
    pub(crate) fn confirm_keys(&mut self, issuer: &str, fetched_at: u64) -> Result<(), LoadError> {
        match slot(&self.contract, &mut self.key_sets, issuer)? {
            Some(LoadedKeySet { fetched_at: Some(before), .. }) => {
                *before = fetched_at;
                Ok(())
            }
            Some(LoadedKeySet { fetched_at: None, .. }) | None => {
                Err(LoadError::new("issuer", "has no key set that was fetched"))
            }
        }
    }

    /// Issuers of the contract without a key set.
    pub fn issuers_without_keys(&self) -> impl Iterator<Item = &str> {
        let slots = self.contract.issuers().iter().zip(&self.key_sets);
        slots.filter(|(_, keys)| keys.is_none()).map(|(issuer, _)| issuer.issuer())
    }

    /// The position of an audience; without a name, of the only one.
    pub(crate) fn audience(&self, name: Option<&str>) -> Result<usize, Refusal> {
        let position = match (name, self.audiences.as_slice()) {
            (Some(name), all) => all.iter().position(|audience| audience.name == name),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        position.ok_or_else(|| Refusal::PolicyMissing { audience: name.map(str::to_owned) })
    }

    /// What a token for this audience must meet.
    pub(crate) fn expectations(&self, audience: usize) -> Result<Expectations<'_>, Refusal> {
        let audience =
            self.audiences.get(audience).ok_or(Refusal::PolicyMissing { audience: None })?;
        Ok(Expectations { audience: &audience.name, issuers: &audience.issuers, trust: self })
    }
}

fn load_keys(
    contract: &Contract,
    key_sets: &mut [Option<LoadedKeySet>],
    file: &KeySetFile,
    backend: &dyn SignatureBackend,
) -> Result<(), LoadError> {
    let slot = slot(contract, key_sets, &file.issuer)?;
    if slot.is_some() {
        return Err(LoadError::new("issuer", "has another key set"));
    }
    // `read` has refused duplicate members in the whole document already.
    let text = file.keys.to_string();
    let json = Json::parse(text.as_bytes(), limits::JSON_DEPTH)
        .map_err(|error| LoadError::new("keys", error.describe()))?;
    let keys = KeySet::from_json(&json, backend).map_err(|error| error.under("keys"))?;
    *slot = Some(LoadedKeySet { keys, fetched_at: file.fetched_at });
    Ok(())
}

/// The place of an issuer's key set.
fn slot<'k>(
    contract: &Contract,
    key_sets: &'k mut [Option<LoadedKeySet>],
    issuer: &str,
) -> Result<&'k mut Option<LoadedKeySet>, LoadError> {
    let mut slots = contract.issuers().iter().zip(key_sets);
    let slot = slots.find(|(one, _)| one.issuer() == issuer).map(|(_, slot)| slot);
    slot.ok_or_else(|| LoadError::new("issuer", "is not an issuer of the contract"))
}

/// What a token must meet at one route. It cannot be built without audience, issuers and
/// algorithms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectations<'t> {
    audience: &'t str,
    issuers: &'t [usize],
    trust: &'t Trust,
}

impl<'t> Expectations<'t> {
    pub(crate) const fn audience(&self) -> &'t str {
        self.audience
    }

    pub(crate) const fn skew(&self) -> u64 {
        self.trust.contract.skew()
    }

    /// The configured issuer of exactly this name, among those of the audience.
    pub(crate) fn issuer(&self, name: &str) -> Option<TrustedIssuer<'t>> {
        let trust = self.trust;
        self.issuers.iter().find_map(|position| {
            let issuer = trust.contract.issuers().get(*position)?;
            let keys = trust.key_sets.get(*position)?.as_ref();
            (issuer.issuer() == name).then_some(TrustedIssuer { issuer, keys })
        })
    }
}

/// An issuer with its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrustedIssuer<'t> {
    pub(crate) issuer: &'t Issuer,
    keys: Option<&'t LoadedKeySet>,
}

impl<'t> TrustedIssuer<'t> {
    /// Requires a key set that is loaded and not stale.
    pub(crate) fn current_keys(&self, now: u64) -> Result<&'t KeySet, Refusal> {
        let keys = self.keys.ok_or_else(|| self.missing(KeysState::Absent))?;
        if keys.older_than(limits::KEY_SET_AGE_SECONDS, now) {
            return Err(self.missing(KeysState::Stale));
        }
        Ok(&keys.keys)
    }

    /// The key that may verify a token of this `kid` and algorithm.
    pub(crate) fn key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: u64,
    ) -> Result<&'t dyn VerifyingKey, Refusal> {
        let selected = self.current_keys(now)?.select(kid, algorithm);
        let behind =
            self.keys.is_some_and(|keys| keys.older_than(limits::KEY_SET_REFRESH_SECONDS, now));
        match selected {
            // The key may have been published since: say so until a newer set has been looked at.
            Err(Refusal::KeyUnknown { .. }) if behind => Err(self.missing(KeysState::Behind)),
            selected => selected,
        }
    }

    fn missing(&self, state: KeysState) -> Refusal {
        Refusal::KeysMissing { issuer: self.issuer.issuer().to_owned(), state }
    }
}

impl LoadedKeySet {
    fn older_than(&self, seconds: u64, now: u64) -> bool {
        self.fetched_at.is_some_and(|fetched_at| now.saturating_sub(fetched_at) > seconds)
    }
}
