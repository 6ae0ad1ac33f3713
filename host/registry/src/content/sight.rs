//! What a slice holds, and what it held before.

use std::collections::HashMap;

use mandate_authz::container::Position;
use mandate_authz::delta;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::policy::Types;
use mandate_authz::row::Row;

use super::Slice;
use crate::database::{Transaction, unreadable};
use crate::error::RegistryError;

/// What a slice holds. Answers are kept: everything that asks is of one transaction.
pub(super) struct Sight<'s> {
    slice: &'s Slice,
    types: &'s Types,
    now: HashMap<String, bool>,
    before: HashMap<String, bool>,
}

impl<'s> Sight<'s> {
    pub(super) fn new(slice: &'s Slice, types: &'s Types) -> Self {
        Self { slice, types, now: HashMap::new(), before: HashMap::new() }
    }

    /// Reads at once what [`Sight::sees`] reads one by one.
    pub(super) fn preload(
        &mut self,
        transaction: &mut dyn Transaction,
    ) -> Result<(), RegistryError> {
        if self.slice.tenants.is_none() {
            return Ok(());
        }
        let sql = "select name, tenant from object union all \
            select object, tenant from machine_identity union all \
            select object, tenant from membership";
        for row in transaction.query(sql, &[])? {
            let seen = row.optional_text(1)?.is_some_and(|tenant| self.slice.has(&tenant));
            // People belong to several, and are objects without a tenant besides.
            *self.now.entry(row.text(0)?).or_insert(false) |= seen;
        }
        Ok(())
    }

    /// Whether the slice holds an object.
    pub(super) fn sees(
        &mut self,
        transaction: &mut dyn Transaction,
        object: &ObjectName,
    ) -> Result<bool, RegistryError> {
        if let Some(seen) = self.by_name(object) {
            return Ok(seen);
        }
        let name = object.to_string();
        if let Some(seen) = self.now.get(&name) {
            return Ok(*seen);
        }
        let sql = "select tenant from object where name = $1 and tenant is not null union all \
            select tenant from machine_identity where object = $1 union all \
            select tenant from membership where object = $1";
        let mut seen = false;
        for row in transaction.query(sql, &[name.as_str().into()])? {
            seen |= self.slice.has(&row.text(0)?);
        }
        self.now.insert(name, seen);
        Ok(seen)
    }

    /// Whether the slice holds what a relationship joins.
    pub(super) fn sees_both(
        &mut self,
        transaction: &mut dyn Transaction,
        object: &ObjectName,
        subject: &Subject,
    ) -> Result<bool, RegistryError> {
        Ok(self.sees(transaction, object)?
            && match subject {
                Subject::Object(name) | Subject::Userset(name, _) => {
                    self.sees(transaction, name)?
                }
                Subject::Wildcard(_) => true,
            })
    }

    /// Whether the slice holds an object or held it at a position. Rows that end something name it:
    /// what a consumer never saw is not named to it.
    pub(super) fn knows(
        &mut self,
        transaction: &mut dyn Transaction,
        object: &ObjectName,
        from: Position,
    ) -> Result<bool, RegistryError> {
        if let Some(seen) = self.by_name(object) {
            return Ok(seen);
        }
        if self.sees(transaction, object)? {
            return Ok(true);
        }
        let name = object.to_string();
        if let Some(seen) = self.before.get(&name) {
            return Ok(*seen);
        }
        let kinds = "'put-object', 'put-identity', 'delete-object', 'delete-identity'";
        let seen = match last(transaction, kinds, &name, from)? {
            Some(Row::PutObject { tenant, .. }) => {
                tenant.is_some_and(|tenant| self.slice.has(&tenant))
            }
            Some(Row::PutIdentity(identity)) => {
                identity.tenants.iter().any(|tenant| self.slice.has(tenant))
            }
            _ => false,
        };
        self.before.insert(name, seen);
        Ok(seen)
    }

    /// Whether the slice held a credential at a position.
    pub(super) fn knew_credential(
        &mut self,
        transaction: &mut dyn Transaction,
        id: &str,
        from: Position,
    ) -> Result<bool, RegistryError> {
        if self.slice.tenants.is_none() {
            return Ok(true);
        }
        match last(transaction, "'put-credential'", id, from)? {
            Some(Row::PutCredential(credential)) => {
                self.knows(transaction, &credential.identity, from)
            }
            _ => Ok(false),
        }
    }

    /// Where the name alone says it.
    fn by_name(&self, object: &ObjectName) -> Option<bool> {
        if self.slice.tenants.is_none() || self.types.is_shared(&object.type_name) {
            return Some(true);
        }
        (object.type_name == self.types.tenant).then(|| self.slice.has(&object.id))
    }
}

/// The last row of the log about something, up to a position.
fn last(
    transaction: &mut dyn Transaction,
    kinds: &str,
    item: &str,
    from: Position,
) -> Result<Option<Row>, RegistryError> {
    let sql = format!(
        "select row_bytes from change where item = $1 and kind in ({kinds}) \
        and (era < $2 or (era = $2 and epoch <= $3)) \
        order by era desc, epoch desc, position desc limit 1"
    );
    let rows = transaction.query(&sql, &[item.into(), from.era.into(), from.epoch.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let rows = delta::decode(&row.bytes(0)?).map_err(|_| unreadable())?;
    Ok(rows.into_iter().next())
}
