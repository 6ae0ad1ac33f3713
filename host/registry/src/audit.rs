//! The audit chain: what was decided and what was changed, one hash chain for each tenant.
//!
//! docs/audit.md specifies the chain, so that a second program can verify it. Events are appended in
//! the transaction of who appends them; of two transactions that append to one tenant, the second
//! waits for the first.

mod chain;
mod checkpoint;
mod event;
mod ingest;
mod query;
mod seal;
mod segment;
mod segment_file;
mod statement;
mod verify;

pub use self::checkpoint::{Checkpoint, CheckpointProblem};
pub use self::event::{Event, EventKind};
pub(crate) use self::ingest::append;
pub use self::ingest::{Appended, Gap};
pub use self::query::{AuditEntry, AuditFilter, Place};
pub use self::segment::{Segment, SegmentProblem};
pub use self::segment_file::{SegmentFault, SegmentFile};
pub use self::verify::{Broken, Intact, Verdict};
