//! Sealing: the oldest records of a chain go, once they are in a file.

use mandate_authz::container::PinnedKey;
use ring::digest::{SHA256, digest};

use super::segment::{self, Segment};
use super::verify::{self, Verdict};
use crate::actor::Actor;
use crate::database::{Row, Transaction, rows, unreadable};
use crate::error::RegistryError;
use crate::limits::SEGMENT_RECORDS;
use crate::registry::{Act, Registry, Written, uninitialized};
use crate::text;
use crate::writing::{Deed, Writing};

impl Registry {
    /// The segments of a chain, in their order.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] for one that none of the keys signed, or that was changed.
    pub fn audit_segments(
        &mut self,
        tenant: &str,
        keys: &[PinnedKey],
    ) -> Result<Vec<Segment>, RegistryError> {
        self.read(|transaction, _| {
            let deployment = deployment(transaction)?;
            segment::sealed(transaction, &deployment, tenant, keys)?
                .map_err(|broken| not_intact(tenant, &broken.to_string()))
        })
    }

    /// Whether any chain has a segment: then keys are needed to verify it.
    ///
    /// # Errors
    /// What the database says.
    pub fn has_audit_segments(&mut self) -> Result<bool, RegistryError> {
        self.read(|transaction, _| {
            let sql = "select last_sequence from audit_segment limit 1";
            Ok(!transaction.query(sql, &[])?.is_empty())
        })
    }

    /// The records of a chain that can be sealed: the oldest, up to the one before the first that is
    /// of `before` or later. None where there are none; at most [`SEGMENT_RECORDS`]; never the last
    /// record of the chain.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] for a chain that is not intact.
    pub fn audit_segment_before(
        &mut self,
        tenant: &str,
        before: u64,
        keys: &[PinnedKey],
        now: u64,
    ) -> Result<Option<Segment>, RegistryError> {
        text::check_time(now)?;
        self.read(|transaction, _| {
            let deployment = deployment(transaction)?;
            let segments = segment::sealed(transaction, &deployment, tenant, keys)?
                .map_err(|broken| not_intact(tenant, &broken.to_string()))?;
            let records = match verify::verify(transaction, tenant, &segments, None)? {
                Verdict::Broken(broken) => return Err(not_intact(tenant, &broken.to_string())),
                Verdict::Intact(intact) => intact.records,
            };
            let sql = "select min(sequence) from audit_event where tenant = $1 and time >= $2";
            let rows = transaction.query(sql, &[tenant.into(), before.into()])?;
            let kept = rows.first().ok_or_else(unreadable)?.optional_number(0)?;
            let sealed = segments.last();
            let (end, previous) = sealed.map_or((0, [0; 32]), |last| (last.last, last.hash));
            let last = kept.unwrap_or(records).min(records).saturating_sub(1);
            let last = last.min(end.saturating_add(SEGMENT_RECORDS));
            if last <= end {
                return Ok(None);
            }
            let hash = hash_of(transaction, tenant, last)?.ok_or_else(unreadable)?;
            let first = end.saturating_add(1);
            let hash = hash.try_into().map_err(|_| unreadable())?;
            let tenant = tenant.to_owned();
            Ok(Some(Segment { deployment, tenant, first, last, previous, hash, time: now }))
        })
    }

    /// Deletes the records of a segment and remembers its statement, in one transaction, with an
    /// event in the chain. INVARIANT of the caller: the records are in a file, and on the disk.
    ///
    /// # Errors
    /// Anybody but the local operator; a statement that none of the keys signed;
    /// [`RegistryError::Conflict`] where it is not about the oldest records of the chain.
    pub fn seal_audit(
        &mut self,
        act: &Act,
        statement: &str,
        keys: &[PinnedKey],
    ) -> Result<Written<Segment>, RegistryError> {
        let segment = Segment::open(statement, keys)
            .map_err(|problem| RegistryError::Invalid(problem.to_string()))?;
        self.write(act, |writing| {
            if act.actor != Actor::Local {
                let message = format!("`{}` may not seal audit records", act.actor);
                return Err(RegistryError::Denied(message));
            }
            require_oldest(writing.transaction(), &segment)?;
            remember(writing.transaction(), &segment)?;
            delete(writing, &segment, statement)?;
            let tenant = (!segment.tenant.is_empty()).then(|| segment.tenant.clone());
            let item = Some(segment.to_string());
            writing.note(&Deed { change: "audit-seal", tenant, item, ..Deed::default() })?;
            Ok(segment)
        })
    }
}

fn deployment(transaction: &mut dyn Transaction) -> Result<String, RegistryError> {
    let rows = transaction.query("select deployment from registry", &[])?;
    rows.first().ok_or_else(uninitialized)?.text(0)
}

fn hash_of(
    transaction: &mut dyn Transaction,
    tenant: &str,
    sequence: u64,
) -> Result<Option<Vec<u8>>, RegistryError> {
    let sql = "select hash from audit_event where tenant = $1 and sequence = $2";
    let rows = transaction.query(sql, &[tenant.into(), sequence.into()])?;
    rows.first().map(|row| row.bytes(0)).transpose()
}

/// The segment follows the one before it, ends at a record of the chain, and leaves its last one.
fn require_oldest(
    transaction: &mut dyn Transaction,
    segment: &Segment,
) -> Result<(), RegistryError> {
    let other = || {
        let message = format!("{segment} are not the oldest of the audit chain");
        Err(RegistryError::Conflict(message))
    };
    let tenant = segment.tenant.as_str();
    let sql = "select last_sequence, hash from audit_segment where tenant = $1 \
        order by last_sequence desc limit 1";
    let rows = transaction.query(sql, &[tenant.into()])?;
    let (end, previous) = match rows.first() {
        Some(row) => (row.number(0)?, row.bytes(1)?),
        None => (0, vec![0; 32]),
    };
    let follows = segment.first.checked_sub(1) == Some(end) && previous == segment.previous;
    if !follows || segment.deployment != deployment(transaction)? {
        return other();
    }
    let found = hash_of(transaction, tenant, segment.last)?;
    let after = hash_of(transaction, tenant, segment.last.saturating_add(1))?;
    if found.is_none_or(|hash| hash != segment.hash) || after.is_none() { other() } else { Ok(()) }
}

/// Keeps what is needed to know a record that comes in once more.
fn remember(transaction: &mut dyn Transaction, segment: &Segment) -> Result<(), RegistryError> {
    let sql = "select sequence, decision_id, record from audit_event \
        where tenant = $1 and sequence > $2 and sequence <= $3 order by sequence limit $4";
    let mut after = segment.first.saturating_sub(1);
    while after < segment.last {
        let tenant = segment.tenant.as_str();
        let values = [tenant.into(), after.into(), segment.last.into(), PAGE.into()];
        let rows = transaction.query(sql, &values)?;
        after = rows.last().ok_or_else(unreadable)?.number(0)?;
        insert(transaction, &rows)?;
    }
    Ok(())
}

fn insert(transaction: &mut dyn Transaction, found: &[Row]) -> Result<(), RegistryError> {
    let mut values = Vec::new();
    for row in found {
        values.extend([mark(&row.text(1)?).into(), mark(&row.text(2)?).into()]);
    }
    let rows = rows(found.len(), 2);
    let sql = format!("insert into audit_sealed (id, record) values {rows} on conflict do nothing");
    transaction.execute(&sql, &values).map(drop)
}

/// How an id or a record is known once it is sealed: half of its SHA-256, for which nobody finds
/// another text.
pub(super) fn mark(text: &str) -> Vec<u8> {
    const BYTES: usize = 16;
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(BYTES).copied().collect()
}

fn delete(
    writing: &mut Writing<'_>,
    segment: &Segment,
    statement: &str,
) -> Result<(), RegistryError> {
    let sql = "insert into audit_segment (tenant, first_sequence, last_sequence, hash, statement) \
        values ($1, $2, $3, $4, $5)";
    let tenant = segment.tenant.as_str();
    let hash = segment.hash.to_vec();
    let (first, last) = (segment.first, segment.last);
    let values = [tenant.into(), first.into(), last.into(), hash.into(), statement.into()];
    writing.execute(sql, &values)?;
    let sql = "delete from audit_event where tenant = $1 and sequence <= $2";
    if writing.execute(sql, &[tenant.into(), last.into()])? != segment.records() {
        let message = format!("the audit chain does not hold {segment} alone");
        return Err(RegistryError::Conflict(message));
    }
    Ok(())
}

fn not_intact(tenant: &str, broken: &str) -> RegistryError {
    RegistryError::Conflict(format!("the audit chain of `{tenant}` is not intact: {broken}"))
}

/// Records that are read, or marked, by one statement: two values each, of the 32,766 of SQLite.
const PAGE: u64 = 1000;
