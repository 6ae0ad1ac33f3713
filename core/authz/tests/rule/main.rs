//! The rule from outside: one deployment whose call is allowed, and one fact changed at a time.

#![cfg(feature = "builder")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod agent_context;
mod asserted;
mod authorizer;
mod binding;
mod credential;
mod explain;
mod lines;
mod mapping;
mod policy;
mod properties;
mod records;
mod rule;
mod scene;
mod scope;
mod tenant;
mod texts;
mod usage;
mod wire;
mod world;
