//! One run: every fixture asked once, every answer compared.

use serde::Serialize;

use super::{
    exceptions::Exceptions,
    fixture_set::Concrete,
    implementation::Implementation,
    outcome::{Comparison, Outcome},
};

/// What one implementation got.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The runner's name.
    pub runner: String,
    /// How much of each answer was compared.
    pub comparison: Comparison,
    /// Every fixture, in the order of their ids.
    pub runs: Vec<Run>,
}

/// One fixture's run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The fixture.
    pub id: String,
    /// Its class.
    pub class: String,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Report {
    /// Asks the implementation every fixture.
    #[must_use]
    pub fn make(
        implementation: &mut dyn Implementation,
        fixtures: &[Concrete],
        exceptions: &Exceptions,
        comparison: Comparison,
    ) -> Self {
        let runs = fixtures
            .iter()
            .map(|Concrete { fixture, request }| {
                let outcome = match implementation.answer(request) {
                    Ok(answer) => Outcome::of(&fixture.expect, &fixture.id, &answer, comparison),
                    Err(error) => Outcome::failed(&fixture.expect, &format!("{error:#}")),
                };
                let outcome = exceptions.apply(&fixture.id, outcome);
                Run { id: fixture.id.clone(), class: fixture.class().to_owned(), outcome }
            })
            .collect();
        Self { runner: implementation.name().to_owned(), comparison, runs }
    }

    /// Whether nothing disagreed.
    #[must_use]
    pub fn agrees(&self) -> bool {
        !self.runs.iter().any(|run| matches!(run.outcome, Outcome::Disagree { .. }))
    }
}
