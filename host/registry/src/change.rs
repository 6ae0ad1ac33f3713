//! The log of changes: what deltas are made of.
//!
//! A row is stored in the form in which a delta carries it (docs/snapshot-container.md#rows), so that
//! the registry and the snapshot writer share one type and one encoding.

use mandate_authz::container::Position;
use mandate_authz::delta;
use mandate_authz::row::Row;

use crate::database::{self, Transaction, unreadable};
use crate::error::RegistryError;
use crate::registry::Registry;

/// A row of the log, with the position of the write that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The write.
    pub position: Position,
    /// What it changed.
    pub row: Row,
}

impl Registry {
    /// What changed after a position, in the order of writes: whole writes, as many as fit into
    /// `most` rows and at least one.
    ///
    /// # Errors
    /// What the database says.
    pub fn changes_after(
        &mut self,
        position: Position,
        most: u64,
    ) -> Result<Vec<Change>, RegistryError> {
        self.read(|transaction, _| {
            let sql = "select epoch, row_bytes from change where era = $1 and epoch > $2 \
                order by epoch, position limit $3";
            // One more, to see whether the last write is whole.
            let limit = most.max(1).saturating_add(1);
            let values = [position.era.into(), position.epoch.into(), limit.into()];
            let rows = transaction.query(sql, &values)?;
            let cut = u64::try_from(rows.len()).unwrap_or(u64::MAX) == limit;
            let mut changes =
                rows.iter().map(|row| read(position.era, row)).collect::<Result<Vec<_>, _>>()?;
            if cut && let Some(last) = changes.last().map(|change| change.position) {
                let whole = changes.iter().any(|change| change.position != last);
                if whole {
                    changes.retain(|change| change.position != last);
                } else {
                    changes = write_at(transaction, last)?;
                }
            }
            Ok(changes)
        })
    }
}

/// Everything of one write.
fn write_at(
    transaction: &mut dyn Transaction,
    position: Position,
) -> Result<Vec<Change>, RegistryError> {
    let sql = "select epoch, row_bytes from change where era = $1 and epoch = $2 order by position";
    let rows = transaction.query(sql, &[position.era.into(), position.epoch.into()])?;
    rows.iter().map(|row| read(position.era, row)).collect()
}

fn read(era: u64, row: &database::Row) -> Result<Change, RegistryError> {
    let position = Position { era, epoch: row.number(0)? };
    let rows = delta::decode(&row.bytes(1)?).map_err(|_| unreadable())?;
    let [row] = <[Row; 1]>::try_from(rows).map_err(|_| unreadable())?;
    Ok(Change { position, row })
}

/// Appends the rows of a write.
pub(crate) fn append(
    transaction: &mut dyn Transaction,
    position: Position,
    written: &[Row],
) -> Result<(), RegistryError> {
    let numbered: Vec<(u64, &Row)> = (0..).zip(written).collect();
    let table = "change (era, epoch, position, kind, item, row_bytes)";
    database::insert(transaction, table, &numbered, |(number, row)| {
        let bytes = delta::encode(std::slice::from_ref(*row))
            .map_err(|problem| RegistryError::Invalid(problem.problem.to_string()))?;
        let (kind, item) = describe(row);
        Ok([
            position.era.into(),
            position.epoch.into(),
            (*number).into(),
            kind.into(),
            item.into(),
            bytes.into(),
        ])
    })
}

/// For people who look into the table.
fn describe(row: &Row) -> (&'static str, String) {
    match row {
        Row::DeleteCredential { id } => ("delete-credential", id.clone()),
        Row::DeleteIdentity { object } => ("delete-identity", object.to_string()),
        Row::DeleteObject { object } => ("delete-object", object.to_string()),
        Row::DeleteTuple { object, relation, subject } => {
            ("delete-tuple", format!("{object}#{relation}@{subject}"))
        }
        Row::PutCredential(credential) => ("put-credential", credential.id.clone()),
        Row::PutIdentity(identity) => ("put-identity", identity.object.to_string()),
        Row::PutObject { object, .. } => ("put-object", object.to_string()),
        Row::WriteTuple(tuple) => {
            let mandate_authz::row::StoredTuple { object, relation, subject, .. } = tuple;
            ("write-tuple", format!("{object}#{relation}@{subject}"))
        }
    }
}
