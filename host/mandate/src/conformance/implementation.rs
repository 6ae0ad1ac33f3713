//! What the kit can score.

use anyhow::Result;
use serde_json::{Value, json};

use super::request::Request;
use crate::mint::sorted_text;

/// Anything that answers the probe protocol (docs/conformance.md).
pub trait Implementation {
    /// The runner's name: `native`, `component`, `module`, or a peer's own.
    fn name(&self) -> &str;

    /// The answer to one request.
    ///
    /// # Errors
    /// When the implementation crashed, hung or answered with something else than JSON. The fixture
    /// then counts as failed, and the next request is asked all the same.
    fn answer(&mut self, request: &Value) -> Result<Value>;

    /// The answer to one line of the protocol, as one line without its end. What is no request, or
    /// was not answered, becomes `error`: the reader goes on with the next line.
    fn answer_line(&mut self, line: &str) -> String {
        let answer = Request::check(line).and_then(|request| {
            let id = request.get("id").cloned().unwrap_or_default();
            self.answer(&request).or_else(|error| {
                let message = format!("{error:#}");
                Ok(json!({"id": id, "error": {"path": "", "message": message}}))
            })
        });
        sorted_text(&answer.unwrap_or_else(|answer| answer))
    }

    /// Fuel of the last answer, where the implementation counts it.
    fn fuel_used(&self) -> Option<u64> {
        None
    }
}
