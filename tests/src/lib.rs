//! Helpers for the tests that cross rooms.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "support for tests: what fails here fails the test"
)]

pub mod agreement;
pub mod differential;
pub mod exceptions;
pub mod guests;
pub mod hex;
pub mod jws_runners;
pub mod mcp;
pub mod peer;
pub mod program;
pub mod random;
pub mod signature_guest;
pub mod skip;
pub mod snapshot_reader;
pub mod suite;
