//! What the fuzz targets share: the seeds, which travel in each target, and the mutator that goes
//! back to them.

pub mod gate;
pub mod model;
pub mod reference;
pub mod state;

use libfuzzer_sys::fuzzer_mutate;

/// The trust document that every token is validated under (`tests/tests/fuzz_seeds.rs` writes it).
pub const TRUST: &str = include_str!("../seeds/trust.json");

/// Tokens that it accepts, one a line: every issuer, key and algorithm.
pub const TOKENS: &str = include_str!("../seeds/tokens.txt");

/// The moment and the audience for which it accepts them.
pub const NOW: u64 = 1_780_000_000;

/// See [`NOW`].
pub const AUDIENCE: &str = "https://board.example";

/// Mutates `data`, one time in sixteen starting from a seed: so a run with an empty corpus reaches
/// the depths too.
pub fn mutate_from(
    seeds: &[Vec<u8>],
    data: &mut [u8],
    size: usize,
    max_size: usize,
    random: u32,
) -> usize {
    let mut size = size;
    if size < 2 || random.is_multiple_of(16) {
        let seed = &seeds[(random as usize / 16) % seeds.len()];
        size = seed.len().min(max_size);
        data[..size].copy_from_slice(&seed[..size]);
    }
    fuzzer_mutate(data, size, max_size)
}
