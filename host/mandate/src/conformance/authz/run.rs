//! One run: every case asked once, every answer compared.

use super::outcome::{expected, outcome};
use super::set::Decision;
use crate::conformance::{Comparison, Exceptions, Implementation, Outcome, Report, Run};

/// Asks every question. What cannot be answered counts as a disagreement, and the next one is asked.
pub(in crate::conformance) fn report(
    implementation: &mut dyn Implementation,
    decisions: &[Decision],
    exceptions: &Exceptions,
    comparison: Comparison,
) -> Report {
    let run = |decision: &Decision| {
        let Decision { id, class, line, skip, expect, .. } = decision;
        if let Some(reason) = skip {
            let outcome = Outcome::Skipped { reason: (*reason).to_owned() };
            return Run { id: id.clone(), class: class.clone(), outcome };
        }
        let compared = match implementation.answer(line) {
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
