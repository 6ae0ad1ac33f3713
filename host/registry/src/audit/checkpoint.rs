//! Checkpoints: the end of a chain at a moment, signed, to be kept elsewhere.

use std::fmt;

use mandate_authn::{Object, base64url};
use mandate_authz::container::{PinnedKey, SigningKey};

use super::chain::Hash;
use super::statement::{self, Sort, Unfit};
use crate::database::unreadable;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::text;

const SORT: Sort = Sort { domain: b"mandate audit checkpoint 1\n", member: "checkpoint" };

/// The end of a chain at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The deployment whose registry it is.
    pub deployment: String,
    /// The tenant; empty for the chain of what has none.
    pub tenant: String,
    /// The number of the last record.
    pub sequence: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was signed.
    pub time: u64,
}

/// Why a text is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointProblem {
    /// It is no checkpoint in its one form.
    Malformed,
    /// None of the keys signed it.
    Signature,
}

impl Checkpoint {
    /// Reads a checkpoint that one of the keys has signed.
    ///
    /// # Errors
    /// Why it is none.
    pub fn open(text: &str, keys: &[PinnedKey]) -> Result<Self, CheckpointProblem> {
        let members = SORT.open(text, keys).map_err(|unfit| match unfit {
            Unfit::Malformed => CheckpointProblem::Malformed,
            Unfit::Signature => CheckpointProblem::Signature,
        })?;
        Self::read(&members).ok_or(CheckpointProblem::Malformed)
    }

    fn read(members: &Object) -> Option<Self> {
        Some(Self {
            deployment: statement::text(members, "deployment")?,
            tenant: statement::text(members, "tenant")?,
            sequence: statement::number(members, "sequence")?,
            hash: statement::hash(members, "hash")?,
            time: statement::number(members, "time")?,
        })
    }

    /// Signs: canonical JSON, one line.
    fn seal(&self, key: &SigningKey) -> String {
        let statement = mandate_authn::json_object([
            ("deployment", Some(self.deployment.as_str().into())),
            ("hash", Some(base64url::encode(&self.hash).into())),
            ("key", Some(key.id().to_string().into())),
            ("sequence", Some(self.sequence.into())),
            ("tenant", Some(self.tenant.as_str().into())),
            ("time", Some(self.time.into())),
        ]);
        SORT.seal(statement, key)
    }
}

impl fmt::Display for CheckpointProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "this is no checkpoint",
            Self::Signature => "none of the keys signed this checkpoint",
        })
    }
}

impl std::error::Error for CheckpointProblem {}

impl Registry {
    /// Signs where the chain of a tenant ends, keeps a copy, and gives the text to be kept elsewhere.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for a tenant without records.
    pub fn checkpoint(
        &mut self,
        tenant: &str,
        key: &SigningKey,
        now: u64,
    ) -> Result<String, RegistryError> {
        text::check_time(now)?;
        self.append(|transaction| {
            let sql = "select chain.sequence, chain.hash, registry.deployment \
                from audit_chain as chain, registry where chain.tenant = $1 and chain.sequence > 0";
            let rows = transaction.query(sql, &[tenant.into()])?;
            let unknown = || RegistryError::NotFound(format!("audit record of tenant `{tenant}`"));
            let row = rows.first().ok_or_else(unknown)?;
            let hash: Hash = row.bytes(1)?.try_into().map_err(|_| unreadable())?;
            let checkpoint = Checkpoint {
                deployment: row.text(2)?,
                tenant: tenant.to_owned(),
                sequence: row.number(0)?,
                hash,
                time: now,
            };
            let text = checkpoint.seal(key);
            let sql = "insert into audit_checkpoint (tenant, sequence, statement) \
                values ($1, $2, $3) on conflict (tenant, sequence) do update \
                set statement = excluded.statement";
            let sequence = checkpoint.sequence;
            transaction.execute(sql, &[tenant.into(), sequence.into(), text.as_str().into()])?;
            Ok(text)
        })
    }
}
