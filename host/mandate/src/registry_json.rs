//! What the registry keeps, for programs: one form, on the command line and in answers of the server.
//!
//! Neither a secret nor its hash is among it.

use mandate_authn::base64url;
use mandate_authz::container::Position;
use mandate_authz::name::ObjectName;
use mandate_authz::record::{Grant, Holder, Scope, Status};
use mandate_authz::tuple::Tuple;
use mandate_registry::apply::Applied;
use mandate_registry::audit::{AuditEntry, Verdict};
use mandate_registry::credential::{Credential, LegacyToken};
use mandate_registry::identity::MachineIdentity;
use mandate_registry::person::Person;
use serde_json::{Map, Value, json};

/// Where the registry stands.
pub(crate) fn position(position: Position) -> Value {
    json!({"era": position.era, "epoch": position.epoch})
}

/// A status, as the database writes it.
pub(crate) const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Retired => "retired",
        Status::Suspended => "suspended",
    }
}

/// A machine identity.
pub(crate) fn identity(identity: &MachineIdentity) -> Value {
    let object = |object: &Option<ObjectName>| object.as_ref().map(ToString::to_string);
    json!({
        "identity": identity.object.to_string(),
        "kind": identity.kind.as_str(),
        "display_name": identity.display_name,
        "thread": identity.thread,
        "owner": object(&identity.owner),
        "tenant": identity.tenant,
        "scope": scope(&identity.scope),
        "delegation": identity.delegation.as_str(),
        "sole_user": object(&identity.sole_user),
        "status": status(identity.status),
        "expires_at": identity.expires_at,
        "created_at": identity.created_at,
        "last_used_at": identity.last_used_at,
        "last_rotated_at": identity.last_rotated_at,
        "external": identity.external.as_ref().map(|external| json!({
            "issuer": external.issuer, "subject": external.subject, "client": external.client,
        })),
    })
}

/// A scope: `"*"` or names, of each sort.
pub(crate) fn scope(scope: &Scope) -> Value {
    let Scope { workspaces, boards, modes, actions } = scope;
    let grant = |grant: &Grant| match grant {
        Grant::All => json!("*"),
        Grant::Listed(names) => json!(names),
    };
    json!({
        "workspaces": grant(workspaces), "boards": grant(boards), "modes": grant(modes),
        "actions": grant(actions),
    })
}

/// A credential.
pub(crate) fn credential(credential: &Credential) -> Value {
    json!({
        "credential": credential.id,
        "identity": credential.identity.to_string(),
        "kind": credential.kind.as_str(),
        "client": credential.client.as_ref().map(holder),
        "subject": credential.subject.as_ref().map(holder),
        "thumbprint": credential.thumbprint.map(|bytes| base64url::encode(&bytes)),
        "token_ids": credential.token_ids,
        "context_key": credential.context_key,
        "secret_algorithm": credential.secret.map(|algorithm| algorithm.as_str()),
        "created_at": credential.created_at,
        "expires_at": credential.expires_at,
        "revoked_at": credential.revoked_at,
        "replaces": credential.replaces,
        "last_used_at": credential.last_used_at,
    })
}

/// A token of another table.
pub(crate) fn legacy_token(token: &LegacyToken) -> Value {
    let identity = token.identity.as_ref().map(ToString::to_string);
    json!({"id": token.id, "algorithm": token.algorithm, "identity": identity})
}

/// A person.
pub(crate) fn person(person: &Person) -> Value {
    json!({
        "person": person.object.to_string(),
        "tenants": person.tenants,
        "subjects": person.subjects.iter().map(holder).collect::<Vec<_>>(),
        "status": status(person.status),
        "expires_at": person.expires_at,
    })
}

fn holder(holder: &Holder) -> Value {
    json!({"issuer": holder.issuer, "name": holder.name})
}

/// A relationship.
pub(crate) fn relationship(tuple: &Tuple) -> Value {
    let condition = tuple.condition.as_ref();
    json!({
        "object": tuple.object.to_string(),
        "relation": tuple.relation,
        "subject": tuple.subject.to_string(),
        "condition": condition.map(|condition| json!({
            "name": condition.name, "context": condition.context,
        })),
    })
}

/// What facts changed.
pub(crate) fn applied(applied: &Applied) -> Value {
    let Applied { objects, people, identities, credentials, relationships } = applied;
    json!({
        "objects": objects, "people": people, "identities": identities,
        "credentials": credentials, "relationships": relationships,
    })
}

/// A record with its place; `None` where it is no JSON.
pub(crate) fn audit_entry(entry: &AuditEntry) -> Option<Value> {
    let record: Map<String, Value> = serde_json::from_str(&entry.record).ok()?;
    Some(json!({
        "tenant": entry.place.tenant,
        "sequence": entry.place.sequence,
        "kind": entry.kind.as_str(),
        "record": record,
    }))
}

/// What verifying the chain of a tenant gave.
pub(crate) fn audit_verdict(tenant: &str, verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Broken(broken) => {
            json!({"tenant": tenant, "intact": false, "problem": broken.to_string()})
        }
        Verdict::Intact(intact) => json!({
            "tenant": tenant, "intact": true, "records": intact.records, "sealed": intact.sealed,
            "vouched": intact.vouched,
        }),
    }
}
