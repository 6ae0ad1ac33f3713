//! The filter in a real Envoy: the traps that open the door or kill the worker, each of them fallen
//! into by a filter that takes the obvious way (docs/envoy.md#traps).
//!
//! `MANDATE_ENVOY` names Envoy's program, `MANDATE_GUESTS` the folder with the built filter; without
//! either, the tests are skipped and counted.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests stop where something is not as it should be"
)]

mod bootstrap;
mod client;
mod connection;
mod faults;
mod feed;
mod keys;
mod recovery;
mod server;
mod stage;
mod streams;
mod tls;
mod trap;
mod traps;

#[path = "../../../../tests/src/skip.rs"]
pub mod skip;

/// The deployment that the gate's own tests ask.
#[path = "../../../../core/gate/tests/gate/scene.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod scene;
