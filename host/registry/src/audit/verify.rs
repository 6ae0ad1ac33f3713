//! Verifying a chain: from its first record, or its last segment, to its last record, and against a
//! checkpoint from elsewhere.

use std::fmt;

use mandate_authz::container::PinnedKey;

use super::chain::{self, Hash};
use super::checkpoint::Checkpoint;
use super::event::{Columns, EventKind};
use super::segment::{self, Segment};
use crate::database::{Row, Transaction, unreadable};
use crate::error::RegistryError;
use crate::registry::Registry;

/// Records that are read at a time.
const PAGE: u64 = 1000;

/// What verifying a chain gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something is wrong: the first thing.
    Broken(Broken),
    /// Nothing is wrong that the verifier can see.
    Intact(Intact),
}

/// The first thing that is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A record, or a column of it, is not what was chained.
    Changed {
        /// Its number.
        sequence: u64,
    },
    /// The record is not the one that the checkpoint vouches for: the chain was written anew.
    Forged {
        /// The number that the checkpoint names.
        sequence: u64,
    },
    /// A record that was sealed stands in the chain again.
    Inserted {
        /// Its number.
        sequence: u64,
    },
    /// A record within the chain is gone.
    Missing {
        /// Its number.
        sequence: u64,
    },
    /// Another record of the chain stands in its place.
    Reordered {
        /// The number.
        sequence: u64,
        /// The number that the record of this place has now.
        found_at: u64,
    },
    /// A segment is not what was sealed, or does not follow the one before it.
    Segment {
        /// The number of its first record.
        first: u64,
        /// The number of its last one.
        last: u64,
    },
    /// The chain ends before this record, which was there.
    Truncated {
        /// The number of the first record that is gone.
        sequence: u64,
    },
    /// None of the keys signed a segment: it was changed, or it is of another key.
    Unsigned {
        /// The number of its first record.
        first: u64,
        /// The number of its last one.
        last: u64,
    },
}

/// What the verifier can say of a chain in which nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intact {
    /// The number of its records, those that are sealed included.
    pub records: u64,
    /// Up to where signed segments stand for its records, which are in their files.
    pub sealed: Option<u64>,
    /// Up to where it is the chain that the checkpoint saw. Without a checkpoint whoever writes to
    /// the database could have written the whole chain anew. None as well where the checkpoint's
    /// record is within a segment: then its file says whether it is the one.
    pub vouched: Option<u64>,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence } => write!(formatter, "record {sequence} was changed"),
            Self::Forged { sequence } => {
                write!(formatter, "record {sequence} is not the one that the checkpoint saw")
            }
            Self::Inserted { sequence } => {
                write!(formatter, "record {sequence} was sealed, and stands in the chain again")
            }
            Self::Missing { sequence } => write!(formatter, "record {sequence} was deleted"),
            Self::Reordered { sequence, found_at } => {
                write!(formatter, "record {sequence} was moved: it is number {found_at} now")
            }
            Self::Segment { first, last } => {
                write!(formatter, "the segment of records {first} to {last} was changed")
            }
            Self::Truncated { sequence } => {
                write!(formatter, "the chain was cut off: record {sequence} is gone")
            }
            Self::Unsigned { first, last } => {
                write!(
                    formatter,
                    "none of the keys signed the segment of records {first} to {last}"
                )
            }
        }
    }
}

impl Registry {
    /// Verifies the chain of a tenant, in one state of the database. The keys are those that may have
    /// signed its segments.
    ///
    /// # Errors
    /// What the database says; [`RegistryError::Invalid`] for a checkpoint of another deployment or
    /// tenant. What is wrong with the chain is an outcome.
    pub fn verify_audit(
        &mut self,
        tenant: &str,
        checkpoint: Option<&Checkpoint>,
        keys: &[PinnedKey],
    ) -> Result<Verdict, RegistryError> {
        self.read(|transaction, _| {
            let rows = transaction.query("select deployment from registry", &[])?;
            let deployment = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
            let fits = |checkpoint: &Checkpoint| {
                checkpoint.tenant == tenant && deployment == checkpoint.deployment
            };
            if !checkpoint.is_none_or(fits) {
                let message = "the checkpoint is of another deployment or tenant".to_owned();
                return Err(RegistryError::Invalid(message));
            }
            match segment::sealed(transaction, &deployment, tenant, keys)? {
                Ok(segments) => verify(transaction, tenant, &segments, checkpoint),
                Err(broken) => Ok(Verdict::Broken(broken)),
            }
        })
    }
}

/// Verifies the records after the segments.
pub(super) fn verify(
    transaction: &mut dyn Transaction,
    tenant: &str,
    segments: &[Segment],
    checkpoint: Option<&Checkpoint>,
) -> Result<Verdict, RegistryError> {
    let is_other = |checkpoint: &&Checkpoint| {
        segments
            .iter()
            .any(|segment| segment.last == checkpoint.sequence && segment.hash != checkpoint.hash)
    };
    if let Some(Checkpoint { sequence, .. }) = checkpoint.filter(is_other) {
        return Ok(Verdict::Broken(Broken::Forged { sequence: *sequence }));
    }
    Walk { transaction, tenant, segments, checkpoint }.run()
}

struct Walk<'w> {
    transaction: &'w mut dyn Transaction,
    tenant: &'w str,
    segments: &'w [Segment],
    checkpoint: Option<&'w Checkpoint>,
}

impl Walk<'_> {
    fn run(mut self) -> Result<Verdict, RegistryError> {
        let sealed = self.segments.last();
        let (mut sequence, mut hash) = sealed.map_or((0, [0; 32]), |last| (last.last, last.hash));
        let mut after = 0;
        loop {
            let rows = self.page(after)?;
            for row in &rows {
                let (found, next) = (row.number(0)?, sequence.saturating_add(1));
                if found < next {
                    return Ok(Verdict::Broken(Broken::Inserted { sequence: found }));
                }
                if found > next {
                    return Ok(Verdict::Broken(Broken::Missing { sequence: next }));
                }
                match self.check(row, next, &hash)? {
                    Ok(found) => hash = found,
                    Err(broken) => return Ok(Verdict::Broken(broken)),
                }
                (sequence, after) = (next, next);
            }
            if rows.is_empty() {
                break;
            }
        }
        self.end(sequence, &hash)
    }

    /// The end of the chain, by the table of chains and by the checkpoint.
    fn end(self, sequence: u64, hash: &Hash) -> Result<Verdict, RegistryError> {
        let next = sequence.saturating_add(1);
        let truncated = Ok(Verdict::Broken(Broken::Truncated { sequence: next }));
        let sealed = self.segments.last().map(|segment| segment.last);
        // The last record of a chain is never sealed.
        if sealed == Some(sequence)
            || self.checkpoint.is_some_and(|checkpoint| checkpoint.sequence > sequence)
        {
            return truncated;
        }
        let sql = "select sequence, hash from audit_chain where tenant = $1";
        let rows = self.transaction.query(sql, &[self.tenant.into()])?;
        match rows.first() {
            Some(row) if row.number(0)? > sequence => return truncated,
            Some(row) if row.number(0)? < sequence || row.bytes(1)? != hash => {
                return Ok(Verdict::Broken(Broken::Changed { sequence }));
            }
            None if sequence > 0 => return Ok(Verdict::Broken(Broken::Changed { sequence })),
            _ => {}
        }
        // Of the records of a segment only the last one's hash is here.
        let is_here = |vouched: &u64| {
            sealed.is_none_or(|sealed| *vouched > sealed)
                || self.segments.iter().any(|segment| segment.last == *vouched)
        };
        let vouched = self.checkpoint.map(|checkpoint| checkpoint.sequence).filter(is_here);
        Ok(Verdict::Intact(Intact { records: sequence, sealed, vouched }))
    }

    fn page(&mut self, after: u64) -> Result<Vec<Row>, RegistryError> {
        let sql = "select sequence, kind, record, hash, decision_id, source, source_sequence, time, \
            machine_identity_id, credential_id, user_id, tool, verdict, reason from audit_event \
            where tenant = $1 and sequence > $2 order by sequence limit $3";
        self.transaction.query(sql, &[self.tenant.into(), after.into(), PAGE.into()])
    }

    fn check(
        &mut self,
        row: &Row,
        sequence: u64,
        previous: &Hash,
    ) -> Result<Result<Hash, Broken>, RegistryError> {
        let (kind, record) = (EventKind::parse(&row.text(1)?), row.text(2)?);
        let hash = kind.map(|kind| chain::hash(previous, self.tenant, sequence, kind, &record));
        let Some(hash) = hash.filter(|hash| row.bytes(3).is_ok_and(|stored| stored == *hash))
        else {
            return Ok(Err(match self.find(sequence, previous)? {
                Some(found_at) => Broken::Reordered { sequence, found_at },
                None => Broken::Changed { sequence },
            }));
        };
        let is_column = |(tenant, columns): (String, Columns)| {
            Ok::<_, RegistryError>(tenant == self.tenant && columns == stored_columns(row)?)
        };
        if !Columns::of_record(&record).is_ok_and(|found| is_column(found).unwrap_or(false)) {
            return Ok(Err(Broken::Changed { sequence }));
        }
        match self.checkpoint {
            Some(checkpoint) if checkpoint.sequence == sequence && checkpoint.hash != hash => {
                Ok(Err(Broken::Forged { sequence }))
            }
            _ => Ok(Ok(hash)),
        }
    }

    /// Where the record of a place is now: the one whose hash is that of this place.
    fn find(&mut self, sequence: u64, previous: &Hash) -> Result<Option<u64>, RegistryError> {
        let mut after = 0;
        loop {
            let rows = self.page(after)?;
            for row in &rows {
                let kind = EventKind::parse(&row.text(1)?).ok_or_else(unreadable)?;
                let hash = chain::hash(previous, self.tenant, sequence, kind, &row.text(2)?);
                after = row.number(0)?;
                if row.bytes(3)? == hash {
                    return Ok(Some(after));
                }
            }
            if rows.is_empty() {
                return Ok(None);
            }
        }
    }
}

fn stored_columns(row: &Row) -> Result<Columns, RegistryError> {
    Ok(Columns {
        decision_id: row.text(4)?,
        source: row.optional_text(5)?,
        source_sequence: row.optional_number(6)?,
        time: row.number(7)?,
        machine_identity_id: row.optional_text(8)?,
        credential_id: row.optional_text(9)?,
        user: row.optional_text(10)?,
        tool: row.optional_text(11)?,
        verdict: row.optional_text(12)?,
        reason: row.optional_text(13)?,
    })
}
