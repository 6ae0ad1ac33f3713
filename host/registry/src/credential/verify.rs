//! Checking a presented secret.

use super::{COLUMNS, Credential, read};
use crate::error::RegistryError;
use crate::limits::SECRET_BYTES;
use crate::registry::Registry;
use crate::secret::{Algorithm, Stored};

/// Why a presented secret is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRefusal {
    /// The credential has expired.
    Expired,
    /// The identity is suspended, retired or expired.
    IdentityDisabled,
    /// The credential was revoked.
    Revoked,
    /// There is no such credential, it has no secret, or this is not it: nobody learns which.
    Wrong,
}

/// What a check gave: the credential, or why not.
pub type Verified = Result<Credential, SecretRefusal>;

impl Registry {
    /// Whether a secret is that of a live credential of a live identity.
    ///
    /// The secret is compared before anything else is said, in a time that does not depend on it.
    ///
    /// # Errors
    /// What the database says; a secret that is not good is an outcome.
    pub fn verify_secret(
        &mut self,
        id: &str,
        secret: &str,
        now: u64,
    ) -> Result<Verified, RegistryError> {
        let sql = format!(
            "select {COLUMNS}, secret_hash, (select case when status = 'active' and \
            (expires_at is null or expires_at > $2) then 1 else 0 end from machine_identity \
            where object = identity) from machine_identity_credential where id = $1"
        );
        let row = self.read(|transaction, _| {
            let rows = transaction.query(&sql, &[id.into(), now.into()])?;
            Ok(rows.into_iter().next())
        })?;
        // An unknown id costs what a known one does.
        let nobody = Stored { algorithm: Algorithm::Sha256, hash: String::new() };
        let (credential, stored, is_live) = match &row {
            None => (None, nobody, false),
            Some(row) => {
                let credential = read(row)?;
                let stored = match (credential.secret, row.optional_text(16)?) {
                    (Some(algorithm), Some(hash)) => Stored { algorithm, hash },
                    _ => nobody,
                };
                (Some(credential), stored, row.number(17)? == 1)
            }
        };
        let fits = secret.len() <= SECRET_BYTES && stored.fits(id, secret);
        Ok(match credential {
            Some(credential) if fits => judge(credential, is_live, now),
            _ => Err(SecretRefusal::Wrong),
        })
    }
}

fn judge(credential: Credential, is_live: bool, now: u64) -> Verified {
    if credential.revoked_at.is_some() {
        Err(SecretRefusal::Revoked)
    } else if credential.expires_at.is_some_and(|expires| expires <= now) {
        Err(SecretRefusal::Expired)
    } else if is_live {
        Ok(credential)
    } else {
        Err(SecretRefusal::IdentityDisabled)
    }
}
