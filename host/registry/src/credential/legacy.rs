//! Tokens of a table that Mandate replaces: kept so that they can be recognised, and linked to an
//! identity where one is known. Nothing decides by them, linked or not.

use mandate_authz::name::ObjectName;

use crate::database::Row;
use crate::error::RegistryError;
use crate::look_up::Matter;
use crate::permission::Deed;
use crate::registry::{Act, Registry, Written};
use crate::secret::public_id;
use crate::text;
use crate::writing::{Deed as Note, Writing};

/// A row to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLegacyToken {
    /// How the old table hashed: `sha-256`, `bcrypt`, in its own words.
    pub algorithm: String,
    /// The hash, in its own form.
    pub hash: String,
    /// The identity that it belongs to, where somebody knows.
    pub identity: Option<ObjectName>,
}

/// A row that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyToken {
    /// Its id here.
    pub id: String,
    /// How the old table hashed.
    pub algorithm: String,
    /// The identity that it belongs to, where somebody knows.
    pub identity: Option<ObjectName>,
    /// When it was imported.
    pub imported_at: u64,
}

impl Registry {
    /// Imports rows, all or none; a hash that is there already is passed over. Gives the new ones.
    ///
    /// # Errors
    /// An unknown identity; rows without one, from anybody but the local operator.
    pub fn import_legacy_tokens(
        &mut self,
        act: &Act,
        tokens: &[NewLegacyToken],
    ) -> Result<Written<Vec<LegacyToken>>, RegistryError> {
        self.write(act, |writing| {
            let imported = tokens.iter().map(|token| writing.import(token));
            Ok(imported.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// The imported row of a hash.
    ///
    /// # Errors
    /// What the database says.
    pub fn legacy_token(&mut self, hash: &str) -> Result<Option<LegacyToken>, RegistryError> {
        let sql = "select id, algorithm, identity, imported_at from legacy_token where hash = $1";
        self.read(|transaction, _| {
            transaction.query(sql, &[hash.into()])?.first().map(read).transpose()
        })
    }
}

fn read(row: &Row) -> Result<LegacyToken, RegistryError> {
    Ok(LegacyToken {
        id: row.text(0)?,
        algorithm: row.text(1)?,
        identity: row.optional_text(2)?.map(|name| text::object(&name)).transpose()?,
        imported_at: row.number(3)?,
    })
}

impl Writing<'_> {
    fn import(&mut self, new: &NewLegacyToken) -> Result<Option<LegacyToken>, RegistryError> {
        text::check("the name of an algorithm", &new.algorithm)?;
        text::check("a hash", &new.hash)?;
        let tenant = match &new.identity {
            None => {
                self.require(Deed::ImportLegacy, Matter::default())?;
                None
            }
            Some(object) => {
                let identity = self.identity(object)?;
                self.require(Deed::ImportLegacy, identity.matter())?;
                Some(identity.tenant)
            }
        };
        let token = LegacyToken {
            id: public_id(self.randomness)?,
            algorithm: new.algorithm.clone(),
            identity: new.identity.clone(),
            imported_at: self.act.now,
        };
        let sql = "insert into legacy_token (id, algorithm, hash, identity, imported_at) \
            values ($1, $2, $3, $4, $5) on conflict (hash) do nothing";
        let values = [
            token.id.as_str().into(),
            token.algorithm.as_str().into(),
            new.hash.as_str().into(),
            token.identity.as_ref().map(ToString::to_string).into(),
            token.imported_at.into(),
        ];
        if self.execute(sql, &values)? == 0 {
            return Ok(None);
        }
        self.note(&Note {
            change: "legacy-import",
            tenant,
            identity: new.identity.clone(),
            credential: Some(token.id.clone()),
            ..Note::default()
        })?;
        Ok(Some(token))
    }
}
