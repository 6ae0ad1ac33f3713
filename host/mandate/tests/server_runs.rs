//! The server under load: beside an OpenFGA server that is asked the same, what a record costs, how
//! soon a fresh folder is served, and whether memory stands still.
//!
//! Short here; `cargo xtask bench server` and `cargo xtask campaign server-soak` run the long forms on
//! an optimized build, of which alone the figures mean something.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

mod cli;
#[path = "server_runs/comparison.rs"]
mod comparison;
#[path = "server_runs/load.rs"]
mod load;
#[path = "server_runs/openfga.rs"]
mod openfga;
#[path = "server_runs/processor.rs"]
mod processor;
#[path = "server_runs/soak.rs"]
mod soak;
#[path = "server/world.rs"]
#[expect(dead_code, reason = "shared: each test program uses a part")]
mod world;
