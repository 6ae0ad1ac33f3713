//! Credentials: which of a machine's own a token was got with, and when it is void.

use mandate_authn::ReasonCode;
use mandate_authz::record::Kind;
use mandate_authz::row::Row;
use serde_json::{Value, json};

use crate::agent_context::context;
use crate::scene::{
    ALLOWED, NOW, Said, Scene, agent_scene, denied, person_scene, said, scene, service_scene,
    with_rows,
};
use crate::world::{AGENTS, credential, holder, object};

fn used(scene: &Scene) -> Option<String> {
    let decision = scene.decide();
    assert_eq!(said(&decision), ALLOWED, "{}", decision.detail());
    decision.circumstances().bound().unwrap().credential().map(str::to_owned)
}

/// The credential that a refusal at line 2 is about.
fn refused(scene: &Scene) -> (Said, Option<String>) {
    let decision = scene.decide();
    let bound = decision.circumstances().bound().unwrap();
    (said(&decision), bound.credential().map(str::to_owned))
}

#[test]
fn a_machine_needs_a_credential_that_matches() {
    let mut agent = scene();
    agent.credentials.retain(|credential| credential.id != "c-helper");
    let decision = agent.decide();
    assert_eq!(said(&decision), denied(ReasonCode::CredentialUnknown));
    assert_eq!(decision.principal(), Some(Kind::Agent));
    let mut service = service_scene();
    service.credentials.retain(|credential| credential.id != "c-importer");
    let decision = service.decide();
    assert_eq!(said(&decision), denied(ReasonCode::CredentialUnknown));
    assert_eq!(decision.principal(), Some(Kind::Service));
}

#[test]
fn the_credential_of_another_machine_is_none() {
    let mut scene = scene();
    scene.credential("c-other").subject = Some(holder(AGENTS, "sa-helper"));
    scene.credential("c-helper").subject = Some(holder(AGENTS, "sa-other"));
    assert_eq!(scene.said(), denied(ReasonCode::CredentialUnknown));
}

/// Agent helper with one credential for each way to tell one.
fn four_ways() -> Scene {
    let mut scene = scene();
    scene.authz("/client_credentials", json!([AGENTS]));
    scene.claims["act"]["client_id"] = json!("client-helper");
    scene.claims["cnf"] = json!({"x5t#S256": mandate_authn::base64url::encode(&[9; 32])});
    scene.certificate = Some([9; 32]);
    let plain = |id: &str| {
        let mut credential = credential(id, "agent:helper");
        credential.subject = None;
        credential
    };
    let (mut by_certificate, mut by_token, mut by_client) =
        (plain("by-certificate"), plain("by-token"), plain("by-client"));
    by_certificate.thumbprint = Some([9; 32]);
    by_token.token_ids = vec!["t-1".to_owned(), "t-0".to_owned()];
    by_client.client = Some(holder(AGENTS, "client-helper"));
    scene.credentials.extend([by_certificate, by_token, by_client]);
    scene
}

#[test]
fn the_surest_way_that_matches_tells_the_credential() {
    let mut scene = four_ways();
    assert_eq!(used(&scene), Some("by-certificate".to_owned()));
    scene.claims.as_object_mut().unwrap().remove("cnf");
    assert_eq!(used(&scene), Some("by-token".to_owned()));
    scene.claims["jti"] = json!("t-2");
    assert_eq!(used(&scene), Some("by-client".to_owned()));
    scene.authz("/client_credentials", Value::Null);
    assert_eq!(used(&scene), Some("c-helper".to_owned()));
}

#[test]
fn a_certificate_of_another_machine_is_the_wrong_hands() {
    let mut scene = four_ways();
    scene.credential("by-certificate").identity = object("agent:other");
    assert_eq!(scene.said(), denied(ReasonCode::CredentialUnknown));
    scene.credential("by-certificate").thumbprint = Some([8; 32]);
    assert_eq!(used(&scene), Some("by-token".to_owned()));
}

#[test]
fn the_client_of_a_persons_token_is_no_credential_of_an_agent_without_act() {
    // `board-web` of the login issuer, registered as the agent's, counts only where the contract
    // says that the issuer's clients are credentials.
    let mut scene = scene();
    scene.credential("c-helper").subject = None;
    scene.credential("c-helper").client = Some(holder("https://login.example", "board-web"));
    assert_eq!(scene.said(), denied(ReasonCode::CredentialUnknown));
    scene.authz("/client_credentials", json!(["https://login.example"]));
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_credential_that_can_be_told_is_void_once_revoked_or_expired() {
    for (id, revoked) in [
        ("by-certificate", ReasonCode::CredentialRevoked),
        ("by-token", ReasonCode::TokenRevoked),
        ("by-client", ReasonCode::CredentialRevoked),
    ] {
        let mut scene = four_ways();
        if id != "by-certificate" {
            scene.claims.as_object_mut().unwrap().remove("cnf");
        }
        if id == "by-client" {
            scene.claims["jti"] = json!("t-2");
        }
        assert_eq!(used(&scene), Some(id.to_owned()));
        // However long ago: the other ways are no way around.
        scene.credential(id).revoked_at = Some(1);
        let named = Some(id.to_owned());
        assert_eq!(refused(&scene), (denied(revoked), named.clone()));
        scene.credential(id).revoked_at = None;
        scene.credential(id).expires_at = Some(NOW);
        assert_eq!(refused(&scene), (denied(ReasonCode::CredentialExpired), named));
        scene.credential(id).expires_at = Some(NOW + 1);
        assert_eq!(scene.said(), ALLOWED, "{id}");
    }
}

#[test]
fn a_revoked_token_is_revoked_whatever_it_was_got_with() {
    let mut scene = four_ways();
    assert_eq!(used(&scene), Some("by-certificate".to_owned()));
    scene.credential("by-token").revoked_at = Some(1);
    let named = Some("by-token".to_owned());
    assert_eq!(refused(&scene), (denied(ReasonCode::TokenRevoked), named));
    scene.claims["jti"] = json!("t-2");
    assert_eq!(used(&scene), Some("by-certificate".to_owned()));
}

#[test]
fn a_bound_token_that_was_verified_on_another_connection_is_refused() {
    use mandate_authz::authorize::{Evidence, authorize};
    let scene = four_ways();
    let (token, policy, state) = (scene.token(), scene.policy(), scene.state());
    let asked = mandate_authn::Request {
        audience: Some(scene.audience),
        now: NOW,
        certificate_sha256: scene.certificate,
    };
    let validation = scene.validator().validate(token.as_bytes(), &asked);
    let on = |certificate_sha256| {
        let evidence = Evidence {
            token: validation.outcome().unwrap(),
            token_text: token.as_bytes(),
            agent_contexts: &[],
            certificate_sha256,
        };
        said(&authorize(&evidence, &scene.request(), NOW, policy.as_ref(), &state))
    };
    assert_eq!(on(scene.certificate), ALLOWED);
    assert_eq!(on(Some([1; 32])), denied(ReasonCode::TokenBinding));
    assert_eq!(on(None), denied(ReasonCode::TokenBinding));
}

/// Two credentials that the token cannot tell apart, one of them revoked 100 s ago.
fn shared_fate(issued_at: Option<u64>) -> Said {
    let mut scene = scene();
    let mut second = credential("c-second", "agent:helper");
    second.revoked_at = Some(NOW - 100);
    scene.credentials.push(second);
    crate::scene::set(&mut scene.claims, "/iat", issued_at.map_or(Value::Null, |at| json!(at)));
    scene.said()
}

#[test]
fn credentials_that_cannot_be_told_apart_share_fate() {
    assert_eq!(shared_fate(Some(NOW - 39)), ALLOWED);
    // Revoked at NOW - 100, and 60 s of skew.
    assert_eq!(shared_fate(Some(NOW - 40)), denied(ReasonCode::CredentialRevoked));
    assert_eq!(shared_fate(Some(NOW - 100)), denied(ReasonCode::CredentialRevoked));
    assert_eq!(shared_fate(Some(NOW - 200)), denied(ReasonCode::CredentialRevoked));
    assert_eq!(shared_fate(None), denied(ReasonCode::CredentialRevoked));
}

#[test]
fn an_expired_credential_takes_its_tokens_with_it() {
    let mut scene = scene();
    let mut second = credential("c-second", "agent:helper");
    second.expires_at = Some(NOW - 100);
    scene.credentials.push(second);
    scene.claims["iat"] = json!(NOW - 39);
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["iat"] = json!(NOW - 40);
    assert_eq!(scene.said(), denied(ReasonCode::CredentialExpired));
}

#[test]
fn no_live_credential_is_left() {
    let mut scene = scene();
    scene.credential("c-helper").revoked_at = Some(NOW - 10_000);
    assert_eq!(scene.said(), denied(ReasonCode::CredentialRevoked));
    scene.credential("c-helper").revoked_at = None;
    scene.credential("c-helper").expires_at = Some(NOW - 10_000);
    assert_eq!(scene.said(), denied(ReasonCode::CredentialExpired));
}

#[test]
fn a_persons_token_is_revoked_by_its_id() {
    let mut scene = person_scene();
    let mut known = credential("k-anne", "user:anne");
    known.subject = None;
    known.token_ids = vec!["t-1".to_owned()];
    scene.credentials.push(known);
    assert_eq!(scene.said(), ALLOWED);
    scene.credential("k-anne").revoked_at = Some(NOW);
    let decision = scene.decide();
    assert_eq!(said(&decision), denied(ReasonCode::TokenRevoked));
    assert_eq!(decision.principal(), Some(Kind::User));
    scene.claims["jti"] = json!("t-2");
    assert_eq!(scene.said(), ALLOWED);
    // With an agent it is the same token of the same person.
    let mut acted = scene.clone();
    acted.claims["act"] = json!({"iss": AGENTS, "sub": "sa-helper"});
    acted.claims["jti"] = json!("t-1");
    assert_eq!(acted.said(), denied(ReasonCode::TokenRevoked));
}

#[test]
fn a_delta_revokes_deletes_and_replaces_credentials() {
    let mut scene = agent_scene();
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), ALLOWED);
    let helper = scene.credential("c-helper").clone();
    let after = |rows: &[Row]| said(&scene.decide_in(&with_rows(&scene, rows)));
    let mut revoked = helper.clone();
    revoked.revoked_at = Some(NOW);
    assert_eq!(after(&[Row::PutCredential(revoked)]), denied(ReasonCode::CredentialRevoked));
    let gone = Row::DeleteCredential { id: "c-helper".to_owned() };
    assert_eq!(after(std::slice::from_ref(&gone)), denied(ReasonCode::AgentContextInvalid));
    assert_eq!(after(&[gone, Row::PutCredential(helper.clone())]), ALLOWED);
    let mut moved = helper;
    moved.identity = object("agent:other");
    assert_eq!(after(&[Row::PutCredential(moved)]), denied(ReasonCode::AgentContextInvalid));
}
