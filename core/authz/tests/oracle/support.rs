//! What the tests of the evaluators share: an oracle, random worlds, readers of outside suites.

#[path = "../../../../tests/src/program.rs"]
pub mod program;
#[path = "../../../../tests/src/random.rs"]
pub mod random;
#[path = "../../../../tests/src/skip.rs"]
pub mod skip;
#[path = "../../../../tests/src/snapshot_reader.rs"]
pub mod snapshot_reader;

pub(crate) mod conditions;
pub(crate) mod consolidated;
pub(crate) mod engine;
pub(crate) mod fast;
pub(crate) mod naive;
pub(crate) mod oddities;
pub(crate) mod server;
pub(crate) mod validity;
pub(crate) mod worlds;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder of outside suites; says aloud that `part` is skipped where there is none.
pub(crate) fn suites(part: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MANDATE_SUITES").map(PathBuf::from);
    if folder.is_none() {
        skip::skip(part, "MANDATE_SUITES names no folder of outside suites");
    }
    folder
}

/// Puts items in a random order.
pub(crate) fn shuffle<T>(items: &mut [T], random: &mut random::Random) {
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end + 1));
    }
}

/// Does something with every seed, on all processors; a result for each of them.
pub(crate) fn in_parallel<T: Default + Send>(
    seeds: std::ops::Range<u64>,
    each: impl Fn(&mut T, u64) + Sync,
) -> Vec<T> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut result = T::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return result;
            }
            each(&mut result, seed);
        }
    };
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no disagreement")).collect()
    })
}
