//! Answers to loading a trust document.

use std::fmt;

use serde::Serialize;

use crate::bindings::{authn, types};
use crate::failure::Failure;

/// What is now in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrustStatus {
    /// Number of the load in this policy, from 1, over all its instances.
    pub generation: u64,
    /// The contract's version, `major.minor.patch`.
    pub contract_version: String,
    /// Issuers without a key set: their tokens are `keys-missing`.
    pub issuers_without_keys: Vec<String>,
    /// Room for growth: names that the embedder does not know are to be ignored.
    #[serde(skip)]
    pub extra: Vec<(String, String)>,
}

impl TrustStatus {
    /// The plugin's answer, numbered by the host: an instance can only count its own loads.
    pub(crate) fn new(status: authn::TrustStatus, generation: u64) -> Self {
        Self {
            generation,
            contract_version: status.contract_version,
            issuers_without_keys: status.issuers_without_keys,
            extra: status.extra,
        }
    }
}

/// The trust document was not loaded. What was loaded before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrustError {
    /// The member that is wrong, as a path: `contract.issuers[0].algorithms`. Empty for the
    /// document as a whole.
    pub path: String,
    /// What is wrong, for an operator: one line.
    pub message: String,
}

impl fmt::Display for TrustError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "trust" } else { &self.path };
        write!(formatter, "{path}: {}", self.message)
    }
}

impl std::error::Error for TrustError {}

impl From<types::LoadError> for TrustError {
    fn from(error: types::LoadError) -> Self {
        Self { path: error.path, message: error.message }
    }
}

impl From<Failure> for TrustError {
    fn from(failure: Failure) -> Self {
        Self { path: String::new(), message: failure.to_string() }
    }
}
