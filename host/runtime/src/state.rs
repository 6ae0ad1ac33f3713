//! The state: relationships, identities and credentials, as signed snapshots and deltas.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::authorization::Position;
use crate::bindings::authz;
use crate::failure::Failure;

/// What is now in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateStatus {
    /// The snapshot and every delta since.
    pub position: Position,
    /// The epoch of the snapshot alone.
    pub snapshot_epoch: u64,
    /// The contract's version, `major.minor.patch`.
    pub contract_version: String,
    /// The newest signed issued-at, in seconds since the epoch.
    pub issued_at: u64,
    /// Without tenants: serves raw evaluation only.
    pub raw: bool,
}

/// The state was not loaded. What was loaded before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateError {
    /// A code of `contract/reason-codes.toml`.
    pub reason: String,
    /// For an operator: one line.
    pub detail: String,
}

impl fmt::Display for StateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.reason, self.detail)
    }
}

impl std::error::Error for StateError {}

impl From<authz::StateRefusal> for StateError {
    fn from(refusal: authz::StateRefusal) -> Self {
        Self { reason: refusal.reason, detail: refusal.detail }
    }
}

impl From<Failure> for StateError {
    fn from(failure: Failure) -> Self {
        Self { reason: "internal".to_owned(), detail: failure.to_string() }
    }
}

impl From<authz::StateStatus> for StateStatus {
    fn from(status: authz::StateStatus) -> Self {
        Self {
            position: status.position.into(),
            snapshot_epoch: status.snapshot_epoch,
            contract_version: status.contract_version,
            issued_at: status.issued_at,
            raw: status.raw,
        }
    }
}

/// What every instance has to be given, in this order.
#[derive(Debug, Default)]
pub(crate) struct StateDocuments {
    /// Number of the snapshot: an instance with another one is replaced, since linear memory never
    /// shrinks.
    pub(crate) generation: u64,
    /// The configuration under which the snapshot was accepted.
    pub(crate) config: Option<Arc<str>>,
    pub(crate) snapshot: Option<Arc<[u8]>>,
    pub(crate) deltas: Vec<Delta>,
    /// What is in force after all of them.
    pub(crate) status: Option<StateStatus>,
    /// Why the last load failed, while nothing is in force.
    pub(crate) refused: Option<StateError>,
}

/// A delta that an instance has accepted.
#[derive(Debug, Clone)]
pub(crate) struct Delta {
    /// Ascending, from 1.
    pub(crate) sequence: u64,
    pub(crate) bytes: Arc<[u8]>,
    /// It changed nothing but the age.
    heartbeat: bool,
}

impl StateDocuments {
    /// The same with one more delta. A heartbeat takes the place of the one before.
    pub(crate) fn with_delta(&self, bytes: &[u8], status: StateStatus) -> Self {
        let heartbeat = self.status.as_ref().is_some_and(|old| old.position == status.position);
        let mut deltas = self.deltas.clone();
        let sequence = self.sequence().saturating_add(1);
        if heartbeat && deltas.last().is_some_and(|last| last.heartbeat) {
            deltas.pop();
        }
        deltas.push(Delta { sequence, bytes: bytes.into(), heartbeat });
        Self {
            generation: self.generation,
            config: self.config.clone(),
            snapshot: self.snapshot.clone(),
            deltas,
            status: Some(status),
            refused: None,
        }
    }

    /// The number of the newest delta; 0 without any.
    pub(crate) fn sequence(&self) -> u64 {
        self.deltas.last().map_or(0, |last| last.sequence)
    }

    /// The configuration with the floor raised to what is in force, so that a snapshot that
    /// includes less is refused by an instance that has never seen more.
    pub(crate) fn config_at_floor(&self) -> Option<Arc<str>> {
        let config = self.config.as_ref()?;
        let Some(status) = &self.status else { return Some(config.clone()) };
        let mut document: serde_json::Value = serde_json::from_str(config).ok()?;
        let stated = document.get("floor").cloned();
        let stated: Option<Position> = stated.and_then(|floor| serde_json::from_value(floor).ok());
        let floor = stated.map_or(status.position, |floor| floor.max(status.position));
        let members = document.as_object_mut()?;
        members.insert("floor".to_owned(), serde_json::to_value(floor).ok()?);
        Some(document.to_string().into())
    }
}
