//! The file of a segment: its signed statement, then its records, one a line (docs/audit.md#segments).

use std::fmt;
use std::io::{BufRead, Read as _};

use mandate_authn::{Json, Object, base64url};
use mandate_authz::container::PinnedKey;

use super::chain::{self, Hash};
use super::checkpoint::Checkpoint;
use super::event::EventKind;
use super::query::AuditEntry;
use super::segment::{Segment, SegmentProblem};
use super::statement;
use super::verify::Broken;
use crate::limits::SEGMENT_LINE_BYTES;

/// A file whose statement is signed, and whose records are those that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// What was signed.
    pub segment: Segment,
    /// As it was signed.
    pub statement: String,
}

/// What is wrong with a segment's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentFault {
    /// A record is not what was sealed: the first.
    Broken(Broken),
    /// A line is no record, or one too many.
    Line {
        /// Its number, from 1.
        number: u64,
    },
    /// Its first line.
    Statement(SegmentProblem),
    /// It cannot be read; the words of the system.
    Unreadable(String),
}

impl SegmentFile {
    /// Reads a file to its end, and compares the checkpoints that saw one of its records.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(
        mut file: impl BufRead,
        keys: &[PinnedKey],
        checkpoints: &[Checkpoint],
    ) -> Result<Self, SegmentFault> {
        let malformed = SegmentFault::Statement(SegmentProblem::Malformed);
        let statement = line(&mut file, 1)?.ok_or(malformed)?;
        let segment = Segment::open(&statement, keys).map_err(SegmentFault::Statement)?;
        let (mut hash, mut number) = (segment.previous, 1_u64);
        for sequence in segment.first..=segment.last {
            number = number.saturating_add(1);
            let truncated = SegmentFault::Broken(Broken::Truncated { sequence });
            let text = line(&mut file, number)?.ok_or(truncated)?;
            let record = Record::parse(&text).ok_or(SegmentFault::Line { number })?;
            hash = record.follow(&segment.tenant, sequence, &hash).map_err(SegmentFault::Broken)?;
            let is_other = |checkpoint: &Checkpoint| {
                checkpoint.tenant == segment.tenant
                    && checkpoint.deployment == segment.deployment
                    && checkpoint.sequence == sequence
                    && checkpoint.hash != hash
            };
            if checkpoints.iter().any(is_other) {
                return Err(SegmentFault::Broken(Broken::Forged { sequence }));
            }
        }
        if hash != segment.hash {
            let (first, last) = (segment.first, segment.last);
            return Err(SegmentFault::Broken(Broken::Segment { first, last }));
        }
        let number = number.saturating_add(1);
        match line(&mut file, number)? {
            None => Ok(Self { segment, statement }),
            Some(_) => Err(SegmentFault::Line { number }),
        }
    }
}

/// The next whole line; none at the end.
fn line(file: &mut impl BufRead, number: u64) -> Result<Option<String>, SegmentFault> {
    let mut bytes = Vec::new();
    let read = file.by_ref().take(SEGMENT_LINE_BYTES).read_until(b'\n', &mut bytes);
    read.map_err(|error| SegmentFault::Unreadable(error.to_string()))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = bytes.strip_suffix(b"\n").and_then(|line| str::from_utf8(line).ok());
    text.map(|text| Some(text.to_owned())).ok_or(SegmentFault::Line { number })
}

/// A record as its line has it.
struct Record {
    tenant: String,
    sequence: u64,
    kind: EventKind,
    record: String,
    hash: Hash,
}

impl Record {
    /// The members of [`AuditEntry::to_line`], and no others.
    fn parse(line: &str) -> Option<Self> {
        const DEPTH: usize = 2;
        let json = Json::parse(line.as_bytes(), DEPTH).ok()?;
        let members: &Object = json.as_object()?;
        let record = Self {
            tenant: statement::text(members, "tenant")?,
            sequence: statement::number(members, "sequence")?,
            kind: EventKind::parse(&statement::text(members, "kind")?)?,
            record: statement::text(members, "record")?,
            hash: statement::hash(members, "hash")?,
        };
        (members.len() == MEMBERS).then_some(record)
    }

    /// Its hash, where it is the record with this number after the one with that hash.
    fn follow(&self, tenant: &str, sequence: u64, previous: &Hash) -> Result<Hash, Broken> {
        if self.sequence > sequence {
            return Err(Broken::Missing { sequence });
        }
        let hash = chain::hash(previous, tenant, sequence, self.kind, &self.record);
        let is_it = self.sequence == sequence && self.tenant == tenant && self.hash == hash;
        if is_it { Ok(hash) } else { Err(Broken::Changed { sequence }) }
    }
}

/// Members of a record's line.
const MEMBERS: usize = 5;

impl AuditEntry {
    /// One line of canonical JSON, without its end. The record is in it as text: its very bytes are
    /// hashed.
    #[must_use]
    pub fn to_line(&self) -> String {
        mandate_authn::json_object([
            ("hash", Some(base64url::encode(&self.hash).into())),
            ("kind", Some(self.kind.as_str().into())),
            ("record", Some(self.record.as_str().into())),
            ("sequence", Some(self.place.sequence.into())),
            ("tenant", Some(self.place.tenant.as_str().into())),
        ])
        .to_canonical()
    }
}

impl fmt::Display for SegmentFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(broken) => write!(formatter, "{broken}"),
            Self::Line { number } => write!(formatter, "line {number} is no record of the segment"),
            Self::Statement(problem) => write!(formatter, "{problem}"),
            Self::Unreadable(words) => write!(formatter, "cannot be read: {words}"),
        }
    }
}

impl std::error::Error for SegmentFault {}
