//! Whether tokens are active, and an end to opaque ones.

use mandate_registry::credential::{Material, NewCredential, SecretSource};
use serde_json::{Value, json};

use crate::world::{DECISIONS, SHARED, World, act, gateway, now, object, sign, token, token_for};

fn active(token: &str) -> Value {
    let (status, body) = SHARED.form("/oauth2/introspect", Some(&gateway()), &[("token", token)]);
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn a_token_is_active_for_who_is_listed_for_its_audience() {
    let found = active(&token_for(DECISIONS, "u-anne", "helper"));
    let members = ["active", "iss", "sub", "aud", "client_id", "scope"].map(|name| &found[name]);
    let expected = [
        json!(true),
        json!("https://login.example/realms/acme"),
        json!("u-anne"),
        json!([DECISIONS]),
        json!("helper"),
        json!("board:read board:write"),
    ];
    assert_eq!(members, expected.each_ref());
    let acted = sign(&json!({
        "iss": "https://login.example/realms/acme", "sub": "u-anne", "aud": DECISIONS,
        "iat": now(), "exp": now() + 60, "scope": "board:read", "act": { "sub": "svc-helper" },
    }));
    assert_eq!(active(&acted)["act"]["sub"], json!("svc-helper"));
}

#[test]
fn everything_else_is_inactive_and_nothing_more() {
    let inactive = json!({ "active": false });
    let unknown = token_for(DECISIONS, "u-unknown", "board-web");
    let another = token("u-anne", "board-web");
    let expired = sign(&json!({
        "iss": "https://login.example/realms/acme", "sub": "u-anne", "aud": DECISIONS,
        "client_id": "board-web", "iat": now() - 600, "exp": now() - 300,
    }));
    for token in ["abc", "mnd_a_b", &unknown, &another, &expired] {
        assert_eq!(active(token), inactive, "{token}");
    }
    let good = token_for(DECISIONS, "u-anne", "board-web");
    assert_eq!(active(&good)["active"], json!(true));
    let watcher = token("svc-watcher", "watcher");
    let (_, body) = SHARED.form("/api/auth/introspect", Some(&watcher), &[("token", &good)]);
    assert_eq!(body, inactive);
}

#[test]
fn an_opaque_token_is_active_until_its_owner_ends_it() {
    let world = World::start("opaque", &json!({}));
    let new = NewCredential {
        material: Material::Opaque(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let issued = world.registry().add_credential(&act(), &object("agent:helper"), &new).unwrap();
    let secret = issued.outcome.secret.unwrap().reveal().to_owned();
    let introspect = || {
        let form = [("token", secret.as_str())];
        world.form("/oauth2/introspect", Some(&gateway()), &form).1
    };
    assert_eq!(introspect()["sub"], json!("agent:helper"));
    let revoke = |caller: &str| world.form("/oauth2/revoke", Some(caller), &[("token", &secret)]);
    let refused = revoke(&gateway());
    assert_eq!(refused, (403, json!({ "error": "unauthorized_client" })));
    assert_eq!(introspect()["active"], json!(true));
    let olga = token("u-olga", "board-web");
    assert_eq!(revoke(&olga), (200, json!({})));
    assert_eq!(introspect(), json!({ "active": false }));
    assert_eq!(revoke(&olga), (200, json!({})));
    let signed = [("token", gateway())];
    let signed = [(signed[0].0, signed[0].1.as_str())];
    let unsupported = world.form("/oauth2/revoke", Some(&olga), &signed);
    assert_eq!(unsupported, (400, json!({ "error": "unsupported_token_type" })));
}
