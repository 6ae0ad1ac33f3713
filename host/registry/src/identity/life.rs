//! What becomes of an identity: suspended, resumed, retired, scoped, deleted.

use mandate_authz::name::ObjectName;
use mandate_authz::record::{Scope, Status};
use mandate_authz::row::Row;

use super::{MachineIdentity, status_name};
use crate::error::RegistryError;
use crate::permission::Deed;
use crate::registry::{Act, Registry, Written};
use crate::relationship::Key;
use crate::scope;
use crate::text;
use crate::writing::Writing;

impl Registry {
    /// Stops an identity for now: its decisions are `identity-disabled`.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] unless it is active.
    pub fn suspend_identity(
        &mut self,
        act: &Act,
        object: &ObjectName,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| {
            writing.pass(object, Deed::Suspend, &[Status::Active], Status::Suspended)
        })
    }

    /// Lets a suspended identity act again.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] unless it is suspended.
    pub fn resume_identity(
        &mut self,
        act: &Act,
        object: &ObjectName,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| {
            writing.pass(object, Deed::Resume, &[Status::Suspended], Status::Active)
        })
    }

    /// Ends an identity for good. Its record stays.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] when it is retired already.
    pub fn retire_identity(
        &mut self,
        act: &Act,
        object: &ObjectName,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| {
            let from = [Status::Active, Status::Suspended];
            writing.pass(object, Deed::Retire, &from, Status::Retired)
        })
    }

    /// Replaces the scope of an identity.
    ///
    /// # Errors
    /// A scope that names what the contract lacks; one that is larger, from who may only narrow it.
    pub fn scope_identity(
        &mut self,
        act: &Act,
        object: &ObjectName,
        scope: &Scope,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| {
            let mut identity = writing.identity(object)?;
            let is_narrower = scope::covers(&identity.scope, scope);
            let deed = if is_narrower { Deed::Narrow } else { Deed::Widen };
            writing.require(deed, identity.matter())?;
            scope::check(scope, &writing.rules.policy)?;
            let text = scope::write(scope);
            let sql = "update machine_identity set scope = $2 where object = $1";
            writing.execute(sql, &[object.to_string().into(), text.as_str().into()])?;
            identity.scope = scope::read(&text)?;
            writing.log(Row::PutIdentity(identity.record()));
            writing.note_identity("identity-scope", &identity)?;
            Ok(identity)
        })
    }

    /// Removes an identity with its credentials and relationships. Its name is never given again.
    ///
    /// # Errors
    /// What the actor may not do.
    pub fn delete_identity(
        &mut self,
        act: &Act,
        object: &ObjectName,
    ) -> Result<Written<MachineIdentity>, RegistryError> {
        self.write(act, |writing| {
            let identity = writing.identity(object)?;
            writing.require(Deed::DeleteIdentity, identity.matter())?;
            writing.erase_relationships(object)?;
            writing.delete_credentials(&identity)?;
            writing.bury(object)?;
            writing.note_identity("identity-delete", &identity)?;
            Ok(identity)
        })
    }
}

impl Writing<'_> {
    /// From one status to another.
    fn pass(
        &mut self,
        object: &ObjectName,
        deed: Deed,
        from: &[Status],
        to: Status,
    ) -> Result<MachineIdentity, RegistryError> {
        let mut identity = self.identity(object)?;
        self.require(deed, identity.matter())?;
        if !from.contains(&identity.status) {
            let status = status_name(identity.status);
            return Err(RegistryError::Conflict(format!("`{object}` is {status}")));
        }
        let sql = "update machine_identity set status = $2 where object = $1";
        self.execute(sql, &[object.to_string().into(), status_name(to).into()])?;
        identity.status = to;
        self.log(Row::PutIdentity(identity.record()));
        self.note_identity(
            match to {
                Status::Active => "identity-resume",
                Status::Retired => "identity-retire",
                Status::Suspended => "identity-suspend",
            },
            &identity,
        )?;
        Ok(identity)
    }

    fn erase_relationships(&mut self, object: &ObjectName) -> Result<(), RegistryError> {
        let sql = "select object, relation, subject from relationship \
            where object = $1 or subject_object = $1 order by object, relation, subject";
        for row in self.query(sql, &[object.to_string().into()])? {
            let subject = mandate_authz::name::Subject::parse(&row.text(2)?);
            let key = Key {
                object: text::object(&row.text(0)?)?,
                relation: row.text(1)?,
                subject: subject.ok_or_else(crate::database::unreadable)?,
            };
            self.erase(&key)?;
        }
        Ok(())
    }

    fn bury(&mut self, object: &ObjectName) -> Result<(), RegistryError> {
        let name = object.to_string();
        let unlink = [
            "delete from principal_link where object = $1",
            "update legacy_token set identity = null where identity = $1",
            "delete from machine_identity where object = $1",
            "delete from object where name = $1",
        ];
        for sql in unlink {
            self.execute(sql, &[name.as_str().into()])?;
        }
        let now = self.act.now;
        let sql = "insert into tombstone (name, deleted_at) values ($1, $2)";
        self.execute(sql, &[name.into(), now.into()])?;
        self.log(Row::DeleteIdentity { object: object.clone() });
        Ok(())
    }
}
