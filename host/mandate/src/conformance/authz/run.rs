//! One run: every case asked once, every answer compared.

use serde_json::Value;

use super::agreement::{difference, view};
use super::outcome::{expected, outcome};
use super::set::Decision;
use crate::conformance::{Comparison, Complete, Exceptions, Implementation, Outcome, Report, Run};

/// Asks every question. What cannot be answered counts as a disagreement, and the next one is asked.
pub(in crate::conformance) fn report(
    implementation: &mut dyn Implementation,
    decisions: &[Decision],
    exceptions: &Exceptions,
    comparison: Comparison,
) -> Report {
    let mut native = Complete::native();
    let run = |decision: &Decision| {
        let Decision { id, class, line, skip, expect, .. } = decision;
        if let Some(reason) = skip {
            let outcome = Outcome::Skipped { reason: (*reason).to_owned() };
            return Run { id: id.clone(), class: class.clone(), outcome };
        }
        let compared = match implementation.answer(line) {
            Ok(answer) if is_the_gates(line) => {
                let compared = outcome(expect, id, &view(&answer), comparison);
                match (compared, comparison) {
                    (Outcome::Agree, Comparison::Full) => {
                        as_native(&mut native, implementation.name(), line, &answer)
                    }
                    (compared, _) => compared,
                }
            }
            Ok(answer) => outcome(expect, id, &answer, comparison),
            Err(error) => Outcome::Disagree {
                expected: expected(expect, comparison),
                actual: format!("no answer: {error:#}"),
            },
        };
        Run { id: id.clone(), class: class.clone(), outcome: exceptions.apply(id, compared) }
    };
    let runs = decisions.iter().map(run).collect();
    Report { runner: implementation.name().to_owned(), comparison, runs }
}

fn is_the_gates(line: &Value) -> bool {
    let operation = line.get("op").and_then(Value::as_str);
    matches!(operation, Some("filter-list" | "gate"))
}

/// At the gate every byte counts that a host sends or writes down: what a case does not state is
/// what core says in this process.
fn as_native(native: &mut Complete, name: &str, line: &Value, answer: &Value) -> Outcome {
    if name == native.name() {
        return Outcome::Agree;
    }
    let differs = match native.answer(line) {
        Ok(reference) => difference(&reference, answer),
        Err(error) => Some(format!("no answer natively: {error:#}")),
    };
    differs.map_or(Outcome::Agree, |actual| {
        let actual = actual.chars().take(400).collect();
        Outcome::Disagree { expected: "every byte as natively".to_owned(), actual }
    })
}
