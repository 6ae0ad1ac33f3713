//! Our reader's answer in the form of the second one's: docs/snapshot.md#second-reader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authz::record::{Credential, Grant, Holder, Identity, Status};
use mandate_authz::relation_query::{RelationAnswer, RelationQuery};
use mandate_authz::snapshot::{Object, Snapshot, Tenancy};
use mandate_authz::state::{Meta, State, StateConfig, StateRefusal};
use serde_json::{Map, Value, json};

/// The answer to a question.
pub(crate) fn answer(question: &Value) -> Value {
    let config = StateConfig::parse(&question["configuration"].to_string()).expect("it is sound");
    let mut state = State::new(config);
    let container = STANDARD.decode(question["snapshot"].as_str().unwrap()).unwrap();
    if let Err(refusal) = state.load(&container) {
        let detail = refusal.to_string();
        return json!({
            "id": question["id"], "refused": refusal.code().as_str(), "part": part(&refusal),
            "detail": detail,
        });
    }
    let snapshot = state.snapshot().expect("it is in force");
    let checks = question["checks"].as_array().unwrap().iter();
    let answers: Vec<_> = checks.map(|check| verdict(snapshot, check)).collect();
    let reading = reading(snapshot, state.meta().expect("it is in force"));
    json!({ "id": question["id"], "reading": reading, "answers": answers })
}

/// The section that is malformed: the message names it.
fn part(refusal: &StateRefusal) -> String {
    let StateRefusal::Snapshot(error) = refusal else { return "container".to_owned() };
    let message = error.to_string();
    message.strip_prefix("the snapshot's ").unwrap().split(' ').next().unwrap().to_owned()
}

fn verdict(snapshot: &Snapshot, check: &Value) -> Value {
    let none = Map::new();
    let text = |member: &str| check[member].as_str().unwrap();
    let query = RelationQuery {
        user: text("user"),
        relation: text("relation"),
        object: text("object"),
        contextual_tuples: &[],
        context: check["context"].as_object().unwrap_or(&none),
        path: false,
    };
    match snapshot.relation_holds(&query) {
        RelationAnswer::Holds(_) => json!(true),
        RelationAnswer::DoesNotHold => json!(false),
        RelationAnswer::Failed(_) | RelationAnswer::Invalid(_) => Value::Null,
    }
}

fn reading(snapshot: &Snapshot, meta: &Meta) -> Value {
    let types: Vec<_> = snapshot.type_names().collect();
    let all = || types.iter().flat_map(|name| snapshot.objects(name));
    let mut relationships = Vec::new();
    let mut contexts = Map::new();
    for tuple in all().flat_map(|object| snapshot.stored_tuples(object)) {
        let mut text = format!("{}#{}@{}", tuple.object, tuple.relation, tuple.subject);
        if let Some(condition) = &tuple.condition {
            text += &format!(" with {}", condition.name);
            contexts.insert(text.clone(), hexadecimal(&condition.context).into());
        }
        relationships.push(text);
    }
    relationships.sort();
    let named = |object: &Object| snapshot.name(*object).to_string();
    let parents = all().map(|object| (object, snapshot.parents(object)));
    let parents = parents.filter(|(_, parents)| !parents.is_empty());
    let parents = parents.map(|(object, parents)| {
        (named(&object), parents.iter().map(named).collect::<Vec<_>>().into())
    });
    let stores = types.iter().map(|name| {
        ((*name).to_owned(), json!(snapshot.storing_relations(name).collect::<Vec<_>>()))
    });
    let objects = types.iter().map(|name| {
        let of_type = snapshot.objects(name);
        let of_type = of_type.map(|object| (snapshot.name(object).id, tenant(snapshot, object)));
        ((*name).to_owned(), of_type.collect::<Map<_, _>>().into())
    });
    json!({
        "header": header(meta),
        "stores": stores.collect::<Map<_, _>>(),
        "objects": objects.collect::<Map<_, _>>(),
        "parents": parents.collect::<Map<_, _>>(),
        "relationships": relationships,
        "context_bytes": contexts,
        "identities": snapshot.identities().iter().map(identity).collect::<Vec<_>>(),
        "credentials": snapshot.credentials().iter().map(credential).collect::<Vec<_>>(),
    })
}

fn header(meta: &Meta) -> Value {
    json!({
        "raw": meta.raw,
        "deployment": meta.deployment,
        "slice": meta.slice,
        "era": meta.position.era,
        "epoch": meta.position.epoch,
        "contract": meta.contract_version.map(|number| number.to_string()).join("."),
        "issued_at": meta.issued_at,
    })
}

fn tenant(snapshot: &Snapshot, object: Object) -> Value {
    match snapshot.tenancy(object) {
        Tenancy::Of(tenant) => snapshot.name(tenant).id.into(),
        Tenancy::Several => "(several)".into(),
        Tenancy::Shared => "(shared)".into(),
        Tenancy::Unknown => "(unknown)".into(),
    }
}

fn identity(identity: &Identity) -> Value {
    let status = match identity.status {
        Status::Active => "active",
        Status::Retired => "retired",
        Status::Suspended => "suspended",
    };
    let scope = identity.scope.as_ref().map(|scope| {
        json!({
            "workspaces": grant(&scope.workspaces),
            "boards": grant(&scope.boards),
            "actions": grant(&scope.actions),
            "modes": grant(&scope.modes),
        })
    });
    json!({
        "object": identity.object.to_string(),
        "kind": identity.kind.as_str(),
        "status": status,
        "delegation": identity.delegation.as_str(),
        "expires_at": identity.expires_at,
        "tenants": identity.tenants,
        "sole_user": identity.sole_user.as_ref().map(ToString::to_string),
        "subjects": identity.subjects.iter().map(holder).collect::<Vec<_>>(),
        "clients": identity.clients.iter().map(holder).collect::<Vec<_>>(),
        "scope": scope,
    })
}

fn credential(credential: &Credential) -> Value {
    json!({
        "identity": credential.identity.to_string(),
        "id": credential.id,
        "thumbprint": credential.thumbprint.map(|thumbprint| hexadecimal(&thumbprint)),
        "token_ids": credential.token_ids,
        "client": credential.client.as_ref().map(holder),
        "subject": credential.subject.as_ref().map(holder),
        "context_key": credential.context_key,
        "expires_at": credential.expires_at,
        "revoked_at": credential.revoked_at,
    })
}

fn holder(holder: &Holder) -> Value {
    json!([holder.issuer, holder.name])
}

fn grant(grant: &Grant) -> Value {
    match grant {
        Grant::All => json!("*"),
        Grant::Listed(names) => json!(names),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
