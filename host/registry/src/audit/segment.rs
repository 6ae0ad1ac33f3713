//! Segments: the oldest records of a chain, exported and deleted, and what is signed of them.

use std::fmt;

use mandate_authn::{Object, base64url};
use mandate_authz::container::{PinnedKey, SigningKey};

use super::chain::Hash;
use super::statement::{self, Sort, Unfit};
use super::verify::Broken;
use crate::database::{Row, Transaction};
use crate::error::RegistryError;

const SORT: Sort = Sort { domain: b"mandate audit segment 1\n", member: "segment" };

/// Records of a chain that follow one another, with the hashes at its ends: by them it joins to the
/// segment before it and to the records after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The deployment whose registry it is.
    pub deployment: String,
    /// The tenant; empty for the chain of what has none.
    pub tenant: String,
    /// The number of its first record.
    pub first: u64,
    /// The number of its last record.
    pub last: u64,
    /// The hash of the record before the first; zeros before record 1.
    pub previous: [u8; 32],
    /// The hash of the last record.
    pub hash: [u8; 32],
    /// When it was signed.
    pub time: u64,
}

/// Why a text is no segment's statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentProblem {
    /// It is no statement in its one form.
    Malformed,
    /// None of the keys signed it.
    Signature,
}

impl Segment {
    /// Reads the statement of a segment that one of the keys has signed.
    ///
    /// # Errors
    /// Why it is none.
    pub fn open(text: &str, keys: &[PinnedKey]) -> Result<Self, SegmentProblem> {
        let members = SORT.open(text, keys).map_err(|unfit| match unfit {
            Unfit::Malformed => SegmentProblem::Malformed,
            Unfit::Signature => SegmentProblem::Signature,
        })?;
        let segment = Self::read(&members).ok_or(SegmentProblem::Malformed)?;
        let is_range = segment.first > 0 && segment.first <= segment.last;
        if is_range { Ok(segment) } else { Err(SegmentProblem::Malformed) }
    }

    fn read(members: &Object) -> Option<Self> {
        Some(Self {
            deployment: statement::text(members, "deployment")?,
            tenant: statement::text(members, "tenant")?,
            first: statement::number(members, "first")?,
            last: statement::number(members, "last")?,
            previous: statement::hash(members, "previous")?,
            hash: statement::hash(members, "hash")?,
            time: statement::number(members, "time")?,
        })
    }

    /// Signs: canonical JSON, one line without its end. It is the first line of the segment's file.
    #[must_use]
    pub fn seal(&self, key: &SigningKey) -> String {
        let statement = mandate_authn::json_object([
            ("deployment", Some(self.deployment.as_str().into())),
            ("first", Some(self.first.into())),
            ("hash", Some(base64url::encode(&self.hash).into())),
            ("key", Some(key.id().to_string().into())),
            ("last", Some(self.last.into())),
            ("previous", Some(base64url::encode(&self.previous).into())),
            ("tenant", Some(self.tenant.as_str().into())),
            ("time", Some(self.time.into())),
        ]);
        SORT.seal(statement, key)
    }

    /// The number of its records.
    #[must_use]
    pub const fn records(&self) -> u64 {
        // INVARIANT: who reads or makes one requires 1 <= first <= last.
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "records {} to {}", self.first, self.last)
    }
}

impl fmt::Display for SegmentProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "this is no segment of the audit chain",
            Self::Signature => "none of the keys signed this segment",
        })
    }
}

impl std::error::Error for SegmentProblem {}

/// The segments of a chain, from its first record on. Nothing of a row is believed before a key has
/// vouched for it.
pub(super) fn sealed(
    transaction: &mut dyn Transaction,
    deployment: &str,
    tenant: &str,
    keys: &[PinnedKey],
) -> Result<Result<Vec<Segment>, Broken>, RegistryError> {
    let sql = "select first_sequence, last_sequence, hash, statement from audit_segment \
        where tenant = $1 order by last_sequence";
    let mut segments = Vec::new();
    let mut end: (u64, Hash) = (0, [0; 32]);
    for row in transaction.query(sql, &[tenant.into()])? {
        let segment = match read_row(&row, deployment, tenant, keys)? {
            Ok(segment) => segment,
            Err(broken) => return Ok(Err(broken)),
        };
        let next = end.0.saturating_add(1);
        if segment.first > next {
            return Ok(Err(Broken::Missing { sequence: next }));
        }
        if segment.first < next || segment.previous != end.1 {
            return Ok(Err(Broken::Segment { first: segment.first, last: segment.last }));
        }
        end = (segment.last, segment.hash);
        segments.push(segment);
    }
    Ok(Ok(segments))
}

fn read_row(
    row: &Row,
    deployment: &str,
    tenant: &str,
    keys: &[PinnedKey],
) -> Result<Result<Segment, Broken>, RegistryError> {
    let (first, last) = (row.number(0)?, row.number(1)?);
    let segment = match Segment::open(&row.text(3)?, keys) {
        Ok(segment) => segment,
        Err(SegmentProblem::Malformed) => return Ok(Err(Broken::Segment { first, last })),
        Err(SegmentProblem::Signature) => return Ok(Err(Broken::Unsigned { first, last })),
    };
    let is_row = (segment.first, segment.last) == (first, last) && row.bytes(2)? == segment.hash;
    let is_ours = segment.tenant == tenant && segment.deployment == deployment;
    Ok(if is_row && is_ours { Ok(segment) } else { Err(Broken::Segment { first, last }) })
}
