//! Snapshots, deltas and heartbeats from outside: signed, changed by one fact, and loaded.

#![cfg(feature = "builder")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod config;
mod container;
mod deltas;
mod freshness;
mod loading;
mod rows;
mod support;
