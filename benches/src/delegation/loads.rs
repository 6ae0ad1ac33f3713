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
    let mut rows: Vec<[f64; 8]> = Vec::new();
    let mut sizes = InWasm::default();
    for _ in 0..rounds.max(1) {
        let mut module = instance()?;
        sizes.empty_bytes = module.memory_bytes();
        let (mut steps, mut longest) = ([0.0; 4], 0.0_f64);
        feed(&mut module, &container, |step, took| {
            let [begin, chunks, validate, commit] = &mut steps;
            match step {
                Step::Begin => *begin += took,
                Step::Chunk => *chunks += took,
                Step::Validate => *validate += took,
                Step::Commit => *commit += took,
            }
            longest = longest.max(took);
        })?;
        sizes.memory_bytes = module.memory_bytes();
        let mut apply = |container: &[u8]| {
            let started = ThreadTime::now();
            let answer = module.call_bytes("mandate_apply_delta", container)?;
            let took = started.elapsed().as_secs_f64() * 1e9;
            ensure!(answer.contains("\"epoch\""), "{answer}");
            Ok(took)
        };
        // A first call of a kind pays for what is touched for the first time.
        apply(&heartbeat)?;
        let (heartbeat, change) = (apply(&heartbeat)?, apply(&change)?);
        let [begin, chunks, validate, commit] = steps;
        let at_once = guest::validation(world)?;
        rows.push([begin, chunks, commit, at_once, change, heartbeat, validate, longest]);
    }
    let middle = |place: usize| median(rows.iter().filter_map(|row| row.get(place).copied()));
    Ok(InWasm {
        signature: middle(0),
        digests: middle(1),
        commit: middle(2),
        validation: middle(3),
        delta: middle(4),
        heartbeat: middle(5),
        steps: middle(6),
        longest_step: middle(7),
        ..sizes
    })
}
