//! Small worlds.

use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::relation_query::{ListQuery, RelationAnswer, RelationQuery};
use mandate_authz::snapshot::{Snapshot, World};
use mandate_authz::tuple::Tuple;
use serde_json::Map;

pub(crate) const SEED: [u8; 16] = [7; 16];

/// A relationship written as `object#relation@subject`.
pub(crate) fn tuple(text: &str) -> Tuple {
    let (object, rest) = text.split_once('#').expect("object");
    let (relation, subject) = rest.split_once('@').expect("relation");
    let object = ObjectName::parse(object).expect("object");
    Tuple::new(object, relation, Subject::parse(subject).expect("subject"))
}

pub(crate) fn tuples(texts: &[&str]) -> Vec<Tuple> {
    texts.iter().map(|text| tuple(text)).collect()
}

pub(crate) fn model(types: &str) -> Model {
    Model::parse_dsl(&format!("model\n  schema 1.1\n{types}")).expect("model")
}

pub(crate) fn raw(types: &str, relationships: &[&str]) -> Snapshot {
    let body = World::raw(model(types), tuples(relationships)).build(SEED).expect("builds");
    Snapshot::from_body(body).expect("loads")
}

/// The answer to `object#relation@user`.
pub(crate) fn check(snapshot: &Snapshot, question: &str) -> RelationAnswer {
    let (object, rest) = question.split_once('#').expect("object");
    let (relation, user) = rest.split_once('@').expect("relation");
    let context = Map::new();
    let query = RelationQuery {
        user,
        relation,
        object,
        contextual_tuples: &[],
        context: &context,
        path: true,
    };
    snapshot.relation_holds(&query)
}

/// The path of an answer that holds, as text; none if it does not hold.
pub(crate) fn path(snapshot: &Snapshot, question: &str) -> Option<Vec<String>> {
    match check(snapshot, question) {
        RelationAnswer::DoesNotHold => None,
        RelationAnswer::Holds(steps) => Some(
            steps
                .iter()
                .map(|step| format!("{}#{}@{}", step.object, step.relation, step.subject))
                .collect(),
        ),
        other => panic!("{question}: {other:?}"),
    }
}

pub(crate) fn list(
    snapshot: &Snapshot,
    type_name: &str,
    relation: &str,
    user: &str,
) -> Vec<String> {
    let context = Map::new();
    let query = ListQuery { user, relation, type_name, contextual_tuples: &[], context: &context };
    snapshot.list_objects(&query).expect("fits").expect("answers")
}
