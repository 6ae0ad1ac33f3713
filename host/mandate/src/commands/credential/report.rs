//! Credentials for people and programs. Neither a secret nor its hash is among what is shown.

use mandate_authn::base64url;
use mandate_authz::record::Holder;
use mandate_registry::credential::Credential;
use serde_json::{Value, json};

use crate::commands::identity::report::moment;

/// What state it is in, at a moment.
pub(super) fn state(credential: &Credential, now: u64) -> &'static str {
    if credential.revoked_at.is_some() {
        "revoked"
    } else if credential.expires_at.is_some_and(|expires| expires <= now) {
        "expired"
    } else {
        "live"
    }
}

/// A table.
pub(super) fn table(credentials: &[Credential], now: u64) -> Vec<Vec<String>> {
    let head = ["credential", "kind", "state", "expires", "last used", "replaces", "of tokens"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    table.extend(credentials.iter().map(|credential| {
        vec![
            credential.id.clone(),
            credential.kind.as_str().to_owned(),
            state(credential, now).to_owned(),
            moment(credential.expires_at),
            moment(credential.last_used_at),
            credential.replaces.clone().unwrap_or_default(),
            tokens(credential),
        ]
    }));
    table
}

fn tokens(credential: &Credential) -> String {
    let holders = [("client", &credential.client), ("subject", &credential.subject)];
    let holders = holders.map(|(kind, holder)| {
        holder.as_ref().map(|Holder { issuer, name }| format!("{kind} {name} of {issuer}"))
    });
    holders.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One credential, for programs.
pub(in crate::commands) fn value(credential: &Credential) -> Value {
    let holder = |holder: &Option<Holder>| {
        holder.as_ref().map(|Holder { issuer, name }| json!({"issuer": issuer, "name": name}))
    };
    json!({
        "credential": credential.id,
        "identity": credential.identity.to_string(),
        "kind": credential.kind.as_str(),
        "client": holder(&credential.client),
        "subject": holder(&credential.subject),
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
