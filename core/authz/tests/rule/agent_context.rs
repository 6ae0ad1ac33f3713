//! Agent contexts: every member is checked, and a context serves one token, audience, server and
//! tool.

use mandate_authn::ReasonCode;
use mandate_authz::record::Status;
use serde_json::{Value, json};

use crate::scene::{
    ALLOWED, HELPER_KEY, ISSUER_KEY, MCP, NOW, OPEN, OTHER_KEY, Scene, WEB, agent_scene, denied,
    jwk, said, set, sign, token_hash,
};
use crate::world::{credential, holder};

/// The context of agent helper for anne and the scene's call, whose key is registered by this.
pub(crate) fn context(scene: &mut Scene) -> String {
    context_with(scene, "/jti", json!("x-1"))
}

/// The same with one member set, or removed by `null`.
pub(crate) fn context_with(scene: &mut Scene, pointer: &str, value: Value) -> String {
    register(scene, "c-helper", HELPER_KEY);
    let mut claims = claims(scene);
    set(&mut claims, pointer, value);
    sign(HELPER_KEY, &header("c-helper"), &claims)
}

/// A context by which agent other acts for anne.
pub(crate) fn context_of_other(scene: &mut Scene) -> String {
    register(scene, "c-other", OTHER_KEY);
    let mut claims = claims(scene);
    claims["iss"] = json!("c-other");
    claims["agent"] = json!("agent:other");
    sign(OTHER_KEY, &header("c-other"), &claims)
}

fn register(scene: &mut Scene, id: &str, key: u8) {
    scene.credential(id).context_key = Some(jwk(key).to_string());
}

fn header(id: &str) -> Value {
    json!({"alg": "EdDSA", "typ": "agent-context+jwt", "kid": id})
}

fn claims(scene: &Scene) -> Value {
    let mut claims = json!({
        "iss": "c-helper", "agent": "agent:helper", "sub": "user:anne", "aud": scene.audience,
        "server": "boards", "ath": token_hash(&scene.token()), "iat": NOW, "exp": NOW + 60,
        "jti": "x-1",
    });
    if let Some(tool) = scene.tool {
        claims["tool"] = json!(tool);
    }
    claims
}

fn invalid() -> crate::scene::Said {
    denied(ReasonCode::AgentContextInvalid)
}

#[test]
fn every_member_is_required_and_checked() {
    for (pointer, wrong) in [
        ("/iss", json!("c-other")),
        ("/agent", json!("agent:other")),
        ("/agent", json!("agent:ghost")),
        ("/agent", json!("helper")),
        ("/sub", json!("anne")),
        ("/aud", json!(OPEN)),
        ("/aud", json!([MCP])),
        ("/server", json!("cards")),
        ("/tool", json!("move_card")),
        ("/ath", json!(token_hash("another token"))),
        ("/iat", json!(NOW + 61)),
        ("/iat", json!("now")),
        ("/exp", json!(NOW + 61)),
        ("/exp", json!(NOW)),
        ("/exp", json!(1_767_225_630.5)),
        ("/jti", json!("")),
        ("/jti", json!(1)),
        ("/nbf", json!(NOW)),
        ("/scope", json!("everything")),
    ] {
        let mut scene = agent_scene();
        scene.contexts = vec![context_with(&mut scene, pointer, wrong.clone())];
        assert_eq!(scene.said(), invalid(), "{pointer} {wrong}");
    }
    for pointer in
        ["/iss", "/agent", "/sub", "/aud", "/server", "/tool", "/ath", "/iat", "/exp", "/jti"]
    {
        let mut scene = agent_scene();
        scene.contexts = vec![context_with(&mut scene, pointer, Value::Null)];
        assert_eq!(scene.said(), invalid(), "{pointer}");
    }
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_context_serves_for_a_minute_and_the_skew() {
    for (now, expected) in [(NOW + 119, ALLOWED), (NOW + 120, invalid()), (NOW - 60, ALLOWED)] {
        let mut scene = agent_scene();
        scene.contexts = vec![context(&mut scene)];
        scene.now = now;
        scene.issued_at = now;
        assert_eq!(scene.said(), expected, "{now}");
    }
    let mut scene = agent_scene();
    let mut past = claims(&scene);
    register(&mut scene, "c-helper", HELPER_KEY);
    past["iat"] = json!(NOW - 3600);
    past["exp"] = json!(NOW - 3540);
    scene.contexts = vec![sign(HELPER_KEY, &header("c-helper"), &past)];
    assert_eq!(scene.said(), invalid());
}

#[test]
fn a_context_names_a_known_person() {
    for user in ["user:ghost", "agent:other", "service:importer", "team:red"] {
        let mut scene = agent_scene();
        scene.contexts = vec![context_with(&mut scene, "/sub", json!(user))];
        assert_eq!(scene.said(), denied(ReasonCode::IdentityUnknown), "{user}");
    }
}

#[test]
fn a_context_of_a_user_who_has_not_delegated_binds_and_fails() {
    let mut scene = agent_scene();
    scene.contexts = vec![context_with(&mut scene, "/sub", json!("user:bob"))];
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
}

#[test]
fn a_context_is_for_one_tool_server_and_route() {
    let mut scene = agent_scene();
    let context = context(&mut scene);
    let mut other_tool = scene.clone();
    other_tool.contexts = vec![context.clone()];
    other_tool.tool = Some("list_boards");
    other_tool.action = "list";
    other_tool.resources = Vec::new();
    assert_eq!(other_tool.said(), invalid());
    other_tool.tool = None;
    assert_eq!(other_tool.said(), invalid());
    let mut other_route = scene.clone();
    other_route.contexts = vec![context];
    other_route.audience = WEB;
    other_route.tool = None;
    other_route.resources = vec![crate::scene::board("roadmap")];
    assert_eq!(other_route.said(), invalid());
}

#[test]
fn a_request_without_server_and_tool_has_a_context_without_them() {
    let mut scene = agent_scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.resources = vec![crate::scene::board("roadmap")];
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), invalid());
    scene.contexts = vec![context_with(&mut scene, "/server", Value::Null)];
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_context_is_for_one_token() {
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    scene.claims["jti"] = json!("t-2");
    assert_eq!(scene.said(), invalid());
}

#[test]
fn two_contexts_are_refused() {
    let mut scene = agent_scene();
    let one = context(&mut scene);
    scene.contexts = vec![one.clone(), one.clone()];
    assert_eq!(scene.said(), invalid());
    scene.contexts = vec![format!("{one}, {one}")];
    assert_eq!(scene.said(), invalid());
}

#[test]
fn only_a_registered_key_of_that_agent_signs() {
    let mut scene = agent_scene();
    register(&mut scene, "c-helper", HELPER_KEY);
    let claims = claims(&scene);
    let foreign = sign(ISSUER_KEY, &header("c-helper"), &claims);
    let wrong_type = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "c-helper"});
    let unnamed = json!({"alg": "EdDSA", "typ": "agent-context+jwt"});
    let critical =
        json!({"alg": "EdDSA", "typ": "agent-context+jwt", "kid": "c-helper", "crit": ["x"]});
    for context in [
        foreign,
        sign(HELPER_KEY, &wrong_type, &claims),
        sign(HELPER_KEY, &unnamed, &claims),
        sign(HELPER_KEY, &critical, &claims),
        sign(HELPER_KEY, &header("c-ghost"), &claims),
        sign(HELPER_KEY, &header("c-importer"), &claims),
        scene.token(),
        String::new(),
    ] {
        scene.contexts = vec![context.clone()];
        assert_eq!(scene.said(), invalid(), "{context}");
    }
    scene.contexts = vec![sign(HELPER_KEY, &header("c-helper"), &claims)];
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_key_of_another_agent_signs_for_that_agent_only() {
    let mut scene = agent_scene();
    register(&mut scene, "c-other", OTHER_KEY);
    let mut claims = claims(&scene);
    claims["iss"] = json!("c-other");
    scene.contexts = vec![sign(OTHER_KEY, &header("c-other"), &claims)];
    assert_eq!(scene.said(), invalid());
    scene.contexts = vec![context_of_other(&mut scene)];
    assert_eq!(scene.said(), invalid());
}

#[test]
fn a_revoked_or_expired_key_signs_nothing() {
    let mut scene = agent_scene();
    // The token's own credential stays good: only the key's is touched.
    let mut key = credential("k-helper", "agent:helper");
    key.subject = None;
    key.client = Some(holder("https://nowhere.example", "x"));
    scene.credentials.push(key);
    register(&mut scene, "k-helper", HELPER_KEY);
    let mut claims = claims(&scene);
    claims["iss"] = json!("k-helper");
    scene.contexts = vec![sign(HELPER_KEY, &header("k-helper"), &claims)];
    assert_eq!(scene.said(), ALLOWED);
    scene.credential("k-helper").revoked_at = Some(NOW - 1000);
    assert_eq!(scene.said(), denied(ReasonCode::CredentialRevoked));
    scene.credential("k-helper").revoked_at = None;
    scene.credential("k-helper").expires_at = Some(NOW);
    assert_eq!(scene.said(), denied(ReasonCode::CredentialExpired));
    scene.contexts = vec![sign(OTHER_KEY, &header("k-helper"), &claims)];
    assert_eq!(scene.said(), invalid());
}

#[test]
fn a_context_does_not_wake_a_suspended_agent() {
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    scene.identity("agent:helper").status = Status::Suspended;
    let decision = scene.decide();
    assert_eq!(said(&decision), denied(ReasonCode::IdentityDisabled));
    assert_eq!(decision.circumstances().bound().unwrap().context_id(), Some("x-1"));
}
