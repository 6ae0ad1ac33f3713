//! The key sets of a fixture: test keys, changed where the fixture is about keys.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::mint::{KeyRing, fill_placeholders};

/// One issuer's key set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySetRecipe {
    /// The issuer.
    pub issuer: String,
    /// Its keys.
    #[serde(default)]
    pub keys: Vec<KeyRecipe>,
    /// What stands where the JWK set belongs, instead of `keys`.
    #[serde(default)]
    pub raw: Option<Value>,
    /// When the set was fetched, in seconds since the epoch; absent: it came from a file.
    #[serde(default)]
    pub fetched_at: Option<u64>,
}

/// One key of a set.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum KeyRecipe {
    /// A test key's JWK as it is.
    Name(String),
    /// A test key's JWK with changes.
    Changed(ChangedKey),
    /// Any JWK.
    Jwk(LiteralKey),
    /// Many test keys: what the limit of keys per set is tested with.
    Repeated(RepeatedKey),
}

/// A test key's JWK with changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedKey {
    /// The test key.
    pub key: String,
    /// Members that are set.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Members that are removed.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// Any JWK, written out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiteralKey {
    /// The JWK.
    pub jwk: Value,
}

/// One test key under many key ids: `KEY-1`, `KEY-2` …
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedKey {
    /// The test key.
    pub repeat: String,
    /// How many times.
    pub times: usize,
}

impl KeySetRecipe {
    /// The entry of the trust document's `key_sets`.
    ///
    /// # Errors
    /// When the recipe contradicts itself.
    pub fn build(&self, ring: &KeyRing) -> Result<Value> {
        ensure!(
            self.raw.is_none() || self.keys.is_empty(),
            "key set of {}: `raw` and `keys` exclude each other",
            self.issuer
        );
        let keys = match &self.raw {
            Some(raw) => fill_placeholders(raw, ring)?,
            None => {
                let mut keys = Vec::new();
                for key in &self.keys {
                    keys.extend(key.build(ring)?);
                }
                json!({ "keys": keys })
            }
        };
        let mut entry = json!({ "issuer": self.issuer, "keys": keys });
        if let (Some(fetched_at), Some(members)) = (self.fetched_at, entry.as_object_mut()) {
            members.insert("fetched_at".to_owned(), json!(fetched_at));
        }
        Ok(entry)
    }

    /// The test keys that the recipe uses.
    #[must_use]
    pub fn key_names(&self) -> Vec<&str> {
        let raw = self.raw.iter().flat_map(crate::mint::named_keys);
        self.keys.iter().filter_map(KeyRecipe::key_name).chain(raw).collect()
    }
}

impl KeyRecipe {
    fn key_name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Changed(changed) => Some(&changed.key),
            Self::Jwk(_) => None,
            Self::Repeated(repeated) => Some(&repeated.repeat),
        }
    }

    fn build(&self, ring: &KeyRing) -> Result<Vec<Value>> {
        match self {
            Self::Name(name) => Ok(vec![ring.key(name)?.jwk()]),
            Self::Changed(changed) => {
                let mut jwk = ring.key(&changed.key)?.jwk();
                if let Some(members) = jwk.as_object_mut() {
                    members.extend(changed.set.clone());
                    for name in &changed.remove {
                        ensure!(members.remove(name).is_some(), "`remove`: no member `{name}`");
                    }
                }
                Ok(vec![jwk])
            }
            Self::Jwk(literal) => Ok(vec![literal.jwk.clone()]),
            Self::Repeated(repeated) => (1..=repeated.times)
                .map(|number| {
                    let mut jwk = ring.key(&repeated.repeat)?.jwk();
                    if let Some(members) = jwk.as_object_mut() {
                        let id = format!("{}-{number}", repeated.repeat);
                        members.insert("kid".to_owned(), json!(id));
                    }
                    Ok(jwk)
                })
                .collect(),
        }
    }
}
