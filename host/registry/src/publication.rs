//! Signed containers of a slice: snapshots, deltas, heartbeats (docs/snapshot-container.md).

use std::fmt;

use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::{delta, limits};

use crate::content::Slice;
use crate::error::RegistryError;
use crate::registry::Registry;

/// What is published, how, and when.
#[derive(Clone, Copy)]
pub struct Publication<'p> {
    /// What.
    pub slice: &'p Slice,
    /// major, minor, patch of the contract.
    pub contract_version: [u32; 3],
    /// Signs it.
    pub key: &'p SigningKey,
    /// Seconds since the epoch.
    pub issued_at: u64,
}

/// A signed container.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The position that a consumer reaches by it.
    pub position: Position,
    /// The container.
    pub bytes: Vec<u8>,
}

/// What a consumer at a position needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is where the registry is.
    Nothing,
    /// This delta.
    Delta(Sealed),
    /// A snapshot.
    Snapshot,
}

impl Registry {
    /// A signed snapshot of the last write. `seed` keys the hash of its names
    /// ([`World::build`](mandate_authz::snapshot::World::build)).
    ///
    /// # Errors
    /// What the builder refuses, which no write should have let in; what the database says.
    pub fn seal_snapshot(
        &mut self,
        publication: Publication<'_>,
        seed: [u8; 16],
    ) -> Result<Sealed, RegistryError> {
        let content = self.content(publication.slice)?;
        let body = content.world.build(seed);
        let body = body.map_err(|error| RegistryError::Invalid(error.to_string()))?;
        publication.seal(Kind::Snapshot, content.deployment, content.position, &body)
    }

    /// A signed delta from a position to that of the last write, for states that stand on a snapshot
    /// of the epoch `base` or later.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] for a position that the registry has not reached.
    pub fn seal_delta(
        &mut self,
        publication: Publication<'_>,
        from: Position,
        base: u64,
    ) -> Result<Next, RegistryError> {
        let Some(changes) = self.changes_since(from, publication.slice)? else {
            return Ok(Next::Snapshot);
        };
        if changes.position == from {
            return Ok(Next::Nothing);
        }
        let body = delta::encode(&changes.rows)
            .map_err(|problem| RegistryError::Invalid(problem.problem.to_string()))?;
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > limits::DELTA_BYTES {
            return Ok(Next::Snapshot);
        }
        let kind = Kind::Delta { base, from: from.epoch };
        publication.seal(kind, changes.deployment, changes.position, &body).map(Next::Delta)
    }

    /// A signed heartbeat: nothing has changed since the position of the last write.
    ///
    /// # Errors
    /// What the database says.
    pub fn seal_heartbeat(
        &mut self,
        publication: Publication<'_>,
        base: u64,
    ) -> Result<Sealed, RegistryError> {
        let (deployment, position) = self.standing()?;
        let kind = Kind::Delta { base, from: position.epoch };
        publication.seal(kind, deployment, position, &[])
    }
}

impl Publication<'_> {
    fn seal(
        &self,
        kind: Kind,
        deployment: String,
        position: Position,
        body: &[u8],
    ) -> Result<Sealed, RegistryError> {
        let statement = Statement {
            kind,
            raw: false,
            deployment,
            slice: self.slice.name().to_owned(),
            position,
            contract_version: self.contract_version,
            issued_at: self.issued_at,
        };
        let bytes = seal(&statement, body, self.key)
            .map_err(|problem| RegistryError::Invalid(problem.to_string()))?;
        Ok(Sealed { position, bytes })
    }
}

impl fmt::Debug for Publication<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Publication({} at {})", self.slice.name(), self.issued_at)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({}, {} bytes)", self.position, self.bytes.len())
    }
}
