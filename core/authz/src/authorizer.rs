//! What one plugin instance holds, and the way of a request through it: token, then decision.

use std::sync::Arc;

use mandate_authn::{
    LoadError, Refusal, Request as TokenRequest, TrustStatus, Validator, VerifiedToken,
};

use crate::authorize::{self, Assertion, Evidence, Explanation, Request};
use crate::decision::Decision;
use crate::policy::Policy;
use crate::state::{State, StateConfig};

/// Trust, policy and state: everything that decides, each replaced whole.
///
/// # Example
/// ```
/// use mandate_authz::authorize::Request;
/// use mandate_authz::authorizer::{Authorizer, Caller};
///
/// let mut authorizer = Authorizer::new();
/// let caller = Caller { token: b"a.b.c", agent_contexts: &[], certificate_sha256: None };
/// let request = Request::new("https://board.example", "view");
/// // Nothing is trusted before a trust document is loaded.
/// assert!(!authorizer.authorize(&caller, &request, 1_767_225_600).decision.is_allowed());
/// ```
#[derive(Debug, Default)]
pub struct Authorizer {
    validator: Validator,
    policy: Option<Policy>,
    state: State,
}

/// What came with a request to prove who it is from.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'c> {
    /// The bearer token, as it came.
    pub token: &'c [u8],
    /// Every `Mandate-Agent-Context` header.
    pub agent_contexts: &'c [&'c str],
    /// SHA-256 of the client certificate that the host verified on this connection.
    pub certificate_sha256: Option<[u8; 32]>,
}

/// A decision, and what the host should do about keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// The issuer whose key set should be fetched again now.
    pub refresh: Option<String>,
}

impl Authorizer {
    /// Nothing is loaded: everything is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces trust and policy, which stand in one document, whole.
    ///
    /// # Errors
    /// The first member that is wrong; then what was loaded before stays in force.
    pub fn load_trust(&mut self, text: &str) -> Result<TrustStatus, LoadError> {
        let policy = |contract: &_| Policy::from_contract(contract);
        let (status, policy) = self.validator.load_trust_with(text, policy)?;
        self.policy = policy;
        Ok(status)
    }

    /// The validator of tokens.
    pub const fn validator(&mut self) -> &mut Validator {
        &mut self.validator
    }

    /// Says whose state this instance takes.
    ///
    /// # Errors
    /// The first member that is wrong; then everything stays as it was.
    pub fn configure_state(&mut self, text: &str) -> Result<(), LoadError> {
        self.state.reconfigure(StateConfig::parse(text)?);
        Ok(())
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The state, to be loaded.
    pub const fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Decides a request that came with a token, at `now` seconds since the epoch.
    pub fn authorize(&mut self, caller: &Caller<'_>, request: &Request<'_>, now: u64) -> Answer {
        match self.verify(caller, request, now) {
            Err(refusal) => Answer {
                decision: Decision::refused(&refusal),
                refresh: refusal.refresh().map(str::to_owned),
            },
            Ok(token) => Answer {
                decision: self.decide(&evidence(&token, caller), request, now),
                refresh: None,
            },
        }
    }

    /// As [`Authorizer::authorize`], with every line by itself; the refusal if there is no token to
    /// decide on.
    ///
    /// # Errors
    /// Why the token was not accepted.
    pub fn explain(
        &mut self,
        caller: &Caller<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> Result<Explanation, Refusal> {
        let token = self.verify(caller, request, now)?;
        let evidence = evidence(&token, caller);
        Ok(authorize::explain(&evidence, request, now, self.policy.as_ref(), &self.state))
    }

    /// Decides a request whose caller has authenticated somebody itself.
    #[must_use]
    pub fn decide_for(
        &self,
        assertion: &Assertion<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> Decision {
        authorize::decide_for(assertion, request, now, self.policy.as_ref(), &self.state)
    }

    /// As [`Authorizer::decide_for`], with every line by itself.
    #[must_use]
    pub fn explain_for(
        &self,
        assertion: &Assertion<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> Explanation {
        authorize::explain_for(assertion, request, now, self.policy.as_ref(), &self.state)
    }

    fn verify(
        &mut self,
        caller: &Caller<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> Result<Arc<VerifiedToken>, Refusal> {
        let expected = TokenRequest {
            audience: Some(request.audience),
            now,
            certificate_sha256: caller.certificate_sha256,
        };
        self.validator.validate(caller.token, &expected).into_outcome()
    }

    fn decide(&self, evidence: &Evidence<'_>, request: &Request<'_>, now: u64) -> Decision {
        authorize::authorize(evidence, request, now, self.policy.as_ref(), &self.state)
    }
}

fn evidence<'e>(token: &'e VerifiedToken, caller: &Caller<'e>) -> Evidence<'e> {
    Evidence { token, token_text: caller.token, agent_contexts: caller.agent_contexts }
}
