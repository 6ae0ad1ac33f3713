//! Relationships, records and changes in one line each.

use mandate_authz::name::ObjectName;
use mandate_authz::record::{Credential, Identity, Status};
use mandate_authz::row::{Row, StoredCondition};

use super::difference::Relationship;

/// A row of a delta: `+` what is new or replaced, `-` what goes.
pub(in crate::commands) fn row(row: &Row) -> String {
    match row {
        Row::DeleteCredential { id } => format!("- credential {id}"),
        Row::DeleteIdentity { object } => format!("- identity {object}"),
        Row::DeleteObject { object } => format!("- object {object}"),
        Row::DeleteTuple { object, relation, subject } => {
            format!("- {object}#{relation}@{subject}")
        }
        Row::PutCredential(put) => format!("+ credential {}", credential(put)),
        Row::PutIdentity(put) => format!("+ identity {}", identity(put)),
        Row::PutObject { object: put, tenant } => {
            format!("+ object {}", object(put, tenant.as_deref()))
        }
        Row::WriteTuple(tuple) => {
            let tuple = tuple.clone();
            let key = (tuple.object, tuple.relation, tuple.subject);
            format!("+ {}", relationship(&key, tuple.condition.as_ref()))
        }
    }
}

/// `object#relation@subject with condition`
pub(in crate::commands) fn relationship(
    (object, relation, subject): &Relationship,
    condition: Option<&StoredCondition>,
) -> String {
    match condition {
        None => format!("{object}#{relation}@{subject}"),
        Some(condition) => format!("{object}#{relation}@{subject} with {}", condition.name),
    }
}

/// `document:1 of acme`
pub(super) fn object(object: &ObjectName, tenant: Option<&str>) -> String {
    match tenant {
        None => object.to_string(),
        Some(tenant) => format!("{object} of {tenant}"),
    }
}

/// `agent:devops (agent, active)`
pub(super) fn identity(identity: &Identity) -> String {
    let status = match identity.status {
        Status::Active => "active",
        Status::Retired => "retired",
        Status::Suspended => "suspended",
    };
    format!("{} ({}, {status})", identity.object, identity.kind.as_str())
}

/// `c-1 of agent:devops (revoked)`
pub(super) fn credential(credential: &Credential) -> String {
    let revoked = if credential.revoked_at.is_some() { " (revoked)" } else { "" };
    format!("{} of {}{revoked}", credential.id, credential.identity)
}
