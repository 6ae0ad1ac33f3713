//! `cargo xtask check`: everything that can be said about the tree without running its tests.

mod deny;
mod fixtures;
mod guards;
mod lints;

use std::time::Instant;

use anyhow::bail;

use crate::checkout::Checkout;
use crate::summary::Summary;
use crate::{fuel, generate};

/// What came of one check that did not fail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It ran.
    Done,
    /// It could not run here, for this reason.
    Skipped(String),
}

type Check = fn(&Checkout) -> anyhow::Result<Outcome>;

/// Every check, cheap ones first; `fuel` builds the guests and the command.
const CHECKS: &[(&str, Check)] = &[
    ("generated", |checkout| generate::run(checkout, true).map(|()| Outcome::Done)),
    ("fixtures", fixtures::check),
    ("guards", guards::check),
    ("format", lints::format),
    ("licences", deny::check),
    ("advisories", deny::advisories),
    ("clippy", lints::clippy),
    ("clippy-release", lints::clippy_release),
    ("clippy-guests", lints::clippy_guests),
    ("documentation", lints::documentation),
    ("fuel", fuel::check),
];

/// The names of all checks, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

/// Runs every check, or those named, also after one failed, and names all that failed.
///
/// # Errors
/// When a check failed.
pub(crate) fn run(
    checkout: &Checkout,
    summary: &mut Summary,
    only: &[String],
) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let checks: Vec<_> = CHECKS.iter().filter(|(name, _)| wanted(name)).collect();
    for (name, check) in &checks {
        crate::say!("check: {name}");
        let start = Instant::now();
        match check(checkout) {
            Ok(Outcome::Done) => {
                crate::say!("check: {name}: ok in {:.1} s", start.elapsed().as_secs_f64());
            }
            Ok(Outcome::Skipped(reason)) => summary.skip(&format!("check of {name}"), &reason),
            Err(error) => {
                crate::say!("check: {name}: FAILED: {error:#}");
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} checks failed: {}", failed.len(), checks.len(), failed.join(", "));
    }
    crate::say!("check: {} checks, none failed", checks.len());
    Ok(())
}
