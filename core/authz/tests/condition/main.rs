//! Conditions: what compiles, what it evaluates to, and that nothing hostile is read wrongly.

#![cfg(feature = "builder")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "../../../../tests/src/program.rs"]
pub mod program;
#[path = "../../../../tests/src/random.rs"]
pub mod random;
#[path = "../../../../tests/src/skip.rs"]
pub mod skip;
#[path = "../../../../tests/src/snapshot_reader.rs"]
pub mod snapshot_reader;

mod checks;
mod code;
mod contexts;
mod differential;
mod generator;
mod hostile;
mod operators;
mod patterns;
mod reader;
mod refusals;
mod steps;
mod suites;
mod support;
mod values;
