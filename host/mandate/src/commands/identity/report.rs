//! Identities for people and programs.

use mandate_authz::record::{DelegationMode, Status};
use mandate_registry::identity::MachineIdentity;
use serde_json::{Value, json};

use crate::commands::scope_option;
use crate::moment::utc;

/// As the database writes it.
pub(in crate::commands) const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Retired => "retired",
        Status::Suspended => "suspended",
    }
}

/// How delegations of an identity are written.
pub(super) fn delegation(text: &str) -> Result<DelegationMode, &'static str> {
    match text {
        "on-invoke" => Ok(DelegationMode::OnInvoke),
        "stored" => Ok(DelegationMode::Stored),
        _ => Err("must be `stored` or `on-invoke`"),
    }
}

/// A moment, or that there is none.
pub(in crate::commands) fn moment(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), utc)
}

/// One identity, for people.
pub(super) fn rows(identity: &MachineIdentity) -> Vec<(&'static str, String)> {
    let object = |object: &Option<mandate_authz::name::ObjectName>| {
        object.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    let mut rows = vec![
        ("name", identity.display_name.clone()),
        ("kind", identity.kind.as_str().to_owned()),
        ("tenant", identity.tenant.clone()),
        ("owner", object(&identity.owner)),
        ("status", status(identity.status).to_owned()),
        ("scope", scope_option::text(&identity.scope)),
        ("delegation", identity.delegation.as_str().to_owned()),
        ("sole user", object(&identity.sole_user)),
        ("created", utc(identity.created_at)),
        ("expires", moment(identity.expires_at)),
        ("last used", moment(identity.last_used_at)),
        ("last rotated", moment(identity.last_rotated_at)),
    ];
    if let Some(thread) = &identity.thread {
        rows.push(("thread", thread.clone()));
    }
    if let Some(external) = &identity.external {
        let names = [("subject", &external.subject), ("client", &external.client)];
        let names = names.map(|(kind, name)| name.as_ref().map(|name| format!("{kind} {name}")));
        let names: Vec<String> = names.into_iter().flatten().collect();
        rows.push(("tokens", format!("{} of {}", names.join(", "), external.issuer)));
    }
    rows
}

/// One identity, for programs.
pub(super) fn value(identity: &MachineIdentity) -> Value {
    let object =
        |object: &Option<mandate_authz::name::ObjectName>| object.as_ref().map(ToString::to_string);
    json!({
        "identity": identity.object.to_string(),
        "kind": identity.kind.as_str(),
        "display_name": identity.display_name,
        "thread": identity.thread,
        "owner": object(&identity.owner),
        "tenant": identity.tenant,
        "scope": scope_option::value(&identity.scope),
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
