//! Line 6: whether the user may use the agent, by relationships and by roles.

use mandate_authn::ReasonCode;

use serde_json::{Value, json};

use crate::agent_context::context;
use crate::scene::{ALLOWED, Scene, agent_scene, denied, said, scene};

#[test]
fn line_6_wants_the_user_to_may_use_the_agent() {
    let mut scene = scene();
    scene.remove("agent:helper#owner@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
    scene.add("agent:helper#shared_with_teams@team:red#member");
    assert_eq!(scene.said(), ALLOWED);
    scene.add("agent:helper#denied@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}

/// Anne's token has a role, and nothing else lets her use the agent.
fn role_scene(role: &str) -> Scene {
    let mut scene = scene();
    scene.remove("agent:helper#owner@user:anne");
    scene.authz(
        "/role_mapping",
        json!({"sources": [{
            "issuer": "https://login.example", "claim": "/resource_access/boards/roles",
            "client": "board-web", "roles": ["agent_user", "agent_admin"],
        }]}),
    );
    scene.claims["resource_access"] = json!({"boards": {"roles": ["viewer", role]}});
    scene
}

#[test]
fn a_role_in_the_users_token_opens_the_agent_that_it_names() {
    let scene = role_scene("agent_user:helper");
    let decision = scene.decide();
    assert_eq!(said(&decision), ALLOWED);
    assert_eq!(decision.circumstances().bound().unwrap().role(), Some("agent_user:helper"));
    assert_eq!(role_scene("agent_admin:helper").said(), ALLOWED);
    for role in [
        "agent_user:other",
        "agent_user:Helper",
        "agent_user:",
        "agent_user",
        "agent_user:*",
        "agent_admin:*",
        "invoke:helper",
        "view:helper",
        "xagent_user:helper",
        "agent_user:helper:x",
    ] {
        assert_eq!(role_scene(role).said(), denied(ReasonCode::AgentUse), "{role}");
    }
}

#[test]
fn a_role_counts_from_its_issuer_claim_and_client_only() {
    let mut client = role_scene("agent_user:helper");
    client.claims["client_id"] = json!("other-web");
    assert_eq!(client.said(), denied(ReasonCode::AgentUse));
    client.authz("/role_mapping/sources/0/client", Value::Null);
    assert_eq!(client.said(), ALLOWED);
    let mut claim = role_scene("x");
    claim.claims["resource_access"] = json!({"vault": {"roles": ["agent_user:helper"]}});
    claim.claims["realm_access"] = json!({"roles": ["agent_user:helper"]});
    claim.claims["scope"] = json!("boards.read agent_user:helper");
    assert_eq!(claim.said(), denied(ReasonCode::AgentUse));
    let mut issuer = role_scene("agent_user:helper");
    issuer.authz("/role_mapping/sources/0/issuer", json!("https://agents.example"));
    assert_eq!(issuer.said(), denied(ReasonCode::AgentUse));
}

#[test]
fn a_scope_opens_an_agent_where_the_contract_lists_it() {
    let mut scene = role_scene("x");
    scene.claims["scope"] = json!("boards.read invoke:helper");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
    scene.authz(
        "/role_mapping/sources/0",
        json!({"issuer": "https://login.example", "claim": "/scope", "roles": ["invoke"]}),
    );
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["scope"] = json!("boards.read invoke:other");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}

#[test]
fn a_wildcard_role_counts_where_the_contract_says_so() {
    for role in ["agent_admin:*", "agent_user:*"] {
        let mut scene = role_scene(role);
        scene.authz("/role_mapping/wildcard_roles", json!(true));
        assert_eq!(scene.said(), ALLOWED, "{role}");
        // Line 3 keeps it inside of the tenant.
        scene.claims["act"]["sub"] = json!("sa-alien");
        assert_eq!(scene.said(), denied(ReasonCode::CrossTenant), "{role}");
    }
}

#[test]
fn a_stored_denial_wins_over_every_role() {
    let mut scene = role_scene("agent_admin:helper");
    scene.add("agent:helper#denied@team:red#member");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}

#[test]
fn an_agents_own_roles_open_nothing() {
    let mut scene = agent_scene();
    scene.remove("agent:helper#owner@user:anne");
    scene.authz(
        "/role_mapping",
        json!({"sources": [{"issuer": "https://agents.example", "claim": "/realm_access/roles",
            "roles": ["agent_user", "agent_admin"]}]}),
    );
    scene.claims["realm_access"] = json!({"roles": ["agent_user:helper", "agent_admin:helper"]});
    scene.contexts = vec![context(&mut scene)];
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}
