//! Core in this process.

use anyhow::Result;
use mandate_authn::LoadError;
use mandate_authz::state::StateRefusal;
use mandate_gate::Gate;
use serde_json::Value;

use super::{Engine, EngineError};

/// Core, linked.
#[derive(Debug, Default)]
pub struct NativeEngine {
    gate: Gate,
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
        self.gate.load_trust(trust).map(drop).map_err(EngineError::Document)
    }

    fn configure_state(&mut self, config: &str) -> Result<(), EngineError> {
        self.gate.authorizer_mut().configure_state(config).map_err(EngineError::Document)
    }

    fn load(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.gate.authorizer_mut().state_mut().load(container).map(drop).map_err(refused)
    }

    fn apply_delta(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.gate.authorizer_mut().state_mut().apply_delta(container).map(drop).map_err(refused)
    }

    fn authorize(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.authorizer_mut().authorize_json(question))
    }

    fn decide_for(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.authorizer().decide_json(question))
    }

    fn configure_sealing(&mut self, question: &str) -> Result<(), EngineError> {
        let answer = self.gate.configure_sealing_json(question);
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        answer.get("error").map_or(Ok(()), |error| Err(EngineError::Document(stated(error))))
    }

    fn gate_decide(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.decide_json(question))
    }

    fn filter_list(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.filter_list_json(question))
    }

    fn filter_stream(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.filter_stream_json(question))
    }

    fn seal_session(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.seal_session_json(question))
    }

    fn relation_holds(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.authorizer().relation_holds_json(question))
    }

    fn list_objects(&mut self, question: &str) -> Result<String> {
        Ok(self.gate.authorizer().list_objects_json(question))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` wants")]
fn refused(refusal: StateRefusal) -> EngineError {
    EngineError::State { reason: refusal.code().as_str().to_owned(), message: refusal.to_string() }
}

fn stated(error: &Value) -> LoadError {
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    LoadError { path: text("path"), message: text("message") }
}
