//! Every limit of authorization: a unit, a source, and its own refusal.

/// Relationships looked at in one check; `budget` above. Source: design, section 8.
pub const CHECK_EDGES: u32 = 10_000;

/// Nested relations in one check; `depth` above. Source: OpenFGA's resolution depth.
pub const CHECK_DEPTH: u32 = 25;

/// Operations of one check: relations and operators that are evaluated; `budget` above. Source: 25
/// for each relationship that it may look at. Without a limit a model alone, which doubles at every
/// level, could keep a check busy.
pub const CHECK_OPERATIONS: u32 = 250_000;

/// Steps of one condition; `condition-steps` above. Source: design, section 8.
pub const CONDITION_STEPS: u32 = 1_000;

/// Steps of conditions that are as much work as one relationship. Source: bounds all conditions of
/// a check by a million steps, and costs a short condition nothing.
pub const STEPS_OF_EDGE: u32 = 100;

/// Bytes of one condition's code. Source: OpenFGA's model of 256 KiB holds many conditions.
pub const CONDITION_CODE_BYTES: usize = 256 * 1024;

/// Bytes of a snapshot's body.
pub const SNAPSHOT_BYTES: u64 = 1024 * 1024 * 1024;

/// Seconds that a state may be old when the contract says nothing.
pub const STATE_AGE_SECONDS: u64 = 120;

/// Bytes of one text of a model. Source: four times OpenFGA's limit for a stored model, 256 KiB.
pub const MODEL_BYTES: usize = 1024 * 1024;

/// Parentheses within parentheses in one definition, and operators within operators in JSON, which
/// takes three of the JSON reader's 128 levels for each.
pub const MODEL_NESTING: usize = 32;

/// Bytes that one digest covers, and the most that one step of a load takes. Source: SHA-512/256 of
/// them in WebAssembly stays below 5 ms.
pub const CHUNK_BYTES: u64 = 1024 * 1024;

/// Words of a snapshot's body that one step of its validation looks at. Source: in WebAssembly that
/// stays below 5 ms; a million relationships are 17 steps.
pub const VALIDATION_WORDS: usize = 256 * 1024;

/// Bytes of a container's header. Source: twice what 1,024 digests need.
pub const HEADER_BYTES: usize = 64 * 1024;

/// Bytes of a delta's body. Source: one chunk, so that applying is one step; whoever changes more at
/// once publishes a snapshot.
pub const DELTA_BYTES: u64 = CHUNK_BYTES;

/// Rows of a delta. Source: bounds the memory of the decoded rows to a few MiB.
pub const DELTA_ROWS: usize = 16_384;

/// Bytes of the name of a deployment or slice.
pub const STATE_NAME_BYTES: usize = 128;

/// Keys that a consumer pins: the current one, and the next while keys rotate.
pub const PINNED_KEYS: usize = 2;

/// Types of one model. Source: ten times OpenFGA's default.
pub const MODEL_TYPES: usize = 1_000;

/// Errors of one model that are told; more help nobody.
pub const MODEL_ERRORS: usize = 100;

/// Seconds that a state may be old for actions of mode `read`, whatever the contract says. Source:
/// an hour, as for key sets: how long a revocation may go unnoticed by what only looks.
pub const STATE_AGE_READ_SECONDS: u64 = 3600;

/// Seconds that signed evidence may be old that stands for a stored delegation. Source: design,
/// section 2.
pub const ON_INVOKE_SECONDS: u64 = 600;

/// Seconds that an agent context may serve. Source: design, section 2.
pub const AGENT_CONTEXT_SECONDS: u64 = 60;

/// Objects looked at above a resource to find its workspace and board. Source: ten times the
/// deepest hierarchy of the worked models; beyond it the resource has neither.
pub const ANCESTORS: usize = 64;

/// Resources of one request. Source: more than any tool takes; bounds the work of line 8.
pub const RESOURCES: usize = 64;

/// Bytes of a facts file. Source: some 500,000 relationships one by one; whoever has more has a
/// registry.
pub const FACTS_BYTES: usize = 64 * 1024 * 1024;

/// Characters of an object in a raw question. Source: OpenFGA's API.
pub const OBJECT_CHARACTERS: usize = 256;

/// Characters of a user in a raw question. Source: OpenFGA's API.
pub const USER_CHARACTERS: usize = 512;
