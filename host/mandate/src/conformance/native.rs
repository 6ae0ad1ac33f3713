//! Runner `native`: core/authn in this process.

use anyhow::{Context, Result};
use mandate_authn::wire::Probe;
use serde_json::Value;

use super::implementation::Implementation;

/// The validator, linked.
#[derive(Debug, Default)]
pub struct Native {
    probe: Probe,
}

impl Native {
    /// A validator that trusts nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Implementation for Native {
    fn name(&self) -> &str {
        "native"
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        let answer = self.probe.answer(&request.to_string());
        serde_json::from_str(&answer).context("the answer is no JSON")
    }

    fn answer_line(&mut self, line: &str) -> String {
        self.probe.answer(line)
    }
}
