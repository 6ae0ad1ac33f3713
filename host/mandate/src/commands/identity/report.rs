//! Identities for people.

use mandate_authz::record::DelegationMode;
use mandate_registry::identity::MachineIdentity;

use crate::commands::scope_option;
use crate::moment::utc;
use crate::registry_json::status;

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
