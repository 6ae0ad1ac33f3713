//! Relationships: what the model evaluates.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::{Tuple, TupleCondition};
use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::relationship::{Key, RelationshipFilter};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::notation::{Object, SubjectName, read};
use super::{Answered, Manager, change, page, written};
use crate::registry_json;
use crate::server::answer::{Answer, malformed, problem};
use crate::server::endpoint::RELATIONSHIPS;
use crate::server::query::{Query, and_one};
use crate::server::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relationships {
    relationships: Vec<Relationship>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relationship {
    object: Object,
    relation: String,
    subject: SubjectName,
    condition: Option<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    name: String,
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    relationships: Vec<KeyNames>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyNames {
    object: Object,
    relation: String,
    subject: SubjectName,
}

/// A page of those of the tenant.
pub(super) async fn list(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let query = Query::read(&request, RELATIONSHIPS)?;
    let limit = query.limit()?;
    let filter = RelationshipFilter {
        object: query.object("object")?,
        object_type: query.text("type"),
        relation: query.text("relation"),
        subject: query.object("subject")?,
        tenant: Some(manager.tenant.clone()),
        after: query.text("after").map(|text| key(&text)).transpose()?,
        most: and_one(limit),
    };
    let found = manager.look(&shared, move |registry, _| registry.relationships(&filter)).await?;
    let name = |tuple: &Tuple| format!("{}#{}@{}", tuple.object, tuple.relation, tuple.subject);
    Ok(page("relationships", found, limit, registry_json::relationship, name))
}

/// Stores some, all or none.
pub(super) async fn write(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let Relationships { relationships } = read(&shared, request).await?;
    let tuple = |given: Relationship| {
        let mut tuple = Tuple::new(given.object.0, given.relation, given.subject.0);
        tuple.condition =
            given.condition.map(|Condition { name, context }| TupleCondition { name, context });
        tuple
    };
    let tuples: Vec<Tuple> = bounded(relationships)?.into_iter().map(tuple).collect();
    let all = tuples.len();
    let act = manager.act(Confirm::Confirmed);
    let deed = move |registry: &mut Registry| registry.write_relationships(&act, &tuples);
    let made = change(&shared, deed).await?;
    let value = json!({ "changed": made.outcome, "given": all });
    Ok(written(Confirm::Confirmed, &made, value))
}

/// Ends some, all or none.
pub(super) async fn delete(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let Keys { relationships } = read(&shared, request).await?;
    let key = |KeyNames { object: Object(object), relation, subject: SubjectName(subject) }| Key {
        object,
        relation,
        subject,
    };
    let keys: Vec<Key> = bounded(relationships)?.into_iter().map(key).collect();
    let all = keys.len();
    let act = manager.act(Confirm::Confirmed);
    let deed = move |registry: &mut Registry| registry.delete_relationships(&act, &keys);
    let made = change(&shared, deed).await?;
    let value = json!({ "changed": made.outcome, "given": all });
    Ok(written(Confirm::Confirmed, &made, value))
}

fn bounded<T>(given: Vec<T>) -> Result<Vec<T>, Answer> {
    if given.len() > MOST {
        let message = format!("at most {MOST} relationships in one request");
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message));
    }
    Ok(given)
}

/// `board:roadmap#viewer@user:anne`: where the page before ended.
fn key(text: &str) -> Result<Key, Answer> {
    let parsed = text.split_once('#').and_then(|(object, rest)| {
        let (relation, subject) = rest.split_once('@')?;
        Some(Key {
            object: ObjectName::parse(object)?,
            relation: relation.to_owned(),
            subject: Subject::parse(subject)?,
        })
    });
    parsed.ok_or_else(|| malformed("`after`: is no `next` of a page"))
}

/// Relationships of one request: the registry has one writer at a time.
const MOST: usize = 500;
