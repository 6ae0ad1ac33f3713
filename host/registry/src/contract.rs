//! Versions of the contract: which were frozen, and which is in force (contract/CONTRACT.md#versions).
//!
//! The registry keeps of each the digest of its content, so that a version means one content for good.

use crate::actor::Actor;
use crate::database::{Row, Transaction};
use crate::error::RegistryError;
use crate::outbox::{self, Announcement};
use crate::registry::{Act, Registry, Written};
use crate::text;
use crate::writing::{Deed, Writing};

/// A version and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractVersion {
    /// `major.minor.patch`.
    pub version: String,
    /// SHA-256 of the document without its status, in hexadecimal.
    pub digest: String,
}

/// Where a version can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is in force.
    Deployed,
    /// Services may be built on it.
    Frozen,
}

impl Stage {
    /// As the contract writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Frozen => "frozen",
        }
    }
}

/// A version that was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownContract {
    /// Which one.
    pub contract: ContractVersion,
    /// When it was frozen.
    pub frozen_at: u64,
    /// When it was deployed, last.
    pub deployed_at: Option<u64>,
    /// Whether it is the one deployed last.
    pub is_in_force: bool,
}

impl Registry {
    /// Every version that was frozen, in that order.
    ///
    /// # Errors
    /// What the database says.
    pub fn contracts(&mut self) -> Result<Vec<KnownContract>, RegistryError> {
        self.read(|transaction, _| known(transaction))
    }

    /// Refuses a content that is not the one under which its version was frozen.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] names the version.
    pub fn require_contract(&mut self, contract: &ContractVersion) -> Result<(), RegistryError> {
        self.read(|transaction, _| find(transaction, contract).map(drop))
    }

    /// Brings a version to a stage and says so to those who asked. Gives whether anything changed: a
    /// version that is there already is announced no second time.
    ///
    /// A version that was in force before another one can be deployed again.
    ///
    /// # Errors
    /// Anybody but the local operator, a content that is not the frozen one, a version that is
    /// deployed before it was frozen.
    pub fn advance_contract(
        &mut self,
        act: &Act,
        contract: &ContractVersion,
        stage: Stage,
        announcement: &Announcement,
    ) -> Result<Written<bool>, RegistryError> {
        text::check("the version of a contract", &contract.version)?;
        self.write(act, |writing| {
            if act.actor != Actor::Local {
                let message = format!("`{}` may not freeze or deploy a contract", act.actor);
                return Err(RegistryError::Denied(message));
            }
            let known = find(writing.transaction(), contract)?;
            let changed = match (stage, known) {
                (Stage::Frozen, Some(_)) => false,
                (Stage::Frozen, None) => writing.freeze(contract)?,
                (Stage::Deployed, Some(known)) if known.is_in_force => false,
                (Stage::Deployed, Some(_)) => writing.deploy(contract)?,
                (Stage::Deployed, None) => {
                    let message = format!("contract {} is not frozen yet", contract.version);
                    return Err(RegistryError::Conflict(message));
                }
            };
            if changed {
                let change = match stage {
                    Stage::Deployed => "contract-deploy",
                    Stage::Frozen => "contract-freeze",
                };
                let item = format!("{} {}", contract.version, contract.digest);
                writing.note(&Deed { change, item: Some(item), ..Deed::default() })?;
                outbox::put(writing, announcement)?;
            }
            Ok(changed)
        })
    }
}

impl Writing<'_> {
    fn freeze(&mut self, contract: &ContractVersion) -> Result<bool, RegistryError> {
        let sql = "insert into contract_version (version, digest, frozen_at) values ($1, $2, $3)";
        let ContractVersion { version, digest } = contract;
        let values = [version.as_str().into(), digest.as_str().into(), self.act.now.into()];
        Ok(self.execute(sql, &values)? == 1)
    }

    fn deploy(&mut self, contract: &ContractVersion) -> Result<bool, RegistryError> {
        let sql = "update contract_version set deployed_at = $2, deployed_epoch = $3 \
            where version = $1";
        let epoch = self.position().epoch;
        let values = [contract.version.as_str().into(), self.act.now.into(), epoch.into()];
        Ok(self.execute(sql, &values)? == 1)
    }
}

/// The record of a version, which has this content.
fn find(
    transaction: &mut dyn Transaction,
    contract: &ContractVersion,
) -> Result<Option<KnownContract>, RegistryError> {
    let mut known = known(transaction)?.into_iter();
    let known = known.find(|known| known.contract.version == contract.version);
    match known {
        Some(known) if known.contract.digest != contract.digest => {
            let version = &contract.version;
            Err(RegistryError::Conflict(format!(
                "contract {version} was frozen with another content: give this one a new version"
            )))
        }
        known => Ok(known),
    }
}

fn known(transaction: &mut dyn Transaction) -> Result<Vec<KnownContract>, RegistryError> {
    let sql = "select version, digest, frozen_at, deployed_at, deployed_epoch from contract_version \
        order by frozen_at, version";
    let rows = transaction.query(sql, &[])?;
    let epochs = rows.iter().map(|row| row.optional_number(4)).collect::<Result<Vec<_>, _>>()?;
    let last = epochs.iter().flatten().max();
    let read = |(row, epoch): (&Row, &Option<u64>)| {
        Ok(KnownContract {
            contract: ContractVersion { version: row.text(0)?, digest: row.text(1)? },
            frozen_at: row.number(2)?,
            deployed_at: row.optional_number(3)?,
            is_in_force: epoch.is_some() && epoch.as_ref() == last,
        })
    };
    rows.iter().zip(&epochs).map(read).collect()
}
