//! Snapshots: what is written is read back, hostile bytes are refused, deltas equal rebuilding.

#![cfg(feature = "builder")]
#![expect(
    clippy::assertions_on_result_states,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::expect_used,
    reason = "tests"
)]

mod evaluation;
mod hostile;
mod overlay;
mod support;
mod tenancy;
