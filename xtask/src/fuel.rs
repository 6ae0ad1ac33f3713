//! Fuel a fixture class: an exact cost of the component, immune to a noisy machine.
//!
//! `contract/fuel.json` holds what was recorded, and the toolchain it was recorded with. Other tools
//! make other code, so figures of another toolchain are reported, not judged.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::check::Outcome;
use crate::checkout::Checkout;
use crate::{guests, process, workspace};

type Toolchain = BTreeMap<String, String>;
type Classes = BTreeMap<String, ClassFuel>;

/// One class, as `mandate conformance --fuel` prints it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct ClassFuel {
    /// How many fixtures were counted.
    fixtures: u64,
    /// All of them together.
    total: u64,
    /// The dearest one.
    dearest: String,
    /// Its fuel.
    most: u64,
}

/// `contract/fuel.json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    toolchain: Toolchain,
    fuel: Classes,
}

const FILE: &str = "contract/fuel.json";
const TOLERANCE_PERCENT: u64 = 2;

/// Measures and compares with the record.
///
/// # Errors
/// When a class moved by more than the tolerance, appeared or went, with an equal toolchain.
pub(crate) fn check(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let measured = measure(checkout)?;
    let text = std::fs::read_to_string(checkout.path(FILE)).with_context(|| {
        format!("cannot read `{FILE}`: record it with `cargo xtask fuel --write`")
    })?;
    let recorded: Record = serde_json::from_str(&text).with_context(|| FILE.to_owned())?;
    let differences = compare(&recorded.fuel, &measured.fuel);
    if recorded.toolchain != measured.toolchain {
        for difference in &differences {
            crate::say!("fuel: {difference}");
        }
        let reason = format!(
            "recorded with another toolchain, {} classes differ by more than {TOLERANCE_PERCENT} %",
            differences.len()
        );
        return Ok(Outcome::Skipped(reason));
    }
    if !differences.is_empty() {
        bail!("differs from `{FILE}`:\n  {}", differences.join("\n  "));
    }
    crate::say!("fuel: {} classes within {TOLERANCE_PERCENT} %", measured.fuel.len());
    Ok(Outcome::Done)
}

/// Measures and writes the record.
///
/// # Errors
/// When the component does not run or the file cannot be written.
pub(crate) fn write(checkout: &Checkout) -> anyhow::Result<()> {
    let measured = measure(checkout)?;
    let text = serde_json::to_string_pretty(&measured)?;
    std::fs::write(checkout.path(FILE), format!("{text}\n"))
        .with_context(|| format!("cannot write `{FILE}`"))?;
    crate::say!("fuel: wrote {} classes to {FILE}", measured.fuel.len());
    Ok(())
}

/// Runs the fixtures in the component with fuel counted.
fn measure(checkout: &Checkout) -> anyhow::Result<Record> {
    let folder = guests::run(checkout)?;
    let toolchain = std::fs::read_to_string(folder.join("toolchain.json"))?;
    let mut conformance = Command::new(workspace::build_mandate(checkout)?);
    conformance.current_dir(checkout.root());
    conformance.args(["conformance", "--runner", "component", "--fuel", "--json"]);
    let report = process::output(&mut conformance)?;
    let fuel: Classes = serde_json::from_str(&report).context("the report of `--fuel --json`")?;
    if fuel.is_empty() {
        bail!("the conformance run counted no fuel");
    }
    Ok(Record { toolchain: serde_json::from_str(&toolchain)?, fuel })
}

/// One line a class that moved by more than the tolerance, appeared or went.
fn compare(recorded: &Classes, measured: &Classes) -> Vec<String> {
    let mut lines = Vec::new();
    for (class, before) in recorded {
        match measured.get(class) {
            None => lines.push(format!("{class}: recorded, but no longer measured")),
            Some(now) => lines.extend(difference(class, before, now)),
        }
    }
    let new = measured.keys().filter(|class| !recorded.contains_key(*class));
    lines.extend(new.map(|class| format!("{class}: measured, but not recorded")));
    lines
}

fn difference(class: &str, before: &ClassFuel, now: &ClassFuel) -> Option<String> {
    if before.fixtures != now.fixtures {
        return Some(format!(
            "{class}: {} fixtures recorded, {} measured: `cargo xtask fuel --write`",
            before.fixtures, now.fixtures
        ));
    }
    if moved(before.total, now.total) {
        return Some(format!("{class}: total {} -> {}", before.total, now.total));
    }
    moved(before.most, now.most)
        .then(|| format!("{class}: `{}` {} -> {}", now.dearest, before.most, now.most))
}

fn moved(before: u64, now: u64) -> bool {
    let allowed = before.saturating_mul(TOLERANCE_PERCENT);
    before.abs_diff(now).saturating_mul(100) > allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(all: &[(&str, u64, u64, u64)]) -> Classes {
        let class = |&(name, fixtures, total, most): &(&str, u64, u64, u64)| {
            let dearest = format!("{name}-dear");
            (name.to_owned(), ClassFuel { fixtures, total, dearest, most })
        };
        all.iter().map(class).collect()
    }

    #[test]
    fn two_percent_is_allowed_and_more_is_not() {
        let recorded = classes(&[("crit", 2, 10_000, 6_000), ("kid", 2, 10_000, 6_000)]);
        let measured = classes(&[("crit", 2, 10_200, 6_120), ("kid", 2, 9_799, 6_000)]);
        assert_eq!(compare(&recorded, &measured), ["kid: total 10000 -> 9799"]);
    }

    #[test]
    fn one_fixture_that_became_dearer_is_a_difference() {
        let recorded = classes(&[("typ", 50, 100_000, 2_000)]);
        let measured = classes(&[("typ", 50, 100_100, 2_100)]);
        assert_eq!(compare(&recorded, &measured), ["typ: `typ-dear` 2000 -> 2100"]);
    }

    #[test]
    fn a_class_with_another_number_of_fixtures_has_to_be_recorded_again() {
        let lines = compare(&classes(&[("typ", 1, 9, 9)]), &classes(&[("typ", 2, 18, 9)]));
        assert_eq!(lines, ["typ: 1 fixtures recorded, 2 measured: `cargo xtask fuel --write`"]);
    }

    #[test]
    fn a_class_that_appears_or_goes_is_a_difference() {
        let lines = compare(&classes(&[("crit", 1, 1, 1)]), &classes(&[("kid", 1, 1, 1)]));
        let expected =
            ["crit: recorded, but no longer measured", "kid: measured, but not recorded"];
        assert_eq!(lines, expected);
    }
}
