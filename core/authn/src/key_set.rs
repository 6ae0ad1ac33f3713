//! A JWK set, parsed once into prepared keys: RFC 7517 section 5.

use std::collections::BTreeSet;

use crate::algorithm::Algorithm;
use crate::json::{Json, Object};
use crate::key::{KeyUnfit, PublicKey};
use crate::limits;
use crate::load_error::LoadError;
use crate::refusal::Refusal;
use crate::signature::{RingBackend, SignatureBackend, VerifyingKey};

/// The keys of one issuer.
///
/// A key that may not verify (for encryption, of an unknown type, too short) stays in the set as
/// such: a token that names it is `token-key-unfit`, not `token-key-unknown`.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    kid: Option<String>,
    /// The JWK's `alg`, whatever it says.
    algorithm: Option<String>,
    key: Result<Prepared, KeyUnfit>,
}

#[derive(Debug)]
struct Prepared {
    public: PublicKey,
    verifying: Box<dyn VerifyingKey>,
}

impl KeySet {
    /// Parses a JWK set as an issuer publishes it.
    ///
    /// # Errors
    /// Anything that is no JSON object with 1 to 64 `keys`, and any two keys of the same `kid` and
    /// `alg`: then the fetch has failed, and an older set stays.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let json = Json::parse(text.as_bytes(), limits::JSON_DEPTH)
            .map_err(|error| LoadError::new("", error.describe()))?;
        Self::from_json(&json, &RingBackend)
    }

    pub(crate) fn from_json(
        json: &Json,
        backend: &dyn SignatureBackend,
    ) -> Result<Self, LoadError> {
        let keys = json.as_object().and_then(|set| set.get("keys")).and_then(Json::as_array);
        let keys = keys
            .ok_or_else(|| LoadError::new("keys", "not a JWK set: an array `keys` is required"))?;
        if keys.is_empty() {
            return Err(LoadError::new("keys", "the set is empty"));
        }
        if keys.len() > limits::KEYS_PER_SET {
            return Err(LoadError::new("keys", format!("more than {} keys", limits::KEYS_PER_SET)));
        }
        let mut seen = BTreeSet::new();
        let mut entries = Vec::with_capacity(keys.len());
        for (position, key) in keys.iter().enumerate() {
            let at = format!("keys[{position}]");
            let key = key.as_object().ok_or_else(|| LoadError::new(&at, "not an object"))?;
            let entry =
                Entry::from_jwk(key, backend).map_err(|message| LoadError::new(&at, message))?;
            // Without a kid nothing names the key: such keys do not collide, they compete.
            if entry.kid.is_some() && !seen.insert((entry.kid.clone(), entry.algorithm.clone())) {
                return Err(LoadError::new(&at, "another key has the same `kid` and `alg`"));
            }
            entries.push(entry);
        }
        Ok(Self { keys: entries })
    }

    /// A set of the one key that a JWK states.
    pub(crate) fn from_single(
        jwk: &Object,
        backend: &dyn SignatureBackend,
    ) -> Result<Self, LoadError> {
        let entry = Entry::from_jwk(jwk, backend).map_err(|message| LoadError::new("", message))?;
        Ok(Self { keys: vec![entry] })
    }

    /// The one key that this token names and that may verify it.
    pub(crate) fn select(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&dyn VerifyingKey, Refusal> {
        let unknown = || Refusal::KeyUnknown { kid: kid.map(str::to_owned) };
        let named: Vec<&Entry> = match kid {
            Some(kid) => {
                self.keys.iter().filter(|entry| entry.kid.as_deref() == Some(kid)).collect()
            }
            None => self.keys.iter().filter(|entry| entry.fit(algorithm).is_ok()).collect(),
        };
        let fitting: Vec<&dyn VerifyingKey> =
            named.iter().filter_map(|entry| entry.fit(algorithm).ok()).collect();
        match (named.as_slice(), fitting.as_slice()) {
            ([], _) => Err(unknown()),
            (_, [key]) => Ok(*key),
            (_, []) => Err(Refusal::KeyUnfit(first_unfit(&named, algorithm))),
            _ if kid.is_some() => Err(Refusal::KeyUnfit(KeyUnfit::Ambiguous)),
            _ => Err(unknown()),
        }
    }
}

fn first_unfit(entries: &[&Entry], algorithm: Algorithm) -> KeyUnfit {
    entries.iter().find_map(|entry| entry.fit(algorithm).err()).unwrap_or(KeyUnfit::Algorithm)
}

impl Entry {
    fn from_jwk(jwk: &Object, backend: &dyn SignatureBackend) -> Result<Self, &'static str> {
        let key = PublicKey::from_jwk(jwk)
            .and_then(|public| Ok(Prepared { verifying: backend.prepare(&public)?, public }));
        let text = |name: &str, problem| match jwk.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(problem),
        };
        Ok(Self {
            kid: text("kid", "`kid` is not a string")?,
            algorithm: text("alg", "`alg` is not a string")?,
            key,
        })
    }

    /// The key, if it may verify a token of this algorithm.
    fn fit(&self, algorithm: Algorithm) -> Result<&dyn VerifyingKey, KeyUnfit> {
        let key = self.key.as_ref().map_err(|unfit| *unfit)?;
        let stated = self.algorithm.as_deref().is_none_or(|stated| stated == algorithm.as_str());
        if stated && key.public.fits(algorithm) {
            Ok(&*key.verifying)
        } else {
            Err(KeyUnfit::Algorithm)
        }
    }
}
