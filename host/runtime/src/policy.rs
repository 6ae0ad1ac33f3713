//! The policy: what an embedder asks.

use std::sync::Arc;

use crate::answer::{JwsCheck, Validation};
use crate::description::Build;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::plugin_error::PluginError;
use crate::pool::Pool;
use crate::request::ValidateRequest;
use crate::trust::{TrustError, TrustStatus};

/// A plugin with the trust that was loaded into it, answering from any number of threads.
///
/// Clones share instances and trust. Every answer is a value: a plugin that traps, runs out of
/// time or memory, or contradicts itself denies with the reason `internal`, and a fresh instance
/// with the same trust answers the next call.
#[derive(Debug, Clone)]
pub struct Policy {
    pool: Arc<Pool>,
}

impl Policy {
    /// Makes a policy. Instances are made when they are needed.
    ///
    /// # Errors
    /// [`PluginError::Limits`] for limits under which nothing could be answered, or that exceed
    /// what [`Pooling`](crate::Pooling) reserved.
    pub fn new(plugin: Plugin, limits: Limits) -> Result<Self, PluginError> {
        plugin.check(&limits)?;
        Ok(Self { pool: Arc::new(Pool::new(plugin, limits)) })
    }

    /// What the plugin says about itself.
    #[must_use]
    pub fn describe(&self) -> &Build {
        self.pool.plugin().describe()
    }

    /// Replaces the trust document whole, for every call that begins afterwards.
    ///
    /// The document is tried in an instance of its own first. Loads take turns, and decisions go on
    /// under the old trust meanwhile.
    ///
    /// # Errors
    /// [`TrustError`] with the member's path and the reason when the plugin refuses the document,
    /// or fails on it (then the path is empty). What was loaded before stays in force.
    pub fn load_trust(&self, trust: &str) -> Result<TrustStatus, TrustError> {
        let (status, generation) = self.pool.load_trust(trust)??;
        Ok(TrustStatus::new(status, generation))
    }

    /// Validates an access token (RFC 9068, RFC 8725) for one audience, at one moment.
    ///
    /// Without a loaded trust the answer is `keys-missing`. A token that is not UTF-8 is not for
    /// this function: refuse it as `token-malformed`.
    #[must_use]
    pub fn validate(&self, token: &str, request: &ValidateRequest) -> Validation {
        self.pool
            .call(|instance| instance.validate(token, request))
            .unwrap_or_else(Validation::from)
    }

    /// Checks a compact JWS (RFC 7515) against a JWK or JWK set, given as JSON: signature layer
    /// alone, no claims. For conformance tests; it authenticates nobody.
    #[must_use]
    pub fn verify_jws(&self, keys: &str, token: &str) -> JwsCheck {
        self.pool.call(|instance| instance.verify_jws(keys, token)).unwrap_or_else(JwsCheck::from)
    }

    /// Fuel of the decision that ended last, on any thread: instructions executed, repeatable on
    /// any machine. `None` unless [`PluginOptions::fuel`](crate::PluginOptions::fuel) is set.
    #[must_use]
    pub fn fuel_used(&self) -> Option<u64> {
        self.pool.fuel_used()
    }
}

#[cfg(test)]
mod tests;
