//! What is aimed at, and what was measured in this very run.

use serde_json::{Value, json};

use super::Form;
use super::bench::{AFTER_DELTA, COMPONENT, KERNEL, Measured, NATIVE, V8, WASMTIME};

/// One aim.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What is compared.
    pub what: &'static str,
    /// The bound.
    pub bound: Bound,
    /// What was measured; `None` where this run had no such contestant.
    pub measured: Option<f64>,
    /// What is counted.
    pub unit: &'static str,
}

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No less than this.
    AtLeast(f64),
    /// No more than this.
    AtMost(f64),
}

impl Target {
    /// Whether it is reached.
    #[must_use]
    pub fn is_reached(&self) -> Option<bool> {
        self.measured.map(|measured| match self.bound {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        })
    }

    /// The bound in words.
    #[must_use]
    pub fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(least) => format!(">= {least} {}", self.unit),
            Bound::AtMost(most) => format!("<= {most} {}", self.unit),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "what": self.what,
            "bound": self.bound(),
            "measured": self.measured,
            "reached": self.is_reached(),
        })
    }
}

/// Names of the peers that the aims speak of.
pub const CEDAR: &str = "cedar, everything in memory";
/// See [`CEDAR`].
pub const CEDAR_SLICES: &str = "cedar, entities of each request";
/// See [`CEDAR`].
pub const REGORUS: &str = "regorus, compiled";

/// The aims for a million relationships, as far as this run can tell.
#[must_use]
pub fn targets(measured: &[Measured]) -> Vec<Target> {
    let world = |digits| measured.iter().find(|world| digits_of(world.relationships) == digits);
    let Some(million) = world(7) else { return Vec::new() };
    let mut targets = speed(million);
    targets.extend(size(million));
    let native = |world: &Measured| world.cost(Form::Ids, NATIVE);
    let growth = world(6).and_then(native).zip(world(8).and_then(native));
    targets.push(Target {
        what: "native, 1e5 to 1e7 relationships",
        bound: Bound::AtMost(5.0),
        measured: growth.map(|(small, large)| large / small),
        unit: "x",
    });
    targets
}

fn speed(world: &Measured) -> Vec<Target> {
    let ratio = |form, one, other| Some(world.cost(form, one)? / world.cost(form, other)?);
    let at_most = |what, most, measured| {
        let bound = Bound::AtMost(most);
        Target { what, bound, measured, unit: "x" }
    };
    let at_least = |what, least, measured| {
        let bound = Bound::AtLeast(least);
        Target { what, bound, measured, unit: "x" }
    };
    let (ids, json) = (Form::Ids, Form::Json);
    let request = world.cost(Form::Checks, COMPONENT).map(|nanoseconds| nanoseconds / 1e3);
    let component =
        |what, measured| Target { what, bound: Bound::AtMost(1.0), measured, unit: "us" };
    vec![
        at_most("native to the lower bound", 1.5, ratio(ids, NATIVE, KERNEL)),
        at_most("engine in wasmtime to native", 1.3, ratio(ids, WASMTIME, NATIVE)),
        at_most("engine in V8 to native", 2.0, ratio(ids, V8, NATIVE)),
        at_most("shipped module in wasmtime to native, JSON", 1.3, ratio(json, WASMTIME, NATIVE)),
        at_most("shipped module in V8 to native, JSON", 2.0, ratio(json, V8, NATIVE)),
        component("typed component, one Check", request.map(|request| request / 3.0)),
        component("typed component, one request of three Checks", request),
        at_least("Cedar, everything in memory, to native", 12.0, ratio(ids, CEDAR, NATIVE)),
        at_least(
            "Cedar, entities of each request, to native",
            100.0,
            ratio(ids, CEDAR_SLICES, NATIVE),
        ),
        at_least("regorus, compiled, to native", 40.0, ratio(ids, REGORUS, NATIVE)),
        at_most("native after a delta of 100 to native", 1.1, ratio(ids, AFTER_DELTA, NATIVE)),
    ]
}

fn size(world: &Measured) -> Vec<Target> {
    let at_most = |what, most, measured, unit| Target {
        what,
        bound: Bound::AtMost(most),
        measured: Some(measured),
        unit,
    };
    let million = to_number(world.relationships) / 1e6;
    let (file, wasm) = (to_number(world.file_bytes), &world.in_wasm);
    vec![
        at_most("file", 18.0, file / 1e6 / million, "bytes a relationship"),
        at_most("validation in wasm, for 1e6", 10.0, wasm.validation / 1e6 / million, "ms"),
        at_most("longest step of a load in wasm", 5.0, wasm.longest_step / 1e6, "ms"),
        at_most("memory after load, to the file", 1.1, to_number(wasm.memory_bytes) / file, "x"),
        at_most("delta of 100 visible, native", 50.0, world.delta / 1e3, "us"),
        at_most("delta of 100 visible, in wasm", 50.0, (wasm.delta - wasm.heartbeat) / 1e3, "us"),
    ]
}

/// All aims for a program.
#[must_use]
pub fn to_json(targets: &[Target]) -> Value {
    targets.iter().map(Target::to_json).collect()
}

const fn digits_of(count: usize) -> u32 {
    match count.checked_ilog10() {
        Some(last) => last.saturating_add(1),
        None => 1,
    }
}

#[expect(clippy::as_conversions, reason = "sizes of memory, far below where a double is inexact")]
const fn to_number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineup::{Clock, Cost};
    use crate::report::Section;

    fn world(relationships: usize, nanoseconds: f64) -> Measured {
        let cost = |name, nanoseconds| Cost { name, nanoseconds, ratio: 1.0 };
        Measured {
            relationships,
            file_bytes: relationships.saturating_mul(17),
            checks: vec![Section {
                name: Form::Ids.name().to_owned(),
                clock: Clock::Thread,
                costs: vec![cost(KERNEL, nanoseconds / 2.0), cost(NATIVE, nanoseconds)],
            }],
            loads: Vec::new(),
            validation: 1e6,
            delta: 40_000.0,
            in_wasm: super::super::loads::InWasm::default(),
        }
    }

    fn said(targets: &[Target], what: &str) -> Option<(f64, bool)> {
        let target = targets.iter().find(|target| target.what == what)?;
        target.measured.zip(target.is_reached())
    }

    #[test]
    fn an_aim_is_reached_missed_or_not_measured() {
        let measured = [world(99_000, 200.0), world(1_010_000, 400.0), world(10_100_000, 900.0)];
        let targets = targets(&measured);
        assert_eq!(said(&targets, "native to the lower bound"), Some((2.0, false)));
        assert_eq!(said(&targets, "native, 1e5 to 1e7 relationships"), None);
        assert_eq!(said(&targets, "file"), Some((17.0, true)));
        assert_eq!(said(&targets, "regorus, compiled, to native"), None);
    }

    #[test]
    fn without_a_million_nothing_is_said() {
        assert_eq!(targets(&[world(1_000, 100.0)]), []);
    }
}
