//! Line 3: one tenant for everybody and everything, which no text of a model can lift.

use mandate_authn::ReasonCode;
use mandate_authz::authorize::Resource;
use mandate_authz::row::Row;
use serde_json::json;

use crate::scene::{
    ALLOWED, MCP, Scene, WEB, argument, board, denied, person_scene, said, scene, service_scene,
    with_rows,
};
use crate::world::{agent, object, user};

fn route(audience: &str, member: &str) -> String {
    format!("/routes/{}/{member}", audience.replace('/', "~1"))
}

#[test]
fn a_resource_of_another_tenant_is_out_of_reach_whatever_the_model_says() {
    let mut scene = scene();
    scene.resources = vec![argument("launch")];
    scene.add("board:launch#viewer@user:*");
    scene.model = scene.model.replace(
        "define can_read_board: viewer or editor or viewer from workspace",
        "define can_read_board: viewer or editor",
    );
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
    let mut twin = scene.clone();
    twin.resources = vec![argument("secret")];
    twin.add("board:secret#viewer@user:*");
    assert_eq!(twin.said(), ALLOWED);
}

#[test]
fn an_agent_of_another_tenant_acts_for_nobody_here() {
    let mut scene = scene();
    scene.claims["act"]["sub"] = json!("sa-alien");
    scene.add("tool:boards/read_board#can_call@agent:*");
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
    scene.claims["act"]["sub"] = json!("sa-helper");
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_user_of_another_tenant_is_represented_by_nobody_here() {
    let mut scene = scene();
    scene.claims["sub"] = json!("carol");
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn the_tokens_tenant_is_the_users() {
    let mut scene = scene();
    scene.claims["tenant"] = json!("acme");
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["tenant"] = json!("globex");
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
    scene.claims["tenant"] = json!("initech");
    assert_eq!(scene.said(), denied(ReasonCode::TokenTenant));
}

#[test]
fn the_routes_tenant_is_the_users() {
    let mut scene = scene();
    scene.authz(&route(MCP, "tenant"), json!("acme"));
    assert_eq!(scene.said(), ALLOWED);
    scene.authz(&route(MCP, "tenant"), json!("globex"));
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn a_tenant_that_the_registry_does_not_know_equals_nothing() {
    let mut scene = scene();
    scene.contract["issuers"][0]["tenants"] = json!(["acme", "globex", "initech"]);
    scene.claims["tenant"] = json!("initech");
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn an_issuer_speaks_for_its_tenants_only() {
    let mut token = scene();
    token.contract["issuers"][0]["tenants"] = json!(["globex"]);
    assert_eq!(token.said(), denied(ReasonCode::CrossTenant));
    let mut actor = scene();
    actor.contract["issuers"][1]["tenants"] = json!(["globex"]);
    assert_eq!(actor.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn nobody_is_in_no_tenant() {
    let mut person = person_scene();
    person.claims["sub"] = json!("nobody");
    assert_eq!(person.said(), denied(ReasonCode::TenantUnknown));
    // The builder refuses what joins a tenant and nobody's; a delta may take the tenant away.
    for (scene, name) in [(scene(), "agent:helper"), (service_scene(), "service:importer")] {
        let mut homeless = scene.clone().identity(name).clone();
        homeless.tenants.clear();
        let state = with_rows(&scene, &[Row::PutIdentity(homeless)]);
        assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::TenantUnknown), "{name}");
    }
}

#[test]
fn a_resource_that_nobody_knows_is_in_no_tenant() {
    let mut scene = scene();
    scene.resources = vec![argument("ghost")];
    assert_eq!(scene.said(), denied(ReasonCode::TenantUnknown));
    scene.add("board:ghost#viewer@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::TenantUnknown));
    scene.add("board:ghost#workspace@workspace:main");
    assert_eq!(scene.said(), ALLOWED);
}

/// Dana is in acme and in globex.
fn dana() -> Scene {
    let mut scene = scene();
    scene.claims["sub"] = json!("dana");
    scene
}

#[test]
fn a_person_with_several_tenants_needs_one_that_is_named() {
    assert_eq!(dana().said(), denied(ReasonCode::TenantAmbiguous));
    let mut by_token = dana();
    by_token.claims["tenant"] = json!("acme");
    assert_eq!(by_token.said(), ALLOWED);
    let mut by_route = dana();
    by_route.authz(&route(MCP, "tenant"), json!("acme"));
    assert_eq!(by_route.said(), ALLOWED);
    let mut by_both = by_route.clone();
    by_both.claims["tenant"] = json!("acme");
    assert_eq!(by_both.said(), ALLOWED);
    by_both.claims["tenant"] = json!("globex");
    assert_eq!(by_both.said(), denied(ReasonCode::TenantAmbiguous));
}

#[test]
fn a_named_tenant_must_be_one_of_the_persons_and_the_agents() {
    let mut other = dana();
    other.claims["tenant"] = json!("globex");
    assert_eq!(other.said(), denied(ReasonCode::CrossTenant));
    let mut foreign = dana();
    foreign.identity("user:dana").tenants = vec!["acme".to_owned(), "initech".to_owned()];
    foreign.tuples.push(crate::world::tuple("workspace:x#organization@organization:initech"));
    foreign.claims["tenant"] = json!("globex");
    assert_eq!(foreign.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn a_machine_in_several_tenants_is_in_none() {
    // The builder refuses such a record; a delta may bring one.
    let scene = scene();
    let mut several = agent("helper", "acme");
    several.tenants.push("globex".to_owned());
    let state = with_rows(&scene, &[Row::PutIdentity(several)]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::TenantAmbiguous));
}

#[test]
fn a_tool_belongs_to_the_tenant_or_to_everybody() {
    let mut scene = scene();
    scene.authz("/types/shared", json!(["mcp_server"]));
    assert_eq!(scene.said(), denied(ReasonCode::TenantUnknown));
    scene.model = scene.model.replace(
        "type tool\n  relations\n",
        "type tool\n  relations\n    define organization: [organization]\n",
    );
    scene.authz("/types/parents/tool", json!(["organization"]));
    scene.remove("tool:boards/read_board#can_call@user:carol");
    scene.remove("tool:boards/read_board#can_call@agent:alien");
    scene.add("tool:boards/read_board#organization@organization:acme");
    assert_eq!(scene.said(), ALLOWED);
    let mut other = scene.clone();
    other.remove("tool:boards/read_board#organization@organization:acme");
    other.tuples.retain(|tuple| tuple.object != object("tool:boards/read_board"));
    other.add("tool:boards/read_board#organization@organization:globex");
    other.add("tool:boards/read_board#can_call@agent:*");
    other.add("tool:boards/read_board#can_call@user:*");
    assert_eq!(other.said(), denied(ReasonCode::CrossTenant));
}

#[test]
fn a_type_that_only_the_snapshot_shares_is_in_no_tenant() {
    let mut scene = scene();
    let state = scene.state();
    scene.authz("/types/shared", json!(["mcp_server"]));
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::TenantUnknown));
}

#[test]
fn a_principal_as_a_resource_has_the_tenants_of_its_record() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.action = "configure";
    scene.resources = vec![Resource::Id { type_name: "agent", id: "other" }];
    assert_eq!(scene.said(), ALLOWED);
    scene.resources = vec![Resource::Id { type_name: "agent", id: "alien" }];
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
    scene.resources = vec![Resource::Id { type_name: "agent", id: "ghost" }];
    assert_eq!(scene.said(), denied(ReasonCode::TenantUnknown));
}

#[test]
fn a_resource_that_moves_or_ends_by_a_delta_leaves_the_tenant() {
    let scene = scene();
    let moved =
        Row::PutObject { object: object("board:roadmap"), tenant: Some("globex".to_owned()) };
    let state = with_rows(&scene, &[moved]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::CrossTenant));
    let gone = Row::DeleteObject { object: object("board:roadmap") };
    let state = with_rows(&scene, &[gone]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::TenantUnknown));
}

#[test]
fn a_user_who_moves_by_a_delta_leaves_the_tenant() {
    let scene = scene();
    let state = with_rows(&scene, &[Row::PutIdentity(user("anne", &["globex"]))]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::CrossTenant));
    let gone = Row::DeleteIdentity { object: object("user:anne") };
    let state = with_rows(&scene, &[gone]);
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::IdentityUnknown));
}

#[test]
fn every_resource_of_a_call_is_of_the_tenant() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.resources = vec![board("roadmap"), board("launch")];
    assert_eq!(scene.said(), denied(ReasonCode::CrossTenant));
}
