//! The evaluators against OpenFGA's own suites, against an OpenFGA server, and against each other.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod consolidated;
mod differential;
mod server;
mod stores;
mod support;
