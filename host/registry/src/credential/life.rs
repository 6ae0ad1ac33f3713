//! What becomes of a credential: replaced with an overlap, revoked, deleted with its identity.

use mandate_authz::name::ObjectName;
use mandate_authz::row::Row;

use super::{
    COLUMNS, Credential, CredentialKind, Issued, Material, NewCredential, SecretSource, read,
};
use crate::error::RegistryError;
use crate::identity::MachineIdentity;
use crate::permission::Deed;
use crate::registry::{Act, Registry, Written};
use crate::writing::Writing;

/// How a credential is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The one that is replaced.
    pub id: String,
    /// Seconds for which both are good; 0 ends the old one now.
    pub window: u64,
    /// What the new one is made of, of the same kind. `None` generates a secret.
    pub material: Option<Material>,
    /// From when on the new one is void.
    pub expires_at: Option<u64>,
}

impl Registry {
    /// Replaces a credential. The old one is good for the window, then expires by itself.
    ///
    /// # Errors
    /// One that is revoked or expired, material of another kind.
    pub fn rotate_credential(
        &mut self,
        act: &Act,
        rotation: &Rotation,
    ) -> Result<Written<Issued>, RegistryError> {
        self.write(act, |writing| writing.rotate(rotation))
    }

    /// Revokes a credential, and leaves its identity as it is.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] for one that is revoked already.
    pub fn revoke_credential(
        &mut self,
        act: &Act,
        id: &str,
    ) -> Result<Written<Credential>, RegistryError> {
        self.write(act, |writing| {
            let credential = writing.credential(id)?;
            let identity = writing.identity(&credential.identity)?;
            writing.require(Deed::Revoke, identity.matter())?;
            if credential.revoked_at.is_some() {
                return Err(RegistryError::Conflict(format!("`{id}` is revoked already")));
            }
            writing.revoke(credential, &identity)
        })
    }

    /// Revokes every credential of an identity that is not revoked, and gives these.
    ///
    /// # Errors
    /// What the actor may not do.
    pub fn revoke_all_credentials(
        &mut self,
        act: &Act,
        identity: &ObjectName,
    ) -> Result<Written<Vec<Credential>>, RegistryError> {
        self.write(act, |writing| {
            let identity = writing.identity(identity)?;
            writing.require(Deed::Revoke, identity.matter())?;
            let live = writing.credentials_of(&identity.object)?;
            let live = live.into_iter().filter(|credential| credential.revoked_at.is_none());
            live.map(|credential| writing.revoke(credential, &identity)).collect()
        })
    }
}

impl Writing<'_> {
    fn rotate(&mut self, rotation: &Rotation) -> Result<Issued, RegistryError> {
        let mut old = self.credential(&rotation.id)?;
        let identity = self.identity(&old.identity)?;
        self.require(Deed::Rotate, identity.matter())?;
        let now = self.act.now;
        if old.revoked_at.is_some() || old.expires_at.is_some_and(|expires| expires <= now) {
            let message = format!("`{}` is revoked or expired: add a new credential", old.id);
            return Err(RegistryError::Conflict(message));
        }
        let new = NewCredential {
            material: material(&old, rotation)?,
            subject: old.subject.clone(),
            token_ids: Vec::new(),
            expires_at: rotation.expires_at,
        };
        let issued = self.issue(&identity, &new, Some(&old))?;
        let end = now.saturating_add(rotation.window).min(crate::limits::LARGEST_TIME);
        let end = old.expires_at.map_or(end, |expires| expires.min(end));
        old.expires_at = Some(end);
        let sql = "update machine_identity_credential set expires_at = $2 where id = $1";
        self.execute(sql, &[old.id.as_str().into(), end.into()])?;
        let sql = "update machine_identity set last_rotated_at = $2 where object = $1";
        self.execute(sql, &[identity.object.to_string().into(), now.into()])?;
        self.log(Row::PutCredential(old.record()));
        self.note_credential("credential-rotate", &identity.tenant, &old)?;
        Ok(issued)
    }

    pub(crate) fn revoke(
        &mut self,
        mut credential: Credential,
        identity: &MachineIdentity,
    ) -> Result<Credential, RegistryError> {
        let now = self.act.now;
        credential.revoked_at = Some(now);
        let sql = "update machine_identity_credential set revoked_at = $2 where id = $1";
        self.execute(sql, &[credential.id.as_str().into(), now.into()])?;
        self.log(Row::PutCredential(credential.record()));
        self.note_credential("credential-revoke", &identity.tenant, &credential)?;
        Ok(credential)
    }

    fn credentials_of(&mut self, object: &ObjectName) -> Result<Vec<Credential>, RegistryError> {
        let sql = format!(
            "select {COLUMNS} from machine_identity_credential where identity = $1 order by id"
        );
        self.query(&sql, &[object.to_string().into()])?.iter().map(read).collect()
    }

    /// Removes every credential of an identity that goes.
    pub(crate) fn delete_credentials(
        &mut self,
        identity: &MachineIdentity,
    ) -> Result<(), RegistryError> {
        let now = self.act.now;
        for credential in self.credentials_of(&identity.object)? {
            let id = credential.id.as_str();
            self.execute("delete from machine_identity_credential where id = $1", &[id.into()])?;
            let sql = "insert into tombstone (name, deleted_at) values ($1, $2)";
            self.execute(sql, &[id.into(), now.into()])?;
            self.log(Row::DeleteCredential { id: id.to_owned() });
            self.note_credential("credential-delete", &identity.tenant, &credential)?;
        }
        Ok(())
    }
}

/// What the new credential is made of: of the same kind, or it would be another credential.
fn material(old: &Credential, rotation: &Rotation) -> Result<Material, RegistryError> {
    let needed = || {
        let kind = old.kind.as_str();
        RegistryError::Invalid(format!("`{}` is of kind `{kind}`: give the new one's", old.id))
    };
    match (&rotation.material, old.kind) {
        (None, CredentialKind::AppPassword) => Ok(Material::AppPassword(SecretSource::Generated)),
        (None, CredentialKind::Opaque) => Ok(Material::Opaque(SecretSource::Generated)),
        (Some(material @ Material::AppPassword(_)), CredentialKind::AppPassword)
        | (Some(material @ Material::Certificate(_)), CredentialKind::Certificate)
        | (Some(material @ Material::ContextKey(_)), CredentialKind::ContextKey)
        | (Some(material @ Material::OauthClient(_)), CredentialKind::OauthClient)
        | (Some(material @ Material::Opaque(_)), CredentialKind::Opaque) => Ok(material.clone()),
        (None | Some(_), _) => Err(needed()),
    }
}
