//! What changed since a position, as the rows of one delta.

use std::collections::BTreeSet;

use mandate_authz::container::Position;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::row::Row;
use mandate_authz::{delta, limits};

use super::sight::Sight;
use super::{Slice, standing};
use crate::database::{Transaction, Value, unreadable};
use crate::error::RegistryError;
use crate::registry::{Registry, Rules};
use crate::{credential, identity, person, relationship};

/// What changed since a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The deployment whose registry it is.
    pub deployment: String,
    /// Up to where it leads: the position of the last write.
    pub position: Position,
    /// Rows in an order in which each can be applied; none where nothing of the slice changed.
    pub rows: Vec<Row>,
}

impl Registry {
    /// What leads a consumer of a slice from a position to that of the last write. `None` where only
    /// a snapshot does: from another era, or when too much has changed for one delta.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] for a position that the registry has not reached.
    pub fn changes_since(
        &mut self,
        from: Position,
        slice: &Slice,
    ) -> Result<Option<Changes>, RegistryError> {
        self.read(|transaction, rules| {
            let (deployment, position) = standing(transaction)?;
            if from > position {
                let message = format!("the registry stands at {position}, before {from}");
                return Err(RegistryError::Conflict(message));
            }
            if from.era != position.era {
                return Ok(None);
            }
            let Some(touched) = Touched::since(transaction, from)? else { return Ok(None) };
            let sight = Sight::new(slice, rules.policy.types());
            let mut gathering = Gathering { transaction, rules, slice, sight, from };
            let rows = gathering.rows(touched)?;
            let fits = rows.len() <= limits::DELTA_ROWS;
            Ok(fits.then_some(Changes { deployment, position, rows }))
        })
    }
}

type Key = (ObjectName, String, Subject);

/// What to look at.
#[derive(Debug, Default)]
struct Touched {
    credentials: BTreeSet<String>,
    identities: BTreeSet<ObjectName>,
    objects: BTreeSet<ObjectName>,
    tuples: BTreeSet<Key>,
}

impl Touched {
    /// What the log names after a position; `None` when it is more than a delta holds many times.
    fn since(
        transaction: &mut dyn Transaction,
        from: Position,
    ) -> Result<Option<Self>, RegistryError> {
        const MOST: u64 = 16 * 16_384;
        let sql = "select row_bytes from change where era = $1 and epoch > $2 \
            order by epoch, position limit $3";
        let limit = MOST.saturating_add(1);
        let rows = transaction.query(sql, &[from.era.into(), from.epoch.into(), limit.into()])?;
        if u64::try_from(rows.len()).unwrap_or(u64::MAX) > MOST {
            return Ok(None);
        }
        let mut touched = Self::default();
        for row in rows {
            let decoded = delta::decode(&row.bytes(0)?).map_err(|_| unreadable())?;
            decoded.into_iter().for_each(|row| touched.add(row));
        }
        Ok(Some(touched))
    }

    fn add(&mut self, row: Row) {
        // Whether it was named before does not matter.
        let _is_new = match row {
            Row::DeleteCredential { id } => self.credentials.insert(id),
            Row::PutCredential(credential) => self.credentials.insert(credential.id),
            Row::DeleteIdentity { object } => self.identities.insert(object),
            Row::PutIdentity(identity) => self.identities.insert(identity.object),
            Row::DeleteObject { object } | Row::PutObject { object, .. } => {
                self.objects.insert(object)
            }
            Row::DeleteTuple { object, relation, subject } => {
                self.tuples.insert((object, relation, subject))
            }
            Row::WriteTuple(tuple) => {
                self.tuples.insert((tuple.object, tuple.relation, tuple.subject))
            }
        };
    }
}

/// The rows of what was touched, by how it stands now.
struct Gathering<'g> {
    transaction: &'g mut dyn Transaction,
    rules: &'g Rules,
    slice: &'g Slice,
    sight: Sight<'g>,
    from: Position,
}

impl Gathering<'_> {
    /// First everything that ends, then places, then who there is, then relationships: a
    /// relationship is refused where it joins two tenants.
    fn rows(&mut self, mut touched: Touched) -> Result<Vec<Row>, RegistryError> {
        self.follow_moves(&mut touched)?;
        let (mut ends, mut begins) = (Vec::new(), Vec::new());
        let mut part = |rows: Vec<Row>| {
            let is_end = |row: &Row| {
                matches!(
                    row,
                    Row::DeleteCredential { .. }
                        | Row::DeleteIdentity { .. }
                        | Row::DeleteObject { .. }
                        | Row::DeleteTuple { .. }
                )
            };
            let (end, begin): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_end);
            begins.extend(begin);
            end
        };
        let principals = touched.identities.iter().cloned();
        let objects = touched.objects.into_iter().chain(principals).collect();
        let objects = part(self.each(objects, Self::object)?);
        let identities = part(self.each(touched.identities, Self::identity)?);
        let credentials = part(self.each(touched.credentials, Self::credential)?);
        ends.extend(part(self.each(touched.tuples, Self::tuple)?));
        ends.extend(credentials);
        ends.extend(identities);
        ends.extend(objects);
        ends.append(&mut begins);
        Ok(ends)
    }

    fn each<T>(
        &mut self,
        items: BTreeSet<T>,
        row: impl Fn(&mut Self, T) -> Result<Option<Row>, RegistryError>,
    ) -> Result<Vec<Row>, RegistryError> {
        items.into_iter().filter_map(|item| row(self, item).transpose()).collect()
    }

    /// What comes into a slice or leaves it brings its relationships, which the log does not name.
    fn follow_moves(&mut self, touched: &mut Touched) -> Result<(), RegistryError> {
        if self.slice.tenants.is_none() {
            return Ok(());
        }
        for object in touched.objects.iter().chain(&touched.identities) {
            let name: Value = object.to_string().into();
            let condition = "object = $1 or subject_object = $1";
            for tuple in relationship::stored(self.transaction, condition, &[name])? {
                touched.tuples.insert((tuple.object, tuple.relation, tuple.subject));
            }
        }
        Ok(())
    }

    fn object(&mut self, object: ObjectName) -> Result<Option<Row>, RegistryError> {
        let seen = self.sight.sees(self.transaction, &object)?;
        let sql = "select tenant from object where name = $1";
        let found = self.transaction.query(sql, &[object.to_string().into()])?;
        if let Some(row) = found.first().filter(|_| seen) {
            let tenant = match self.rules.policy.types().is_principal(&object.type_name) {
                true => self.only_tenant(&object)?,
                false => row.optional_text(0)?,
            };
            return Ok(Some(Row::PutObject { tenant, object }));
        }
        let known = self.sight.knows(self.transaction, &object, self.from)?;
        Ok(known.then_some(Row::DeleteObject { object }))
    }

    /// The tenant of a principal. Its record says it, and moves nothing where it is applied; several
    /// are as good as none to a relationship.
    fn only_tenant(&mut self, object: &ObjectName) -> Result<Option<String>, RegistryError> {
        let sql = "select tenant from machine_identity where object = $1 union all \
            select tenant from membership where object = $1";
        let rows = self.transaction.query(sql, &[object.to_string().into()])?;
        let tenants = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        let mut tenants = tenants.into_iter().filter(|tenant| self.slice.has(tenant));
        Ok(tenants.next().filter(|_| tenants.next().is_none()))
    }

    fn identity(&mut self, object: ObjectName) -> Result<Option<Row>, RegistryError> {
        let name: Value = object.to_string().into();
        let machines = identity::stored(self.transaction, "object = $1", &[name])?;
        let machine = machines.first().map(identity::MachineIdentity::record);
        let record = match machine {
            Some(record) => Some(record),
            None => person::stored(self.transaction, Some(&object))?.first().map(person::record),
        };
        let seen = self.sight.sees(self.transaction, &object)?;
        if let Some(record) = record.filter(|_| seen) {
            return Ok(Some(Row::PutIdentity(self.slice.trim(record))));
        }
        let known = self.sight.knows(self.transaction, &object, self.from)?;
        Ok(known.then_some(Row::DeleteIdentity { object }))
    }

    fn credential(&mut self, id: String) -> Result<Option<Row>, RegistryError> {
        let found = credential::stored(self.transaction, "id = $1", &[id.as_str().into()])?;
        if let Some(credential) = found.first() {
            let seen = self.sight.sees(self.transaction, &credential.identity)?;
            return Ok(seen.then(|| Row::PutCredential(credential.record())));
        }
        let known = self.sight.knew_credential(self.transaction, &id, self.from)?;
        Ok(known.then_some(Row::DeleteCredential { id }))
    }

    fn tuple(&mut self, key: Key) -> Result<Option<Row>, RegistryError> {
        let (object, relation, subject) = key;
        let condition = "object = $1 and relation = $2 and subject = $3";
        let values =
            [object.to_string().into(), relation.as_str().into(), subject.to_string().into()];
        let found = relationship::stored(self.transaction, condition, &values)?;
        let seen = self.sight.sees_both(self.transaction, &object, &subject)?;
        if let Some(tuple) = found.first().filter(|_| seen) {
            let stored = self.rules.admission.store(tuple).map_err(RegistryError::Invalid)?;
            return Ok(Some(Row::WriteTuple(stored)));
        }
        let known = self.sight.knows(self.transaction, &object, self.from)?
            && match &subject {
                Subject::Object(name) | Subject::Userset(name, _) => {
                    self.sight.knows(self.transaction, name, self.from)?
                }
                Subject::Wildcard(_) => true,
            };
        Ok(known.then_some(Row::DeleteTuple { object, relation, subject }))
    }
}
