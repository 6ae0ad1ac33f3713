//! The policy: what an embedder asks.

use std::sync::Arc;

use crate::answer::{JwsCheck, Validation};
use crate::authorization::{Assertion, AuthorizeRequest, Decision, Step};
use crate::description::Build;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::plugin_error::PluginError;
use crate::pool::Pool;
use crate::relation::{QueryError, RelationQuery};
use crate::request::ValidateRequest;
use crate::state::{StateError, StateStatus};
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

    /// Says whose state is taken, and signed by whom: a JSON document with `deployment`, `slice`,
    /// one or two `keys` and perhaps the `floor` that was kept over a restart
    /// (docs/snapshot-container.md#configuration). What was loaded before is dropped.
    ///
    /// # Errors
    /// [`TrustError`] with the member's path and the reason; then everything stays as it was.
    pub fn configure_state(&self, config: &str) -> Result<(), TrustError> {
        Ok(self.pool.configure_state(config)??)
    }

    /// Loads a signed snapshot, for every call that begins afterwards. It is tried in an instance
    /// of its own first; decisions go on under the old state meanwhile.
    ///
    /// # Errors
    /// [`StateError`] with the reason; then what was loaded before stays in force.
    pub fn load_state(&self, container: &[u8]) -> Result<StateStatus, StateError> {
        self.pool.load_state(container)
    }

    /// Applies a signed delta or heartbeat, for every call that begins afterwards.
    ///
    /// # Errors
    /// [`StateError`] with the reason; then what was loaded before stays in force.
    pub fn apply_delta(&self, container: &[u8]) -> Result<StateStatus, StateError> {
        self.pool.apply_delta(container)
    }

    /// What is in force. A host with a disk keeps its position, and gives it back as the `floor`.
    #[must_use]
    pub fn state(&self) -> Option<StateStatus> {
        self.pool.state()
    }

    /// Decides a request that came with a token. `contexts` are its `Mandate-Agent-Context`
    /// headers, `now` is in seconds since the epoch.
    #[must_use]
    pub fn authorize(
        &self,
        token: &str,
        contexts: &[String],
        request: &AuthorizeRequest,
        now: u64,
    ) -> Decision {
        self.pool
            .call(|instance| instance.authorize(token, contexts, request, now))
            .unwrap_or_else(Decision::from)
            .with_refused(self.pool.refusal().as_ref())
    }

    /// Decides several requests of one token at one moment, in their order.
    #[must_use]
    pub fn authorize_many(
        &self,
        token: &str,
        contexts: &[String],
        requests: &[AuthorizeRequest],
        now: u64,
    ) -> Vec<Decision> {
        let decisions = self
            .pool
            .call(|instance| instance.authorize_many(token, contexts, requests, now))
            .unwrap_or_else(|failure| {
                requests.iter().map(|_| Decision::from(failure.clone())).collect()
            });
        let refused = self.pool.refusal();
        decisions.into_iter().map(|decision| decision.with_refused(refused.as_ref())).collect()
    }

    /// Decides a request whose caller has authenticated somebody itself. It guards nothing: whoever
    /// calls it vouches for the names.
    #[must_use]
    pub fn decide_for(
        &self,
        assertion: &Assertion,
        request: &AuthorizeRequest,
        now: u64,
    ) -> Decision {
        self.pool
            .call(|instance| instance.decide_for(assertion, request, now))
            .unwrap_or_else(Decision::from)
            .with_refused(self.pool.refusal().as_ref())
    }

    /// OpenFGA's Check on the relationships in force: whether it holds, and by which of them. It
    /// authorizes nobody.
    ///
    /// # Errors
    /// [`QueryError`] with OpenFGA's code.
    pub fn relation_holds(&self, query: &RelationQuery) -> Result<Option<Vec<Step>>, QueryError> {
        let query = query.into();
        let answer = self.pool.call(|instance| instance.relation_holds(&query))??;
        Ok(answer.holds.then(|| answer.path.into_iter().map(Step::from).collect()))
    }

    /// OpenFGA's ListObjects: ids of objects of the type, in order. It authorizes nobody.
    ///
    /// # Errors
    /// [`QueryError`] with OpenFGA's code.
    pub fn list_objects(&self, query: &RelationQuery) -> Result<Vec<String>, QueryError> {
        let query = query.into();
        Ok(self.pool.call(|instance| instance.list_objects(&query))??)
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
