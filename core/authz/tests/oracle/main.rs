//! The evaluators against OpenFGA's own suites, against an OpenFGA server, and against each other.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    clippy::wildcard_enum_match_arm,
    clippy::needless_pass_by_value,
    clippy::redundant_closure,
    reason = "tests"
)]

mod consolidated;
mod differential;
mod metamorphic;
mod reader;
mod server;
mod stores;
mod support;
