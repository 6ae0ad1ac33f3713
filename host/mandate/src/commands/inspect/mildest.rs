//! The mildest contract that a token could meet: what is asked when the operator gave none.

use mandate_authn::Algorithm;
use serde_json::{Value, json};

use super::decoded::Decoded;

/// A contract of the token's own issuer, type and audience. What the plugin refuses under it is
/// refused under every contract.
pub(super) fn contract(decoded: &Decoded) -> Value {
    let typ = decoded.header.get("typ").and_then(Value::as_str);
    let absent = !decoded.header.contains_key("typ");
    let mut issuer = json!({
        "issuer": decoded.text("iss").unwrap_or_default(),
        "algorithms": Algorithm::ALL.map(Algorithm::as_str),
        "type_absent": absent,
        "tenants": ["any"],
    });
    if let (Some(members), Some(typ)) = (issuer.as_object_mut(), typ) {
        members.insert("types".to_owned(), json!([typ]));
    }
    if absent || !typ.is_some_and(is_access_token_type) {
        let tests: Vec<Value> = telling_claim(decoded).into_iter().collect();
        if let Some(members) = issuer.as_object_mut() {
            members.insert("claim_tests".to_owned(), json!(tests));
        }
    }
    json!({
        "contract": "mandate",
        "version": "1.0.0",
        "status": "draft",
        "issuers": [issuer],
        "apps": [{ "name": "any", "audience": audience(decoded) }],
    })
}

/// Whether the type alone tells an access token (RFC 9068 section 2.1).
pub(super) fn is_access_token_type(typ: &str) -> bool {
    matches!(typ, "at+jwt" | "application/at+jwt")
}

/// The token's first audience; a name that none has where the claim is unusable.
fn audience(decoded: &Decoded) -> String {
    let claim = decoded.claims.get("aud");
    let first = claim.and_then(|claim| claim.as_str().or_else(|| claim.get(0)?.as_str()));
    first.filter(|audience| !audience.is_empty()).unwrap_or("(no audience)").to_owned()
}

/// A claim that this token has and ID tokens have not.
fn telling_claim(decoded: &Decoded) -> Option<Value> {
    if decoded.text("typ") == Some("Bearer") {
        return Some(json!({ "claim": "/typ", "equals": "Bearer" }));
    }
    const TELLING: [&str; 5] = ["scope", "client_id", "realm_access", "resource_access", "act"];
    let found = TELLING.into_iter().find(|claim| decoded.claims.contains_key(*claim))?;
    Some(json!({ "claim": format!("/{found}"), "present": true }))
}
