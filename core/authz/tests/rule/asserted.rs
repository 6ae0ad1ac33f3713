//! The mode `asserted`: an authenticated caller names the subject.

use mandate_authn::ReasonCode;
use mandate_authz::authorize::{Asserter, Assertion};
use mandate_authz::decision::BindingMode;
use mandate_authz::record::{DelegationMode, Status};
use serde_json::json;

use crate::scene::{ALLOWED, NOW, OPEN, Said, Scene, denied, in_force, said, scene};
use crate::world::object;

const ASSERTION: Assertion<'static> = Assertion {
    asserter: Asserter::Principal("service:pep"),
    subject: "user:anne",
    agent: Some("agent:helper"),
    credential: None,
    tenant: None,
};

const OFFLINE: Assertion<'static> = Assertion { asserter: Asserter::Offline, ..ASSERTION };

fn pep_scene() -> Scene {
    let mut scene = scene();
    scene.authz("/can_assert", json!(true));
    scene.add("organization:acme#can_assert@service:pep");
    scene
}

fn asserted(scene: &Scene, assertion: &Assertion<'_>) -> Said {
    said(&scene.decide_for(assertion))
}

#[test]
fn a_service_that_may_assert_names_user_and_agent() {
    let scene = pep_scene();
    let decision = scene.decide_for(&ASSERTION);
    assert_eq!(said(&decision), ALLOWED, "{}", decision.detail());
    let state = scene.state();
    let name = |object| in_force(&state).name(object).to_string();
    let bound = decision.circumstances().bound().unwrap();
    assert_eq!(bound.mode(), BindingMode::Asserted);
    assert_eq!(bound.asserter().map(name), Some("service:pep".to_owned()));
    assert_eq!(bound.user().map(name), Some("user:anne".to_owned()));
    assert_eq!(bound.agent().map(name), Some("agent:helper".to_owned()));
    assert_eq!(bound.delegation(), Some(DelegationMode::Stored));
    assert_eq!(bound.credential(), None);
}

#[test]
fn who_may_not_assert_binds_nobody() {
    let unmatched = denied(ReasonCode::BindingUnmatched);
    let mut contract = pep_scene();
    contract.authz("/can_assert", json!(false));
    assert_eq!(asserted(&contract, &ASSERTION), unmatched);
    let mut relation = pep_scene();
    relation.remove("organization:acme#can_assert@service:pep");
    assert_eq!(asserted(&relation, &ASSERTION), unmatched);
    let mut suspended = pep_scene();
    suspended.identity("service:pep").status = Status::Suspended;
    assert_eq!(asserted(&suspended, &ASSERTION), unmatched);
    for name in ["service:ghost", "user:anne", "user:bob", "pep", "offline"] {
        let assertion = Assertion { asserter: Asserter::Principal(name), ..ASSERTION };
        assert_eq!(asserted(&pep_scene(), &assertion), unmatched, "{name}");
    }
}

#[test]
fn an_asserter_of_another_tenant_has_no_word_here() {
    let foreign = Assertion { asserter: Asserter::Principal("service:foreign-pep"), ..ASSERTION };
    let mut scene = pep_scene();
    scene.add("organization:acme#can_assert@service:*");
    assert_eq!(asserted(&scene, &foreign), denied(ReasonCode::BindingUnmatched));
    scene.identity("service:foreign-pep").tenants = vec!["acme".to_owned()];
    assert_eq!(asserted(&scene, &foreign), ALLOWED);
}

#[test]
fn a_tool_that_guards_nothing_may_ask_about_everybody() {
    let mut scene = pep_scene();
    scene.authz("/can_assert", json!(false));
    assert_eq!(asserted(&scene, &OFFLINE), ALLOWED);
    let decision = scene.decide_for(&OFFLINE);
    assert_eq!(decision.circumstances().bound().unwrap().asserter(), None);
}

#[test]
fn asserted_names_have_the_needs_of_their_row() {
    let scene = pep_scene();
    let person = Assertion { agent: None, ..ASSERTION };
    assert_eq!(asserted(&scene, &person), denied(ReasonCode::AgentRequired));
    let mut open = scene.clone();
    open.audience = OPEN;
    assert_eq!(asserted(&open, &person), ALLOWED);
    let agent = Assertion { subject: "agent:helper", agent: None, ..ASSERTION };
    assert_eq!(asserted(&scene, &agent), denied(ReasonCode::AgentContextMissing));
    open.identity("agent:helper").sole_user = Some(object("user:anne"));
    assert_eq!(asserted(&open, &agent), denied(ReasonCode::UserAmbiguous));
    open.remove("user:dana#delegate_of@agent:helper");
    assert_eq!(asserted(&open, &agent), ALLOWED);
    for (subject, agent, reason) in [
        ("user:ghost", Some("agent:helper"), ReasonCode::IdentityUnknown),
        ("user:anne", Some("agent:ghost"), ReasonCode::IdentityUnknown),
        ("user:anne", Some("user:bob"), ReasonCode::BindingUnmatched),
        ("agent:helper", Some("agent:other"), ReasonCode::BindingUnmatched),
        ("service:importer", None, ReasonCode::BindingUnmatched),
    ] {
        let assertion = Assertion { subject, agent, ..ASSERTION };
        assert_eq!(asserted(&open, &assertion), denied(reason), "{subject} {agent:?}");
    }
}

#[test]
fn an_asserted_delegation_is_a_stored_one() {
    let mut scene = pep_scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    scene.identity("agent:helper").delegation = DelegationMode::OnInvoke;
    assert_eq!(asserted(&scene, &ASSERTION), denied(ReasonCode::NotDelegate));
}

#[test]
fn no_token_means_no_token_scope_and_no_roles() {
    let mut scene = pep_scene();
    scene.claims["scope"] = json!("");
    assert_eq!(asserted(&scene, &ASSERTION), ALLOWED);
    scene.claims["scope"] = json!("boards.read");
    scene.remove("agent:helper#owner@user:anne");
    scene.authz(
        "/role_mapping",
        json!({"wildcard_roles": true, "sources": [{"issuer": "https://login.example",
            "claim": "/realm_access/roles", "roles": ["agent_user"]}]}),
    );
    scene.claims["realm_access"] = json!({"roles": ["agent_user:*"]});
    assert_eq!(scene.said(), ALLOWED);
    assert_eq!(asserted(&scene, &ASSERTION), denied(ReasonCode::AgentUse));
}

#[test]
fn an_asserted_credential_is_the_agents_and_live() {
    let scene = pep_scene();
    let with = |scene: &Scene, credential| {
        asserted(scene, &Assertion { credential: Some(credential), ..ASSERTION })
    };
    assert_eq!(with(&scene, "c-helper"), ALLOWED);
    assert_eq!(with(&scene, "c-other"), denied(ReasonCode::CredentialUnknown));
    assert_eq!(with(&scene, "c-ghost"), denied(ReasonCode::CredentialUnknown));
    let mut revoked = scene.clone();
    revoked.credential("c-helper").revoked_at = Some(1);
    assert_eq!(with(&revoked, "c-helper"), denied(ReasonCode::CredentialRevoked));
    let mut expired = scene.clone();
    expired.credential("c-helper").expires_at = Some(NOW);
    assert_eq!(with(&expired, "c-helper"), denied(ReasonCode::CredentialExpired));
    let mut open = scene;
    open.audience = OPEN;
    let person = Assertion { agent: None, credential: Some("c-helper"), ..ASSERTION };
    assert_eq!(asserted(&open, &person), denied(ReasonCode::CredentialUnknown));
}

#[test]
fn a_person_with_several_tenants_is_asserted_in_one() {
    let scene = pep_scene();
    let dana = Assertion { subject: "user:dana", ..ASSERTION };
    assert_eq!(asserted(&scene, &dana), denied(ReasonCode::TenantAmbiguous));
    assert_eq!(asserted(&scene, &Assertion { tenant: Some("acme"), ..dana }), ALLOWED);
    let elsewhere = Assertion { tenant: Some("globex"), ..dana };
    assert_eq!(asserted(&scene, &elsewhere), denied(ReasonCode::BindingUnmatched));
    let offline = Assertion { asserter: Asserter::Offline, ..elsewhere };
    assert_eq!(asserted(&scene, &offline), denied(ReasonCode::CrossTenant));
}

#[test]
fn an_assertion_binds_the_user_that_the_request_represents() {
    let mut scene = pep_scene();
    scene.on_behalf_of = Some("user:anne");
    assert_eq!(asserted(&scene, &ASSERTION), ALLOWED);
    scene.on_behalf_of = Some("user:bob");
    assert_eq!(asserted(&scene, &ASSERTION), denied(ReasonCode::CrossUser));
}
