//! Credentials for people. Neither a secret nor its hash is among what is shown.

use mandate_authz::record::Holder;
use mandate_registry::credential::Credential;

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
