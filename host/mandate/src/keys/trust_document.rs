//! The trust document: the contract, and each issuer's keys with their age.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::keys::client::{Client, ClientOptions};
use crate::keys::fetch_error::FetchError;
use crate::keys::key_source::{KeyOrigin, KeySource, Refresh};

/// The key sources of every issuer of one contract.
#[derive(Clone, Debug)]
pub struct KeySources {
    client: Client,
    sources: Vec<KeySource>,
}

impl KeySources {
    /// Takes issuers and `jwks_uri` from a contract. Nothing is fetched yet.
    ///
    /// `files` gives key sets as (issuer, file); an issuer that the contract does not list is
    /// returned as an error: a key file nobody uses is a mistake in the command line.
    ///
    /// # Errors
    /// [`SourceError`] names the issuer or the file.
    pub fn new(
        contract: &Value,
        files: &[(String, PathBuf)],
        options: &ClientOptions,
    ) -> Result<Self, SourceError> {
        let issuers = contract.get("issuers").and_then(Value::as_array);
        let sources: Vec<KeySource> = issuers
            .into_iter()
            .flatten()
            .filter_map(|entry| contract_source(entry, files))
            .collect();
        for (issuer, _) in files {
            if !sources.iter().any(|source| source.issuer() == issuer) {
                return Err(SourceError::UnknownIssuer(issuer.clone()));
            }
        }
        let client = Client::new(options).map_err(SourceError::Client)?;
        Ok(Self { client, sources })
    }

    /// The trust document with the key sets that are in force; fetches nothing.
    #[must_use]
    pub fn document(&self, contract: &Value) -> Value {
        let key_sets: Vec<Value> = self.sources.iter().filter_map(key_set).collect();
        json!({ "contract": contract, "key_sets": key_sets })
    }
}

/// Why key sources cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// The certificate file cannot be used.
    Client(FetchError),
    /// A key file was given for an issuer that the contract does not list.
    UnknownIssuer(String),
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(error) => error.fmt(formatter),
            Self::UnknownIssuer(issuer) => write!(
                formatter,
                "keys were given for {}, which is no issuer of the contract",
                crate::keys::quoted::quoted(issuer)
            ),
        }
    }
}

impl std::error::Error for SourceError {}

/// A trust document, and what could not be fetched for it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustDocument {
    /// What `load-trust` takes. An issuer whose keys are not to be had is left out of `key_sets`:
    /// its tokens are `keys-missing`, those of the other issuers are not touched.
    pub trust: Value,
    /// The failures of this call, by issuer.
    pub failures: Vec<(String, FetchError)>,
}

/// Builds the trust document, fetching every key set that is missing or older than five minutes.
///
/// `now` is seconds since the epoch.
pub fn trust_document(contract: &Value, sources: &mut KeySources, now: u64) -> TrustDocument {
    let client = sources.client.clone();
    let mut failures = Vec::new();
    for source in &mut sources.sources {
        if let Some(Refresh::Failed(error)) = source.refresh_if_due(&client, now) {
            failures.push((source.issuer().to_owned(), error));
        }
    }
    TrustDocument { trust: sources.document(contract), failures }
}

/// Follows `Validation.refresh`: fetches that issuer's keys once, at most every 30 seconds.
///
/// After [`Refresh::Fetched`] load [`KeySources::document`] and validate the token once more; after
/// anything else the first answer stands. `None` is an issuer that the contract does not list.
pub fn refresh(sources: &mut KeySources, issuer: &str, now: u64) -> Option<Refresh> {
    let client = sources.client.clone();
    let source = sources.sources.iter_mut().find(|source| source.issuer() == issuer)?;
    Some(source.refresh(&client, now))
}

fn contract_source(entry: &Value, files: &[(String, PathBuf)]) -> Option<KeySource> {
    let issuer = entry.get("issuer")?.as_str()?;
    let file = files.iter().find(|(name, _)| name == issuer).map(|(_, file)| file);
    let origin = match (file, entry.get("jwks_uri").and_then(Value::as_str)) {
        (Some(file), _) => KeyOrigin::File(file.clone()),
        (None, Some(url)) => KeyOrigin::Url(url.to_owned()),
        (None, None) => KeyOrigin::Discovery,
    };
    Some(KeySource::new(issuer, origin))
}

fn key_set(source: &KeySource) -> Option<Value> {
    let current = source.current()?;
    let mut key_set = Map::new();
    key_set.insert("issuer".to_owned(), json!(source.issuer()));
    key_set.insert("keys".to_owned(), current.keys.clone());
    if let Some(at) = current.fetched_at {
        key_set.insert("fetched_at".to_owned(), json!(at));
    }
    Some(Value::Object(key_set))
}
