//! Appending events to their chains.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::chain::{self, Hash};
use super::event::{Event, EventKind};
use super::seal;
use crate::database::{self, Row, Transaction, Value, pieces, places, unreadable};
use crate::error::RegistryError;
use crate::registry::Registry;

/// What appending gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Records that are new.
    pub new: u64,
    /// Records that were there already, word for word.
    pub passed_over: u64,
    /// Ids under which another record had come before. Both are kept.
    pub conflicts: Vec<String>,
}

/// Records of a source that never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The source.
    pub source: String,
    /// The first number that is missing.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl Registry {
    /// Appends records of decisions, all or none.
    ///
    /// # Errors
    /// What the database says. [`RegistryError::Conflict`] and [`RegistryError::Busy`] are for trying
    /// again: somebody else appended the same at the same time.
    pub fn append_audit(&mut self, events: &[Event]) -> Result<Appended, RegistryError> {
        self.append(|transaction| {
            let appended = append(transaction, events)?;
            note_use(transaction, events)?;
            Ok(appended)
        })
    }

    /// What is missing between the first and the last record of each source, `most` gaps.
    ///
    /// # Errors
    /// What the database says.
    pub fn audit_gaps(&mut self, most: u64) -> Result<Vec<Gap>, RegistryError> {
        let sql = "select source, source_sequence + 1, following - 1 from \
            (select source, source_sequence, lead(source_sequence) over \
            (partition by source order by source_sequence) as following \
            from audit_event where source is not null and kind = 'decision') as numbered \
            where following > source_sequence + 1 order by source, source_sequence limit $1";
        let gap = |row: &Row| {
            Ok(Gap { source: row.text(0)?, first: row.number(1)?, last: row.number(2)? })
        };
        self.read(|transaction, _| {
            transaction.query(sql, &[most.into()])?.iter().map(gap).collect()
        })
    }
}

/// Notes when identities and credentials were used last: once for each of a batch, not of a request.
/// What was denied is no use.
fn note_use(transaction: &mut dyn Transaction, events: &[Event]) -> Result<(), RegistryError> {
    let mut identities: BTreeMap<&str, u64> = BTreeMap::new();
    let mut credentials: BTreeMap<&str, u64> = BTreeMap::new();
    for Event { columns, .. } in events {
        if columns.verdict.as_deref() != Some("allow") {
            continue;
        }
        for (latest, name) in [
            (&mut identities, &columns.machine_identity_id),
            (&mut credentials, &columns.credential_id),
        ] {
            if let Some(name) = name {
                let time = latest.entry(name).or_default();
                *time = columns.time.max(*time);
            }
        }
    }
    let identity = "update machine_identity set last_used_at = $2 where object = $1 \
        and (last_used_at is null or last_used_at < $2)";
    let credential = "update machine_identity_credential set last_used_at = $2 where id = $1 \
        and (last_used_at is null or last_used_at < $2)";
    for (sql, latest) in [(identity, identities), (credential, credentials)] {
        for (name, time) in latest {
            transaction.execute(sql, &[name.into(), time.into()])?;
        }
    }
    Ok(())
}

/// The end of a chain.
#[derive(Clone, Copy, Debug)]
struct End {
    sequence: u64,
    hash: Hash,
}

/// Appends events in the caller's transaction.
pub(crate) fn append(
    transaction: &mut dyn Transaction,
    events: &[Event],
) -> Result<Appended, RegistryError> {
    // In one order for everybody: two that wait for each other would wait for ever.
    let mut ends: BTreeMap<&str, End> = events
        .iter()
        .map(|event| (event.tenant.as_str(), End { sequence: 0, hash: [0; 32] }))
        .collect();
    for (tenant, end) in &mut ends {
        *end = lock(transaction, tenant)?;
    }
    let mut known = Known::of(transaction, events)?;
    let mut appended = Appended::default();
    let mut taken = Vec::new();
    for event in events {
        let Some(end) = ends.get_mut(event.tenant.as_str()) else { continue };
        let kind = match known.take(event) {
            Earlier::Other => {
                appended.conflicts.push(event.columns.decision_id.clone());
                EventKind::Conflict
            }
            Earlier::None => {
                appended.new = appended.new.saturating_add(1);
                event.kind
            }
            Earlier::Same => {
                appended.passed_over = appended.passed_over.saturating_add(1);
                continue;
            }
        };
        let sequence = end.sequence.saturating_add(1);
        let hash = chain::hash(&end.hash, &event.tenant, sequence, kind, &event.record);
        *end = End { sequence, hash };
        taken.push((event, kind, *end));
    }
    database::insert(transaction, EVENT, &taken, |(event, kind, end)| {
        Ok(values(event, *kind, *end))
    })?;
    for (tenant, end) in ends {
        let sql = "update audit_chain set sequence = $2, hash = $3 where tenant = $1";
        let values = [tenant.into(), end.sequence.into(), end.hash.to_vec().into()];
        transaction.execute(sql, &values)?;
    }
    Ok(appended)
}

/// Takes a chain, so that nobody else appends to it before this transaction ends.
fn lock(transaction: &mut dyn Transaction, tenant: &str) -> Result<End, RegistryError> {
    let sql = "insert into audit_chain (tenant, sequence, hash) values ($1, 0, $2) \
        on conflict (tenant) do nothing";
    transaction.execute(sql, &[tenant.into(), vec![0; 32].into()])?;
    let sql =
        "update audit_chain set sequence = sequence where tenant = $1 returning sequence, hash";
    let rows = transaction.query(sql, &[tenant.into()])?;
    let row = rows.first().ok_or_else(unreadable)?;
    let hash = row.bytes(1)?.try_into().map_err(|_| unreadable())?;
    Ok(End { sequence: row.number(0)?, hash })
}

/// What came under an id before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earlier {
    None,
    Other,
    Same,
}

/// What came in before under an id, and is there still or is sealed.
enum Before<'e> {
    /// The record.
    Stored(Cow<'e, str>),
    /// Its mark.
    Sealed(Vec<u8>),
}

/// What came in before, by the ids of a batch.
struct Known<'e>(BTreeMap<&'e str, Vec<Before<'e>>>);

impl<'e> Known<'e> {
    fn of(transaction: &mut dyn Transaction, events: &'e [Event]) -> Result<Self, RegistryError> {
        let ids = events.iter().map(|event| event.columns.decision_id.as_str());
        let mut known: BTreeMap<&str, Vec<Before<'_>>> = ids.map(|id| (id, Vec::new())).collect();
        let ids: Vec<&str> = known.keys().copied().collect();
        for ids in pieces(&ids, transaction.rows_at_once()) {
            let by_mark: BTreeMap<Vec<u8>, &str> =
                ids.iter().map(|id| (seal::mark(id), *id)).collect();
            let given = ids.iter().map(|id| (*id).into());
            let values: Vec<Value> = given.chain(by_mark.keys().cloned().map(Into::into)).collect();
            for row in transaction.query(&earlier(ids.len()), &values)? {
                let (id, before) = match row.optional_text(0)? {
                    Some(id) => (id, Before::Stored(Cow::Owned(row.text(1)?))),
                    None => {
                        let id = by_mark.get(&row.bytes(2)?).ok_or_else(unreadable)?;
                        ((*id).to_owned(), Before::Sealed(row.bytes(3)?))
                    }
                };
                known.get_mut(id.as_str()).ok_or_else(unreadable)?.push(before);
            }
        }
        Ok(Self(known))
    }

    /// What came under an event's id before; from now on it did.
    fn take(&mut self, event: &'e Event) -> Earlier {
        let before = self.0.entry(&event.columns.decision_id).or_default();
        let is_same = before.iter().any(|before| match before {
            Before::Stored(record) => *record == event.record,
            Before::Sealed(mark) => *mark == seal::mark(&event.record),
        });
        if is_same {
            return Earlier::Same;
        }
        let is_first = before.is_empty();
        before.push(Before::Stored(Cow::Borrowed(&event.record)));
        if is_first { Earlier::None } else { Earlier::Other }
    }
}

/// What came in under some ids, whose marks come after them. In the words of the two partial indexes:
/// another form reads every record for each that comes in. What is sealed comes first: by it Postgres
/// learns the types of the columns.
fn earlier(ids: usize) -> String {
    let (ids, marks) = (places(ids, 0), places(ids, ids));
    format!(
        "select null as id, null as record, id as id_mark, record as mark from audit_sealed \
        where id in ({marks}) \
        union all select decision_id, record, null, null from audit_event \
        where decision_id in ({ids}) and kind <> 'conflict' \
        union all select decision_id, record, null, null from audit_event \
        where decision_id in ({ids}) and kind = 'conflict'"
    )
}

/// The table, and the columns in the order of [`values`].
const EVENT: &str = "audit_event (tenant, sequence, kind, decision_id, source, source_sequence, time, \
    machine_identity_id, credential_id, user_id, tool, verdict, reason, record, hash)";

fn values(event: &Event, kind: EventKind, end: End) -> [Value; 15] {
    let columns = &event.columns;
    [
        event.tenant.as_str().into(),
        end.sequence.into(),
        kind.as_str().into(),
        columns.decision_id.as_str().into(),
        columns.source.clone().into(),
        columns.source_sequence.into(),
        columns.time.into(),
        columns.machine_identity_id.clone().into(),
        columns.credential_id.clone().into(),
        columns.user.clone().into(),
        columns.tool.clone().into(),
        columns.verdict.clone().into(),
        columns.reason.clone().into(),
        event.record.as_str().into(),
        end.hash.to_vec().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confirm::Confirm;
    use crate::database::{Access, Database as _, SqliteDatabase};
    use crate::limits::BUSY;
    use crate::migration;

    #[test]
    fn an_earlier_record_is_found_by_an_index() {
        let name = format!("mandate-ingest-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut database = SqliteDatabase::open(&folder.join("registry.db"), BUSY).unwrap();
        migration::apply(&mut database, migration::latest(), 1, Confirm::Confirmed).unwrap();
        let mut transaction = database.begin(Access::Read).unwrap();
        let values = ["a".into(), "b".into(), vec![0; 16].into(), vec![0; 16].into()];
        let plan = transaction.query(&format!("explain query plan {}", earlier(2)), &values);
        let steps = plan.unwrap().into_iter().map(|row| row.text(3).unwrap());
        let searches: Vec<_> = steps.filter(|step| step.contains("audit_")).collect();
        drop(transaction);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            searches,
            [
                "SEARCH audit_sealed USING COVERING INDEX sqlite_autoindex_audit_sealed_1 (id=?)",
                "SEARCH audit_event USING INDEX audit_event_decision (decision_id=?)",
                "SEARCH audit_event USING INDEX audit_event_conflict (decision_id=?)",
            ]
        );
    }
}
