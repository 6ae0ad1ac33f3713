//! What loading and changing a world costs in WebAssembly: the module that is shipped, step by step.

use anyhow::{Result, ensure};
use cpu_time::ThreadTime;
use serde_json::{Value, json};

use super::module::{Step, feed, instance};
use super::{World, delta, guest, sealed};
use crate::lineup::median;

/// Nanoseconds, medians of some loads, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InWasm {
    /// The header's signature.
    pub signature: f64,
    /// Copying all bytes in, and their digests.
    pub digests: f64,
    /// The steps of the validation, all together.
    pub steps: f64,
    /// The longest step of any kind.
    pub longest_step: f64,
    /// The last step: it is put in force.
    pub commit: f64,
    /// The validation in one go, in the bench guest.
    pub validation: f64,
    /// A delta of [`delta::CHANGES`] changes, its signature and digest included.
    pub delta: f64,
    /// A heartbeat: a delta's signature and digest without changes.
    pub heartbeat: f64,
    /// Linear memory with the world in it.
    pub memory_bytes: usize,
    /// Linear memory before.
    pub empty_bytes: usize,
}

impl InWasm {
    /// The figures for a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "signature_nanoseconds": self.signature,
            "digests_nanoseconds": self.digests,
            "steps_nanoseconds": self.steps,
            "longest_step_nanoseconds": self.longest_step,
            "commit_nanoseconds": self.commit,
            "validation_nanoseconds": self.validation,
            "delta_nanoseconds": self.delta,
            "heartbeat_nanoseconds": self.heartbeat,
            "memory_bytes": self.memory_bytes,
            "empty_bytes": self.empty_bytes,
        })
    }
}

/// Loads and changes the world in fresh instances.
///
/// # Errors
/// When a guest was not built, or refuses the world.
pub fn in_wasm(world: &World, rounds: u32) -> Result<InWasm> {
    let container = sealed::snapshot(&world.body)?;
    let change = sealed::delta(&delta::draw(&world.workload, 1)?.concat())?;
    let heartbeat = sealed::heartbeat()?;
    let mut loads = Vec::new();
    for _ in 0..rounds.max(1) {
        let mut module = instance()?;
        let mut load = InWasm { empty_bytes: module.memory_bytes(), ..InWasm::default() };
        feed(&mut module, &container, |step, took| {
            *match step {
                Step::Begin => &mut load.signature,
                Step::Chunk => &mut load.digests,
                Step::Validate => &mut load.steps,
                Step::Commit => &mut load.commit,
            } += took;
            load.longest_step = load.longest_step.max(took);
        })?;
        load.memory_bytes = module.memory_bytes();
        let mut apply = |container: &[u8]| {
            let started = ThreadTime::now();
            let answer = module.call_bytes("mandate_apply_delta", container)?;
            let took = started.elapsed().as_secs_f64() * 1e9;
            ensure!(answer.contains("\"epoch\""), "{answer}");
            Ok(took)
        };
        // A first call of a kind pays for what is touched for the first time.
        apply(&heartbeat)?;
        load.heartbeat = apply(&heartbeat)?;
        load.delta = apply(&change)?;
        load.validation = guest::validation(world)?;
        loads.push(load);
    }
    let middle = |of: fn(&InWasm) -> f64| median(loads.iter().map(of));
    Ok(InWasm {
        signature: middle(|load| load.signature),
        digests: middle(|load| load.digests),
        steps: middle(|load| load.steps),
        longest_step: middle(|load| load.longest_step),
        commit: middle(|load| load.commit),
        validation: middle(|load| load.validation),
        delta: middle(|load| load.delta),
        heartbeat: middle(|load| load.heartbeat),
        // Every load takes the same.
        ..loads.last().copied().unwrap_or_default()
    })
}
