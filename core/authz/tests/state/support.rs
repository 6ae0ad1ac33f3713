//! A small deployment: two keys, a statement about a body.

use mandate_authz::container::{Kind, PinnedKey, Position, SigningKey, Statement, seal};

pub(crate) const NOW: u64 = 1_767_225_600;

/// The key of this number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32]).unwrap()
}

/// The public half of the key of this number.
pub(crate) fn pinned(number: u8) -> PinnedKey {
    PinnedKey::parse(&key(number).to_public_jwk()).unwrap()
}

/// What is said of a snapshot at era 1, epoch 7.
pub(crate) fn snapshot_statement() -> Statement {
    Statement {
        kind: Kind::Snapshot,
        raw: false,
        deployment: "globex".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, 7),
        contract_version: [1, 2, 3],
        issued_at: NOW,
    }
}

/// What is said of the changes from one epoch to another, for snapshots from epoch 7 on.
pub(crate) fn delta_statement(from: u64, to: u64) -> Statement {
    let position = Position::new(1, to);
    Statement { kind: Kind::Delta { base: 7, from }, position, ..snapshot_statement() }
}

/// Sealed with the first key.
pub(crate) fn sealed(statement: &Statement, body: &[u8]) -> Vec<u8> {
    seal(statement, body, &key(1)).unwrap()
}
