//! Looking at identities.

use mandate_authz::name::ObjectName;

use super::{COLUMNS, MachineIdentity, read, unknown};
use crate::database::Value;
use crate::error::RegistryError;
use crate::registry::Registry;

/// Which identities to list, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this user.
    pub owner: Option<ObjectName>,
    /// After this one.
    pub after: Option<ObjectName>,
    /// As many as that.
    pub most: u64,
}

impl Registry {
    /// One identity.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is none of that name.
    pub fn identity(&mut self, object: &ObjectName) -> Result<MachineIdentity, RegistryError> {
        let sql = format!("select {COLUMNS} from machine_identity where object = $1");
        self.read(|transaction, _| {
            let rows = transaction.query(&sql, &[object.to_string().into()])?;
            rows.first().map_or_else(|| Err(unknown(object)), read)
        })
    }

    /// Identities in the order of their objects.
    ///
    /// # Errors
    /// What the database says.
    pub fn identities(
        &mut self,
        filter: &IdentityFilter,
    ) -> Result<Vec<MachineIdentity>, RegistryError> {
        let mut sql = format!("select {COLUMNS} from machine_identity where 1 = 1");
        let mut values: Vec<Value> = Vec::new();
        let conditions = [
            ("tenant =", filter.tenant.clone()),
            ("owner =", filter.owner.as_ref().map(ToString::to_string)),
            ("object >", filter.after.as_ref().map(ToString::to_string)),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                values.push(value.into());
                sql.push_str(&format!(" and {condition} ${}", values.len()));
            }
        }
        values.push(filter.most.into());
        sql.push_str(&format!(" order by object limit ${}", values.len()));
        self.read(|transaction, _| transaction.query(&sql, &values)?.iter().map(read).collect())
    }
}
