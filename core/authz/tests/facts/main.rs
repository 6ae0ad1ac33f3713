//! Facts files: what they turn into, and what they are refused for.

#![cfg(feature = "builder")]
#![expect(clippy::expect_used, clippy::panic, clippy::too_many_lines, reason = "tests")]

mod agents;
mod refused;
mod sections;
mod support;
