//! A small deployment: keys, a snapshot of two documents, deltas of it.

use mandate_authz::container::{Kind, PinnedKey, Position, SigningKey, Statement, seal};
use mandate_authz::delta::encode;
use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::relation_query::{RelationAnswer, RelationQuery};
use mandate_authz::row::{Row, StoredTuple};
use mandate_authz::snapshot::World;
use mandate_authz::state::{Freshness, State, StateConfig};
use mandate_authz::tuple::Tuple;
use serde_json::Map;

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

/// A configuration that pins these keys.
pub(crate) fn config_with(keys: &[u8], more: &str) -> StateConfig {
    let keys: Vec<String> = keys.iter().map(|number| key(*number).to_public_jwk()).collect();
    let keys = keys.join(",");
    let text = format!(r#"{{"deployment":"globex","slice":"all","keys":[{keys}]{more}}}"#);
    StateConfig::parse(&text).unwrap()
}

/// A state that pins the first key and holds nothing.
pub(crate) fn empty() -> State {
    State::new(config_with(&[1], ""))
}

/// A state that holds the snapshot of era 1, epoch 7: anne views document 1.
pub(crate) fn loaded() -> State {
    let mut state = empty();
    state.load(&snapshot()).unwrap();
    state
}

/// The container of the snapshot of era 1, epoch 7.
pub(crate) fn snapshot() -> Vec<u8> {
    sealed(&snapshot_statement(), &body(&[("document:1", "user:anne")]))
}

/// The body of a snapshot in which these may view.
pub(crate) fn body(viewers: &[(&str, &str)]) -> Vec<u8> {
    let model = Model::parse_dsl(
        "model\n  schema 1.1\ntype user\ntype team\n  relations\n    define member: [user]\n\
         type document\n  relations\n    define viewer: [user, team#member]\n",
    );
    let tuples = viewers.iter().map(|(object, subject)| {
        let object = ObjectName::parse(object).unwrap();
        let relation = if object.type_name == "team" { "member" } else { "viewer" };
        Tuple::new(object, relation, Subject::parse(subject).unwrap())
    });
    World::raw(model.unwrap(), tuples.collect()).build([3; 16]).unwrap()
}

/// The row after which somebody may view.
pub(crate) fn grant(object: &str, subject: &str) -> Row {
    Row::WriteTuple(StoredTuple {
        object: ObjectName::parse(object).unwrap(),
        relation: "viewer".to_owned(),
        subject: Subject::parse(subject).unwrap(),
        condition: None,
    })
}

/// The row after which somebody may not.
pub(crate) fn revoke(object: &str, subject: &str) -> Row {
    Row::DeleteTuple {
        object: ObjectName::parse(object).unwrap(),
        relation: "viewer".to_owned(),
        subject: Subject::parse(subject).unwrap(),
    }
}

/// The delta from one epoch to another, signed by the first key.
pub(crate) fn delta(from: u64, to: u64, rows: &[Row]) -> Vec<u8> {
    sealed(&delta_statement(from, to), &encode(rows).unwrap())
}

/// The heartbeat of an epoch at a moment.
pub(crate) fn heartbeat(epoch: u64, issued_at: u64) -> Vec<u8> {
    sealed(&Statement { issued_at, ..delta_statement(epoch, epoch) }, &[])
}

/// Who of anne and bob may view document 1 and 2, as the state in force says.
pub(crate) fn viewers(state: &State) -> Vec<&'static str> {
    let any_age = Freshness { max_age: u64::MAX, ..Freshness::at(NOW) };
    let snapshot = state.fresh_or_raw(&any_age).unwrap();
    let questions = [
        ("document:1", "user:anne", "1 anne"),
        ("document:1", "user:bob", "1 bob"),
        ("document:2", "user:anne", "2 anne"),
        ("document:2", "user:bob", "2 bob"),
    ];
    let holds = |(object, user, _): &(&str, &str, &str)| {
        let context = Map::new();
        let query = RelationQuery {
            user,
            relation: "viewer",
            object,
            contextual_tuples: &[],
            context: &context,
            path: false,
        };
        match snapshot.relation_holds(&query) {
            RelationAnswer::Holds(_) => true,
            RelationAnswer::DoesNotHold => false,
            other @ (RelationAnswer::Failed(_) | RelationAnswer::Invalid(_)) => {
                panic!("{user} {object}: {other:?}")
            }
        }
    };
    questions.into_iter().filter(holds).map(|(_, _, name)| name).collect()
}
