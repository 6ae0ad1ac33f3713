//! The plugin's core module, by the C-like ABI (docs/abi.md).

use anyhow::{Result, anyhow};
use mandate_authn::LoadError;
use mandate_host::CoreModule;
use serde_json::Value;

use super::{Engine, EngineError};

/// The core module in wasmtime.
#[derive(Debug)]
pub struct ModuleEngine {
    module: CoreModule,
    /// What ended an instance: the next one has nothing loaded, so that nothing may be asked of it.
    failed: Option<String>,
}

impl ModuleEngine {
    /// A module with nothing loaded.
    #[must_use]
    pub const fn new(module: CoreModule) -> Self {
        Self { module, failed: None }
    }

    fn call(&mut self, export: &str, input: &[u8]) -> Result<String> {
        if let Some(failure) = &self.failed {
            return Err(anyhow!("{failure}, in an earlier call"));
        }
        self.module.call_bytes(export, input).map_err(|failure| {
            self.failed = Some(failure.to_string());
            anyhow!("{failure}")
        })
    }

    /// A call that answers what is now in force, or `error`.
    fn load_with(&mut self, export: &str, input: &[u8]) -> Result<(), EngineError> {
        let answer = self.call(export, input).map_err(|error| internal(&format!("{error:#}")))?;
        let answer: Value =
            serde_json::from_str(&answer).map_err(|_| internal("the answer is no JSON"))?;
        match answer.get("error") {
            None if answer.is_object() => Ok(()),
            None => Err(internal("the answer is no object")),
            Some(error) => Err(stated(error)),
        }
    }
}

impl Engine for ModuleEngine {
    fn load_trust(&mut self, trust: &str) -> Result<(), EngineError> {
        self.load_with("mandate_load_trust", trust.as_bytes())
    }

    fn configure_state(&mut self, config: &str) -> Result<(), EngineError> {
        self.load_with("mandate_configure_state", config.as_bytes())
    }

    fn load(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.load_with("mandate_load", container)
    }

    fn apply_delta(&mut self, container: &[u8]) -> Result<(), EngineError> {
        self.load_with("mandate_apply_delta", container)
    }

    fn authorize(&mut self, question: &str) -> Result<String> {
        self.call("mandate_authorize", question.as_bytes())
    }

    fn decide_for(&mut self, question: &str) -> Result<String> {
        self.call("mandate_decide_for", question.as_bytes())
    }

    fn configure_sealing(&mut self, question: &str) -> Result<(), EngineError> {
        self.load_with("mandate_configure_sealing", question.as_bytes())
    }

    fn gate_decide(&mut self, question: &str) -> Result<String> {
        self.call("mandate_gate_decide", question.as_bytes())
    }

    fn filter_list(&mut self, question: &str) -> Result<String> {
        self.call("mandate_filter_list", question.as_bytes())
    }

    fn filter_stream(&mut self, question: &str) -> Result<String> {
        self.call("mandate_filter_stream", question.as_bytes())
    }

    fn seal_session(&mut self, question: &str) -> Result<String> {
        self.call("mandate_seal_session", question.as_bytes())
    }

    fn relation_holds(&mut self, question: &str) -> Result<String> {
        self.call("mandate_relation_holds", question.as_bytes())
    }

    fn list_objects(&mut self, question: &str) -> Result<String> {
        self.call("mandate_list_objects", question.as_bytes())
    }
}

/// The error of a document has `path` and `message`, that of a state `reason` and `detail`.
fn stated(error: &Value) -> EngineError {
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if error.get("reason").is_some() {
        EngineError::State { reason: text("reason"), message: text("detail") }
    } else {
        EngineError::Document(LoadError { path: text("path"), message: text("message") })
    }
}

fn internal(message: &str) -> EngineError {
    EngineError::State { reason: "internal".to_owned(), message: message.to_owned() }
}
