//! The delegation workload, ours and the least that it can cost: `cargo xtask bench authz`.
//!
//! `--json` prints the figures for a program, `--docs FOLDER` writes them into performance.md there,
//! `--largest` adds a world of ten million relationships. Without `--bench` (as under `cargo test
//! --benches`) the smallest world takes one short turn, which checks that the bench works.
//! benches/peers runs the same with other engines beside it.

use mandate_benches::delegation::bench::{in_webassembly, native};
use mandate_benches::delegation::command;

fn main() -> anyhow::Result<()> {
    let contestants: Vec<_> = native().into_iter().chain(in_webassembly()).collect();
    command::run(&contestants)
}
