//! The policy: what an embedder asks.

use std::sync::Arc;

use crate::answer::{JwsCheck, Validation};
use crate::authorization::{Assertion, AuthorizeRequest, Decision, Step};
use crate::description::Build;
use crate::gate::{Answer, Emission, Head, ListReply, Request, StreamPiece};
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

    /// OpenFGA's Check on the relationships in force: whether it holds, and, where the query asks
    /// for the path, by which of them. It authorizes nobody.
    ///
    /// # Errors
    /// [`QueryError`] with OpenFGA's code.
    pub fn relation_holds(&self, query: &RelationQuery) -> Result<Option<Vec<Step>>, QueryError> {
        let answer = self.pool.call(|instance| instance.relation_holds(query))??;
        Ok(answer.holds.then(|| answer.path.into_iter().map(Step::from).collect()))
    }

    /// OpenFGA's ListObjects: ids of objects of the type, in order. It authorizes nobody.
    ///
    /// # Errors
    /// [`QueryError`] with OpenFGA's code.
    pub fn list_objects(&self, query: &RelationQuery) -> Result<Vec<String>, QueryError> {
        Ok(self.pool.call(|instance| instance.list_objects(query))??)
    }

    /// Gives the secret that seals the ids of MCP sessions, at least 32 bytes: from the deployment,
    /// never from the contract. Without one there are no sessions.
    ///
    /// # Errors
    /// [`TrustError`] that it is too short; then what was given before stays in force.
    pub fn configure_sealing(&self, secret: &[u8]) -> Result<(), TrustError> {
        Ok(self.pool.configure_sealing(secret)??)
    }

    /// How much of a body has to be read before [`Policy::decide`], in bytes; a longer one may be
    /// cut off after one byte more. `None`: none of it, it may stream. A plugin that fails asks for
    /// none, and then a request that needs one is denied.
    #[must_use]
    pub fn body_limit(&self, head: &Head) -> Option<u32> {
        self.pool.call(|instance| instance.body_limit(head)).unwrap_or_default()
    }

    /// Decides a request at the gate, at `now` seconds since the epoch.
    ///
    /// # Example
    /// ```no_run
    /// # fn handle(policy: &mandate_host::Policy, request: mandate_host::gate::Request, now: u64) {
    /// use mandate_host::gate::{Emission, Verdict};
    ///
    /// let (decision_id, source) = ("gate-1:7c1f:42".to_owned(), "gate-1".to_owned());
    /// let answer = policy.decide(&request, &Emission { decision_id, source, sequence: 42 }, now);
    /// match answer.verdict {
    ///     Verdict::Reply(reply) => println!("{} {}", reply.status, reply.body),
    ///     Verdict::Pass(pass) => println!("upstream, with {:?}", pass.set),
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn decide(&self, request: &Request, emission: &Emission, now: u64) -> Answer {
        self.pool
            .call(|instance| instance.decide(request, emission, now))
            .unwrap_or_else(|failure| Answer::failed(&failure, emission, now))
            .with_refused(self.pool.refusal().as_ref())
    }

    /// Filters the answer to a request for a list, by the ticket of that request. Where the plugin
    /// fails, the body is a JSON-RPC error.
    #[must_use]
    pub fn filter_list(
        &self,
        ticket: &str,
        content_type: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> ListReply {
        self.pool
            .call(|instance| instance.filter_list(ticket, content_type, body, now))
            .unwrap_or_else(ListReply::from)
    }

    /// Says what of the next bytes of a stream may go on. `held` is what the last call left, empty
    /// at first; `last` is where the stream ends. [`EventStream`](crate::gate::EventStream) asks it
    /// for whole events.
    ///
    /// # Errors
    /// For the operator: nothing more may go on, and the stream has to be ended.
    pub fn filter_stream(
        &self,
        ticket: &str,
        held: &[u8],
        chunk: &[u8],
        last: bool,
        now: u64,
    ) -> Result<StreamPiece, String> {
        self.pool
            .call(|instance| instance.filter_stream(ticket, held, chunk, last, now))
            .unwrap_or_else(|failure| Err(failure.to_string()))
    }

    /// What goes to the client in place of the session id that the server gave; `None` where the
    /// response has to be replaced by a 502.
    #[must_use]
    pub fn seal_session(&self, scope: &str, id: &[u8]) -> Option<String> {
        self.pool.call(|instance| instance.seal_session(scope, id)).unwrap_or_default()
    }

    /// Fuel of the decision that ended last, on any thread: instructions executed, repeatable on
    /// any machine. `None` unless [`PluginOptions::fuel`](crate::PluginOptions::fuel) is set.
    #[must_use]
    pub fn fuel_used(&self) -> Option<u64> {
        self.pool.fuel_used()
    }
}

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod tests;
