//! Every limit of the registry: docs/limits.md.

use std::time::Duration;

/// Bytes of a name, an issuer, a subject, a display name, an imported secret: indexes of Postgres
/// hold 2,704.
pub const TEXT_BYTES: usize = 512;

/// Bytes of a deployment's name: it stands in the id of every audit record of a change.
pub const DEPLOYMENT_BYTES: usize = 128;

/// Bytes of a secret that is presented: more is no secret, and hashing it would be work for nothing.
pub const SECRET_BYTES: usize = 1024;

/// Bytes of an audit record: contract/CONTRACT.md#audit.
pub const RECORD_BYTES: usize = 8 * 1024;

/// JSON levels of an audit record: an actor of a chain is at 3.
pub const RECORD_DEPTH: usize = 8;

/// Characters of a column that repeats what callers may choose; the record has it whole.
pub const COLUMN_CHARACTERS: usize = 512;

/// Records of one segment: sealing them is one transaction, and other writers wait [`BUSY`] for it.
pub const SEGMENT_RECORDS: u64 = 50_000;

/// Bytes of a line of a segment's file: a record, of which JSON may write each byte as six, and a
/// tenant's name.
pub const SEGMENT_LINE_BYTES: u64 = 64 * 1024;

/// The largest time, 2^53 - 1, beyond which JSON loses digits. Seconds since the epoch.
pub const LARGEST_TIME: u64 = (1 << 53) - 1;

/// How long a writer waits for another one. Postgres has it in its session as well.
pub const BUSY: Duration = Duration::from_secs(5);

/// Seconds that a bootstrap credential lives.
pub const BOOTSTRAP_LIFETIME: u64 = 3_600;

/// Attempts that a bootstrap credential bears: 256 bits are not guessed, and who tries is stopped.
pub const BOOTSTRAP_ATTEMPTS: u64 = 10;

/// Seconds for which a message is nobody else's while it is being delivered.
pub const DELIVERY_LEASE: u64 = 60;

/// Seconds from each failed attempt to deliver a message to the next one; after these it is given up
/// (Standard Webhooks, "deliverability and reliability").
pub const DELIVERY_WAITS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
