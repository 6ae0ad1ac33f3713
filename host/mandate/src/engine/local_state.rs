//! A state of this process alone: signed with a key that nobody else ever has.

use anyhow::{Result, anyhow};
use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use serde_json::{Value, json};

/// Seals bodies for an [`Engine`](super::Engine) of the same process, at any moment: for questions
/// about the past, and about worlds that no registry holds.
#[derive(Debug)]
pub struct LocalState {
    key: SigningKey,
    statement: Statement,
}

impl LocalState {
    /// A state with a key of its own, for a world with or without tenants.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(raw: bool, contract_version: [u32; 3]) -> Result<Self> {
        let mut seed = [0; 32];
        getrandom::getrandom(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
        Self::with_seed(seed, raw, contract_version)
    }

    /// The same with a key of the caller's, who signs with it elsewhere too.
    ///
    /// # Errors
    /// When the seed is none of a key.
    pub fn with_seed(seed: [u8; 32], raw: bool, contract_version: [u32; 3]) -> Result<Self> {
        let statement = Statement {
            kind: Kind::Snapshot,
            raw,
            deployment: "local".to_owned(),
            slice: "all".to_owned(),
            position: Position::new(1, 1),
            contract_version,
            issued_at: 0,
        };
        Ok(Self { key: SigningKey::from_seed(seed)?, statement })
    }

    /// The same, at a position and under the contract of a snapshot.
    #[must_use]
    pub fn at(self, statement: &Statement) -> Self {
        let statement = Statement { issued_at: 0, kind: Kind::Snapshot, ..statement.clone() };
        Self { statement, ..self }
    }

    /// The configuration of an engine that takes it.
    ///
    /// # Errors
    /// Never: the key writes itself as JSON.
    pub fn config(&self) -> Result<String> {
        let key: Value = serde_json::from_str(&self.key.to_public_jwk())?;
        let Statement { deployment, slice, .. } = &self.statement;
        Ok(json!({ "deployment": deployment, "slice": slice, "keys": [key] }).to_string())
    }

    /// A snapshot of this body, issued long ago: no question is answered before a heartbeat.
    ///
    /// # Errors
    /// A body larger than the limit.
    pub fn snapshot(&self, body: &[u8]) -> Result<Vec<u8>> {
        self.snapshot_at(body, 0)
    }

    /// A snapshot of this body as of a moment.
    ///
    /// # Errors
    /// A moment above 2^53 - 1, or a body larger than the limit.
    pub fn snapshot_at(&self, body: &[u8], now: u64) -> Result<Vec<u8>> {
        let statement = Statement { issued_at: now, ..self.statement.clone() };
        Ok(seal(&statement, body, &self.key)?)
    }

    /// Says what has changed since the snapshot: the first delta after it.
    ///
    /// # Errors
    /// A moment above 2^53 - 1, or rows above the limit.
    pub fn delta(&self, rows: &[u8], now: u64) -> Result<Vec<u8>> {
        let Position { era, epoch } = self.statement.position;
        let kind = Kind::Delta { base: epoch, from: epoch };
        let position = Position::new(era, epoch.saturating_add(1));
        let statement = Statement { kind, position, issued_at: now, ..self.statement.clone() };
        Ok(seal(&statement, rows, &self.key)?)
    }

    /// Says that nothing has changed until this moment. Moments only go forward.
    ///
    /// # Errors
    /// A moment above 2^53 - 1.
    pub fn heartbeat(&self, now: u64) -> Result<Vec<u8>> {
        let epoch = self.statement.position.epoch;
        let kind = Kind::Delta { base: 0, from: epoch };
        let statement = Statement { kind, issued_at: now, ..self.statement.clone() };
        Ok(seal(&statement, &[], &self.key)?)
    }
}
