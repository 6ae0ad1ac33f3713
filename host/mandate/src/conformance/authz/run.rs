//! One run: every case asked once, every answer compared.

use anyhow::Result;
use serde_json::Value;

use super::outcome::outcome;
use super::set::Decision;
use crate::conformance::{Comparison, Exceptions, Outcome, Report, Run};

/// Asks every question. What cannot be answered counts as a disagreement, and the next one is asked.
pub fn report(
    runner: &str,
    decisions: &[Decision],
    exceptions: &Exceptions,
    comparison: Comparison,
    ask: &mut dyn FnMut(&Value) -> Result<Value>,
) -> Report {
    let run = |decision: &Decision| {
        let Decision { id, class, line, expect } = decision;
        let compared = match ask(line) {
            Ok(answer) => outcome(expect, id, &answer, comparison),
            Err(error) => Outcome::Disagree {
                expected: Value::Object(expect.clone()).to_string(),
                actual: format!("no answer: {error:#}"),
            },
        };
        Run { id: id.clone(), class: class.clone(), outcome: exceptions.apply(id, compared) }
    };
    let runs = decisions.iter().map(run).collect();
    Report { runner: runner.to_owned(), comparison, runs }
}
