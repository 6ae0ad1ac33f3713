//! Snapshots: what is written is read back, hostile bytes are refused, deltas equal rebuilding.

#![cfg(feature = "builder")]
#![expect(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod evaluation;
mod hostile;
mod overlay;
mod support;
mod tenancy;
