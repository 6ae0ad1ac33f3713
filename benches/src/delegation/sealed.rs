//! The signed containers of a world, and the configuration under which they are taken.

use anyhow::Result;
use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::delta;
use mandate_authz::row::Row;

/// A container of a body, for tests of models: without tenants.
///
/// # Errors
/// When it cannot be signed.
pub fn snapshot(body: &[u8]) -> Result<Vec<u8>> {
    sealed(Kind::Snapshot, true, 1, body)
}

/// A container of the first delta after it.
///
/// # Errors
/// When it cannot be written or signed.
pub fn delta(rows: &[Row]) -> Result<Vec<u8>> {
    let body = delta::encode(rows).map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    sealed(Kind::Delta { base: 1, from: 1 }, true, 2, &body)
}

/// A container of a delta of no changes at the snapshot's own position.
///
/// # Errors
/// When it cannot be signed.
pub fn heartbeat() -> Result<Vec<u8>> {
    sealed(Kind::Delta { base: 1, from: 1 }, true, 1, &[])
}

/// A container with tenants and records.
///
/// # Errors
/// When it cannot be signed.
pub fn registry(body: &[u8]) -> Result<Vec<u8>> {
    sealed(Kind::Snapshot, false, 1, body)
}

/// The configuration of whoever takes them.
///
/// # Errors
/// When there is no key.
pub fn config() -> Result<String> {
    let key = key()?.to_public_jwk();
    Ok(format!(r#"{{"deployment":"bench","slice":"all","keys":[{key}]}}"#))
}

fn sealed(kind: Kind, raw: bool, epoch: u64, body: &[u8]) -> Result<Vec<u8>> {
    let statement = Statement {
        kind,
        raw,
        deployment: "bench".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, epoch),
        contract_version: [1, 0, 0],
        issued_at: crate::issuer::NOW,
    };
    seal(&statement, body, &key()?).map_err(|problem| anyhow::anyhow!("{problem:?}"))
}

fn key() -> Result<SigningKey> {
    SigningKey::from_seed([1; 32]).map_err(|problem| anyhow::anyhow!("{problem:?}"))
}
