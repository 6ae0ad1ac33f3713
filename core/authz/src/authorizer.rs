//! What one plugin instance holds: trust, policy and state, each replaced whole.

use mandate_authn::{Contract, LoadError, SignatureBackend, TrustStatus, Validator};

use crate::authorize::{Assertion, Presented, Request, decide_for, validate_and_authorize};
use crate::decision::Decision;
use crate::policy::Policy;
use crate::state::{State, StateConfig};
use crate::{relation_wire, wire};

/// Everything that decides.
///
/// # Example
/// ```
/// use mandate_authz::authorizer::Authorizer;
///
/// let mut authorizer = Authorizer::new();
/// let question = r#"{"now":1767225600,"token":"a.b.c",
///     "request":{"audience":"https://board.example","action":"view"}}"#;
/// // Nothing is trusted before a trust document is loaded.
/// assert!(authorizer.authorize_json(question).contains("policy-missing"));
/// ```
#[derive(Debug, Default)]
pub struct Authorizer {
    validator: Validator,
    policy: Option<Policy>,
    state: State,
}

impl Authorizer {
    /// Nothing is loaded: everything is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Authorizer::new`], with signatures of tokens that another backend verifies.
    #[must_use]
    pub fn with_backend(backend: Box<dyn SignatureBackend>) -> Self {
        Self { validator: Validator::with_backend(backend), policy: None, state: State::default() }
    }

    /// Replaces trust and policy, which stand in one document.
    ///
    /// # Errors
    /// The first member that is wrong; then what was loaded before stays in force.
    pub fn load_trust(&mut self, text: &str) -> Result<TrustStatus, LoadError> {
        self.load_trust_with(text, |_, _| Ok(())).map(|(status, ())| status)
    }

    /// As [`Authorizer::load_trust`], for a caller that reads more of the contract: all of it is
    /// loaded, or nothing.
    ///
    /// # Errors
    /// The first member that is wrong, those that `read` refuses included.
    pub fn load_trust_with<T>(
        &mut self,
        text: &str,
        read: impl FnOnce(&Contract, Option<&Policy>) -> Result<T, LoadError>,
    ) -> Result<(TrustStatus, T), LoadError> {
        let both = |contract: &Contract| {
            let policy = Policy::from_contract(contract)?;
            let more = read(contract, policy.as_ref())?;
            Ok((policy, more))
        };
        let (status, (policy, more)) = self.validator.load_trust_with(text, both)?;
        self.policy = policy;
        Ok((status, more))
    }

    /// The validator of tokens.
    pub const fn validator(&mut self) -> &mut Validator {
        &mut self.validator
    }

    /// The policy, if the contract has one.
    #[must_use]
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
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

    /// Decides a request that came with a token, at `now` seconds since the epoch; also the issuer
    /// whose key set should be fetched again.
    pub fn authorize(
        &mut self,
        presented: &Presented<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> (Decision, Option<String>) {
        let (policy, state) = (self.policy.as_ref(), &self.state);
        validate_and_authorize(&mut self.validator, presented, request, now, policy, state)
    }

    /// Decides a request whose caller has authenticated somebody itself.
    #[must_use]
    pub fn decide_for(
        &self,
        assertion: &Assertion<'_>,
        request: &Request<'_>,
        now: u64,
    ) -> Decision {
        decide_for(assertion, request, now, self.policy.as_ref(), &self.state)
    }

    /// [`Authorizer::authorize`] in JSON: docs/authorize.md.
    pub fn authorize_json(&mut self, question: &str) -> String {
        wire::authorize(&mut self.validator, self.policy.as_ref(), &self.state, question)
    }

    /// [`Authorizer::decide_for`] in JSON.
    #[must_use]
    pub fn decide_json(&self, question: &str) -> String {
        wire::decide(self.policy.as_ref(), &self.state, question)
    }

    /// A Check on the relationships in force, in JSON. It authorizes nobody.
    #[must_use]
    pub fn relation_holds_json(&self, question: &str) -> String {
        relation_wire::relation_holds(self.state.snapshot(), question)
    }

    /// A ListObjects on the relationships in force, in JSON. It authorizes nobody.
    #[must_use]
    pub fn list_objects_json(&self, question: &str) -> String {
        relation_wire::list_objects(self.state.snapshot(), question)
    }
}
