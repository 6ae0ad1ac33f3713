//! Core in this process.

use anyhow::Result;
use mandate_authz::authorizer::Authorizer;
use mandate_authz::state::StateRefusal;

use super::{Engine, EngineError};

/// Core, linked.
#[derive(Debug, Default)]
pub struct NativeEngine {
    authorizer: Authorizer,
}

impl NativeEngine {
    /// Nothing is loaded: everything is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Engine for NativeEngine {
    fn load_trust(&mut self, trust: &str) -> Result<(), EngineError> {
        self.authorizer.load_trust(trust).map(drop).map_err(EngineError::Document)
    }

    fn configure_state(&mut self, config: &str) -> Result<(), EngineError> {
        self.authorizer.configure_state(config).map_err(EngineError::Document)
    }

    fn load(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.authorizer.state_mut().load(container).map(drop).map_err(refused)
    }

    fn apply_delta(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.authorizer.state_mut().apply_delta(container).map(drop).map_err(refused)
    }

    fn authorize(&mut self, question: &str) -> Result<String> {
        Ok(self.authorizer.authorize_json(question))
    }

    fn decide_for(&mut self, question: &str) -> Result<String> {
        Ok(self.authorizer.decide_json(question))
    }

    fn relation_holds(&mut self, question: &str) -> Result<String> {
        Ok(self.authorizer.relation_holds_json(question))
    }

    fn list_objects(&mut self, question: &str) -> Result<String> {
        Ok(self.authorizer.list_objects_json(question))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` wants")]
fn refused(refusal: StateRefusal) -> EngineError {
    EngineError::State { reason: refusal.code().as_str().to_owned(), message: refusal.to_string() }
}
