//! The score table, for people.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{outcome::Outcome, run::Report};

/// How many fixtures ended how.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    agree: usize,
    disagree: usize,
    exceptions: usize,
    skipped: usize,
}

impl Count {
    fn add(&mut self, outcome: &Outcome) {
        let field = match outcome {
            Outcome::Agree => &mut self.agree,
            Outcome::Disagree { .. } => &mut self.disagree,
            Outcome::Exception { .. } => &mut self.exceptions,
            Outcome::Skipped { .. } => &mut self.skipped,
        };
        *field = field.saturating_add(1);
    }
}

/// Writes a line per class, then every fixture that did not simply agree, with the reason.
///
/// # Errors
/// When the output cannot be written.
pub fn write_table(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    let mut classes: BTreeMap<&str, Count> = BTreeMap::new();
    let mut total = Count::default();
    for run in &report.runs {
        classes.entry(&run.class).or_default().add(&run.outcome);
        total.add(&run.outcome);
    }
    let row = |output: &mut dyn Write, name: &str, count: &Count| {
        let Count { agree, disagree, exceptions, skipped } = count;
        writeln!(output, "{name:<20}{agree:>8}{disagree:>10}{exceptions:>12}{skipped:>9}")
    };
    writeln!(
        output,
        "{:<20}{:>8}{:>10}{:>12}{:>9}",
        "class", "agree", "disagree", "exceptions", "skipped"
    )?;
    for (class, count) in &classes {
        row(output, class, count)?;
    }
    row(output, "all", &total)?;
    for run in &report.runs {
        match &run.outcome {
            Outcome::Agree => {}
            Outcome::Disagree { expected, actual } => {
                writeln!(output, "DISAGREE  {}: expected {expected}, got {actual}", run.id)?;
            }
            Outcome::Exception { reason } => writeln!(output, "exception {}: {reason}", run.id)?,
            Outcome::Skipped { reason } => writeln!(output, "skipped   {}: {reason}", run.id)?,
        }
    }
    writeln!(
        output,
        "{}: {} fixtures, {} agree, {} disagree, {} exceptions, {} skipped",
        report.runner,
        report.runs.len(),
        total.agree,
        total.disagree,
        total.exceptions,
        total.skipped
    )
}
