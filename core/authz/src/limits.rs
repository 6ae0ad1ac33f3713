//! Every limit of authorization: a unit, a source, and its own refusal.

/// Relationships looked at in one check; `budget` above. Source: design, section 8.
pub const CHECK_EDGES: u32 = 10_000;

/// Nested relations in one check; `depth` above. Source: OpenFGA's resolution depth.
pub const CHECK_DEPTH: u32 = 25;

/// Steps of one condition; `condition-steps` above. Source: design, section 8.
pub const CONDITION_STEPS: u32 = 1_000;

/// Bytes of a snapshot's body.
pub const SNAPSHOT_BYTES: u64 = 1024 * 1024 * 1024;

/// Seconds that a state may be old when the contract says nothing.
pub const STATE_AGE_SECONDS: u64 = 120;
