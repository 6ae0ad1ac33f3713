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

mod contexts;
mod operators;
mod support;
